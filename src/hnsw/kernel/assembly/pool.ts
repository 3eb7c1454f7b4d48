/**
 * A pool: the nearest so far, sorted by key, as two arrays (keys, marks) that lie apart so that the
 * rank of a key is counted four keys at a time. Sixteen bytes before and behind both are spare.
 */

/** Lanes of a comparison that hold, added up: each is -1. */
@inline function lanes(v: v128): u32 {
  return <u32>-(i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1)
    + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3));
}

/** Moves `bytes` bytes at `at` up by one entry; what lies before `at` is written back afterwards. */
@inline function shift(at: usize, bytes: usize): void {
  const before = v128.load(at - 16);
  let from = at + bytes;
  while (from > at) {
    from -= 16;
    v128.store(from, v128.load(from), 4);
  }
  v128.store(at - 16, before);
}

/**
 * Puts an entry behind all whose key is not larger; in a full pool the last one falls out.
 * `size` is before, `limit` the most the pool may hold. Returns its place.
 */
@inline export function put(keys: usize, marks: usize, key: u32, mark: u32, size: u32, limit: u32): u32 {
  let at = keys, n = size;
  while (n > 64) {
    const half = (n >> 1) & ~3;
    if (load<u32>(at + (half << 2)) <= key) { at += half << 2; n -= half; } else n = half;
  }
  const wanted = i32x4.splat(key);
  let count = i32x4.splat(0);
  const end = at + (n << 2);
  let p = at;
  for (; p + 16 <= end; p += 16) count = i32x4.add(count, i32x4.le_u(v128.load(p), wanted));
  let rank = lanes(count);
  for (; p < end; p += 4) rank += load<u32>(p) <= key ? 1 : 0;
  const offset: usize = (at - keys) + (rank << 2);
  const bytes: usize = (<usize>(size < limit ? size : size - 1) << 2) - offset;
  shift(keys + offset, bytes);
  shift(marks + offset, bytes);
  store<u32>(keys + offset, key);
  store<u32>(marks + offset, mark);
  return <u32>(offset >> 2);
}

/** The key an entry must be under to get in. */
@inline export function boundOf(keys: usize, size: u32, limit: u32): u32 {
  return size == limit ? load<u32>(keys + ((size - 1) << 2)) : 0xffffffff;
}
