/**
 * Medians, percentiles, and a bounded record of latencies.
 */

/** @param {readonly number[]} values */
export function median(values) {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Keeps at most `capacity` latencies; beyond it every second one is dropped and half the rate kept. */
export class Latencies {
  /** @param {number} capacity */
  constructor(capacity = 1 << 16) {
    this.values = new Float64Array(capacity);
    this.length = 0;
    this.stride = 1;
    this.skipped = 0;
  }

  /** @param {number} ms */
  add(ms) {
    if (++this.skipped < this.stride) return;
    this.skipped = 0;
    if (this.length === this.values.length) this.thin();
    this.values[this.length++] = ms;
  }

  thin() {
    const half = this.length >> 1;
    for (let i = 0; i < half; i++) this.values[i] = this.values[i * 2];
    this.length = half;
    this.stride *= 2;
  }

  /** @param {number} fraction 0.5 is the median */
  percentile(fraction) {
    if (this.length === 0) return NaN;
    const sorted = this.values.slice(0, this.length).sort();
    return sorted[Math.min(this.length - 1, Math.floor(this.length * fraction))];
  }
}
