/**
 * Drops whole segments whose records nobody needs any more. The manifest says so first, in both
 * slots; from then on the files below are no part of the log, and any subset of them may be there:
 * dying at any point leaves a log that opens, and the next call or opening removes the rest.
 *
 * The segment that stays must be sure to stay: one of its records is synced, and with it the link.
 */
import { join } from 'node:path';
import type { FileIo } from '../src/base/file-io.ts';
import { listLogDirectory } from './log-directory.ts';
import { ioError } from './log-error.ts';
import type { Truncation } from './log-types.ts';
import type { ManifestFile } from './manifest.ts';
import type { SegmentList } from './segment-list.ts';
import { segmentName } from './segment-name.ts';

export interface RetentionParts {
  readonly fileIo: FileIo;
  readonly directory: string;
  readonly manifest: ManifestFile;
  readonly segments: SegmentList;
}

/**
 * Records from `offset` on stay. One call at a time.
 * @throws {StoreError} WAL_IO_ERROR - outcome 'not-done'; the call may be repeated.
 */
export async function dropSegmentsBefore(
  parts: RetentionParts,
  offset: number,
  durableOffset: number,
): Promise<Truncation> {
  const { directory, manifest, segments } = parts;
  try {
    const kept = segments.oldestNeeded(Math.min(offset, durableOffset));
    if (kept !== undefined) {
      await manifest.updateBoth({ oldestSegment: kept.number });
      segments.dropBelow(kept.number, durableOffset);
    }
    return await removeBelow(parts, manifest.state.oldestSegment);
  } catch (error) {
    throw ioError(error, 'dropping segments', directory);
  }
}

/** Oldest first. Files an earlier attempt could not remove go too. */
async function removeBelow(parts: RetentionParts, oldest: number): Promise<Truncation> {
  const { fileIo, directory } = parts;
  const { segments: numbers } = await listLogDirectory(fileIo, directory);
  let segments = 0;
  let bytesFreed = 0;
  for (const number of numbers) {
    if (number >= oldest) break;
    const path = join(directory, segmentName(number));
    const stat = await fileIo.stat(path);
    if (stat === undefined || !(await removeIfThere(fileIo, path))) continue;
    segments++;
    bytesFreed += stat.sizeBytes;
  }
  if (segments > 0) await fileIo.syncDirectory(directory);
  return { segments, bytesFreed };
}

/** The writer, too, removes what it finds there, once after opening. */
async function removeIfThere(fileIo: FileIo, path: string): Promise<boolean> {
  try {
    await fileIo.remove(path);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return false;
    throw error;
  }
}
