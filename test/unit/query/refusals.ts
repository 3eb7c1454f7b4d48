/** What the tests of this folder share: a way to catch a refusal. */
import { isStoreError } from '../../../src/base/errors.ts';

export interface Refusal {
  readonly path: string | undefined;
  readonly expected: string | undefined;
  readonly message: string;
}

/** Runs what must be refused with BAD_REQUEST; anything else is rethrown or reported. */
export function refusalOf(run: () => unknown): Refusal {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    if (!isStoreError(error, 'BAD_REQUEST')) throw error;
    const { path, expected } = error.details;
    return { path, expected, message: error.message };
  }
  throw new Error(`not refused: ${JSON.stringify(result)}`);
}
