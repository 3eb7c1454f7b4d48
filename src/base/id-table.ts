/**
 * IdTable: ids (non-empty text of at most 1,024 UTF-8 bytes) to dense handles. Extendible hashing
 * (Fagin et al., 1979): the top bits of a keyed hash choose one of many small buckets, a full bucket
 * splits alone, so no insert ever rehashes more than one. An id's bytes live in a SlabHeap slot
 * (see id-slot.ts); the owner of the handles keeps the slot's ref per handle and the table asks for
 * it, so an entry costs 5 bytes here. Invariants: a bucket of depth d is named by all directory
 * entries that share its top d bits; every handle in the table has its ref in `refOf`.
 */
import { invariant } from './assert.ts';
import { type HashKey, hashBytes, hashKeyFrom } from './hash.ts';
import {
  BUCKET_OVERHEAD_BYTES,
  IdBucket,
  SLOT_BYTES,
  SPLIT_SLOTS,
  directoryOf,
  emptyBuckets,
  homeOf,
  nextSlots,
  slotsFor,
  tagOf,
} from './id-bucket.ts';
import {
  MAX_ID_BYTES,
  compareIds,
  encodeId,
  hashOfId,
  isId,
  lengthAt,
  storeId,
  textAt,
  textOfId,
} from './id-slot.ts';
import { type IdRefs, entriesOf } from './id-rehash.ts';
import type { SlabHeap } from './slab-heap.ts';

const DIRECTORY_ENTRY_BYTES = 8;

/** Two halves of a split become one again below this many entries together: a quarter of what made them part. */
const MERGE_COUNT: number = SPLIT_SLOTS / 5;

export interface IdTableOptions {
  readonly heap: SlabHeap;
  /** 8 unpredictable bytes, drawn when the store was made. */
  readonly hashKey: Uint8Array;
  readonly refOf: IdRefs;
}

export class IdTable {
  size = 0;
  /** Where the id asked for by locate() lies. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  private readonly heap: SlabHeap;
  private readonly refOf: IdRefs;
  /** What ids are hashed with, as it was given. */
  hashKey: Uint8Array;
  private key: HashKey;
  private readonly scratch: Buffer = Buffer.allocUnsafeSlow(3 * MAX_ID_BYTES);
  /** Of the text that {@link look} was asked about. */
  lookedHash = 0;
  private lookedEnd = 0;
  private readonly hashOfHandle: (handle: number) => number;
  /** 2^depth entries, by the top `depth` bits of the hash. */
  private directory: IdBucket[] = [new IdBucket(slotsFor(0), 0)];
  private depth = 0;
  private buckets = 1;
  private slots: number = slotsFor(0);

  constructor(options: IdTableOptions) {
    this.heap = options.heap;
    this.refOf = options.refOf;
    this.hashKey = options.hashKey;
    this.key = hashKeyFrom(options.hashKey);
    this.hashOfHandle = (handle) => hashOfId(this.heap, this.refOf.idRefOf(handle), this.key);
  }

  /** Every bucket once, in the order of the hashes they hold: what {@link restore} takes. */
  *bucketsInOrder(): IterableIterator<IdBucket> {
    for (let i = 0; i < this.directory.length;) {
      const bucket = this.directory[i] as IdBucket;
      bucket.unpack();
      yield bucket;
      i += 1 << (this.depth - bucket.depth);
    }
  }

  /** Takes over the buckets of another table, in their order; false when they do not fill a directory exactly. */
  restore(hashKey: Uint8Array, buckets: readonly IdBucket[]): boolean {
    invariant(this.size === 0, 'an empty table is restored');
    const directory = directoryOf(buckets);
    if (directory === undefined) return false;
    this.hashKey = hashKey;
    this.key = hashKeyFrom(hashKey);
    this.directory = directory;
    this.depth = Math.log2(directory.length);
    this.buckets = buckets.length;
    this.slots = 0;
    for (const bucket of buckets) {
      this.slots += bucket.slots;
      this.size += bucket.count;
    }
    return true;
  }

  /** Memory of the table without the id bytes, which the heap counts. */
  get memoryBytes(): number {
    return (
      this.slots * SLOT_BYTES +
      this.buckets * BUCKET_OVERHEAD_BYTES +
      this.directory.length * DIRECTORY_ENTRY_BYTES
    );
  }

  /** The handle of an id, -1 if there is none. Text that is no id (empty, too long, ill-formed) has none. */
  get(id: string): number {
    return this.look(id) ? this.getLooked() : -1;
  }

  /** Hashes an id into {@link lookedHash}, for {@link getLooked}; false for text that is no id. */
  look(id: string): boolean {
    const { scratch } = this;
    const end = encodeId(id, scratch);
    if (end < 0) return false;
    this.lookedEnd = end;
    this.lookedHash = hashBytes(this.key, scratch, 0, end);
    return true;
  }

  /** The handle of the id hashed last, -1 if there is none. */
  getLooked(): number {
    return this.find(this.lookedHash, this.scratch, 0, this.lookedEnd);
  }

  /** {@link get} of an id given as UTF-8. */
  getBytes(bytes: Uint8Array, start: number, end: number): number {
    return this.find(hashBytes(this.key, bytes, start, end), bytes, start, end);
  }

  /** Makes an empty table as large as so many ids need, so that they come without a rebuild. */
  expect(count: number): void {
    if (this.size === 0) this.restore(this.hashKey, emptyBuckets(count));
  }

  /**
   * Enters an id that is not in the table; its bytes are copied.
   * @returns the ref that `refOf` must give for the handle from now on, before the next call.
   */
  put(handle: number, bytes: Uint8Array, start: number, end: number): number {
    invariant(end > start && end - start <= MAX_ID_BYTES, 'an id has 1 to 1,024 bytes');
    const hash = hashBytes(this.key, bytes, start, end);
    invariant(this.find(hash, bytes, start, end) < 0, 'an id is put once');
    let bucket = this.bucketOf(hash);
    if (bucket.count >= bucket.limit) {
      const slots = bucket.tags.length;
      if (slots >= SPLIT_SLOTS) this.split(bucket, hash);
      else this.rebuild([bucket], hash, nextSlots(slots), bucket.depth);
      bucket = this.bucketOf(hash);
    }
    const ref = storeId(this.heap, bytes, start, end);
    bucket.insert(hash, handle);
    this.size++;
    return ref;
  }

  /** Takes an entry out and frees its slot. Other handles' refs are read, so do this before reusing the handle. */
  remove(handle: number, idRef: number): void {
    const hash = hashOfId(this.heap, idRef, this.key);
    const bucket = this.bucketOf(hash);
    bucket.removeAt(bucket.slotOf(hash, handle), this.hashOfHandle);
    this.size--;
    this.heap.free(idRef);
    if (bucket.count < bucket.floor) this.shrink(bucket, hash);
  }

  idText(idRef: number): string {
    return textOfId(this.heap, idRef);
  }

  /** Sets bytes, start and end to where an id's UTF-8 lies, until the next change of the table. */
  locate(idRef: number): void {
    this.bytes = this.heap.bytesOf(idRef);
    const at = this.heap.startOf(idRef);
    this.start = textAt(this.bytes, at);
    this.end = this.start + lengthAt(this.bytes, at);
  }

  /** The same, but where the whole slot lies. */
  locateSlot(idRef: number): void {
    this.locate(idRef);
    this.start = this.heap.startOf(idRef);
  }

  /** Negative, 0 or positive as the first id sorts before, with or after the second by UTF-8 bytes. */
  compare(idRefA: number, idRefB: number): number {
    return compareIds(this.heap, idRefA, idRefB);
  }

  /** Diagnosis: slots looked at, summed over finding every entry, and for the worst one. Walks all ids. */
  probes(): { readonly total: number; readonly longest: number } {
    let total = 0;
    let longest = 0;
    for (const bucket of this.bucketsInOrder()) {
      for (const probes of bucket.probes(this.hashOfHandle)) {
        total += probes;
        longest = Math.max(longest, probes);
      }
    }
    return { total, longest };
  }

  private bucketOf(hash: number): IdBucket {
    // Two shifts, because one by 32 is one by 0.
    const bucket = this.directory[(hash >>> 1) >>> (31 - this.depth)] as IdBucket;
    if (bucket.packed !== undefined) bucket.unpack();
    return bucket;
  }

  private find(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const { tags, handles } = this.bucketOf(hash);
    const slots = tags.length;
    const tag = tagOf(hash);
    let slot = homeOf(hash, slots);
    for (;;) {
      const found = tags[slot];
      if (found === 0) return -1;
      if (found === tag) {
        const handle = handles[slot] as number;
        if (isId(this.heap, this.refOf.idRefOf(handle), bytes, start, end)) return handle;
      }
      slot = slot + 1 === slots ? 0 : slot + 1;
    }
  }

  /** A bucket that has run low joins its buddy, the other half of an earlier split, if both are. */
  private shrink(bucket: IdBucket, hash: number): void {
    const buddy = this.bucketOf(bucket.depth === 0 ? hash : hash ^ (1 << (32 - bucket.depth)));
    const together = bucket.count + buddy.count;
    if (buddy !== bucket && buddy.depth === bucket.depth && together <= MERGE_COUNT)
      this.rebuild([bucket, buddy], hash, slotsFor(together), bucket.depth - 1);
    else this.rebuild([bucket], hash, slotsFor(bucket.count), bucket.depth);
  }

  /** Puts one bucket in the place of some. `hash` is one that any of them holds. */
  private rebuild(from: readonly IdBucket[], hash: number, slots: number, depth: number): void {
    const next = new IdBucket(slots, depth);
    for (const bucket of from) {
      const { handles, hashes } = entriesOf(bucket, this.heap, this.refOf, this.key);
      for (let i = 0; i < hashes.length; i++) {
        next.insert(hashes[i] as number, handles[i] as number);
      }
      this.slots -= bucket.tags.length;
    }
    this.slots += slots;
    this.buckets += 1 - from.length;
    this.name(hash, next);
  }

  /**
   * Parts a bucket by the next bit of the hash. Under a keyed hash the halves are even. Were ids
   * chosen to fall into one half again and again, it would get a third more slots each time, so
   * that the directory could not double faster than the ids become more.
   */
  private split(bucket: IdBucket, hash: number): void {
    const depth = bucket.depth + 1;
    const shift = 32 - depth;
    const { handles, hashes } = entriesOf(bucket, this.heap, this.refOf, this.key);
    let ones = 0;
    for (let i = 0; i < hashes.length; i++) ones += ((hashes[i] as number) >>> shift) & 1;
    const low = new IdBucket(slotsFor(hashes.length - ones), depth);
    const high = new IdBucket(slotsFor(ones), depth);
    for (let i = 0; i < hashes.length; i++) {
      const entryHash = hashes[i] as number;
      const half = ((entryHash >>> shift) & 1) === 0 ? low : high;
      half.insert(entryHash, handles[i] as number);
    }
    if (bucket.depth === this.depth) this.doubleDirectory();
    this.slots += low.tags.length + high.tags.length - bucket.tags.length;
    this.buckets++;
    this.name(hash & ~(1 << shift), low);
    this.name(hash | (1 << shift), high);
  }

  private doubleDirectory(): void {
    const doubled: IdBucket[] = [];
    for (const bucket of this.directory) doubled.push(bucket, bucket);
    this.directory = doubled;
    this.depth++;
  }

  /** Points every directory entry that shares the bucket's top bits with `hash` at the bucket. */
  private name(hash: number, bucket: IdBucket): void {
    const span = 1 << (this.depth - bucket.depth);
    const first = ((hash >>> 1) >>> (31 - this.depth)) & -span;
    this.directory.fill(bucket, first, first + span);
  }
}
