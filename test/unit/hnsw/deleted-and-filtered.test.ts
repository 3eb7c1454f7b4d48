/** Deletions and filters never cost answers that exist; what is deleted or refused is never one. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { type VectorIndex, NO_SLOT, createVectorIndex } from '../../../src/hnsw/index.ts';
import { QUANTIZATIONS } from '../../../src/hnsw/options.ts';
import { clusters, recallOf, trueNearest } from './vectors.ts';

const N = 8000;
const K = 10;
const source = clusters(16, 40, 21);
const all = source.many(N);
const queries = source.many(40);

function build(quantization: 'none' | 'int8' = 'int8'): VectorIndex {
  const index = createVectorIndex({
    dimensions: 16,
    metric: 'euclidean',
    quantization,
    efConstruction: 100,
  });
  for (const vector of all) index.add(vector);
  return index;
}

function bitsOf(may: (slot: number) => boolean): Uint32Array {
  const words = new Uint32Array(N / 32);
  for (let slot = 0; slot < N; slot++)
    if (may(slot)) words[slot >>> 5] = words[slot >>> 5]! | (1 << (slot & 31));
  return words;
}

/** Mean recall at 10 over the queries, against a comparison with all; checks the answers on the way. */
function recall(
  index: VectorIndex,
  may: (slot: number) => boolean,
  filter?: Uint32Array,
  ef = 60,
): number {
  let sum = 0;
  for (const query of queries) {
    const truth = trueNearest('euclidean', all, query, K, may);
    const { slots } = index.search(query, K, { ef, filter });
    expect(slots).toHaveLength(truth.length);
    expect([...slots].every(may)).toBe(true);
    sum += truth.length === 0 ? 1 : recallOf(slots, truth);
  }
  return sum / queries.length;
}

describe.each(QUANTIZATIONS)('quantization %s', (quantization) => {
  const index = build(quantization);

  it.each([0.9, 0.5, 0.2, 0.1, 0.03, 0.01])('a filter that lets %s pass at random', (share) => {
    const random = seededRandom(share * 1000);
    const filter = bitsOf(() => random.next() < share);
    const may = (slot: number): boolean => ((filter[slot >>> 5]! >>> (slot & 31)) & 1) === 1;
    expect(recall(index, may, filter)).toBeGreaterThan(0.95);
  });

  it('what passes lies away from where the question is', () => {
    const query = queries[0]!;
    const order = trueNearest('euclidean', all, query, N);
    const far = new Set(order.slice(N / 2));
    const filter = bitsOf((slot) => far.has(slot));
    index.stats();
    const { slots } = index.search(query, K, { ef: 12, filter });
    expect(recallOf(slots, order.slice(N / 2, N / 2 + K))).toBeGreaterThan(0.8);
    const among = (slot: number): boolean => far.has(slot);
    expect(recall(index, among, filter, 12)).toBeGreaterThan(0.9);
    // One answer is soon met; whether it is the nearest shows only when others are met too.
    const nearest = queries.filter((other) => {
      const [slot] = index.search(other, 1, { ef: 40, filter }).slots;
      return slot === trueNearest('euclidean', all, other, 1, among)[0];
    });
    expect(nearest.length).toBeGreaterThan(38);
  });

  it('a filter that lets a far corner pass, ten, one, none', () => {
    const corner = (slot: number): boolean => all[slot]![0]! > 1.2;
    expect(recall(index, corner, bitsOf(corner))).toBeGreaterThan(0.95);
    for (const count of [10, 1, 0]) {
      const few = (slot: number): boolean => slot % 800 === 5 && slot < count * 800;
      expect(recall(index, few, bitsOf(few))).toBe(1);
    }
    expect(index.search(all[0]!, 3, { filter: new Uint32Array() }).slots).toHaveLength(0);
    expect([...index.search(all[0]!, 3, { filter: Uint32Array.of(1) }).slots]).toEqual([0]);
  });
});

describe('deleted vectors', () => {
  it('are never found, and half of them cost no recall', () => {
    const index = build();
    const before = recall(index, () => true);
    const random = seededRandom(2);
    const gone = new Set<number>();
    for (let slot = 0; slot < N; slot++) if (random.next() < 0.5) gone.add(slot);
    for (const slot of gone) expect(index.markDeleted(slot)).toBe(true);
    expect(index.size).toBe(N - gone.size);
    const may = (slot: number): boolean => !gone.has(slot);
    expect(recall(index, may)).toBeGreaterThan(Math.max(0.95, before - 0.02));
    for (const slot of gone)
      expect([index.has(slot), index.markDeleted(slot)]).toEqual([false, false]);
  });

  it('may be whole clusters, all but one, and all', () => {
    const index = build();
    const near = trueNearest('euclidean', all, queries[0]!, 2000);
    for (const slot of near) index.markDeleted(slot);
    const gone = new Set(near);
    expect(recall(index, (slot) => !gone.has(slot))).toBeGreaterThan(0.95);
    for (let slot = 0; slot < N; slot++) if (slot !== 77) index.markDeleted(slot);
    expect([...index.search(queries[1]!, 5).slots]).toEqual([77]);
    expect(index.markDeleted(77)).toBe(true);
    expect(index.search(queries[1]!, 5).slots).toHaveLength(0);
    expect(index.add(all[0]!)).toBe(N);
    expect([...index.search(queries[1]!, 5).slots]).toEqual([N]);
  });

  it.each([-1, 1.5, 3, 2 ** 32, Number.NaN, Infinity, '1'])('slot %s is nobody', (slot) => {
    const index = createVectorIndex({ dimensions: 2, metric: 'dot' });
    for (let i = 0; i < 3; i++) index.add([1, i]);
    expect([index.has(slot as number), index.markDeleted(slot as number)]).toEqual([false, false]);
    expect(index.search([1, 1], 9).slots).toHaveLength(3);
  });
});

describe('optimize', () => {
  it.each([0, 0.1, 0.3, 0.5, 0.9])('with %s deleted keeps what is live and finds it', (share) => {
    const index = build();
    const random = seededRandom(7);
    const gone = new Set<number>();
    for (let slot = 0; slot < N; slot++) if (random.next() < share) gone.add(slot);
    for (const slot of gone) index.markDeleted(slot);
    const { index: compact, slots } = index.optimize();
    expect([compact.size, compact.slots, compact.stats().deleted]).toEqual([
      index.size,
      index.size,
      0,
    ]);
    const old = new Uint32Array(compact.slots).fill(NO_SLOT);
    slots.forEach((to, from) => {
      expect(to === NO_SLOT).toBe(gone.has(from));
      if (to !== NO_SLOT) old[to] = from;
    });
    expect(old.includes(NO_SLOT)).toBe(false);
    let sum = 0;
    for (const query of queries) {
      const truth = trueNearest('euclidean', all, query, K, (slot) => !gone.has(slot));
      const found = compact.search(query, K, { ef: 60 }).slots.map((slot) => old[slot]!);
      sum += recallOf(found, truth) / queries.length;
    }
    expect(sum).toBeGreaterThan(0.95);
    const kept = old[5]!;
    expect(compact.vector(slots[kept]!)).toEqual(all[kept]);
    // And it goes on: what is added is found.
    const slot = compact.add(queries[0]!);
    expect(compact.search(queries[0]!, 1).slots[0]).toBe(slot);
  });

  it('of nothing is nothing', () => {
    const index = createVectorIndex({ dimensions: 2, metric: 'dot' });
    expect(index.optimize().index.size).toBe(0);
    index.add([1, 2]);
    index.markDeleted(0);
    expect([...index.optimize().slots]).toEqual([NO_SLOT]);
  });
});
