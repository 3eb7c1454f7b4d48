/**
 * Rows of idempotency keys to and from chunks. In a snapshot they are numbered by age, so that each
 * one's next is the one behind it. Keys and first results lie in arenas in the same order.
 */
import type { ByteWriter } from '../base/bytes.ts';
import { arenaRef } from '../base/slab-heap.ts';
import type { RowSegment } from '../base/row-table.ts';
import { ENTRY, NONE } from '../instance/idempotency-store.ts';
import { ROW_INDEX_MASK } from '../instance/row.ts';
import { ArenaPacker } from './arena-packer.ts';
import {
  newColumns,
  placesOf,
  readColumns,
  resumePackers,
  writeColumnChunk,
} from './column-chunk.ts';
import { packingOf } from './columns.ts';
import { CHUNK_ROWS, KEY_COLUMNS, ROWS_HEADER } from './format.ts';
import type { ChunkFiller } from './lazy-rows.ts';

/** Columns taken from fields of their rows as they are, in the order of KEY_COLUMNS. */
const U32_FIELDS: readonly (readonly [column: number, field: number])[] = [
  [0, ENTRY.flags],
  [1, ENTRY.definition],
  [2, ENTRY.detail],
  [6, ENTRY.fingerprintLow],
  [7, ENTRY.fingerprintHigh],
];
const F64_FIELDS: readonly (readonly [column: number, field: number])[] = [
  [3, ENTRY.offset],
  [4, ENTRY.at],
  [5, ENTRY.time],
];
const KEY = 8;
const RESULT = 9;

export class KeyRowsWriter {
  private readonly columns: Float64Array[] = newColumns(KEY_COLUMNS.length);
  private first = 0;
  private rows = 0;
  private places: readonly number[] = [];

  get isFull(): boolean {
    return this.rows === CHUNK_ROWS;
  }

  get isEmpty(): boolean {
    return this.rows === 0;
  }

  /** A new chunk; the packers stand where the rows before it left them. */
  begin(first: number, keys: ArenaPacker, results: ArenaPacker): void {
    this.first = first;
    this.places = placesOf(keys, results);
  }

  add(segment: RowSegment, handle: number, keyLength: number): void {
    const i = handle & ROW_INDEX_MASK;
    const at = this.rows++;
    for (const [column, field] of U32_FIELDS)
      this.put(column, at, segment.u32[i * ENTRY.u32 + field] as number);
    for (const [column, field] of F64_FIELDS)
      this.put(column, at, segment.f64[i * ENTRY.f64 + field] as number);
    this.put(KEY, at, keyLength);
    this.put(RESULT, at, segment.u32[i * ENTRY.u32 + ENTRY.resultBytes] as number);
  }

  private put(column: number, at: number, value: number): void {
    (this.columns[column] as Float64Array)[at] = value;
  }

  /** The chunk; gives the number of its rows. */
  finish(out: ByteWriter): number {
    const { first, rows, columns } = this;
    const packings = columns.map((values) => packingOf(values, rows));
    writeColumnChunk(out, { first, rows, live: rows }, this.places, packings, columns);
    this.rows = 0;
    return rows;
  }
}

/** Unpacks chunks whose heads were found good; one object, reused. */
export class KeyRowsReader implements ChunkFiller {
  private readonly columns: Float64Array[] = newColumns(KEY_COLUMNS.length);
  private readonly keyArenas: readonly number[];
  private readonly resultArenas: readonly number[];
  private readonly count: number;
  private readonly keys = new ArenaPacker();
  private readonly results = new ArenaPacker();

  /** Indexes in the heap by number of the arena; how many keys there are in all. */
  constructor(keyArenas: readonly number[], resultArenas: readonly number[], count: number) {
    this.keyArenas = keyArenas;
    this.resultArenas = resultArenas;
    this.count = count;
  }

  fill(bytes: Buffer, segment: RowSegment): void {
    const { columns, keys, results } = this;
    readColumns(bytes, KEY_COLUMNS.length, KEY_COLUMNS.length, columns);
    resumePackers(bytes, keys, results);
    const first = bytes.readUInt32LE(ROWS_HEADER.first);
    const rows = bytes.readUInt32LE(ROWS_HEADER.rows);
    for (let row = 0; row < rows; row++) {
      const i = (first + row) & ROW_INDEX_MASK;
      for (const [column, field] of U32_FIELDS)
        segment.u32[i * ENTRY.u32 + field] = this.value(column, row);
      for (const [column, field] of F64_FIELDS)
        segment.f64[i * ENTRY.f64 + field] = this.value(column, row);
      const resultBytes = this.value(RESULT, row);
      keys.place(this.value(KEY, row));
      results.place(resultBytes);
      const u32 = i * ENTRY.u32;
      segment.u32[u32 + ENTRY.keyRef] = arenaRef(this.keyArenas[keys.arena] as number, keys.start);
      segment.u32[u32 + ENTRY.resultRef] = arenaRef(
        this.resultArenas[results.arena] as number,
        results.start,
      );
      segment.u32[u32 + ENTRY.resultBytes] = resultBytes;
      segment.u32[u32 + ENTRY.next] = first + row + 1 === this.count ? NONE : first + row + 1;
    }
  }

  private value(column: number, row: number): number {
    return (this.columns[column] as Float64Array)[row] as number;
  }
}
