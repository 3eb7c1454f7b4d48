/**
 * Chunks of rows of instances into segments: each column is unpacked on its own, then the rows are put together.
 * Refs come from the lengths of ids and contexts, beginning with the places the chunk names.
 */
import { invariant } from '../base/assert.ts';
import { arenaRef } from '../base/slab-heap.ts';
import type { RowSegment } from '../base/row-table.ts';
import { ROW, ROW_FLAG, ROW_INDEX_MASK } from '../instance/row.ts';
import { ArenaPacker } from './arena-packer.ts';
import { newColumns, readColumns, resumePackers, widthOf } from './column-chunk.ts';
import { COLUMNS, RAW_WIDTH, ROWS_HEADER } from './format.ts';
import type { ChunkFiller } from './lazy-rows.ts';

const FLAGS = 0;
const UPDATED_AT = 4;

/** Flags, state, definition, createdAt, updatedAt, offset, lengths of id and context. */
type Column = Float64Array;
type Columns = [Column, Column, Column, Column, Column, Column, Column, Column];

/** Unpacks chunks whose heads were found good; one object, reused. */
export class RowChunkReader implements ChunkFiller {
  private readonly columns = newColumns(COLUMNS.length) as Columns;
  private readonly idArenas: readonly number[];
  private readonly contextArenas: readonly number[];
  private readonly ids = new ArenaPacker();
  private readonly contexts = new ArenaPacker();

  /** Indexes in the heap, by number of the arena. */
  constructor(idArenas: readonly number[], contextArenas: readonly number[]) {
    this.idArenas = idArenas;
    this.contextArenas = contextArenas;
  }

  /** Handles of the free rows of a chunk. */
  freeRows(bytes: Buffer): number[] {
    const first = bytes.readUInt32LE(ROWS_HEADER.first);
    const rows = bytes.readUInt32LE(ROWS_HEADER.rows);
    readColumns(bytes, COLUMNS.length, 1, this.columns);
    const free: number[] = [];
    for (let row = 0; row < rows; row++) {
      if (((this.columns[FLAGS][row] as number) & ROW_FLAG.live) === 0) free.push(first + row);
    }
    return free;
  }

  /** Into a segment that is zero there. */
  fill(bytes: Buffer, segment: RowSegment): void {
    readColumns(bytes, COLUMNS.length, COLUMNS.length, this.columns);
    const isRaw = widthOf(bytes, UPDATED_AT) === RAW_WIDTH;
    const [flags, state, definition, createdAt, updatedAt, offset, id, context] = this.columns;
    const { u16, u32, f64 } = segment;
    const rows = bytes.readUInt32LE(ROWS_HEADER.rows);
    const start = bytes.readUInt32LE(ROWS_HEADER.first) & ROW_INDEX_MASK;
    resumePackers(bytes, this.ids, this.contexts);
    let at = 0;
    for (let row = 0; row < rows; row++) {
      const bits = flags[row] as number;
      const i = start + row;
      u16[i * ROW.u16 + ROW.flags] = bits;
      if ((bits & ROW_FLAG.live) === 0) continue;
      const created = createdAt[at] as number;
      const updated = updatedAt[at] as number;
      u16[i * ROW.u16 + ROW.state] = state[at] as number;
      u32[i * ROW.u32 + ROW.definition] = definition[at] as number;
      u32[i * ROW.u32 + ROW.context] = this.contextRef(context[at] as number);
      u32[i * ROW.u32 + ROW.id] = this.idRef(id[at] as number);
      f64[i * ROW.f64 + ROW.createdAt] = created;
      f64[i * ROW.f64 + ROW.updatedAt] = isRaw ? updated : created + updated;
      f64[i * ROW.f64 + ROW.offset] = offset[at] as number;
      at++;
    }
    invariant(at === bytes.readUInt32LE(ROWS_HEADER.live), 'a chunk has a value per living row');
  }

  private idRef(length: number): number {
    this.ids.place(length);
    return arenaRef(this.idArenas[this.ids.arena] as number, this.ids.start);
  }

  private contextRef(length: number): number {
    if (length === 0) return 0;
    this.contexts.place(length);
    return arenaRef(this.contextArenas[this.contexts.arena] as number, this.contexts.start);
  }
}
