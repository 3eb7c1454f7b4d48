/**
 * The Log of `pawl/wal`: a LogWriter for what is appended, readers over its files for what is read
 * and followed. Reads see what the writer has accepted, and nothing it has not.
 */
import type { ByteWriter } from '../src/base/bytes.ts';
import type { Logger } from '../src/base/logger.ts';
import type { Thread } from '../src/base/thread.ts';
import type { AppendSink, AppendTicket } from './append-sink.ts';
import { type Followed, Follower } from './follow.ts';
import {
  checkAppendOptions,
  checkFollowOptions,
  checkOffset,
  checkRange,
  checkRecord,
  checkRecords,
  recordLength,
  withSignal,
} from './log-arguments.ts';
import { logClosed } from './log-error.ts';
import type {
  AppendOptions,
  FollowOptions,
  Log,
  LogPage,
  LogRecord,
  LogStats,
  OpenReport,
  ReadRange,
  Truncation,
} from './log-types.ts';
import { PageReads } from './page-reads.ts';
import { type RecordFiles, RecordReader, tooOld } from './record-reader.ts';
import type { LogWriter } from './writer.ts';

export interface FileLogParts {
  readonly writer: LogWriter<AppendTicket>;
  readonly sink: AppendSink;
  readonly thread: Thread;
  readonly logger: Logger;
}

export class FileLog implements Log, Followed {
  readonly storeId: string;
  readonly recovery: OpenReport;
  private readonly writer: LogWriter<AppendTicket>;
  private readonly files: RecordFiles;
  private readonly logger: Logger;
  private readonly reads: PageReads;
  private readonly followers = new Set<Follower>();
  private closing: Promise<void> | undefined;

  constructor({ writer, sink, thread, logger }: FileLogParts) {
    const { storeId, recordsReplayed, recordsRewritten, ...recovery } = writer.recovery;
    this.storeId = Buffer.from(storeId).toString('hex');
    this.recovery = {
      ...recovery,
      recordsRead: recordsReplayed,
      recordsUnattested: recordsRewritten,
    };
    this.writer = writer;
    this.files = writer.files;
    this.logger = logger;
    this.reads = new PageReads(writer.files, thread, logger);
    sink.release = (frame) => writer.release(frame);
    sink.onGrowth = () => this.wakeFollowers();
  }

  get firstOffset(): number {
    return this.files.segments.firstOffset;
  }
  get lastOffset(): number {
    return this.writer.acceptedOffset;
  }
  get durableOffset(): number {
    return this.writer.durableOffset;
  }
  get closed(): boolean {
    return this.closing !== undefined;
  }

  append(record: Uint8Array, options?: AppendOptions): Promise<number> {
    try {
      this.writer.admit();
      checkRecord(record, 'record');
      if (options === undefined) return this.commitOne(record, false);
      const { durable, signal } = checkAppendOptions(options);
      // The options may have run code of the caller.
      this.writer.admit();
      return withSignal(this.commitOne(record, durable), signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  appendMany(records: readonly Uint8Array[], options?: AppendOptions): Promise<number> {
    try {
      this.writer.admit();
      const { durable, signal } = checkAppendOptions(options);
      const list = checkRecords(records);
      this.writer.admit();
      return withSignal(this.commitMany(list, durable), signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  private commitOne(record: Uint8Array, mustSync: boolean): Promise<number> {
    const { writer } = this;
    writer.checkRoom();
    writer.begin();
    try {
      this.put(record);
    } catch (error) {
      writer.abort();
      throw error;
    }
    return this.seal(mustSync);
  }

  private commitMany(records: readonly Uint8Array[], mustSync: boolean): Promise<number> {
    const { writer } = this;
    writer.checkRoom();
    writer.begin();
    try {
      for (const record of records) this.put(record);
    } catch (error) {
      writer.abort();
      throw error;
    }
    return this.seal(mustSync);
  }

  private put(record: Uint8Array): void {
    const out: ByteWriter = this.writer.beginRecord();
    const length = recordLength(record);
    out.reserve(length);
    out.bytes.set(record, out.position);
    out.position += length;
    this.writer.endRecord();
  }

  private seal(mustSync: boolean): Promise<number> {
    return new Promise((resolve, reject) => {
      const ticket: AppendTicket = { offset: 0, mustSync, resolve, reject };
      ticket.offset = this.writer.commit(ticket, mustSync);
    });
  }

  async read(range?: ReadRange): Promise<LogPage> {
    if (this.closed) throw logClosed();
    const { from, ...limits } = checkRange(range, this.firstOffset);
    if (from < this.firstOffset) throw tooOld(from, this.firstOffset);
    return this.reads.page(from, this.lastOffset, limits);
  }

  follow(options?: FollowOptions): AsyncIterableIterator<LogRecord> {
    if (this.closed) throw logClosed();
    const { after = this.lastOffset, signal } = checkFollowOptions(options);
    const follower = new Follower(this, new RecordReader(this.files), after, signal);
    if (!follower.hasEnded) this.followers.add(follower);
    return follower;
  }

  private wakeFollowers(): void {
    for (const follower of this.followers) follower.wake();
  }

  /** @internal */
  async ended(follower: Follower, closing: Promise<void>): Promise<void> {
    this.followers.delete(follower);
    try {
      await closing;
    } catch (error) {
      // Nothing was written through it: it costs nothing but a descriptor.
      this.logger.log('warn', 'closing the file of a follower failed', { error });
    }
  }

  flush(): Promise<number> {
    return this.writer.flush();
  }

  stats(): LogStats {
    const { acceptedOffset: lastOffset, ...all } = this.writer.stats();
    const {
      nextOffset: _next,
      oldestSegment: _oldest,
      segmentsArchived: _archived,
      ...stats
    } = all;
    return { ...stats, lastOffset, followers: this.followers.size };
  }

  async truncateBefore(offset: number): Promise<Truncation> {
    if (this.closed) throw logClosed();
    checkOffset(offset, 1, 'offset');
    return this.writer.truncateBefore(offset);
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    const ended = [...this.followers].map((follower) => follower.end());
    try {
      await this.writer.close();
    } finally {
      await Promise.all(ended);
      await this.reads.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
