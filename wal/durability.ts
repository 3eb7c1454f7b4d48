/**
 * The durability levels. 'always': a commit is accepted when it is synced. The others accept a
 * commit when the operating system has it, and sync: never by themselves ('os'), this long after a
 * write (everyMs), or after so many records (everyRecords). All of them sync before a segment is
 * left, in flush(), for a commit that asks for it, and in close().
 */
import { badRequest } from '../src/base/errors.ts';
import type { Durability } from './ordered-log.ts';

export interface SyncPolicy {
  readonly isAlways: boolean;
  /** Infinity: no timer. */
  readonly everyMs: number;
  readonly everyRecords: number;
}

/** @throws {StoreError} BAD_REQUEST */
export function syncPolicy(durability: Durability): SyncPolicy {
  const never = {
    isAlways: false,
    everyMs: Number.POSITIVE_INFINITY,
    everyRecords: Number.POSITIVE_INFINITY,
  };
  if (durability === 'always') return { ...never, isAlways: true };
  if (durability === 'os') return never;
  if (typeof durability === 'object' && durability !== null) {
    const { everyMs, everyRecords } = durability as { everyMs?: unknown; everyRecords?: unknown };
    if (isPositive(everyMs) && everyRecords === undefined) return { ...never, everyMs };
    if (isPositive(everyRecords) && everyMs === undefined) return { ...never, everyRecords };
  }
  throw badRequest(
    'unknown durability level',
    'durability',
    "'always', 'os', { everyMs } or { everyRecords } with a positive number",
  );
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < 2 ** 31;
}
