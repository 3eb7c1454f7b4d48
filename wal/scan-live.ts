/**
 * Scans a log that another process may be writing to, without its lock. Of a living writer only
 * what something attests is shown: the rest could still be lost with the power. Names may change
 * while we look, so damage must be met twice to be believed.
 */
import { StoreError, isStoreError } from '../src/base/errors.ts';
import type { FileIo } from '../src/base/file-io.ts';
import { logHolder } from './log-holder.ts';
import type { OpenReport } from './log-types.ts';
import type { RecordFiles } from './record-reader.ts';
import type { BeforeScan, OnFrame, ScanReport } from './scan-report.ts';
import { scanLog } from './scan.ts';
import { SegmentList } from './segment-list.ts';
import { checkDirectory } from './verify.ts';

const ATTEMPTS = 4;

export interface LiveScan {
  readonly report: ScanReport;
  /** Last record that may be shown. */
  readonly lastOffset: number;
  readonly segments: SegmentList;
  /** Where the records are, for readers. */
  readonly files: RecordFiles;
  readonly recovery: Omit<OpenReport, 'durationMs'>;
}

export interface LiveScanOptions {
  readonly strict?: boolean | undefined;
  /** Every frame once, in order. */
  readonly onFrame?: OnFrame | undefined;
  /**
   * As in ScanOptions. Called again when reading starts over: then frames that were delivered
   * come again, those behind the offset it gives now.
   */
  readonly before?: BeforeScan | undefined;
}

/** @throws {StoreError} NOT_FOUND, BAD_REQUEST, CORRUPT, FORMAT_UNSUPPORTED, WAL_IO_ERROR */
export async function scanLive(
  fileIo: FileIo,
  directory: string,
  options: LiveScanOptions = {},
): Promise<LiveScan> {
  await checkDirectory(fileIo, directory);
  const onFrame = options.before === undefined ? onceEach(options.onFrame) : options.onFrame;
  let failure: StoreError | undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      return await scanOnce(fileIo, directory, { ...options, onFrame });
    } catch (error) {
      if (!isStoreError(error, 'CORRUPT', 'WAL_IO_ERROR') || attempt === ATTEMPTS) throw error;
      if (error.code === failure?.code && error.message === failure.message) throw error;
      failure = error;
    }
  }
}

async function scanOnce(
  fileIo: FileIo,
  directory: string,
  { onFrame, strict, before }: LiveScanOptions,
): Promise<LiveScan> {
  const isLive = (await logHolder(fileIo, directory)) !== undefined;
  const segments = new SegmentList();
  const report = await scanLog(fileIo, directory, {
    onFrame,
    // The last frame of a living writer may be on its way just now.
    strict: strict === true && !isLive,
    deliver: isLive ? 'attested' : 'all',
    before,
    places: segments,
  });
  if (report === undefined) {
    const details = { path: directory };
    throw new StoreError('NOT_FOUND', `there is no log in '${directory}'`, { details });
  }
  const { attestedEnd, end, firstBadOffset, files, bytesTruncated } = report;
  const lastOffset = isLive ? attestedEnd.offset : end.offset;
  const hasBad = !isLive && firstBadOffset !== undefined;
  const recovery = {
    segments: segments.held.length,
    recordsRead: report.recordsRead,
    bytesTruncated: isLive ? 0 : bytesTruncated,
    ...(hasBad ? { firstBadOffset } : {}),
    recordsUnattested: lastOffset - attestedEnd.offset,
    strayFiles: files.strayFiles,
  };
  const { storeId } = report.manifest.state;
  return {
    report,
    lastOffset,
    segments,
    files: { fileIo, directory, storeId, segments },
    recovery,
  };
}

/** An attempt that starts over gives nothing twice. */
function onceEach(onFrame: OnFrame | undefined): OnFrame | undefined {
  if (onFrame === undefined) return undefined;
  let last = 0;
  return (bytes, start, end, firstOffset, count) => {
    if (firstOffset <= last) return;
    onFrame(bytes, start, end, firstOffset, count);
    // Only now: a frame that was refused must be met, and refused, again.
    last = firstOffset + count - 1;
  };
}
