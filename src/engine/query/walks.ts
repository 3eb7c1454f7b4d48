/**
 * Ways through rows in the order a query wants, beginning where its page begins: a page then costs
 * the page. Rows that are not wanted are passed over; the others come once each.
 */
import { FirstById } from '../../indexes/first-by-id.ts';
import type { PathIndex } from '../../indexes/path-index.ts';
import type { SortedRows } from '../../indexes/sorted-rows.ts';
import type { ValuePlace } from '../../indexes/sorted-values.ts';
import type { InstanceStore } from '../../instance/instance-store.ts';
import type { KeyRange } from '../../query/key-range.ts';
import { FirstFew } from '../first-few.ts';
import type { Ordering } from './ordering.ts';

export interface Walk {
  /** The next wanted row, -1 at the end. At most as many are asked for as the walk was told. */
  next(): number;
}

/** Is this row behind the bound, and does it match? */
export type Wanted = (handle: number) => boolean;

/** Along rows sorted beforehand, with those changed since sorted in: the first `most` that are wanted. */
export class SortedWalk implements Walk {
  private readonly sorted: SortedRows;
  private readonly ordering: Ordering;
  private readonly wanted: Wanted;
  private readonly step: number;
  private at: number;
  private held = -1;
  private readonly changed: number[];
  private nextChanged = 0;

  constructor(
    sorted: SortedRows,
    ordering: Ordering,
    wanted: Wanted,
    isBefore: (handle: number) => boolean,
    most: number,
  ) {
    this.sorted = sorted;
    this.ordering = ordering;
    this.wanted = wanted;
    const { isDescending } = ordering.wanted;
    this.step = isDescending ? -1 : 1;
    // In an order turned round, what comes after the bound lies before it.
    this.at = isDescending
      ? sorted.countWhile((handle) => !isBefore(handle)) - 1
      : sorted.countWhile(isBefore);
    const few = new FirstFew(most, ordering.compare);
    sorted.changed((handle) => {
      if (wanted(handle)) few.add(handle);
    });
    this.changed = few.sorted();
    this.advance();
  }

  private advance(): void {
    const { sorted, step, wanted } = this;
    for (this.held = -1; this.at >= 0 && this.at < sorted.length; this.at += step) {
      const handle = sorted.at(this.at);
      if (!sorted.isSound(handle) || !wanted(handle)) continue;
      this.held = handle;
      return;
    }
  }

  next(): number {
    const { held, changed, nextChanged } = this;
    const other = changed[nextChanged];
    if (other !== undefined && (held < 0 || this.ordering.compare(other, held) < 0)) {
      this.nextChanged++;
      return other;
    }
    if (held >= 0) {
      this.at += this.step;
      this.advance();
    }
    return held;
  }
}

/** Along the values of an index in order, the instances of each in id order. */
export class ValueWalk implements Walk {
  private readonly index: PathIndex;
  private readonly ordering: Ordering;
  private readonly wanted: Wanted;
  private readonly range: KeyRange;
  private readonly place: ValuePlace;
  private readonly few: FirstById;
  /** Rows that may still be asked for. */
  private left: number;
  private group: number[] = [];
  private nextInGroup = 0;

  /** `from`: key of the value the page begins in; undefined: at the end of the range. */
  constructor(
    index: PathIndex,
    instances: InstanceStore,
    ordering: Ordering,
    wanted: Wanted,
    range: KeyRange,
    from: Uint8Array | undefined,
    most: number,
  ) {
    this.index = index;
    this.ordering = ordering;
    this.wanted = wanted;
    this.range = range;
    this.left = most;
    const { sorted } = index;
    const { isDescending } = ordering.wanted;
    this.few = new FirstById(instances, isDescending);
    sorted.build();
    const key = from ?? (isDescending ? range.high : range.low);
    // Descending, the place is behind the value that comes first.
    this.place = sorted.placeOf(key, key.length, isDescending && from !== undefined);
  }

  next(): number {
    while (this.nextInGroup === this.group.length) if (!this.takeGroup()) return -1;
    this.left--;
    return this.group[this.nextInGroup++] as number;
  }

  private takeGroup(): boolean {
    const { index, place, range, wanted, ordering, few } = this;
    const { sorted, values } = index;
    const { isDescending } = ordering.wanted;
    const value = isDescending ? sorted.backward(place) : sorted.forward(place);
    if (value < 0) return false;
    const isOver = isDescending
      ? values.compareKey(value, range.low, 0, range.low.length) < 0
      : values.compareKey(value, range.high, 0, range.high.length) >= 0;
    if (isOver) return false;
    few.start(this.left);
    index.collect(value, (handle) => {
      if (wanted(handle)) few.add(handle);
    });
    this.group = few.sorted();
    this.nextInGroup = 0;
    return true;
  }
}
