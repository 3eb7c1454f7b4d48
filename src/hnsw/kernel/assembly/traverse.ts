/**
 * The walk through the graph: SEARCH-LAYER, Algorithm 2 of Malkov & Yashunin, "Efficient and robust
 * approximate nearest neighbor search using Hierarchical Navigable Small World graphs" (2018).
 * Candidates and results of the paper are one sorted pool of fixed width here: what has fallen out of
 * the results would never be expanded either. Deleted nodes and nodes a filter refuses are walked
 * through like others; only those that pass are put into a second pool, the results.
 */
import { codeOf, listCodeKeys } from "./distance";
import { NONE, blockOf, capacityOf, entrySlot, linksOf, linksPerLevel, list, listKeys, nextEpoch, passing, poolKeys, poolMarks, resultKeys, resultMarks, setResultSize, sink, topLevel, touchLines, visited, epoch } from "./fields";
import { boundOf, clearPool, put } from "./pool";

/**
 * Nodes expanded together: their neighbours are all on their way from memory at once, which is where
 * most of the time goes. More would expand nodes that a nearer one, just found, would have forestalled.
 */
const BEAM: u32 = 4;

/** Type parameter F: do nodes have to pass? */
export type All = u8;
export type Passing = u16;

/** May this slot be an answer? */
@inline export function passes(slot: u32): bool {
  return ((load<u32>(passing() + (slot >> 5 << 2)) >>> (slot & 31)) & 1) != 0;
}

/** Bit i: is key from + i of the list under the bound? For n of at most 64. */
@inline function under(from: u32, n: u32, bound: u32): u64 {
  const keys = listKeys() + (from << 2), limit = i32x4.splat(bound);
  let bits: u64 = 0;
  for (let i: u32 = 0; i < n; i += 4)
    bits |= <u64>i32x4.bitmask(i32x4.lt_u(v128.load(keys + (i << 2)), limit)) << i;
  return n == 64 ? bits : bits & ((<u64>1 << n) - 1);
}

/** Appends the links of a node that nobody has visited yet to the n slots of the list; returns how many it has. */
@inline function gather(links: usize, capacity: u32, now: u32, n: u32): u32 {
  const seen = visited(), slots = list(), end = links + (capacity << 2);
  let to = slots + (n << 2);
  for (; links < end; links += 4) {
    const slot = load<u32>(links);
    if (slot == NONE) break;
    const known = load<u8>(seen + slot) == now;
    store<u8>(seen + slot, <u8>now);
    store<u32>(to, slot);
    to += known ? 0 : 4;
  }
  return <u32>(to - slots) >> 2;
}

/** Asks for the codes of the list before they are needed: by then they are on their way. */
@inline function touch(n: u32): u32 {
  const slots = list(), lines = touchLines();
  let all: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const code = codeOf(load<u32>(slots + (i << 2)));
    all ^= load<u8>(code);
    if (lines > 1) all ^= load<u8>(code, 64);
    if (lines > 2) { all ^= load<u8>(code, 128); all ^= load<u8>(code, 192); }
  }
  return all;
}

/** Starts a layer: the pool holds one node, and only that one has been visited. */
export function startPool(slot: u32, key: u32, width: u32): void {
  const now = nextEpoch();
  clearPool(poolKeys(), width);
  store<u32>(poolKeys(), key);
  store<u32>(poolMarks(), slot << 1);
  store<u8>(visited() + slot, <u8>now);
}

/**
 * Expands the nearest unexpanded node of the pool until there is none. The pool has `size` nodes when
 * it starts and at most `width`; returns its size. With F = Passing the nearest `limit` nodes that
 * pass are in the results, `resultSize` of them.
 */
export function searchLayer<E, D, F>(q: usize, width: u32, size: u32, level: i32, limit: u32): u32 {
  const keys = poolKeys(), marks = poolMarks(), slots = list(), found = listKeys();
  const capacity = capacityOf(level), now = epoch(), filtered = sizeof<F>() == 2;
  let bound = boundOf(keys, size, width), next: u32 = 0, touched: u32 = 0;
  let results: u32 = 0, resultBound: u32 = 0xffffffff;
  if (filtered) {
    clearPool(resultKeys(), limit);
    for (let i: u32 = 0; i < size; i++) {
      const mark = load<u32>(marks + (i << 2));
      if (!passes(mark >>> 1)) continue;
      put(resultKeys(), resultMarks(), load<u32>(keys + (i << 2)), mark, results, limit);
      results = results < limit ? results + 1 : results;
    }
    resultBound = boundOf(resultKeys(), results, limit);
  }
  while (next < size) {
    let n: u32 = 0;
    for (let beam: u32 = 0; beam < BEAM && next < size; beam++) {
      const at = marks + (next << 2), mark = load<u32>(at);
      store<u32>(at, mark | 1);
      n = gather(linksOf(mark >>> 1, level), capacity, now, n);
      next++;
      while (next < size && (load<u32>(marks + (next << 2)) & 1)) next++;
    }
    touched ^= touch(n);
    if (level == 0) for (let ahead: u32 = next; ahead < size && ahead < next + BEAM; ahead++) {
      const links = blockOf(load<u32>(marks + (ahead << 2)) >>> 1);
      touched ^= load<u32>(links) ^ load<u32>(links, 64);
    }
    // A list of links may be longer than the 64 bits of a round of comparisons.
    const all = n;
    if (all > 0) listCodeKeys<E, D>(q, all);
    let first = next;
    for (let from: u32 = 0; from < all; from += 64) {
      n = all - from < 64 ? all - from : 64;
      let bits = under(from, n, bound);
      for (; bits; bits &= bits - 1) {
        const i = from + <u32>ctz(bits), key = load<u32>(found + (i << 2));
        if (key >= bound) continue;
        const place = put(keys, marks, key, load<u32>(slots + (i << 2)) << 1, size, width);
        size = size < width ? size + 1 : size;
        bound = boundOf(keys, size, width);
        first = place < first ? place : first;
      }
      if (!filtered) continue;
      bits = under(from, n, resultBound);
      for (; bits; bits &= bits - 1) {
        const i = from + <u32>ctz(bits), key = load<u32>(found + (i << 2));
        const slot = load<u32>(slots + (i << 2));
        if (key >= resultBound || !passes(slot)) continue;
        put(resultKeys(), resultMarks(), key, slot << 1, results, limit);
        results = results < limit ? results + 1 : results;
        resultBound = boundOf(resultKeys(), results, limit);
      }
    }
    next = first;
    while (next < size && (load<u32>(marks + (next << 2)) & 1)) next++;
  }
  sink(touched);
  setResultSize(results);
  return size;
}

/**
 * From the entry point down to the level above `bottom`, always to the nearest neighbour, as long as
 * one is nearer (width 1 of the paper). Returns key << 32 | slot.
 */
export function descend<E, D>(q: usize, bottom: i32): u64 {
  const slots = list(), keys = listKeys(), m = linksPerLevel();
  store<u32>(slots, entrySlot());
  listCodeKeys<E, D>(q, 1);
  let slot = entrySlot(), key = load<u32>(keys);
  for (let level = topLevel(); level > bottom; level--) {
    for (let moved = true; moved;) {
      moved = false;
      const links = linksOf(slot, level);
      let n: u32 = 0;
      for (; n < m; n++) {
        const to = load<u32>(links + (n << 2));
        if (to == NONE) break;
        store<u32>(slots + (n << 2), to);
      }
      if (n == 0) break;
      listCodeKeys<E, D>(q, n);
      for (let i: u32 = 0; i < n; i++) {
        if (load<u32>(keys + (i << 2)) >= key) continue;
        key = load<u32>(keys + (i << 2));
        slot = load<u32>(slots + (i << 2));
        moved = true;
      }
    }
  }
  return <u64>key << 32 | <u64>slot;
}
