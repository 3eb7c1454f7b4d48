/** Which way a search takes, by what it would cost. */
import { expect, it } from 'vitest';
import { Graph } from '../../../src/hnsw/graph.ts';
import { settingsOf } from '../../../src/hnsw/options.ts';
import { planSearch, planWider } from '../../../src/hnsw/plan.ts';
import { searchGraph } from '../../../src/hnsw/search.ts';
import { clusters } from './vectors.ts';

it('all, half, a fifth walk wider and wider; few are scanned', () => {
  const plans = [100_000, 50_000, 20_000, 3000, 1].map((passing) =>
    planSearch(100_000, passing, 100),
  );
  expect(plans).toEqual([
    { path: 'graph', width: 100, isFiltered: false, expected: 0 },
    { path: 'graph', width: 142, isFiltered: true, expected: 35.5 },
    { path: 'graph', width: 224, isFiltered: true, expected: 22.4 },
    { path: 'scan' },
    { path: 'scan' },
  ]);
});

it('a walk is widened until a scan costs less, or it would be too wide', () => {
  const first = planSearch(10_000_000, 5_000_000, 1000);
  const second = first.path === 'graph' ? planWider(first, 5_000_000) : first;
  expect(second).toMatchObject({ path: 'scan' });
  const narrow = planSearch(10_000_000, 5_000_000, 100);
  expect(narrow.path === 'graph' && planWider(narrow, 5_000_000)).toMatchObject({ width: 568 });
  expect(narrow.path === 'graph' && planWider(narrow, 10_000)).toEqual({ path: 'scan' });
});

it.each([
  [50, 0],
  [36, 0],
  [35, 1],
  [10, 1],
])('when %s of 35.5 expected are met, %s scans follow', (met, expected) => {
  const settings = settingsOf({ dimensions: 2, metric: 'euclidean', m: 4, efConstruction: 4 });
  const graph = new Graph(settings, 'auto');
  for (const vector of clusters(2, 5, 1).many(12_000)) {
    graph.query.set(vector);
    graph.append();
  }
  graph.passing.fill(0x55555555, 0, 12_000 / 32);
  let scans = 0;
  const { kernel } = graph.loaded;
  const spied = {
    ...kernel,
    search: () => met,
    scan: (...bounds: [number, number, number, number]) => {
      scans++;
      return kernel.scan(...bounds);
    },
  };
  Object.assign(graph, { loaded: { ...graph.loaded, kernel: spied } });
  const { slots } = searchGraph(graph, { k: 10, ef: 100, passing: 6000, exact: false });
  expect([slots.length, scans]).toEqual([10, expected]);
});
