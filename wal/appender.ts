/**
 * Where the log ends, and how a frame becomes the next bytes of it: position, chain and what was
 * synced. seal() lays the link or an unsynced mark in front of a frame, so that one write carries
 * both; it does no I/O itself. At most one frame is sealed and not yet written.
 *
 * Invariants: frames lie behind each other without a gap; what a frame attests was synced before it
 * was sealed; there is always room for one more mark.
 */
import { invariant } from '../src/base/assert.ts';
import type { ByteWriter } from '../src/base/bytes.ts';
import {
  FRAME,
  FRAME_ALIGNMENT,
  FRAME_KIND,
  FRAME_LEAD_BYTES,
  LINK,
  LINK_FRAME_BYTES,
  PAYLOAD_START,
  SEGMENT_HEADER,
} from './format.ts';
import { FrameHeader, paddedLength, writeLinkPayload } from './frame.ts';
import type { Attested, LogEnd } from './position.ts';
import type { Segment } from './prepare-segment.ts';
import type { SegmentList } from './segment-list.ts';

/** Bytes of one write: buffer[start, start + length) goes to `at` in the file. */
export interface Placed {
  bytes: Uint8Array;
  start: number;
  length: number;
  at: number;
}

/** What seal() needs of a frame; Frame of frame-queue.ts is one. */
export interface Sealable {
  readonly writer: ByteWriter;
  readonly firstOffset: number;
  readonly recordCount: number;
}

export class Appender {
  /** The segment being written; undefined until the first frame. */
  segment: Segment | undefined;
  /** Byte of it where the next frame starts. */
  position = 0;
  /** Behind the last frame that is no mark. */
  end: LogEnd;
  /** What is known to be on the disk. */
  synced: Attested;
  /** Last record that a frame already written attests. */
  attestedOffset: number;
  /** Records up to here were written again at the start of the segment; see LINK. */
  rewrittenThrough = 0;
  readonly placed: Placed = { bytes: new Uint8Array(0), start: 0, length: 0, at: 0 };
  /** Is told where the frames are. */
  private readonly places: SegmentList;
  private chain: number;
  private hasLink = false;
  private readonly header = new FrameHeader();
  private readonly mark = new Uint8Array(FRAME.size);
  private readonly markView = new DataView(this.mark.buffer);
  /** The last frame is a mark that no sync has covered: it goes again with what follows it. */
  private hasLooseMark = false;

  constructor(end: LogEnd, synced: Attested, places: SegmentList) {
    this.end = end;
    this.places = places;
    this.chain = end.chain;
    this.synced = synced;
    this.attestedOffset = end.offset;
  }

  /** Bytes of frames the current segment still takes, one more mark aside. */
  get room(): number {
    if (this.segment === undefined) return 0;
    const link = this.hasLink ? 0 : LINK_FRAME_BYTES;
    return this.segment.sizeBytes - this.position - link - FRAME.size;
  }

  /** Is every record that was written synced? Marks do not count. */
  get isSynced(): boolean {
    return this.synced.offset === this.end.offset;
  }
  get hasUnattested(): boolean {
    return this.synced.offset > this.attestedOffset;
  }

  /** Goes on in a new segment. Everything before must be synced. */
  enter(segment: Segment): void {
    invariant(this.isSynced, 'a segment is linked only after everything before it was synced');
    this.segment = segment;
    this.position = SEGMENT_HEADER.size;
    this.chain = this.end.chain;
    this.hasLink = false;
    this.hasLooseMark = false;
  }

  /** Makes the frame the next bytes of the log; `placed` says what to write where. */
  seal(frame: Sealable): void {
    const { writer } = frame;
    const payloadLength = writer.position - PAYLOAD_START;
    pad(writer, payloadLength);
    const { bytes, view } = writer;
    const { position, chain } = this;
    let start = FRAME_LEAD_BYTES;
    if (!this.hasLink) {
      start -= LINK_FRAME_BYTES;
      this.sealLink(bytes, view, start, frame.firstOffset);
    } else if (this.hasLooseMark) {
      start -= FRAME.size;
      bytes.set(this.mark, start);
      this.position -= FRAME.size;
    }
    const { header } = this;
    header.kind = FRAME_KIND.data;
    header.payloadLength = payloadLength;
    header.recordCount = frame.recordCount;
    header.firstOffset = frame.firstOffset;
    this.sealHeader(bytes, view, FRAME_LEAD_BYTES);
    this.place(bytes, start, FRAME_LEAD_BYTES - start + header.frameBytes);
    this.hasLooseMark = false;
    const segment = this.segment as Segment;
    this.places.note(segment, position, chain, frame.firstOffset, this.position);
    this.setEnd(frame.firstOffset + frame.recordCount - 1);
  }

  /** Is there anything a closing mark would make sure of? */
  get needsMark(): boolean {
    return this.hasUnattested || this.hasLooseMark;
  }
  /** A mark now leaves room for the closing one. */
  get hasRoomForMark(): boolean {
    return this.segment !== undefined && this.position + 2 * FRAME.size <= this.segment.sizeBytes;
  }

  /** Makes a mark the next bytes, or again those of the loose one that says the same. */
  sealMark(): void {
    if (this.hasLooseMark && !this.hasUnattested) {
      this.position -= FRAME.size;
      this.place(this.mark, 0, FRAME.size);
      return;
    }
    this.header.kind = FRAME_KIND.mark;
    this.header.payloadLength = 0;
    this.header.recordCount = 0;
    this.header.firstOffset = this.end.offset + 1;
    this.sealHeader(this.mark, this.markView, 0);
    this.place(this.mark, 0, FRAME.size);
    this.hasLooseMark = true;
  }

  /** Everything written so far, for noteSynced() once a sync that starts now has succeeded. */
  capture(): Attested {
    const { number } = this.segment as Segment;
    return { segment: number, bytes: this.position, offset: this.end.offset };
  }

  noteSynced(captured: Attested): void {
    this.synced = captured;
    if (captured.segment === this.segment?.number && captured.bytes === this.position)
      this.hasLooseMark = false;
  }

  /** The segment already holds frames up to `position` (written again at the opening). */
  resume(segment: Segment, position: number, end: LogEnd, synced: Attested): void {
    const { chain, offset } = this.end;
    this.places.note(segment, SEGMENT_HEADER.size, chain, offset + 1, position);
    this.segment = segment;
    this.position = position;
    this.end = end;
    this.chain = end.chain;
    this.hasLink = true;
    this.synced = synced;
  }

  /** A link alone, for the opening: data frames written again follow it. */
  sealLink(bytes: Uint8Array, view: DataView, at: number, firstOffset: number): void {
    const { header } = this;
    writeLinkPayload(
      view,
      at + FRAME.size,
      this.end.segment,
      this.end.bytes,
      this.rewrittenThrough,
    );
    header.kind = FRAME_KIND.link;
    header.payloadLength = LINK.size;
    header.recordCount = 0;
    header.firstOffset = firstOffset;
    this.sealHeader(bytes, view, at);
    this.hasLink = true;
  }

  private sealHeader(bytes: Uint8Array, view: DataView, at: number): void {
    const { header, synced } = this;
    header.chain = this.chain;
    header.attestedSegment = synced.segment;
    header.attestedBytes = synced.bytes;
    header.attestedOffset = synced.offset;
    this.chain = header.seal(bytes, view, at, (this.segment as Segment).seed);
    this.attestedOffset = synced.offset;
  }

  private place(bytes: Uint8Array, start: number, length: number): void {
    const { placed } = this;
    placed.bytes = bytes;
    placed.start = start;
    placed.length = length;
    placed.at = this.position;
    this.position += length;
  }

  private setEnd(offset: number): void {
    this.end = {
      segment: (this.segment as Segment).number,
      bytes: this.position,
      chain: this.chain,
      offset,
    };
  }
}

/** Zeros behind the payload, up to the alignment; the writer's position stays at the payload's end. */
function pad(writer: ByteWriter, payloadLength: number): void {
  const padding = paddedLength(payloadLength) - payloadLength;
  writer.reserve(FRAME_ALIGNMENT);
  writer.bytes.fill(0, writer.position, writer.position + padding);
}

/** Bytes a frame with this payload takes in a segment, a loose mark that goes again included. */
export function frameRoom(payloadBytes: number): number {
  return FRAME.size + paddedLength(payloadBytes);
}
