/**
 * Goes from segment to segment: sizes and numbers of the next ones, what becomes of those left
 * behind. Sizes double with each one filled, up to the limit; a frame that fits none gets a
 * segment of its size. Files nobody needs are removed once the segment that passes them over is
 * linked on the disk.
 */
import type { Logger } from '../src/base/logger.ts';
import type { StoreError } from '../src/base/errors.ts';
import type { Thread } from '../src/base/thread.ts';
import type { Appender } from './appender.ts';
import { SEGMENT_BYTES, SEGMENT_OVERHEAD_BYTES } from './format.ts';
import { type Segment, closeSegment, roundSegmentBytes } from './prepare-segment.ts';
import { SegmentSupply } from './segment-supply.ts';

export interface RollOptions {
  readonly prepare: (number: number, sizeBytes: number) => Promise<Segment>;
  /** Removes files no link leads to. */
  readonly removeVoids: () => Promise<void>;
  /** The next segment is ready, so there was room for it. */
  readonly onReady: () => void;
  readonly thread: Thread;
  readonly logger: Logger;
  readonly segmentBytes: number;
  readonly firstNumber: number;
}

export class SegmentRoll {
  onChange: () => void = () => undefined;
  private readonly supply: SegmentSupply;
  private readonly options: RollOptions;
  private nextNumber: number;
  private nextBytes: number;
  private hasVoids = true;
  private readonly closing = new Set<Promise<void>>();

  constructor(options: RollOptions) {
    this.options = options;
    this.nextNumber = options.firstNumber;
    this.nextBytes = Math.min(SEGMENT_BYTES.first, options.segmentBytes);
    const { prepare, thread, logger } = options;
    const onChange = (): void => {
      this.onChange();
      if (this.supply.ready !== undefined) options.onReady();
    };
    this.supply = new SegmentSupply({ prepare, thread, logger, onChange });
  }

  get failure(): StoreError | undefined {
    return this.supply.failure;
  }
  get readyRoom(): number {
    return this.supply.readyRoom;
  }
  get ready(): Segment | undefined {
    return this.supply.ready;
  }

  /** Starts preparing the first segment; a commit that comes before it is ready waits for it. */
  start(): void {
    this.supply.want(this.nextNumber, this.nextBytes);
  }

  /** The first segment, made by a creation. */
  put(segment: Segment): void {
    this.supply.ready = segment;
  }

  /** The first segment, for the opening to write to: a failure is the caller's. */
  prepareNow(sizeBytes: number): Promise<Segment> {
    return this.options.prepare(this.nextNumber, sizeBytes);
  }

  /** Moves the appender into the next segment if that is ready and takes a frame of so many bytes; otherwise sees to one that does. */
  enter(appender: Appender, bytes: number): boolean {
    if (this.supply.readyRoom < bytes) {
      this.supply.want(
        this.nextNumber,
        Math.max(this.nextBytes, roundSegmentBytes(bytes + SEGMENT_OVERHEAD_BYTES)),
      );
      return false;
    }
    const before = appender.segment;
    this.moveTo(this.supply.take() as Segment, appender);
    if (before !== undefined) this.closeLater(before);
    return true;
  }

  private moveTo(segment: Segment, appender: Appender): void {
    appender.enter(segment);
    this.tookOver(segment);
  }

  /** The opening wrote into this one already. */
  tookOver(segment: Segment): void {
    this.nextNumber = segment.number + 1;
    if (segment.sizeBytes >= this.nextBytes)
      this.nextBytes = Math.min(this.nextBytes * 2, this.options.segmentBytes);
    this.supply.want(this.nextNumber, this.nextBytes);
  }

  /** Something in the current segment is synced, so its link is. */
  noteSynced(): void {
    if (!this.hasVoids) return;
    this.hasVoids = false;
    this.track(this.options.removeVoids());
  }

  private closeLater(segment: Segment): void {
    this.track(closeSegment(segment));
  }

  private track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) =>
        this.options.logger.log('warn', 'tidying up behind the log failed', { error }),
      )
      .finally(() => this.closing.delete(tracked));
    this.closing.add(tracked);
  }

  /** Ends all background work. What is ready stays ready. */
  async stop(): Promise<void> {
    await this.supply.stop();
    await Promise.all(this.closing);
  }
}
