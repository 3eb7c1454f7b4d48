/**
 * KeyRange: keys from `low` up to but not including `high`, bytewise. One half-open form is enough
 * for all: the key right behind k is k with a zero byte, so "beyond k" begins there and "up to and
 * including k" ends there. Lists of ranges are sorted, without overlap and without empty ones.
 */
import { ByteWriter } from '../base/bytes.ts';
import { encodeElementKey, encodeKey } from './key.ts';
import { CLASS, classOf, type Scalar } from './order.ts';
import type { Comparison } from './predicate.ts';

export interface KeyRange {
  readonly low: Uint8Array;
  readonly high: Uint8Array;
  /** Holds no key but `low`. */
  readonly isPoint: boolean;
}

/** What a comparison asks of the keys of its path. */
export interface KeyBounds {
  /** Keys of the value at the path, one per instance, or of the elements of a list, any number. */
  readonly of: 'value' | 'element';
  readonly ranges: readonly KeyRange[];
  /** True: inside the ranges if and only if the comparison holds. False: if, so look at the value. */
  readonly isExact: boolean;
}

/** Bytewise, the shorter first where one begins the other. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** The ranges of a comparison; undefined for `ne` and `notIn`, which nearly everything passes. `scratch` saves a buffer. */
export function boundsOf(
  comparison: Comparison,
  scratch: ByteWriter = new ByteWriter(64),
): KeyBounds | undefined {
  const { operator } = comparison;
  if (operator === 'ne' || operator === 'notIn') return undefined;
  if (operator === 'in') return points(comparison.values, 'value', scratch);
  if (operator === 'contains') return points([comparison.value], 'element', scratch);
  if (operator === 'eq') return points([comparison.value], 'value', scratch);
  if (operator === 'exists') {
    // The keys of lists and objects are those of absent values.
    const range = comparison.value ? VALUE_KEYS : classes(CLASS.none, CLASS.null);
    return { of: 'value', ranges: [range], isExact: false };
  }
  if (operator === 'prefix') return prefixed(comparison.value, scratch);
  return beyond(operator, comparison.value, scratch);
}

function points(values: readonly Scalar[], of: KeyBounds['of'], scratch: ByteWriter): KeyBounds {
  let isExact = true;
  const ranges = values.map((value) => {
    const low = keyOf(value, of, scratch);
    isExact &&= low.isExact;
    return { low: low.key, high: behind(low.key), isPoint: true };
  });
  return { of, ranges: unionOf(ranges), isExact };
}

function prefixed(start: string, scratch: ByteWriter): KeyBounds {
  const kind = kindOf(start);
  if (start === '') return { of: 'value', ranges: [kind], isExact: true };
  const { key, isExact } = keyOf(start, 'value', scratch);
  const high = key.slice();
  // No byte of UTF-8 is 255, nor the mark of a cut, so the last one can always be one greater.
  high[high.length - 1] = (high[high.length - 1] as number) + 1;
  return { of: 'value', ranges: [rangeOf(key, high)], isExact };
}

/** A cut key stands on both sides of its operand, so it is inside either way. */
function beyond(
  operator: 'gt' | 'gte' | 'lt' | 'lte',
  operand: Scalar,
  scratch: ByteWriter,
): KeyBounds {
  const kind = kindOf(operand);
  const { key, isExact } = keyOf(operand, 'value', scratch);
  const range =
    operator === 'gt' || operator === 'gte'
      ? rangeOf(operator === 'gt' && isExact ? behind(key) : key, kind.high)
      : rangeOf(kind.low, operator === 'lt' && isExact ? key : behind(key));
  return { of: 'value', ranges: unionOf([range]), isExact };
}

/** All values that may be compared with this one. */
function kindOf(value: Scalar): KeyRange {
  if (typeof value === 'boolean') return classes(CLASS.false, CLASS.true + 1);
  const kind = classOf(value);
  return classes(kind, kind + 1);
}

function classes(low: number, high: number): KeyRange {
  return rangeOf(Uint8Array.of(low), Uint8Array.of(high));
}

function rangeOf(low: Uint8Array, high: Uint8Array): KeyRange {
  let isPoint = high.length === low.length + 1 && high[low.length] === 0;
  for (let i = 0; isPoint && i < low.length; i++) isPoint = low[i] === high[i];
  return { low, high, isPoint };
}

/** All keys of values, those of absent ones included. */
export const VALUE_KEYS: KeyRange = classes(CLASS.none, CLASS.string + 1);

function keyOf(
  value: Scalar,
  of: KeyBounds['of'],
  scratch: ByteWriter,
): { key: Uint8Array; isExact: boolean } {
  scratch.position = 0;
  const precision = of === 'value' ? encodeKey(value, scratch) : encodeElementKey(value, scratch);
  const key = new Uint8Array(scratch.position);
  for (let i = 0; i < key.length; i++) key[i] = scratch.bytes[i] as number;
  return { key, isExact: precision === 'exact' };
}

/** The key right behind. */
function behind(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}

/** The keys in any of the ranges, which may come in any order and overlap. Points stay points. */
export function unionOf(ranges: readonly KeyRange[]): readonly KeyRange[] {
  const sorted = ranges
    .filter((range) => compareKeys(range.low, range.high) < 0)
    .sort((a, b) => compareKeys(a.low, b.low));
  const union: KeyRange[] = [];
  for (const range of sorted) {
    const last = union.at(-1);
    const gap = last === undefined ? -1 : compareKeys(last.high, range.low);
    if (last === undefined || gap < 0) union.push(range);
    else if (gap === 0 && last.isPoint && range.isPoint) union.push(range);
    else union[union.length - 1] = merged(last, range);
  }
  return union;
}

/** Of two that touch, the first one beginning no later. */
function merged(first: KeyRange, second: KeyRange): KeyRange {
  if (compareKeys(second.high, first.high) <= 0) return first;
  if (compareKeys(second.low, first.low) === 0) return second;
  return rangeOf(first.low, second.high);
}

/** The keys in a range of both lists. */
export function intersectionOf(
  first: readonly KeyRange[],
  second: readonly KeyRange[],
): readonly KeyRange[] {
  const shared: KeyRange[] = [];
  let i = 0;
  let j = 0;
  while (i < first.length && j < second.length) {
    const a = first[i] as KeyRange;
    const b = second[j] as KeyRange;
    const low = compareKeys(a.low, b.low) < 0 ? b.low : a.low;
    const isFirstShorter = compareKeys(a.high, b.high) < 0;
    const high = isFirstShorter ? a.high : b.high;
    if (compareKeys(low, high) < 0) shared.push(rangeOf(low, high));
    if (isFirstShorter) i++;
    else j++;
  }
  return shared;
}
