/**
 * What clock and limits say is over: idempotency keys past their time or number, deleted instances
 * past theirs. Only decides; the cut-offs become a purge record, so that every fold agrees.
 */
import type { State } from '../state/state.ts';
import { LIMITS } from './limits.ts';

export interface RetentionOptions {
  readonly keyRetentionMs: number;
  readonly maxKeys: number;
  readonly deletedRetentionMs: number;
}

/** Everything at or before these offsets goes; 0 = nothing. */
export interface Cutoffs {
  readonly keysThrough: number;
  readonly deletedThrough: number;
}

export class Retention {
  private readonly options: RetentionOptions;
  /** Decided, perhaps not applied yet: not decided again. */
  private keysThrough = 0;
  private deletedThrough = 0;

  constructor(options: RetentionOptions) {
    this.options = options;
  }

  /** What to purge now, or undefined; a few comparisons when there is nothing. */
  due(state: State, waitingKeys: number, now: number): Cutoffs | undefined {
    const keysThrough = this.dueKeys(state, waitingKeys, now);
    const deletedThrough = this.dueDeleted(state, now);
    return keysThrough === 0 && deletedThrough === 0 ? undefined : { keysThrough, deletedThrough };
  }

  /** What was decided and not applied counts for nothing; what was applied left nothing to find. */
  forget(): void {
    this.keysThrough = 0;
    this.deletedThrough = 0;
  }

  decided(due: Cutoffs): void {
    this.keysThrough = Math.max(this.keysThrough, due.keysThrough);
    this.deletedThrough = Math.max(this.deletedThrough, due.deletedThrough);
  }

  /** Was the end of this key decided already, applied or not? */
  isKeyPurged(offset: number): boolean {
    return offset <= this.keysThrough;
  }

  private dueKeys(state: State, waitingKeys: number, now: number): number {
    const keys = state.keys;
    if (keys.size === 0 || keys.oldestOffset <= this.keysThrough) return 0;
    const excess = keys.size + waitingKeys - this.options.maxKeys;
    if (excess > 0)
      return keys.offsetOfOldest(
        Math.min(Math.max(excess, Math.ceil(keys.size / 100)), LIMITS.purgeEntries),
      );
    if (keys.oldestTime + this.options.keyRetentionMs >= now) return 0;
    const [first] = keys.cutoffs(now - this.options.keyRetentionMs, LIMITS.purgeEntries);
    return first ?? 0;
  }

  isInstancePurged(offset: number): boolean {
    return offset <= this.deletedThrough;
  }

  /** Offsets to purge through, a slice of instances each, until all past their retention are covered. */
  deletedCutoffs(state: State, now: number): number[] {
    const { instances } = state;
    const cutoffs: number[] = [];
    let through = 0;
    let handle = instances.oldestDeleted;
    for (let i = 0; handle >= 0; i++, handle = instances.deletedAfter(handle)) {
      if (instances.deletedTimes.at(i) + this.options.deletedRetentionMs >= now) break;
      if (i > 0 && i % LIMITS.purgeEntries === 0) cutoffs.push(through);
      through = instances.offset(handle);
    }
    if (through > 0) cutoffs.push(through);
    return cutoffs;
  }

  /** Of those, the first that was not decided yet. */
  private dueDeleted(state: State, now: number): number {
    const { instances } = state;
    const oldest = instances.oldestDeleted;
    if (oldest < 0 || instances.offset(oldest) <= this.deletedThrough) return 0;
    if (instances.deletedTimes.at(0) + this.options.deletedRetentionMs >= now) return 0;
    return this.deletedCutoffs(state, now)[0] ?? 0;
  }
}
