/**
 * The frame of a snapshot file: header, directory and footer to and from bytes. The checksum of the
 * header, which names store and offset, is the seed of all others: a block of another file never
 * validates. Layout: format.ts.
 */
import { crc32c } from '../base/crc32c.ts';
import { STORE_ID_BYTES } from '../../wal/format.ts';
import { readU64, writeU64 } from '../../wal/frame.ts';
import {
  CHUNK,
  CHUNK_ENTRY,
  CHUNK_ROWS,
  DELETED,
  FOOTER_MAGIC,
  SNAPSHOT_FOOTER,
  SNAPSHOT_HEADER,
  SNAPSHOT_MAGIC,
  SNAPSHOT_VERSION,
} from './format.ts';

const HASH_KEY_BYTES = 8;

export interface SnapshotHeader {
  readonly definitions: number;
  readonly offset: number;
  readonly time: number;
  readonly maxTime: number;
  readonly storeId: Uint8Array;
  readonly hashKey: Uint8Array;
  readonly rows: number;
  readonly instances: number;
  readonly deleted: number;
  readonly keys: number;
}

export interface ChunkEntry {
  readonly crc: number;
  readonly length: number;
  readonly kind: number;
  readonly count: number;
}

export interface SnapshotFooter {
  readonly chunks: number;
  readonly directoryCrc: number;
  readonly headerCrc: number;
  readonly sizeBytes: number;
}

export function encodeHeader(header: SnapshotHeader): Uint8Array {
  const bytes = new Uint8Array(SNAPSHOT_HEADER.size);
  const view = new DataView(bytes.buffer);
  view.setUint32(SNAPSHOT_HEADER.magic, SNAPSHOT_MAGIC, true);
  view.setUint32(SNAPSHOT_HEADER.version, SNAPSHOT_VERSION, true);
  view.setUint32(SNAPSHOT_HEADER.definitions, header.definitions, true);
  writeU64(view, SNAPSHOT_HEADER.offset, header.offset);
  view.setFloat64(SNAPSHOT_HEADER.time, header.time, true);
  view.setFloat64(SNAPSHOT_HEADER.maxTime, header.maxTime, true);
  bytes.set(header.storeId, SNAPSHOT_HEADER.storeId);
  bytes.set(header.hashKey, SNAPSHOT_HEADER.hashKey);
  view.setUint32(SNAPSHOT_HEADER.rows, header.rows, true);
  view.setUint32(SNAPSHOT_HEADER.instances, header.instances, true);
  view.setUint32(SNAPSHOT_HEADER.deleted, header.deleted, true);
  view.setUint32(SNAPSHOT_HEADER.keys, header.keys, true);
  view.setUint32(SNAPSHOT_HEADER.headerCrc, headerCrcOf(bytes), true);
  return bytes;
}

export function headerCrcOf(bytes: Uint8Array): number {
  return crc32c(bytes, SNAPSHOT_HEADER.magic, SNAPSHOT_HEADER.size);
}

/** undefined: no valid header. A number: one of that other format version. */
export function decodeHeader(bytes: Uint8Array): SnapshotHeader | number | undefined {
  if (bytes.length < SNAPSHOT_HEADER.size) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(SNAPSHOT_HEADER.magic, true) !== SNAPSHOT_MAGIC) return undefined;
  if (view.getUint32(SNAPSHOT_HEADER.headerCrc, true) !== headerCrcOf(bytes)) return undefined;
  const version = view.getUint32(SNAPSHOT_HEADER.version, true);
  if (version !== SNAPSHOT_VERSION) return version;
  const offset = readU64(view, SNAPSHOT_HEADER.offset);
  if (!Number.isSafeInteger(offset)) return undefined;
  const { storeId, hashKey } = SNAPSHOT_HEADER;
  return {
    definitions: view.getUint32(SNAPSHOT_HEADER.definitions, true),
    offset,
    time: view.getFloat64(SNAPSHOT_HEADER.time, true),
    maxTime: view.getFloat64(SNAPSHOT_HEADER.maxTime, true),
    storeId: bytes.slice(storeId, storeId + STORE_ID_BYTES),
    hashKey: bytes.slice(hashKey, hashKey + HASH_KEY_BYTES),
    rows: view.getUint32(SNAPSHOT_HEADER.rows, true),
    instances: view.getUint32(SNAPSHOT_HEADER.instances, true),
    deleted: view.getUint32(SNAPSHOT_HEADER.deleted, true),
    keys: view.getUint32(SNAPSHOT_HEADER.keys, true),
  };
}

/** Does the directory have what the header announces? Before that nothing is made room for. */
export function hasAnnounced(header: SnapshotHeader, entries: readonly ChunkEntry[]): boolean {
  let [rows, deleted, keys] = [0, 0, 0];
  for (const { kind, count, length } of entries) {
    const isOfRows = kind === CHUNK.rows || kind === CHUNK.keyRows;
    if (isOfRows && count > CHUNK_ROWS) return false;
    if (kind === CHUNK.deleted && length !== count * DELETED.size) return false;
    if (kind === CHUNK.rows) rows += count;
    if (kind === CHUNK.keyRows) keys += count;
    if (kind === CHUNK.deleted) deleted += count;
  }
  return rows === header.rows && deleted === header.deleted && keys === header.keys;
}

/** Directory and footer in one, and the footer's checksum: that of the file. */
export function encodeEnd(
  headerCrc: number,
  entries: readonly ChunkEntry[],
): { readonly bytes: Uint8Array; readonly checksum: number } {
  const directoryBytes = entries.length * CHUNK_ENTRY.size;
  const bytes = new Uint8Array(directoryBytes + SNAPSHOT_FOOTER.size);
  const view = new DataView(bytes.buffer);
  let sizeBytes: number = SNAPSHOT_HEADER.size + bytes.length;
  entries.forEach(({ crc, length, kind, count }, i) => {
    const at = i * CHUNK_ENTRY.size;
    view.setUint32(at + CHUNK_ENTRY.crc, crc, true);
    view.setUint32(at + CHUNK_ENTRY.length, length, true);
    view.setUint32(at + CHUNK_ENTRY.kind, kind, true);
    view.setUint32(at + CHUNK_ENTRY.count, count, true);
    sizeBytes += length;
  });
  const footer = directoryBytes;
  view.setUint32(footer + SNAPSHOT_FOOTER.magic, FOOTER_MAGIC, true);
  view.setUint32(footer + SNAPSHOT_FOOTER.chunks, entries.length, true);
  const directoryCrc = crc32c(bytes, 0, directoryBytes, headerCrc);
  view.setUint32(footer + SNAPSHOT_FOOTER.directoryCrc, directoryCrc, true);
  view.setUint32(footer + SNAPSHOT_FOOTER.headerCrc, headerCrc, true);
  writeU64(view, footer + SNAPSHOT_FOOTER.sizeBytes, sizeBytes);
  const checksum = crc32c(bytes, footer + SNAPSHOT_FOOTER.magic, bytes.length, headerCrc);
  view.setUint32(footer + SNAPSHOT_FOOTER.footerCrc, checksum, true);
  return { bytes, checksum };
}

/** undefined when it does not validate. */
export function decodeFooter(bytes: Uint8Array, headerCrc: number): SnapshotFooter | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const crc = crc32c(bytes, SNAPSHOT_FOOTER.magic, SNAPSHOT_FOOTER.size, headerCrc);
  if (view.getUint32(SNAPSHOT_FOOTER.magic, true) !== FOOTER_MAGIC) return undefined;
  if (view.getUint32(SNAPSHOT_FOOTER.footerCrc, true) !== crc) return undefined;
  return {
    chunks: view.getUint32(SNAPSHOT_FOOTER.chunks, true),
    directoryCrc: view.getUint32(SNAPSHOT_FOOTER.directoryCrc, true),
    headerCrc: view.getUint32(SNAPSHOT_FOOTER.headerCrc, true),
    sizeBytes: readU64(view, SNAPSHOT_FOOTER.sizeBytes),
  };
}

export function footerChecksum(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(SNAPSHOT_FOOTER.footerCrc, true);
}
