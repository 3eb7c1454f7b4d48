/**
 * What the reference model forgets: keys and deleted instances past their time. Order is that of
 * the log; what is past its time and behind something that is not stays. A purge is a record.
 */
import type { Deletion, ModelState, Remembered, Row } from './model-state.ts';

export interface RetentionTimes {
  readonly keyRetentionMs: number;
  readonly deletedRetentionMs: number;
}

/** Keys written, and instances deleted, by records up to these go; 0: none. */
export type Cutoffs = readonly [keysThrough: number, deletedThrough: number];

interface Moment {
  readonly now: number;
  readonly applied: number;
}

export class Retention {
  private readonly times: RetentionTimes;

  constructor(times: RetentionTimes) {
    this.times = times;
  }

  isKeyOver(key: Remembered, now: number): boolean {
    return key.time + this.times.keyRetentionMs < now;
  }

  /** A deleted instance is over when it is among the oldest whose time is. */
  isOver(state: ModelState, row: Row, moment: Moment): boolean {
    return this.overdue(state, moment).some((one) => one.offset === row.offset);
  }

  /** What is to be purged before the next record. Only what is applied is looked at. */
  due(state: ModelState, moment: Moment): Cutoffs | undefined {
    const keysThrough = this.dueKeys(state, moment);
    const deletedThrough = this.overdue(state, moment).at(-1)?.offset ?? 0;
    return keysThrough + deletedThrough === 0 ? undefined : [keysThrough, deletedThrough];
  }

  private dueKeys(state: ModelState, { now, applied }: Moment): number {
    // Until a purge of keys is applied no other is asked for.
    if (state.keysPurgedBy > applied) return 0;
    let through = 0;
    for (const key of state.keys.values()) {
      if (key.offset > applied || !this.isKeyOver(key, now)) break;
      through = key.offset;
    }
    return through;
  }

  private overdue(state: ModelState, { now, applied }: Moment): Deletion[] {
    const end = state.deletions.findIndex(
      (one) => one.offset > applied || one.time >= now - this.times.deletedRetentionMs,
    );
    return state.deletions.slice(0, end < 0 ? undefined : end);
  }

  noteDeletion(work: ModelState, id: string, now: number): void {
    const time = Math.max(now, work.deletions.at(-1)?.time ?? now);
    work.deletions = [...work.deletions, { id, offset: work.offset, time }];
  }

  purge(work: ModelState, [keysThrough, deletedThrough]: Cutoffs): void {
    const purgedBy = ++work.offset;
    for (const [scoped, key] of work.keys) {
      if (key.offset > keysThrough) continue;
      work.keys.delete(scoped);
      work.keysPurgedBy = purgedBy;
    }
    for (const { id, offset } of work.deletions) {
      if (offset > deletedThrough) continue;
      work.gone.set(id, { row: work.instances.get(id) as Row, purgedBy });
      work.instances.delete(id);
    }
    work.deletions = work.deletions.filter((one) => one.offset > deletedThrough);
  }
}
