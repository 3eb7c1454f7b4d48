/**
 * The orderly end of a log: a closing mark and the manifest vouch for every byte, so that after it
 * any damage is found. What was prepared and not used is removed, the manifest first, so that
 * nothing that must be there is ever missing.
 */
import { join } from 'node:path';
import type { FileIo } from '../src/base/file-io.ts';
import type { Appender } from './appender.ts';
import { datasync, writeAll } from './file-write.ts';
import { ioError } from './log-error.ts';
import type { ManifestFile, ManifestState } from './manifest.ts';
import { isBehind } from './position.ts';
import { type Segment, closeSegment } from './prepare-segment.ts';
import type { Reserve } from './reserve.ts';
import type { SegmentRoll } from './segment-roll.ts';
import { segmentName } from './segment-name.ts';

export interface ClosingParts {
  readonly fileIo: FileIo;
  readonly directory: string;
  readonly manifest: ManifestFile;
  readonly appender: Appender;
  readonly roll: SegmentRoll;
  readonly highestKept: number;
  /** For the steps a full disk must not keep from being done. */
  readonly reserve: Reserve;
}

/** Everything taken in is written; below 'always' it may not be synced. @throws {StoreError} WAL_IO_ERROR */
export async function sealLog(parts: ClosingParts): Promise<void> {
  const { appender, directory } = parts;
  try {
    const { segment } = appender;
    // Never repeated, whatever it finds: after a failed sync the system may call lost pages clean.
    if (segment !== undefined && !appender.isSynced) await syncRest(appender, segment);
    if (segment !== undefined && appender.needsMark) {
      appender.sealMark();
      await parts.reserve.spend(() => writeClosingMark(appender, segment));
    }
    await recordEnd(parts);
    if (segment !== undefined) await removeLeftBehind(parts.roll);
  } catch (error) {
    throw ioError(error, 'closing the log', directory);
  }
}

/** Below 'always' this may be the first sync, and with it the link on the disk that passes over what nobody needs. */
function removeLeftBehind(roll: SegmentRoll): Promise<void> {
  roll.noteSynced();
  return roll.stop();
}

async function syncRest(appender: Appender, segment: Segment): Promise<void> {
  await datasync(segment.plain);
  appender.noteSynced(appender.capture());
}

/** The mark that was just sealed. May be repeated: all that lies before it is synced, and it is written anew. */
async function writeClosingMark(appender: Appender, segment: Segment): Promise<void> {
  const { bytes, start, length, at } = appender.placed;
  await writeAll(segment.plain, bytes, start, length, at);
  await syncRest(appender, segment);
}

async function recordEnd(parts: ClosingParts): Promise<void> {
  const { manifest, appender, roll, reserve } = parts;
  const { state } = manifest;
  const change: { -readonly [K in 'attested' | 'highestSegment']?: ManifestState[K] } = {};
  // Also when this process wrote nothing: what a mark of the one before vouched for, a larger damage takes with it.
  if (isBehind(appender.synced, state.attested)) {
    const { segment, bytes, offset } = appender.synced;
    change.attested = { segment, bytes, offset };
  }
  const unused = roll.ready;
  // One prepared in the place of a void has its number, and goes now: nothing must ask for it.
  const highest = Math.min(
    appender.segment?.number ?? parts.highestKept,
    (unused?.number ?? Number.POSITIVE_INFINITY) - 1,
  );
  if (state.highestSegment > highest) change.highestSegment = highest;
  // In both slots: the older one must not ask for a file that is gone, and vouches as well as the newer.
  if (Object.keys(change).length > 0) await reserve.spend(() => manifest.updateBoth(change));
  if (unused !== undefined) await reserve.spend(() => removeUnused(parts, unused));
}

async function removeUnused({ fileIo, directory }: ClosingParts, unused: Segment): Promise<void> {
  const path = join(directory, segmentName(unused.number));
  if ((await fileIo.stat(path)) !== undefined) await fileIo.remove(path);
  await fileIo.syncDirectory(directory);
}

/** Gives the descriptors back; what was to be made sure of is on the disk by now. */
export async function closeFiles(
  parts: Pick<ClosingParts, 'appender' | 'roll' | 'manifest' | 'directory'>,
): Promise<void> {
  const { appender, roll, manifest, directory } = parts;
  const closed = await Promise.allSettled([
    appender.segment === undefined ? undefined : closeSegment(appender.segment),
    roll.ready === undefined ? undefined : closeSegment(roll.ready),
    manifest.close(),
  ]);
  const failed = closed.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw ioError(failed.reason, 'closing a file', directory);
}
