/**
 * Answers that are not acknowledgements: refusals, replays and empty results. Each rests on records
 * that may still be on their way, and is given when those are visible, or on the disk if its caller
 * waits for that (D-2: nobody learns what a power cut could take back).
 */
import type { StoreError } from '../base/errors.ts';
import type { State } from '../state/state.ts';
import { PostRefusals } from './post-refusals.ts';
import type { EngineLog } from './record-writer.ts';
import { Waiters } from './waiters.ts';

export class Answers {
  readonly waiters: Waiters = new Waiters();
  readonly posts: PostRefusals = new PostRefusals();
  private readonly state: State;
  private log!: EngineLog;

  constructor(state: State) {
    this.state = state;
  }

  connect(log: EngineLog): void {
    this.log = log;
  }

  /** Of the last record that waits or was applied: what a decision made now may depend on. */
  get pendingOffset(): number {
    return this.log.nextOffset - 1;
  }

  /** Given once records up to `offset`, which were logged before, are visible; with `mustSync` synced too. */
  give<T>(offset: number, mustSync: boolean, make: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const give = (): void => {
        try {
          resolve(make());
        } catch (error) {
          reject(error);
        }
      };
      const run = (): void => {
        if (!mustSync || offset <= this.log.durableOffset) return give();
        this.waiters.afterDisk({ offset, run: give, fail: reject });
        // Only to have it synced now: if that fails, or the store closes, the waiter is told.
        this.log.flush().catch(() => undefined);
      };
      this.waiters.afterOffset(this.state.offset, { offset, run, fail: reject });
    });
  }

  /** Also for offsets nobody has been given yet. Returns the way to stop waiting. */
  whenReached(offset: number, run: () => void, fail: (error: StoreError) => void): () => void {
    return this.waiters.whenReached(this.state.offset, { offset, run, fail });
  }

  /** A refusal as a rejected promise: at once if it rests on applied state alone, else with the commits it rests on. */
  refuse(error: unknown, overPending: boolean): Promise<never> {
    const offset = this.pendingOffset;
    const isSettled = this.waiters.failure !== undefined || offset <= this.state.offset;
    if (!overPending || isSettled) return Promise.reject(error);
    return new Promise<never>((_, reject) => {
      const run = (): void => reject(error);
      this.waiters.afterOffset(this.state.offset, { offset, run, fail: reject });
    });
  }

  /** Everything accepted so far is synced. */
  async flush(): Promise<number> {
    const target = this.pendingOffset;
    const posts = this.posts.close();
    const offset = await this.log.flush();
    await this.give(target, false, () => undefined);
    if (posts.first !== undefined) throw posts.first;
    return offset;
  }
}
