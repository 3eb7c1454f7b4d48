/**
 * The LogReader of `pawl/wal`: a log as it was when it was opened, without its lock and without any
 * way to write. What a process that writes adds later is not seen; what it drops is OFFSET_TOO_OLD.
 */
import type { Logger } from '../src/base/logger.ts';
import type { Thread } from '../src/base/thread.ts';
import { checkRange } from './log-arguments.ts';
import { logClosed } from './log-error.ts';
import type { LogPage, LogReader, OpenReport, ReadRange } from './log-types.ts';
import { PageReads } from './page-reads.ts';
import { type RecordFiles, tooOld } from './record-reader.ts';

export interface FrozenLogParts {
  readonly files: RecordFiles;
  readonly lastOffset: number;
  readonly recovery: OpenReport;
  readonly thread: Thread;
  readonly logger: Logger;
}

export class FrozenLog implements LogReader {
  readonly storeId: string;
  readonly lastOffset: number;
  readonly recovery: OpenReport;
  private readonly files: RecordFiles;
  private readonly reads: PageReads;
  private closing: Promise<void> | undefined;

  constructor({ files, lastOffset, recovery, thread, logger }: FrozenLogParts) {
    this.storeId = Buffer.from(files.storeId).toString('hex');
    this.lastOffset = lastOffset;
    this.recovery = recovery;
    this.files = files;
    this.reads = new PageReads(files, thread, logger);
  }

  get firstOffset(): number {
    return this.files.segments.firstOffset;
  }
  get closed(): boolean {
    return this.closing !== undefined;
  }

  async read(range?: ReadRange): Promise<LogPage> {
    if (this.closed) throw logClosed();
    const { from, ...limits } = checkRange(range, this.firstOffset);
    if (from < this.firstOffset) throw tooOld(from, this.firstOffset);
    return this.reads.page(from, this.lastOffset, limits);
  }

  close(): Promise<void> {
    this.closing ??= this.reads.close();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
