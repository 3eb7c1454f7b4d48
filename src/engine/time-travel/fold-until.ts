/**
 * The ordinary fold, stopped at a moment: whole commits, up to the last one that ends in time. What
 * the state has already is passed over, so it may begin in the middle of a frame.
 */
import { commitTime } from '../../record/commit-time.ts';
import { Fold } from '../../state/fold.ts';
import type { State } from '../../state/state.ts';
import { RecordCursor } from '../../../wal/payload.ts';
import type { Bounds } from './moment.ts';

export class FoldUntil {
  /** The moment was reached: nothing that follows is applied. */
  isDone = false;
  private readonly state: State;
  private readonly bounds: Bounds;
  private readonly fold: Fold;
  private readonly cursor = new RecordCursor();

  constructor(state: State, bounds: Bounds) {
    this.state = state;
    this.bounds = bounds;
    this.fold = new Fold(state);
  }

  /** One frame, in order. */
  frame(bytes: Uint8Array, start: number, end: number, firstOffset: number, count: number): void {
    if (this.isDone) return;
    const { cursor, fold, state } = this;
    const last = this.lastOf(bytes, start, end, firstOffset, count);
    cursor.reset(bytes, start, end, firstOffset);
    while (cursor.offset < last && cursor.advance())
      if (cursor.offset > state.offset) fold.apply(bytes, cursor.start, cursor.end, cursor.offset);
  }

  /** The last record of the frame that is applied: the end of a commit, or the one before the frame. */
  private lastOf(
    bytes: Uint8Array,
    start: number,
    end: number,
    firstOffset: number,
    count: number,
  ): number {
    const { through, time } = this.bounds;
    const lastOffset = firstOffset + count - 1;
    if (time === Number.POSITIVE_INFINITY && lastOffset <= through) return lastOffset;
    const { cursor } = this;
    let last = firstOffset - 1;
    cursor.reset(bytes, start, end, firstOffset);
    // Frames hold whole commits, so the first record of one begins a commit.
    for (let isFirst = true; cursor.advance(); isFirst = cursor.isLastOfCommit) {
      const isLater = isFirst && (commitTime(bytes, cursor.start, cursor.end) ?? 0) > time;
      this.isDone = isLater || cursor.offset > through;
      if (this.isDone) break;
      if (cursor.isLastOfCommit) last = cursor.offset;
    }
    return last;
  }
}
