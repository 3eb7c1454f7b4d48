/**
 * What the host calls. `kind` chooses among the compiled combinations: metric + 3 for codes of i8,
 * metrics being 0 dot, 1 squared, 2 absolute (../kernel.ts). Compiled by `npm run build:kernel`.
 */
import { Absolute, Dot, Squared, listRowKeys, listCodeKeys } from "./distance";
import { encodeQuery, encodeRows } from "./code";
import { list, listKeys, passing, poolKeys, poolMarks, query, queryCode, resultKeys, resultMarks, resultSize } from "./fields";
import { insertNode, relinkNode } from "./insert";
import { boundOf, clearPool, put } from "./pool";
import { All, Passing, descend, searchLayer, startPool } from "./traverse";

export { encodeRows } from "./code";

/** Links a node, whose row and code are written, on its levels from `level` down to `bottom`. */
export function insert(kind: i32, slot: u32, level: i32, bottom: i32, efConstruction: u32): void {
  if (kind == 0) insertNode<f32, Dot>(slot, level, bottom, efConstruction);
  else if (kind == 1) insertNode<f32, Squared>(slot, level, bottom, efConstruction);
  else if (kind == 2) insertNode<f32, Absolute>(slot, level, bottom, efConstruction);
  else if (kind == 3) insertNode<i8, Dot>(slot, level, bottom, efConstruction);
  else if (kind == 4) insertNode<i8, Squared>(slot, level, bottom, efConstruction);
  else insertNode<i8, Absolute>(slot, level, bottom, efConstruction);
}

/** Gives a node `most` links of level 0: the first `own` of the list's n slots, and a choice of the others. */
export function relink(kind: i32, slot: u32, own: u32, n: u32, most: u32): void {
  if (kind == 0) relinkNode<f32, Dot>(slot, own, n, most);
  else if (kind == 1) relinkNode<f32, Squared>(slot, own, n, most);
  else if (kind == 2) relinkNode<f32, Absolute>(slot, own, n, most);
  else if (kind == 3) relinkNode<i8, Dot>(slot, own, n, most);
  else if (kind == 4) relinkNode<i8, Squared>(slot, own, n, most);
  else relinkNode<i8, Absolute>(slot, own, n, most);
}

/** Keys of the first n pool or result entries anew, by full rows, sorted again. */
function rank<D>(keys: usize, marks: usize, n: u32): void {
  for (let i: u32 = 0; i < n; i++) store<u32>(list() + (i << 2), load<u32>(marks + (i << 2)) >>> 1);
  if (n == 0) return;
  listRowKeys<D>(query(), n);
  clearPool(keys, n);
  for (let i: u32 = 0; i < n; i++)
    put(keys, marks, load<u32>(listKeys() + (i << 2)), load<u32>(list() + (i << 2)) << 1, i, 0xffffffff);
}

function searchGraph<E, D>(width: u32, limit: u32, again: u32, isFiltered: bool): u32 {
  let q = query();
  if (!isFloat<E>()) {
    encodeQuery<D>();
    q = queryCode();
  }
  const entry = descend<E, D>(q, 0);
  startPool(<u32>entry, <u32>(entry >> 32), width);
  if (!isFiltered) {
    const n = searchLayer<E, D, All>(q, width, 1, 0, 0);
    if (!isFloat<E>()) rank<D>(poolKeys(), poolMarks(), again < n ? again : n);
    return n;
  }
  const size = searchLayer<E, D, Passing>(q, width, 1, 0, limit), n = resultSize();
  const bound = boundOf(poolKeys(), size, width);
  let within: u32 = 0;
  while (within < n && load<u32>(resultKeys() + (within << 2)) <= bound) within++;
  if (!isFloat<E>()) rank<D>(resultKeys(), resultMarks(), again < n ? again : n);
  return within;
}

/**
 * Searches the graph for the query in place, `width` nodes wide. Of codes, the nearest `again` are
 * ranked by their rows and only these stay. Answers are in the pool, or in the results when only passing
 * nodes count (at most `limit`). Returns how many were found, before ranking: of passing nodes those no farther
 * than the pool reaches, since beyond its edge others may have been missed.
 */
export function search(kind: i32, width: u32, limit: u32, again: u32, isFiltered: bool): u32 {
  if (kind == 0) return searchGraph<f32, Dot>(width, limit, again, isFiltered);
  if (kind == 1) return searchGraph<f32, Squared>(width, limit, again, isFiltered);
  if (kind == 2) return searchGraph<f32, Absolute>(width, limit, again, isFiltered);
  if (kind == 3) return searchGraph<i8, Dot>(width, limit, again, isFiltered);
  if (kind == 4) return searchGraph<i8, Squared>(width, limit, again, isFiltered);
  return searchGraph<i8, Absolute>(width, limit, again, isFiltered);
}

/** Keys of the first n slots of the list to the query in place, by full rows. */
export function rowKeys(kind: i32, n: u32): void {
  const metric = kind % 3;
  if (metric == 0) listRowKeys<Dot>(query(), n);
  else if (metric == 1) listRowKeys<Squared>(query(), n);
  else listRowKeys<Absolute>(query(), n);
}

/** One round of a scan: the n slots of the list against what the pool holds. */
@inline function offer(n: u32, size: u32, limit: u32): u32 {
  let bound = boundOf(poolKeys(), size, limit);
  for (let i: u32 = 0; i < n; i++) {
    const key = load<u32>(listKeys() + (i << 2));
    if (key >= bound) continue;
    put(poolKeys(), poolMarks(), key, load<u32>(list() + (i << 2)) << 1, size, limit);
    size = size < limit ? size + 1 : size;
    bound = boundOf(poolKeys(), size, limit);
  }
  return size;
}

function scanNodes<E, D>(words: u32, limit: u32, again: u32): u32 {
  if (!isFloat<E>()) encodeQuery<D>();
  clearPool(poolKeys(), limit);
  let size: u32 = 0, n: u32 = 0;
  for (let word: u32 = 0; word < words; word++) {
    for (let bits = load<u32>(passing() + (word << 2)); bits; bits &= bits - 1) {
      store<u32>(list() + (n << 2), (word << 5) + <u32>ctz(bits));
      n++;
    }
    if (n < 64 && word + 1 < words) continue;
    if (n == 0) continue;
    if (isFloat<E>()) listRowKeys<D>(query(), n);
    else listCodeKeys<E, D>(queryCode(), n);
    size = offer(n, size, limit);
    n = 0;
  }
  if (isFloat<E>()) return size;
  again = again < size ? again : size;
  rank<D>(poolKeys(), poolMarks(), again);
  return again;
}

/**
 * Compares the query with every passing node, in the order of slots: by codes, the nearest `again`
 * ranked by their rows, or by rows for the kinds without codes. Answers are in the pool.
 */
export function scan(kind: i32, words: u32, limit: u32, again: u32): u32 {
  if (kind == 0) return scanNodes<f32, Dot>(words, limit, again);
  if (kind == 1) return scanNodes<f32, Squared>(words, limit, again);
  if (kind == 2) return scanNodes<f32, Absolute>(words, limit, again);
  if (kind == 3) return scanNodes<i8, Dot>(words, limit, again);
  if (kind == 4) return scanNodes<i8, Squared>(words, limit, again);
  return scanNodes<i8, Absolute>(words, limit, again);
}
