/** Who waits for an offset to be accepted and synced, in order. Calls for the same offset share one promise. */
import type { StoreError } from '../src/base/errors.ts';

interface Waiter {
  readonly offset: number;
  readonly promise: Promise<number>;
  readonly resolve: () => void;
  readonly reject: (error: StoreError) => void;
}

export class FlushWaiters {
  private waiting: Waiter[] = [];

  get isWaiting(): boolean {
    return this.waiting.length > 0;
  }

  /** Resolves with what `result` gives at that time. Offsets of successive calls do not decrease. */
  add(offset: number, result: () => number): Promise<number> {
    const last = this.waiting.at(-1);
    if (last?.offset === offset) return last.promise;
    let settle:
      | { resolve: (value: number) => void; reject: (error: StoreError) => void }
      | undefined;
    const promise = new Promise<number>((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.waiting.push({
      offset,
      promise,
      resolve: () => settle?.resolve(result()),
      reject: (error) => settle?.reject(error),
    });
    return promise;
  }

  reached(offset: number): void {
    while (this.waiting.length > 0 && (this.waiting[0] as Waiter).offset <= offset)
      this.waiting.shift()?.resolve();
  }

  /** Those from this offset on will not be reached. */
  fail(error: StoreError, from: number): void {
    const failed = this.waiting.filter((waiter) => waiter.offset >= from);
    this.waiting = this.waiting.filter((waiter) => waiter.offset < from);
    for (const waiter of failed) waiter.reject(error);
  }
}
