/**
 * RowTable: rows of a fixed size in segments of 65,536, each seen through typed views of one
 * buffer. Only the first segment starts small and doubles by copying (at most 1.5 MiB at once);
 * every later one is made whole and zeroed by the kernel on first touch, so no growth stalls. New
 * rows are zero. Row `r` lives in segmentOf(r) at indexOf(r); a segment object keeps its identity
 * for ever, but its views are replaced when it grows: never hold a view across ensure(). Rows of a
 * snapshot may come later: their source fills them in when they are asked for.
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

/** Where the rows of a restored table come from. */
export interface RowSource {
  /** Fills in a row, and some around it, unless it is there already. True when the segment is whole. Cannot fail. */
  fillRow(row: number, segment: RowSegment): boolean;
  /** Fills in what is still missing in segment `number`. Cannot fail. */
  fillSegment(number: number, segment: RowSegment): void;
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
  /** undefined: not whole yet. */
  private readonly segments: (Segment | undefined)[] = [];
  private source: RowSource | undefined;
  /** Segments that are being filled in. */
  private readonly begun = new Map<number, Segment>();

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

  /** For this row; the others in there need not be filled in yet. */
  segmentOf(row: number): RowSegment {
    const segment = this.segments[row >>> SEGMENT_BITS];
    return segment === undefined ? this.filledFor(row) : segment;
  }

  /** For whoever walks through all rows of the segment. */
  wholeSegmentOf(row: number): RowSegment {
    const number = row >>> SEGMENT_BITS;
    const segment = this.begin(number);
    if (segment === undefined) return this.segments[number] as Segment;
    this.source?.fillSegment(number, segment);
    this.finish(number, segment as Segment);
    return segment;
  }

  /** As many rows as a snapshot has; the source fills them in when they are asked for. */
  restore(rows: number, source: RowSource): void {
    invariant(this.capacity === 0, 'an empty table is restored');
    if (rows === 0) return;
    const count = Math.ceil(rows / SEGMENT_ROWS);
    let capacity = count === 1 ? FIRST_ROWS : count * SEGMENT_ROWS;
    while (capacity < rows) capacity *= 2;
    for (let number = 0; number < count; number++) this.segments.push(undefined);
    this.rows = rows;
    this.capacity = capacity;
    this.source = source;
  }

  /** A segment that is not whole yet, for the source to fill in; undefined once it is. */
  begin(number: number): RowSegment | undefined {
    if (this.segments[number] !== undefined) return undefined;
    let segment = this.begun.get(number);
    if (segment === undefined) {
      segment = new Segment(Math.min(this.capacity, SEGMENT_ROWS) * this.rowBytes);
      this.begun.set(number, segment);
      this.memoryBytes += segment.u8.length;
    }
    return segment;
  }

  private filledFor(row: number): Segment {
    const number = row >>> SEGMENT_BITS;
    invariant(row < this.rows && this.source !== undefined, `row ${row} exists`);
    const segment = this.begin(number) as Segment;
    if (this.source.fillRow(row, segment)) this.finish(number, segment);
    return segment;
  }

  private finish(number: number, segment: Segment): void {
    this.begun.delete(number);
    this.segments[number] = segment;
  }

  indexOf(row: number): number {
    return row & SEGMENT_MASK;
  }

  private grow(row: number): void {
    if (this.capacity >= SEGMENT_ROWS) {
      this.segments.push(new Segment(SEGMENT_ROWS * this.rowBytes));
      this.capacity += SEGMENT_ROWS;
      this.memoryBytes += SEGMENT_ROWS * this.rowBytes;
    } else {
      let rows = this.capacity === 0 ? FIRST_ROWS : this.capacity * 2;
      while (rows <= row && rows < SEGMENT_ROWS) rows *= 2;
      if (this.segments.length === 0) this.segments.push(new Segment(rows * this.rowBytes));
      else (this.wholeSegmentOf(0) as Segment).resize(rows * this.rowBytes);
      this.capacity = rows;
      this.memoryBytes = rows * this.rowBytes;
    }
  }
}
