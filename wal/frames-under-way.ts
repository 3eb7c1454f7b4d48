/** The frames that left the queue and have not come back: at most one in each place. */
import type { Frame } from './frame-queue.ts';

export class FramesUnderWay<T> {
  /** Being written. */
  inFlight: Frame<T> | undefined;
  /** Written, and waiting for the frame before it to be released. */
  done: Frame<T> | undefined;
  /** The sink has it. */
  reported: Frame<T> | undefined;

  /** No write may start: one is under way, or its frame is not reported yet. */
  get isFull(): boolean {
    return this.inFlight !== undefined || this.done !== undefined;
  }
  get isEmpty(): boolean {
    return !this.isFull && this.reported === undefined;
  }

  /** Commits and bytes that are not accepted yet. */
  get commits(): number {
    return (this.inFlight?.tickets.length ?? 0) + (this.done?.tickets.length ?? 0);
  }
  get bytes(): number {
    return (this.inFlight?.payloadEnd ?? 0) + (this.done?.payloadEnd ?? 0);
  }
  tickets(): T[] {
    return [...(this.inFlight?.tickets ?? []), ...(this.done?.tickets ?? [])];
  }
}
