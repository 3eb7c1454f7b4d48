/**
 * Follower: the records behind an offset, and then those to come, as an async iterator. It pulls:
 * nothing is read before the caller asks, nothing is queued for it, and what it has not asked for
 * stays in the files. Holds at most one page, and the frame that page ended in.
 */
import { KiB } from '../src/base/units.ts';
import type { LogPage, LogRecord } from './log-types.ts';
import type { PageLimits } from './record-reader.ts';

const PAGE: PageLimits = { records: 1000, bytes: 256 * KiB, endsAtFailure: true };

type Result = IteratorResult<LogRecord, undefined>;

/** What a follower needs of its log. */
export interface Followed {
  /** Last record that may be shown. */
  readonly lastOffset: number;
  /** The follower asks for nothing more, and its reader is being closed. */
  ended(follower: Follower, closing: Promise<void>): Promise<void>;
}

/** RecordReader, as a follower uses it. */
export interface PageSource {
  page(from: number, last: number, limits: PageLimits): Promise<LogPage>;
  close(): Promise<void>;
}

export class Follower implements AsyncIterableIterator<LogRecord> {
  private readonly log: Followed;
  private readonly source: PageSource;
  private nextOffset: number;
  private page: readonly LogRecord[] = [];
  private at = 0;
  /** Calls of next() that are not answered yet. */
  private asked = 0;
  private last: Promise<unknown> = Promise.resolve();
  private wakeUp: (() => void) | undefined;
  private ending: Promise<void> | undefined;
  private readonly signal: AbortSignal | undefined;
  private readonly onAbort = (): void => void this.end();

  constructor(log: Followed, source: PageSource, after: number, signal: AbortSignal | undefined) {
    this.log = log;
    this.source = source;
    this.nextOffset = after + 1;
    this.signal = signal;
    if (signal?.aborted === true) void this.end();
    else signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  get hasEnded(): boolean {
    return this.ending !== undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Calls may overlap; they are answered in order. */
  next(): Promise<Result> {
    if (this.asked === 0 && this.at < this.page.length) return Promise.resolve(this.take());
    this.asked++;
    const result = this.last.then(() => this.pull());
    this.last = result.then(this.answered, this.answered);
    return result;
  }

  private readonly answered = (): void => {
    this.asked--;
  };

  async return(): Promise<Result> {
    await this.end();
    return { value: undefined, done: true };
  }

  /** Records were added. */
  wake(): void {
    const run = this.wakeUp;
    this.wakeUp = undefined;
    run?.();
  }

  /** Every call of next() from now on, and those that wait, get the end. */
  end(): Promise<void> {
    if (this.ending !== undefined) return this.ending;
    this.signal?.removeEventListener('abort', this.onAbort);
    this.page = [];
    this.ending = this.log.ended(this, this.source.close());
    this.wake();
    return this.ending;
  }

  private async pull(): Promise<Result> {
    while (this.ending === undefined) {
      if (this.at < this.page.length) return this.take();
      if (this.nextOffset <= this.log.lastOffset) await this.readPage();
      else await new Promise<void>((run) => (this.wakeUp = run));
    }
    return { value: undefined, done: true };
  }

  private take(): Result {
    return { value: this.page[this.at++] as LogRecord, done: false };
  }

  private async readPage(): Promise<void> {
    try {
      const { records, next } = await this.source.page(this.nextOffset, this.log.lastOffset, PAGE);
      if (this.ending !== undefined) return;
      this.page = records;
      this.at = 0;
      this.nextOffset = next;
    } catch (error) {
      // Its files were closed under it.
      if (this.ending !== undefined) return;
      await this.end();
      throw error;
    }
  }
}
