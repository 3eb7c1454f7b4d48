/** Vectors for the tests: seeded, clustered as real ones are, and the truth by plain doubles. */
import { seededRandom } from '../../../src/base/random.ts';
import type { Metric } from '../../../src/hnsw/options.ts';

export interface Vectors {
  next(): Float32Array;
  many(count: number): Float32Array[];
}

/** Points around `clusters` centres; `spread` 1 is no clusters at all. */
export function clusters(dimensions: number, count: number, seed: number, spread = 0.35): Vectors {
  const random = seededRandom(seed);
  const normal = (): number => {
    let sum = 0;
    for (let i = 0; i < 6; i++) sum += random.next();
    return (sum - 3) * Math.SQRT2;
  };
  const centres = Array.from({ length: count }, () =>
    Float32Array.from({ length: dimensions }, normal),
  );
  const next = (): Float32Array => {
    const centre = centres[Math.floor(random.next() * count)]!;
    return centre.map((x) => x + spread * normal());
  };
  return { next, many: (n) => Array.from({ length: n }, next) };
}

export function trueDistance(metric: Metric, a: Float32Array, b: Float32Array): number {
  let [dot, square, sum, aa, bb] = [0, 0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    dot += x * y;
    square += (x - y) ** 2;
    sum += Math.abs(x - y);
    aa += x * x;
    bb += y * y;
  }
  if (metric === 'dot') return -dot;
  if (metric === 'euclidean') return Math.sqrt(square);
  return metric === 'manhattan' ? sum : 1 - dot / Math.sqrt(aa * bb);
}

/** Slots of the k nearest, by comparing with all that `may` be an answer. */
export function trueNearest(
  metric: Metric,
  all: readonly Float32Array[],
  query: Float32Array,
  k: number,
  may: (slot: number) => boolean = () => true,
): number[] {
  return all
    .map((vector, slot) => ({ slot, distance: trueDistance(metric, vector, query) }))
    .filter(({ slot }) => may(slot))
    .sort((a, b) => a.distance - b.distance || a.slot - b.slot)
    .slice(0, k)
    .map(({ slot }) => slot);
}

/** Share of the true ones that were found. */
export function recallOf(found: Iterable<number>, truth: readonly number[]): number {
  const set = new Set(found);
  return truth.filter((slot) => set.has(slot)).length / truth.length;
}
