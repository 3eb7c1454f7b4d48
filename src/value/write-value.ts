/**
 * A JavaScript value to MessagePack: one walk validates and encodes, straight into the writer.
 * What JSON would drop or bend (undefined, NaN, dates, class instances, holes) is refused with its
 * path; the path is put together on the way back from a failure, so success pays nothing for it.
 * Equal values give equal bytes, but for the order of keys.
 */
import type { ByteWriter } from '../base/bytes.ts';
import { StoreError } from '../base/errors.ts';
import {
  ARRAY16, ARRAY32, FALSE, FIXARRAY, FIXMAP, FIXSTR, FLOAT64, INT16, INT32, INT64, INT8, MAP16, MAP32,
  MAX_DEPTH, MAX_VALUE_BYTES, NIL, STR16, STR32, STR8, TRUE, UINT16, UINT32, UINT64, UINT8,
} from './format.ts';
import { isMap } from './structure.ts';

/** Why a value cannot be stored, and where below the root. */
interface Refusal {
  readonly path: string;
  readonly reason: string;
  readonly cause?: unknown;
}

/** Below this length a loop beats the 60 ns of the native calls that check and encode text. */
const SHORT_TEXT = 40;
const TOO_LARGE: Refusal = Object.freeze({ path: '', reason: 'too large' });
const EXPECTED_ROOT = 'a plain object';
const EXPECTED = 'null, boolean, finite number, 64-bit bigint, well-formed string, array or plain object';

/**
 * Appends one value. On an error the writer may hold part of it: the caller restores `position`.
 *
 * @param path what the value is to the caller, such as 'payload'; errors name places below it
 * @throws {StoreError} BAD_REQUEST - when something in it cannot be stored exactly
 * @throws {StoreError} RECORD_TOO_LARGE - as soon as it exceeds 16 MiB encoded
 */
export function writeValue(writer: ByteWriter, value: unknown, path: string): void {
  const limit = writer.position + MAX_VALUE_BYTES;
  const refusal = put(writer, value, 0, limit);
  if (refusal !== undefined) throw errorOf(refusal, path, EXPECTED);
  if (writer.position > limit) throw errorOf(TOO_LARGE, path, EXPECTED);
}

/** Like {@link writeValue}, for a root that must be a plain object (INS-1). */
export function writeContext(writer: ByteWriter, value: unknown, path: string): void {
  const start = writer.position;
  const refusal = put(writer, value, 0, start + MAX_VALUE_BYTES);
  if (refusal !== undefined) throw errorOf(refusal, path, refusal.path === '' ? EXPECTED_ROOT : EXPECTED);
  if (!isMap(writer.bytes[start] as number)) throw errorOf(refuse('is no object'), path, EXPECTED_ROOT);
  if (writer.position > start + MAX_VALUE_BYTES) throw errorOf(TOO_LARGE, path, EXPECTED);
}

function put(writer: ByteWriter, value: unknown, depth: number, limit: number): Refusal | undefined {
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

function putNumber(writer: ByteWriter, value: number): Refusal | undefined {
  writer.reserve(9);
  const { bytes, position } = writer;
  const int = value | 0;
  if (int === value && (int !== 0 || 1 / value > 0)) {
    writer.position = putInt(bytes, position, int);
    return undefined;
  }
  if (value >>> 0 === value && value !== 0) {
    bytes[position] = UINT32;
    writer.view.setUint32(position + 1, value);
    writer.position = position + 5;
    return undefined;
  }
  if (!Number.isFinite(value)) return refuse(`is ${value}`);
  bytes[position] = FLOAT64;
  writer.view.setFloat64(position + 1, value);
  writer.position = position + 9;
  return undefined;
}

/** A signed 32-bit integer in its shortest form; nine bytes are reserved. Returns the end. */
function putInt(bytes: Uint8Array, position: number, int: number): number {
  if (int >= -32 && int < 128) {
    bytes[position] = int;
    return position + 1;
  }
  if (int >= -128 && int < 256) {
    bytes[position] = int < 0 ? INT8 : UINT8;
    bytes[position + 1] = int;
    return position + 2;
  }
  if (int >= -0x8000 && int < 0x10000) {
    bytes[position] = int < 0 ? INT16 : UINT16;
    bytes[position + 1] = int >> 8;
    bytes[position + 2] = int;
    return position + 3;
  }
  bytes[position] = int < 0 ? INT32 : UINT32;
  bytes[position + 1] = int >> 24;
  bytes[position + 2] = int >> 16;
  bytes[position + 3] = int >> 8;
  bytes[position + 4] = int;
  return position + 5;
}

/** Always eight bytes, so that it comes back as a bigint (GEN-7). */
function putBigint(writer: ByteWriter, value: bigint): Refusal | undefined {
  writer.reserve(9);
  const { bytes, view, position } = writer;
  if (BigInt.asIntN(64, value) === value) {
    bytes[position] = INT64;
    view.setBigInt64(position + 1, value);
  } else if (BigInt.asUintN(64, value) === value) {
    bytes[position] = UINT64;
    view.setBigUint64(position + 1, value);
  } else {
    return refuse('is a bigint beyond 64 bits');
  }
  writer.position = position + 9;
  return undefined;
}

function putText(writer: ByteWriter, value: string, limit: number): Refusal | undefined {
  const length = value.length;
  if (length >= SHORT_TEXT) return putLongText(writer, value, limit);
  writer.reserve(SHORT_TEXT + 2);
  const bytes = writer.bytes;
  let position = writer.position;
  if (length < 32) {
    bytes[position++] = FIXSTR | length;
  } else {
    bytes[position++] = STR8;
    bytes[position++] = length;
  }
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    if (code > 127) return putLongText(writer, value, limit);
    bytes[position++] = code;
  }
  writer.position = position;
  return undefined;
}

function putLongText(writer: ByteWriter, value: string, limit: number): Refusal | undefined {
  // One unit is at least one byte: what cannot fit is refused before anything is measured or grown.
  if (writer.position + value.length > limit) return TOO_LARGE;
  // In the language since ES2024 and in Node 20, but not yet in the `lib` we compile against.
  if (!(value as string & { isWellFormed(): boolean }).isWellFormed()) return refuse('has a lone surrogate');
  const size = Buffer.byteLength(value, 'utf8');
  if (writer.position + size > limit) return TOO_LARGE;
  writer.reserve(size + 5);
  const { bytes, view } = writer;
  let position = writer.position;
  if (size < 32) {
    bytes[position++] = FIXSTR | size;
  } else if (size < 0x100) {
    bytes[position++] = STR8;
    bytes[position++] = size;
  } else if (size < 0x10000) {
    bytes[position] = STR16;
    view.setUint16(position + 1, size);
    position += 3;
  } else {
    bytes[position] = STR32;
    view.setUint32(position + 1, size);
    position += 5;
  }
  writer.position = position + bytes.write(value, position, size, size === value.length ? 'latin1' : 'utf8');
  return undefined;
}

function putStructure(writer: ByteWriter, value: object, depth: number, limit: number): Refusal | undefined {
  if (depth === MAX_DEPTH) return refuse(`is nested deeper than ${MAX_DEPTH} levels or cyclic`);
  const kind = kindOf(value);
  if (kind === 'array') return putArray(writer, value as readonly unknown[], depth + 1, limit);
  if (kind === 'object') return putObject(writer, value as Record<string, unknown>, depth + 1, limit);
  return kind;
}

function putArray(writer: ByteWriter, value: readonly unknown[], depth: number, limit: number): Refusal | undefined {
  const length = value.length;
  putCount(writer, length, FIXARRAY, ARRAY16, ARRAY32);
  for (let i = 0; i < length; i++) {
    let item: unknown;
    try {
      item = value[i];
    } catch (cause) {
      return below(`[${i}]`, refuse('threw while it was read', cause));
    }
    const refusal = put(writer, item, depth, limit);
    if (refusal !== undefined) return below(`[${i}]`, item === undefined && !(i in value) ? refuse('is a hole') : refusal);
  }
  return undefined;
}

function putObject(writer: ByteWriter, value: Record<string, unknown>, depth: number, limit: number): Refusal | undefined {
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

function putCount(writer: ByteWriter, count: number, fix: number, wide16: number, wide32: number): void {
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

/** Array, plain object, or why it is neither. A proxy may throw at any of these questions. */
function kindOf(value: object): 'array' | 'object' | Refusal {
  try {
    if (Array.isArray(value)) return 'array';
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null && !isForeignObjectPrototype(prototype as object)) {
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

function refuse(reason: string, cause?: unknown): Refusal {
  return { path: '', reason, cause };
}

function below(step: string, refusal: Refusal): Refusal {
  return refusal === TOO_LARGE ? TOO_LARGE : { ...refusal, path: step + refusal.path };
}

function stepOf(key: string): string {
  if (/^[\p{ID_Start}$_][\p{ID_Continue}$_]{0,63}$/u.test(key)) return `.${key}`;
  return `[${JSON.stringify(key.length > 64 ? `${key.slice(0, 64)}...` : key)}]`;
}

function errorOf(refusal: Refusal, root: string, expected: string): StoreError {
  if (refusal === TOO_LARGE) {
    return new StoreError('RECORD_TOO_LARGE', `${root} is larger than ${MAX_VALUE_BYTES} bytes encoded`, {
      details: { path: root, limit: MAX_VALUE_BYTES },
    });
  }
  const { reason, cause } = refusal;
  const path = root + refusal.path;
  return new StoreError('BAD_REQUEST', `${path} ${reason}; expected ${expected}`, {
    details: { path, expected, reason },
    cause,
  });
}
