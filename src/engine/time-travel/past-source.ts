/** Where the past of a store lies: its snapshots and its log, as far back as they were kept. */
import type { FileIo } from '../../base/file-io.ts';
import { StoreError } from '../../base/errors.ts';
import { type CatalogueEntry, decodeCatalogue } from '../../snapshot/catalogue.ts';
import { framesWithArchive } from '../../../wal/archived-frames.ts';
import { ioError } from '../../../wal/log-error.ts';
import { type ManifestReading, readManifest } from '../../../wal/manifest.ts';
import type { FrameFiles } from '../../../wal/read-frames.ts';
import type { RecordFiles } from '../../../wal/record-reader.ts';
import { ARCHIVE_NAME } from '../snapshots/file-names.ts';

export interface PastSource {
  readonly fileIo: FileIo;
  readonly directory: string;
  readonly storeId: Uint8Array;
  /** The snapshots that count now, oldest first. */
  entries(): Promise<readonly CatalogueEntry[]>;
  /** The log behind record `after`, with what its archive kept. @throws {StoreError} OFFSET_TOO_OLD - it was not kept. */
  framesBehind(after: number): Promise<FrameFiles>;
  /** Keeps the log behind `after` while it is read; gives the way to let it go. */
  hold(what: string, after: number): () => void;
}

/** What a store open for writing has of the kind. */
export interface LivePast {
  readonly entries: readonly CatalogueEntry[];
  readonly holds: { take(what: string, after: number): () => void };
}

/** The past of a store this process writes. */
export function livePast(files: RecordFiles, snapshots: LivePast): PastSource {
  return {
    ...placeOf(files),
    entries: () => Promise.resolve(snapshots.entries),
    hold: (what, after) => snapshots.holds.take(what, after),
  };
}

/**
 * The past of a store somebody else may be writing: snapshots as its manifest names them now, the
 * log as it was found. Nothing can be held, so what is read may be dropped meanwhile.
 */
export function foreignPast(files: RecordFiles): PastSource {
  return {
    ...placeOf(files),
    entries: async () => decodeCatalogue((await manifestOf(files)).state.extra),
    hold: () => () => undefined,
  };
}

async function manifestOf({ fileIo, directory }: RecordFiles): Promise<ManifestReading> {
  let manifest: ManifestReading | undefined;
  try {
    manifest = await readManifest(fileIo, directory);
  } catch (error) {
    throw ioError(error, 'reading the manifest', directory);
  }
  if (manifest !== undefined) return manifest;
  const details = { path: directory };
  throw new StoreError('NOT_FOUND', `there is no store in '${directory}'`, { details });
}

function placeOf(
  files: RecordFiles,
): Pick<PastSource, 'fileIo' | 'directory' | 'storeId' | 'framesBehind'> {
  const { fileIo, directory, storeId } = files;
  const framesBehind = (after: number): Promise<FrameFiles> =>
    framesWithArchive(files, ARCHIVE_NAME, after);
  return { fileIo, directory, storeId, framesBehind };
}
