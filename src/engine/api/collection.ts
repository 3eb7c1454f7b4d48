/** Public types of vector collections; docs/collections.md says what they mean. */
import type { Data } from '../../machine/definition.ts';
import type { WriteOptions } from './instance.ts';
import type { Filter, Range } from './query.ts';

export type Vector = Float32Array | readonly number[];
export type ScopeKind =
  | 'user'
  | 'session'
  | 'agent'
  | 'tool'
  | 'workflow'
  | 'hook'
  | 'custom'
  | 'tenant';
export type Scope = 'global' | { readonly kind: ScopeKind; readonly id: string };

export interface CollectionConfig {
  /** Components of a vector, 1 to 65,536. */
  dimensions: number;
  metric: 'cosine' | 'euclidean' | 'dot' | 'manhattan';
  /** Of the graph index, which is not built yet: kept, and without effect on exact search. */
  m?: number | undefined;
  efConstruction?: number | undefined;
  efSearch?: number | undefined;
  /** More entries than this are QUOTA_EXCEEDED. Default: unlimited. */
  maxElements?: number | undefined;
  seed?: number | undefined;
  /** 'float16' and 'binary' are not supported yet. Default 'int8'; search is exact with either of the others. */
  quantization?: 'none' | 'float16' | 'int8' | 'binary' | undefined;
  /** Not supported yet when false. */
  residentVectors?: boolean | undefined;
  /** Metadata paths; kept. Filters on any path are answered by a scan for now. */
  indexes?: readonly string[] | undefined;
  /** Not supported yet. */
  matryoshka?: { dimensions: number; rerank?: boolean | undefined } | undefined;
  /** Not supported yet. */
  quotas?:
    | {
        vectors?: number | undefined;
        bytes?: number | undefined;
        queriesPerSecond?: number | undefined;
      }
    | undefined;
}

export interface VectorInput<T extends object = Data> {
  /** Default: a new one, in order of time. */
  id?: string | undefined;
  vector: Vector;
  metadata?: T | undefined;
  /** Default: that of the handle, which is 'global'. */
  scope?: Scope | undefined;
  /** When what it describes happened, in milliseconds. */
  eventTime?: number | undefined;
  /** Invisible so long after this call, then dropped. Not with `expiresAt`. */
  ttlMs?: number | undefined;
  /** Invisible from this instant on, in milliseconds, then dropped. */
  expiresAt?: number | undefined;
}

export interface VectorEntry<T extends object = Data> {
  readonly id: string;
  /** A copy. */
  readonly vector: Float32Array;
  readonly metadata?: T;
  readonly scope: Scope;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly eventTime?: number;
  readonly expiresAt?: number;
}

export interface SearchQuery {
  vector: Vector;
  /** At least 1; at most so many matches come back. */
  k: number;
  filter?: Filter | undefined;
  /** Default: that of the handle, which is 'global'. 'all' must be asked for by name. */
  scope?: Scope | readonly Scope[] | 'all' | undefined;
  /** Only matches with this score or a higher one. */
  threshold?: number | undefined;
  efSearch?: number | undefined;
  exact?: boolean | undefined;
  /** An entry without an event time matches no such range. */
  eventTime?: Range | undefined;
  /** Of `createdAt`. */
  ingestedAt?: Range | undefined;
  /** Default false. */
  includeVector?: boolean | undefined;
  /** Default true. */
  includeMetadata?: boolean | undefined;
}

export interface Match<T extends object = Data> {
  readonly id: string;
  readonly score: number;
  readonly distance: number;
  readonly metadata?: T;
  readonly vector?: Float32Array;
}

export interface CountOptions {
  filter?: Filter | undefined;
  scope?: Scope | readonly Scope[] | 'all' | undefined;
}

export interface CollectionReader<T extends object = Data> {
  readonly name: string;
  get(id: string): VectorEntry<T> | undefined;
  /** Best score first, ties by id. Synchronous: it computes on the calling thread, from memory. */
  search(query: SearchQuery): Match<T>[];
  /** The same, in a turn of its own. */
  searchAsync(query: SearchQuery): Promise<Match<T>[]>;
  count(options?: CountOptions): number;
  stats(): Readonly<Record<string, number>>;
  /** Every entry; one that does not change meanwhile comes exactly once. Of a scoped handle: those of its scope. */
  export(): AsyncIterable<VectorEntry<T>>;
}

export interface MetadataOptions extends WriteOptions {
  /** 'merge' (default) is shallow, as with contexts. */
  mode?: 'merge' | 'replace' | undefined;
}

export interface DeletedVectors {
  readonly deleted: readonly string[];
  readonly missing: readonly string[];
}

export interface Collection<T extends object = Data> extends CollectionReader<T> {
  /** A handle whose writes and reads all use this scope; entries of others are absent to it. */
  scoped(scope: Scope): Collection<T>;
  /** Ids in the order of the entries. All or nothing. @throws {StoreError} VECTOR_EXISTS, DIMENSION_MISMATCH, INVALID_VECTOR, QUOTA_EXCEEDED */
  insert(entries: readonly VectorInput<T>[], options?: WriteOptions): Promise<string[]>;
  /** As insert, but an entry that exists is replaced whole; its createdAt stays. */
  upsert(entries: readonly VectorInput<T>[], options?: WriteOptions): Promise<string[]>;
  /** @throws {StoreError} VECTOR_NOT_FOUND */
  updateMetadata(id: string, metadata: Partial<T>, options?: MetadataOptions): Promise<void>;
  delete(ids: readonly string[], options?: WriteOptions): Promise<DeletedVectors>;
  /** How many entries were in the scope, all deleted now. */
  deleteScope(scope: Scope, options?: WriteOptions): Promise<number>;
}

export interface CollectionReads {
  /** Names, sorted. */
  list(prefix?: string): string[];
}

export interface Collections extends CollectionReads {
  /**
   * Gives the handle; creates the collection if absent. CONFLICT ('configuration') if it exists with another one.
   *
   * @throws {StoreError} BAD_REQUEST, CONFLICT, UNSUPPORTED
   * @example
   * const docs = await store.collections.open('docs', { dimensions: 3, metric: 'cosine' });
   */
  open<T extends object = Data>(name: string, config: CollectionConfig): Promise<Collection<T>>;
  /** As open, but COLLECTION_EXISTS. */
  create<T extends object = Data>(name: string, config: CollectionConfig): Promise<Collection<T>>;
  /** The collection and all in it. False: there was none. */
  delete(name: string): Promise<boolean>;
}

/** Same names as outside; synchronous, and sees the writes before it. */
export interface TransactionCollection<T extends object = Data> {
  get(id: string): VectorEntry<T> | undefined;
  insert(entries: readonly VectorInput<T>[]): void;
  upsert(entries: readonly VectorInput<T>[]): void;
  updateMetadata(
    id: string,
    metadata: Partial<T>,
    options?: { mode?: 'merge' | 'replace' | undefined },
  ): void;
  delete(ids: readonly string[]): DeletedVectors;
}
