/**
 * Brings a log into being whose first record is not the first of all: what lies before it is kept
 * by the layer above, in files of its own beside the log. Its only segment continues one that never
 * was, as in a log whose beginning was dropped, so that readers need to know nothing of it.
 *
 * Order: the files of the layer above, the segment, then the manifest, each synced. Before the
 * manifest has its name there is no log; dying leaves what the next attempt replaces, and what an
 * opening refuses rather than take it for an empty log.
 */
import { join } from 'node:path';
import { type Clock, systemClock } from '../src/base/clock.ts';
import { badRequest } from '../src/base/errors.ts';
import type { FileIo } from '../src/base/file-io.ts';
import { type Logger, silentLogger } from '../src/base/logger.ts';
import { ensureDirectory, syncAncestors } from './create-log.ts';
import { FRAME, LINK_FRAME_BYTES, SEGMENT_BYTES, SEGMENT_HEADER } from './format.ts';
import { listLogDirectory } from './log-directory.ts';
import { ioError } from './log-error.ts';
import { createManifest, readManifest } from './manifest.ts';
import type { LogEnd } from './position.ts';
import { SalvageWriter } from './salvage-writer.ts';
import { UNFINISHED_RESERVE_NAME, segmentName } from './segment-name.ts';
import { releaseLock, takeLock } from './take-lock.ts';

/** The segment that never was has number 1. */
const FIRST_SEGMENT = 2;

/** Header, link and one mark: a file this short has no room for a record. */
const EMPTY_SEGMENT_BYTES: number = SEGMENT_HEADER.size + LINK_FRAME_BYTES + FRAME.size;

export interface CreateLogAtOptions {
  readonly fileIo: FileIo;
  /** A new one: 16 bytes that no other log has. */
  readonly storeId: Uint8Array;
  /** The first record will have the offset behind this one. */
  readonly lastOffset: number;
  /**
   * Puts the files of the layer above into the directory, synced; gives the bytes the manifest is
   * to keep for it. Called under the lock, and again by the next attempt when this one fails.
   */
  readonly fill: (directory: string) => Promise<Uint8Array>;
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
}

/**
 * Creates the directory when it is missing. When it fails there is no log, and the call may be
 * repeated; files `fill` made are the caller's to remove.
 *
 * @throws {StoreError} BAD_REQUEST - there is a log already; STORE_LOCKED, WAL_IO_ERROR
 */
export async function createLogAt(directory: string, options: CreateLogAtOptions): Promise<void> {
  const { fileIo } = options;
  const path = await ensureDirectory(fileIo, directory);
  const lock = await takeLock(fileIo, path);
  try {
    await checkEmpty(fileIo, path);
    await create(path, options);
  } catch (error) {
    // What kept the log from being made is what the caller must hear, whatever else fails now.
    await lock.release().catch(() => undefined);
    throw ioError(error, 'creating the log', path);
  }
  await releaseLock(lock, path);
}

/** Nothing but what an attempt that died left, which is removed. */
async function checkEmpty(fileIo: FileIo, directory: string): Promise<void> {
  const { segments, unfinished } = await listLogDirectory(fileIo, directory);
  const isThere = (await readManifest(fileIo, directory)) !== undefined;
  for (const number of segments) {
    const stat = await fileIo.stat(join(directory, segmentName(number)));
    const isEmpty = stat !== undefined && stat.sizeBytes <= EMPTY_SEGMENT_BYTES;
    if (!isThere && number === FIRST_SEGMENT && isEmpty) continue;
    throw aLogIsThere(directory);
  }
  if (isThere) throw aLogIsThere(directory);
  const left = unfinished.filter((name) => name !== UNFINISHED_RESERVE_NAME);
  for (const name of [...segments.map(segmentName), ...left])
    await fileIo.remove(join(directory, name));
}

function aLogIsThere(directory: string): Error {
  const expected = 'a directory without a log';
  return badRequest(`there is a log in '${directory}' already`, 'directory', expected);
}

async function create(directory: string, options: CreateLogAtOptions): Promise<void> {
  const { fileIo, storeId, lastOffset, fill, clock = systemClock } = options;
  await syncAncestors(fileIo, directory, options.logger ?? silentLogger);
  const extra = await fill(directory);
  const never: LogEnd = {
    segment: FIRST_SEGMENT - 1,
    bytes: SEGMENT_HEADER.size + LINK_FRAME_BYTES,
    chain: 0,
    offset: lastOffset,
  };
  const writer = new SalvageWriter({
    fileIo,
    directory,
    storeId,
    firstNumber: FIRST_SEGMENT,
    anchor: never,
    lastOffset,
    segmentBytes: SEGMENT_BYTES.min,
    createdAt: clock.now(),
  });
  try {
    const attested = await writer.put();
    await createManifest(fileIo, directory, {
      sequence: 1,
      storeId,
      highestSegment: FIRST_SEGMENT,
      oldestSegment: FIRST_SEGMENT,
      // So that damage to the link is damage, and never a log that begins with record 1.
      attested,
      extra,
    });
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}
