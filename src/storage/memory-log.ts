/**
 * A log without a disk, for ':memory:': what the turn brought is accepted at its end and then
 * forgotten. Same frames, same order, same limits as the log on files; "synced" means accepted.
 */
import type { ByteWriter } from '../base/bytes.ts';
import { StoreError } from '../base/errors.ts';
import type { Thread } from '../base/thread.ts';
import { FlushPace } from '../../wal/flush-pace.ts';
import { LIMITS } from '../../wal/format.ts';
import { type Frame, FrameQueue } from '../../wal/frame-queue.ts';
import type { LogSink, OrderedLog } from '../../wal/ordered-log.ts';

interface Flusher {
  readonly offset: number;
  readonly resolve: (offset: number) => void;
}

export class MemoryLog<T> implements OrderedLog<T> {
  acceptedOffset = 0;
  durableOffset = 0;
  private readonly queue = new FrameQueue<T>(1);
  private readonly sink: LogSink<T>;
  /** Callers that go on from each answer must not keep the event loop from turning. */
  private readonly pace: FlushPace;
  private readonly maxPending: number;
  private isBusy = false;
  private isClosed = false;
  private flushers: Flusher[] = [];
  private records = 0;
  private frames = 0;

  constructor(sink: LogSink<T>, thread: Thread, maxPending: number) {
    this.sink = sink;
    this.pace = new FlushPace(thread, () => this.pump());
    this.maxPending = maxPending;
  }

  get nextOffset(): number {
    return this.queue.nextOffset;
  }
  get openOffset(): number {
    return this.queue.openOffset;
  }

  admit(): void {
    if (this.isClosed) throw new StoreError('STORE_CLOSED', 'the store is closed');
  }

  checkRoom(): void {
    this.admit();
    if (
      this.queue.waitingCommits < this.maxPending &&
      this.queue.waitingBytes < LIMITS.pendingBytes
    )
      return;
    throw new StoreError('RATE_LIMITED', 'too many commands wait; nothing of this one was done', {
      details: {
        outcome: 'not-done',
        pendingCommits: this.queue.waitingCommits,
        pendingBytes: this.queue.waitingBytes,
        maxPending: this.maxPending,
      },
    });
  }

  begin(): ByteWriter {
    return this.queue.begin();
  }
  beginRecord(): ByteWriter {
    return this.queue.beginRecord();
  }
  endRecord(): void {
    this.queue.endRecord();
  }
  dropRecord(): void {
    this.queue.dropRecord();
  }
  abort(): void {
    this.queue.abort();
  }

  commit(ticket: T, mustSync: boolean): number {
    const offset = this.queue.commit(ticket, mustSync);
    this.schedule();
    return offset;
  }

  private schedule(): void {
    if (!this.isBusy) this.pace.schedule();
  }

  private pump(): void {
    if (this.isBusy) return;
    const frame = this.queue.take();
    if (frame === undefined) {
      this.answerFlushers();
      return;
    }
    this.isBusy = true;
    this.pace.noteFrame(frame.tickets.length);
    this.pace.noteBlocking();
    this.records += frame.recordCount;
    this.frames++;
    this.acceptedOffset = frame.lastOffset;
    this.durableOffset = frame.lastOffset;
    this.sink.synced(frame.lastOffset);
    this.sink.accepted(frame);
  }

  release(frame: Frame<T>): void {
    this.queue.release(frame);
    this.isBusy = false;
    this.answerFlushers();
    if (!this.queue.isEmpty) this.schedule();
  }

  private answerFlushers(): void {
    while (this.flushers.length > 0 && (this.flushers[0] as Flusher).offset <= this.durableOffset) {
      this.flushers.shift()?.resolve(this.durableOffset);
    }
  }

  flush(): Promise<number> {
    const offset = this.queue.nextOffset - 1;
    if (offset <= this.durableOffset && !this.isBusy) return Promise.resolve(offset);
    return new Promise((resolve) => this.flushers.push({ offset, resolve }));
  }

  stats(): Readonly<Record<string, number>> {
    return {
      records: this.records,
      frames: this.frames,
      segments: 0,
      bytesOnDisk: 0,
      bytesWritten: 0,
      syncs: 0,
    };
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.flush();
  }
}
