/**
 * Buckets of the id table to and from bytes: the tags of all slots, and the handles of those in use
 * in as few bytes as the highest needs. Which ids they belong to is in the rows.
 */
import type { ByteWriter } from '../base/bytes.ts';
import { IdBucket } from '../base/id-bucket.ts';
import { BUCKET, CHUNK_ALIGNMENT } from './format.ts';

/** More bits of a hash than any table tells apart. */
const MAX_DEPTH = 28;

/** `handleOf`: what a handle becomes in the snapshot, where there are `rows` of them. */
export function writeBucket(
  out: ByteWriter,
  bucket: IdBucket,
  rows: number,
  handleOf: (handle: number) => number,
): void {
  const { tags, handles } = bucket;
  const width = rows <= 2 ** 8 ? 1 : rows <= 2 ** 16 ? 2 : rows <= 2 ** 24 ? 3 : 4;
  const start = out.position;
  const size = BUCKET.size + padded(width * bucket.count) + tags.length;
  out.reserve(size);
  const { bytes, view } = out;
  bytes.fill(0, start, start + size);
  view.setUint32(start + BUCKET.slots, tags.length, true);
  view.setUint32(start + BUCKET.count, bucket.count, true);
  view.setUint8(start + BUCKET.depth, bucket.depth);
  view.setUint8(start + BUCKET.width, width);
  let at = start + BUCKET.size;
  for (let slot = 0; slot < tags.length; slot++) {
    if (tags[slot] === 0) continue;
    const handle = handleOf(handles[slot] as number);
    for (let i = 0; i < width; i++) bytes[at++] = handle >>> (8 * i);
  }
  bytes.set(tags, start + BUCKET.size + padded(width * bucket.count));
  out.position = start + size;
}

/** Adds the buckets of a chunk, still packed: they keep the bytes. False when they make no sense. */
export function readBuckets(bytes: Buffer, count: number, into: IdBucket[]): boolean {
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + BUCKET.size > bytes.length) return false;
    const slots = bytes.readUInt32LE(at + BUCKET.slots);
    const used = bytes.readUInt32LE(at + BUCKET.count);
    const depth = bytes.readUInt8(at + BUCKET.depth);
    const width = bytes.readUInt8(at + BUCKET.width);
    const handlesAt = at + BUCKET.size;
    const tagsAt = handlesAt + padded(width * used);
    const end = tagsAt + slots;
    const isSane = used < slots && slots % 8 === 0 && depth <= MAX_DEPTH;
    if (!isSane || width < 1 || width > 4 || end > bytes.length) return false;
    const handles = bytes.subarray(handlesAt, handlesAt + width * used);
    const packed = { tags: bytes.subarray(tagsAt, end), handles, width, count: used };
    into.push(new IdBucket(slots, depth, packed));
    at = end;
  }
  return at === bytes.length;
}

function padded(length: number): number {
  return Math.ceil(length / CHUNK_ALIGNMENT) * CHUNK_ALIGNMENT;
}
