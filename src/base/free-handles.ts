/**
 * FreeHandles: which dense handles (0, 1, 2 ...) are free. The lowest free one is always taken
 * next, so that everyone who folds the same facts hands out the same handles. Free handles below
 * `fresh` are bits in a tree of 32-way summaries (a bit of level n+1 says that a word of level n is
 * not zero): the lowest is found in one walk down, and a million handles take 128 KiB. Takes since
 * an open mark are journalled, so that a transaction that throws gives them back.
 */
import { invariant } from './assert.ts';

const FIRST_WORDS = 32;
const MAX_HANDLE: number = 2 ** 32 - 2;
/** In the journal: the handle came from the top, whichever it was. */
const FRESH = -1;

export class FreeHandles {
  /** Every handle from here on was never taken: one above the highest in use or free. */
  fresh = 0;
  /** How many handles below `fresh` are free. */
  freeCount = 0;
  /** levels[0] has a bit per handle; the last level is a single word. */
  private levels: Uint32Array[] = [];
  private readonly journal: number[] = [];
  private openMarks = 0;

  get memoryBytes(): number {
    return this.levels.reduce((sum, level) => sum + level.byteLength, 0);
  }

  /** What {@link take} would return. */
  peekNext(): number {
    return this.freeCount > 0 ? this.lowest() : this.fresh;
  }

  /** The lowest free handle. */
  take(): number {
    const handle = this.peekNext();
    invariant(handle <= MAX_HANDLE, 'a handle fits 32 bits');
    const isFresh = handle === this.fresh;
    if (isFresh) this.fresh++;
    else this.clear(handle);
    if (this.openMarks > 0) this.journal.push(isFresh ? FRESH : handle);
    return handle;
  }

  /** Takes a handle that a record or snapshot names; those passed over become free. Not under a mark. */
  claim(handle: number): void {
    invariant(this.openMarks === 0, 'no handle is claimed under a mark');
    invariant(handle >= 0 && handle <= MAX_HANDLE, 'a handle fits 32 bits');
    if (handle < this.fresh) {
      invariant(this.isFree(handle), 'only a free handle is claimed');
      this.clear(handle);
    } else {
      while (this.fresh < handle) this.set(this.fresh++);
      this.fresh++;
    }
  }

  release(handle: number): void {
    invariant(handle >= 0 && handle < this.fresh, 'only a handle in use is released');
    invariant(!this.isFree(handle), 'a handle is released once');
    this.set(handle);
  }

  isFree(handle: number): boolean {
    if (handle >= this.fresh) return true;
    const word = this.levels[0]?.[handle >>> 5] ?? 0;
    return (word & (1 << (handle & 31))) !== 0;
  }

  /** Opens a mark; close it with exactly one of {@link rollback} and {@link forget}, the latest first. */
  mark(): number {
    this.openMarks++;
    return this.journal.length;
  }

  /** Closes the mark and frees every handle taken since. None of them may have been released meanwhile. */
  rollback(mark: number): void {
    this.closing(mark);
    while (this.journal.length > mark) {
      const handle = this.journal.pop() as number;
      if (handle === FRESH) this.fresh--;
      else this.release(handle);
    }
  }

  /** Undoes a take outside any mark, the highest handle first: what came from the top goes back there. */
  giveBack(handle: number): void {
    if (handle === this.fresh - 1) this.fresh--;
    else this.release(handle);
  }

  /** Closes the mark and keeps what was taken. An enclosing mark can still give it back. */
  forget(mark: number): void {
    this.closing(mark);
    if (this.openMarks === 0) this.journal.length = 0;
  }

  private closing(mark: number): void {
    invariant(this.openMarks > 0 && mark <= this.journal.length, 'marks close latest first');
    this.openMarks--;
  }

  private lowest(): number {
    let index = 0;
    for (let level = this.levels.length - 1; level >= 0; level--) {
      const word = (this.levels[level] as Uint32Array)[index] as number;
      index = index * 32 + 31 - Math.clz32(word & -word);
    }
    return index;
  }

  private set(handle: number): void {
    while (handle >>> 5 >= (this.levels[0]?.length ?? 0)) this.grow();
    this.freeCount++;
    let index = handle;
    for (const level of this.levels) {
      const before = level[index >>> 5] as number;
      level[index >>> 5] = before | (1 << (index & 31));
      if (before !== 0) return;
      index >>>= 5;
    }
  }

  private clear(handle: number): void {
    this.freeCount--;
    let index = handle;
    for (const level of this.levels) {
      const after = (level[index >>> 5] as number) & ~(1 << (index & 31));
      level[index >>> 5] = after;
      if (after !== 0) return;
      index >>>= 5;
    }
  }

  /** Doubles level 0 and what is above it: 128 KiB copied at a million handles, 1 MiB at eight. */
  private grow(): void {
    const before = this.levels;
    const levels: Uint32Array[] = [];
    let words = before[0] === undefined ? FIRST_WORDS : before[0].length * 2;
    for (;;) {
      const level = new Uint32Array(words);
      const old = before[levels.length];
      if (old !== undefined) level.set(old);
      else if ((levels.at(-1)?.[0] ?? 0) !== 0) level[0] = 1;
      levels.push(level);
      if (words === 1) break;
      words = Math.ceil(words / 32);
    }
    this.levels = levels;
  }
}
