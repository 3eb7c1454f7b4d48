/**
 * Encode and decode one frame. A FrameHeader object is reused, so nothing is allocated per frame.
 * The payload CRC covers payload and padding, the header CRC the rest of the header and with it
 * the payload CRC; both are seeded with store id and segment number, so that a block from
 * elsewhere never validates. Layout: format.ts.
 */
import { crc32c } from '../src/base/crc32c.ts';
import {
  FORMAT_VERSION,
  FRAME,
  FRAME_ALIGNMENT,
  FRAME_KIND,
  FRAME_MAGIC,
  LINK,
  STORE_ID_BYTES,
} from './format.ts';

export function segmentSeed(storeId: Uint8Array, segment: number): number {
  const bytes = new Uint8Array(STORE_ID_BYTES + 4);
  bytes.set(storeId);
  new DataView(bytes.buffer).setUint32(STORE_ID_BYTES, segment, true);
  return crc32c(bytes, 0, bytes.length);
}

/** Of any 32-bit length: bit operations on the sum itself would make large ones negative. */
export function paddedLength(length: number): number {
  return length + (-length & (FRAME_ALIGNMENT - 1));
}

export function readU64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

export function writeU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

export class FrameHeader {
  crc = 0;
  kind = 0;
  version: number = FORMAT_VERSION;
  payloadLength = 0;
  payloadCrc = 0;
  recordCount = 0;
  chain = 0;
  firstOffset = 0;
  attestedSegment = 0;
  attestedBytes = 0;
  attestedOffset = 0;

  /** Length of the whole frame: header, payload and padding. */
  get frameBytes(): number {
    return FRAME.size + paddedLength(this.payloadLength);
  }

  /** Writes the header in front of its payload, which lies padded behind `at`. Gives the header CRC. */
  seal(bytes: Uint8Array, view: DataView, at: number, seed: number): number {
    const payload = at + FRAME.size;
    this.payloadCrc = crc32c(bytes, payload, payload + paddedLength(this.payloadLength), seed);
    view.setUint16(at + FRAME.magic, FRAME_MAGIC, true);
    view.setUint8(at + FRAME.kind, this.kind);
    view.setUint8(at + FRAME.version, FORMAT_VERSION);
    view.setUint32(at + FRAME.payloadLength, this.payloadLength, true);
    view.setUint32(at + FRAME.payloadCrc, this.payloadCrc, true);
    view.setUint32(at + FRAME.recordCount, this.recordCount, true);
    view.setUint32(at + FRAME.chain, this.chain, true);
    writeU64(view, at + FRAME.firstOffset, this.firstOffset);
    view.setUint32(at + FRAME.attestedSegment, this.attestedSegment, true);
    view.setUint32(at + FRAME.attestedBytes, this.attestedBytes, true);
    writeU64(view, at + FRAME.attestedOffset, this.attestedOffset);
    this.crc = crc32c(bytes, at + FRAME.magic, at + FRAME.size, seed);
    view.setUint32(at + FRAME.headerCrc, this.crc, true);
    return this.crc;
  }

  /** Reads the header at `at`; false when it is none of this store and segment. Says nothing about the payload. */
  read(bytes: Uint8Array, view: DataView, at: number, seed: number): boolean {
    if (view.getUint16(at + FRAME.magic, true) !== FRAME_MAGIC) return false;
    this.crc = view.getUint32(at + FRAME.headerCrc, true);
    if (crc32c(bytes, at + FRAME.magic, at + FRAME.size, seed) !== this.crc) return false;
    this.kind = view.getUint8(at + FRAME.kind);
    this.version = view.getUint8(at + FRAME.version);
    this.payloadLength = view.getUint32(at + FRAME.payloadLength, true);
    this.payloadCrc = view.getUint32(at + FRAME.payloadCrc, true);
    this.recordCount = view.getUint32(at + FRAME.recordCount, true);
    this.chain = view.getUint32(at + FRAME.chain, true);
    this.firstOffset = readU64(view, at + FRAME.firstOffset);
    this.attestedSegment = view.getUint32(at + FRAME.attestedSegment, true);
    this.attestedBytes = view.getUint32(at + FRAME.attestedBytes, true);
    this.attestedOffset = readU64(view, at + FRAME.attestedOffset);
    return true;
  }

  /** Is the payload behind the header at `at` the one it was sealed with? */
  payloadMatches(bytes: Uint8Array, at: number, seed: number): boolean {
    return crc32c(bytes, at + FRAME.size, at + this.frameBytes, seed) === this.payloadCrc;
  }

  /** Is it of a kind and version this code knows? What a sealed header of another one says must not be guessed at. */
  get isKnown(): boolean {
    const { kind, version } = this;
    return version === FORMAT_VERSION && kind >= FRAME_KIND.data && kind <= FRAME_KIND.mark;
  }

  /** Do the fields make sense together? A sealed frame that says otherwise was never written by a log. */
  get isPlausible(): boolean {
    const { firstOffset, recordCount, attestedOffset } = this;
    if (firstOffset + recordCount > Number.MAX_SAFE_INTEGER) return false;
    if (attestedOffset > Number.MAX_SAFE_INTEGER) return false;
    if (this.kind === FRAME_KIND.data) return this.recordCount > 0 && this.payloadLength > 0;
    if (this.recordCount !== 0) return false;
    return this.kind === FRAME_KIND.link
      ? this.payloadLength === LINK.size
      : this.kind === FRAME_KIND.mark && this.payloadLength === 0;
  }
}

/** What the first frame of a segment says beyond its header. */
export interface Link {
  readonly firstOffset: number;
  /** Header CRC of the frame that ends at the position continued. */
  readonly chain: number;
  readonly continuedSegment: number;
  readonly continuedBytes: number;
  readonly rewrittenThrough: number;
}

export function writeLinkPayload(
  view: DataView,
  at: number,
  continuedSegment: number,
  continuedBytes: number,
  rewrittenThrough: number,
): void {
  view.setUint32(at + LINK.continuedSegment, continuedSegment, true);
  view.setUint32(at + LINK.continuedBytes, continuedBytes, true);
  writeU64(view, at + LINK.rewrittenThrough, rewrittenThrough);
}

/** The link whose header was just read into `header`. */
export function readLink(header: FrameHeader, view: DataView, payload: number): Link {
  return {
    firstOffset: header.firstOffset,
    chain: header.chain,
    continuedSegment: view.getUint32(payload + LINK.continuedSegment, true),
    continuedBytes: view.getUint32(payload + LINK.continuedBytes, true),
    rewrittenThrough: readU64(view, payload + LINK.rewrittenThrough),
  };
}
