/**
 * Notices that the directory of a log was deleted or replaced under it: while anything is written
 * it looks at least every 50 ms, and at every new segment.
 */
import { StoreError } from '../src/base/errors.ts';
import type { Thread } from '../src/base/thread.ts';
import { Delayed } from './delayed.ts';
import type { Outcome } from './log-error.ts';

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

  /** False, and onLost was called, when the directory is not ours any more. */
  async look(): Promise<boolean> {
    try {
      if (await this.isHeld()) return true;
      this.lost(undefined);
    } catch (error) {
      this.lost(error);
    }
    return false;
  }

  private lost(cause: unknown): void {
    if (this.isStopped) return;
    this.onLost(directoryLost(this.directory, 'unknown', cause));
  }

  stop(): void {
    this.isStopped = true;
    this.timer.stop();
  }
}

export function directoryLost(path: string, outcome: Outcome, cause?: unknown): StoreError {
  const message = `'${path}' was deleted or replaced while it was being written to`;
  return new StoreError('WAL_IO_ERROR', message, { details: { outcome, path }, cause });
}
