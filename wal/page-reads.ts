/**
 * Pages of records for calls that come one at a time or many at once. The reader that was used
 * last is kept for a second, with its place and its open file, so that paging through a log does
 * not begin anew with every page.
 */
import type { Logger } from '../src/base/logger.ts';
import type { Thread } from '../src/base/thread.ts';
import { Delayed } from './delayed.ts';
import type { LogPage } from './log-types.ts';
import { type PageLimits, type RecordFiles, RecordReader } from './record-reader.ts';

const KEPT_MS = 1000;

export class PageReads {
  private readonly files: RecordFiles;
  private readonly thread: Thread;
  private readonly logger: Logger;
  private readonly timer: Delayed;
  private spare: RecordReader | undefined;
  private isClosed = false;

  constructor(files: RecordFiles, thread: Thread, logger: Logger) {
    this.files = files;
    this.thread = thread;
    this.logger = logger;
    this.timer = new Delayed(thread, KEPT_MS, () => void this.dropSpare());
  }

  /** @throws {StoreError} OFFSET_TOO_OLD, CORRUPT, WAL_IO_ERROR */
  async page(from: number, last: number, limits: PageLimits): Promise<LogPage> {
    // What needs no disk would keep the event loop from a caller that asks again and again.
    await new Promise<void>((run) => this.thread.nextTurn(run));
    const reader = this.spare ?? new RecordReader(this.files);
    this.spare = undefined;
    let page: LogPage;
    try {
      page = await reader.page(from, last, limits);
    } catch (error) {
      await this.drop(reader);
      throw error;
    }
    await this.giveBack(reader);
    return page;
  }

  private async giveBack(reader: RecordReader): Promise<void> {
    if (this.isClosed || this.spare !== undefined) return this.drop(reader);
    this.spare = reader;
    this.timer.arm();
    return undefined;
  }

  private async dropSpare(): Promise<void> {
    const { spare } = this;
    this.spare = undefined;
    if (spare !== undefined) await this.drop(spare);
  }

  /** Nothing was written through it: a close that fails costs nothing but a descriptor. */
  private async drop(reader: RecordReader): Promise<void> {
    await reader.close().catch((error: unknown) => {
      const { directory } = this.files;
      this.logger.log('warn', 'closing a file after reading failed', { directory, error });
    });
  }

  /** Pages under way are finished. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.timer.stop();
    await this.dropSpare();
  }
}
