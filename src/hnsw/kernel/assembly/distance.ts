/**
 * Distances as keys: u32 numbers that sort like the distance, so that one unsigned comparison serves
 * all metrics. Four at a time: the query is loaded once and four rows are on their way from memory.
 *
 * Type parameters choose the code at compile time. E is the element of a code, f32 or i8 (whose query
 * is i16). D is the metric: Dot (less is more), Squared (Euclidean), Absolute (Manhattan).
 * f32 sums run in four lanes over every fourth dimension, each product rounded before it is added
 * (no fused multiply-add), lanes joined as (0 + 2) + (1 + 3): ../scalar-distance.ts gives the same bits.
 */
import { countDistances, list, listKeys, blockBytes, linkBytes, codeBytes, extents, extentBytes, extentShift, rowBytes, rowOf, blockOf } from "./fields";

export type Dot = i8;
export type Squared = i16;
export type Absolute = i32;

@inline function isDot<D>(): bool { return sizeof<D>() == 1; }
@inline function isSquared<D>(): bool { return sizeof<D>() == 2; }

/** One step of four lanes of f32. */
@inline function addF<D>(sum: v128, q: v128, x: v128): v128 {
  if (isDot<D>()) return f32x4.add(sum, f32x4.mul(q, x));
  const d = f32x4.sub(q, x);
  if (isSquared<D>()) return f32x4.add(sum, f32x4.mul(d, d));
  return f32x4.add(sum, f32x4.abs(d));
}

/** One step of eight lanes of i16 into four of i32. */
@inline function addI<D>(sum: v128, q: v128, x: v128): v128 {
  if (isDot<D>()) return i32x4.add(sum, i32x4.dot_i16x8_s(q, x));
  const d = i16x8.sub(q, x);
  if (isSquared<D>()) return i32x4.add(sum, i32x4.dot_i16x8_s(d, d));
  return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(i16x8.abs(d)));
}

/** The lanes of four sums joined: lane i of the answer is the sum of vector i. */
@inline function joinF(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

@inline function joinI(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

/** f32 to a u32 of the same order: negative numbers turned over, positive ones above them. */
@inline function keysF<D>(distances: v128): v128 {
  let d = isDot<D>() ? f32x4.neg(distances) : distances;
  // Sums of huge components may be NaN (infinity minus infinity): the farthest of all.
  d = f32x4.pmin(f32x4.splat(Infinity), d);
  return v128.xor(d, v128.or(i32x4.shr_s(d, 31), i32x4.splat(0x80000000)));
}

@inline function keysI<D>(sums: v128): v128 {
  if (isDot<D>()) return v128.xor(i32x4.neg(sums), i32x4.splat(0x80000000));
  return sums;
}

/** Keys of the query `q` to the four vectors at a, b, c, d. */
export function keys4<E, D>(q: usize, a: usize, b: usize, c: usize, d: usize, bytes: usize): v128 {
  let sa = i32x4.splat(0), sb = sa, sc = sa, sd = sa;
  if (isFloat<E>()) {
    let end = q + (bytes & ~31);
    for (; q < end; q += 32, a += 32, b += 32, c += 32, d += 32) {
      const q0 = v128.load(q), q1 = v128.load(q, 16);
      sa = addF<D>(sa, q0, v128.load(a)); sb = addF<D>(sb, q0, v128.load(b));
      sc = addF<D>(sc, q0, v128.load(c)); sd = addF<D>(sd, q0, v128.load(d));
      sa = addF<D>(sa, q1, v128.load(a, 16)); sb = addF<D>(sb, q1, v128.load(b, 16));
      sc = addF<D>(sc, q1, v128.load(c, 16)); sd = addF<D>(sd, q1, v128.load(d, 16));
    }
    if (bytes & 16) {
      const q0 = v128.load(q);
      sa = addF<D>(sa, q0, v128.load(a)); sb = addF<D>(sb, q0, v128.load(b));
      sc = addF<D>(sc, q0, v128.load(c)); sd = addF<D>(sd, q0, v128.load(d));
    }
    return keysF<D>(joinF(sa, sb, sc, sd));
  }
  const end = a + bytes;
  for (; a < end; q += 32, a += 16, b += 16, c += 16, d += 16) {
    const q0 = v128.load(q), q1 = v128.load(q, 16);
    sa = addI<D>(sa, q0, v128.load8x8_s(a)); sb = addI<D>(sb, q0, v128.load8x8_s(b));
    sc = addI<D>(sc, q0, v128.load8x8_s(c)); sd = addI<D>(sd, q0, v128.load8x8_s(d));
    sa = addI<D>(sa, q1, v128.load8x8_s(a, 8)); sb = addI<D>(sb, q1, v128.load8x8_s(b, 8));
    sc = addI<D>(sc, q1, v128.load8x8_s(c, 8)); sd = addI<D>(sd, q1, v128.load8x8_s(d, 8));
  }
  return keysI<D>(joinI(sa, sb, sc, sd));
}

/** Makes the number of slots in a list a multiple of four, by repeating the first. */
@inline export function padList(slots: usize, n: u32): void {
  for (let i = n; i & 3; i++) store<u32>(slots + (i << 2), load<u32>(slots));
}

/** Keys of the first n slots of the list, from the codes of their blocks. */
@inline export function listCodeKeys<E, D>(q: usize, n: u32): void {
  const slots = list(), keys = listKeys(), bytes = codeBytes();
  const codes = extents() + linkBytes(), stride = extentBytes(), block = blockBytes();
  const shift = extentShift(), mask: u32 = (1 << shift) - 1;
  padList(slots, n);
  for (let i: u32 = 0; i < n; i += 4) {
    const at = slots + (i << 2);
    const a = load<u32>(at), b = load<u32>(at, 4), c = load<u32>(at, 8), d = load<u32>(at, 12);
    v128.store(keys + (i << 2), keys4<E, D>(q,
      codes + <usize>(a >> shift) * stride + <usize>(a & mask) * block,
      codes + <usize>(b >> shift) * stride + <usize>(b & mask) * block,
      codes + <usize>(c >> shift) * stride + <usize>(c & mask) * block,
      codes + <usize>(d >> shift) * stride + <usize>(d & mask) * block, bytes));
  }
  countDistances(n);
}

/** The same from the full rows. */
@inline export function listRowKeys<D>(q: usize, n: u32): void {
  const slots = list(), keys = listKeys(), bytes = rowBytes();
  padList(slots, n);
  for (let i: u32 = 0; i < n; i += 4) {
    const at = slots + (i << 2);
    v128.store(keys + (i << 2), keys4<f32, D>(q, rowOf(load<u32>(at)), rowOf(load<u32>(at, 4)),
      rowOf(load<u32>(at, 8)), rowOf(load<u32>(at, 12)), bytes));
  }
  countDistances(n);
}

@inline export function codeOf(slot: u32): usize { return blockOf(slot) + linkBytes(); }
