/**
 * What clock and limits say is over: idempotency keys past their time or number, deleted instances
 * past theirs. Only decides; the cut-offs become a purge record, so that every fold agrees.
 */
import type { State } from '../state/state.ts';
import { LIMITS } from './limits.ts';

export interface RetentionOptions {
  readonly keyRetentionMs: number;
  readonly maxKeys: number;
  readonly maxKeyBytes: number;
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

  /** What to purge now, a slice of it, or undefined; a few comparisons when there is nothing. */
  due(state: State, waitingKeys: number, now: number): Cutoffs | undefined {
    const keysThrough = this.dueKeys(state, waitingKeys, now);
    const deletedThrough = this.dueDeleted(state, now);
    return keysThrough === 0 && deletedThrough === 0 ? undefined : { keysThrough, deletedThrough };
  }

  /** Slices to purge until the key written by record `offset` is gone. */
  *keysThroughOffset(state: State, offset: number): IterableIterator<Cutoffs> {
    if (this.isKeyPurged(offset)) return;
    for (const keysThrough of state.keys.slicesThrough(offset, LIMITS.purgeEntries)) {
      if (!this.isKeyPurged(keysThrough)) yield { keysThrough, deletedThrough: 0 };
    }
  }

  /** Slices to purge until the instance deleted by record `offset` is gone. */
  *instancesThrough(state: State, offset: number): IterableIterator<Cutoffs> {
    const { deleted } = state.instances;
    const end = deleted.countBelow(offset + 1);
    let at = deleted.countBelow(this.deletedThrough + 1);
    while (at < end) {
      at = Math.min(at + LIMITS.purgeEntries, end);
      yield { keysThrough: 0, deletedThrough: deleted.offsetAt(at - 1) };
    }
  }

  /** What was decided and not applied counts for nothing; what was applied left nothing to find. */
  forget(): void {
    this.keysThrough = 0;
    this.deletedThrough = 0;
  }

  /** To be called for each that was logged, before the next is asked for. */
  decided(due: Cutoffs): void {
    this.keysThrough = Math.max(this.keysThrough, due.keysThrough);
    this.deletedThrough = Math.max(this.deletedThrough, due.deletedThrough);
  }

  /** Was the end of this key decided already, applied or not? */
  isKeyPurged(offset: number): boolean {
    return offset <= this.keysThrough;
  }

  isKeyExpired(time: number, now: number): boolean {
    return time + this.options.keyRetentionMs < now;
  }

  /** Is the instance deleted by record `offset` gone: past its retention, whether that was logged or not? */
  isInstanceOver(state: State, offset: number, now: number): boolean {
    if (offset <= this.deletedThrough) return true;
    const { deleted } = state.instances;
    return deleted.countBelow(offset) < deleted.countBefore(now - this.options.deletedRetentionMs);
  }

  private dueKeys(state: State, waitingKeys: number, now: number): number {
    const keys = state.keys;
    if (keys.size === 0 || keys.oldestOffset <= this.keysThrough) return 0;
    const excess = keys.size + waitingKeys - this.options.maxKeys;
    if (excess > 0 || keys.resultBytes > this.options.maxKeyBytes) {
      const atOnce = Math.max(excess, Math.ceil(keys.size / 100));
      return keys.offsetOfOldest(Math.min(atOnce, LIMITS.purgeEntries));
    }
    if (!this.isKeyExpired(keys.oldestTime, now)) return 0;
    const [first] = keys.slicesUntil(now - this.options.keyRetentionMs - 1, LIMITS.purgeEntries);
    return first ?? 0;
  }

  /** Record to purge through, a slice behind what was decided; 0 when nothing is past its retention. */
  private dueDeleted(state: State, now: number): number {
    const { deleted } = state.instances;
    if (deleted.length === 0) return 0;
    const decided = deleted.countBelow(this.deletedThrough + 1);
    const over = deleted.countBefore(now - this.options.deletedRetentionMs);
    if (over <= decided) return 0;
    return deleted.offsetAt(Math.min(over, decided + LIMITS.purgeEntries) - 1);
  }
}
