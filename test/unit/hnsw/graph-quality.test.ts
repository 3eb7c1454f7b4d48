/** What keeps a graph good: its levels, its reach, its codes, and numbers of visits that start again. */
import { describe, expect, it } from 'vitest';
import { compact } from '../../../src/hnsw/compact.ts';
import { Graph } from '../../../src/hnsw/graph.ts';
import { createVectorIndex } from '../../../src/hnsw/index.ts';
import { NO_LINK } from '../../../src/hnsw/layout.ts';
import { settingsOf } from '../../../src/hnsw/options.ts';
import { searchGraph } from '../../../src/hnsw/search.ts';
import { readVector } from '../../../src/hnsw/vector.ts';
import { clusters, recallOf, trueNearest } from './vectors.ts';

function put(graph: Graph, vector: Float32Array): void {
  readVector(vector, graph.layout.settings.metric, graph.query);
}

it('the entry point is on the highest level there is', () => {
  const index = createVectorIndex({ dimensions: 4, metric: 'euclidean', m: 4, efConstruction: 20 });
  for (const vector of clusters(4, 9, 1).many(1024)) index.add(vector);
  // One of 4, 16, 64, 256, 1,024.
  expect(index.stats().levels).toBe(6);
  expect(index.optimize().index.stats().levels).toBe(6);
});

it('equal vectors are answered in the order of slots, also by a walk', () => {
  const index = createVectorIndex({ dimensions: 8, metric: 'cosine' });
  const vectors = clusters(8, 40, 2).many(1000);
  for (let copy = 0; copy < 5; copy++) for (const vector of vectors) index.add(vector);
  index.stats();
  let complete = 0;
  for (let slot = 0; slot < 100; slot++) {
    const found = [...index.search(vectors[slot]!, 5, { ef: 20 }).slots];
    expect(found).toEqual(found.toSorted((a, b) => a - b));
    if (found.every((other) => other % 1000 === slot)) complete++;
  }
  expect(complete).toBeGreaterThan(95);
  expect(index.stats().distances).toBeLessThan(100 * 2500);
});

it('a node nobody links to is linked again by optimize', () => {
  const graph = new Graph(
    settingsOf({ dimensions: 8, metric: 'euclidean', efConstruction: 60 }),
    'auto',
  );
  const vectors = clusters(8, 30, 3).many(3000);
  for (const vector of vectors) {
    put(graph, vector);
    graph.append();
  }
  const lost = Array.from({ length: 3000 }, (_, slot) => slot).filter((slot) => slot % 300 === 7);
  for (let slot = 0; slot < 3000; slot++)
    for (let level = 0; level <= graph.levelOf(slot); level++) {
      const links = graph.links(slot, level);
      const kept = links.filter((to) => to !== NO_LINK && !lost.includes(to));
      links.fill(NO_LINK).set(kept);
    }
  const foundIn = (of: Graph, slotOf: (slot: number) => number): number =>
    lost.filter((slot) => {
      put(of, vectors[slot]!);
      of.usePassing('live');
      of.loaded.kernel.search(of.kind, 60, 60, 32, 0);
      return of.words[of.layout.poolMarks >> 2]! >>> 1 === slotOf(slot);
    }).length;
  expect(foundIn(graph, (slot) => slot)).toBe(0);
  const { graph: mended, slots } = compact(graph);
  expect(foundIn(mended, (slot) => slots[slot]!)).toBe(lost.length);
});

it('dimensions that came into use after the steps were learnt still count', () => {
  const half = clusters(16, 30, 4);
  const vectors = [
    ...half.many(4200).map((vector) => Float32Array.of(...vector, ...new Float32Array(16))),
    ...half.many(1500).map((vector) => Float32Array.of(...new Float32Array(16), ...vector)),
  ];
  const index = createVectorIndex({ dimensions: 32, metric: 'cosine' });
  for (const vector of vectors) index.add(vector);
  let recall = 0;
  for (let slot = 4200; slot < 5700; slot += 50)
    recall += recallOf(
      index.search(vectors[slot]!, 10, { ef: 40 }).slots,
      trueNearest('cosine', vectors, vectors[slot]!, 10),
    );
  expect(recall / 30).toBeGreaterThan(0.9);
});

describe('visits', () => {
  it('are counted in a byte, and start again without remembering', () => {
    const vectors = clusters(3, 200, 5, 0.1).many(3000);
    const [simd, scalar] = (['simd', 'scalar'] as const).map((kernel) => {
      const settings = settingsOf({ dimensions: 3, metric: 'euclidean', m: 4, efConstruction: 8 });
      const graph = new Graph(settings, kernel);
      for (const vector of vectors) {
        put(graph, vector);
        graph.append();
      }
      let found = 0;
      for (let slot = 0; slot < 2000; slot++) {
        put(graph, vectors[slot]!);
        const { slots } = searchGraph(graph, { k: 1, ef: 8, passing: undefined, exact: false });
        if (slots[0] === slot) found++;
      }
      return [found, graph.takeDistances()];
    });
    expect(simd).toEqual(scalar);
    expect(simd![0]).toBeGreaterThan(1500);
  });
});
