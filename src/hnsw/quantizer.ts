/**
 * Steps between the codes of a byte, learnt from a sample of the rows. What lies outside the sample's
 * range is clipped: walking goes by codes, ranking by rows, so clipping costs recall and never a distance.
 */
import { type Layout, rowAt } from './layout.ts';

const SAMPLE = 1024;
const CODE_LIMIT = 127;
/** So that it stays a finite 32-bit float. */
const MAX_INVERSE = 2 ** 127;
/** A dimension that is nearly always 0 gets at least this share of the average range. */
const LEAST_SHARE = 0.25;
/** Learnt again whenever the rows have become four times as many, until there are so many. */
const LAST_TRAINING = 16_384;

/** Is it time to learn the steps (anew) when there are so many rows? */
export function isTrainingDue(rows: number): boolean {
  return rows <= LAST_TRAINING && Number.isInteger(Math.log2(rows) / 2);
}

/** Writes offsets, steps, their inverses and the weights of pairs for the first `count` rows. */
export function train(layout: Layout, buffer: ArrayBufferLike, count: number): void {
  const { dimensions } = layout.settings;
  const least = new Float32Array(dimensions).fill(Infinity);
  const most = new Float32Array(dimensions).fill(-Infinity);
  const rows = Math.min(count, SAMPLE);
  for (let i = 0; i < rows; i++) {
    const slot = Math.floor((i * count) / rows);
    const row = new Float32Array(buffer, rowAt(layout, slot), dimensions);
    for (let d = 0; d < dimensions; d++) {
      const x = row[d] ?? 0;
      if (x < (least[d] ?? 0)) least[d] = x;
      if (x > (most[d] ?? 0)) most[d] = x;
    }
  }
  const { metric } = layout.settings;
  if (metric === 'cosine' || metric === 'dot') trainSteps(layout, buffer, least, most);
  else trainRange(layout, buffer, least, most);
}

/** A step of its own for each dimension around 0; pairs are weighted by its square. */
function trainSteps(
  layout: Layout,
  buffer: ArrayBufferLike,
  least: Float32Array,
  most: Float32Array,
): void {
  const { dimensions } = layout.settings;
  const { steps, inverses, weights } = viewsOf(layout, buffer);
  let sum = 0;
  for (let d = 0; d < dimensions; d++) {
    const range = Math.max(-(least[d] ?? 0), most[d] ?? 0, 0);
    steps[d] = range;
    sum += range;
  }
  const floor = sum === 0 ? 1 : (LEAST_SHARE * sum) / dimensions;
  let largest = 0;
  for (let d = 0; d < dimensions; d++) {
    const step = Math.max(steps[d] ?? 0, floor) / CODE_LIMIT;
    steps[d] = step;
    inverses[d] = Math.min(1 / step, MAX_INVERSE);
    largest = Math.max(largest, step);
  }
  for (let d = 0; d < dimensions; d++) {
    const share = (steps[d] ?? 0) / largest;
    weights[d] = Math.round(layout.queryLimit * share * share);
  }
}

/** One step for all dimensions, each around the middle of its own range. */
function trainRange(
  layout: Layout,
  buffer: ArrayBufferLike,
  least: Float32Array,
  most: Float32Array,
): void {
  const { dimensions } = layout.settings;
  const { offsets, inverses } = viewsOf(layout, buffer);
  let widest = 0;
  let isWhole = true;
  for (let d = 0; d < dimensions; d++) {
    const [low, high] = [least[d] ?? 0, most[d] ?? 0];
    offsets[d] = Math.round((low + high) / 2);
    isWhole &&= Number.isInteger(low) && Number.isInteger(high);
    widest = Math.max(widest, (high - low) / 2);
  }
  // Small whole numbers, as images and counts are, keep their exact values.
  if (isWhole && widest <= CODE_LIMIT) {
    inverses.fill(1, 0, dimensions);
    return;
  }
  for (let d = 0; d < dimensions; d++) offsets[d] = ((least[d] ?? 0) + (most[d] ?? 0)) / 2;
  inverses.fill(widest === 0 ? 1 : Math.min(CODE_LIMIT / widest, MAX_INVERSE), 0, dimensions);
}

function viewsOf(layout: Layout, buffer: ArrayBufferLike) {
  const floats = (at: number): Float32Array =>
    new Float32Array(buffer, at, layout.paddedDimensions);
  return {
    offsets: floats(layout.offsets),
    inverses: floats(layout.inverses),
    steps: floats(layout.steps),
    weights: new Int16Array(buffer, layout.weights, layout.paddedDimensions),
  };
}
