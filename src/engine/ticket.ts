/**
 * Who waits for a commit. A ticket travels with its commit through the log and is told, in log
 * order: of every record when it has been applied (state is then exactly as that record left it),
 * and finally to answer, or that the log failed.
 */
import type { StoreError } from '../base/errors.ts';

export interface Ticket {
  /** Answer only once synced, whatever the durability of the store. */
  readonly mustSync: boolean;
  /** A record of the commit was applied, as number `offset`. */
  applied(offset: number): void;
  /** The commit may be acknowledged. */
  settle(): void;
  fail(error: StoreError): void;
}

/** Somebody who waits until everything up to an offset is visible, or synced. */
export interface Waiter {
  readonly offset: number;
  readonly run: () => void;
  readonly fail: (error: StoreError) => void;
}

/** Waiters for offsets already given, in the order they came: each waits for all before it. */
export class WaitQueue {
  private waiting: Waiter[] = [];
  private head = 0;

  get isEmpty(): boolean {
    return this.head === this.waiting.length;
  }

  /** An offset below that of an earlier waiter waits for the earlier one. */
  add(offset: number, run: () => void, fail: (error: StoreError) => void): void {
    const last = this.waiting.at(-1);
    this.waiting.push({
      offset: last === undefined ? offset : Math.max(last.offset, offset),
      run,
      fail,
    });
  }

  reached(offset: number): void {
    while (this.head < this.waiting.length) {
      const waiter = this.waiting[this.head] as Waiter;
      if (waiter.offset > offset) break;
      this.head++;
      waiter.run();
    }
    if (this.head === this.waiting.length) {
      this.waiting.length = 0;
      this.head = 0;
    } else if (this.head > 1024) {
      this.waiting = this.waiting.slice(this.head);
      this.head = 0;
    }
  }

  fail(error: StoreError): void {
    const waiting = this.waiting.slice(this.head);
    this.waiting = [];
    this.head = 0;
    for (const waiter of waiting) waiter.fail(error);
  }
}

/** A promise with its ends outside, made without a closure of its own per call. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
