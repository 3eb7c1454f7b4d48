/**
 * Entry point `pawl/hnsw`: the vector index alone, in memory, over slots instead of ids. Needs no
 * store, no disk and no Node API.
 */
export { isStoreError, StoreError } from '../base/errors.ts';
export { NO_SLOT } from './compact.ts';
export { scoreOf } from './metric.ts';
export type { Metric, Quantization, VectorIndexOptions } from './options.ts';
export type { SearchAnswer } from './search.ts';
export type { Vector } from './vector.ts';
export { VectorIndex, createVectorIndex, loadVectorIndex } from './vector-index.ts';
export type { SearchOptions, VectorIndexStats } from './vector-index.ts';
