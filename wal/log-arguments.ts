/**
 * Checks of what callers pass to a log. All of them run before anything is encoded: a call that is
 * refused has touched nothing, and code of the caller (getters, proxies) never runs in the middle
 * of a commit.
 */
import { types } from 'node:util';
import { StoreError, badRequest, isStoreError } from '../src/base/errors.ts';
import { MiB } from '../src/base/units.ts';
import { LIMITS } from './format.ts';
import type { AppendOptions, FollowOptions, ReadRange } from './log-types.ts';
import type { PageLimits } from './record-reader.ts';

const READ_LIMIT = 100;
const MAX_READ_LIMIT = 1000;
const PAGE_BYTES: number = 16 * MiB;

/** The getter every typed array inherits: a subclass cannot answer for it. */
const byteLength: PropertyDescriptor | undefined = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  'byteLength',
);

export function recordLength(record: Uint8Array): number {
  return byteLength?.get?.call(record) as number;
}

/** @throws {StoreError} BAD_REQUEST, RECORD_TOO_LARGE */
export function checkRecord(record: unknown, path: string): asserts record is Uint8Array {
  if (!types.isUint8Array(record)) {
    throw badRequest(`${path} must be a Uint8Array, not ${describe(record)}`, path, 'Uint8Array');
  }
  const length = recordLength(record);
  if (length > LIMITS.recordBytes) throw tooLarge(path, length, LIMITS.recordBytes);
}

/** The records of one commit, read once. @throws {StoreError} BAD_REQUEST, RECORD_TOO_LARGE */
export function checkRecords(records: readonly Uint8Array[]): Uint8Array[] {
  if (!Array.isArray(records)) {
    const message = `records must be an array, not ${describe(records)}`;
    throw badRequest(message, 'records', 'array of Uint8Array');
  }
  try {
    return readRecords(records);
  } catch (error) {
    if (isStoreError(error)) throw error;
    const details = { path: 'records', reason: 'threw while it was read' };
    throw new StoreError('BAD_REQUEST', 'records threw while it was read', {
      details,
      cause: error,
    });
  }
}

function readRecords(records: readonly Uint8Array[]): Uint8Array[] {
  const list: Uint8Array[] = [];
  let bytes = 0;
  for (const record of records) {
    if (list.length === LIMITS.commitRecords) {
      throw tooLarge('records', list.length + 1, LIMITS.commitRecords);
    }
    checkRecord(record, `records[${list.length}]`);
    bytes += recordLength(record);
    if (bytes > LIMITS.commitBytes) throw tooLarge('records', bytes, LIMITS.commitBytes);
    list.push(record);
  }
  if (list.length === 0) throw badRequest('records is empty', 'records', 'at least one record');
  return list;
}

/** @throws {StoreError} BAD_REQUEST */
export function checkOptions<T extends object>(
  options: T | undefined,
  known: readonly (keyof T & string)[],
  path: string = 'options',
): T | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw badRequest(`${path} must be an object, not ${describe(options)}`, path, 'object');
  }
  for (const name of Object.keys(options)) {
    if ((known as readonly string[]).includes(name)) continue;
    if ((options as Record<string, unknown>)[name] === undefined) continue;
    throw badRequest(`${path}.${name} is no option`, `${path}.${name}`, known.join(', '));
  }
  return options;
}

/** @throws {StoreError} BAD_REQUEST, TIMEOUT - aborted already. */
export function checkAppendOptions(options: AppendOptions | undefined): {
  durable: boolean;
  signal: AbortSignal | undefined;
} {
  const { durable = false, signal } = checkOptions(options, ['durable', 'signal']) ?? {};
  if (typeof durable !== 'boolean') {
    throw badRequest('options.durable must be a boolean', 'options.durable', 'boolean');
  }
  checkSignal(signal);
  if (signal?.aborted === true) {
    const details = { outcome: 'not-done' };
    throw new StoreError('TIMEOUT', 'aborted before it was done', {
      details,
      cause: signal.reason,
    });
  }
  return { durable, signal };
}

/** @throws {StoreError} BAD_REQUEST */
export function checkRange(
  range: ReadRange | undefined,
  oldest: number,
): PageLimits & { from: number } {
  const { from, limit = READ_LIMIT } = checkOptions(range, ['from', 'limit'], 'range') ?? {};
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_READ_LIMIT) {
    const expected = `an integer from 1 to ${MAX_READ_LIMIT}`;
    throw badRequest(`limit cannot be ${String(limit)}`, 'range.limit', expected);
  }
  if (from !== undefined) checkOffset(from, 1, 'range.from');
  return { from: from ?? oldest, records: limit, bytes: PAGE_BYTES };
}

/** @throws {StoreError} BAD_REQUEST */
export function checkFollowOptions(options: FollowOptions | undefined): FollowOptions {
  const { after, signal } = checkOptions(options, ['after', 'signal']) ?? {};
  if (after !== undefined) checkOffset(after, 0, 'options.after');
  checkSignal(signal);
  return { after, signal };
}

/** @throws {StoreError} BAD_REQUEST */
export function checkOffset(value: unknown, least: number, path: string): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return;
  throw badRequest(`${path} cannot be ${String(value)}`, path, `a safe integer from ${least} on`);
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw badRequest('options.signal must be an AbortSignal', 'options.signal', 'AbortSignal');
}

/** Ends the wait when the signal does: the records are in the log already, or on their way. */
export function withSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => {
      const details = { outcome: 'unknown' };
      const message = 'stopped waiting; the records may still be written';
      reject(new StoreError('TIMEOUT', message, { details, cause: signal.reason }));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function tooLarge(path: string, actual: number, limit: number): StoreError {
  const message = `${path} of ${actual} exceeds the limit of ${limit}; nothing was written`;
  return new StoreError('RECORD_TOO_LARGE', message, { details: { what: path, actual, limit } });
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : typeof value;
}
