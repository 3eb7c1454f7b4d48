/**
 * The past of an open store: views of it as it was, and what changed between two moments. Each has
 * a state of its own, made from snapshots and log beside the living one; closing the store closes them.
 */
import { StoreError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { Thread } from '../../base/thread.ts';
import type { State } from '../../state/state.ts';
import type { Difference, Moment, View } from '../api/time-travel.ts';
import { differences } from './differences.ts';
import { type Bounds, boundsOf } from './moment.ts';
import type { PastSource } from './past-source.ts';
import { type PastState, stateAt } from './state-at.ts';
import { PastView } from './view.ts';

export interface TimeTravelOptions {
  /** undefined: a store in memory, which keeps no past. */
  readonly source: PastSource | undefined;
  readonly storeId: string;
  readonly thread: Thread;
  readonly random: Random;
  /** Last record that reads can see now. */
  readonly present: () => number;
}

/** Of an open store. */
export function timeTravel(
  { thread, random }: Pick<TimeTravelOptions, 'thread' | 'random'>,
  of: Pick<TimeTravelOptions, 'source' | 'storeId'> & { readonly state: State },
): TimeTravel {
  const { source, storeId, state } = of;
  return new TimeTravel({ source, storeId, thread, random, present: () => state.offset });
}

export class TimeTravel {
  private readonly options: TimeTravelOptions;
  private readonly views = new Set<PastView>();
  private isClosed = false;

  constructor(options: TimeTravelOptions) {
    this.options = options;
  }

  async asOf(moment: Moment): Promise<View> {
    this.admit();
    const bounds = this.bounds(moment, 'moment');
    const past = await this.stateAt(bounds);
    const view = new PastView(past, this.options.storeId, (one) => this.views.delete(one));
    this.views.add(view);
    return view;
  }

  async *diff(before: Moment, after: Moment): AsyncIterableIterator<Difference> {
    this.admit();
    const [from, to] = [this.bounds(before, 'before'), this.bounds(after, 'after')];
    const was = await this.stateAt(from);
    try {
      const is = await this.stateAt(to);
      try {
        for await (const one of differences(was.state, is.state, this.options.thread)) {
          this.admit();
          yield one;
        }
      } finally {
        await is.snapshot?.close();
      }
    } finally {
      await was.snapshot?.close();
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.allSettled([...this.views].map((view) => view.close()));
  }

  private admit(): void {
    if (this.isClosed) throw new StoreError('STORE_CLOSED', 'the store is closed');
  }

  private bounds(moment: Moment, path: string): Bounds {
    return boundsOf(moment, path, this.options.present());
  }

  private async stateAt(bounds: Bounds): Promise<PastState> {
    const { source, thread, random } = this.options;
    if (source === undefined) {
      const message = 'a store in memory keeps no past: open one in a directory for asOf and diff';
      throw new StoreError('UNSUPPORTED', message, { details: { path: 'moment' } });
    }
    const past = await stateAt({ source, bounds, thread, random, check: () => this.admit() });
    if (!this.isClosed) return past;
    await past.snapshot?.close();
    throw new StoreError('STORE_CLOSED', 'the store is closed');
  }
}
