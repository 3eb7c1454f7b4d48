/**
 * The distinct values of an index in order: blocks of at most 512 value numbers, each sorted, in
 * the order of their ranges (a B-tree of two levels). Made when somebody first asks for an order or
 * a range, kept in step from then on; only a value that appears or vanishes costs anything.
 *
 * Comparisons look at the class and the rank first (src/query/key.ts), which decides nearly always
 * without touching the keys.
 */
import type { ValueTable } from './value-table.ts';

const BLOCK_VALUES = 512;

/** Where a walk stands: before value `index` of block `block`. */
export interface ValuePlace {
  block: number;
  index: number;
}

export class SortedValues {
  private readonly values: ValueTable;
  private blocks: Block[] = [];
  isBuilt = false;

  constructor(values: ValueTable) {
    this.values = values;
  }

  get memoryBytes(): number {
    return this.blocks.length * (BLOCK_VALUES * 4 + 64);
  }

  build(): void {
    if (this.isBuilt) return;
    const { values } = this;
    const all = new Uint32Array(values.size);
    let length = 0;
    for (let value = 0; value < values.end; value++)
      if (!values.isFree(value)) all[length++] = value;
    all.sort((a, b) => this.compare(a, b));
    this.blocks = [];
    // Three quarters full, so that the next ones find room.
    const most = (BLOCK_VALUES * 3) / 4;
    for (let at = 0; at < length; at += most)
      this.blocks.push(new Block(all.subarray(at, at + most)));
    this.isBuilt = true;
  }

  forget(): void {
    this.blocks = [];
    this.isBuilt = false;
  }

  /** Negative, 0 or positive as value `a` sorts before, with or after value `b`. */
  compare(a: number, b: number): number {
    const { values } = this;
    const classes = values.classOf(a) - values.classOf(b);
    if (classes !== 0) return classes;
    const rankA = values.rankOf(a);
    const rankB = values.rankOf(b);
    if (rankA !== rankB) return rankA < rankB ? -1 : 1;
    return values.compare(a, b);
  }

  /** A value that was just added. */
  insert(value: number): void {
    if (!this.isBuilt) return;
    const { blocks } = this;
    if (blocks.length === 0) {
      blocks.push(new Block(Uint32Array.of(value)));
      return;
    }
    const at = Math.max(
      0,
      this.blockOf((first) => this.compare(first, value) <= 0),
    );
    const block = blocks[at] as Block;
    block.insert(
      block.countWhile((other) => this.compare(other, value) < 0),
      value,
    );
    if (block.length === BLOCK_VALUES) blocks.splice(at + 1, 0, block.split());
  }

  /** A value that is about to go. */
  remove(value: number): void {
    if (!this.isBuilt) return;
    const at = Math.max(
      0,
      this.blockOf((first) => this.compare(first, value) <= 0),
    );
    const block = this.blocks[at] as Block;
    block.removeAt(block.countWhile((other) => this.compare(other, value) < 0));
    if (block.length === 0) this.blocks.splice(at, 1);
  }

  /** The last block whose first value passes; -1 when none does. */
  private blockOf(passes: (firstValue: number) => boolean): number {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (passes((this.blocks[middle] as Block).at(0))) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Behind all values whose key is below the given one, or, with `orEqual`, at most it. */
  placeOf(key: Uint8Array, end: number, orEqual: boolean): ValuePlace {
    const { values } = this;
    const isBefore = (value: number): boolean => {
      const order = values.compareKey(value, key, 0, end);
      return order < 0 || (orEqual && order === 0);
    };
    const at = this.blockOf(isBefore);
    if (at < 0) return { block: 0, index: 0 };
    return { block: at, index: (this.blocks[at] as Block).countWhile(isBefore) };
  }

  /** Values between two places, the first of which is not behind the second. */
  distance(from: ValuePlace, to: ValuePlace): number {
    let count = to.index - from.index;
    for (let at = from.block; at < to.block; at++) count += (this.blocks[at] as Block).length;
    return count;
  }

  get begin(): ValuePlace {
    return { block: 0, index: 0 };
  }

  get end(): ValuePlace {
    return { block: this.blocks.length, index: 0 };
  }

  /** The value behind the place, which moves past it; -1 at the end. */
  forward(place: ValuePlace): number {
    let block = this.blocks[place.block];
    if (block !== undefined && place.index >= block.length) {
      place.block++;
      place.index = 0;
      block = this.blocks[place.block];
    }
    return block === undefined ? -1 : block.at(place.index++);
  }

  /** The value before the place, which moves back before it; -1 at the beginning. */
  backward(place: ValuePlace): number {
    if (place.index === 0) {
      if (place.block === 0) return -1;
      place.block--;
      place.index = (this.blocks[place.block] as Block).length;
    }
    return (this.blocks[place.block] as Block).at(--place.index);
  }
}

class Block {
  length: number;
  private readonly values = new Uint32Array(BLOCK_VALUES);

  constructor(values: Uint32Array) {
    this.values.set(values);
    this.length = values.length;
  }

  at(index: number): number {
    return this.values[index] as number;
  }

  /** How many leading values pass. */
  countWhile(passes: (value: number) => boolean): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (passes(this.at(middle))) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  insert(index: number, value: number): void {
    this.values.copyWithin(index + 1, index, this.length);
    this.values[index] = value;
    this.length++;
  }

  removeAt(index: number): void {
    this.values.copyWithin(index, index + 1, this.length);
    this.length--;
  }

  /** The upper half, which leaves this block. */
  split(): Block {
    const half = this.length >>> 1;
    const upper = new Block(this.values.slice(half, this.length));
    this.length = half;
    return upper;
  }
}
