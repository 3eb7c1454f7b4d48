/**
 * Assertions for programmer errors. They stay on in production: an impossible state must stop
 * writes instead of reaching the disk.
 */
import { StoreError } from './errors.ts';

/** @throws {StoreError} INTERNAL_ERROR - when the condition does not hold: a bug of ours, never of the caller. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition)
    throw new StoreError('INTERNAL_ERROR', `invariant broken: ${message}`, {
      details: { outcome: 'unknown' },
    });
}
