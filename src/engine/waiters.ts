/**
 * Who waits for which offset: answers that rest on commits still on their way, acknowledgements
 * that need the disk, and readers who wait for an offset of their own choice.
 */
import type { StoreError } from '../base/errors.ts';

/** Somebody who waits until everything up to an offset is visible, or synced. */
export interface Waiter {
  readonly offset: number;
  readonly run: () => void;
  readonly fail: (error: StoreError) => void;
}

/** Waiters for offsets already given, in the order they came: each waits for all before it. */
class WaitQueue {
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

export class Waiters {
  /** Nothing that waits will ever be accepted. */
  failure: StoreError | undefined;
  private readonly visible = new WaitQueue();
  private readonly disk = new WaitQueue();
  private readonly far = new Set<Waiter>();

  /** Nobody waits for records to become visible. */
  get isQuiet(): boolean {
    return this.visible.isEmpty;
  }

  /** At once when it is visible and nobody else waits for something before it. */
  afterOffset(visibleOffset: number, waiter: Waiter): void {
    if (waiter.offset <= visibleOffset && this.visible.isEmpty) waiter.run();
    else if (this.failure !== undefined) waiter.fail(this.failure);
    else this.visible.add(waiter.offset, waiter.run, waiter.fail);
  }

  whenReached(visibleOffset: number, waiter: Waiter): () => void {
    if (waiter.offset <= visibleOffset) waiter.run();
    else if (this.failure !== undefined) waiter.fail(this.failure);
    else this.far.add(waiter);
    return () => void this.far.delete(waiter);
  }

  afterDisk(offset: number, run: () => void, fail: (error: StoreError) => void): void {
    this.disk.add(offset, run, fail);
  }

  reached(offset: number): void {
    this.visible.reached(offset);
  }

  reachedDisk(offset: number): void {
    this.disk.reached(offset);
  }

  reachedFar(offset: number): void {
    for (const waiter of this.far) {
      if (waiter.offset > offset) continue;
      this.far.delete(waiter);
      waiter.run();
    }
  }

  /** What waits was taken back: so are the answers that rest on it. */
  refuse(error: StoreError): void {
    this.visible.fail(error);
  }

  fail(error: StoreError): void {
    this.failure = error;
    this.visible.fail(error);
    this.disk.fail(error);
    for (const waiter of this.far) waiter.fail(error);
    this.far.clear();
  }
}
