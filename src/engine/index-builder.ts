/**
 * Builds indexes behind the writers: slices of at most 2 ms, each in a turn of its own, until all
 * that the machines declare is there. A query that needs one sooner builds it itself.
 */
import type { Thread } from '../base/thread.ts';
import type { Indexes } from '../indexes/indexes.ts';
import { LIMITS } from './limits.ts';

export class IndexBuilder {
  private readonly indexes: Indexes;
  private readonly thread: Thread;
  /** A row's context could not be read: whoever asks for the row is told, too. */
  private readonly onFailure: (error: unknown) => void;
  private isRunning = false;
  private isStopped = false;

  constructor(indexes: Indexes, thread: Thread, onFailure: (error: unknown) => void) {
    this.indexes = indexes;
    this.thread = thread;
    this.onFailure = onFailure;
  }

  /** To be called when there may be something to build. */
  wake(): void {
    if (this.isRunning || this.isStopped || this.indexes.isComplete) return;
    this.isRunning = true;
    this.thread.nextTurn(() => this.slice());
  }

  stop(): void {
    this.isStopped = true;
  }

  private slice(): void {
    if (this.isStopped) return;
    const end = this.thread.monotonicMs() + LIMITS.sliceMs;
    try {
      while (this.indexes.buildMore()) {
        if (this.thread.monotonicMs() < end) continue;
        this.thread.nextTurn(() => this.slice());
        return;
      }
    } catch (error) {
      this.isStopped = true;
      this.onFailure(error);
    }
    this.isRunning = false;
  }
}
