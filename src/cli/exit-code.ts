/** How a command ends, as scripts see it (CLI-2 in the contract). */
import { isStoreError, type ErrorCode } from '../base/errors.ts';

export const EXIT = { ok: 0, error: 1, usage: 2, notFound: 3, conflict: 4 } as const;

const CONFLICTS: ReadonlySet<ErrorCode> = new Set([
  'CONFLICT',
  'STORE_LOCKED',
  'INSTANCE_EXISTS',
  'MACHINE_VERSION_EXISTS',
]);

export function exitCodeOf(error: unknown): number {
  if (!isStoreError(error)) return EXIT.error;
  if (error.code === 'BAD_REQUEST') return EXIT.usage;
  if (error.code.endsWith('NOT_FOUND')) return EXIT.notFound;
  return CONFLICTS.has(error.code) ? EXIT.conflict : EXIT.error;
}
