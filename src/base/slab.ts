/**
 * Slab: one buffer of a SlabHeap. Either slots of one size class, each with a bit that says whether it
 * is in use, or an arena: entries of any size one behind the other, written once and only counted.
 * An arena may lie outside memory until it is touched; then its source brings the bytes. Both are
 * one class with the same fields, so that reading through a ref stays one load (bench memory).
 */
import { invariant } from './assert.ts';

/** Where the bytes of an arena come from when it is touched for the first time. */
export interface ArenaSource {
  /** Verified bytes of this block; the caller keeps the buffer. @throws {StoreError} CORRUPT, WAL_IO_ERROR */
  loadArena(block: number): Buffer;
}

/** Entries of an arena begin at multiples of this: a ref has 14 bits for 64 KiB. */
export const ARENA_STEP_BYTES = 4;
/** Size class of an arena. */
export const ARENA = -1;

const NO_BITS: Uint32Array = new Uint32Array(0);

export class Slab {
  /** undefined: an arena that is not in memory. */
  bytes: Buffer | undefined;
  readonly index: number;
  readonly sizeClass: number;
  /** In an arena the step between two possible positions. */
  readonly slotBytes: number;
  readonly slots: number;
  /** Slots in use; of an arena, entries. */
  used = 0;
  /** Position in the list of slabs with room, -1 when full. An arena never has room. */
  place = -1;
  /** Of an arena. */
  source: ArenaSource | undefined = undefined;
  block = 0;
  /** Sum of an arena's entries that are in use, estimated: their sizes are not kept. */
  usedBytes = 0;
  /** One bit per slot; bits beyond the last slot are set for ever. */
  private readonly occupied: Uint32Array;
  /** Word the search begins at: the one freed last, which is likely in the cache. */
  private word = 0;

  constructor(bytes: Buffer | undefined, index: number, sizeClass: number, slotBytes: number) {
    this.bytes = bytes;
    this.index = index;
    this.sizeClass = sizeClass;
    this.slotBytes = slotBytes;
    const isArena = sizeClass === ARENA || bytes === undefined;
    this.slots = isArena ? 0 : Math.floor(bytes.length / slotBytes);
    this.occupied = isArena ? NO_BITS : new Uint32Array((this.slots + 31) >>> 5);
    const rest = this.slots & 31;
    if (rest > 0) this.occupied[this.occupied.length - 1] = ~0 << rest;
  }

  /** A free slot; there must be one. */
  take(): number {
    const occupied = this.occupied;
    let word = this.word;
    let free = ~(occupied[word] as number);
    while (free === 0) {
      word = word + 1 === occupied.length ? 0 : word + 1;
      free = ~(occupied[word] as number);
    }
    const lowest = free & -free;
    occupied[word] = (occupied[word] as number) | lowest;
    this.word = word;
    this.used++;
    return (word << 5) + 31 - Math.clz32(lowest);
  }

  give(slot: number): void {
    const word = slot >>> 5;
    const bit = 1 << (slot & 31);
    const bits = this.occupied[word] as number;
    invariant(slot < this.slots && (bits & bit) !== 0, 'only a slot in use is freed');
    this.occupied[word] = bits & ~bit;
    this.word = word;
    this.used--;
  }
}
