/** What callers pass as vectors, entries and ids: each read exactly once, copied, and checked. */
import { badRequest, StoreError } from '../../base/errors.ts';
import { ByteWriter } from '../../base/bytes.ts';
import type { VectorFacts } from '../../record/vector-body.ts';
import { describeInput, readItems } from '../../query/plain-input.ts';
import { writeContext } from '../../value/write-value.ts';
import { MAX_DIMENSIONS, type Metric } from '../../vector/config.ts';
import { checkName, checkTime, ownFields } from '../write-options.ts';
import { checkBound, checkScope, GLOBAL_SCOPE } from './scope.ts';

const FIELDS: readonly string[] = [
  'id',
  'vector',
  'metadata',
  'scope',
  'eventTime',
  'ttlMs',
  'expiresAt',
];
/** More records than this fit no commit. */
const MAX_ENTRIES = 100_000;

/** One entry of a call, checked but for what depends on the collection. */
export interface CheckedEntry extends VectorFacts {
  /** undefined: one is to be made. */
  readonly id: string | undefined;
  /** As given, for the fingerprint: the time it expires at follows from the clock. */
  readonly ttlMs: number | undefined;
}

/** `bound`: the scope of the handle. @throws {StoreError} BAD_REQUEST, INVALID_VECTOR, RECORD_TOO_LARGE */
export function checkEntries(
  input: unknown,
  now: number,
  bound: string | undefined,
): readonly CheckedEntry[] {
  return readItems(input, 'entries', MAX_ENTRIES).map((one, i) =>
    checkEntry(one, `entries[${i}]`, now, bound),
  );
}

function checkEntry(
  input: unknown,
  at: string,
  now: number,
  bound: string | undefined,
): CheckedEntry {
  const fields = ownFields(input as object, at) as Readonly<Record<string, unknown>> | undefined;
  if (fields === undefined) throw badRequest(`${at} is missing`, at, 'object');
  for (const name of Object.keys(fields)) {
    if (!FIELDS.includes(name))
      throw badRequest(`${at} has no field ${JSON.stringify(name)}`, `${at}.${name}`);
  }
  const { id, metadata, scope: given, eventTime } = fields;
  const scope = given === undefined ? (bound ?? GLOBAL_SCOPE) : checkScope(given, `${at}.scope`);
  checkBound(scope, `${at}.scope`, bound);
  const ttlMs = checkTtl(fields['ttlMs'], `${at}.ttlMs`);
  return {
    id: id === undefined ? undefined : checkName(id, `${at}.id`),
    vector: checkVector(fields['vector'], `${at}.vector`),
    scope,
    eventTime: eventTime === undefined ? Number.NaN : checkTime(eventTime, `${at}.eventTime`),
    ttlMs,
    expiresAt: checkExpiry(fields['expiresAt'], ttlMs, at, now),
    metadata: metadata === undefined ? undefined : checkMetadata(metadata, `${at}.metadata`),
  };
}

function checkTtl(value: unknown, at: string): number | undefined {
  if (value === undefined || value === Infinity) return undefined;
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw badRequest(`${at} must be a positive integer of milliseconds`, at, 'positive integer');
}

function checkExpiry(value: unknown, ttlMs: number | undefined, at: string, now: number): number {
  if (ttlMs !== undefined) {
    if (value !== undefined)
      throw badRequest(`${at} has both ttlMs and expiresAt`, `${at}.expiresAt`, 'one of them');
    return checkTime(now + ttlMs, `${at}.ttlMs`);
  }
  return value === undefined || value === Infinity ? Infinity : checkTime(value, `${at}.expiresAt`);
}

/** MessagePack of its own. @throws {StoreError} BAD_REQUEST, RECORD_TOO_LARGE */
export function checkMetadata(value: unknown, at: string): Uint8Array {
  const out = new ByteWriter(256);
  writeContext(out, value, at);
  return out.bytes.slice(0, out.position);
}

/** A copy as 32-bit floats, all finite. @throws {StoreError} BAD_REQUEST, INVALID_VECTOR */
export function checkVector(value: unknown, at: string): Float32Array {
  const vector = copyOf(value, at);
  if (vector.length === 0) throw invalid(at, 'is empty');
  for (let i = 0; i < vector.length; i++) {
    if (!Number.isFinite(vector[i]))
      throw invalid(`${at}[${i}]`, 'is no finite number that fits 32 bits');
  }
  return vector;
}

function copyOf(value: unknown, at: string): Float32Array {
  if (ArrayBuffer.isView(value)) {
    if (Object.prototype.toString.call(value) === '[object Float32Array]')
      return Float32Array.from(value as Float32Array);
  } else if (Array.isArray(value)) {
    const items = readItems(value, at, MAX_DIMENSIONS);
    const vector = new Float32Array(items.length);
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      // Float32Array would take texts and dates for numbers.
      vector[i] = typeof item === 'number' ? item : Number.NaN;
    }
    return vector;
  }
  const expected = 'Float32Array or list of numbers';
  throw badRequest(`${at} must be a ${expected}, not ${describeInput(value)}`, at, expected);
}

function invalid(at: string, why: string): StoreError {
  return new StoreError('INVALID_VECTOR', `${at} ${why}`, { details: { path: at } });
}

/** Does the vector belong into such a collection? @throws {StoreError} DIMENSION_MISMATCH, INVALID_VECTOR */
export function checkFits(
  vector: Float32Array,
  config: { readonly dimensions: number; readonly metric: Metric },
  at: string,
): void {
  const { dimensions, metric } = config;
  if (vector.length !== dimensions) {
    const message = `${at} has ${vector.length} dimensions, the collection ${dimensions}`;
    throw new StoreError('DIMENSION_MISMATCH', message, {
      details: { path: at, expected: dimensions, actual: vector.length },
    });
  }
  if (metric === 'cosine' && vector.every((x) => x === 0))
    throw invalid(at, 'is zero: it has no direction, and the metric is cosine');
}

/** Each once: a second mention of the same id says nothing new. @throws {StoreError} BAD_REQUEST */
export function checkIds(input: unknown): readonly string[] {
  const ids = readItems(input, 'ids', MAX_ENTRIES).map((one, i) => checkName(one, `ids[${i}]`));
  return [...new Set(ids)];
}
