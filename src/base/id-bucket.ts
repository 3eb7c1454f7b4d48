/**
 * IdBucket: one small open-addressing table of the id table: a tag byte and a handle per slot,
 * linear probing, deletion by backward shift, so there are no tombstones that could pile up.
 * Knows hashes and handles, never ids. The 32 bits of a hash: the low 16 scaled to the number of
 * slots give the home slot; the 5 lowest of them, which that scaling hardly uses, and bits 16-18 make
 * the tag; the directory takes bits from the top. Invariants: tag 0 marks an empty slot; at least
 * one slot is empty; no empty slot lies between an entry's home and the entry.
 */
import { invariant } from './assert.ts';

/** A tag and a handle. */
export const SLOT_BYTES = 5;
/** What the objects of a bucket take beside its slots (measured on Node 20). */
export const BUCKET_OVERHEAD_BYTES = 700;
const FIRST_SLOTS = 16;
/** A bucket of this size splits instead of growing: one split hashes 1,638 ids, about 0.2 ms when all are cold. */
export const SPLIT_SLOTS = 2048;
const MAX_LOAD = 0.8;
/** Load right after a change of size, where there is a choice. */
const FRESH_LOAD = 0.6;
const MIN_LOAD = 0.2;

/** 1 .. 255. */
export function tagOf(hash: number): number {
  const tag = (hash & 0x1f) | ((hash >>> 11) & 0xe0);
  return tag === 0 ? 1 : tag;
}

export function homeOf(hash: number, slots: number): number {
  // Only ids chosen with the key known make a bucket of more than 2^16 slots.
  if (slots > 0x10000) return Math.floor(((hash & 0xffff) / 0x10000) * slots);
  return ((hash & 0xffff) * slots) >>> 16;
}

/** Sizes go 16, 24, 32, 48, 64 ...: finer than doubling, so that buckets are 2/3 full on average. */
export function nextSlots(slots: number): number {
  return (slots & (slots - 1)) === 0 ? slots + (slots >>> 1) : (slots / 3) * 4;
}

export function slotsFor(count: number): number {
  let slots = FIRST_SLOTS;
  while (count > slots * FRESH_LOAD) slots = nextSlots(slots);
  return slots;
}

/** A bucket as a snapshot has it: the tags of all slots, and the handles of those in use. */
export interface PackedBucket {
  readonly tags: Uint8Array;
  /** `width` bytes each, lowest first, in the order of the slots. */
  readonly handles: Uint8Array;
  readonly width: number;
  readonly count: number;
}

const NO_TAGS: Uint8Array = new Uint8Array(0);
const NO_HANDLES: Uint32Array = new Uint32Array(0);

export class IdBucket {
  /** Empty while the bucket is packed. */
  tags: Uint8Array;
  handles: Uint32Array;
  /** Whoever looks into a bucket unpacks it first. */
  packed: PackedBucket | undefined;
  readonly slots: number;
  /** How many top bits of the hash all entries share. */
  readonly depth: number;
  count = 0;
  /** Beyond this many entries the bucket must grow or split first. */
  readonly limit: number;
  /** Below this many it is worth shrinking. */
  readonly floor: number;

  constructor(slots: number, depth: number, packed?: PackedBucket) {
    this.packed = packed;
    this.handles = NO_HANDLES;
    this.tags = NO_TAGS;
    if (packed === undefined) this.makeSlots(slots);
    else this.count = packed.count;
    this.slots = slots;
    this.depth = depth;
    this.limit = Math.floor(slots * MAX_LOAD);
    this.floor = slots === FIRST_SLOTS ? 0 : Math.floor(slots * MIN_LOAD);
  }

  private makeSlots(slots: number): void {
    // Both in one buffer: a buffer costs 300 bytes beside its contents.
    const bytes = new ArrayBuffer(slots * SLOT_BYTES);
    this.handles = new Uint32Array(bytes, 0, slots);
    this.tags = new Uint8Array(bytes, slots * 4, slots);
  }

  unpack(): void {
    const { packed, slots } = this;
    if (packed === undefined) return;
    this.makeSlots(slots);
    this.packed = undefined;
    const { width, handles: from } = packed;
    this.tags.set(packed.tags);
    const { tags, handles } = this;
    let at = 0;
    for (let slot = 0; slot < slots; slot++) {
      if (tags[slot] === 0) continue;
      let handle = from[at] as number;
      for (let i = 1; i < width; i++) handle |= (from[at + i] as number) << (8 * i);
      handles[slot] = handle;
      at += width;
    }
  }

  insert(hash: number, handle: number): void {
    const tags = this.tags;
    const slots = tags.length;
    invariant(this.count < slots - 1, 'an id bucket keeps an empty slot');
    let slot = homeOf(hash, slots);
    while (tags[slot] !== 0) slot = slot + 1 === slots ? 0 : slot + 1;
    tags[slot] = tagOf(hash);
    this.handles[slot] = handle;
    this.count++;
  }

  /** The slot of an entry that is there. */
  slotOf(hash: number, handle: number): number {
    const { tags, handles } = this;
    const slots = tags.length;
    const tag = tagOf(hash);
    let slot = homeOf(hash, slots);
    while (tags[slot] !== tag || handles[slot] !== handle) {
      invariant(tags[slot] !== 0, 'the handle to remove is in the id table');
      slot = slot + 1 === slots ? 0 : slot + 1;
    }
    return slot;
  }

  /** Empties a slot and closes the gap with the entries behind it that may move up. */
  removeAt(slot: number, hashOf: (handle: number) => number): void {
    const { tags, handles } = this;
    const slots = tags.length;
    let gap = slot;
    for (let next = slot + 1; ; next++) {
      if (next >= slots) next -= slots;
      if (tags[next] === 0) break;
      const home = homeOf(hashOf(handles[next] as number), slots);
      const fromHome = next >= home ? next - home : next - home + slots;
      const fromGap = next >= gap ? next - gap : next - gap + slots;
      if (fromHome < fromGap) continue;
      tags[gap] = tags[next] as number;
      handles[gap] = handles[next] as number;
      gap = next;
    }
    tags[gap] = 0;
    this.count--;
  }
  /** Diagnosis: of every entry, how many slots are looked at to find it. */
  *probes(hashOf: (handle: number) => number): IterableIterator<number> {
    const slots = this.tags.length;
    for (let slot = 0; slot < slots; slot++) {
      if (this.tags[slot] === 0) continue;
      const home = homeOf(hashOf(this.handles[slot] as number), slots);
      yield 1 + (slot >= home ? slot - home : slot - home + slots);
    }
  }
}

/** As many and as large as so many entries need; in the order of their hashes. */
export function emptyBuckets(count: number): IdBucket[] {
  let depth = 0;
  while (slotsFor(Math.ceil(count / 2 ** depth)) > SPLIT_SLOTS) depth++;
  const slots = slotsFor(Math.ceil(count / 2 ** depth));
  return Array.from({ length: 2 ** depth }, () => new IdBucket(slots, depth));
}

/** The directory of buckets given in the order of their hashes; undefined when they leave a gap or overlap. */
export function directoryOf(buckets: readonly IdBucket[]): IdBucket[] | undefined {
  let depth = 0;
  for (const bucket of buckets) depth = Math.max(depth, bucket.depth);
  const entries = 2 ** depth;
  const directory: IdBucket[] = [];
  for (const bucket of buckets) {
    const span = 2 ** (depth - bucket.depth);
    if (directory.length % span !== 0 || directory.length + span > entries) return undefined;
    for (let i = 0; i < span; i++) directory.push(bucket);
  }
  return directory.length === entries ? directory : undefined;
}
