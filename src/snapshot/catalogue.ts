/**
 * The catalogue: which snapshots count, oldest first, as the bytes of the manifest that belong to
 * the layer above the log. The slot's checksum covers them, so bytes that do not fit together
 * were never written by this package. A file that no catalogue names is no snapshot.
 */
import { invariant } from '../base/assert.ts';
import { MANIFEST_EXTRA_BYTES } from '../../wal/format.ts';
import { readU64, writeU64 } from '../../wal/frame.ts';
import { corrupt, unsupportedFormat } from '../../wal/log-error.ts';
import { MANIFEST_NAME } from '../../wal/segment-name.ts';
import { CATALOGUE, CATALOGUE_ENTRY, CATALOGUE_VERSION } from './format.ts';

export interface CatalogueEntry {
  readonly offset: number;
  readonly sizeBytes: number;
  /** Of the snapshot's footer, which covers all the others. */
  readonly checksum: number;
}

/** How many snapshots a catalogue can name. */
export const MAX_CATALOGUE_ENTRIES: number = Math.floor(
  (MANIFEST_EXTRA_BYTES - CATALOGUE.size) / CATALOGUE_ENTRY.size,
);

export function encodeCatalogue(entries: readonly CatalogueEntry[]): Uint8Array {
  invariant(entries.length <= MAX_CATALOGUE_ENTRIES, 'the catalogue fits into the manifest');
  const sorted = entries.toSorted((a, b) => a.offset - b.offset);
  const bytes = new Uint8Array(CATALOGUE.size + sorted.length * CATALOGUE_ENTRY.size);
  const view = new DataView(bytes.buffer);
  view.setUint32(CATALOGUE.version, CATALOGUE_VERSION, true);
  view.setUint32(CATALOGUE.count, sorted.length, true);
  let at: number = CATALOGUE.size;
  for (const { offset, sizeBytes, checksum } of sorted) {
    writeU64(view, at + CATALOGUE_ENTRY.offset, offset);
    writeU64(view, at + CATALOGUE_ENTRY.sizeBytes, sizeBytes);
    view.setUint32(at + CATALOGUE_ENTRY.checksum, checksum, true);
    at += CATALOGUE_ENTRY.size;
  }
  return bytes;
}

/** Oldest first; no bytes are an empty catalogue. @throws {StoreError} CORRUPT, FORMAT_UNSUPPORTED */
export function decodeCatalogue(extra: Uint8Array): CatalogueEntry[] {
  if (extra.length === 0) return [];
  if (extra.length < CATALOGUE.size) throw malformed();
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength);
  const version = view.getUint32(CATALOGUE.version, true);
  if (version !== CATALOGUE_VERSION)
    throw unsupportedFormat(`${MANIFEST_NAME} (snapshots)`, version, CATALOGUE_VERSION);
  const count = view.getUint32(CATALOGUE.count, true);
  if (extra.length !== CATALOGUE.size + count * CATALOGUE_ENTRY.size) throw malformed();
  const entries: CatalogueEntry[] = [];
  for (let at: number = CATALOGUE.size; at < extra.length; at += CATALOGUE_ENTRY.size) {
    const offset = readU64(view, at + CATALOGUE_ENTRY.offset);
    const sizeBytes = readU64(view, at + CATALOGUE_ENTRY.sizeBytes);
    const isSane = Number.isSafeInteger(offset) && Number.isSafeInteger(sizeBytes);
    if (!isSane || offset <= (entries.at(-1)?.offset ?? -1)) throw malformed();
    entries.push({
      offset,
      sizeBytes,
      checksum: view.getUint32(at + CATALOGUE_ENTRY.checksum, true),
    });
  }
  return entries;
}

function malformed(): Error {
  return corrupt(MANIFEST_NAME, 0, 'its list of snapshots makes no sense');
}
