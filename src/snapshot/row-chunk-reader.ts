/**
 * Chunks of rows into segments: each column is unpacked on its own, then the rows are put together.
 * Refs come from the lengths of ids and contexts, beginning with the places the chunk names.
 */
import { invariant } from '../base/assert.ts';
import { arenaRef } from '../base/slab-heap.ts';
import type { RowSegment } from '../base/row-table.ts';
import { ROW, ROW_FLAG, ROW_INDEX_MASK } from '../instance/row.ts';
import { ArenaPacker } from './arena-packer.ts';
import { columnBytes, readColumn } from './columns.ts';
import { CHUNK_ROWS, COLUMN, COLUMNS, RAW_WIDTH, ROWS_HEADER } from './format.ts';

const HEAD_BYTES: number = ROWS_HEADER.size + COLUMNS.length * COLUMN.size;
const FLAGS = 0;
const UPDATED_AT = 4;

/** Flags, state, definition, createdAt, updatedAt, offset, lengths of id and context. */
type Column = Float64Array;
type Columns = [Column, Column, Column, Column, Column, Column, Column, Column];

/** What the head of a chunk says. */
export interface RowChunkHead {
  readonly first: number;
  readonly rows: number;
  readonly live: number;
}

/** undefined when the bytes are no chunk of rows: every column must have its size. */
export function headOfRows(bytes: Buffer): RowChunkHead | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  const first = bytes.readUInt32LE(ROWS_HEADER.first);
  const rows = bytes.readUInt32LE(ROWS_HEADER.rows);
  const live = bytes.readUInt32LE(ROWS_HEADER.live);
  if (rows === 0 || rows > CHUNK_ROWS || live > rows || first % CHUNK_ROWS !== 0) return undefined;
  let size = HEAD_BYTES;
  for (let column = 0; column < COLUMNS.length; column++) {
    const width = bytes.readUInt32LE(ROWS_HEADER.size + column * COLUMN.size + COLUMN.width);
    if (width > RAW_WIDTH) return undefined;
    size += columnBytes(width, column === FLAGS ? rows : live);
  }
  return size === bytes.length ? { first, rows, live } : undefined;
}

/** Unpacks chunks whose heads were found good; one object, reused. */
export class RowChunkReader {
  private readonly columns = COLUMNS.map(() => new Float64Array(CHUNK_ROWS)) as Columns;
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
    this.readColumns(bytes, FLAGS + 1);
    const free: number[] = [];
    for (let row = 0; row < rows; row++) {
      if (((this.columns[FLAGS][row] as number) & ROW_FLAG.live) === 0) free.push(first + row);
    }
    return free;
  }

  /** Into a segment that is zero there. */
  fill(bytes: Buffer, segment: RowSegment): void {
    const isRaw = this.readColumns(bytes, COLUMNS.length);
    const [flags, state, definition, createdAt, updatedAt, offset, id, context] = this.columns;
    const { u16, u32, f64 } = segment;
    const rows = bytes.readUInt32LE(ROWS_HEADER.rows);
    const start = bytes.readUInt32LE(ROWS_HEADER.first) & ROW_INDEX_MASK;
    this.ids.arena = bytes.readInt32LE(ROWS_HEADER.idArena);
    this.ids.end = bytes.readInt32LE(ROWS_HEADER.idEnd);
    this.contexts.arena = bytes.readInt32LE(ROWS_HEADER.contextArena);
    this.contexts.end = bytes.readInt32LE(ROWS_HEADER.contextEnd);
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

  /** The first `count` columns; true when times of update are as they are, not distances. */
  private readColumns(bytes: Buffer, count: number): boolean {
    const rows = bytes.readUInt32LE(ROWS_HEADER.rows);
    const live = bytes.readUInt32LE(ROWS_HEADER.live);
    let position = HEAD_BYTES;
    let isRaw = false;
    for (let column = 0; column < count; column++) {
      const at = ROWS_HEADER.size + column * COLUMN.size;
      const packing = {
        base: bytes.readDoubleLE(at + COLUMN.base),
        width: bytes.readUInt32LE(at + COLUMN.width),
      };
      const values = column === FLAGS ? rows : live;
      readColumn(bytes, position, packing, values, this.columns[column] as Column);
      if (column === UPDATED_AT) isRaw = packing.width === RAW_WIDTH;
      position += columnBytes(packing.width, values);
    }
    return isRaw;
  }
}
