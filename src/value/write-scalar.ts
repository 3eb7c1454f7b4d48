/**
 * Numbers, bigints and text to MessagePack, each in its shortest form, straight into the writer.
 * Refuses what would not come back as it was: NaN, infinities, 65-bit integers, lone surrogates.
 */
import type { ByteWriter } from '../base/bytes.ts';
import {
  FIXSTR,
  FLOAT64,
  INT16,
  INT32,
  INT64,
  INT8,
  STR16,
  STR32,
  STR8,
  UINT16,
  UINT32,
  UINT64,
  UINT8,
} from './format.ts';
import { refuse, TOO_LARGE, type Refusal } from './refusal.ts';

/** Below this length a loop beats the 60 ns of the native calls that check and encode text. */
const SHORT_TEXT = 40;
export function putNumber(writer: ByteWriter, value: number): Refusal | undefined {
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
export function putBigint(writer: ByteWriter, value: bigint): Refusal | undefined {
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

export function putText(writer: ByteWriter, value: string, limit: number): Refusal | undefined {
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
  if (!(value as string & { isWellFormed(): boolean }).isWellFormed())
    return refuse('has a lone surrogate');
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
  writer.position =
    position + bytes.write(value, position, size, size === value.length ? 'latin1' : 'utf8');
  return undefined;
}
