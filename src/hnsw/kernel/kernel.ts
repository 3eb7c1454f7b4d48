/**
 * The port between an index and what computes over its memory: the WebAssembly kernel
 * (assembly/main.ts) or the scalar one (scalar.ts). Both read their addresses from the header and
 * the working space in that memory, and leave the same bytes in it.
 */
import type { Metric } from '../options.ts';

export interface Kernel {
  /** Links a node, whose row and code are written, on its levels from `level` down to `bottom`. */
  insert(kind: number, slot: number, level: number, bottom: number, efConstruction: number): void;
  /** Gives a node `most` links of level 0: the first `own` of the list's n slots, and a choice of the others. */
  relink(kind: number, slot: number, own: number, n: number, most: number): void;
  /**
   * Searches the graph for the query in place, `width` nodes wide; of codes the nearest `again` are ranked
   * by rows. Answers are in the pool or, at most `limit` that pass, in the results. Returns how many were found
   * before ranking, of passing ones those no farther than the pool reaches.
   */
  search(kind: number, width: number, limit: number, again: number, isFiltered: number): number;
  /** Compares the query in place with every node whose bit is set in the first `words` words of passing. */
  scan(kind: number, words: number, limit: number, again: number): number;
  /** Keys of the first n slots of the list, by full rows. */
  rowKeys(kind: number, n: number): void;
  /** Writes the codes of the rows from `from` to `to`, exclusive. */
  encodeRows(from: number, to: number): void;
}

/** Bytes that can grow; views of `buffer` are stale afterwards. */
export interface KernelMemory {
  readonly buffer: ArrayBufferLike;
  /** Makes it at least so long. Throws when the system has no more. */
  growTo(bytes: number): void;
}

export interface LoadedKernel {
  readonly name: 'simd' | 'scalar';
  readonly memory: KernelMemory;
  readonly kernel: Kernel;
}

const METRIC_KIND: Readonly<Record<Metric, number>> = {
  cosine: 0,
  dot: 0,
  euclidean: 1,
  manhattan: 2,
};
const QUANTIZED_KINDS = 3;

/** The number of a combination: dot 0, squared 1, absolute 2; 3 more for codes. */
export function kindOf(metric: Metric, isQuantized: boolean): number {
  return METRIC_KIND[metric] + (isQuantized ? QUANTIZED_KINDS : 0);
}

/** The kind that reads rows alone. */
export function rowKindOf(metric: Metric): number {
  return METRIC_KIND[metric];
}
