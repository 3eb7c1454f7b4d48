/**
 * The frames of a log together with those its archive has kept: segments that were dropped, from
 * the oldest one needed to the newest, then the log itself. Which files of an archive are the log's
 * past, and in which order, the links say, from the log's first segment backwards; whatever else
 * lies there is passed over. Only heads are read.
 */
import { join, resolve } from 'node:path';
import { isStoreError } from '../src/base/errors.ts';
import { SEGMENT_HEADER } from './format.ts';
import { corrupt } from './log-error.ts';
import { type SegmentHead, readSegmentHead } from './log-directory.ts';
import { type FrameFile, type FrameFiles, framesOf } from './read-frames.ts';
import { type RecordFiles, tooOld } from './record-reader.ts';
import { segmentName } from './segment-name.ts';

/**
 * The files with the records behind `after`. A relative `archiveDirectory` begins in the log's.
 * @throws {StoreError} OFFSET_TOO_OLD - the archive begins later; CORRUPT, WAL_IO_ERROR
 */
export async function framesWithArchive(
  files: RecordFiles,
  archiveDirectory: string,
  after: number,
): Promise<FrameFiles> {
  const { segments, storeId } = files;
  const archive = resolve(files.directory, archiveDirectory);
  const { firstOffset } = segments;
  const live = framesOf(files, Math.max(after, firstOffset - 1)).files.map((file) =>
    movingTo(archive, file),
  );
  if (after + 1 >= firstOffset) return { storeId, files: live };
  const [oldest] = live;
  if (oldest === undefined) throw tooOld(after + 1, firstOffset);
  const past = await pastOf({ ...files, archive }, oldest, after);
  return { storeId, files: [...past, ...live] };
}

interface Places extends RecordFiles {
  readonly archive: string;
}

/** Segments before the log's first one, down to the one with the record behind `after`. */
async function pastOf(places: Places, oldest: FrameFile, after: number): Promise<FrameFile[]> {
  const past: FrameFile[] = [];
  let next = await headOf(places, oldest.number);
  while (next?.link !== undefined && next.link.firstOffset > after + 1) {
    const { continuedSegment: number, firstOffset } = next.link;
    if (number >= next.number) throw brokenLink(next);
    const head = number === 0 ? undefined : await headOf(places, number);
    if (head?.link === undefined) throw tooOld(after + 1, firstOffset);
    if (head.link.firstOffset > firstOffset) throw brokenLink(next);
    past.unshift(frameFile(places, head, firstOffset - 1));
    next = head;
  }
  return past.filter((file) => file.lastOffset >= file.firstOffset);
}

function frameFile({ archive }: Places, head: SegmentHead, lastOffset: number): FrameFile {
  const { number, path, sizeBytes, link } = head;
  const { chain = 0, firstOffset = lastOffset + 1 } = link ?? {};
  const start = { bytes: SEGMENT_HEADER.size, chain, nextOffset: firstOffset };
  return movingTo(archive, { number, path, sizeBytes, firstOffset, start, lastOffset });
}

/** A file of the log may be moved there before it is read. */
function movingTo(archive: string, file: FrameFile): FrameFile {
  return { ...file, archivedPath: join(archive, segmentName(file.number)) };
}

/** In the archive, or still in the log's own directory. undefined: in neither. */
async function headOf(places: Places, number: number): Promise<SegmentHead | undefined> {
  const { fileIo, storeId, directory, archive } = places;
  // Twice: it may be on its way from one to the other just now.
  for (const place of [archive, directory, archive]) {
    try {
      return await readSegmentHead(fileIo, place, number, { storeId, highest: number });
    } catch (error) {
      const { errno } = isStoreError(error, 'WAL_IO_ERROR') ? error.details : {};
      if (errno !== 'ENOENT') throw error;
    }
  }
  return undefined;
}

function brokenLink({ number, link }: SegmentHead): Error {
  const what = `its link names segment ${link?.continuedSegment}`;
  return corrupt(segmentName(number), SEGMENT_HEADER.size, what, link?.firstOffset);
}
