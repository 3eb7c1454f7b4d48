/**
 * The first bytes of a segment file. They are on the disk before the file has its name, so a bad
 * one is damage, never the trace of a crash.
 */
import { crc32c } from '../src/base/crc32c.ts';
import { FORMAT_VERSION, SEGMENT_HEADER, SEGMENT_MAGIC, STORE_ID_BYTES } from './format.ts';
import { readU64, writeU64 } from './frame.ts';

export interface SegmentHeader {
  readonly number: number;
  readonly sizeBytes: number;
  readonly createdAt: number;
  readonly storeId: Uint8Array;
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER.size);
  const view = new DataView(bytes.buffer);
  view.setUint32(SEGMENT_HEADER.magic, SEGMENT_MAGIC, true);
  view.setUint32(SEGMENT_HEADER.version, FORMAT_VERSION, true);
  view.setUint32(SEGMENT_HEADER.number, header.number, true);
  view.setUint32(SEGMENT_HEADER.sizeBytes, header.sizeBytes, true);
  writeU64(view, SEGMENT_HEADER.createdAt, Math.max(0, Math.trunc(header.createdAt)));
  bytes.set(header.storeId, SEGMENT_HEADER.storeId);
  view.setUint32(
    SEGMENT_HEADER.headerCrc,
    crc32c(bytes, SEGMENT_HEADER.magic, SEGMENT_HEADER.size),
    true,
  );
  return bytes;
}

/** undefined: not a header. A number: one of that later format version. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | number | undefined {
  if (bytes.length < SEGMENT_HEADER.size) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(SEGMENT_HEADER.magic, true) !== SEGMENT_MAGIC) return undefined;
  const crc = crc32c(bytes, SEGMENT_HEADER.magic, SEGMENT_HEADER.size);
  if (crc !== view.getUint32(SEGMENT_HEADER.headerCrc, true)) return undefined;
  const version = view.getUint32(SEGMENT_HEADER.version, true);
  if (version !== FORMAT_VERSION) return version;
  return {
    number: view.getUint32(SEGMENT_HEADER.number, true),
    sizeBytes: readU64(view, SEGMENT_HEADER.sizeBytes),
    createdAt: readU64(view, SEGMENT_HEADER.createdAt),
    storeId: bytes.slice(SEGMENT_HEADER.storeId, SEGMENT_HEADER.storeId + STORE_ID_BYTES),
  };
}
