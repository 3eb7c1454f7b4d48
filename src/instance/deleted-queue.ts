/**
 * When deleted instances were deleted: record and commit time of each, oldest first. Both only
 * grow (a clock that went back makes nothing older than what was deleted before it), so what is
 * past a retention is a prefix, found by bisection. The rows themselves are linked in the same order.
 */
import { F64Ring } from '../base/f64-ring.ts';

export class DeletedQueue {
  private readonly offsets = new F64Ring();
  private readonly times = new F64Ring();

  get length(): number {
    return this.offsets.length;
  }

  push(offset: number, time: number): void {
    const { length } = this;
    this.offsets.push(offset);
    this.times.push(length === 0 ? time : Math.max(time, this.times.at(length - 1)));
  }

  shift(): void {
    this.offsets.shift();
    this.times.shift();
  }

  offsetAt(index: number): number {
    return this.offsets.at(index);
  }

  timeAt(index: number): number {
    return this.times.at(index);
  }

  /** How many were deleted before `time`. */
  countBefore(time: number): number {
    return bisect(this.times, time);
  }

  /** How many were deleted by records before `offset`. */
  countBelow(offset: number): number {
    return bisect(this.offsets, offset);
  }
}

/** Number of leading values below `limit`; the values do not decrease. */
function bisect(values: F64Ring, limit: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values.at(middle) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
