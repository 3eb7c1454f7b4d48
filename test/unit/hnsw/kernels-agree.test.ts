/**
 * Two kernels, one graph: what SIMD and plain TypeScript compute over the same inputs is the same to
 * the bit, links, codes, distances and answers, for every metric, with codes and without.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compact } from '../../../src/hnsw/compact.ts';
import { Graph } from '../../../src/hnsw/graph.ts';
import { METRICS, QUANTIZATIONS, settingsOf } from '../../../src/hnsw/options.ts';
import { searchGraph } from '../../../src/hnsw/search.ts';
import { readVector } from '../../../src/hnsw/vector.ts';
import { clusters } from './vectors.ts';

const KERNELS = ['simd', 'scalar'] as const;
const cases = METRICS.flatMap((metric) =>
  QUANTIZATIONS.map((quantization) => ({ metric, quantization })),
);

/** Everything of the nodes: blocks, links of upper levels, rows. */
function nodesOf(graph: Graph): Uint8Array {
  const { buffer } = graph.loaded.memory;
  const { extents, extentBytes, extentShift } = graph.layout;
  const used = Math.ceil(graph.count / 2 ** extentShift) * extentBytes;
  return new Uint8Array(buffer, extents, used);
}

function put(graph: Graph, vector: Float32Array): void {
  readVector(vector, graph.layout.settings.metric, graph.query);
}

describe.each(cases)('$metric, quantization $quantization', ({ metric, quantization }) => {
  it('graphs are the same in every byte, and so are answers', () => {
    const shape = fc.record({
      dimensions: fc.constantFrom(1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 33, 64),
      m: fc.constantFrom(2, 3, 5, 8, 16),
      efConstruction: fc.integer({ min: 1, max: 80 }),
      seed: fc.nat(),
      count: fc.integer({ min: 1, max: 300 }),
      width: fc.integer({ min: 1, max: 100 }),
    });
    fc.assert(
      fc.property(shape, ({ count, width, ...options }) => {
        const settings = settingsOf({ ...options, metric, quantization });
        const graphs = KERNELS.map((kernel) => new Graph(settings, kernel));
        const source = clusters(options.dimensions, 10, options.seed);
        const query = source.next();
        for (const vector of source.many(count))
          for (const graph of graphs) {
            put(graph, vector);
            graph.append();
          }
        const [simd, scalar] = graphs.map(nodesOf);
        expect(Buffer.compare(simd!, scalar!)).toBe(0);
        // The graph itself, not the scan a small set would get.
        const answers = graphs.map((graph) => {
          put(graph, query);
          graph.usePassing('live');
          const { kernel } = graph.loaded;
          const found = [0, 1].map((filtered) =>
            kernel.search(graph.kind, width, width, 32, filtered),
          );
          const pools = graph.words.slice(
            graph.layout.poolKeys >> 2,
            (graph.layout.poolKeys >> 2) + 8,
          );
          return [...found, ...pools.subarray(0, Math.min(...found, 8)), graph.takeDistances()];
        });
        expect(answers[0]).toEqual(answers[1]);
      }),
      { numRuns: 12, seed: 11 },
    );
  });

  it.each([0, 0.2, 0.6])('and so is what optimize makes of it with %s deleted', (share) => {
    const settings = settingsOf({ dimensions: 12, m: 6, efConstruction: 40, metric, quantization });
    const vectors = clusters(12, 10, 8).many(600);
    const [simd, scalar] = KERNELS.map((kernel) => {
      const graph = new Graph(settings, kernel);
      vectors.forEach((vector) => {
        put(graph, vector);
        graph.append();
      });
      for (let slot = 0; slot < 600; slot++)
        if ((slot * 7919) % 600 < share * 600) graph.markDeleted(slot);
      const { graph: compacted, slots } = compact(graph);
      return [Buffer.from(nodesOf(compacted)), slots, compacted.entry] as const;
    });
    expect(Buffer.compare(simd![0], scalar![0])).toBe(0);
    expect(simd!.slice(1)).toEqual(scalar!.slice(1));
  });

  it('distances are the same for every number of dimensions', () => {
    for (const dimensions of [1, 2, 3, 4, 7, 8, 9, 63, 100, 127, 256, 1000, 1023, 4096]) {
      const source = clusters(dimensions, 3, dimensions);
      const graphs = KERNELS.map(
        (kernel) =>
          new Graph(settingsOf({ dimensions, metric, quantization, efConstruction: 8 }), kernel),
      );
      const vectors = [...source.many(5), new Float32Array(dimensions).fill(3e38)];
      for (const vector of vectors)
        for (const graph of graphs) {
          put(graph, vector);
          graph.append();
        }
      const query = source.next();
      const [simd, scalar] = graphs.map((graph) => {
        put(graph, query);
        return [true, false].map((exact) =>
          searchGraph(graph, { k: 6, ef: 6, passing: undefined, exact }),
        );
      });
      expect(simd).toEqual(scalar);
    }
  });
});
