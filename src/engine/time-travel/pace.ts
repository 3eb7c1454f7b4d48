/** Long work in slices: says when a slice is over, and lets others have the thread. */
import type { Thread } from '../../base/thread.ts';
import { LIMITS } from '../limits.ts';

export class Pace {
  private readonly thread: Thread;
  private sliceEnd: number;

  constructor(thread: Thread) {
    this.thread = thread;
    this.sliceEnd = thread.monotonicMs() + LIMITS.sliceMs;
  }

  get isOver(): boolean {
    return this.thread.monotonicMs() > this.sliceEnd;
  }

  /** A new slice begins with the next turn. */
  async turn(): Promise<void> {
    await new Promise<void>((resolve) => this.thread.nextTurn(resolve));
    this.sliceEnd = this.thread.monotonicMs() + LIMITS.sliceMs;
  }
}
