/**
 * What callers hold of collections. A handle names its collection and looks it up at every call, so
 * that one that was dropped is told as such; with a scope it reaches nothing outside it.
 */
import type { Clock } from '../../base/clock.ts';
import { badRequest } from '../../base/errors.ts';
import type { Thread } from '../../base/thread.ts';
import type { Collection as StoredCollection } from '../../vector/collection.ts';
import type {
  Collection,
  CollectionConfig,
  CollectionReader,
  CollectionReads,
  Collections,
  CountOptions,
  Match,
  Scope,
  SearchQuery,
  VectorEntry,
} from '../api/collection.ts';
import type { Reads } from '../reads.ts';
import { checkName } from '../write-options.ts';
import { type Place, unknownCollection } from './commands.ts';
import { entryAt, metadataAt } from './entries.ts';
import { checkFits } from './entry-input.ts';
import { EntryTest } from './entry-test.ts';
import { exactSearch, type Found } from './exact-search.ts';
import { type CheckedSearch, checkCount, checkSearch } from './query-input.ts';
import { checkBound, checkScope } from './scope.ts';
import type { CollectionWrites } from './writes.ts';

export interface CollectionSource {
  readonly reads: Reads;
  readonly clock: Clock;
  readonly thread: Thread;
}

/** Rows of an export between two turns of others. */
const EXPORT_ROWS = 256;

export function collectionReads({ reads }: CollectionSource): CollectionReads {
  return {
    list: (prefix = ''): string[] => {
      reads.admit();
      if (typeof prefix !== 'string')
        throw badRequest('prefix must be a string', 'prefix', 'string');
      const names = reads.state.collections.all().map(({ name }) => name);
      return names.filter((name) => name.startsWith(prefix)).sort();
    },
  };
}

export function collections(source: CollectionSource, writes: CollectionWrites): Collections {
  const handle = (name: string): never =>
    collectionHandle(source, writes, { name, scope: undefined }) as never;
  return {
    ...collectionReads(source),
    open: (name: string, config: CollectionConfig): Promise<never> =>
      writes.create(name, config, true).then(() => handle(name)),
    create: (name: string, config: CollectionConfig): Promise<never> =>
      writes.create(name, config, false).then(() => handle(name)),
    delete: (name: string): Promise<boolean> => writes.drop(name),
  };
}

/** @throws {StoreError} COLLECTION_NOT_FOUND, STORE_CLOSED */
export function collectionReader(source: CollectionSource, name: string): CollectionReader {
  const place = { name: checkName(name, 'name'), scope: undefined };
  visible(source, place);
  return new Reader(source, place);
}

/** The same, of a collection that may wait for the disk. */
export function knownCollection(
  source: CollectionSource,
  writes: CollectionWrites,
  name: string,
): Collection {
  source.reads.admit();
  const { collections: all } = source.reads.state;
  checkName(name, 'name');
  if (all.visible(name) === undefined && all.decided(name) === undefined)
    throw unknownCollection(name);
  return collectionHandle(source, writes, { name, scope: undefined });
}

function collectionHandle(
  source: CollectionSource,
  writes: CollectionWrites,
  place: Place,
): Collection {
  const reader = new Reader(source, place);
  return {
    name: place.name,
    get: (id) => reader.get(id),
    search: (query) => reader.search(query),
    searchAsync: (query) => reader.searchAsync(query),
    count: (options) => reader.count(options),
    stats: () => reader.stats(),
    export: () => reader.export(),
    scoped: (scope: Scope) => {
      const text = checkScope(scope, 'scope');
      checkBound(text, 'scope', place.scope);
      return collectionHandle(source, writes, { ...place, scope: text });
    },
    insert: (entries, options) => writes.put(place, entries, options, false),
    upsert: (entries, options) => writes.put(place, entries, options, true),
    updateMetadata: (id, metadata, options) => writes.updateMetadata(place, id, metadata, options),
    delete: (ids, options) => writes.delete(place, ids, options),
    deleteScope: (scope, options) => writes.deleteScope(place, scope, options),
  };
}

function visible({ reads }: CollectionSource, { name }: Place): StoredCollection {
  reads.admit();
  const found = reads.state.collections.visible(name);
  if (found === undefined) throw unknownCollection(name);
  return found;
}

class Reader implements CollectionReader {
  readonly name: string;
  private readonly source: CollectionSource;
  private readonly place: Place;

  constructor(source: CollectionSource, place: Place) {
    this.source = source;
    this.place = place;
    this.name = place.name;
  }

  get(id: string): VectorEntry | undefined {
    const collection = visible(this.source, this.place);
    if (typeof id !== 'string') throw badRequest('id must be a string', 'id', 'string');
    const handle = collection.ids.get(id);
    return handle >= 0 && this.isShown(collection, handle)
      ? entryAt(collection, handle)
      : undefined;
  }

  search(input: SearchQuery): Match[] {
    this.source.reads.admit();
    const query = checkSearch(input, this.place.scope);
    return this.matches(query);
  }

  /** The arguments are read now, the entries in a turn to come. */
  async searchAsync(input: SearchQuery): Promise<Match[]> {
    this.source.reads.admit();
    const query = checkSearch(input, this.place.scope);
    await nextTurn(this.source.thread);
    return this.matches(query);
  }

  private matches(query: CheckedSearch): Match[] {
    const collection = visible(this.source, this.place);
    checkFits(query.vector, collection.config, 'query.vector');
    return exactSearch(collection, query, this.now).map((found) => match(collection, found, query));
  }

  count(options?: CountOptions): number {
    this.source.reads.admit();
    const selection = checkCount(options, this.place.scope);
    const collection = visible(this.source, this.place);
    const test = new EntryTest(collection, selection, this.now);
    let count = 0;
    for (let handle = 0; handle < collection.rows.rows; handle++) {
      if (test.isCandidate(handle) && test.passesFilter(handle)) count++;
    }
    return count;
  }

  stats(): Readonly<Record<string, number>> {
    const collection = visible(this.source, this.place);
    const { total, scopes, config, vectors, rows, heap } = collection;
    return {
      entries: total,
      scopes: scopes.size,
      dimensions: config.dimensions,
      bytes: collection.memoryBytes,
      vectorBytes: vectors.memoryBytes,
      rowBytes: rows.memoryBytes,
      heapBytes: heap.reservedBytes,
    };
  }

  async *export(): AsyncGenerator<VectorEntry, void, undefined> {
    const collection = visible(this.source, this.place);
    for (let handle = 0; handle < collection.rows.rows; handle++) {
      if (handle > 0 && handle % EXPORT_ROWS === 0) await nextTurn(this.source.thread);
      if (visible(this.source, this.place) !== collection) throw unknownCollection(this.name);
      if (collection.isLive(handle) && this.isShown(collection, handle))
        yield entryAt(collection, handle);
    }
  }

  private get now(): number {
    return Math.trunc(this.source.clock.now());
  }

  /** Not over, and within reach of the handle. */
  private isShown(collection: StoredCollection, handle: number): boolean {
    if (collection.expiresAt(handle) <= this.now) return false;
    const { scope } = this.place;
    return scope === undefined || collection.scopes.textOf(collection.scope(handle)) === scope;
  }
}

function nextTurn(thread: Thread): Promise<void> {
  return new Promise((resolve) => {
    thread.nextTurn(resolve);
  });
}

function match(collection: StoredCollection, found: Found, query: CheckedSearch): Match {
  const { handle, score, distance } = found;
  const metadata = query.includeMetadata ? metadataAt(collection, handle) : undefined;
  return {
    id: collection.idText(handle),
    score,
    distance,
    ...(metadata === undefined ? {} : { metadata: metadata as NonNullable<Match['metadata']> }),
    ...(query.includeVector ? { vector: collection.vectorOf(handle) } : {}),
  };
}
