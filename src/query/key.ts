/**
 * Keys: bytes whose bytewise order, the shorter first where one begins the other, is the order of
 * the values (order.ts). First the class; then of a number the double, big-endian, with the sign
 * bit turned so that it sorts, behind it what a bigint has beyond that double; of a string its
 * UTF-8 up to a limit, with one more byte where it was cut. Elements of lists have a byte before
 * their class, above all classes, so one index can hold both. For memory and derived files only.
 */
import { invariant } from '../base/assert.ts';
import type { ByteWriter } from '../base/bytes.ts';
import { MAX_KEY_TEXT_BYTES } from './limits.ts';
import { classOf, type Scalar } from './order.ts';

/** Before the key of a value that is an element of the list at the path. */
export const LIST_ELEMENT = 0xf0;

/** Of a cut string: class, text, the mark of a cut. No other key is as long; an element's has one byte more. */
export const MAX_KEY_BYTES: number = 1 + MAX_KEY_TEXT_BYTES + 1;

/** Behind the bytes of a cut string: it sorts behind the string of just those bytes. */
export const CUT = 1;

/** Does the key stand for this value alone, or for all strings that begin like it? */
export type KeyPrecision = 'exact' | 'truncated';

/** Appends the key of the value at a path, undefined where there is none. */
export function encodeKey(value: unknown, writer: ByteWriter): KeyPrecision {
  writer.u8(classOf(value));
  if (typeof value === 'string') return writeText(value, writer);
  if (typeof value === 'number') writeDouble(value, writer);
  else if (typeof value === 'bigint') writeInteger(value, writer);
  return 'exact';
}

/** Appends the key of a scalar inside the list at a path. */
export function encodeElementKey(value: Scalar, writer: ByteWriter): KeyPrecision {
  writer.u8(LIST_ELEMENT);
  return encodeKey(value, writer);
}

function writeDouble(value: number, writer: ByteWriter): void {
  writer.reserve(8);
  const { bytes, view, position } = writer;
  view.setFloat64(position, value + 0, false);
  const isNegative = (bytes[position] as number) >= 0x80;
  if (isNegative) {
    for (let i = position; i < position + 8; i++) bytes[i] = 255 - (bytes[i] as number);
  } else {
    bytes[position] = (bytes[position] as number) + 0x80;
  }
  writer.position = position + 8;
}

/** The largest double that is not above, then the rest in two bytes unless it is 0. */
function writeInteger(value: bigint, writer: ByteWriter): void {
  const magnitude = value < 0n ? -value : value;
  const excessBits = BigInt(Math.max(0, magnitude.toString(2).length - 53));
  const floor = (value >> excessBits) << excessBits;
  writeDouble(Number(floor), writer);
  const rest = Number(value - floor);
  invariant(rest < 65_536, 'a bigint of more than 64 bits has no key');
  if (rest === 0) return;
  writer.u8(rest >>> 8);
  writer.u8(rest & 255);
}

function writeText(text: string, writer: ByteWriter): KeyPrecision {
  const start = writer.position;
  const units = Math.min(text.length, MAX_KEY_TEXT_BYTES);
  // Three bytes per unit is the most there can be, and a code point may be written beyond the cut.
  writer.reserve(units * 3 + 4);
  const { bytes } = writer;
  const end = start + MAX_KEY_TEXT_BYTES;
  let p = start;
  let i = 0;
  for (; i < text.length && p < end; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      bytes[p++] = unit;
      continue;
    }
    const point = text.codePointAt(i) as number;
    if (point > 0xffff) i++;
    p = writePoint(point, bytes, p);
  }
  if (i === text.length && p <= end) {
    writer.position = p;
    return 'exact';
  }
  writer.position = end;
  writer.u8(CUT);
  return 'truncated';
}

/** A code point of two bytes or more. */
function writePoint(point: number, bytes: Uint8Array, start: number): number {
  let p = start;
  if (point < 0x800) {
    bytes[p++] = 0xc0 | (point >>> 6);
  } else if (point < 0x10000) {
    bytes[p++] = 0xe0 | (point >>> 12);
    bytes[p++] = 0x80 | ((point >>> 6) & 63);
  } else {
    bytes[p++] = 0xf0 | (point >>> 18);
    bytes[p++] = 0x80 | ((point >>> 12) & 63);
    bytes[p++] = 0x80 | ((point >>> 6) & 63);
  }
  bytes[p++] = 0x80 | (point & 63);
  return p;
}

/**
 * A number that never contradicts the order inside a class: a greater value has no smaller rank.
 * Numbers are their own; of a string the first six bytes, big-endian, zeros behind a shorter one.
 */
export function rankOf(value: unknown): number {
  if (typeof value === 'number') return value + 0;
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'string' ? rankOfText(value) : 0;
}

export const RANK_BYTES = 6;

function rankOfText(text: string): number {
  // The last code point may reach three bytes beyond.
  const bytes = new Uint8Array(RANK_BYTES + 3);
  let p = 0;
  for (let i = 0; i < text.length && p < RANK_BYTES; i++) {
    const point = text.codePointAt(i) as number;
    if (point > 0xffff) i++;
    if (point < 0x80) bytes[p++] = point;
    else p = writePoint(point, bytes, p);
  }
  let rank = 0;
  for (let i = 0; i < RANK_BYTES; i++) rank = rank * 256 + (bytes[i] as number);
  return rank;
}
