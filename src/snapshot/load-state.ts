/**
 * Chunks into a fresh state. What is taken here was verified and stays packed until it is touched,
 * or unpacked ahead; contexts and first results are only registered as arenas, whose bytes come in
 * the same way. What verified and yet makes no sense was not written by this package, and is CORRUPT
 * all the same.
 */
import type { IdBucket } from '../base/id-bucket.ts';
import type { ArenaSource } from '../base/slab.ts';
import type { State } from '../state/state.ts';
import { ArenaMap } from './arena-map.ts';
import { DeletedReader } from './deleted-chunk.ts';
import { CollectionsReader } from './collection-chunks.ts';
import type { ChunkEntry, SnapshotHeader } from './file-layout.ts';
import { CHUNK, COLUMNS, KEY_COLUMNS } from './format.ts';
import { readBuckets } from './id-table-chunk.ts';
import { KeyRowsReader } from './key-rows.ts';
import { LazyRows } from './lazy-rows.ts';
import { readDefinitions, readMachines } from './machine-chunks.ts';
import { RowChunkReader } from './row-chunk-reader.ts';
import { SnapshotSeed, isOfIndexes } from './snapshot-seed.ts';

/** Slices of unpackMore(), each well below a millisecond. */
const SLICE_ROW_CHUNKS = 2;
const SLICE_BUCKETS = 16;
const SLICE_SEED = 16;

/** Chunks of these kinds are read when they are touched. */
export function isLate(kind: number): boolean {
  return kind === CHUNK.contexts || kind === CHUNK.results || isOfIndexes(kind);
}

export class StateLoader {
  private readonly state: State;
  private readonly header: SnapshotHeader;
  private readonly ids: ArenaMap;
  private readonly contexts: ArenaMap;
  private readonly keys: ArenaMap;
  private readonly results: ArenaMap;
  private readonly rowReader: RowChunkReader;
  private readonly rows: LazyRows;
  private readonly keyRows: LazyRows;
  private readonly buckets: IdBucket[] = [];
  private readonly keyBuckets: IdBucket[] = [];
  private readonly deleted: DeletedReader;
  readonly seed: SnapshotSeed;
  private rowsTaken = 0;
  private live = 0;
  private keysTaken = 0;
  private readonly collections: CollectionsReader;

  constructor(
    state: State,
    header: SnapshotHeader,
    entries: readonly ChunkEntry[],
    source: ArenaSource,
  ) {
    const { instances, keys } = state;
    const { heap } = instances;
    this.state = state;
    this.header = header;
    this.ids = new ArenaMap(heap, source, entries, CHUNK.ids);
    this.contexts = new ArenaMap(heap, source, entries, CHUNK.contexts);
    this.keys = new ArenaMap(keys.heap, source, entries, CHUNK.keys);
    this.results = new ArenaMap(keys.heap, source, entries, CHUNK.results);
    this.rowReader = new RowChunkReader(this.ids.arenas, this.contexts.arenas);
    this.rows = new LazyRows(instances.rows, COLUMNS.length, this.rowReader);
    const keyReader = new KeyRowsReader(this.keys.arenas, this.results.arenas, header.keys);
    this.keyRows = new LazyRows(keys.rows, KEY_COLUMNS.length, keyReader);
    this.deleted = new DeletedReader(header.deleted);
    this.collections = new CollectionsReader(state.collections);
    this.seed = new SnapshotSeed(entries, source, header.offset);
    instances.rows.restore(header.rows, this.rows);
    instances.free.fresh = header.rows;
    keys.restore(header.keys, this.keyRows);
  }

  /** The next chunk; the bytes must stay. False when it makes no sense. */
  take(chunk: number, { kind, count }: ChunkEntry, bytes: Buffer): boolean {
    const { machines } = this.state;
    switch (kind) {
      case CHUNK.definitions:
        return readDefinitions(bytes, count, machines);
      case CHUNK.machines:
        return readMachines(bytes, count, machines);
      case CHUNK.rows:
        return this.takeRows(bytes);
      case CHUNK.idTable:
        return readBuckets(bytes, count, this.buckets);
      case CHUNK.deleted:
        return this.deleted.read(bytes, count, this.header.rows);
      case CHUNK.keyRows:
        return this.takeKeyRows(bytes);
      case CHUNK.keyTable:
        return readBuckets(bytes, count, this.keyBuckets);
      case CHUNK.collections:
        return this.collections.readCollections(bytes, count);
      case CHUNK.entries:
        return this.collections.readEntries(bytes, count);
      default:
        return this.arenasOf(kind)?.fill(chunk, bytes) ?? false;
    }
  }

  private arenasOf(kind: number): ArenaMap | undefined {
    if (kind === CHUNK.ids) return this.ids;
    if (kind === CHUNK.contexts) return this.contexts;
    if (kind === CHUNK.keys) return this.keys;
    return kind === CHUNK.results ? this.results : undefined;
  }

  private takeRows(bytes: Buffer): boolean {
    const head = this.rows.take(bytes);
    if (head === undefined) return false;
    this.rowsTaken += head.rows;
    this.live += head.live;
    if (this.rowsTaken > this.header.rows) return false;
    if (head.live === head.rows) return true;
    for (const handle of this.rowReader.freeRows(bytes)) this.state.instances.free.release(handle);
    return true;
  }

  private takeKeyRows(bytes: Buffer): boolean {
    const head = this.keyRows.take(bytes);
    this.keysTaken += head?.rows ?? 0;
    return head !== undefined && head.live === head.rows;
  }

  /** Is it one of contexts or results that nobody touched yet? */
  isWaiting(chunk: number, { kind }: ChunkEntry): boolean {
    if (kind === CHUNK.contexts) return this.contexts.isWaiting(chunk);
    return kind === CHUNK.results && this.results.isWaiting(chunk);
  }

  /** Unpacks a slice of what nobody touched yet, and reads what is told of indexes; false when there is nothing left. */
  unpackMore(): boolean {
    if (this.rows.loadMore(SLICE_ROW_CHUNKS) || this.keyRows.loadMore(SLICE_ROW_CHUNKS))
      return true;
    const buckets = this.buckets.length > 0 ? this.buckets : this.keyBuckets;
    // One that was replaced meanwhile was unpacked before.
    for (const bucket of buckets.splice(-SLICE_BUCKETS)) bucket.unpack();
    if (this.buckets.length > 0 || this.keyBuckets.length > 0) return true;
    return this.seed.loadMore(SLICE_SEED);
  }

  /** After the last chunk that is not late. False when something is missing. */
  finish(): boolean {
    const { state, header, deleted } = this;
    const { instances, machines, keys } = state;
    const isWhole =
      this.rowsTaken === header.rows &&
      this.live === header.instances &&
      deleted.length === header.deleted &&
      machines.nextIndex === header.definitions &&
      this.keysTaken === header.keys &&
      this.collections.isWhole;
    if (!isWhole || !instances.ids.restore(header.hashKey, this.buckets)) return false;
    if (!keys.keys.restore(header.hashKey, this.keyBuckets)) return false;
    this.rows.link(deleted);
    instances.restoreDeleted(deleted.handles, deleted.times, deleted.offsets);
    instances.total = this.live;
    state.offset = header.offset;
    state.time = header.time;
    state.maxTime = header.maxTime;
    if (!this.seed.isEmpty) state.indexes.seed = this.seed;
    return instances.ids.size === header.instances && keys.keys.size === header.keys;
  }
}
