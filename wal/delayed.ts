/** Something to be done once, a while after it was first asked for; asking again meanwhile changes nothing. */
import type { Thread } from '../src/base/thread.ts';

export class Delayed {
  private disarm: (() => void) | undefined;
  private isStopped = false;
  private readonly thread: Thread;
  private readonly delayMs: number;
  private readonly run: () => void;

  constructor(thread: Thread, delayMs: number, run: () => void) {
    this.thread = thread;
    this.delayMs = delayMs;
    this.run = run;
  }

  arm(delayMs: number = this.delayMs): void {
    if (this.disarm !== undefined || this.isStopped) return;
    this.disarm = this.thread.delay(delayMs, () => {
      this.disarm = undefined;
      this.run();
    });
  }

  stop(): void {
    this.isStopped = true;
    this.disarm?.();
    this.disarm = undefined;
  }
}
