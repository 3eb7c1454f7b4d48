/**
 * Distances and scores, exactly: sums of 64-bit floats over 32-bit components, always in the same
 * order, so that the same vectors give the same bits everywhere. The reference for every index.
 */
import type { Metric } from './config.ts';

/** Euclidean length of from[start, end). */
export function normOf(from: Float32Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) {
    const x = from[i] as number;
    sum += x * x;
  }
  return Math.sqrt(sum);
}

/** From the query to `rows[start, start + query.length)`; `norms` is the product of their lengths, for cosine. */
export type Distance = (
  query: Float32Array,
  rows: Float32Array,
  start: number,
  norms: number,
) => number;

const cosine: Distance = (query, rows, start, norms) => {
  const cos = product(query, rows, start) / norms;
  // Rounding may carry it a little beyond what a cosine can be.
  return 1 - Math.min(1, Math.max(-1, cos));
};

const dot: Distance = (query, rows, start) => 0 - product(query, rows, start);

const euclidean: Distance = (query, rows, start) => {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = query.length & ~3;
  let i = 0;
  for (let at = start; i < whole; i += 4, at += 4) {
    const w = (query[i] as number) - (rows[at] as number);
    const x = (query[i + 1] as number) - (rows[at + 1] as number);
    const y = (query[i + 2] as number) - (rows[at + 2] as number);
    const z = (query[i + 3] as number) - (rows[at + 3] as number);
    a += w * w;
    b += x * x;
    c += y * y;
    d += z * z;
  }
  for (; i < query.length; i++) {
    const w = (query[i] as number) - (rows[start + i] as number);
    a += w * w;
  }
  return Math.sqrt(a + b + (c + d));
};

const manhattan: Distance = (query, rows, start) => {
  let [a, b] = [0, 0];
  const whole = query.length & ~1;
  let i = 0;
  for (let at = start; i < whole; i += 2, at += 2) {
    a += Math.abs((query[i] as number) - (rows[at] as number));
    b += Math.abs((query[i + 1] as number) - (rows[at + 1] as number));
  }
  if (i < query.length) a += Math.abs((query[i] as number) - (rows[start + i] as number));
  return a + b;
};

/** Four sums side by side: the processor adds them at once. */
function product(query: Float32Array, rows: Float32Array, start: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = query.length & ~3;
  let i = 0;
  for (let at = start; i < whole; i += 4, at += 4) {
    a += (query[i] as number) * (rows[at] as number);
    b += (query[i + 1] as number) * (rows[at + 1] as number);
    c += (query[i + 2] as number) * (rows[at + 2] as number);
    d += (query[i + 3] as number) * (rows[at + 3] as number);
  }
  for (; i < query.length; i++) a += (query[i] as number) * (rows[start + i] as number);
  return a + b + (c + d);
}

export const DISTANCES: Readonly<Record<Metric, Distance>> = { cosine, dot, euclidean, manhattan };

/** What is shown for a distance, the higher the closer. */
export function scoreOf(metric: Metric, distance: number): number {
  if (metric === 'cosine') return 1 - distance;
  return metric === 'dot' ? 0 - distance : 1 / (1 + distance);
}
