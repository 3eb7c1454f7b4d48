/**
 * Notices that the directory of a log was deleted or replaced under it: while anything is written
 * it looks at least every 50 ms, and at every new segment.
 */
import { StoreError } from '../src/base/errors.ts';
import type { Thread } from '../src/base/thread.ts';
import { Delayed } from './delayed.ts';
import { ioError } from './log-error.ts';

const LOOK_AFTER_MS = 50;

export class DirectoryWatch {
  onLost: (error: Error) => void = () => undefined;
  private readonly timer: Delayed;
  private readonly directory: string;
  private readonly isHeld: () => Promise<boolean>;
  private isStopped = false;

  constructor(thread: Thread, directory: string, isHeld: () => Promise<boolean>) {
    this.directory = directory;
    this.isHeld = isHeld;
    this.timer = new Delayed(thread, LOOK_AFTER_MS, () => void this.look());
  }

  /** Something is being written. */
  touch(): void {
    this.timer.arm();
  }

  /** What was said to onLost, when the directory is not ours any more or cannot be looked at. */
  async look(): Promise<StoreError | undefined> {
    const { directory } = this;
    let lost: StoreError | undefined;
    try {
      if (!(await this.isHeld())) lost = directoryLost(directory);
    } catch (error) {
      lost = ioError(error, 'looking at the directory', directory, 'unknown');
    }
    if (lost !== undefined && !this.isStopped) this.onLost(lost);
    return lost;
  }

  stop(): void {
    this.isStopped = true;
    this.timer.stop();
  }
}

function directoryLost(path: string): StoreError {
  const message = `'${path}' was deleted or replaced while it was being written to`;
  return new StoreError('WAL_IO_ERROR', message, { details: { outcome: 'unknown', path } });
}
