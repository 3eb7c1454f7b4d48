/**
 * FloatRows: vectors of one length, one behind the other in large blocks off the JavaScript heap, so
 * that a scan walks them linearly. Row `r` lies in blockOf(r) from startOf(r). Only the first block
 * starts small and doubles; the others are made whole, and the kernel zeroes them on first touch.
 * This is where a quantised or paged form would take over.
 */
import { MiB } from '../base/units.ts';

const BLOCK_BYTES: number = 4 * MiB;
const MAX_BLOCK_ROWS = 65_536;
const MIN_ROWS = 16;
const NO_ROWS: Float32Array = new Float32Array(0);

export class FloatRows {
  readonly dimensions: number;
  /** A power of two. */
  readonly blockRows: number;
  memoryBytes = 0;
  private readonly shift: number;
  private readonly blocks: Float32Array[] = [];

  constructor(dimensions: number) {
    this.dimensions = dimensions;
    let rows = MIN_ROWS;
    while (rows < MAX_BLOCK_ROWS && 2 * rows * 4 * dimensions <= BLOCK_BYTES) rows *= 2;
    this.blockRows = rows;
    this.shift = Math.log2(rows);
  }

  /** Makes `row` exist. Views taken before may be old. */
  ensure(row: number): void {
    const block = row >>> this.shift;
    while (this.blocks.length < block) this.blocks.push(NO_ROWS);
    const index = row & (this.blockRows - 1);
    const held = (this.blocks[block]?.length ?? 0) / this.dimensions;
    if (index < held) return;
    let rows = block === 0 ? Math.max(MIN_ROWS, held) : this.blockRows;
    while (rows <= index) rows *= 2;
    const grown = new Float32Array(rows * this.dimensions);
    grown.set(this.blocks[block] ?? NO_ROWS);
    this.blocks[block] = grown;
    this.memoryBytes += 4 * (rows - held) * this.dimensions;
  }

  blockOf(row: number): Float32Array {
    return this.blocks[row >>> this.shift] as Float32Array;
  }

  startOf(row: number): number {
    return (row & (this.blockRows - 1)) * this.dimensions;
  }
}
