/**
 * RowTable: rows of a fixed size in segments of 65,536, each seen through typed views of one
 * buffer. Only the first segment starts small and doubles by copying (at most 1.5 MiB at once);
 * every later one is made whole and zeroed by the kernel on first touch, so no growth stalls. New
 * rows are zero. Row `r` lives in segmentOf(r) at indexOf(r); a segment object keeps its identity
 * for ever, but its views are replaced when it grows: never hold a view across ensure().
 */
import { invariant } from './assert.ts';

const SEGMENT_BITS = 16;
const SEGMENT_ROWS: number = 2 ** SEGMENT_BITS;
const SEGMENT_MASK: number = SEGMENT_ROWS - 1;
const FIRST_ROWS = 64;

/** Views of the same bytes: field f of a row is at `indexOf(row) * (rowBytes / elementBytes) + f`. */
export interface RowSegment {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
}

class Segment implements RowSegment {
  u8: Uint8Array;
  u16: Uint16Array;
  u32: Uint32Array;
  f64: Float64Array;

  constructor(sizeBytes: number) {
    const bytes = new ArrayBuffer(sizeBytes);
    this.u8 = new Uint8Array(bytes);
    this.u16 = new Uint16Array(bytes);
    this.u32 = new Uint32Array(bytes);
    this.f64 = new Float64Array(bytes);
  }

  resize(sizeBytes: number): void {
    const grown = new Segment(sizeBytes);
    grown.u8.set(this.u8);
    this.u8 = grown.u8;
    this.u16 = grown.u16;
    this.u32 = grown.u32;
    this.f64 = grown.f64;
  }
}

export class RowTable {
  /** One above the highest row ensured so far. */
  rows = 0;
  memoryBytes = 0;
  readonly rowBytes: number;
  private capacity = 0;
  private readonly segments: Segment[] = [];

  /** `rowBytes` must be a multiple of 8, so that every view is aligned in every row. */
  constructor(rowBytes: number = 48) {
    invariant(rowBytes > 0 && rowBytes % 8 === 0, 'a row is a multiple of 8 bytes');
    this.rowBytes = rowBytes;
  }

  /** Makes `row` and all below it exist. */
  ensure(row: number): void {
    while (row >= this.capacity) this.grow(row);
    if (row >= this.rows) this.rows = row + 1;
  }

  segmentOf(row: number): RowSegment {
    return this.segments[row >>> SEGMENT_BITS] as Segment;
  }

  indexOf(row: number): number {
    return row & SEGMENT_MASK;
  }

  private grow(row: number): void {
    if (this.capacity >= SEGMENT_ROWS) {
      this.segments.push(new Segment(SEGMENT_ROWS * this.rowBytes));
      this.capacity += SEGMENT_ROWS;
    } else {
      let rows = this.capacity === 0 ? FIRST_ROWS : this.capacity * 2;
      while (rows <= row && rows < SEGMENT_ROWS) rows *= 2;
      const first = this.segments[0];
      if (first === undefined) this.segments.push(new Segment(rows * this.rowBytes));
      else first.resize(rows * this.rowBytes);
      this.capacity = rows;
    }
    this.memoryBytes = this.capacity * this.rowBytes;
  }
}
