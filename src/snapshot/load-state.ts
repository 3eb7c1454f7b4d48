/**
 * Chunks into a fresh state. What is taken here was verified and stays packed until it is touched,
 * or unpacked ahead; contexts are only registered as arenas, whose bytes come in the same way. What
 * verified and yet makes no sense was not written by this package, and is CORRUPT all the same.
 */
import type { IdBucket } from '../base/id-bucket.ts';
import type { ArenaSource } from '../base/slab.ts';
import type { State } from '../state/state.ts';
import { ArenaMap } from './arena-map.ts';
import type { ChunkEntry, SnapshotHeader } from './file-layout.ts';
import { CHUNK } from './format.ts';
import { readBuckets } from './id-table-chunk.ts';
import { DeletedReader, readKeys } from './key-chunk.ts';
import { LazyRows } from './lazy-rows.ts';
import { readDefinitions, readMachines } from './machine-chunks.ts';

/** Slices of loadMore(), each well below a millisecond when the page cache has the file. */
const SLICE_ROW_CHUNKS = 2;
const SLICE_BUCKETS = 16;
const SLICE_ARENAS = 8;

export class StateLoader {
  readonly contexts: ArenaMap;
  private readonly rows: LazyRows;
  private readonly state: State;
  private readonly header: SnapshotHeader;
  private readonly ids: ArenaMap;
  private readonly buckets: IdBucket[] = [];
  private readonly deleted: DeletedReader;
  private rowsTaken = 0;
  private live = 0;

  constructor(
    state: State,
    header: SnapshotHeader,
    entries: readonly ChunkEntry[],
    source: ArenaSource,
  ) {
    const { heap, rows, free } = state.instances;
    this.state = state;
    this.header = header;
    this.ids = new ArenaMap(heap, source, entries, CHUNK.ids);
    this.contexts = new ArenaMap(heap, source, entries, CHUNK.contexts);
    this.rows = new LazyRows(rows, { ids: this.ids.arenas, contexts: this.contexts.arenas });
    this.deleted = new DeletedReader(header.deleted);
    rows.restore(header.rows, this.rows);
    free.fresh = header.rows;
  }

  /** The next chunk that is none of contexts; the bytes must stay. False when it makes no sense. */
  take(chunk: number, { kind, count }: ChunkEntry, bytes: Buffer): boolean {
    const { machines, keys } = this.state;
    switch (kind) {
      case CHUNK.definitions:
        return readDefinitions(bytes, count, machines);
      case CHUNK.machines:
        return readMachines(bytes, count, machines);
      case CHUNK.rows:
        return this.takeRows(bytes);
      case CHUNK.ids:
        this.ids.fill(chunk, bytes);
        return true;
      case CHUNK.idTable:
        return readBuckets(bytes, count, this.buckets);
      case CHUNK.deleted:
        return this.deleted.read(bytes, count, this.header.rows);
      default:
        readKeys(bytes, count, keys);
        return true;
    }
  }

  private takeRows(bytes: Buffer): boolean {
    const head = this.rows.take(bytes);
    if (head === undefined) return false;
    this.rowsTaken += head.rows;
    this.live += head.live;
    if (this.rowsTaken > this.header.rows) return false;
    if (head.live === head.rows) return true;
    for (const handle of this.rows.freeRows(bytes)) this.state.instances.free.release(handle);
    return true;
  }

  /** Unpacks or loads a slice of what nobody touched yet; false when there is nothing left. */
  loadMore(): boolean {
    if (this.rows.loadMore(SLICE_ROW_CHUNKS)) return true;
    // One that was replaced meanwhile was unpacked before.
    for (const bucket of this.buckets.splice(-SLICE_BUCKETS)) bucket.unpack();
    return this.buckets.length > 0 || this.contexts.loadMore(SLICE_ARENAS);
  }

  /** After the last chunk. False when something is missing. */
  finish(): boolean {
    const { state, header, deleted } = this;
    const { instances, machines, keys } = state;
    const isWhole =
      this.rowsTaken === header.rows &&
      this.live === header.instances &&
      deleted.length === header.deleted &&
      machines.nextIndex === header.definitions &&
      keys.size === header.keys;
    if (!isWhole || !instances.ids.restore(header.hashKey, this.buckets)) return false;
    this.rows.link(deleted);
    instances.restoreDeleted(deleted.handles, deleted.times, deleted.offsets);
    instances.total = this.live;
    state.offset = header.offset;
    state.time = header.time;
    state.maxTime = header.maxTime;
    return instances.ids.size === header.instances;
  }
}
