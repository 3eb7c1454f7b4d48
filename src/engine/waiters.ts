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

/** Waiters for offsets already given, by offset; those for the same one in the order they came. */
class WaitQueue {
  private waiting: Waiter[] = [];
  private head = 0;

  get isEmpty(): boolean {
    return this.head === this.waiting.length;
  }

  /** Nearly always behind all others: offsets grow. */
  add(waiter: Waiter): void {
    let at = this.waiting.length;
    while (at > this.head && (this.waiting[at - 1] as Waiter).offset > waiter.offset) at--;
    if (at === this.waiting.length) this.waiting.push(waiter);
    else this.waiting.splice(at, 0, waiter);
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

  /** Those who wait for something behind `offset` will never see it. */
  failBehind(offset: number, error: StoreError): void {
    const waiting = this.waiting.slice(this.head);
    this.waiting = waiting.filter((waiter) => waiter.offset <= offset);
    this.head = 0;
    for (const waiter of waiting) if (waiter.offset > offset) waiter.fail(error);
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

  /** At once when it is visible, else at the very moment it becomes so. */
  afterOffset(visibleOffset: number, waiter: Waiter): void {
    if (waiter.offset <= visibleOffset) waiter.run();
    else if (this.failure !== undefined) waiter.fail(this.failure);
    else this.visible.add(waiter);
  }

  whenReached(visibleOffset: number, waiter: Waiter): () => void {
    if (waiter.offset <= visibleOffset) waiter.run();
    else if (this.failure !== undefined) waiter.fail(this.failure);
    else this.far.add(waiter);
    return () => void this.far.delete(waiter);
  }

  afterDisk(waiter: Waiter): void {
    if (this.failure !== undefined) waiter.fail(this.failure);
    else this.disk.add(waiter);
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
    this.visible.failBehind(0, error);
  }

  /** Nothing behind `acceptedOffset` will ever be accepted, and nothing more be synced. */
  fail(acceptedOffset: number, error: StoreError): void {
    this.failure = error;
    this.visible.failBehind(acceptedOffset, error);
    this.disk.failBehind(0, error);
    for (const waiter of this.far) waiter.fail(error);
    this.far.clear();
  }
}
