/**
 * Which records of a damaged log can be kept: a run without a gap, from the first one provable, or
 * from one the layer above says is not needed. Behind a gap it starts over only where nothing is
 * missed: all that lies before is covered by that layer, which has it in files of its own.
 */
import type { LogEnd } from './position.ts';

export interface RunStart {
  /** What the first record follows. */
  readonly start: LogEnd;
  /** By the manifest, 1 without one. */
  readonly oldest: number;
  /** Records before the first one found may have been dropped on purpose: nothing says where the log begins. */
  readonly isOpen: boolean;
  /** The log began behind the first record of all before it was damaged. */
  readonly isLater: boolean;
  /** Records up to this one are not needed; undefined: nobody said so. */
  readonly covered: number | undefined;
}

export class KeptRun {
  /** What the first record kept follows. */
  start: LogEnd;
  /** Segment the log begins in or behind, where its files stay as they are; undefined: they do not. */
  oldest: number | undefined;
  lastOffset: number;
  /** First record not seen yet, kept or not. */
  next: number;
  framesRead = 0;
  private readonly covered: number | undefined;
  private readonly isLater: boolean;
  private isOpen: boolean;
  private isUnbroken = true;

  constructor({ start, oldest, isOpen, isLater, covered }: RunStart) {
    this.start = start;
    this.oldest = oldest;
    this.lastOffset = start.offset;
    this.next = start.offset + 1;
    this.isOpen = isOpen;
    this.isLater = isLater;
    this.covered = covered;
  }

  /** Is there a gap before this record, and may the log begin behind it? */
  mayBeginAt(offset: number): boolean {
    if (offset <= this.next) return false;
    return this.covered === undefined ? this.isOpen : offset <= this.covered + 1;
  }

  /** What was kept so far is not: the log begins behind this place. */
  begin(start: LogEnd, oldest: number | undefined): void {
    this.start = start;
    this.oldest = oldest;
    this.lastOffset = start.offset;
    this.next = start.offset + 1;
    this.framesRead = 0;
    this.isOpen = false;
  }

  /** 'again': met before, written again by a process that could not tell whether it was synced, or copied. */
  add(firstOffset: number, lastOffset: number): 'kept' | 'lost' | 'again' {
    this.isOpen = false;
    if (lastOffset < this.next) return 'again';
    if (firstOffset !== this.next) this.isUnbroken = false;
    this.next = lastOffset + 1;
    if (!this.isUnbroken) return 'lost';
    this.framesRead++;
    this.lastOffset = lastOffset;
    return 'kept';
  }

  /** Does what is kept meet what the layer above has? */
  get meetsCovered(): boolean {
    const { covered, start, lastOffset } = this;
    if (covered === undefined) return true;
    // Nothing at all is no beginning of a log that has lost its own on purpose.
    if (covered === 0 && lastOffset === 0 && this.isLater) return false;
    return start.offset <= covered && covered <= lastOffset;
  }
}
