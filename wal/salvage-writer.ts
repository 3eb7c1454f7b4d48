/**
 * Writes frames of a damaged log into new segments behind its sound beginning: sealed and chained
 * anew, offsets as they were. Until put() has renamed the last one into place the log is as it was:
 * every link says that its segment is void while a record up to the last is missing.
 */
import { join } from 'node:path';
import type { FileHandle, FileIo } from '../src/base/file-io.ts';
import { invariant } from '../src/base/assert.ts';
import { MiB } from '../src/base/units.ts';
import { datasync, writeAll } from './file-write.ts';
import { FRAME, FRAME_KIND, LINK_FRAME_BYTES, SEGMENT_HEADER } from './format.ts';
import { FrameHeader, segmentSeed, writeLinkPayload } from './frame.ts';
import type { Attested, LogEnd } from './position.ts';
import { encodeSegmentHeader } from './segment-header.ts';
import { segmentName, unfinishedName } from './segment-name.ts';
import type { SegmentReader } from './segment-reader.ts';

const BUFFER_BYTES: number = 1 * MiB;

export interface SalvageTarget {
  readonly fileIo: FileIo;
  readonly directory: string;
  readonly storeId: Uint8Array;
  /** Number of the first new segment: above every name in the directory. */
  readonly firstNumber: number;
  /** What the first one continues: synced, and found sound. */
  readonly anchor: LogEnd;
  /** Last record that will be written. */
  readonly lastOffset: number;
  /** A segment takes no further frame behind this byte. */
  readonly segmentBytes: number;
  /** Milliseconds since the epoch, for people. */
  readonly createdAt: number;
}

/** A new segment while it is written, still under its unfinished name. */
interface Sheet {
  readonly number: number;
  readonly handle: FileHandle;
  readonly seed: number;
  /** Byte of the file where the buffer's content goes. */
  flushed: number;
}

export class SalvageWriter {
  private readonly target: SalvageTarget;
  private buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  private view = new DataView(this.buffer.buffer);
  private filled = 0;
  private sheet: Sheet | undefined;
  private readonly done: number[] = [];
  private end: LogEnd;
  private readonly header = new FrameHeader();

  constructor(target: SalvageTarget) {
    this.target = target;
    this.end = target.anchor;
  }

  /** The frame the reader is at; frames come in order, from the one behind the anchor on. */
  async add(reader: SegmentReader): Promise<void> {
    const from = reader.header;
    invariant(from.firstOffset === this.end.offset + 1, 'salvaged frames follow each other');
    const { frameBytes } = from;
    const isFull =
      this.sheet !== undefined &&
      this.position + frameBytes + FRAME.size > this.target.segmentBytes;
    if (isFull) await this.finishSheet();
    if (this.sheet === undefined) await this.startSheet();
    await this.reserve(frameBytes);
    const at = this.filled;
    this.buffer.set(reader.bytes.subarray(reader.frameStart, reader.frameStart + frameBytes), at);
    const { header } = this;
    header.kind = FRAME_KIND.data;
    header.payloadLength = from.payloadLength;
    header.recordCount = from.recordCount;
    header.firstOffset = from.firstOffset;
    this.seal(at, this.target.anchor);
    this.filled += frameBytes;
    this.noteEnd(from.firstOffset + from.recordCount - 1);
  }

  /** Writes the closing mark and gives the segments their names. Everything before the place returned is synced. */
  async put(): Promise<Attested> {
    const { fileIo, directory, lastOffset } = this.target;
    if (this.sheet === undefined) await this.startSheet();
    invariant(this.end.offset === lastOffset, 'everything that was to be salvaged is there');
    await this.flush();
    const sheet = this.sheet as unknown as Sheet;
    await datasync(sheet.handle);
    const attested = { segment: sheet.number, bytes: sheet.flushed, offset: lastOffset };
    await this.reserve(FRAME.size);
    this.header.kind = FRAME_KIND.mark;
    this.header.payloadLength = 0;
    this.header.recordCount = 0;
    this.header.firstOffset = lastOffset + 1;
    this.seal(this.filled, attested);
    this.filled += FRAME.size;
    const bytes = this.position;
    await this.finishSheet();
    const last = this.done.pop() as number;
    // The last name is what makes them count: it must not be there before the others.
    for (const number of this.done) await this.giveName(number);
    if (this.done.length > 0) await fileIo.syncDirectory(directory);
    await this.giveName(last);
    await fileIo.syncDirectory(directory);
    return { ...attested, bytes };
  }

  /** After a failure: the descriptor back. Unfinished files are no part of any log. */
  async abandon(): Promise<void> {
    await this.sheet?.handle.close().catch(() => undefined);
  }

  private get position(): number {
    return (this.sheet as Sheet).flushed + this.filled;
  }

  private async startSheet(): Promise<void> {
    const { fileIo, directory, storeId, firstNumber, anchor, lastOffset } = this.target;
    const number = firstNumber + this.done.length;
    const path = join(directory, unfinishedName(number));
    if ((await fileIo.stat(path)) !== undefined) await fileIo.remove(path);
    const handle = await fileIo.open(path, 'create');
    this.sheet = {
      number,
      handle,
      seed: segmentSeed(storeId, number),
      flushed: SEGMENT_HEADER.size,
    };
    this.filled = 0;
    writeLinkPayload(this.view, FRAME.size, this.end.segment, this.end.bytes, lastOffset);
    this.header.kind = FRAME_KIND.link;
    this.header.payloadLength = LINK_FRAME_BYTES - FRAME.size;
    this.header.recordCount = 0;
    this.header.firstOffset = this.end.offset + 1;
    this.seal(0, anchor);
    this.filled = LINK_FRAME_BYTES;
    this.noteEnd(this.end.offset);
  }

  private seal(at: number, attested: Attested): void {
    const { header, sheet } = this;
    header.chain = this.end.chain;
    header.attestedSegment = attested.segment;
    header.attestedBytes = attested.bytes;
    header.attestedOffset = attested.offset;
    header.seal(this.buffer, this.view, at, (sheet as Sheet).seed);
  }

  private noteEnd(offset: number): void {
    const { number } = this.sheet as Sheet;
    this.end = { segment: number, bytes: this.position, chain: this.header.crc, offset };
  }

  private async reserve(bytes: number): Promise<void> {
    if (this.filled + bytes > this.buffer.length) await this.flush();
    if (bytes <= this.buffer.length) return;
    this.buffer = Buffer.allocUnsafeSlow(bytes);
    this.view = new DataView(this.buffer.buffer);
  }

  private async flush(): Promise<void> {
    const sheet = this.sheet as Sheet;
    await writeAll(sheet.handle, this.buffer, 0, this.filled, sheet.flushed);
    sheet.flushed += this.filled;
    this.filled = 0;
  }

  /** The header comes last: only now is the size known. */
  private async finishSheet(): Promise<void> {
    await this.flush();
    const { handle, number, flushed } = this.sheet as Sheet;
    const { storeId, createdAt } = this.target;
    const header = encodeSegmentHeader({ number, sizeBytes: flushed, createdAt, storeId });
    await writeAll(handle, header, 0, header.length, 0);
    await handle.sync();
    await handle.close();
    this.sheet = undefined;
    this.done.push(number);
  }

  private giveName(number: number): Promise<void> {
    const { fileIo, directory } = this.target;
    return fileIo.rename(
      join(directory, unfinishedName(number)),
      join(directory, segmentName(number)),
    );
  }
}
