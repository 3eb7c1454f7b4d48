/**
 * How an id lies in a SlabHeap slot: its length, one byte below 128, else two of 7 bits with the
 * low ones first, then its UTF-8 bytes. The only place that knows; everyone else holds refs.
 */
import { isUtf8 } from 'node:buffer';
import { asciiText } from './ascii-text.ts';
import { type HashKey, hashBytes } from './hash.ts';
import type { SlabHeap } from './slab-heap.ts';

export const MAX_ID_BYTES = 1024;
/** Up to here a loop beats the native call. */
const SHORT_TEXT = 48;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Writes the UTF-8 of an id, at most three bytes for each of its units. Gives the end, -1 for text that is no id. */
export function encodeId(id: string, into: Buffer): number {
  const length = id.length;
  let end = 0;
  if (length <= SHORT_TEXT) {
    for (; end < length; end++) {
      const code = id.charCodeAt(end);
      if (code > 127) break;
      into[end] = code;
    }
  }
  if (end === length) return end;
  if (length > MAX_ID_BYTES) return -1;
  end = into.write(id, 0, 'utf8');
  // Encoding turned a lone surrogate into U+FFFD, which would be another id.
  return end !== length && LONE_SURROGATE.test(id) ? -1 : end;
}

/** Copies an id into a new slot. */
export function storeId(heap: SlabHeap, bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const ref = heap.allocate(length + (length < 128 ? 1 : 2));
  const target = heap.bytesOf(ref);
  let to = heap.startOf(ref);
  if (length < 128) target[to++] = length;
  else {
    target[to++] = (length & 127) | 128;
    target[to++] = length >>> 7;
  }
  for (let from = start; from < end; from++) target[to++] = bytes[from] as number;
  return ref;
}

export function isUtf8At(bytes: Uint8Array, start: number, end: number): boolean {
  let all = 0;
  for (let i = start; i < end; i++) all |= bytes[i] as number;
  return all < 128 || isUtf8(bytes.subarray(start, end));
}

export function isId(
  heap: SlabHeap,
  idRef: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  const stored = heap.bytesOf(idRef);
  const at = heap.startOf(idRef);
  if (lengthAt(stored, at) !== end - start) return false;
  for (let from = textAt(stored, at), i = start; i < end; i++, from++) {
    if (stored[from] !== bytes[i]) return false;
  }
  return true;
}

export function hashOfId(heap: SlabHeap, idRef: number, key: HashKey): number {
  const bytes = heap.bytesOf(idRef);
  const at = heap.startOf(idRef);
  const start = textAt(bytes, at);
  return hashBytes(key, bytes, start, start + lengthAt(bytes, at));
}

export function textOfId(heap: SlabHeap, idRef: number): string {
  const bytes = heap.bytesOf(idRef);
  const at = heap.startOf(idRef);
  const start = textAt(bytes, at);
  const length = lengthAt(bytes, at);
  return asciiText(bytes, start, length) ?? longTextOf(bytes, start, start + length);
}

function longTextOf(bytes: Buffer, start: number, end: number): string {
  for (let i = start; i < end; i++) {
    if ((bytes[i] as number) > 127) return bytes.toString('utf8', start, end);
  }
  return bytes.toString('latin1', start, end);
}

/** Negative, 0 or positive as the first id sorts before, with or after the second by UTF-8 bytes. */
export function compareIds(heap: SlabHeap, idRefA: number, idRefB: number): number {
  const a = heap.bytesOf(idRefA);
  const b = heap.bytesOf(idRefB);
  const atA = heap.startOf(idRefA);
  const atB = heap.startOf(idRefB);
  const lengthA = lengthAt(a, atA);
  const lengthB = lengthAt(b, atB);
  const startA = textAt(a, atA);
  const startB = textAt(b, atB);
  const shorter = lengthA < lengthB ? lengthA : lengthB;
  for (let i = 0; i < shorter; i++) {
    const difference = (a[startA + i] as number) - (b[startB + i] as number);
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}

/** The same beside an id given as UTF-8. */
export function compareIdTo(heap: SlabHeap, idRef: number, other: Uint8Array): number {
  const bytes = heap.bytesOf(idRef);
  const at = heap.startOf(idRef);
  const length = lengthAt(bytes, at);
  const start = textAt(bytes, at);
  const shorter = length < other.length ? length : other.length;
  for (let i = 0; i < shorter; i++) {
    const difference = (bytes[start + i] as number) - (other[i] as number);
    if (difference !== 0) return difference;
  }
  return length - other.length;
}

export function lengthAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  return first < 128 ? first : (first & 127) | ((bytes[at + 1] as number) << 7);
}

export function textAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) < 128 ? at + 1 : at + 2;
}
