/** Distances and scores: what the kernel's keys mean, metric by metric. Nearer is always less. */
import type { Metric } from './options.ts';

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** The distance a key stands for: a float whose sign was turned so that keys sort as numbers. */
export function distanceOf(metric: Metric, key: number): number {
  word[0] = key >= 0x80000000 ? key ^ 0x80000000 : ~key;
  const value = float[0] ?? 0;
  // Rounding may leave the product of two unit vectors a little above 1.
  if (metric === 'cosine') return Math.max(0, 1 + value);
  return metric === 'euclidean' ? Math.sqrt(value) : value;
}

/**
 * The score of a distance, more being better: cosine 1 - distance; euclidean and manhattan
 * 1 / (1 + distance); dot the product itself, whose negative is the distance.
 */
export function scoreOf(metric: Metric, distance: number): number {
  if (metric === 'cosine') return 1 - distance;
  return metric === 'dot' ? -distance : 1 / (1 + distance);
}
