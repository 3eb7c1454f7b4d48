/**
 * SlabHeap: byte slots of all sizes outside the JavaScript heap, addressed by 32-bit refs. Slots of
 * one size class share slabs; a size over 64 KiB gets a buffer of its own ("alone"). What a snapshot
 * holds comes in arenas (see slab.ts), whole and perhaps later. The garbage collector sees slabs, never
 * slots. Invariants: a ref is never 0; `withRoom[class]` lists exactly the slabs of that class with a
 * free slot; an emptied slab of full size leaves its class for the pool or the collector, an arena
 * without entries is dropped.
 */
import { invariant } from './assert.ts';
import { ARENA, ARENA_STEP_BYTES, type ArenaSource, Slab } from './slab.ts';
import { KiB } from './units.ts';

const SLAB_BYTES: number = 256 * KiB;
const SMALLEST_SLAB_BYTES: number = 16 * KiB;
const LARGEST_SLOT_BYTES: number = 64 * KiB;
/** A lone value grows in place up to the next multiple. */
const ALONE_STEP_BYTES: number = 4 * KiB;
/** Emptied slabs kept for the next class that needs one: 2 MiB. */
const MAX_POOLED_SLABS = 8;

/** An arena has at most this many bytes, unless it holds a single entry. */
export const ARENA_BYTES: number = 64 * KiB;

/** A ref is 17 bits of slab and 14 of slot (256 KiB hold 2^14 slots of 16 bytes), or the alone bit and 31 of index. */
const SLOT_BITS = 14;
const SLOT_MASK: number = 2 ** SLOT_BITS - 1;
export const MAX_SLABS: number = 2 ** 17;
const ALONE_BIT: number = 2 ** 31;
const ALONE_MASK: number = 2 ** 31 - 1;

/** Sizes 16, 20 .. 128 (contexts of a few fields live here: bench memory), then eight steps to each doubling: at most 12.5 % of a slot above 128 bytes is unused. */
const FINE_CLASSES = 29;
const SIZE_CLASSES: number = FINE_CLASSES + 9 * 8;

function sizeClassOf(sizeBytes: number): number {
  if (sizeBytes <= 16) return 0;
  if (sizeBytes <= 128) return ((sizeBytes + 3) >>> 2) - 4;
  const last = sizeBytes - 1;
  const log = 31 - Math.clz32(last);
  return FINE_CLASSES + (log - 7) * 8 + ((last >>> (log - 3)) & 7);
}

function slotBytesOf(sizeClass: number): number {
  if (sizeClass < FINE_CLASSES) return 16 + 4 * sizeClass;
  const coarse = sizeClass - FINE_CLASSES;
  return (9 + (coarse & 7)) << (4 + (coarse >>> 3));
}

/** The ref of the entry at `position` of an arena. */
export function arenaRef(arena: number, position: number): number {
  return (arena << SLOT_BITS) | (position / ARENA_STEP_BYTES);
}

export class SlabHeap {
  /** Sum of the capacities handed out. */
  usedBytes = 0;
  /** Memory held, the pool included. */
  reservedBytes = 0;
  /** By slab index; index 0 stays empty so that no ref is 0. */
  private readonly slabs: (Slab | undefined)[] = [undefined];
  private readonly freeSlabIndexes: number[] = [];
  private readonly withRoom: Slab[][] = Array.from({ length: SIZE_CLASSES }, () => []);
  private readonly heldBytes: Float64Array = new Float64Array(SIZE_CLASSES);
  private readonly pool: Buffer[] = [];
  private readonly alone: (Buffer | undefined)[] = [];
  private readonly freeAloneIndexes: number[] = [];

  /** A slot of at least `sizeBytes`, its bytes undefined. Throws only when memory ends. */
  allocate(sizeBytes: number): number {
    invariant(sizeBytes >= 0, 'a size is not negative');
    if (sizeBytes > LARGEST_SLOT_BYTES) return this.allocateAlone(sizeBytes);
    const sizeClass = sizeClassOf(sizeBytes);
    const withRoom = this.withRoom[sizeClass] as Slab[];
    const slab =
      withRoom.length > 0 ? (withRoom[withRoom.length - 1] as Slab) : this.openSlab(sizeClass);
    const slot = slab.take();
    this.usedBytes += slab.slotBytes;
    if (slab.used === slab.slots) {
      slab.place = -1;
      withRoom.pop();
    }
    return (slab.index << SLOT_BITS) | slot;
  }

  free(ref: number): void {
    if (ref >= ALONE_BIT) {
      this.freeAlone(ref & ALONE_MASK);
      return;
    }
    const slab = this.slabs[ref >>> SLOT_BITS];
    invariant(slab !== undefined, 'only a slot of a living slab is freed');
    if (slab.sizeClass === ARENA) {
      this.freeEntry(slab);
      return;
    }
    slab.give(ref & SLOT_MASK);
    this.usedBytes -= slab.slotBytes;
    // The slab that was full until now goes on top: filling the fullest lets the others run empty.
    if (slab.place < 0) this.listRoom(slab);
    if (slab.used === 0) this.retire(slab);
  }

  /** The buffer the slot lies in, at {@link startOf}; valid until the slot is freed. */
  bytesOf(ref: number): Buffer {
    if (ref >= ALONE_BIT) return this.alone[ref & ALONE_MASK] as Buffer;
    const slab = this.slabs[ref >>> SLOT_BITS] as Slab;
    const { bytes } = slab;
    return bytes === undefined ? this.load(slab) : bytes;
  }

  startOf(ref: number): number {
    if (ref >= ALONE_BIT) return 0;
    return (this.slabs[ref >>> SLOT_BITS] as Slab).slotBytes * (ref & SLOT_MASK);
  }

  /** Looks at the first two cache lines of a slot, if it is in memory. What it gives means nothing. */
  touch(ref: number): number {
    const slab = ref >= ALONE_BIT ? undefined : this.slabs[ref >>> SLOT_BITS];
    if (slab?.bytes === undefined) return 0;
    const at = slab.slotBytes * (ref & SLOT_MASK);
    return (
      (slab.bytes[at] as number) ^ (slab.bytes[Math.min(at + 64, slab.bytes.length - 1)] as number)
    );
  }

  /** How many bytes the slot holds: at least what was asked for. 0 in an arena, where only the entry itself tells. */
  capacityOf(ref: number): number {
    if (ref >= ALONE_BIT) return (this.alone[ref & ALONE_MASK] as Buffer).length;
    const slab = this.slabs[ref >>> SLOT_BITS] as Slab;
    return slab.sizeClass === ARENA ? 0 : slab.slotBytes;
  }

  /** Takes in block `block` of a source as an arena. Its entries are named by {@link arenaRef} and counted by {@link setEntries}. */
  addArena(source: ArenaSource, block: number): number {
    const index = this.nextSlabIndex();
    const slab = new Slab(undefined, index, ARENA, ARENA_STEP_BYTES);
    slab.source = source;
    slab.block = block;
    this.slabs[index] = slab;
    return index;
  }

  /** How many entries an arena holds, and their size together; without any it is dropped. */
  setEntries(arena: number, entries: number, usedBytes: number): void {
    const slab = this.slabs[arena];
    invariant(slab?.sizeClass === ARENA && slab.used === 0, 'entries of a new arena are counted');
    slab.used = entries;
    slab.usedBytes = usedBytes;
    this.usedBytes += usedBytes;
    if (entries === 0) this.drop(slab);
  }

  /** Is this block of the source still an arena here, and not in memory? */
  isWaiting(arena: number, source: ArenaSource, block: number): boolean {
    const slab = this.slabs[arena];
    return slab?.source === source && slab.block === block && slab.bytes === undefined;
  }

  /** Gives a waiting arena its verified bytes. */
  fillArena(arena: number, bytes: Buffer): void {
    const slab = this.slabs[arena];
    invariant(slab?.sizeClass === ARENA && slab.bytes === undefined, 'a waiting arena is filled');
    slab.bytes = bytes;
    this.reservedBytes += bytes.length;
  }

  /** The arena a ref lies in, if it is not in memory; else -1. */
  waitingArenaOf(ref: number): number {
    // No slab has index 0: a ref of 0 names nothing.
    const slab = ref >= ALONE_BIT ? undefined : this.slabs[ref >>> SLOT_BITS];
    if (slab === undefined) return -1;
    return slab.bytes === undefined ? slab.index : -1;
  }

  /** Forgets the bytes of an arena that nobody wrote into since it was touched; the next touch loads it again. */
  letGo(arena: number): void {
    const slab = this.slabs[arena];
    if (slab?.sizeClass !== ARENA || slab.bytes === undefined) return;
    this.reservedBytes -= slab.bytes.length;
    slab.bytes = undefined;
  }

  private load(slab: Slab): Buffer {
    invariant(slab.source !== undefined, 'an arena has a source');
    const bytes = slab.source.loadArena(slab.block);
    this.fillArena(slab.index, bytes);
    return bytes;
  }

  private freeEntry(slab: Slab): void {
    invariant(slab.used > 0, 'only an entry in use is freed');
    const share = Math.floor(slab.usedBytes / slab.used);
    slab.used--;
    slab.usedBytes -= share;
    this.usedBytes -= share;
    if (slab.used === 0) this.drop(slab);
  }

  private drop(slab: Slab): void {
    this.reservedBytes -= slab.bytes?.length ?? 0;
    this.slabs[slab.index] = undefined;
    this.freeSlabIndexes.push(slab.index);
  }

  private nextSlabIndex(): number {
    const index = this.freeSlabIndexes.pop() ?? this.slabs.length;
    invariant(index < MAX_SLABS, 'a heap has at most 131,071 slabs');
    return index;
  }

  /** A class grows by as much as it holds, so that few small values hold little memory. */
  private openSlab(sizeClass: number): Slab {
    const index = this.nextSlabIndex();
    const held = this.heldBytes[sizeClass] as number;
    let sizeBytes = SMALLEST_SLAB_BYTES;
    while (sizeBytes < SLAB_BYTES && (sizeBytes < held || sizeBytes < 4 * slotBytesOf(sizeClass))) {
      sizeBytes *= 2;
    }
    let bytes = sizeBytes === SLAB_BYTES ? this.pool.pop() : undefined;
    if (bytes === undefined) {
      bytes = Buffer.allocUnsafeSlow(sizeBytes);
      this.reservedBytes += sizeBytes;
    }
    const slab = new Slab(bytes, index, sizeClass, slotBytesOf(sizeClass));
    this.slabs[index] = slab;
    this.heldBytes[sizeClass] = held + sizeBytes;
    this.listRoom(slab);
    return slab;
  }

  private listRoom(slab: Slab): void {
    const withRoom = this.withRoom[slab.sizeClass] as Slab[];
    slab.place = withRoom.length;
    withRoom.push(slab);
  }

  /** A small slab stays while its class has no other room, so that one value coming and going costs nothing. */
  private retire(slab: Slab): void {
    const { index, sizeClass } = slab;
    const bytes = slab.bytes as Buffer;
    const withRoom = this.withRoom[sizeClass] as Slab[];
    if (withRoom.length === 1 && bytes.length < SLAB_BYTES) return;
    const last = withRoom.pop() as Slab;
    if (last !== slab) {
      withRoom[slab.place] = last;
      last.place = slab.place;
    }
    this.slabs[index] = undefined;
    this.freeSlabIndexes.push(index);
    this.heldBytes[sizeClass] = (this.heldBytes[sizeClass] as number) - bytes.length;
    if (bytes.length === SLAB_BYTES && this.pool.length < MAX_POOLED_SLABS) this.pool.push(bytes);
    else this.reservedBytes -= bytes.length;
  }

  private allocateAlone(sizeBytes: number): number {
    const bytes = Buffer.allocUnsafeSlow(
      Math.ceil(sizeBytes / ALONE_STEP_BYTES) * ALONE_STEP_BYTES,
    );
    const index = this.freeAloneIndexes.pop() ?? this.alone.length;
    this.alone[index] = bytes;
    this.usedBytes += bytes.length;
    this.reservedBytes += bytes.length;
    return ALONE_BIT + index;
  }

  private freeAlone(index: number): void {
    const bytes = this.alone[index];
    invariant(bytes !== undefined, 'only a buffer in use is freed');
    this.alone[index] = undefined;
    this.freeAloneIndexes.push(index);
    this.usedBytes -= bytes.length;
    this.reservedBytes -= bytes.length;
  }
}
