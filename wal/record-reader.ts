/**
 * Reads records from the files of a log, by offset, while it may be written: every frame is
 * verified (both checksums and the chain) each time it is read. Memory is one chunk, or one frame
 * where that is larger. Goes on where it stopped when the next page continues the last one.
 *
 * Relies on the caller for what may be read: only records already accepted lie whole in the files.
 */
import { join } from 'node:path';
import { invariant } from '../src/base/assert.ts';
import { StoreError } from '../src/base/errors.ts';
import type { FileHandle, FileIo } from '../src/base/file-io.ts';
import { KiB } from '../src/base/units.ts';
import { FRAME_KIND } from './format.ts';
import { corrupt, ioError, logClosed } from './log-error.ts';
import type { LogPage, LogRecord } from './log-types.ts';
import { readManifest } from './manifest.ts';
import { RecordCursor } from './payload.ts';
import { misplaced } from './segment-chain.ts';
import type { HeldSegment, SegmentList } from './segment-list.ts';
import { segmentName } from './segment-name.ts';
import { SegmentReader } from './segment-reader.ts';

/** Read at once, and verified without a pause: about 1 ms of frames with one small record each. */
const CHUNK_BYTES: number = 128 * KiB;

/** A buffer that grew beyond this for one large frame is given back with its last record. */
const KEPT_BYTES: number = 256 * KiB;

export interface RecordFiles {
  readonly fileIo: FileIo;
  readonly directory: string;
  readonly storeId: Uint8Array;
  readonly segments: SegmentList;
}

export interface PageLimits {
  readonly records: number;
  /** The record that reaches this is the last one of the page. */
  readonly bytes: number;
  /** End the page before what cannot be read; the next one fails. Default: fail at once. */
  readonly endsAtFailure?: boolean;
}

/** Records of one page, as they are collected. */
class Page implements LogPage {
  readonly records: LogRecord[] = [];
  next: number;
  private roomRecords: number;
  private roomBytes: number;

  constructor(from: number, limits: PageLimits) {
    this.next = from;
    this.roomRecords = limits.records;
    this.roomBytes = limits.bytes;
  }

  get isFull(): boolean {
    return this.roomRecords <= 0 || this.roomBytes <= 0;
  }

  add(record: LogRecord): void {
    this.records.push(record);
    this.next = record.offset + 1;
    this.roomRecords--;
    this.roomBytes -= record.bytes.length;
  }
}

export class RecordReader {
  private readonly files: RecordFiles;
  private handle: FileHandle | undefined;
  private held: HeldSegment | undefined;
  private reader: SegmentReader | undefined;
  private readonly cursor = new RecordCursor();
  /** The cursor is inside the frame at hand, behind `cursor.offset`. */
  private isInFrame = false;
  /** Last record that was in the file for sure when the chunk at hand was read. */
  private soundThrough = 0;
  private isClosed = false;

  constructor(files: RecordFiles) {
    this.files = files;
  }

  /**
   * Records from `from` on, none behind `last`. One call at a time.
   * @throws {StoreError} OFFSET_TOO_OLD, CORRUPT, WAL_IO_ERROR
   */
  async page(from: number, last: number, limits: PageLimits): Promise<LogPage> {
    const page = new Page(from, limits);
    try {
      while (!page.isFull && page.next <= last) await this.read(page, last);
    } catch (error) {
      if (limits.endsAtFailure !== true || page.next === from) throw error;
    }
    if (!this.isInFrame && (this.reader?.bytes.length ?? 0) > KEPT_BYTES) this.reader?.forget();
    return { records: page.records, next: page.next };
  }

  /** What one segment has of the page. */
  private async read(page: Page, last: number): Promise<void> {
    const { segments } = this.files;
    const held = segments.find(page.next);
    if (held === undefined) throw tooOld(page.next, segments.firstOffset);
    const reader = await this.readerIn(held, page.next, last);
    await this.collect(reader, held, page, last);
  }

  /** A reader before, or inside, the frame that holds this record. */
  private async readerIn(held: HeldSegment, offset: number, last: number): Promise<SegmentReader> {
    let { reader } = this;
    if (reader === undefined || this.held?.number !== held.number)
      reader = await this.open(held, offset, last);
    if (this.isInFrame && this.cursor.offset + 1 === offset) return reader;
    const place = held.placeOf(offset);
    const isBetter = place.bytes > reader.position || reader.nextOffset > offset;
    if (isBetter) reader.seek(place.bytes, place.chain, place.nextOffset);
    this.isInFrame = false;
    return reader;
  }

  private async open(held: HeldSegment, offset: number, last: number): Promise<SegmentReader> {
    await this.release();
    const { fileIo, directory, storeId } = this.files;
    const path = join(directory, segmentName(held.number));
    let handle: FileHandle;
    try {
      handle = await fileIo.open(path, 'read');
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT')
        await this.explainMissing(held, offset, last);
      throw ioError(error, 'open', path);
    }
    if (this.isClosed) {
      await handle.close();
      throw logClosed();
    }
    this.handle = handle;
    this.held = held;
    this.reader = new SegmentReader(handle, held.number, held.sizeBytes, storeId);
    const place = held.placeOf(offset);
    this.reader.seek(place.bytes, place.chain, place.nextOffset);
    this.soundThrough = 0;
    return this.reader;
  }

  /** Dropped on purpose, here or by the process that writes, or lost? */
  private async explainMissing(held: HeldSegment, offset: number, last: number): Promise<never> {
    const { fileIo, directory, segments } = this.files;
    const manifest = await readManifest(fileIo, directory);
    if (manifest !== undefined) segments.dropBelow(manifest.state.oldestSegment, last);
    if (offset < segments.firstOffset) throw tooOld(offset, segments.firstOffset);
    throw corrupt(segmentName(held.number), 0, 'this segment is missing', offset);
  }

  private async collect(
    reader: SegmentReader,
    held: HeldSegment,
    page: Page,
    last: number,
  ): Promise<void> {
    const end = Math.min(last, this.files.segments.lastOffsetOf(held));
    while (!page.isFull && page.next <= end) {
      if (this.isInFrame) this.take(reader, page, end);
      else if ((await this.step(reader, held, last)) === 'frame') this.enter(reader, page.next);
    }
  }

  private async step(
    reader: SegmentReader,
    held: HeldSegment,
    last: number,
  ): Promise<'frame' | 'more'> {
    const step = reader.nextOffset > this.soundThrough ? 'more' : reader.step();
    if (step === 'frame') return step;
    if (step === 'misplaced') throw misplaced(reader);
    if (step === 'bad') {
      const reason = 'a frame that was accepted does not verify';
      throw corrupt(segmentName(reader.number), reader.position, reason, reader.nextOffset);
    }
    await reader.fill(Math.min(CHUNK_BYTES, held.usedBytes - reader.position));
    this.soundThrough = last;
    return step;
  }

  /** Puts the cursor before the record asked for if the frame at hand has it; else goes on behind the frame. */
  private enter(reader: SegmentReader, offset: number): void {
    const { header } = reader;
    const isBefore = header.firstOffset + header.recordCount <= offset;
    if (header.kind !== FRAME_KIND.data || isBefore) {
      reader.pass();
      return;
    }
    this.cursor.reset(reader.bytes, reader.payloadStart, reader.payloadEnd, header.firstOffset);
    while (this.cursor.offset + 1 < offset) this.advance();
    this.isInFrame = true;
  }

  private take(reader: SegmentReader, page: Page, end: number): void {
    const { cursor } = this;
    const lastInFrame = reader.header.firstOffset + reader.header.recordCount - 1;
    while (!page.isFull && page.next <= end && cursor.offset < lastInFrame) {
      this.advance();
      const bytes = copyOf(reader.bytes, cursor.start, cursor.end);
      page.add({ offset: cursor.offset, bytes, endsCommit: cursor.isLastOfCommit });
    }
    if (cursor.offset < lastInFrame) return;
    this.isInFrame = false;
    reader.pass();
  }

  /** A frame that passed step() holds the records its header counts. */
  private advance(): void {
    invariant(this.cursor.advance(), 'a frame holds its records');
  }

  private async release(): Promise<void> {
    const { handle } = this;
    this.handle = undefined;
    this.held = undefined;
    this.reader = undefined;
    this.isInFrame = false;
    await handle?.close();
  }

  /** Gives descriptor and memory back. A page under way fails, unless it has all it needs. */
  close(): Promise<void> {
    this.isClosed = true;
    return this.release();
  }
}

/** `bytes` has an ArrayBuffer of its own, from its first byte. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

export function tooOld(requested: number, oldest: number): StoreError {
  const message = `record ${requested} was dropped from the log; the oldest kept is ${oldest}`;
  return new StoreError('OFFSET_TOO_OLD', message, { details: { requested, oldest } });
}
