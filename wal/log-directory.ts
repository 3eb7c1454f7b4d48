/**
 * What lies in the directory of a log: names sorted by what they are, and the head of each
 * segment file (header and link) checked. Opens nothing for writing.
 */
import { join } from 'node:path';
import type { FileHandle, FileIo } from '../src/base/file-io.ts';
import { FORMAT_VERSION, FRAME, FRAME_KIND, LINK_FRAME_BYTES, SEGMENT_HEADER } from './format.ts';
import { FrameHeader, type Link, readLink, segmentSeed } from './frame.ts';
import { corrupt, ioError, unsupportedFormat, unsupportedFrame } from './log-error.ts';
import { decodeSegmentHeader, type SegmentHeader } from './segment-header.ts';
import {
  MANIFEST_NAME,
  RESERVE_NAME,
  isUnfinishedName,
  segmentName,
  segmentNumber,
} from './segment-name.ts';

export interface LogDirectory {
  /** Numbers of the segment files, ascending. */
  readonly segments: readonly number[];
  /** Files a process left unfinished. */
  readonly unfinished: readonly string[];
  /** Everything else: no business of the log. */
  readonly strayFiles: readonly string[];
}

const OWN_NAMES: ReadonlySet<string> = new Set([MANIFEST_NAME, RESERVE_NAME]);
/** Files of the directory's lock. */
const LOCK_NAME = /^lock(?:-[0-9a-z-]+)?$/;

export async function listLogDirectory(fileIo: FileIo, directory: string): Promise<LogDirectory> {
  const segments: number[] = [];
  const unfinished: string[] = [];
  const strayFiles: string[] = [];
  let names: string[];
  try {
    names = await fileIo.list(directory);
  } catch (error) {
    throw ioError(error, 'listing the directory', directory);
  }
  for (const name of names) {
    const number = segmentNumber(name);
    if (number !== undefined) segments.push(number);
    else if (isUnfinishedName(name)) unfinished.push(name);
    else if (!OWN_NAMES.has(name) && !LOCK_NAME.test(name)) strayFiles.push(name);
  }
  segments.sort((a, b) => a - b);
  return { segments, unfinished, strayFiles };
}

export interface SegmentFile {
  readonly number: number;
  readonly path: string;
  readonly sizeBytes: number;
  readonly createdAt: number;
  /** Its first frame, when that is a valid link. */
  readonly link: Link | undefined;
}

export interface SegmentHead extends SegmentFile {
  readonly storeId: Uint8Array;
}

/** What the manifest says of its segments. */
interface ExpectedHead {
  readonly storeId: Uint8Array;
  readonly highest: number;
}

/**
 * Header and link of one segment; undefined when the file is above `highest` and holds only zeros:
 * a file system lost its content before it was ever used.
 * @throws {StoreError} CORRUPT - the header is not that of this segment of this store.
 * @throws {StoreError} FORMAT_UNSUPPORTED, WAL_IO_ERROR
 */
export async function readSegmentHead(
  fileIo: FileIo,
  directory: string,
  number: number,
  expected: ExpectedHead | undefined,
): Promise<SegmentHead | undefined> {
  const path = join(directory, segmentName(number));
  try {
    const handle = await fileIo.open(path, 'read');
    let head: SegmentHead | undefined;
    try {
      head = await headOf(handle, number, expected);
    } catch (error) {
      // What was found is the news, not that the file could not be closed either.
      await handle.close().catch(() => undefined);
      throw error;
    }
    await handle.close();
    return head;
  } catch (error) {
    throw ioError(error, 'reading the head of a segment', path);
  }
}

async function headOf(
  handle: FileHandle,
  number: number,
  expected: ExpectedHead | undefined,
): Promise<SegmentHead | undefined> {
  const { path } = handle;
  const name = segmentName(number);
  const { sizeBytes } = await handle.stat();
  const bytes = new Uint8Array(SEGMENT_HEADER.size + LINK_FRAME_BYTES);
  const length = await handle.read(bytes, 0, bytes.length, 0);
  const header = decodeSegmentHeader(bytes.subarray(0, length));
  if (typeof header === 'number') throw unsupportedFormat(name, header, FORMAT_VERSION);
  if (header === undefined) {
    const mayBeUnfinished = expected === undefined || number > expected.highest;
    if (mayBeUnfinished && (await isAllZeros(handle, sizeBytes))) return undefined;
    throw corrupt(name, 0, 'its header is damaged');
  }
  checkHeader(name, header, number, sizeBytes, expected?.storeId ?? header.storeId);
  return {
    number,
    path,
    sizeBytes,
    createdAt: header.createdAt,
    storeId: header.storeId,
    link: linkOf(bytes, header),
  };
}

function checkHeader(
  name: string,
  header: SegmentHeader,
  number: number,
  sizeBytes: number,
  storeId: Uint8Array,
): void {
  if (Buffer.compare(header.storeId, storeId) !== 0)
    throw corrupt(name, SEGMENT_HEADER.storeId, 'it belongs to another store');
  if (header.number !== number)
    throw corrupt(
      name,
      SEGMENT_HEADER.number,
      `it is segment ${header.number} under the name of ${number}`,
    );
  if (header.sizeBytes !== sizeBytes) {
    throw corrupt(
      name,
      Math.min(sizeBytes, header.sizeBytes),
      `it has ${sizeBytes} bytes, its header says ${header.sizeBytes}`,
    );
  }
}

function linkOf(bytes: Uint8Array, header: SegmentHeader): Link | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const seed = segmentSeed(header.storeId, header.number);
  const frame = new FrameHeader();
  const at = SEGMENT_HEADER.size;
  if (!frame.read(bytes, view, at, seed)) return undefined;
  // Not to be taken for a segment without a link, which would be void.
  if (!frame.isKnown) throw unsupportedFrame(segmentName(header.number), frame);
  if (frame.kind !== FRAME_KIND.link || !frame.isPlausible) return undefined;
  if (!frame.payloadMatches(bytes, at, seed)) return undefined;
  return readLink(frame, view, at + FRAME.size);
}

async function isAllZeros(handle: FileHandle, sizeBytes: number): Promise<boolean> {
  const buffer = Buffer.alloc(Math.max(1, Math.min(65_536, sizeBytes)));
  for (let at = 0; at < sizeBytes; at += buffer.length) {
    const length = await handle.read(buffer, 0, Math.min(buffer.length, sizeBytes - at), at);
    for (let i = 0; i < length; i++) if (buffer[i] !== 0) return false;
  }
  return true;
}
