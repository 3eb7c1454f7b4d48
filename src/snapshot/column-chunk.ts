/**
 * A chunk of rows as columns, to and from bytes: its head, a descriptor per column, the columns. The
 * first column has a value per row, the others one per living row.
 */
import type { ByteWriter } from '../base/bytes.ts';
import { type Packing, columnBytes, readColumn, writeColumn } from './columns.ts';
import { CHUNK_ROWS, COLUMN, RAW_WIDTH, ROWS_HEADER } from './format.ts';
import type { ArenaPacker } from './arena-packer.ts';

/** What the head of a chunk says. */
export interface ChunkHead {
  /** Handle of the first row. */
  readonly first: number;
  readonly rows: number;
  readonly live: number;
}

export function newColumns(count: number): Float64Array[] {
  return Array.from({ length: count }, () => new Float64Array(CHUNK_ROWS));
}

function headBytes(columns: number): number {
  return ROWS_HEADER.size + columns * COLUMN.size;
}

/** Where the entries before those of a chunk end: arena and byte, of both kinds. */
export function placesOf(ids: ArenaPacker, others: ArenaPacker): readonly number[] {
  return [ids.arena, ids.end, others.arena, others.end];
}

/** Sets both packers to where the rows before the chunk left them. */
export function resumePackers(bytes: Buffer, ids: ArenaPacker, others: ArenaPacker): void {
  ids.arena = bytes.readInt32LE(ROWS_HEADER.idArena);
  ids.end = bytes.readInt32LE(ROWS_HEADER.idEnd);
  others.arena = bytes.readInt32LE(ROWS_HEADER.contextArena);
  others.end = bytes.readInt32LE(ROWS_HEADER.contextEnd);
}

export function writeColumnChunk(
  out: ByteWriter,
  head: ChunkHead,
  places: readonly number[],
  packings: readonly Packing[],
  columns: readonly Float64Array[],
): void {
  const start = out.position;
  const size = headBytes(packings.length);
  out.reserve(size);
  out.bytes.fill(0, start, start + size);
  out.view.setUint32(start + ROWS_HEADER.first, head.first, true);
  out.view.setUint32(start + ROWS_HEADER.rows, head.rows, true);
  out.view.setUint32(start + ROWS_HEADER.live, head.live, true);
  places.forEach((place, i) => out.view.setInt32(start + ROWS_HEADER.idArena + 4 * i, place, true));
  packings.forEach(({ base, width }, column) => {
    const at = start + ROWS_HEADER.size + column * COLUMN.size;
    out.view.setFloat64(at + COLUMN.base, base, true);
    out.view.setUint32(at + COLUMN.width, width, true);
  });
  out.position += size;
  packings.forEach((packing, column) =>
    writeColumn(
      out,
      packing,
      columns[column] as Float64Array,
      column === 0 ? head.rows : head.live,
    ),
  );
}

/** undefined when the bytes are no chunk of that many columns: every column must have its size. */
export function headOfChunk(bytes: Buffer, columns: number): ChunkHead | undefined {
  let size = headBytes(columns);
  if (bytes.length < size) return undefined;
  const first = bytes.readUInt32LE(ROWS_HEADER.first);
  const rows = bytes.readUInt32LE(ROWS_HEADER.rows);
  const live = bytes.readUInt32LE(ROWS_HEADER.live);
  if (rows === 0 || rows > CHUNK_ROWS || live > rows || first % CHUNK_ROWS !== 0) return undefined;
  // -1: there is no arena before.
  for (let at: number = ROWS_HEADER.idArena; at < ROWS_HEADER.size; at += 4)
    if (bytes.readInt32LE(at) < -1) return undefined;
  for (let column = 0; column < columns; column++) {
    const width = bytes.readUInt32LE(ROWS_HEADER.size + column * COLUMN.size + COLUMN.width);
    if (width > RAW_WIDTH) return undefined;
    size += columnBytes(width, column === 0 ? rows : live);
  }
  return size === bytes.length ? { first, rows, live } : undefined;
}

/** Unpacks the first `count` of `all` columns of a chunk whose head was found good. */
export function readColumns(
  bytes: Buffer,
  all: number,
  count: number,
  into: readonly Float64Array[],
): void {
  const rows = bytes.readUInt32LE(ROWS_HEADER.rows);
  const live = bytes.readUInt32LE(ROWS_HEADER.live);
  let position = headBytes(all);
  for (let column = 0; column < count; column++) {
    const packing = { base: baseOf(bytes, column), width: widthOf(bytes, column) };
    const values = column === 0 ? rows : live;
    readColumn(bytes, position, packing, values, into[column] as Float64Array);
    position += columnBytes(packing.width, values);
  }
}

function baseOf(bytes: Buffer, column: number): number {
  return bytes.readDoubleLE(ROWS_HEADER.size + column * COLUMN.size + COLUMN.base);
}

export function widthOf(bytes: Buffer, column: number): number {
  return bytes.readUInt32LE(ROWS_HEADER.size + column * COLUMN.size + COLUMN.width);
}
