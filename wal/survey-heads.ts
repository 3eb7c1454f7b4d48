/**
 * The segment files of a damaged log, each as far as it can be told what it is: by the number in
 * its header when that is sound, else by its name. A file in a wrong place or with a broken header
 * is still found, and its fault noted.
 */
import { join } from 'node:path';
import { type StoreError, isStoreError } from '../src/base/errors.ts';
import type { FileIo } from '../src/base/file-io.ts';
import { FRAME, FRAME_KIND, LINK_FRAME_BYTES, SEGMENT_HEADER, STORE_ID_BYTES } from './format.ts';
import { FrameHeader, type Link, readLink, segmentSeed } from './frame.ts';
import { ioError } from './log-error.ts';
import { type SegmentFile, readSegmentHead } from './log-directory.ts';
import { type SegmentHeader, decodeSegmentHeader } from './segment-header.ts';
import { segmentName } from './segment-name.ts';

/** Without a header that can be read nothing in the directory can be verified. */
const NO_STORE: Uint8Array = new Uint8Array(STORE_ID_BYTES);

/** `number` is what the file is, `name` what it is called; `sizeBytes` ends where its bytes can be trusted to. */
export interface SurveyedFile extends SegmentFile {
  readonly name: string;
  /** What is wrong with header, size or name. */
  readonly fault: StoreError | undefined;
}

/** What stands at the beginning of a file with the name of a segment. */
export interface RawHead {
  readonly name: string;
  readonly path: string;
  readonly named: number;
  readonly sizeBytes: number;
  readonly bytes: Uint8Array;
  readonly header: SegmentHeader | undefined;
}

export interface SurveyedHeads {
  readonly storeId: Uint8Array;
  /** By number. */
  readonly files: ReadonlyMap<number, SurveyedFile>;
  /** Faults of files that are no segment of this log whatever they are called. */
  readonly strangers: readonly { readonly name: string; readonly fault: StoreError | undefined }[];
}

export interface HeadSource {
  readonly fileIo: FileIo;
  readonly directory: string;
  readonly heads: readonly RawHead[];
  /** undefined: the manifest is lost, and the headers must tell. */
  readonly storeId: Uint8Array | undefined;
  readonly highest: number;
}

/** `numbers` by name, ascending. @throws {StoreError} WAL_IO_ERROR */
export async function readHeads(
  fileIo: FileIo,
  directory: string,
  numbers: readonly number[],
): Promise<readonly RawHead[]> {
  const heads: RawHead[] = [];
  for (const number of numbers) heads.push(await readRaw(fileIo, directory, number));
  return heads;
}

/** @throws {StoreError} FORMAT_UNSUPPORTED, WAL_IO_ERROR */
export async function surveyHeads(source: HeadSource): Promise<SurveyedHeads> {
  const storeId = source.storeId ?? storeIdOfMost(source.heads) ?? NO_STORE;
  const expected = { storeId, highest: source.highest };
  const files = new Map<number, SurveyedFile>();
  const misnamed: { readonly number: number; readonly file: SurveyedFile }[] = [];
  const strangers: { name: string; fault: StoreError | undefined }[] = [];
  for (const head of source.heads) {
    const fault = await faultOf(source, head.named, expected);
    const { header } = head;
    const isOurs = header !== undefined && Buffer.compare(header.storeId, storeId) === 0;
    if (header !== undefined && !isOurs) {
      strangers.push({ name: head.name, fault });
      continue;
    }
    const number = header === undefined ? head.named : header.number;
    const file = surveyed(head, number, storeId, fault);
    if (number === head.named) files.set(number, file);
    else misnamed.push({ number, file });
  }
  for (const { number, file } of misnamed) {
    if (!files.has(number)) files.set(number, file);
    else strangers.push({ name: file.name, fault: file.fault });
  }
  return { storeId, files, strangers };
}

async function readRaw(fileIo: FileIo, directory: string, named: number): Promise<RawHead> {
  const name = segmentName(named);
  const path = join(directory, name);
  const bytes = new Uint8Array(SEGMENT_HEADER.size + LINK_FRAME_BYTES);
  try {
    const handle = await fileIo.open(path, 'read');
    try {
      const { sizeBytes } = await handle.stat();
      await handle.read(bytes, 0, bytes.length, 0);
      const header = decodeSegmentHeader(bytes);
      // A later version is met again, and told, by readSegmentHead.
      const known = typeof header === 'number' ? undefined : header;
      return { name, path, named, sizeBytes, bytes, header: known };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw ioError(error, 'reading the head of a segment', path);
  }
}

async function faultOf(
  source: HeadSource,
  number: number,
  expected: { readonly storeId: Uint8Array; readonly highest: number },
): Promise<StoreError | undefined> {
  try {
    await readSegmentHead(source.fileIo, source.directory, number, expected);
    return undefined;
  } catch (error) {
    if (isStoreError(error, 'CORRUPT')) return error;
    throw error;
  }
}

function surveyed(
  head: RawHead,
  number: number,
  storeId: Uint8Array,
  fault: StoreError | undefined,
): SurveyedFile {
  const { name, path, header } = head;
  const sizeBytes = Math.min(head.sizeBytes, header?.sizeBytes ?? head.sizeBytes);
  const link = linkIn(head.bytes, segmentSeed(storeId, number));
  return { number, name, path, sizeBytes, createdAt: header?.createdAt ?? 0, link, fault };
}

function linkIn(bytes: Uint8Array, seed: number): Link | undefined {
  const view = new DataView(bytes.buffer);
  const frame = new FrameHeader();
  const at = SEGMENT_HEADER.size;
  if (!frame.read(bytes, view, at, seed) || frame.kind !== FRAME_KIND.link) return undefined;
  if (!frame.isPlausible || !frame.payloadMatches(bytes, at, seed)) return undefined;
  return readLink(frame, view, at + FRAME.size);
}

/** Of the store that most headers name; undefined when none can be read. */
function storeIdOfMost(heads: readonly RawHead[]): Uint8Array | undefined {
  const counts = new Map<string, number>();
  let best: Uint8Array | undefined;
  let most = 0;
  for (const { header } of heads) {
    if (header === undefined) continue;
    const key = Buffer.from(header.storeId).toString('hex');
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (count <= most) continue;
    most = count;
    best = header.storeId;
  }
  return best;
}
