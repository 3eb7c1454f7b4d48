/**
 * A 64-bit fingerprint of a MessagePack value, to tell whether two calls with one idempotency key
 * had the same arguments. Independent of the order of map keys; anything else that differs changes
 * it, but for one pair in 2^64. Not cryptographic: whoever chooses both values can make them meet.
 *
 * Stored in the log, so it may never change. It is made of two 32-bit lanes, each 32 bits of
 * wrapping arithmetic. A scalar hashes its encoded bytes, four at a time, little-endian, the last
 * ones padded with zeros, then their number. An array hashes its kind and count, then its items'
 * lanes in order. A map hashes kind and count and adds, over its entries, a mix of key and value:
 * the sum is what makes order irrelevant.
 */
import { ENVELOPE_LEVELS, FIXARRAY, FIXMAP, MAX_DEPTH } from './format.ts';
import { skipValue } from './skip.ts';
import { bodyAt, isMap, isStructure, sizeAt } from './structure.ts';

const SEED_A = 0x2545f491;
const SEED_B = 0x6c62272e;

/** Writes the two lanes of the value in `start` to `end` to `into[0]` and `into[1]`. */
export function fingerprint(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Uint32Array,
): void {
  const reached = lanes(bytes, start, into, -ENVELOPE_LEVELS);
  if (reached !== end) throw new RangeError(`value at ${start} ends at ${reached}, not ${end}`);
}

/** Lanes of the value at `start` into `into`; returns its end. */
function lanes(bytes: Uint8Array, start: number, into: Uint32Array, depth: number): number {
  const lead = bytes[start] as number;
  if (!isStructure(lead)) return scalar(bytes, start, into);
  if (depth === MAX_DEPTH)
    throw new RangeError(`nested deeper than ${MAX_DEPTH} levels at ${start}`);
  const map = isMap(lead);
  const size = sizeAt(bytes, start);
  let position = bodyAt(bytes, start);
  let a = finish(SEED_A ^ (map ? FIXMAP : FIXARRAY), size);
  let b = finish(SEED_B ^ (map ? FIXMAP : FIXARRAY), size);
  for (let i = 0; i < size; i++) {
    if (map) {
      position = scalar(bytes, position, into);
      const keyA = into[0] as number;
      const keyB = into[1] as number;
      position = lanes(bytes, position, into, depth + 1);
      a = (a + finish(keyA, into[0] as number)) | 0;
      b = (b + finish(keyB, into[1] as number)) | 0;
    } else {
      position = lanes(bytes, position, into, depth + 1);
      a = finish(a, into[0] as number);
      b = finish(b, into[1] as number);
    }
  }
  into[0] = finish(a, size);
  into[1] = finish(b, size);
  return position;
}

function scalar(bytes: Uint8Array, start: number, into: Uint32Array): number {
  const end = skipValue(bytes, start);
  let a = SEED_A;
  let b = SEED_B;
  for (let i = start; i < end; i += 4) {
    const word = wordAt(bytes, i, end);
    a = Math.imul(a ^ word, 0x9e3779b1);
    a ^= a >>> 15;
    b = Math.imul(b + word, 0x85ebca6b);
    b ^= b >>> 13;
  }
  into[0] = finish(a, end - start);
  into[1] = finish(b, end - start);
  return end;
}

function wordAt(bytes: Uint8Array, at: number, end: number): number {
  let word = bytes[at] as number;
  if (at + 1 < end) word |= (bytes[at + 1] as number) << 8;
  if (at + 2 < end) word |= (bytes[at + 2] as number) << 16;
  if (at + 3 < end) word |= (bytes[at + 3] as number) << 24;
  return word;
}

/** Mixes one word into a lane so that every bit reaches every bit. */
function finish(lane: number, word: number): number {
  let mixed = (Math.imul(lane, 0x9e3779b1) + word) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return mixed ^ (mixed >>> 16);
}
