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
import { type DeletedEntry, writeDeleted, writeKey } from './key-chunk.ts';
import { writeDefinition, writeMachine } from './machine-chunks.ts';
import { RowChunkWriter } from './row-chunk.ts';
import { StreamedContexts } from './streamed-contexts.ts';

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
  await addInstances(state, sink, pause);
  await addBuckets(state, sink, pause);
  await addList(sink, CHUNK.deleted, deletedOf(state), writeDeleted, pause, rows);
  await addList(sink, CHUNK.keys, keys.entries(), writeKey, pause, rows);
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

async function addInstances(state: State, sink: ChunkSink, pause: Pause): Promise<void> {
  const { instances } = state;
  const { ids, contexts } = instances;
  const { rows } = instances.rows;
  const rowChunk = new RowChunkWriter();
  const idArenas = new ArenaWriter(sink, CHUNK.ids);
  const contextArenas = new ArenaWriter(sink, CHUNK.contexts);
  const streamed = new StreamedContexts(instances);
  const endRows = (): void => {
    const out = sink.begin(CHUNK.rows);
    const start = out.position;
    const rowsOfChunk = rowChunk.finish(out);
    sink.end(CHUNK.rows, start, rowsOfChunk);
  };
  for (let first = 0; first < rows; first += SLICE_ROWS) {
    const end = Math.min(rows, first + SLICE_ROWS);
    if (rowChunk.isEmpty) rowChunk.begin(first, idArenas.packer, contextArenas.packer);
    for (let handle = first; handle < end; handle++) {
      const segment = instances.segment(handle);
      if ((instances.flags(handle) & ROW_FLAG.live) === 0) {
        rowChunk.add(segment, handle, 0, 0);
        continue;
      }
      ids.locateSlot(instances.idRefOf(handle));
      idArenas.add(ids.bytes, ids.start, ids.end);
      streamed.before(handle);
      contexts.locateSlot(handle);
      rowChunk.add(segment, handle, ids.end - ids.start, contexts.end - contexts.start);
      contextArenas.add(contexts.bytes, contexts.start, contexts.end);
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

async function addBuckets(state: State, sink: ChunkSink, pause: Pause): Promise<void> {
  const { instances } = state;
  const { rows } = instances.rows;
  const out = sink.begin(CHUNK.idTable);
  let start = out.position;
  let count = 0;
  for (const bucket of instances.ids.bucketsInOrder()) {
    writeBucket(out, bucket, rows);
    count++;
    if (out.position - start < CHUNK_BYTES) continue;
    sink.end(CHUNK.idTable, start, count);
    count = 0;
    await sink.drain();
    await pause(rows);
    start = out.position;
  }
  if (count > 0) sink.end(CHUNK.idTable, start, count);
  await sink.drain();
}
