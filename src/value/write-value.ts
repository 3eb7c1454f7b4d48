/**
 * A JavaScript value to MessagePack: one walk validates and encodes, straight into the writer.
 * What JSON would drop or bend (undefined, NaN, dates, class instances, holes) is refused with its
 * path; the path is put together on the way back from a failure, so success pays nothing for it.
 * Equal values give equal bytes, but for the order of keys.
 */
import type { ByteWriter } from '../base/bytes.ts';
import {
  ARRAY16,
  ARRAY32,
  FALSE,
  FIXARRAY,
  FIXMAP,
  MAP16,
  MAP32,
  ENVELOPE_LEVELS,
  MAX_DEPTH,
  MAX_VALUE_BYTES,
  NIL,
  TRUE,
} from './format.ts';
import {
  below,
  errorOf,
  EXPECTED,
  EXPECTED_ROOT,
  refuse,
  stepOf,
  TOO_LARGE,
  type Refusal,
} from './refusal.ts';
import { isMap } from './structure.ts';
import { putBigint, putNumber, putText } from './write-scalar.ts';

/**
 * Appends one value. On an error the writer may hold part of it: the caller restores `position`.
 *
 * @param path what the value is to the caller, such as 'payload'; errors name places below it
 * @throws {StoreError} BAD_REQUEST - when something in it cannot be stored exactly
 * @throws {StoreError} RECORD_TOO_LARGE - as soon as it exceeds 16 MiB encoded
 */
export function writeValue(writer: ByteWriter, value: unknown, path: string): void {
  writeAt(writer, value, path, 0);
}

/** Like {@link writeValue}, for values of callers inside a frame of ours, whose levels do not count. */
export function writeEnveloped(writer: ByteWriter, value: unknown, path: string): void {
  writeAt(writer, value, path, -ENVELOPE_LEVELS);
}

function writeAt(writer: ByteWriter, value: unknown, path: string, depth: number): void {
  const limit = writer.position + MAX_VALUE_BYTES;
  const refusal = put(writer, value, depth, limit);
  if (refusal !== undefined) throw errorOf(refusal, path, EXPECTED);
  if (writer.position > limit) throw errorOf(TOO_LARGE, path, EXPECTED);
}

/** Like {@link writeValue}, for a root that must be a plain object (INS-1). */
export function writeContext(writer: ByteWriter, value: unknown, path: string): void {
  const start = writer.position;
  const refusal = put(writer, value, 0, start + MAX_VALUE_BYTES);
  if (refusal !== undefined)
    throw errorOf(refusal, path, refusal.path === '' ? EXPECTED_ROOT : EXPECTED);
  if (!isMap(writer.bytes[start] as number))
    throw errorOf(refuse('is no object'), path, EXPECTED_ROOT);
  if (writer.position > start + MAX_VALUE_BYTES) throw errorOf(TOO_LARGE, path, EXPECTED);
}

function put(
  writer: ByteWriter,
  value: unknown,
  depth: number,
  limit: number,
): Refusal | undefined {
  if (writer.position > limit) return TOO_LARGE;
  switch (typeof value) {
    case 'string':
      return putText(writer, value, limit);
    case 'number':
      return putNumber(writer, value);
    case 'boolean':
      writer.u8(value ? TRUE : FALSE);
      return undefined;
    case 'bigint':
      return putBigint(writer, value);
    case 'object':
      if (value !== null) return putStructure(writer, value, depth, limit);
      writer.u8(NIL);
      return undefined;
    default:
      return refuse(value === undefined ? 'is undefined' : `is a ${typeof value}`);
  }
}

function putStructure(
  writer: ByteWriter,
  value: object,
  depth: number,
  limit: number,
): Refusal | undefined {
  if (depth === MAX_DEPTH) return refuse(`is nested deeper than ${MAX_DEPTH} levels or cyclic`);
  const kind = kindOf(value);
  if (kind === 'array') return putArray(writer, value as readonly unknown[], depth + 1, limit);
  if (kind === 'object')
    return putObject(writer, value as Record<string, unknown>, depth + 1, limit);
  return kind;
}

function putArray(
  writer: ByteWriter,
  value: readonly unknown[],
  depth: number,
  limit: number,
): Refusal | undefined {
  let length: number;
  try {
    length = value.length;
  } catch (cause) {
    return refuse('threw while it was read', cause);
  }
  // A proxy may say anything here; the count in the encoding must be the number of items behind it.
  if (!Number.isInteger(length) || length < 0 || length > MAX_COUNT)
    return refuse('has no usable length');
  putCount(writer, length, FIXARRAY, ARRAY16, ARRAY32);
  for (let i = 0; i < length; i++) {
    let item: unknown;
    try {
      item = value[i];
    } catch (cause) {
      return below(`[${i}]`, refuse('threw while it was read', cause));
    }
    const refusal = put(writer, item, depth, limit);
    if (refusal !== undefined)
      return below(
        `[${i}]`,
        item === undefined && isHole(value, i) ? refuse('is a hole') : refusal,
      );
  }
  return undefined;
}

function isHole(value: readonly unknown[], index: number): boolean {
  try {
    return !(index in value);
  } catch {
    return false;
  }
}

function putObject(
  writer: ByteWriter,
  value: Record<string, unknown>,
  depth: number,
  limit: number,
): Refusal | undefined {
  let keys: string[];
  try {
    keys = Object.keys(value);
  } catch (cause) {
    return refuse('threw while it was read', cause);
  }
  putCount(writer, keys.length, FIXMAP, MAP16, MAP32);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    let item: unknown;
    try {
      item = value[key];
    } catch (cause) {
      return below(stepOf(key), refuse('threw while it was read', cause));
    }
    const refusal = putText(writer, key, limit) ?? put(writer, item, depth, limit);
    if (refusal !== undefined) return below(stepOf(key), refusal);
  }
  return undefined;
}

function putCount(
  writer: ByteWriter,
  count: number,
  fix: number,
  wide16: number,
  wide32: number,
): void {
  writer.reserve(5);
  const { bytes, view, position } = writer;
  if (count < 16) {
    bytes[position] = fix | count;
    writer.position = position + 1;
  } else if (count < 0x10000) {
    bytes[position] = wide16;
    view.setUint16(position + 1, count);
    writer.position = position + 3;
  } else {
    bytes[position] = wide32;
    view.setUint32(position + 1, count);
    writer.position = position + 5;
  }
}

/** What a 32-bit count can say. */
const MAX_COUNT = 0xffffffff;

/** Array, plain object, or why it is neither. A proxy may throw at any of these questions. */
function kindOf(value: object): 'array' | 'object' | Refusal {
  try {
    if (Array.isArray(value)) return 'array';
    const prototype: unknown = Object.getPrototypeOf(value);
    if (
      prototype !== Object.prototype &&
      prototype !== null &&
      !isForeignObjectPrototype(prototype as object)
    ) {
      return refuse(`is ${Object.prototype.toString.call(value)}, not a plain object`);
    }
    if (Object.getOwnPropertySymbols(value).length > 0) return refuse('has a symbol as a key');
    return 'object';
  } catch (cause) {
    return refuse('threw while it was read', cause);
  }
}

/** Object.prototype of another realm (a vm context, a test runner): a root that owns the built-ins. */
function isForeignObjectPrototype(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, '__lookupGetter__');
}
