/**
 * The newest snapshot that can be used, into a fresh state: where opening, snapshots and
 * verification begin. A damaged or missing one is passed over and named, and the one before it
 * stands in; one of a newer format is nothing to guess about and ends the search.
 */
import { join } from 'node:path';
import { isStoreError, type StoreError } from '../../base/errors.ts';
import type { FileIo } from '../../base/file-io.ts';
import type { CatalogueEntry } from '../../snapshot/catalogue.ts';
import { openSnapshot, type SnapshotFile } from '../../snapshot/snapshot-file.ts';
import { snapshotName } from '../../snapshot/snapshot-name.ts';
import type { State } from '../../state/state.ts';
import { corrupt } from '../../../wal/log-error.ts';

/** A snapshot the catalogue names and that cannot be used. */
export interface BadSnapshot {
  readonly entry: CatalogueEntry;
  readonly error: StoreError;
}

export interface LoadOptions {
  readonly fileIo: FileIo;
  readonly directory: string;
  readonly storeId: Uint8Array;
  /** What the catalogue names, oldest first. */
  readonly entries: readonly CatalogueEntry[];
  readonly contexts: 'lazy' | 'now';
  /** A state nothing was loaded into; called once for each attempt. */
  readonly newState: () => State;
}

export interface LoadedBase {
  readonly state: State;
  /** undefined: none could be used, and the state is that before the first record. */
  readonly snapshot: SnapshotFile | undefined;
  /** Newer ones that were passed over, newest first. */
  readonly bad: readonly BadSnapshot[];
}

/** @throws {StoreError} FORMAT_UNSUPPORTED, WAL_IO_ERROR */
export async function loadNewest(options: LoadOptions): Promise<LoadedBase> {
  const bad: BadSnapshot[] = [];
  for (const entry of options.entries.toReversed()) {
    const state = options.newState();
    try {
      const snapshot = await openNamed(options, entry);
      await loadInto(snapshot, state, options.contexts);
      return { state, snapshot, bad };
    } catch (error) {
      if (!isUnusable(error)) throw error;
      bad.push({ entry, error });
    }
  }
  return { state: options.newState(), snapshot: undefined, bad };
}

/** The very file the catalogue means. @throws {StoreError} CORRUPT, FORMAT_UNSUPPORTED, NOT_FOUND, WAL_IO_ERROR */
export async function openNamed(
  options: Pick<LoadOptions, 'fileIo' | 'directory' | 'storeId'>,
  { offset, sizeBytes, checksum }: CatalogueEntry,
): Promise<SnapshotFile> {
  const { fileIo, directory, storeId } = options;
  const name = snapshotName(offset);
  let snapshot: SnapshotFile;
  try {
    snapshot = await openSnapshot(fileIo, join(directory, name), storeId);
  } catch (error) {
    // The store is there, and its manifest says that this is: so it was lost.
    if (isStoreError(error, 'NOT_FOUND')) throw corrupt(name, 0, 'it is missing', offset);
    throw error;
  }
  const isMeant =
    snapshot.offset === offset &&
    snapshot.sizeBytes === sizeBytes &&
    snapshot.checksum === checksum;
  if (isMeant) return snapshot;
  await snapshot.close();
  throw corrupt(name, 0, 'it is not the snapshot the manifest names', offset);
}

async function loadInto(
  snapshot: SnapshotFile,
  state: State,
  contexts: 'lazy' | 'now',
): Promise<void> {
  try {
    await snapshot.load(state, contexts);
  } catch (error) {
    // What was found is the news, not that the file could not be closed either.
    await snapshot.close().catch(() => undefined);
    throw error;
  }
}

/** Damaged, gone, or on a part of the disk that gives errors: another one may still be sound. */
function isUnusable(error: unknown): error is StoreError {
  if (isStoreError(error, 'CORRUPT', 'NOT_FOUND')) return true;
  return isStoreError(error, 'WAL_IO_ERROR') && error.details.errno === 'EIO';
}

/** Is the snapshot of this offset what an error speaks of? */
export function isAbout(error: unknown, offset: number): error is StoreError {
  if (!isUnusable(error)) return false;
  const { file, path } = error.details as { readonly file?: unknown; readonly path?: unknown };
  const named = typeof file === 'string' ? file : path;
  return typeof named === 'string' && named.endsWith(snapshotName(offset));
}
