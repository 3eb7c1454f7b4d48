/**
 * Codes: a row in a quarter of its bytes. For Dot component d is the nearest of step[d] * c, c from
 * -127 to 127; for the others it is offset[d] + step * c with one step for all dimensions, since
 * differences of codes are squared as they are. A query is finer than a code: i16.
 */
import { codeOf } from "./distance";
import { codeBytes, inverses, offsets, query, queryCode, queryLimit, rowOf, steps, weights } from "./fields";

/** Four components as integers from -limit to limit. */
@inline function rounded(x: v128, limit: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.pmin(limit, f32x4.pmax(f32x4.neg(limit), x))));
}

@inline function scaled(row: usize, i: usize): v128 {
  return f32x4.mul(f32x4.sub(v128.load(row + i), v128.load(offsets() + i)), v128.load(inverses() + i));
}

/** Writes the codes of the rows from `from` to `to`, exclusive. */
export function encodeRows(from: u32, to: u32): void {
  const limit = f32x4.splat(127), bytes = codeBytes();
  for (let slot = from; slot < to; slot++) {
    const row = rowOf(slot), code = codeOf(slot);
    for (let i: usize = 0; i < bytes; i += 16) {
      const at = i << 2;
      const low = i16x8.narrow_i32x4_s(rounded(scaled(row, at), limit), rounded(scaled(row, at + 16), limit));
      const high = i16x8.narrow_i32x4_s(rounded(scaled(row, at + 32), limit), rounded(scaled(row, at + 48), limit));
      v128.store(code + i, i8x16.narrow_i16x8_s(low, high));
    }
  }
}

/** Makes the i16 query of the f32 query. For Dot its largest component becomes the limit. */
export function encodeQuery<D>(): void {
  const row = query(), to = queryCode(), bytes = codeBytes() << 2, limit = f32x4.splat(queryLimit());
  let factor = f32x4.splat(1);
  if (sizeof<D>() == 1) {
    let most = f32x4.splat(0);
    for (let i: usize = 0; i < bytes; i += 16)
      most = f32x4.pmax(most, f32x4.abs(f32x4.mul(v128.load(row + i), v128.load(steps() + i))));
    let max = f32x4.extract_lane(most, 0);
    if (f32x4.extract_lane(most, 1) > max) max = f32x4.extract_lane(most, 1);
    if (f32x4.extract_lane(most, 2) > max) max = f32x4.extract_lane(most, 2);
    if (f32x4.extract_lane(most, 3) > max) max = f32x4.extract_lane(most, 3);
    factor = f32x4.splat(max > 0 ? queryLimit() / max : 0);
  }
  for (let i: usize = 0; i < bytes; i += 32) {
    let low: v128, high: v128;
    if (sizeof<D>() == 1) {
      low = f32x4.mul(f32x4.mul(v128.load(row + i), v128.load(steps() + i)), factor);
      high = f32x4.mul(f32x4.mul(v128.load(row + i, 16), v128.load(steps() + i, 16)), factor);
    } else {
      low = scaled(row, i);
      high = scaled(row, i + 16);
    }
    v128.store(to + (i >> 1), i16x8.narrow_i32x4_s(rounded(low, limit), rounded(high, limit)));
  }
}

/**
 * A stored vector as a query for other stored vectors: address of f32 code itself, or of an i16 query made at
 * `buffer`. For Dot component d must count step[d] squared, which is the weight, scaled alike for all pairs.
 */
@inline export function pairQuery<E, D>(slot: u32, buffer: usize): usize {
  const code = codeOf(slot);
  if (isFloat<E>()) return code;
  const bytes = codeBytes(), weight = weights();
  for (let i: usize = 0; i < bytes; i += 8) {
    let c = v128.load8x8_s(code + i);
    if (sizeof<D>() == 1) c = i16x8.q15mulr_sat_s(i16x8.shl(c, 8), v128.load(weight + (i << 1)));
    v128.store(buffer + (i << 1), c);
  }
  return buffer;
}
