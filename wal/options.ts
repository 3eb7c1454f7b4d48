/** What a log writer is opened with: defaults and checks. Limits of the format are in format.ts. */
import type { Clock } from '../src/base/clock.ts';
import { badRequest } from '../src/base/errors.ts';
import type { FileIo } from '../src/base/file-io.ts';
import type { Logger } from '../src/base/logger.ts';
import type { Random } from '../src/base/random.ts';
import type { Thread } from '../src/base/thread.ts';
import { LIMITS, SEGMENT_BYTES } from './format.ts';
import type { ManifestState } from './manifest.ts';
import type { Durability, LogSink } from './ordered-log.ts';
import { roundSegmentBytes } from './prepare-segment.ts';
import type { OnFrame } from './scan-report.ts';

export interface LogWriterOptions<T> {
  readonly fileIo: FileIo;
  readonly clock: Clock;
  readonly thread: Thread;
  readonly random: Random;
  readonly logger: Logger;
  readonly sink: LogSink<T>;
  /** Default 'always'. */
  readonly durability?: Durability | undefined;
  /** Size segments grow to, 4 KiB to 1 GiB; rounded up to 4 KiB. Default 64 MiB. */
  readonly segmentBytes?: number | undefined;
  /** Commits that may wait for the disk; more are RATE_LIMITED. Default 100,000. */
  readonly maxPending?: number | undefined;
  /** A torn tail is CORRUPT instead of cut. Default false. */
  readonly strict?: boolean | undefined;
  /** Every frame of the existing log, in order, before the promise resolves. */
  readonly onFrame?: OnFrame | undefined;
  /**
   * Called under the lock, before the log is read; not when the log is created. As
   * ScanOptions.before: gives the last record the caller has already.
   */
  readonly beforeScan?:
    | ((found: { readonly manifest: ManifestState; readonly directory: string }) => Promise<number>)
    | undefined;
  /**
   * Segments that are dropped go there instead of being removed. On the disk of the log; a path
   * that is not absolute begins in its directory. Created when needed.
   */
  readonly archiveDirectory?: string | undefined;
  /** May a lone caller block the thread for one fast sync? Default true. */
  readonly blockingPath?: boolean | undefined;
}

export interface LogSizes {
  readonly segmentBytes: number;
  readonly maxPending: number;
}

/** @throws {StoreError} BAD_REQUEST */
export function checkSizes(options: {
  readonly segmentBytes?: number | undefined;
  readonly maxPending?: number | undefined;
}): LogSizes {
  const { segmentBytes = SEGMENT_BYTES.standard, maxPending = LIMITS.pendingCommands } = options;
  if (
    !Number.isInteger(segmentBytes) ||
    segmentBytes < SEGMENT_BYTES.min ||
    segmentBytes > SEGMENT_BYTES.max
  ) {
    throw badRequest(
      `segmentBytes cannot be ${segmentBytes}`,
      'segmentBytes',
      `an integer from ${SEGMENT_BYTES.min} to ${SEGMENT_BYTES.max}`,
    );
  }
  const isCount =
    maxPending === Number.POSITIVE_INFINITY || (Number.isInteger(maxPending) && maxPending > 0);
  if (!isCount)
    throw badRequest(
      `maxPending cannot be ${maxPending}`,
      'maxPending',
      'a positive integer or Infinity',
    );
  return { segmentBytes: roundSegmentBytes(segmentBytes), maxPending };
}
