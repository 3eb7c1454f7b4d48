/**
 * Drives a log writer on a simulated machine: commits whose content follows from their offset, a
 * sink that checks the order and notes in the disk's journal what somebody outside was told, so
 * that the same holds for every crash at a later moment.
 */
import { silentLogger } from '../../src/base/logger.ts';
import type { FileIo } from '../../src/base/file-io.ts';
import type { Random } from '../../src/base/random.ts';
import type { StoreError } from '../../src/base/errors.ts';
import type { Thread } from '../../src/base/thread.ts';
import type { Clock } from '../../src/base/clock.ts';
import type { Frame } from '../../wal/frame-queue.ts';
import { openLogWriter } from '../../wal/open-writer.ts';
import type { Durability, LogSink } from '../../wal/ordered-log.ts';
import type { LogWriter } from '../../wal/writer.ts';
import { DIRECTORY } from './frozen-io.ts';
import { extraNumber, extraOf, type History, Replay } from './log-content.ts';

/** What the outside learned. */
export type Told =
  /** The log is open; records up to here were shown, and everything behind is new. */
  | { readonly kind: 'opened'; readonly offset: number; readonly history: History }
  /** Commits up to here were acknowledged: the process may be killed. */
  | { readonly kind: 'accepted'; readonly offset: number }
  /** And the power may be cut. */
  | { readonly kind: 'durable'; readonly offset: number }
  /** Not yet done, but asked for: records before this one may be dropped. */
  | { readonly kind: 'truncating'; readonly offset: number }
  /** The bytes of the layer above were written for the n-th time. */
  | { readonly kind: 'extra'; readonly offset: number };

export interface Ticket {
  readonly offset: number;
  readonly mustSync: boolean;
  readonly resolve: () => void;
  readonly reject: (error: StoreError) => void;
}

export interface DriverOptions {
  readonly fileIo: FileIo;
  readonly clock: Clock;
  readonly thread: Thread;
  readonly random: Random;
  readonly durability: Durability;
  readonly segmentBytes: number;
  readonly history: History;
  readonly life: number;
  readonly tell: (told: Told) => void;
}

export class LogDriver implements LogSink<Ticket> {
  /** Continues what was found; grows with every commit. */
  history: History;
  commits = 0;
  isPoisoned = false;
  writer!: LogWriter<Ticket>;
  acceptedOffset = 0;
  private readonly unsynced: Ticket[] = [];
  private readonly options: DriverOptions;

  private constructor(options: DriverOptions) {
    this.options = options;
    this.history = options.history;
  }

  /** Opens the log; every record there is held against the history. */
  static async open(options: DriverOptions): Promise<LogDriver> {
    const driver = new LogDriver(options);
    const { fileIo, clock, thread, random, durability, segmentBytes, tell } = options;
    const replay = new Replay(options.history);
    driver.writer = await openLogWriter<Ticket>(DIRECTORY, {
      fileIo,
      clock,
      thread,
      random,
      durability,
      segmentBytes,
      logger: silentLogger,
      sink: driver,
      onFrame: replay.onFrame,
    });
    const offset = driver.writer.acceptedOffset;
    if (replay.first > 0 && offset !== replay.last)
      throw new Error(`opened at ${offset}, but the last record was ${replay.last}`);
    driver.acceptedOffset = offset;
    driver.history = options.history.upTo(offset);
    tell({ kind: 'opened', offset, history: driver.history });
    return driver;
  }

  accepted(frame: Frame<Ticket>): void {
    if (frame.firstOffset !== this.acceptedOffset + 1)
      throw new Error(
        `the frame at ${frame.firstOffset} was reported behind ${this.acceptedOffset}`,
      );
    this.acceptedOffset = frame.lastOffset;
    this.options.tell({ kind: 'accepted', offset: frame.lastOffset });
    const isSynced = this.writer.durableOffset >= frame.lastOffset;
    for (const ticket of frame.tickets) {
      if (ticket.mustSync && !isSynced) this.unsynced.push(ticket);
      else ticket.resolve();
    }
    this.writer.release(frame);
  }

  synced(offset: number): void {
    this.options.tell({ kind: 'durable', offset });
    while (this.unsynced.length > 0 && (this.unsynced[0] as Ticket).offset <= offset)
      this.unsynced.shift()?.resolve();
  }

  failed(
    tried: { readonly error: StoreError; readonly tickets: readonly Ticket[] },
    waiting: { readonly error: StoreError; readonly tickets: readonly Ticket[] },
  ): void {
    this.isPoisoned = true;
    for (const ticket of [...this.unsynced.splice(0), ...tried.tickets]) ticket.reject(tried.error);
    for (const ticket of waiting.tickets) ticket.reject(waiting.error);
  }

  refused({ error, tickets }: { error: StoreError; tickets: readonly Ticket[] }): void {
    for (const ticket of tickets) ticket.reject(error);
  }

  /** One commit of `count` records. Resolves when it is acknowledged, with `mustSync` when it is synced. */
  commit(count: number = 1, mustSync: boolean = false): Promise<void> {
    const { writer, history } = this;
    const { life } = this.options;
    return new Promise((resolve, reject) => {
      writer.admit();
      writer.checkRoom();
      writer.begin();
      let offset = 0;
      for (let i = 1; i <= count; i++) {
        offset = writer.openOffset;
        history.add(offset, life, i === count);
        writer.beginRecord().raw(history.bytesOf(offset, life));
        writer.endRecord();
      }
      this.commits++;
      writer.commit({ offset, mustSync, resolve, reject }, mustSync);
    });
  }

  async flush(): Promise<void> {
    this.options.tell({ kind: 'durable', offset: await this.writer.flush() });
  }

  /** Other bytes of the layer above. */
  async setExtra(): Promise<void> {
    const { writer, history } = this;
    const n = extraNumber(history.seed, writer.manifestExtra) + 1;
    await writer.setManifestExtra(extraOf(history.seed, n));
    this.options.tell({ kind: 'extra', offset: n });
  }

  truncateBefore(offset: number): Promise<unknown> {
    this.options.tell({ kind: 'truncating', offset });
    return this.writer.truncateBefore(offset);
  }

  /** Nothing that was acknowledged may be lost from here on, unless something failed before. */
  async close(): Promise<void> {
    await this.writer.close();
    if (!this.isPoisoned) this.options.tell({ kind: 'durable', offset: this.acceptedOffset });
  }
}
