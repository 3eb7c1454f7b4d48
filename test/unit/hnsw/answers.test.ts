/** What an index answers, beside plain doubles over all vectors. */
import { describe, expect, it } from 'vitest';
import { METRICS, type Metric, QUANTIZATIONS } from '../../../src/hnsw/options.ts';
import { createVectorIndex, scoreOf } from '../../../src/hnsw/index.ts';
import { clusters, recallOf, trueDistance, trueNearest } from './vectors.ts';

const K = 10;
const cases = METRICS.flatMap((metric) =>
  QUANTIZATIONS.map((quantization) => [metric, quantization] as const),
);

it.each(cases)('%s, quantization %s: finds 95 of 100 nearest', (metric, quantization) => {
  const source = clusters(24, 60, 5);
  const all = source.many(6000);
  const index = createVectorIndex({ dimensions: 24, metric, quantization });
  all.forEach((vector, slot) => expect(index.add(vector)).toBe(slot));
  const queries = source.many(60);
  index.stats();
  let recall = 0;
  for (const query of queries) {
    const { slots, distances } = index.search(query, K, { ef: 100 });
    recall += recallOf(slots, trueNearest(metric, all, query, K)) / queries.length;
    expect(slots).toHaveLength(K);
    for (let i = 0; i < K; i++) {
      const expected = trueDistance(metric, all[slots[i]!]!, query);
      expect(Math.abs(distances[i]! - expected)).toBeLessThan(
        1e-5 * Math.max(1, Math.abs(expected)),
      );
      expect(distances[i]!).toBeGreaterThanOrEqual(distances[i - 1] ?? -Infinity);
    }
  }
  expect(recall).toBeGreaterThan(0.95);
  // It was the graph that answered, not a scan of all.
  expect(index.stats().distances / queries.length).toBeLessThan(4000);
});

it('an exact search gives the nearest of all, equal distances by slot', () => {
  const index = createVectorIndex({ dimensions: 2, metric: 'euclidean' });
  for (let i = 0; i < 500; i++) index.add([i % 7, i % 5]);
  const { slots, distances } = index.search([3, 2], 40, { exact: true });
  const expected = Array.from({ length: 500 }, (_, slot) => slot)
    .map((slot) => ({ slot, distance: Math.fround(Math.hypot((slot % 7) - 3, (slot % 5) - 2)) }))
    .sort((a, b) => a.distance - b.distance || a.slot - b.slot)
    .slice(0, 40);
  expect([...slots]).toEqual(expected.map(({ slot }) => slot));
  expect([...distances]).toEqual(expected.map(({ distance }) => distance));
});

it('k beyond what there is gives all there is, also more than a pool holds', () => {
  const source = clusters(4, 5, 1);
  const index = createVectorIndex({ dimensions: 4, metric: 'manhattan', efConstruction: 20 });
  expect(index.search([1, 2, 3, 4], 5)).toEqual({
    slots: new Uint32Array(),
    distances: new Float32Array(),
  });
  const all = source.many(5000);
  for (const vector of all) index.add(vector);
  const query = source.next();
  const { slots, distances } = index.search(query, 1e9);
  expect([...slots].sort((a, b) => a - b)).toEqual(all.map((_, slot) => slot));
  expect(distances.every((distance, i) => i === 0 || distance >= distances[i - 1]!)).toBe(true);
  for (const k of [1, 100, 2047, 2048, 2049, 4096, 4097]) {
    const fewer = index.search(query, k);
    expect(fewer.slots).toHaveLength(k);
    if (k > 2048) expect([...fewer.slots]).toEqual([...slots.subarray(0, k)]);
  }
});

it('a vector is its own nearest, and comes back as it was stored', () => {
  const source = clusters(300, 20, 2);
  const all = source.many(400);
  const index = createVectorIndex({ dimensions: 300, metric: 'cosine' });
  for (const vector of all) index.add([...vector]);
  all.forEach((vector, slot) => {
    const { slots, distances } = index.search(vector, 1);
    expect([slots[0], distances[0]! < 1e-6]).toEqual([slot, true]);
  });
  const stored = index.vector(7);
  const norm = Math.hypot(...all[7]!);
  expect(stored.every((x, i) => Math.abs(x - all[7]![i]! / norm) < 1e-6)).toBe(true);
  const plain = createVectorIndex({ dimensions: 300, metric: 'dot' });
  plain.add(all[7]!);
  expect(plain.vector(0)).toEqual(all[7]);
});

describe('scores', () => {
  it.each([
    ['cosine', [3, 4], [4, 3], 0.96, 0.04],
    ['dot', [3, 4], [4, 3], 24, -24],
    ['euclidean', [0, 0], [3, 4], 1 / 6, 5],
    ['manhattan', [0, 0], [3, 4], 1 / 8, 7],
  ] as const)('%s', (metric: Metric, a, b, score, distance) => {
    const index = createVectorIndex({ dimensions: 2, metric });
    index.add(b);
    const found = index.search(a, 1).distances[0]!;
    expect(found).toBeCloseTo(distance, 6);
    expect(scoreOf(metric, found)).toBeCloseTo(score, 6);
  });
});

it('the same seed and order give the same graph and answers; another seed another graph', () => {
  const source = clusters(16, 30, 9);
  const all = source.many(3000);
  const queries = source.many(20);
  const [a, b, c] = [4, 4, 5].map((seed) => {
    const index = createVectorIndex({ dimensions: 16, metric: 'cosine', seed });
    for (const vector of all) index.add(vector);
    const answers = queries.map((query) => index.search(query, 5, { ef: 30 }));
    return [answers, index.stats().distances] as const;
  });
  expect(a).toEqual(b);
  expect(a![1]).not.toBe(c![1]);
});
