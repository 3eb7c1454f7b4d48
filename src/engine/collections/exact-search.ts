/**
 * Exact search: the distance to every entry that counts, keeping the k best. What every index is
 * measured against, and the place one takes over: it would give candidates here instead of all rows.
 */
import type { Collection } from '../../vector/collection.ts';
import { DISTANCES, normOf, scoreOf } from '../../vector/distance.ts';
import { ENTRY, ENTRY_INDEX_MASK } from '../../vector/entry-row.ts';
import { EntryTest } from './entry-test.ts';
import type { CheckedSearch } from './query-input.ts';

export interface Found {
  readonly handle: number;
  readonly distance: number;
  readonly score: number;
}

/** Best score first, ties by the UTF-8 bytes of the id. The filter is asked only of what would get in. */
export function exactSearch(collection: Collection, query: CheckedSearch, now: number): Found[] {
  const { vectors, rows, config } = collection;
  const { vector, threshold } = query;
  const test = new EntryTest(collection, query, now);
  const best = new Best(collection, Math.min(query.k, collection.total));
  const distanceTo = DISTANCES[config.metric];
  const norm = config.metric === 'cosine' ? normOf(vector, 0, vector.length) : 1;
  for (let handle = 0; handle < rows.rows && best.limit > 0; handle++) {
    if (!test.isCandidate(handle)) continue;
    const place = (handle & ENTRY_INDEX_MASK) * ENTRY.f64 + ENTRY.norm;
    const norms = norm * (rows.segmentOf(handle).f64[place] as number);
    const start = vectors.startOf(handle);
    const distance = distanceTo(vector, vectors.blockOf(handle), start, norms);
    const score = scoreOf(config.metric, distance);
    if (score < threshold || !best.isWanted(handle, score)) continue;
    if (test.passesFilter(handle)) best.add({ handle, distance, score });
  }
  return best.sorted();
}

/** The k best so far: a heap with the worst of them on top. */
class Best {
  readonly limit: number;
  private readonly collection: Collection;
  private readonly heap: Found[] = [];

  constructor(collection: Collection, limit: number) {
    this.collection = collection;
    this.limit = limit;
  }

  isWanted(handle: number, score: number): boolean {
    const worst = this.heap.length < this.limit ? undefined : this.heap[0];
    return worst === undefined || this.compare(handle, score, worst) < 0;
  }

  add(found: Found): void {
    const { heap } = this;
    if (heap.length < this.limit) this.up(found);
    else this.down(found);
  }

  sorted(): Found[] {
    return this.heap.sort((a, b) => this.compare(a.handle, a.score, b));
  }

  /** Negative when the first is better. */
  private compare(handle: number, score: number, other: Found): number {
    if (score !== other.score) return score > other.score ? -1 : 1;
    const { collection } = this;
    return collection.ids.compare(collection.idRefOf(handle), collection.idRefOf(other.handle));
  }

  private isWorse(one: Found, other: Found): boolean {
    return this.compare(one.handle, one.score, other) > 0;
  }

  private up(found: Found): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(found);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.isWorse(found, heap[parent] as Found)) break;
      heap[at] = heap[parent] as Found;
      at = parent;
    }
    heap[at] = found;
  }

  private down(found: Found): void {
    const { heap } = this;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      const right = child + 1;
      const isRight =
        right < heap.length && this.isWorse(heap[right] as Found, heap[child] as Found);
      const worse = isRight ? right : child;
      if (!this.isWorse(heap[worse] as Found, found)) break;
      heap[at] = heap[worse] as Found;
      at = worse;
    }
    heap[at] = found;
  }
}
