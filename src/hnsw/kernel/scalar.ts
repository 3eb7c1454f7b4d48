/**
 * The kernel in plain TypeScript, for engines without WebAssembly SIMD, several times slower. It takes
 * every decision in the order of assembly/, so links, codes and answers are the same to the bit; the
 * tests hold the two against each other. Algorithms are explained and cited there.
 */
import type { Kernel, KernelMemory } from './kernel.ts';
import { encodeQuery, encodeRow, pairQuery } from './scalar-code.ts';
import { KEYS, type KeyOf } from './scalar-distance.ts';
import { ScalarView } from './scalar-memory.ts';
import { ScalarPool } from './scalar-pool.ts';

const NONE = 0xffffffff;
const QUANTIZED_KINDS = 3;
const NO_LIMIT = 0xffffffff;
/** Nodes expanded together, as in assembly/traverse.ts. */
const BEAM = 4;

/** A search in one metric over codes or rows. */
interface Space {
  readonly view: ScalarView;
  readonly keyOf: KeyOf;
  readonly rowKeyOf: KeyOf;
  readonly isQuantized: boolean;
  readonly isDot: boolean;
  readonly pool: ScalarPool;
  readonly results: ScalarPool;
}

interface Place {
  readonly slot: number;
  readonly key: number;
}

export class ScalarKernel implements Kernel {
  private view: ScalarView;
  private readonly memory: KernelMemory;
  private readonly scratch: number;

  constructor(memory: KernelMemory, scratch: number) {
    this.memory = memory;
    this.scratch = scratch;
    this.view = new ScalarView(memory.buffer, scratch);
  }

  insert(kind: number, slot: number, level: number, bottom: number, efConstruction: number): void {
    const space = this.spaceOf(kind);
    const { view, pool } = space;
    for (let l = level; l >= bottom; l--) {
      const links = view.links(slot, l);
      view.u32.fill(NONE, links, links + view.capacity(l));
    }
    const q = codeQuery(space, slot, view.at(4));
    const top = Math.min(level, view.of(1));
    let entry = descend(space, q, top);
    for (let l = top; l >= bottom; l--) {
      startPool(space, entry, efConstruction);
      view.u8[view.at(0) + slot] = view.at(2);
      searchLayer(space, q, l, 0);
      entry = { slot: pool.slot(0), key: pool.key(0) };
      const kept = choose(space, placesOf(pool), view.of(11));
      kept.forEach((place, i) => (view.u32[view.links(slot, l) + i] = place.slot));
      for (const place of kept) linkBack(space, place.slot, { slot, key: place.key }, l);
    }
  }

  relink(kind: number, slot: number, own: number, n: number, most: number): void {
    const space = this.spaceOf(kind);
    const { view, pool } = space;
    const q = codeQuery(space, slot, view.at(5));
    const list = [...view.u32.subarray(view.at(7) >> 2, (view.at(7) >> 2) + n)];
    const places = list.map((to) => ({ slot: to, key: codeKey(space, q, to) }));
    count(view, n);
    pool.start(NO_LIMIT);
    for (const { key, slot: to } of places.slice(own)) pool.put(key, to);
    const kept = choose(space, placesOf(pool), most, places.slice(0, own));
    setLinks(view, view.links(slot, 0), kept, 0);
  }

  search(kind: number, width: number, limit: number, again: number, isFiltered: number): number {
    const space = this.spaceOf(kind);
    const { view, pool, results, isQuantized } = space;
    const q = isQuantized ? encodeQuery(view, space.isDot) : view.at(3);
    startPool(space, descend(space, q, 0), width);
    searchLayer(space, q, 0, isFiltered === 0 ? 0 : limit);
    const found = isFiltered === 0 ? pool : results;
    let within = 0;
    while (within < found.size && found.key(within) <= pool.bound) within++;
    if (isQuantized) rank(space, found, again);
    return within;
  }

  scan(kind: number, words: number, limit: number, again: number): number {
    const space = this.spaceOf(kind);
    const { view, pool, isQuantized } = space;
    const q = isQuantized ? encodeQuery(view, space.isDot) : view.at(3);
    const bytes = isQuantized ? view.of(7) : view.of(10);
    pool.start(limit);
    for (let slot = 0; slot < words * 32; slot++) {
      if (!view.passes(slot)) continue;
      const key = space.keyOf(view, q, isQuantized ? view.code(slot) : view.row(slot), bytes);
      count(view, 1);
      if (key < pool.bound) pool.put(key, slot);
    }
    return isQuantized ? rank(space, pool, again) : pool.size;
  }

  rowKeys(kind: number, n: number): void {
    const { view, rowKeyOf } = this.spaceOf(kind);
    for (let i = 0; i < n; i++) {
      const row = view.row(view.word((view.at(7) >> 2) + i));
      view.u32[(view.at(8) >> 2) + i] = rowKeyOf(view, view.at(3), row, view.of(10));
    }
    count(view, n);
  }

  encodeRows(from: number, to: number): void {
    const { view } = this.spaceOf(0);
    for (let slot = from; slot < to; slot++) encodeRow(view, slot);
  }

  private spaceOf(kind: number): Space {
    if (this.view.u8.buffer !== this.memory.buffer)
      this.view = new ScalarView(this.memory.buffer, this.scratch);
    const { view } = this;
    const metric = kind % QUANTIZED_KINDS;
    const [keyOf, rowKeyOf] = [KEYS[kind], KEYS[metric]];
    if (keyOf === undefined || rowKeyOf === undefined) throw new RangeError(`no kind ${kind}`);
    return {
      view,
      keyOf,
      rowKeyOf,
      isQuantized: kind >= QUANTIZED_KINDS,
      isDot: metric === 0,
      pool: new ScalarPool(view.u32, view.at(9) >> 2, view.at(10) >> 2),
      results: new ScalarPool(view.u32, view.at(11) >> 2, view.at(12) >> 2),
    };
  }
}

function count(view: ScalarView, n: number): void {
  view.set(19, view.at(19) + n);
}

/** Byte address of a stored vector as a query for stored vectors. */
function codeQuery({ view, isQuantized, isDot }: Space, slot: number, buffer: number): number {
  return isQuantized ? pairQuery(view, slot, buffer, isDot) : view.code(slot);
}

function codeKey({ view, keyOf }: Space, q: number, slot: number): number {
  return keyOf(view, q, view.code(slot), view.of(7));
}

function startPool({ view, pool }: Space, entry: Place, width: number): void {
  const now = view.nextEpoch();
  pool.start(width);
  pool.put(entry.key, entry.slot);
  view.u8[view.at(0) + entry.slot] = now;
}

/** Algorithm 2. With a limit the nearest nodes that pass go to the results. */
function searchLayer(space: Space, q: number, level: number, limit: number): void {
  const { view, pool, results } = space;
  const [seen, now, capacity] = [view.at(0), view.at(2), view.capacity(level)];
  const offer = (key: number, slot: number): void => {
    if (limit > 0 && key < results.bound && view.passes(slot)) results.put(key, slot);
  };
  if (limit > 0) {
    results.start(limit);
    offer(pool.key(0), pool.slot(0));
  }
  let next = 0;
  while (next < pool.size) {
    const met: number[] = [];
    for (let beam = 0; beam < BEAM && next < pool.size; beam++) {
      const links = view.links(pool.slot(next), level);
      pool.expand(next);
      for (const slot of view.u32.subarray(links, links + capacity)) {
        if (slot === NONE) break;
        if (view.u8[seen + slot] === now) continue;
        view.u8[seen + slot] = now;
        met.push(slot);
      }
      while (next < pool.size && pool.isExpanded(next)) next++;
    }
    let first = next;
    for (const slot of met) {
      const key = codeKey(space, q, slot);
      count(view, 1);
      if (key < pool.bound) first = Math.min(first, pool.put(key, slot));
      offer(key, slot);
    }
    next = first;
    while (next < pool.size && pool.isExpanded(next)) next++;
  }
}

function descend(space: Space, q: number, bottom: number): Place {
  const { view } = space;
  let slot = view.of(0);
  let key = codeKey(space, q, slot);
  count(view, 1);
  for (let level = view.of(1); level > bottom; level--) {
    for (let isMoved = true; isMoved;) {
      isMoved = false;
      const links = view.links(slot, level);
      for (let i = 0; i < view.capacity(level); i++) {
        const to = view.word(links + i);
        if (to === NONE) break;
        const toKey = codeKey(space, q, to);
        count(view, 1);
        if (toKey >= key) continue;
        key = toKey;
        slot = to;
        isMoved = true;
      }
    }
  }
  return { slot, key };
}

/** The nearest `again` entries of a pool anew, by rows; how many. */
function rank({ view, rowKeyOf }: Space, pool: ScalarPool, again: number): number {
  const n = Math.min(again, pool.size);
  const slots = Array.from({ length: n }, (_, i) => pool.slot(i));
  pool.start(NO_LIMIT);
  for (const slot of slots) pool.put(rowKeyOf(view, view.at(3), view.row(slot), view.of(10)), slot);
  count(view, n);
  return n;
}

function placesOf(pool: ScalarPool): Place[] {
  return Array.from({ length: pool.size }, (_, i) => ({ slot: pool.slot(i), key: pool.key(i) }));
}

/** Algorithm 4. */
function choose(
  space: Space,
  candidates: readonly Place[],
  most: number,
  own: readonly Place[] = [],
): Place[] {
  const kept = [...own];
  for (const candidate of candidates) {
    if (kept.length >= most) break;
    const q = codeQuery(space, candidate.slot, space.view.at(6));
    if (kept.every(({ slot }) => codeKey(space, q, slot) >= candidate.key)) kept.push(candidate);
  }
  return kept;
}

function linkBack(space: Space, from: number, to: Place, level: number): void {
  const { view } = space;
  const capacity = view.capacity(level);
  const links = view.links(from, level);
  const list = view.u32.subarray(links, links + capacity);
  const free = list.indexOf(NONE);
  if (free >= 0) {
    list[free] = to.slot;
    return;
  }
  const q = codeQuery(space, from, view.at(5));
  const candidates = [...list].map((slot) => ({ slot, key: codeKey(space, q, slot) }));
  count(view, capacity);
  // A stable sort, as is the insertion sort of the other kernel.
  const sorted = [...candidates, to].sort((a, b) => a.key - b.key);
  const kept = choose(space, sorted, capacity);
  setLinks(view, links, kept, level);
}

function setLinks(view: ScalarView, links: number, kept: readonly Place[], level: number): void {
  view.u32.fill(NONE, links, links + view.capacity(level));
  kept.forEach(({ slot }, i) => (view.u32[links + i] = slot));
}
