/**
 * Keeps the next segment ready. A failure (full disk, no descriptors) is remembered, so that
 * commands can be refused on arrival, and tried again with growing pauses until it succeeds.
 * At most one segment is being prepared, at most one is ready.
 */
import type { StoreError } from '../src/base/errors.ts';
import type { Logger } from '../src/base/logger.ts';
import type { Thread } from '../src/base/thread.ts';
import { SEGMENT_OVERHEAD_BYTES } from './format.ts';
import { ioError } from './log-error.ts';
import { type Segment, closeSegment } from './prepare-segment.ts';
import { segmentName } from './segment-name.ts';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1000;

export interface SupplyOptions {
  readonly prepare: (number: number, sizeBytes: number) => Promise<Segment>;
  readonly thread: Thread;
  readonly logger: Logger;
  /** One became ready, or an attempt failed (see `failure`). */
  readonly onChange: () => void;
}

export class SegmentSupply {
  ready: Segment | undefined;
  /** Why the last attempt failed; undefined once one succeeded. */
  failure: StoreError | undefined;
  private wanted: { number: number; sizeBytes: number } | undefined;
  private working: Promise<void> | undefined;
  private disarm: (() => void) | undefined;
  private pauseMs = FIRST_PAUSE_MS;
  private isStopped = false;
  private readonly options: SupplyOptions;

  constructor(options: SupplyOptions) {
    this.options = options;
  }

  /** Bytes of frames the ready segment takes. */
  get readyRoom(): number {
    return this.ready === undefined ? 0 : this.ready.sizeBytes - SEGMENT_OVERHEAD_BYTES;
  }

  /** Sees to it that a segment of this number and at least this size gets ready; one too small is replaced. */
  want(number: number, sizeBytes: number): void {
    if (this.isStopped || (this.ready?.number === number && this.ready.sizeBytes >= sizeBytes))
      return;
    const size =
      this.wanted?.number === number ? Math.max(sizeBytes, this.wanted.sizeBytes) : sizeBytes;
    this.wanted = { number, sizeBytes: size };
    if (this.disarm === undefined) this.work();
  }

  /** The ready segment becomes the caller's. */
  take(): Segment | undefined {
    const segment = this.ready;
    this.ready = undefined;
    return segment;
  }

  /** Nothing is begun any more; resolves when nothing is under way. The ready segment stays. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.wanted = undefined;
    this.disarm?.();
    await this.working;
  }

  private work(): void {
    this.working ??= this.run().finally(() => {
      this.working = undefined;
    });
  }

  private async run(): Promise<void> {
    while (this.wanted !== undefined && this.disarm === undefined) {
      const { number, sizeBytes } = this.wanted;
      try {
        const before = this.take();
        if (before !== undefined) await closeSegment(before);
        const segment = await this.options.prepare(number, sizeBytes);
        this.ready = segment;
        this.failure = undefined;
        this.pauseMs = FIRST_PAUSE_MS;
        if (this.wanted?.number === number && this.wanted.sizeBytes <= sizeBytes)
          this.wanted = undefined;
      } catch (error) {
        this.failed(error, number);
      }
      this.options.onChange();
    }
  }

  private failed(error: unknown, number: number): void {
    this.failure = ioError(error, 'preparing a segment', segmentName(number));
    this.options.logger.log('warn', 'no room for the next segment of the log; trying again', {
      segment: number,
      error: this.failure,
    });
    if (this.isStopped) return;
    const pauseMs = this.pauseMs;
    this.pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    this.disarm = this.options.thread.delay(pauseMs, () => {
      this.disarm = undefined;
      this.work();
    });
  }
}
