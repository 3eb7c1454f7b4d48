/**
 * Drops whole segments whose records nobody needs any more. The manifest says so first, in both
 * slots; from then on the files below are no part of the log, and any subset of them may be there:
 * dying at any point leaves a log that opens, and the next call or opening drops the rest.
 *
 * The segment that stays must be sure to stay: one of its records is synced, and with it the link.
 * The manifest says that as well, so that a log whose beginning is gone can never look empty.
 */
import type { FileIo } from '../src/base/file-io.ts';
import type { DroppedSegments } from './dropped-segments.ts';
import { listLogDirectory } from './log-directory.ts';
import { ioError } from './log-error.ts';
import type { Truncation } from './log-types.ts';
import type { ManifestFile } from './manifest.ts';
import { type Attested, isBehind } from './position.ts';
import type { SegmentList } from './segment-list.ts';

export interface RetentionParts {
  readonly fileIo: FileIo;
  readonly directory: string;
  readonly manifest: ManifestFile;
  readonly segments: SegmentList;
  readonly dropped: DroppedSegments;
}

/**
 * Records from `offset` on stay. One call at a time.
 * @throws {StoreError} WAL_IO_ERROR - outcome 'not-done'; the call may be repeated.
 */
export async function dropSegmentsBefore(
  parts: RetentionParts,
  offset: number,
  synced: Attested,
): Promise<Truncation> {
  const { directory, manifest, segments } = parts;
  try {
    const kept = segments.oldestNeeded(Math.min(offset, synced.offset));
    if (kept !== undefined) {
      const isNewer = isBehind(synced, manifest.state.attested);
      const attested = isNewer ? synced : manifest.state.attested;
      await manifest.updateBoth({ oldestSegment: kept.number, attested });
      segments.dropBelow(kept.number, synced.offset);
    }
    return await dropBelow(parts, manifest.state.oldestSegment);
  } catch (error) {
    throw ioError(error, 'dropping segments', directory);
  }
}

/** Files an earlier attempt could not drop go too. */
async function dropBelow(
  { fileIo, directory, dropped }: RetentionParts,
  oldest: number,
): Promise<Truncation> {
  const { segments } = await listLogDirectory(fileIo, directory);
  return dropped.drop(segments.filter((number) => number < oldest));
}
