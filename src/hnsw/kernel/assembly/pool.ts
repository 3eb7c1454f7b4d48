/**
 * A pool: the nearest so far, sorted by key, as two arrays (keys, marks) that lie apart so that the
 * rank of a key is counted sixteen keys at a time. Behind the last key come keys larger than any, so a
 * count may run past the end; sixteen bytes before both arrays are spare.
 */

/** How many lanes of sixteen keys are not larger than the wanted one. */
@inline function countNotLarger(at: usize, wanted: v128): u32 {
  const low = i16x8.narrow_i32x4_s(i32x4.le_u(v128.load(at), wanted), i32x4.le_u(v128.load(at, 16), wanted));
  const high = i16x8.narrow_i32x4_s(i32x4.le_u(v128.load(at, 32), wanted), i32x4.le_u(v128.load(at, 48), wanted));
  return popcnt(i8x16.bitmask(i8x16.narrow_i16x8_s(low, high)));
}

/** Empties a pool for entries up to `limit`: only its keys need to be large. */
@inline export function clearPool(keys: usize, limit: u32): void {
  memory.fill(keys, 0xff, (limit + 20) << 2);
}

/**
 * Puts an entry behind all whose key is not larger; in a full pool the last one falls out.
 * `size` is before, `limit` the most the pool may hold. Returns its place.
 */
@inline export function put(keys: usize, marks: usize, key: u32, mark: u32, size: u32, limit: u32): u32 {
  // Halves without branches: which way it goes cannot be foretold.
  let at = keys, n = size;
  while (n > 16) {
    const half = n >> 1;
    at += load<u32>(at + (half << 2)) <= key ? <usize>half << 2 : 0;
    n -= half;
  }
  at += <usize>countNotLarger(at, i32x4.splat(key)) << 2;
  const offset = at - keys, mine = marks + offset;
  // Both arrays move up by one entry, from their ends in steps of four; what lies before is put back.
  const keyBefore = v128.load(at - 16), markBefore = v128.load(mine - 16);
  let from = <isize>(size < limit ? size : size - 1) << 2;
  while (from > <isize>offset) {
    from -= 16;
    const keysAt = keys + <usize>from, marksAt = marks + <usize>from;
    v128.store(keysAt, v128.load(keysAt), 4);
    v128.store(marksAt, v128.load(marksAt), 4);
  }
  v128.store(at - 16, keyBefore);
  v128.store(mine - 16, markBefore);
  store<u32>(at, key);
  store<u32>(mine, mark);
  return <u32>(offset >> 2);
}

/** The key an entry must be under to get in. */
@inline export function boundOf(keys: usize, size: u32, limit: u32): u32 {
  return size == limit ? load<u32>(keys + ((size - 1) << 2)) : 0xffffffff;
}
