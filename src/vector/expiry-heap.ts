/**
 * Which entries expire next: a binary heap of (time, handle) in typed arrays. An entry that was
 * changed or deleted leaves its place in the heap behind; whoever looks passes over places that are
 * not true any more, and when more than half are, the heap is made again. Derived from the rows.
 */

/** When an entry expires now: Infinity for never, and for a handle without an entry. */
export type ExpiryOf = (handle: number) => number;

const MIN_CAPACITY = 16;

export class ExpiryHeap {
  private times = new Float64Array(MIN_CAPACITY);
  private handles = new Uint32Array(MIN_CAPACITY);
  private size = 0;
  /** Places that are not true any more, at most. */
  private stale = 0;
  private readonly expiryOf: ExpiryOf;

  constructor(expiryOf: ExpiryOf) {
    this.expiryOf = expiryOf;
  }

  get memoryBytes(): number {
    return 12 * this.times.length;
  }

  /** The entry at `handle` expires at `time`, a finite one. */
  push(time: number, handle: number): void {
    if (this.size === this.times.length) this.resize(2 * this.size);
    this.siftUp(this.size++, time, handle);
  }

  /** An entry that had a finite time lost it, or was deleted. */
  forget(): void {
    this.stale++;
    if (this.stale > MIN_CAPACITY && 2 * this.stale > this.size) this.rebuild();
  }

  /** The earliest time; Infinity when nothing expires. */
  next(): number {
    while (this.size > 0 && !this.isTrue(0)) {
      this.removeFirst();
      if (this.stale > 0) this.stale--;
    }
    return this.size === 0 ? Infinity : (this.times[0] as number);
  }

  /** Handles of up to `max` entries whose time is at or before `now` and which `isWanted`, in no order. */
  due(now: number, max: number, isWanted: (handle: number) => boolean): number[] {
    const found: number[] = [];
    const seen = new Set<number>();
    const places = [0];
    for (let place = places.pop(); place !== undefined; place = places.pop()) {
      if (place >= this.size || (this.times[place] as number) > now) continue;
      const handle = this.handles[place] as number;
      if (this.isTrue(place) && !seen.has(handle) && isWanted(handle)) {
        seen.add(handle);
        if (found.push(handle) === max) break;
      }
      places.push(2 * place + 1, 2 * place + 2);
    }
    return found;
  }

  private isTrue(place: number): boolean {
    return this.expiryOf(this.handles[place] as number) === this.times[place];
  }

  private removeFirst(): void {
    this.size--;
    const time = this.times[this.size] as number;
    const handle = this.handles[this.size] as number;
    if (this.size > 0) this.siftDown(time, handle);
  }

  private siftUp(from: number, time: number, handle: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if ((this.times[parent] as number) <= time) break;
      this.move(parent, at);
      at = parent;
    }
    this.times[at] = time;
    this.handles[at] = handle;
  }

  private siftDown(time: number, handle: number): void {
    let at = 0;
    for (let child = 1; child < this.size; child = 2 * at + 1) {
      const right = child + 1;
      const isRight =
        right < this.size && (this.times[right] as number) < (this.times[child] as number);
      const lesser = isRight ? right : child;
      if ((this.times[lesser] as number) >= time) break;
      this.move(lesser, at);
      at = lesser;
    }
    this.times[at] = time;
    this.handles[at] = handle;
  }

  private move(from: number, to: number): void {
    this.times[to] = this.times[from] as number;
    this.handles[to] = this.handles[from] as number;
  }

  private rebuild(): void {
    const [times, handles, size] = [this.times.slice(), this.handles.slice(), this.size];
    const known = new Set<number>();
    this.size = 0;
    this.stale = 0;
    for (let place = 0; place < size; place++) {
      const handle = handles[place] as number;
      const time = times[place] as number;
      if (this.expiryOf(handle) !== time || known.has(handle)) continue;
      known.add(handle);
      this.siftUp(this.size++, time, handle);
    }
    if (4 * this.size < this.times.length)
      this.resize(Math.max(MIN_CAPACITY, 2 ** Math.ceil(Math.log2(2 * this.size + 1))));
  }

  private resize(capacity: number): void {
    const [times, handles] = [this.times, this.handles];
    this.times = new Float64Array(capacity);
    this.handles = new Uint32Array(capacity);
    this.times.set(times.subarray(0, this.size));
    this.handles.set(handles.subarray(0, this.size));
  }
}
