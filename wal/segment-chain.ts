/**
 * Which segment files are the log: the highest one with a link that counts, and from there back
 * along the links. Reads heads only, except where a doubt must be settled. A segment no link leads
 * to is void; one that something attests, or that must be there and is not, is damage.
 */
import type { FileHandle, FileIo } from '../src/base/file-io.ts';
import { SEGMENT_HEADER } from './format.ts';
import type { Link } from './frame.ts';
import { corrupt, ioError } from './log-error.ts';
import { type LogDirectory, type SegmentFile, readSegmentHead } from './log-directory.ts';
import type { ManifestState } from './manifest.ts';
import { isBehind } from './position.ts';
import { segmentName } from './segment-name.ts';
import { SegmentReader } from './segment-reader.ts';

export interface LinkedSegment extends SegmentFile {
  readonly link: Link;
}

export interface SegmentChain {
  /** Ascending; the first one continues nothing, or a segment dropped on purpose. */
  readonly segments: readonly LinkedSegment[];
  /** Files that are no part of the log, and hold nothing that is. */
  readonly voids: readonly number[];
  /** Those of them above everything that was ever written to. */
  readonly blanks: readonly number[];
  /** Bytes of frames in voids above the log that never became valid. */
  readonly bytesDropped: number;
  /** Segments below the oldest one kept. */
  readonly dropped: readonly number[];
}

export interface ChainSource {
  readonly fileIo: FileIo;
  readonly directory: string;
  readonly files: LogDirectory;
  readonly manifest: ManifestState;
}

export async function openReader(
  fileIo: FileIo,
  file: SegmentFile,
  storeId: Uint8Array,
): Promise<{ reader: SegmentReader; handle: FileHandle; close: () => Promise<void> }> {
  try {
    const handle = await fileIo.open(file.path, 'read');
    return {
      reader: new SegmentReader(handle, file.number, file.sizeBytes, storeId),
      handle,
      close: () => closeFile(handle),
    };
  } catch (error) {
    throw ioError(error, 'open', file.path);
  }
}

/** A file that was read. @throws {StoreError} WAL_IO_ERROR */
export async function closeFile(handle: FileHandle): Promise<void> {
  try {
    await handle.close();
  } catch (error) {
    throw ioError(error, 'close', handle.path);
  }
}

/** @throws {StoreError} CORRUPT, FORMAT_UNSUPPORTED, WAL_IO_ERROR */
export async function readSegmentChain(source: ChainSource): Promise<SegmentChain> {
  const { manifest, files } = source;
  const present = files.segments.filter((number) => number >= manifest.oldestSegment);
  const above = await findLast(source, present);
  checkNoneMissing(source, present, above.last?.number ?? 0);
  const segments: LinkedSegment[] = [];
  for (let file = above.last; file !== undefined; file = await predecessor(source, file))
    segments.unshift(file);
  checkBeginning(segments[0]);
  const used = new Set(segments.map((segment) => segment.number));
  return {
    segments,
    voids: present.filter((number) => !used.has(number)),
    blanks: above.blanks,
    bytesDropped: above.bytesDropped,
    dropped: files.segments.filter((number) => number < manifest.oldestSegment),
  };
}

interface AboveTheLog {
  readonly last: LinkedSegment | undefined;
  readonly blanks: number[];
  readonly bytesDropped: number;
}

async function findLast(source: ChainSource, present: readonly number[]): Promise<AboveTheLog> {
  const blanks: number[] = [];
  let bytesDropped = 0;
  // One below a segment that was written to may have lost what it held, and must be there still.
  let isWritten = false;
  for (const number of present.toReversed()) {
    const file = await head(source, number);
    if (file === undefined) {
      if (!isWritten) blanks.push(number);
      continue;
    }
    const { reader, close } = await openReader(source.fileIo, file, source.manifest.storeId);
    try {
      if (file.link !== undefined && (await isComplete(source, reader, file.link)))
        return { last: file as LinkedSegment, blanks, bytesDropped };
      const bytes = file.link === undefined ? await bytesOfVoid(source, reader) : 0;
      isWritten ||= file.link !== undefined || bytes > 0;
      if (!isWritten) blanks.push(number);
      bytesDropped += bytes;
    } finally {
      await close();
    }
  }
  return { last: undefined, blanks, bytesDropped };
}

function head(source: ChainSource, number: number): Promise<SegmentFile | undefined> {
  const { fileIo, directory, manifest } = source;
  return readSegmentHead(fileIo, directory, number, {
    storeId: manifest.storeId,
    highest: manifest.highestSegment,
  });
}

/** Are all the records there that the link says were written again? If not, the segment is void, or damaged when that was attested. */
async function isComplete(
  source: ChainSource,
  reader: SegmentReader,
  link: Link,
): Promise<boolean> {
  reader.seek(SEGMENT_HEADER.size, link.chain, link.firstOffset);
  while (reader.nextOffset <= link.rewrittenThrough) {
    const step = reader.step();
    if (step === 'more') await reader.fill();
    else if (step === 'frame') reader.pass();
    else if (step === 'misplaced') throw misplaced(reader);
    else {
      await bytesOfVoid(source, reader, reader.nextOffset);
      return false;
    }
  }
  return true;
}

/** How far bytes reach behind a frame that does not verify, in a segment that is void because of it. @throws {StoreError} CORRUPT - it was synced once. */
async function bytesOfVoid(
  source: ChainSource,
  reader: SegmentReader,
  offset?: number,
): Promise<number> {
  const found = await reader.search();
  const here = { segment: reader.number, bytes: reader.position };
  const attests = found.attested ?? { segment: 0, bytes: 0, offset: 0 };
  if (isBehind(attests, here) || isBehind(source.manifest.attested, here)) {
    throw corrupt(
      segmentName(reader.number),
      reader.position,
      'a frame that was synced does not verify',
      offset,
    );
  }
  return found.lastByte - reader.position;
}

export function misplaced(reader: SegmentReader): Error {
  return corrupt(
    segmentName(reader.number),
    reader.position,
    'a frame that belongs elsewhere stands here',
    reader.nextOffset,
  );
}

/** What a callback threw that was given a frame: what cannot be decoded must not be served, though its seals hold and no disk did this. */
export function undecodable(error: unknown, reader: SegmentReader): unknown {
  if (!(error instanceof RangeError)) return error;
  return corrupt(
    segmentName(reader.number),
    reader.position,
    `a sealed frame cannot be decoded (${error.message})`,
    reader.header.firstOffset,
  );
}

function checkNoneMissing(source: ChainSource, present: readonly number[], last: number): void {
  const there = new Set(present);
  const from = Math.max(last + 1, source.manifest.oldestSegment);
  for (let number = from; number <= source.manifest.highestSegment; number++) {
    if (!there.has(number))
      throw corrupt(segmentName(number), 0, 'this segment was prepared and is missing');
  }
}

async function predecessor(
  source: ChainSource,
  file: LinkedSegment,
): Promise<LinkedSegment | undefined> {
  const { continuedSegment: number, continuedBytes } = file.link;
  const name = segmentName(number);
  if (number === 0 || number < source.manifest.oldestSegment) return undefined;
  if (number >= file.number)
    throw corrupt(
      segmentName(file.number),
      SEGMENT_HEADER.size,
      `its link names segment ${number}`,
      file.link.firstOffset,
    );
  if (!source.files.segments.includes(number))
    throw corrupt(name, 0, `this segment is missing; ${segmentName(file.number)} continues it`);
  const before = await head(source, number);
  if (before?.link === undefined)
    throw corrupt(name, SEGMENT_HEADER.size, 'its first frame does not verify');
  if (continuedBytes > before.sizeBytes)
    throw corrupt(name, before.sizeBytes, 'it ends before the place its successor names');
  return before as LinkedSegment;
}

/**
 * The oldest segment kept need not be the first one: what it held may have been written again, or
 * cut as torn, and it is passed over then. A link says so; one that is missing was met before.
 */
function checkBeginning(first: LinkedSegment | undefined): void {
  if (first === undefined || first.link.continuedSegment !== 0) return;
  const { continuedBytes, chain, firstOffset } = first.link;
  if (continuedBytes === 0 && chain === 0 && firstOffset === 1) return;
  throw corrupt(
    segmentName(first.number),
    SEGMENT_HEADER.size,
    'its link says the log begins here, but not with the first record',
    firstOffset,
  );
}
