/** What the tests of this folder share: a good definition to spoil, and a way to catch the refusal. */
import { isStoreError } from '../../../src/base/errors.ts';

/** A definition without a fault. */
export function order(): Record<string, unknown> {
  return {
    name: 'order',
    version: 1,
    states: ['created', 'paid', 'shipped', 'expired'],
    initial: 'created',
    transitions: [
      { from: 'created', event: 'PAY', to: 'paid' },
      { from: 'paid', event: 'SHIP', to: 'shipped', guard: 'ctx.total > 0' },
      { from: ['created', 'paid'], event: 'EXPIRE', to: 'expired' },
    ],
    timeouts: [{ state: 'created', after: '30m', event: 'EXPIRE' }],
    indexes: ['customer', 'address.city'],
    meta: { colour: 'red' },
  };
}

export interface Refusal {
  readonly path: string | undefined;
  readonly message: string;
  readonly details: Record<string, unknown>;
  readonly cause: unknown;
}

/** Runs what must be refused with BAD_REQUEST; anything else is rethrown or reported. */
export function refusalOf(run: () => unknown): Refusal {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    if (!isStoreError(error, 'BAD_REQUEST')) throw error;
    const details: Record<string, unknown> = { ...error.details };
    return { path: error.details.path, message: error.message, details, cause: error.cause };
  }
  throw new Error(`not refused: ${String(result)}`);
}
