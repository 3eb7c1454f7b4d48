/**
 * The rows of a snapshot, verified and still packed: a chunk is unpacked into its segment of the row
 * table when one of its rows is asked for, or ahead. The list of deleted ones lives in the rows and is linked
 * as they are unpacked. Nothing in here can fail once everything was taken.
 */
import type { RowSegment, RowSource, RowTable } from '../base/row-table.ts';
import { NO_ROW, ROW, ROW_INDEX_MASK } from '../instance/row.ts';
import { CHUNK_ROWS } from './format.ts';
import { type ChunkHead, headOfChunk } from './column-chunk.ts';

const SEGMENT_ROWS: number = ROW_INDEX_MASK + 1;
const SEGMENT_CHUNKS: number = SEGMENT_ROWS / CHUNK_ROWS;

export interface ChunkFiller {
  /** Unpacks a chunk whose head was found good into its segment, which is zero there. */
  fill(bytes: Buffer, segment: RowSegment): void;
}

/** Deleted instances, oldest first. */
export interface DeletedList {
  readonly handles: Uint32Array;
  readonly times: Float64Array;
  readonly offsets: Float64Array;
}

export class LazyRows implements RowSource {
  private readonly rows: RowTable;
  private readonly filler: ChunkFiller;
  private readonly columns: number;
  /** By number; undefined once it was unpacked. */
  private readonly chunks: (Buffer | undefined)[] = [];
  /** Neighbours in the list of deleted ones, by chunk: handle, the next one's, handle ... */
  private readonly links = new Map<number, number[]>();
  /** Chunk to be unpacked ahead. */
  private ahead = 0;

  /** Chunks have so many columns. */
  constructor(rows: RowTable, columns: number, filler: ChunkFiller) {
    this.rows = rows;
    this.columns = columns;
    this.filler = filler;
  }

  /** The next chunk, which must stay as it is. undefined when it is not the one that comes next. */
  take(bytes: Buffer): ChunkHead | undefined {
    const head = headOfChunk(bytes, this.columns);
    if (head?.first !== this.chunks.length * CHUNK_ROWS) return undefined;
    this.chunks.push(bytes);
    return head;
  }

  link({ handles }: DeletedList): void {
    handles.forEach((handle, i) => {
      const chunk = Math.floor(handle / CHUNK_ROWS);
      const links = this.links.get(chunk) ?? [];
      links.push(handle, handles[i + 1] ?? NO_ROW);
      this.links.set(chunk, links);
    });
  }

  fillRow(row: number, segment: RowSegment): boolean {
    this.unpack(Math.floor(row / CHUNK_ROWS), segment);
    return this.isWhole(Math.floor(row / SEGMENT_ROWS));
  }

  fillSegment(number: number, segment: RowSegment): void {
    const end = Math.min(this.chunks.length, (number + 1) * SEGMENT_CHUNKS);
    for (let chunk = number * SEGMENT_CHUNKS; chunk < end; chunk++) this.unpack(chunk, segment);
  }

  private isWhole(number: number): boolean {
    const end = Math.min(this.chunks.length, (number + 1) * SEGMENT_CHUNKS);
    for (let chunk = number * SEGMENT_CHUNKS; chunk < end; chunk++)
      if (this.chunks[chunk] !== undefined) return false;
    return true;
  }

  /** False when it was unpacked before. */
  private unpack(chunk: number, segment: RowSegment): boolean {
    const bytes = this.chunks[chunk];
    if (bytes === undefined) return false;
    this.chunks[chunk] = undefined;
    this.filler.fill(bytes, segment);
    const links = this.links.get(chunk) ?? [];
    for (let i = 0; i < links.length; i += 2) {
      const at = ((links[i] as number) & ROW_INDEX_MASK) * ROW.u32 + ROW.next;
      segment.u32[at] = links[i + 1] as number;
    }
    this.links.delete(chunk);
    return true;
  }

  /** Unpacks up to `count` chunks nobody asked for yet; false when there is none left. */
  loadMore(count: number): boolean {
    let left = count;
    for (; this.ahead < this.chunks.length; this.ahead++) {
      if (this.chunks[this.ahead] === undefined) continue;
      if (left === 0) return true;
      this.rows.segmentOf(this.ahead * CHUNK_ROWS);
      left--;
    }
    return false;
  }
}
