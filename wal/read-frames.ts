/**
 * Reads the frames of a range of records from files, beside whoever writes them: what a worker
 * thread and a reader of the past are given. The list of files is plain data, made once by
 * framesOf(); from then on nothing is shared with the log. Every frame is verified, both checksums
 * and the chain. Memory is one chunk, or one frame where that is larger.
 *
 * Relies on the caller: the last record asked for was accepted before reading began, so that it
 * lies whole in the files, and nobody drops what is being read.
 */
import { basename, dirname, join } from 'node:path';
import type { FileHandle, FileIo } from '../src/base/file-io.ts';
import { KiB } from '../src/base/units.ts';
import { FRAME_KIND } from './format.ts';
import { corrupt, ioError } from './log-error.ts';
import { type ManifestReading, readManifest } from './manifest.ts';
import { type RecordFiles, tooOld } from './record-reader.ts';
import { closeFile, misplaced, undecodable } from './segment-chain.ts';
import type { HeldSegment, Place, SegmentList } from './segment-list.ts';
import { segmentName } from './segment-name.ts';
import { SegmentReader } from './segment-reader.ts';

/** Read at once and verified without a pause: well below 1 ms of work. */
const CHUNK_BYTES: number = 256 * KiB;

/** One segment file, as far as its records are read there. */
export interface FrameFile {
  readonly number: number;
  readonly path: string;
  readonly sizeBytes: number;
  readonly firstOffset: number;
  /** Where to begin, and what that place continues. */
  readonly start: Place;
  /** Last record that is read here and not in a later file; Infinity for the newest. */
  readonly lastOffset: number;
  /** Where it is when it is not at `path` any more. */
  readonly archivedPath?: string | undefined;
}

/** Plain data: may be posted to a worker. */
export interface FrameFiles {
  readonly storeId: Uint8Array;
  /** In the order of the log; none when it has no record behind the one asked for. */
  readonly files: readonly FrameFile[];
}

/** As OnFrame; what is returned is awaited before the next frame. */
export type OnFrameAwaited = (
  bytes: Uint8Array,
  payloadStart: number,
  payloadEnd: number,
  firstOffset: number,
  recordCount: number,
) => void | Promise<void>;

/**
 * The files with the records behind `after`, as they are known now.
 * @throws {StoreError} OFFSET_TOO_OLD - the log begins later.
 */
export function framesOf(files: RecordFiles, after: number): FrameFiles {
  const { directory, storeId, segments } = files;
  if (after + 1 < segments.firstOffset) throw tooOld(after + 1, segments.firstOffset);
  const first = segments.find(after + 1);
  const held = first === undefined ? [] : segments.held.slice(segments.held.indexOf(first));
  return {
    storeId,
    files: held.map((segment) => frameFile(directory, segments, segment, after + 1)),
  };
}

function frameFile(
  directory: string,
  segments: SegmentList,
  segment: HeldSegment,
  from: number,
): FrameFile {
  const { number, sizeBytes, firstOffset } = segment;
  return {
    number,
    path: join(directory, segmentName(number)),
    sizeBytes,
    firstOffset,
    start: segment.placeOf(Math.max(from, firstOffset)),
    lastOffset: segments.lastOffsetOf(segment),
  };
}

/**
 * Gives every frame that holds a record behind `after` and none behind `through`, in order; the
 * first and the last one may hold others as well. `pause` is awaited between chunks.
 *
 * @throws {StoreError} CORRUPT - a frame does not verify, or is not there
 * @throws {StoreError} OFFSET_TOO_OLD - a file was dropped meanwhile; WAL_IO_ERROR
 */
export async function readFrames(
  fileIo: FileIo,
  files: FrameFiles,
  after: number,
  through: number,
  onFrame: OnFrameAwaited,
  pause?: () => Promise<void>,
): Promise<void> {
  if (after >= through) return;
  const range = { fileIo, storeId: files.storeId, after, through, onFrame, pause };
  let next = after + 1;
  for (const file of files.files) {
    if (next > through) return;
    if (file.firstOffset > next) break;
    if (file.lastOffset < next) continue;
    next = await readFile(range, file);
  }
  if (next > through) return;
  const name = segmentName(files.files.at(-1)?.number ?? 1);
  throw corrupt(name, 0, `no file given holds record ${next}`, next);
}

interface Range {
  readonly fileIo: FileIo;
  readonly storeId: Uint8Array;
  readonly after: number;
  readonly through: number;
  readonly onFrame: OnFrameAwaited;
  readonly pause: (() => Promise<void>) | undefined;
}

/** Gives the first record this file does not have. */
async function readFile(range: Range, file: FrameFile): Promise<number> {
  const handle = await openFile(range, file);
  try {
    const reader = new SegmentReader(handle, file.number, file.sizeBytes, range.storeId);
    reader.seek(file.start.bytes, file.start.chain, file.start.nextOffset);
    const last = Math.min(range.through, file.lastOffset);
    while (reader.nextOffset <= last) {
      const step = reader.step();
      if (step === 'frame') {
        const given = give(range, reader);
        if (given !== undefined) await given;
        reader.pass();
      } else if (step === 'more') {
        await range.pause?.();
        await reader.fill(CHUNK_BYTES);
      } else if (step === 'misplaced') throw misplaced(reader);
      else throw broken(reader);
    }
    return reader.nextOffset;
  } finally {
    await closeFile(handle);
  }
}

/** No promise where nothing is to be waited for. */
function give({ after, onFrame }: Range, reader: SegmentReader): Promise<void> | undefined {
  const { header, bytes, payloadStart, payloadEnd } = reader;
  const { firstOffset, recordCount } = header;
  if (header.kind !== FRAME_KIND.data || firstOffset + recordCount - 1 <= after) return undefined;
  try {
    const given = onFrame(bytes, payloadStart, payloadEnd, firstOffset, recordCount);
    return given?.catch((error: unknown) => {
      throw undecodable(error, reader);
    });
  } catch (error) {
    throw undecodable(error, reader);
  }
}

function broken(reader: SegmentReader): Error {
  const reason = 'a frame that was accepted does not verify';
  return corrupt(segmentName(reader.number), reader.position, reason, reader.nextOffset);
}

async function openFile({ fileIo }: Range, file: FrameFile): Promise<FileHandle> {
  for (const path of [file.path, file.archivedPath]) {
    if (path === undefined) continue;
    try {
      return await fileIo.open(path, 'read');
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw ioError(error, 'open', path);
    }
  }
  return explainMissing(fileIo, file);
}

/** Dropped on purpose since the list was made, or lost? */
async function explainMissing(fileIo: FileIo, file: FrameFile): Promise<never> {
  const manifest = await manifestBeside(fileIo, file.path);
  const { firstOffset, number } = file;
  if (manifest !== undefined && number < manifest.state.oldestSegment) {
    const last = file.lastOffset === Number.POSITIVE_INFINITY ? firstOffset : file.lastOffset;
    throw tooOld(firstOffset, last + 1);
  }
  throw corrupt(basename(file.path), 0, 'this segment is missing', firstOffset);
}

async function manifestBeside(fileIo: FileIo, path: string): Promise<ManifestReading | undefined> {
  const directory = dirname(path);
  try {
    return await readManifest(fileIo, directory);
  } catch (error) {
    throw ioError(error, 'reading the manifest', directory);
  }
}
