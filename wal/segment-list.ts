/**
 * Where the records are: the segments from the oldest kept to the newest, and, every so often
 * within them, where a frame starts, so that reading can begin near any offset. Told by the scan
 * that opened the log, and by the appender from then on. Memory: at most PLACES_PER_SEGMENT places
 * of three numbers a segment.
 *
 * Invariants: first offsets ascend; a record belongs to the last segment that begins at or before
 * it, so records written again in a later segment are read there.
 */
import { KiB } from '../src/base/units.ts';

const PLACES_PER_SEGMENT = 256;
const LEAST_DISTANCE_BYTES: number = 64 * KiB;

/** Start of a frame, and what it must continue. */
export interface Place {
  readonly bytes: number;
  readonly chain: number;
  readonly nextOffset: number;
}

export class HeldSegment {
  readonly number: number;
  readonly sizeBytes: number;
  readonly firstOffset: number;
  /** Behind its last frame. */
  usedBytes = 0;
  private readonly distance: number;
  private readonly starts: number[] = [];
  private readonly chains: number[] = [];
  private readonly offsets: number[] = [];

  constructor(number: number, sizeBytes: number, firstOffset: number) {
    this.number = number;
    this.sizeBytes = sizeBytes;
    this.firstOffset = firstOffset;
    this.distance = Math.max(LEAST_DISTANCE_BYTES, Math.ceil(sizeBytes / PLACES_PER_SEGMENT));
  }

  note(start: number, chain: number, offset: number, end: number): void {
    this.usedBytes = end;
    const last = this.starts.at(-1);
    if (last !== undefined && start - last < this.distance) return;
    this.starts.push(start);
    this.chains.push(chain);
    this.offsets.push(offset);
  }

  /** The last known place at or before the frame that holds this record. */
  placeOf(offset: number): Place {
    const i = lastAtMost(this.offsets.length, (k) => this.offsets[k] as number, offset);
    return {
      bytes: this.starts[i] as number,
      chain: this.chains[i] as number,
      nextOffset: this.offsets[i] as number,
    };
  }
}

export class SegmentList {
  /** Oldest first. */
  private segments: HeldSegment[] = [];
  /** First record kept. */
  firstOffset = 1;
  /** Of files whose records were all written again elsewhere; the next opening removes them. */
  private replacedBytes = 0;

  get held(): readonly HeldSegment[] {
    return this.segments;
  }

  /** All its files, in bytes. */
  get sizeBytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.sizeBytes, this.replacedBytes);
  }
  get usedBytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.usedBytes, 0);
  }

  /**
   * A frame that is, or is about to be, part of the log: where it starts and ends, what it
   * continues, its first offset. In log order; a scan may tell the newest segment twice.
   */
  note(
    segment: { readonly number: number; readonly sizeBytes: number },
    start: number,
    chain: number,
    offset: number,
    end: number,
  ): void {
    let last = this.segments.at(-1);
    if (last === undefined || last.number < segment.number) {
      last = this.begin(segment.number, segment.sizeBytes, offset);
    }
    if (last.number === segment.number) last.note(start, chain, offset, end);
  }

  private begin(number: number, sizeBytes: number, firstOffset: number): HeldSegment {
    for (let last = this.segments.at(-1); last !== undefined; last = this.segments.at(-1)) {
      if (last.firstOffset < firstOffset) break;
      this.segments.pop();
      this.replacedBytes += last.sizeBytes;
    }
    if (this.segments.length === 0) this.firstOffset = firstOffset;
    const segment = new HeldSegment(number, sizeBytes, firstOffset);
    this.segments.push(segment);
    return segment;
  }

  /** The segment that holds this record; undefined before the first one kept. */
  find(offset: number): HeldSegment | undefined {
    const { segments } = this;
    if (offset < this.firstOffset) return undefined;
    return segments[lastAtMost(segments.length, (i) => at(segments, i).firstOffset, offset)];
  }

  /** Last record that is in this segment and not in a later one; Infinity for the newest. */
  lastOffsetOf(segment: HeldSegment): number {
    const { segments } = this;
    const i = lastAtMost(segments.length, (k) => at(segments, k).firstOffset, segment.firstOffset);
    const next = segments[i + 1];
    return next === undefined ? Number.POSITIVE_INFINITY : next.firstOffset - 1;
  }

  /**
   * The oldest segment that must stay when records before `offset` may go: never one that has no
   * successor. undefined when nothing can go.
   */
  oldestNeeded(offset: number): HeldSegment | undefined {
    const { segments } = this;
    const i = lastAtMost(segments.length, (k) => at(segments, k).firstOffset, offset);
    return i > 0 ? segments[i] : undefined;
  }

  /** Segments below this number are gone. If none stays, what is kept begins behind `last`. */
  dropBelow(number: number, last: number): void {
    this.segments = this.segments.filter((segment) => segment.number >= number);
    this.firstOffset = this.segments[0]?.firstOffset ?? last + 1;
  }
}

function at(segments: readonly HeldSegment[], i: number): HeldSegment {
  return segments[i] as HeldSegment;
}

/** Index of the last of `count` ascending values that is at most `limit`; -1 when there is none. */
function lastAtMost(count: number, valueAt: (i: number) => number, limit: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (valueAt(middle) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
