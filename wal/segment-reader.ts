/**
 * Walks the frames of one segment file in chunks: memory is one chunk, or one frame if that is
 * larger. step() examines the frame at `position` without waiting as long as the chunk has it, so
 * that a frame costs no promise; 'more' asks for fill(). Whoever drives it calls pass() to go on.
 */
import type { FileHandle } from '../src/base/file-io.ts';
import { KiB, MiB } from '../src/base/units.ts';
import { FRAME, FRAME_ALIGNMENT, FRAME_KIND, FRAME_MAGIC, SEGMENT_HEADER } from './format.ts';
import { FrameHeader, segmentSeed } from './frame.ts';
import { corrupt, ioError, unsupportedFrame } from './log-error.ts';
import { holdsRecords } from './payload.ts';
import { segmentName } from './segment-name.ts';

const CHUNK_BYTES: number = 1 * MiB;
const SEARCH_CHUNK_BYTES: number = 256 * KiB;
const ZEROS: Uint8Array = new Uint8Array(SEARCH_CHUNK_BYTES);

export type Step =
  /** `header` and the payload range hold a frame that verifies and continues what came before. */
  | 'frame'
  /** Nothing here verifies. */
  | 'bad'
  /** A sealed frame of this segment that does not belong here, or is none a log writes: no crash leaves that behind. */
  | 'misplaced'
  /** The chunk ends here: fill(), then step() again. */
  | 'more';

export class SegmentReader {
  readonly number: number;
  readonly sizeBytes: number;
  readonly header: FrameHeader = new FrameHeader();
  /** Byte of the file where the frame at hand starts. */
  position: number = SEGMENT_HEADER.size;
  /** What the next frame must continue. */
  chain = 0;
  nextOffset = 1;
  bytes: Buffer = EMPTY;
  view: DataView = EMPTY_VIEW;
  private chunkStart = 0;
  private chunkBytes = 0;
  private needed = 0;
  private readonly handle: FileHandle;
  private readonly seed: number;

  constructor(handle: FileHandle, number: number, sizeBytes: number, storeId: Uint8Array) {
    this.handle = handle;
    this.number = number;
    this.sizeBytes = sizeBytes;
    this.seed = segmentSeed(storeId, number);
  }

  /** Index in `bytes` of the frame at hand, and of its payload. */
  get frameStart(): number {
    return this.position - this.chunkStart;
  }
  get payloadStart(): number {
    return this.position - this.chunkStart + FRAME.size;
  }
  get payloadEnd(): number {
    return this.payloadStart + this.header.payloadLength;
  }
  /** Byte of the file behind the frame at hand. */
  get frameEnd(): number {
    return this.position + this.header.frameBytes;
  }

  /** Goes to a place behind a frame, and says what continues there. */
  seek(position: number, chain: number, nextOffset: number): void {
    this.position = position;
    this.chain = chain;
    this.nextOffset = nextOffset;
  }

  step(): Step {
    const start = this.position - this.chunkStart;
    if (start < 0 || start + FRAME.size > this.chunkBytes) {
      if (this.position + FRAME.size > this.sizeBytes) return 'bad';
      this.needed = FRAME.size;
      return 'more';
    }
    const header = this.header;
    if (!header.read(this.bytes, this.view, start, this.seed)) return 'bad';
    if (!header.isKnown) throw unsupportedFrame(segmentName(this.number), header);
    const length = header.frameBytes;
    const belongs = header.chain === this.chain && header.firstOffset === this.nextOffset;
    if (!belongs || !header.isPlausible || this.attestsAhead()) return 'misplaced';
    if (this.position + length > this.sizeBytes) return 'misplaced';
    if (start + length > this.chunkBytes) {
      this.needed = length;
      return 'more';
    }
    if (!header.payloadMatches(this.bytes, start, this.seed)) return 'bad';
    return this.hasItsRecords() ? 'frame' : 'misplaced';
  }

  /** What was synced before a frame was written lies before it. */
  private attestsAhead(): boolean {
    const { attestedSegment, attestedBytes, attestedOffset } = this.header;
    if (attestedSegment > this.number || attestedOffset >= this.nextOffset) return true;
    return attestedSegment === this.number && attestedBytes > this.position;
  }

  private hasItsRecords(): boolean {
    const { header, payloadStart, payloadEnd } = this;
    if (header.kind !== FRAME_KIND.data) return true;
    return holdsRecords(this.bytes, payloadStart, payloadEnd, header.recordCount);
  }

  /** Goes on behind the frame step() found. */
  pass(): void {
    this.position += this.header.frameBytes;
    this.chain = this.header.crc;
    this.nextOffset += this.header.recordCount;
  }

  /** Reads a chunk, from the frame at hand on: at least what step() asked for. */
  async fill(chunkBytes: number = CHUNK_BYTES): Promise<void> {
    const length = Math.min(Math.max(chunkBytes, this.needed), this.sizeBytes - this.position);
    if (this.bytes.length < length) {
      this.bytes = Buffer.allocUnsafeSlow(length);
      this.view = new DataView(this.bytes.buffer);
    }
    this.chunkStart = this.position;
    this.chunkBytes = 0;
    await this.read(this.bytes, length, this.position);
    this.chunkBytes = length;
  }

  /** Gives the chunk back, so that the next step reads the disk again. */
  forget(): void {
    this.bytes = EMPTY;
    this.view = EMPTY_VIEW;
    this.chunkBytes = 0;
  }

  private async read(into: Uint8Array, length: number, position: number): Promise<void> {
    const name = segmentName(this.number);
    let got: number;
    try {
      got = await this.handle.read(into, 0, length, position);
    } catch (error) {
      throw ioError(error, 'read', this.handle.path);
    }
    if (got < length)
      throw corrupt(
        name,
        position + got,
        `the file ends here, its header says ${this.sizeBytes} bytes`,
      );
  }

  /**
   * Looks behind the frame at hand, which does not verify, for headers of later frames, in steps
   * of the alignment. Payloads are not looked at: a sealed header alone says what was synced.
   * @throws {StoreError} FORMAT_UNSUPPORTED, CORRUPT, WAL_IO_ERROR
   */
  async search(): Promise<SearchResult> {
    const from = this.position;
    const found: SearchResult = { lastByte: from, hasSealedHeader: false, attested: undefined };
    const room = Math.min(SEARCH_CHUNK_BYTES, Math.max(FRAME_ALIGNMENT, this.sizeBytes - from));
    const buffer = Buffer.allocUnsafeSlow(Math.ceil(room / FRAME_ALIGNMENT) * FRAME_ALIGNMENT);
    const view = new DataView(buffer.buffer);
    const words = new Uint16Array(buffer.buffer);
    const header = new FrameHeader();
    // Chunks overlap by a header, so that none is missed between two of them.
    const stride = SEARCH_CHUNK_BYTES - FRAME.size;
    for (let start = from; start < this.sizeBytes; start += stride) {
      const length = Math.min(SEARCH_CHUNK_BYTES, this.sizeBytes - start);
      await this.read(buffer, length, start);
      if (buffer.compare(ZEROS, 0, length, 0, length) === 0) continue;
      let last = length - 1;
      while (buffer[last] === 0) last--;
      found.lastByte = Math.max(found.lastByte, start + last + 1);
      for (let at = 0; at + FRAME.size <= length; at += FRAME_ALIGNMENT) {
        if (words[(at + FRAME.magic) >> 1] !== FRAME_MAGIC) continue;
        if (!header.read(buffer, view, at, this.seed)) continue;
        if (!header.isKnown) throw unsupportedFrame(segmentName(this.number), header);
        found.hasSealedHeader = true;
        if (header.attestedSegment !== this.number) continue;
        if (found.attested === undefined || header.attestedBytes > found.attested.bytes) {
          found.attested = {
            segment: this.number,
            bytes: header.attestedBytes,
            offset: header.attestedOffset,
          };
        }
      }
    }
    return found;
  }
}

export interface SearchResult {
  /** Behind the last byte that is not zero; where the search began if there is none. */
  lastByte: number;
  hasSealedHeader: boolean;
  /** The furthest place in this segment that a header found there attests. */
  attested: { segment: number; bytes: number; offset: number } | undefined;
}

const EMPTY: Buffer = Buffer.alloc(0);
const EMPTY_VIEW: DataView = new DataView(new ArrayBuffer(0));
