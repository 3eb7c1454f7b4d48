/**
 * The public face of an index: checks arguments, then lets the graph do the work. It computes on
 * the calling thread, from memory, and touches no disk; what it is given is copied.
 */
import { StoreError, badRequest } from '../base/errors.ts';
import { compact } from './compact.ts';
import { savedBytes, savedChunks } from './saved.ts';
import { GraphLoader } from './graph-loader.ts';
import { intersect } from './bitmap.ts';
import { Graph } from './graph.ts';
import {
  MAX_ELEMENTS,
  MAX_WIDTH,
  type Metric,
  type Settings,
  type VectorIndexOptions,
  integer,
  settingsOf,
} from './options.ts';
import { type SearchAnswer, searchGraph } from './search.ts';
import { type Vector, readVector } from './vector.ts';

export interface SearchOptions {
  /** Width of the search: more finds more and takes longer. 1 to 4,096, default `efSearch` of the index. */
  ef?: number | undefined;
  /** Slots that may be answers: bit i % 32 of word i >> 5. Missing words are zeros. */
  filter?: Uint32Array | undefined;
  /** Compare with every vector: slow, and never misses. */
  exact?: boolean | undefined;
}

/** What an index says of itself. Bytes are those of its memory; its working space is in them. */
export interface VectorIndexStats {
  readonly vectors: number;
  readonly deleted: number;
  readonly bytes: number;
  readonly levels: number;
  readonly kernel: 'simd' | 'scalar';
  /** Distances computed since the last call of `stats`. */
  readonly distances: number;
}

/**
 * An approximate nearest-neighbour index over vectors that get numbers (slots) in the order they are
 * added. Make one with {@link createVectorIndex}.
 */
export class VectorIndex {
  readonly #graph: Graph;

  /** @internal Use createVectorIndex or loadVectorIndex. */
  constructor(graph: Graph) {
    this.#graph = graph;
  }

  get dimensions(): number {
    return this.#settings.dimensions;
  }

  get metric(): Metric {
    return this.#settings.metric;
  }

  /** Vectors that are not deleted. */
  get size(): number {
    return this.#graph.count - this.#graph.deleted;
  }

  /** Slots given so far: those of deleted vectors are not given again. */
  get slots(): number {
    return this.#graph.count;
  }

  get #settings(): Settings {
    return this.#graph.layout.settings;
  }

  /**
   * Adds a vector and returns its slot. Under cosine it is stored with length 1.
   * @throws {StoreError} DIMENSION_MISMATCH - another number of components; INVALID_VECTOR - empty, a
   * component that is not a finite 32-bit float, or zeros under cosine; QUOTA_EXCEEDED - no room.
   * Nothing is stored then.
   */
  add(vector: Vector): number {
    readVector(vector, this.metric, this.#graph.query);
    return this.#graph.append();
  }

  /**
   * The nearest `k` of the vectors that are neither deleted nor refused by the filter; all of them when
   * there are fewer. Approximate, except where a scan is cheaper than the graph.
   * @throws {StoreError} BAD_REQUEST - k or an option is out of bounds; and as {@link add} for the vector.
   */
  search(vector: Vector, k: number, options: SearchOptions = {}): SearchAnswer {
    const graph = this.#graph;
    if (!Number.isInteger(k) || k < 1)
      throw badRequest(`k is ${String(k)}`, 'k', 'an integer from 1');
    const ef = integer('ef', options.ef ?? this.#settings.efSearch, 1, MAX_WIDTH);
    const { filter, exact = false } = options;
    if (filter !== undefined && !(filter instanceof Uint32Array))
      throw badRequest('the filter is no bitmap', 'filter', 'a Uint32Array');
    readVector(vector, this.metric, graph.query);
    const words = graph.passing.subarray(0, Math.ceil(graph.count / 32));
    const passing = filter === undefined ? undefined : intersect(graph.live, filter, words);
    return searchGraph(graph, { k: Math.min(k, MAX_ELEMENTS), ef, passing, exact });
  }

  /** Deletes a vector: no search returns it any more. False when it was deleted before, or never added. */
  markDeleted(slot: number): boolean {
    return this.#graph.markDeleted(slot);
  }

  /** Is the slot given, and its vector not deleted? */
  has(slot: number): boolean {
    return this.#graph.isLive(slot);
  }

  /** A copy of the vector as it is stored, also of a deleted one. */
  vector(slot: number): Float32Array {
    const graph = this.#graph;
    if (!Number.isInteger(slot) || slot < 0 || slot >= graph.count)
      throw new StoreError('VECTOR_NOT_FOUND', `there is no slot ${String(slot)}`, {
        details: { slot },
      });
    return new Float32Array(graph.row(slot));
  }

  /**
   * A copy without the deleted vectors, its nodes in the order a search meets them, so that what is read
   * together lies together; and which slot each of this index's has there, {@link NO_SLOT} for deleted ones.
   * Takes a small part of the time of building, or as long when more than a third is deleted. This index stays as it is.
   */
  optimize(): { readonly index: VectorIndex; readonly slots: Uint32Array } {
    const { graph, slots } = compact(this.#graph);
    return { index: new VectorIndex(graph), slots };
  }

  /** Bytes of {@link save} in all. */
  get savedBytes(): number {
    return savedBytes(this.#graph);
  }

  /**
   * The index as bytes, in chunks of up to 1 MiB that are the caller's: the same for the same settings, vectors and
   * deletions, whatever the machine. Nothing guards them: add a checksum. The index must not change meanwhile.
   * @throws {StoreError} CONFLICT - it has changed since the first chunk.
   */
  save(): Iterable<Uint8Array> {
    return savedChunks(this.#graph);
  }

  stats(): VectorIndexStats {
    const graph = this.#graph;
    return {
      vectors: this.size,
      deleted: graph.deleted,
      bytes: graph.loaded.memory.buffer.byteLength,
      levels: graph.count === 0 ? 0 : graph.topLevel + 1,
      kernel: graph.loaded.name,
      distances: graph.takeDistances(),
    };
  }
}

/**
 * An empty index in memory.
 *
 * @example
 * const index = createVectorIndex({ dimensions: 3, metric: 'cosine' });
 * const slot = index.add([1, 0, 0]);
 * const { slots, distances } = index.search([1, 0.1, 0], 10);
 *
 * @throws {StoreError} BAD_REQUEST - an option is malformed; UNSUPPORTED - a quantization that is not there
 * yet, or kernel 'simd' without an engine that has it.
 */
export function createVectorIndex(options: VectorIndexOptions): VectorIndex {
  return new VectorIndex(new Graph(settingsOf(options), options.kernel ?? 'auto'));
}

/**
 * The index that {@link VectorIndex.save} wrote, from its bytes in order, in chunks of any size: copied into memory
 * and checked, nothing is built. It goes on as the saved one would have.
 * @throws {StoreError} CORRUPT - bytes are missing, too many, or link to what is not there; FORMAT_UNSUPPORTED -
 * they are of a later version; UNSUPPORTED - kernel 'simd' without an engine that has it.
 */
export function loadVectorIndex(
  chunks: Iterable<Uint8Array>,
  options: Pick<VectorIndexOptions, 'kernel'> = {},
): VectorIndex {
  const loader = new GraphLoader(options.kernel ?? 'auto');
  for (const chunk of chunks) loader.write(chunk);
  return new VectorIndex(loader.end());
}
