/** Idempotency keys as chunks: rows, keys and first results by age, and the table that finds them. */
import { ENTRY } from '../instance/idempotency-store.ts';
import { ROW_INDEX_MASK } from '../instance/row.ts';
import type { IdempotencyStore } from '../instance/idempotency-store.ts';
import { ArenaWriter } from './arena-writer.ts';
import type { ChunkSink } from './chunk-sink.ts';
import { CHUNK } from './format.ts';
import { KeyRowsWriter } from './key-rows.ts';
import { StreamedArenas } from './streamed-arenas.ts';

/** Keys of a slice. */
const SLICE_KEYS = 1024;

/** Gives the number in the snapshot of each row. `rest` is awaited after each slice. */
export async function addKeys(
  store: IdempotencyStore,
  sink: ChunkSink,
  rest: () => Promise<void>,
): Promise<Uint32Array> {
  const numbers = new Uint32Array(store.rows.rows);
  const chunk = new KeyRowsWriter();
  const keys = new ArenaWriter(sink, CHUNK.keys);
  const results = new ArenaWriter(sink, CHUNK.results);
  const streamed = new StreamedArenas(store.heap);
  const endRows = (): void => {
    const out = sink.begin(CHUNK.keyRows);
    const start = out.position;
    sink.end(CHUNK.keyRows, start, chunk.finish(out));
  };
  let number = 0;
  for (const handle of store.handles()) {
    if (chunk.isEmpty) chunk.begin(number, keys.packer, results.packer);
    const segment = store.rows.segmentOf(handle);
    const at = (handle & ROW_INDEX_MASK) * ENTRY.u32;
    const ref = segment.u32[at + ENTRY.resultRef] as number;
    store.keys.locateSlot(segment.u32[at + ENTRY.keyRef] as number);
    const { bytes, start, end } = store.keys;
    chunk.add(segment, handle, end - start);
    keys.add(bytes, start, end);
    streamed.before(ref);
    const from = store.heap.startOf(ref);
    const length = segment.u32[at + ENTRY.resultBytes] as number;
    results.add(store.heap.bytesOf(ref), from, from + length);
    numbers[handle] = number++;
    if (chunk.isFull) endRows();
    if (number % SLICE_KEYS !== 0) continue;
    await sink.drain();
    await rest();
  }
  if (!chunk.isEmpty) endRows();
  streamed.end();
  keys.end();
  results.end();
  await sink.drain();
  return numbers;
}
