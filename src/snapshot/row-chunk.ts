/**
 * Rows of instances into chunks. Refs are not stored: ids and contexts lie in arenas in the order of
 * their handles, so their lengths say where (see arena-packer.ts). Free rows keep their count of
 * reuses, nothing else. Links between rows are not stored either: they follow from the offsets of the
 * rows, and from the list of deleted ones.
 */
import type { ByteWriter } from '../base/bytes.ts';
import type { RowSegment } from '../base/row-table.ts';
import { ROW, ROW_FLAG, ROW_INDEX_MASK } from '../instance/row.ts';
import type { ArenaPacker } from './arena-packer.ts';
import { newColumns, placesOf, writeColumnChunk } from './column-chunk.ts';
import { type Packing, RAW, isExact, packingOf } from './columns.ts';
import { CHUNK_ROWS, COLUMNS, RAW_WIDTH } from './format.ts';

const [FLAGS, STATE, DEFINITION, CREATED_AT, UPDATED_AT, OFFSET, ID, CONTEXT] = [
  0, 1, 2, 3, 4, 5, 6, 7,
] as const;
/** Scratch behind the columns. */
const DISTANCE: number = COLUMNS.length;

export class RowChunkWriter {
  private readonly columns: Float64Array[] = newColumns(COLUMNS.length + 1);
  private first = 0;
  private rows = 0;
  private live = 0;
  /** Places of the entries before the first one: arena and end, of ids, then of contexts. */
  private places: readonly number[] = [];

  get isEmpty(): boolean {
    return this.rows === 0;
  }

  /** A new chunk; the packers stand where the rows before it left them. */
  begin(first: number, ids: ArenaPacker, contexts: ArenaPacker): void {
    this.first = first;
    this.places = placesOf(ids, contexts);
  }

  get isFull(): boolean {
    return this.rows === CHUNK_ROWS;
  }

  /** The next row, with the lengths of its slots. */
  add(segment: RowSegment, handle: number, idLength: number, contextLength: number): void {
    const i = handle & ROW_INDEX_MASK;
    const flags = (segment.u16[i * ROW.u16 + ROW.flags] as number) & ~ROW_FLAG.pending;
    this.put(FLAGS, this.rows++, flags);
    if ((flags & ROW_FLAG.live) === 0) return;
    const at = this.live++;
    this.put(STATE, at, segment.u16[i * ROW.u16 + ROW.state] as number);
    this.put(DEFINITION, at, segment.u32[i * ROW.u32 + ROW.definition] as number);
    this.put(CREATED_AT, at, segment.f64[i * ROW.f64 + ROW.createdAt] as number);
    this.put(UPDATED_AT, at, segment.f64[i * ROW.f64 + ROW.updatedAt] as number);
    this.put(OFFSET, at, segment.f64[i * ROW.f64 + ROW.offset] as number);
    this.put(ID, at, idLength);
    this.put(CONTEXT, at, contextLength);
  }

  private put(column: number, at: number, value: number): void {
    (this.columns[column] as Float64Array)[at] = value;
  }

  /** The chunk; gives the number of its rows. */
  finish(out: ByteWriter): number {
    const { first, rows, live } = this;
    writeColumnChunk(out, { first, rows, live }, this.places, this.packings(), this.columns);
    this.rows = 0;
    this.live = 0;
    return rows;
  }

  private packings(): Packing[] {
    const { columns, live } = this;
    const packings = columns
      .slice(0, COLUMNS.length)
      .map((values, column) => packingOf(values, column === FLAGS ? this.rows : live));
    packings[UPDATED_AT] = asDistances(columns, live);
    return packings;
  }
}

/** Makes times of update distances from those of creation; where that is not exact, they stay as they are. */
function asDistances(columns: readonly Float64Array[], live: number): Packing {
  const created = columns[CREATED_AT] as Float64Array;
  const updated = columns[UPDATED_AT] as Float64Array;
  const distances = columns[DISTANCE] as Float64Array;
  for (let i = 0; i < live; i++) {
    const from = created[i] as number;
    const to = updated[i] as number;
    if (!isExact(from) || !isExact(to)) return RAW;
    distances[i] = to - from;
  }
  const packing = packingOf(distances, live);
  if (packing.width !== RAW_WIDTH) updated.set(distances.subarray(0, live));
  return packing;
}
