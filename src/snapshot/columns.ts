/**
 * Columns of numbers, packed: a base, and per value the distance to it in as few bytes as the
 * largest needs, none when all are the same. Numbers that are not whole, or too far apart for
 * exact distances, stay f64 as they are. Layout: docs/format.md.
 */
import type { ByteWriter } from '../base/bytes.ts';
import { CHUNK_ALIGNMENT, RAW_WIDTH } from './format.ts';

/** How a column is packed. */
export interface Packing {
  readonly base: number;
  readonly width: number;
}

export const RAW: Packing = { base: 0, width: RAW_WIDTH };

/** The tightest packing that gives exactly these values back. */
export function packingOf(values: Float64Array, count: number): Packing {
  if (count === 0) return { base: 0, width: 0 };
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < count; i++) {
    const value = values[i] as number;
    if (!isExact(value)) return RAW;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const range = max - min;
  if (!Number.isSafeInteger(range)) return RAW;
  let width = 0;
  for (let limit = 1; range >= limit; limit *= 256) width++;
  return { base: min, width };
}

/** A whole number whose sums and differences are exact; not -0, which a sum would lose. */
export function isExact(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

export function columnBytes(width: number, count: number): number {
  if (width <= 4 || width === RAW_WIDTH) return padded(width * count);
  return 4 * count + padded((width - 4) * count);
}

export function writeColumn(
  out: ByteWriter,
  packing: Packing,
  values: Float64Array,
  count: number,
): void {
  const { base, width } = packing;
  const start = out.position;
  const size = columnBytes(width, count);
  out.reserve(size);
  if (width === RAW_WIDTH) {
    for (let i = 0; i < count; i++) out.f64(values[i] as number);
    return;
  }
  out.bytes.fill(0, start, start + size);
  if (width <= 3) {
    writeNarrow(out.bytes, start, packing, values, count);
    out.position = start + size;
    return;
  }
  const high = start + 4 * count;
  for (let i = 0; i < count; i++) {
    const distance = (values[i] as number) - base;
    put(out.bytes, start + i * 4, 4, distance);
    if (width > 4) put(out.bytes, high + i * (width - 4), width - 4, distance / 2 ** 32);
  }
  out.position = start + size;
}

/** Most columns: bits of a distance below 2^24. */
function writeNarrow(
  bytes: Uint8Array,
  start: number,
  { base, width }: Packing,
  values: Float64Array,
  count: number,
): void {
  let at = start;
  if (width === 0) return;
  for (let i = 0; i < count; i++, at += width) {
    const distance = (values[i] as number) - base;
    bytes[at] = distance;
    if (width > 1) bytes[at + 1] = distance >>> 8;
    if (width > 2) bytes[at + 2] = distance >>> 16;
  }
}

function put(bytes: Uint8Array, at: number, width: number, value: number): void {
  let rest = value > 0xffffffff ? value % 2 ** 32 : value;
  rest = Math.floor(rest);
  for (let i = 0; i < width; i++) {
    bytes[at + i] = rest & 255;
    rest >>>= 8;
  }
}

/** Into `into[0, count)`. Byte by byte: needs no alignment and knows no other byte order. */
export function readColumn(
  bytes: Uint8Array,
  start: number,
  packing: Packing,
  count: number,
  into: Float64Array,
): void {
  const { base, width } = packing;
  if (width === RAW_WIDTH) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, RAW_WIDTH * count);
    for (let i = 0; i < count; i++) into[i] = view.getFloat64(RAW_WIDTH * i, true);
    return;
  }
  readLow(bytes, start, base, width < 4 ? width : 4, count, into);
  if (width <= 4) return;
  const step = width - 4;
  let at = start + 4 * count;
  for (let i = 0; i < count; i++, at += step) {
    let high = bytes[at] as number;
    if (step > 1) high |= (bytes[at + 1] as number) << 8;
    if (step > 2) high |= (bytes[at + 2] as number) << 16;
    into[i] = (into[i] as number) + high * 2 ** 32;
  }
}

function readLow(
  bytes: Uint8Array,
  start: number,
  base: number,
  width: number,
  count: number,
  into: Float64Array,
): void {
  let at = start;
  if (width === 0) into.fill(base, 0, count);
  else if (width === 1) {
    for (let i = 0; i < count; i++) into[i] = base + (bytes[at + i] as number);
  } else if (width === 2) {
    for (let i = 0; i < count; i++, at += 2)
      into[i] = base + ((bytes[at] as number) | ((bytes[at + 1] as number) << 8));
  } else if (width === 3) {
    for (let i = 0; i < count; i++, at += 3) {
      const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
      into[i] = base + (low | ((bytes[at + 2] as number) << 16));
    }
  } else {
    for (let i = 0; i < count; i++, at += 4) {
      const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
      const high = ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
      into[i] = base + ((low | high) >>> 0);
    }
  }
}

function padded(length: number): number {
  return Math.ceil(length / CHUNK_ALIGNMENT) * CHUNK_ALIGNMENT;
}
