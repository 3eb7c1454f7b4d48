/**
 * Commits on their way into frames. Callers encode records straight into the buffer of the frame
 * that is being filled; nothing is copied and nothing allocated per record. Frames leave in order,
 * whole, and come back to be reused.
 *
 * Invariants: a commit never spans frames; offsets are consecutive over all frames handed out; an
 * aborted commit leaves buffer and offsets as they were.
 *
 * In a payload each record is `varint(length * 2 + isLastOfCommit)` followed by its bytes.
 */
import { invariant } from '../src/base/assert.ts';
import { ByteWriter } from '../src/base/bytes.ts';
import { StoreError } from '../src/base/errors.ts';
import { KiB, MiB } from '../src/base/units.ts';
import { LIMITS, PAYLOAD_START } from './format.ts';

/** Buffers that grew beyond this for one large commit are not kept. */
const KEPT_BUFFER_BYTES: number = 1 * MiB;
const FIRST_BUFFER_BYTES: number = 64 * KiB;

/** Whole commits in one buffer: header space first, then the payload. */
export class Frame<T> {
  readonly writer: ByteWriter = new ByteWriter(FIRST_BUFFER_BYTES);
  firstOffset = 0;
  recordCount = 0;
  /** Somebody in this frame waits for the disk, whatever the durability of the log. */
  mustSync = false;
  /** One entry a commit, for the layer above: who is to be told. */
  readonly tickets: T[] = [];

  get lastOffset(): number {
    return this.firstOffset + this.recordCount - 1;
  }
  get payloadStart(): number {
    return PAYLOAD_START;
  }
  get payloadEnd(): number {
    return this.writer.position;
  }

  reset(firstOffset: number): void {
    this.writer.position = PAYLOAD_START;
    this.firstOffset = firstOffset;
    this.recordCount = 0;
    this.mustSync = false;
    this.tickets.length = 0;
  }
}

export class FrameQueue<T> {
  /** Offset the next record gets. */
  nextOffset: number;
  private filling: Frame<T> = new Frame<T>();
  private readonly full: Frame<T>[] = [];
  private readonly spare: Frame<T>[] = [];
  private commitStart = 0;
  private commitRecords = 0;
  private recordStart = 0;
  private lastRecord = 0;
  private isOpen = false;
  private fullBytes = 0;
  private fullCommits = 0;

  private readonly frameBytes: number;

  /** `frameBytes`: a frame is closed when it holds more, so that it fits into a segment. */
  constructor(nextOffset: number, frameBytes: number = LIMITS.frameBytes) {
    this.nextOffset = nextOffset;
    this.frameBytes = Math.min(frameBytes, LIMITS.frameBytes);
    this.filling.reset(nextOffset);
  }

  get isEmpty(): boolean {
    return this.full.length === 0 && this.filling.tickets.length === 0;
  }
  /** Bytes of all frames not yet taken. */
  get waitingBytes(): number {
    return this.fullBytes + this.filling.payloadEnd;
  }
  get waitingCommits(): number {
    return this.fullCommits + this.filling.tickets.length;
  }
  /** A whole frame is waiting: no reason to wait for more commits. */
  get hasFullFrame(): boolean {
    return this.full.length > 0;
  }

  /** Starts a commit and gives the buffer to encode into; between here and commit() or abort() nothing else may touch the queue. */
  begin(): ByteWriter {
    invariant(!this.isOpen, 'one commit at a time');
    this.isOpen = true;
    this.commitStart = this.filling.writer.position;
    this.commitRecords = 0;
    return this.filling.writer;
  }

  /** Offset of the record that beginRecord() starts next. */
  get openOffset(): number {
    return this.isOpen ? this.nextOffset + this.commitRecords : this.nextOffset;
  }

  beginRecord(): ByteWriter {
    const writer = this.filling.writer;
    this.recordStart = writer.position;
    writer.u8(0);
    return writer;
  }

  /** Takes back what was encoded since beginRecord(); the commit stays open. */
  dropRecord(): void {
    this.filling.writer.position = this.recordStart;
  }

  /** @throws {StoreError} RECORD_TOO_LARGE - the record or the commit with it is over its limit; dropRecord() or abort(). */
  endRecord(): void {
    const writer = this.filling.writer;
    const start = this.recordStart + 1;
    const length = writer.position - start;
    if (length > LIMITS.recordBytes) throw tooLarge('record', length, LIMITS.recordBytes);
    if (this.commitRecords === LIMITS.commitRecords)
      throw tooLarge('commit (records)', this.commitRecords + 1, LIMITS.commitRecords);
    const commitBytes = writer.position - this.commitStart;
    if (commitBytes > LIMITS.commitBytes) throw tooLarge('commit', commitBytes, LIMITS.commitBytes);
    const prefix = length * 2;
    if (prefix < 128) writer.bytes[this.recordStart] = prefix;
    else this.widenPrefix(start, prefix);
    this.lastRecord = this.recordStart;
    this.commitRecords++;
  }

  /** A record of 64 bytes and more needs a longer prefix: its bytes move up. */
  private widenPrefix(start: number, prefix: number): void {
    const writer = this.filling.writer;
    const end = writer.position;
    const extra = prefix < 2 ** 14 ? 1 : prefix < 2 ** 21 ? 2 : 3;
    writer.reserve(extra);
    writer.bytes.copyWithin(start + extra, start, end);
    writer.position = this.recordStart;
    writer.varint(prefix);
    writer.position = end + extra;
  }

  /** Drops what was encoded since begin(). */
  abort(): void {
    invariant(this.isOpen, 'abort of an open commit');
    this.isOpen = false;
    this.filling.writer.position = this.commitStart;
  }

  /** Ends the commit. Gives the offset of its last record. */
  commit(ticket: T, mustSync: boolean): number {
    invariant(this.isOpen && this.commitRecords > 0, 'a commit has records');
    this.isOpen = false;
    const bytes = this.filling.writer.bytes;
    bytes[this.lastRecord] = (bytes[this.lastRecord] as number) | 1;
    const payload = this.filling.writer.position - PAYLOAD_START;
    const isOver =
      payload > this.frameBytes ||
      this.filling.recordCount + this.commitRecords > LIMITS.frameRecords;
    if (isOver && this.filling.tickets.length > 0) this.moveToNextFrame();
    const frame = this.filling;
    frame.tickets.push(ticket);
    frame.recordCount += this.commitRecords;
    frame.mustSync ||= mustSync;
    this.nextOffset += this.commitRecords;
    return this.nextOffset - 1;
  }

  /** The open commit made the frame too large: the frame goes without it. */
  private moveToNextFrame(): void {
    const before = this.filling;
    const end = before.writer.position;
    const next = this.fresh(this.nextOffset);
    next.writer.raw(before.writer.bytes, this.commitStart, end);
    before.writer.position = this.commitStart;
    this.close(before);
    this.filling = next;
  }

  private close(frame: Frame<T>): void {
    this.full.push(frame);
    this.fullBytes += frame.payloadEnd;
    this.fullCommits += frame.tickets.length;
  }

  private fresh(firstOffset: number): Frame<T> {
    const frame = this.spare.pop() ?? new Frame<T>();
    frame.reset(firstOffset);
    return frame;
  }

  /** Payload of the frame take() would give; 0 when no commit waits. */
  get nextPayloadBytes(): number {
    const next = this.full[0] ?? this.filling;
    return next.payloadEnd - PAYLOAD_START;
  }

  /** Takes back every commit that waits. Gives their tickets; their offsets are given again. */
  dropAll(): T[] {
    const tickets: T[] = [];
    for (let frame = this.take(); frame !== undefined; frame = this.take()) {
      if (tickets.length === 0) this.nextOffset = frame.firstOffset;
      for (const ticket of frame.tickets) tickets.push(ticket);
      this.release(frame);
    }
    this.filling.reset(this.nextOffset);
    return tickets;
  }

  /** Next frame in order, or undefined when no commit waits. Give it back with release(). */
  take(): Frame<T> | undefined {
    invariant(!this.isOpen, 'no frame leaves while a commit is open');
    const first = this.full.shift();
    if (first !== undefined) {
      this.fullBytes -= first.payloadEnd;
      this.fullCommits -= first.tickets.length;
      return first;
    }
    if (this.filling.tickets.length === 0) return undefined;
    const frame = this.filling;
    this.filling = this.fresh(this.nextOffset);
    return frame;
  }

  release(frame: Frame<T>): void {
    frame.tickets.length = 0;
    if (this.spare.length < 4 && frame.writer.bytes.length <= KEPT_BUFFER_BYTES)
      this.spare.push(frame);
  }
}

function tooLarge(what: string, actual: number, limit: number): StoreError {
  return new StoreError(
    'RECORD_TOO_LARGE',
    `${what} of ${actual} exceeds the limit of ${limit}; nothing was written`,
    {
      details: { what, actual, limit },
    },
  );
}
