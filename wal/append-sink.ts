/**
 * Tells the callers of append() how their commits ended. A ticket travels with its commit; it is
 * answered when the commit is accepted, or, where the caller asked for it and the log does not
 * sync by itself, when it is synced. Each ticket is answered exactly once.
 */
import type { StoreError } from '../src/base/errors.ts';
import type { Frame } from './frame-queue.ts';
import type { LogSink } from './ordered-log.ts';

export interface AppendTicket {
  /** Of the last record of the commit. */
  offset: number;
  readonly mustSync: boolean;
  readonly resolve: (offset: number) => void;
  readonly reject: (error: StoreError) => void;
}

interface Fate {
  readonly error: StoreError;
  readonly tickets: readonly AppendTicket[];
}

export class AppendSink implements LogSink<AppendTicket> {
  /** Gives a frame back to the log; set before the first append. */
  release: (frame: Frame<AppendTicket>) => void = () => undefined;
  /** There is more to read. */
  onGrowth: () => void = () => undefined;
  private durableOffset = 0;
  /** Accepted, and waiting for a sync, in order. */
  private unsynced: AppendTicket[] = [];

  accepted(frame: Frame<AppendTicket>): void {
    const { tickets } = frame;
    for (const ticket of tickets) {
      if (ticket.mustSync && ticket.offset > this.durableOffset) this.unsynced.push(ticket);
      else ticket.resolve(ticket.offset);
    }
    this.release(frame);
    this.onGrowth();
  }

  synced(offset: number): void {
    this.durableOffset = offset;
    if (this.unsynced.length === 0) return;
    const { unsynced } = this;
    const first = unsynced.findIndex((ticket) => ticket.offset > offset);
    this.unsynced = first < 0 ? [] : unsynced.slice(first);
    const count = first < 0 ? unsynced.length : first;
    for (const ticket of unsynced.slice(0, count)) ticket.resolve(ticket.offset);
  }

  refused(waiting: Fate): void {
    reject(waiting);
  }

  failed(tried: Fate, waiting: Fate): void {
    const { unsynced } = this;
    this.unsynced = [];
    reject({ error: tried.error, tickets: unsynced });
    reject(tried);
    reject(waiting);
  }
}

function reject({ error, tickets }: Fate): void {
  for (const ticket of tickets) ticket.reject(error);
}
