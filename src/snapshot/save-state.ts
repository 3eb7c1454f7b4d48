/**
 * A state as chunks: a walk over all handles in order, in slices, each adding rows, ids and contexts,
 * between what comes before the instances and what comes behind them.
 */
import { ROW_FLAG } from '../instance/row.ts';
import type { State } from '../state/state.ts';
import type { ByteWriter } from '../base/bytes.ts';
import { ArenaWriter } from './arena-writer.ts';
import type { ChunkSink } from './chunk-sink.ts';
import { CHUNK, CHUNK_BYTES, type ChunkKind } from './format.ts';
import { writeBucket } from './id-table-chunk.ts';
import { type DeletedEntry, writeDeleted } from './deleted-chunk.ts';
import { IndexColumnsWriter } from './index-columns.ts';
import { addKeys } from './save-keys.ts';
import type { IdTable } from '../base/id-table.ts';
import { invariant } from '../base/assert.ts';
import { addCollections } from './collection-chunks.ts';
import { writeDefinition, writeMachine } from './machine-chunks.ts';
import { RowChunkWriter } from './row-chunk.ts';
import { StreamedArenas } from './streamed-arenas.ts';

/** Rows of a slice: well below a millisecond. */
const SLICE_ROWS = 1024;
/** Other entries of a slice. */
const SLICE_ENTRIES = 512;

export type Pause = (rowsDone: number) => Promise<void>;

/** Adds everything to the sink, in slices; `pause` is awaited after each. */
export async function saveState(state: State, sink: ChunkSink, pause: Pause): Promise<void> {
  const { machines, instances, keys } = state;
  const { rows } = instances.rows;
  const definitions = machines.all().filter((one) => one.isApplied);
  const groups = new Set(definitions.map((one) => one.machine));
  await addList(sink, CHUNK.definitions, definitions, writeDefinition, pause, 0);
  await sink.flush();
  await addList(sink, CHUNK.machines, groups, writeMachine, pause, 0);
  const indexed = new IndexColumnsWriter(
    groups,
    instances.contexts,
    instances.ids.hashKey,
    state.indexes.seed,
  );
  await addInstances(state, sink, indexed, pause);
  indexed.end(sink);
  await sink.drain();
  const rest = (): Promise<void> => pause(rows);
  await addBuckets(sink, CHUNK.idTable, instances.ids, rows, (handle) => handle, rest);
  await addList(sink, CHUNK.deleted, deletedOf(state), writeDeleted, pause, rows);
  // One key in the header serves both tables.
  const isSameKey = Buffer.compare(keys.keys.hashKey, instances.ids.hashKey) === 0;
  invariant(isSameKey, 'ids and keys are hashed alike');
  const numbers = await addKeys(keys, sink, rest);
  const numberOf = (handle: number): number => numbers[handle] as number;
  await addBuckets(sink, CHUNK.keyTable, keys.keys, keys.size, numberOf, rest);
  await addCollections(state.collections, sink, rest);
}

function* deletedOf(state: State): IterableIterator<DeletedEntry> {
  const { instances } = state;
  let handle = instances.oldestDeleted;
  for (let i = 0; handle >= 0; i++, handle = instances.deletedAfter(handle))
    yield { handle, time: instances.deleted.timeAt(i), offset: instances.deleted.offsetAt(i) };
}

/** Entries one behind the other, in chunks. */
async function addList<T>(
  sink: ChunkSink,
  kind: ChunkKind,
  entries: Iterable<T>,
  write: (out: ByteWriter, entry: T) => void,
  pause: Pause,
  rowsDone: number,
): Promise<void> {
  const out = sink.begin(kind);
  let start = out.position;
  let count = 0;
  const end = (): void => {
    if (count > 0) sink.end(kind, start, count);
    count = 0;
  };
  for (const entry of entries) {
    if (count === 0) start = out.position;
    write(out, entry);
    count++;
    if (out.position - start < CHUNK_BYTES && count < SLICE_ENTRIES) continue;
    end();
    await sink.drain();
    await pause(rowsDone);
  }
  end();
  await sink.drain();
}

async function addInstances(
  state: State,
  sink: ChunkSink,
  indexed: IndexColumnsWriter,
  pause: Pause,
): Promise<void> {
  const { instances } = state;
  const { ids, contexts } = instances;
  const { rows } = instances.rows;
  const rowChunk = new RowChunkWriter();
  const idArenas = new ArenaWriter(sink, CHUNK.ids);
  const contextArenas = new ArenaWriter(sink, CHUNK.contexts);
  const streamed = new StreamedArenas(instances.heap);
  const endRows = (): void => {
    const out = sink.begin(CHUNK.rows);
    const start = out.position;
    const rowsOfChunk = rowChunk.finish(out);
    sink.end(CHUNK.rows, start, rowsOfChunk);
    indexed.endRows(sink, rowsOfChunk);
  };
  for (let first = 0; first < rows; first += SLICE_ROWS) {
    const end = Math.min(rows, first + SLICE_ROWS);
    if (rowChunk.isEmpty) {
      rowChunk.begin(first, idArenas.packer, contextArenas.packer);
      indexed.begin(first);
    }
    for (let handle = first; handle < end; handle++) {
      const segment = instances.segment(handle);
      const flags = instances.flags(handle);
      if ((flags & ROW_FLAG.live) === 0) {
        rowChunk.add(segment, handle, 0, 0);
        continue;
      }
      ids.locateSlot(instances.idRefOf(handle));
      idArenas.add(ids.bytes, ids.start, ids.end);
      streamed.before(contexts.refOf(handle));
      contexts.locateSlot(handle);
      rowChunk.add(segment, handle, ids.end - ids.start, contexts.end - contexts.start);
      contextArenas.add(contexts.bytes, contexts.start, contexts.end);
      if ((flags & ROW_FLAG.deleted) === 0)
        indexed.add(handle, instances.definition(handle), instances.offset(handle));
    }
    if (rowChunk.isFull || end === rows) endRows();
    await sink.drain();
    await pause(end);
  }
  streamed.end();
  idArenas.end();
  contextArenas.end();
  await sink.drain();
}

/** The buckets of a table whose handles become others, `rows` of them, in the snapshot. */
async function addBuckets(
  sink: ChunkSink,
  kind: ChunkKind,
  table: IdTable,
  rows: number,
  handleOf: (handle: number) => number,
  rest: () => Promise<void>,
): Promise<void> {
  const out = sink.begin(kind);
  let start = out.position;
  let count = 0;
  for (const bucket of table.bucketsInOrder()) {
    writeBucket(out, bucket, rows, handleOf);
    count++;
    if (out.position - start < CHUNK_BYTES) continue;
    sink.end(kind, start, count);
    count = 0;
    await sink.drain();
    await rest();
    start = out.position;
  }
  if (count > 0) sink.end(kind, start, count);
  await sink.drain();
}
