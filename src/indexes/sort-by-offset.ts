/**
 * Rows in the order of the records that changed them last. Offsets are dense and distinct, so a
 * radix sort from the least significant digit (Knuth, The Art of Computer Programming, 5.2.5) takes
 * two or three passes of independent loads, where a comparing sort misses the cache twenty times a row.
 */
import type { InstanceStore } from '../instance/instance-store.ts';
import { ROW, ROW_INDEX_MASK } from '../instance/row.ts';

const DIGIT = 2 ** 11;
/** Rows between two pauses: about 0.1 ms. */
const STEP_ROWS = 8192;

/** Sorts by ascending row offset, pausing often. The array may be changed; returns the sorted one. */
export function* sortByOffset(
  instances: InstanceStore,
  handles: Uint32Array,
): Generator<void, Uint32Array> {
  const count = handles.length;
  let offsets = new Float64Array(count);
  const range: Range = { least: Infinity, most: 0, isSorted: true };
  for (let start = 0; start < count; start += STEP_ROWS) {
    yield;
    readOffsets(instances, handles, start, Math.min(count, start + STEP_ROWS), offsets, range);
  }
  if (range.isSorted) return handles;
  const { least, most } = range;
  let from: Uint32Array = handles;
  let to: Uint32Array = new Uint32Array(count);
  let offsetsTo = new Float64Array(count);
  for (let scale = 1; scale <= most - least; scale *= DIGIT) {
    const starts = yield* startsOf(offsets, least, scale);
    const pass = { from, to, offsets, offsetsTo, starts, least, scale };
    for (let start = 0; start < count; start += STEP_ROWS) {
      yield;
      distribute(pass, start, Math.min(count, start + STEP_ROWS));
    }
    [from, to] = [to, from];
    [offsets, offsetsTo] = [offsetsTo, offsets];
  }
  return from;
}

/** One pass of the sort. */
interface Pass {
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly offsets: Float64Array;
  readonly offsetsTo: Float64Array;
  /** By digit, where the next row with it goes. */
  readonly starts: Uint32Array;
  readonly least: number;
  readonly scale: number;
}

function distribute(pass: Pass, start: number, end: number): void {
  const { from, to, offsets, offsetsTo, starts, least, scale } = pass;
  for (let i = start; i < end; i++) {
    const offset = offsets[i] as number;
    const digit = Math.floor((offset - least) / scale) % DIGIT;
    const place = starts[digit] as number;
    starts[digit] = place + 1;
    to[place] = from[i] as number;
    offsetsTo[place] = offset;
  }
}

interface Range {
  least: number;
  most: number;
  /** Each so far is above the one before. */
  isSorted: boolean;
}

/** Of the handles from `start` to `end`: a loop of its own, because one that yields is not made fast while it runs. */
function readOffsets(
  { rows }: InstanceStore,
  handles: Uint32Array,
  start: number,
  end: number,
  into: Float64Array,
  range: Range,
): void {
  let { least, most, isSorted } = range;
  for (let i = start; i < end; i++) {
    const handle = handles[i] as number;
    const { f64 } = rows.segmentOf(handle);
    const offset = f64[(handle & ROW_INDEX_MASK) * ROW.f64 + ROW.offset] as number;
    into[i] = offset;
    if (offset < most) isSorted = false;
    if (offset < least) least = offset;
    if (offset > most) most = offset;
  }
  range.least = least;
  range.most = most;
  range.isSorted = isSorted;
}

/** Where each digit's rows begin. */
function* startsOf(
  offsets: Float64Array,
  least: number,
  scale: number,
): Generator<void, Uint32Array> {
  const counts = new Uint32Array(DIGIT);
  for (let from = 0; from < offsets.length; from += STEP_ROWS) {
    yield;
    countDigits(offsets.subarray(from, from + STEP_ROWS), least, scale, counts);
  }
  let start = 0;
  for (let digit = 0; digit < DIGIT; digit++) {
    const size = counts[digit] as number;
    counts[digit] = start;
    start += size;
  }
  return counts;
}

function countDigits(
  offsets: Float64Array,
  least: number,
  scale: number,
  counts: Uint32Array,
): void {
  for (let i = 0; i < offsets.length; i++) {
    const digit = Math.floor(((offsets[i] as number) - least) / scale) % DIGIT;
    counts[digit] = (counts[digit] as number) + 1;
  }
}
