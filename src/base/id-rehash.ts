/**
 * The hashes of a bucket's entries, made again from the id bytes: what a split, a merge and a change
 * of size begin with. Buckets keep a tag of each hash only.
 */
import type { HashKey } from './hash.ts';
import type { IdBucket } from './id-bucket.ts';
import { hashOfId } from './id-slot.ts';
import type { SlabHeap } from './slab-heap.ts';

/** Whoever owns the handles: the ref that `IdTable.put` returned for this one. */
export interface IdRefs {
  idRefOf(handle: number): number;
}

/**
 * In a large table each id is two cache misses away (its row, then its slot): three passes, each of
 * independent loads, let the processor overlap them, which makes a split several times faster than
 * one pass.
 */
export function entriesOf(
  bucket: IdBucket,
  heap: SlabHeap,
  refOf: IdRefs,
  key: HashKey,
): { readonly handles: Uint32Array; readonly hashes: Int32Array } {
  const handles = new Uint32Array(bucket.count);
  const refs = new Uint32Array(bucket.count);
  const hashes = new Int32Array(bucket.count);
  let count = 0;
  for (let slot = 0; slot < bucket.tags.length; slot++) {
    if (bucket.tags[slot] !== 0) handles[count++] = bucket.handles[slot] as number;
  }
  for (let i = 0; i < count; i++) refs[i] = refOf.idRefOf(handles[i] as number);
  for (let i = 0; i < count; i++) {
    // The value is of no use; stored, so that the load stays.
    hashes[i] = heap.bytesOf(refs[i] as number)[heap.startOf(refs[i] as number)] as number;
  }
  for (let i = 0; i < count; i++) hashes[i] = hashOfId(heap, refs[i] as number, key);
  return { handles, hashes };
}
