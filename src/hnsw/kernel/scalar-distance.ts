/**
 * Distances as keys, one at a time: the same numbers as assembly/distance.ts, to the bit. f32 sums run in
 * four lanes over every fourth dimension, each product and sum rounded to f32, lanes joined as
 * (0 + 2) + (1 + 3). Rounding a double to f32 after one operation on two f32 is exact rounding of that
 * operation (Figueroa 1995: 53 >= 2 * 24 + 2), so Math.fround gives what SIMD computes.
 */
import type { ScalarView } from './scalar-memory.ts';

/** Key of the query at byte address q to the vector at byte address x. */
export type KeyOf = (view: ScalarView, q: number, x: number, bytes: number) => number;

const { fround } = Math;
const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

function keyOfFloat(value: number): number {
  float[0] = value < Infinity ? value : Infinity;
  const bits = word[0] ?? 0;
  return bits >= 0x80000000 ? ~bits >>> 0 : (bits ^ 0x80000000) >>> 0;
}

/** A distance of rows from what one dimension adds, given both components. */
function floats(add: (q: number, x: number) => number, sign: 1 | -1): KeyOf {
  return ({ f32 }, q, x, bytes) => {
    const n = bytes >> 2;
    const a = q >>> 2;
    const b = x >>> 2;
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let i = 0; i < n; i += 4) {
      s0 = fround(s0 + add(f32[a + i] ?? 0, f32[b + i] ?? 0));
      s1 = fround(s1 + add(f32[a + i + 1] ?? 0, f32[b + i + 1] ?? 0));
      s2 = fround(s2 + add(f32[a + i + 2] ?? 0, f32[b + i + 2] ?? 0));
      s3 = fround(s3 + add(f32[a + i + 3] ?? 0, f32[b + i + 3] ?? 0));
    }
    return keyOfFloat(sign * fround(fround(s0 + s2) + fround(s1 + s3)));
  };
}

/** The same of a quantised query (i16) and a code (i8): integers, so no order of adding matters. */
function codes(add: (q: number, x: number) => number, toKey: (sum: number) => number): KeyOf {
  return ({ i16, i8 }, q, x, bytes) => {
    const a = q >>> 1;
    let sum = 0;
    for (let i = 0; i < bytes; i++) sum += add(i16[a + i] ?? 0, i8[x + i] ?? 0);
    return toKey(sum);
  };
}

function squared(q: number, x: number): number {
  const d = fround(q - x);
  return fround(d * d);
}

/** By kind, see kernel.ts. */
export const KEYS: readonly KeyOf[] = [
  floats((q, x) => fround(q * x), -1),
  floats(squared, 1),
  floats((q, x) => Math.abs(fround(q - x)), 1),
  codes(
    (q, x) => q * x,
    (sum) => (-sum ^ 0x80000000) >>> 0,
  ),
  codes(
    (q, x) => (q - x) * (q - x),
    (sum) => sum >>> 0,
  ),
  codes(
    (q, x) => Math.abs(q - x),
    (sum) => sum >>> 0,
  ),
];
