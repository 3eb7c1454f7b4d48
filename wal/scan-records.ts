/** scan(): every record of a log, straight through, without its lock and without changing it. */
import type { FileIo } from '../src/base/file-io.ts';
import { nodeFileIo } from '../src/base/node-file-io.ts';
import { checkOptions } from './log-arguments.ts';
import type { LogRecord } from './log-types.ts';
import { RecordCursor } from './payload.ts';
import type { OnFrame } from './scan-report.ts';
import { type LiveScan, scanLive } from './scan-live.ts';
import { segmentName } from './segment-name.ts';

export interface ScanLogOptions {
  /** The disk. Default: that of this machine. */
  fileIo?: FileIo | undefined;
  /** A torn tail is CORRUPT instead of left out. Default false. */
  strict?: boolean | undefined;
  /** Is given every record once, in order. */
  onRecord?: ((record: LogRecord) => void) | undefined;
}

/** One file that holds records. Sizes in bytes. */
export interface ScanSegment {
  readonly name: string;
  readonly sizeBytes: number;
  /** Where its last frame ends. */
  readonly usedBytes: number;
  readonly firstOffset: number;
  /** Last record that is read from this file. */
  readonly lastOffset: number;
}

export interface ScanSummary {
  /** 32 hexadecimal digits. */
  readonly storeId: string;
  /** Oldest record kept; `lastOffset` + 1 when there is none. */
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly records: number;
  readonly frames: number;
  /** Of the records shown, those at the end that nothing vouches for: a power cut may have taken their like. */
  readonly recordsUnattested: number;
  /** Bytes behind the end, of writes that never finished. */
  readonly bytesTruncated: number;
  /** Oldest first. */
  readonly segments: readonly ScanSegment[];
  /** Files in the directory that are none of the log's. */
  readonly strayFiles: readonly string[];
}

/**
 * Reads and verifies a whole log. Of a log that is being written to, it shows what is attested.
 * Memory does not grow with the log.
 *
 * @throws {StoreError} NOT_FOUND - there is no log
 * @throws {StoreError} CORRUPT - damage, with its place; `verifyLog` tells all of it without throwing
 * @throws {StoreError} FORMAT_UNSUPPORTED, WAL_IO_ERROR, BAD_REQUEST
 * @example
 * const { records, lastOffset } = await scan('./audit', {
 *   onRecord: ({ offset, bytes }) => console.log(offset, bytes.length),
 * });
 */
export async function scan(directory: string, options?: ScanLogOptions): Promise<ScanSummary> {
  const names = ['fileIo', 'strict', 'onRecord'] as const;
  const { fileIo = nodeFileIo, strict, onRecord } = checkOptions(options, names) ?? {};
  const delivery = onRecord === undefined ? undefined : new Delivery(onRecord);
  const onFrame = delivery?.onFrame;
  let found: LiveScan;
  try {
    found = await scanLive(fileIo, directory, { strict, onFrame });
  } catch (error) {
    throw delivery?.failure === undefined ? error : delivery.failure.thrown;
  }
  return summaryOf(found);
}

function summaryOf({ report, segments, lastOffset, recovery }: LiveScan): ScanSummary {
  return {
    storeId: Buffer.from(report.manifest.state.storeId).toString('hex'),
    firstOffset: report.firstOffset,
    lastOffset,
    records: lastOffset - report.firstOffset + 1,
    frames: report.framesRead,
    recordsUnattested: recovery.recordsUnattested,
    bytesTruncated: recovery.bytesTruncated,
    segments: segments.held.map((segment) => ({
      name: segmentName(segment.number),
      sizeBytes: segment.sizeBytes,
      usedBytes: segment.usedBytes,
      firstOffset: segment.firstOffset,
      lastOffset: Math.min(lastOffset, segments.lastOffsetOf(segment)),
    })),
    strayFiles: recovery.strayFiles,
  };
}

/** Gives records to a callback; what that throws ends the scan, and is no damage of the log. */
class Delivery {
  failure: { readonly thrown: unknown } | undefined;
  private readonly onRecord: (record: LogRecord) => void;
  private readonly cursor = new RecordCursor();

  constructor(onRecord: (record: LogRecord) => void) {
    this.onRecord = onRecord;
  }

  readonly onFrame: OnFrame = (bytes, start, end, firstOffset) => {
    const { cursor } = this;
    cursor.reset(bytes, start, end, firstOffset);
    while (cursor.advance()) {
      const copy = new Uint8Array(bytes.subarray(cursor.start, cursor.end));
      this.give({ offset: cursor.offset, bytes: copy, endsCommit: cursor.isLastOfCommit });
    }
  };

  private give(record: LogRecord): void {
    try {
      this.onRecord(record);
    } catch (thrown) {
      this.failure = { thrown };
      throw new Error('the callback threw', { cause: thrown });
    }
  }
}
