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

export class IdBucket {
  readonly tags: Uint8Array;
  readonly handles: Uint32Array;
  /** How many top bits of the hash all entries share. */
  readonly depth: number;
  count = 0;
  /** Beyond this many entries the bucket must grow or split first. */
  readonly limit: number;
  /** Below this many it is worth shrinking. */
  readonly floor: number;

  constructor(slots: number, depth: number) {
    // Both in one buffer: a buffer costs 300 bytes beside its contents.
    const bytes = new ArrayBuffer(slots * SLOT_BYTES);
    this.handles = new Uint32Array(bytes, 0, slots);
    this.tags = new Uint8Array(bytes, slots * 4, slots);
    this.depth = depth;
    this.limit = Math.floor(slots * MAX_LOAD);
    this.floor = slots === FIRST_SLOTS ? 0 : Math.floor(slots * MIN_LOAD);
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
}
