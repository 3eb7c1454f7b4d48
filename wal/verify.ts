/**
 * Reads a whole log without its lock and without changing anything, and says what is wrong with
 * it. scan.ts gives the verdict, the very one an opening would; only when that is damage does
 * survey.ts look for all of it. Works beside a live writer.
 */
import { join } from 'node:path';
import { StoreError, badRequest, isStoreError } from '../src/base/errors.ts';
import type { FileIo } from '../src/base/file-io.ts';
import { nodeFileIo } from '../src/base/node-file-io.ts';
import { listLogDirectory } from './log-directory.ts';
import { ioError } from './log-error.ts';
import { checkMeets } from './scan-pass.ts';
import { readManifestSlots } from './manifest.ts';
import { scanLog } from './scan.ts';
import type { OnFrame, ScanReport, ScannedSegment } from './scan-report.ts';
import { MANIFEST_NAME, segmentName } from './segment-name.ts';
import { type Survey, surveyLog } from './survey.ts';

export interface VerifyLogOptions {
  readonly fileIo?: FileIo | undefined;
  /** Called whenever reading starts over; the frames that can be kept then go to what it returns. */
  readonly begin?: (() => OnFrame) | undefined;
  /** 'attested': of a live writer at 'always', only what something later vouches for. Default 'all'. */
  readonly deliver?: 'all' | 'attested' | undefined;
  /**
   * Last record the layer above has in files of its own. A log that begins later than the next one,
   * or ends before it, does not go with them; damage before it costs nothing. Default: not asked.
   */
  readonly coveredThrough?: number | undefined;
  /** Bytes of frames read, of at most so many. */
  readonly onProgress?: ((bytes: number, totalBytes: number) => void) | undefined;
}

export interface LogReport {
  readonly ok: boolean;
  /** Every damaged place; empty when `ok`. */
  readonly problems: readonly StoreError[];
  /** undefined when nothing in the directory could tell. */
  readonly storeId: Uint8Array | undefined;
  /** First record kept; `lastOffset` + 1 when there is none. */
  readonly firstOffset: number;
  /** Last record that can be read, and that a repair would keep. */
  readonly lastOffset: number;
  /** Last record there is a trace of: those behind `lastOffset` are lost. */
  readonly knownOffset: number;
  /** Last record known to be synced. */
  readonly attestedOffset: number;
  readonly framesRead: number;
  /** Broken or dropped frames behind the end, as an interrupted last write leaves them. */
  readonly bytesTruncated: number;
  readonly firstBadOffset: number | undefined;
  /** Damaged bytes, and those of records behind a gap. */
  readonly bytesLost: number;
  readonly segments: readonly ScannedSegment[];
  /** Segment files that hold no part of the log: prepared ahead, or left behind. */
  readonly voids: readonly number[];
  readonly unfinished: readonly string[];
  /** Files in the directory that are none of the log's. */
  readonly strayFiles: readonly string[];
}

/** A live writer may change names under a reader: what it meets must be there twice to be believed. */
const ATTEMPTS = 4;
/** While segments come and go, one that is missing says nothing: so often at most is looked again. */
const DISTURBED = 100;

/**
 * Never throws for damage: that is in the report.
 *
 * @throws {StoreError} NOT_FOUND - there is no log; BAD_REQUEST - that is not a directory
 * @throws {StoreError} WAL_IO_ERROR - the directory itself cannot be read
 */
export async function verifyLog(
  directory: string,
  options: VerifyLogOptions = {},
): Promise<LogReport> {
  const fileIo = options.fileIo ?? nodeFileIo;
  await checkDirectory(fileIo, directory);
  const reading = new Reading(fileIo, directory, options);
  let before: StoreError | undefined;
  let outline: string | undefined;
  let disturbed = 0;
  const isDisturbed = async (problems: readonly StoreError[]): Promise<boolean> => {
    if (disturbed === DISTURBED || !problems.some(isOfWholeFile)) return false;
    const last = outline;
    outline = await outlineOf(fileIo, directory);
    if (outline === last) return false;
    disturbed++;
    return true;
  };
  for (let attempt = 1; ; attempt++) {
    try {
      const report = await reading.scan();
      if (report === undefined) throw noLog(directory);
      return report;
    } catch (error) {
      if (!isStoreError(error) || error.code === 'NOT_FOUND') throw error;
      const isBelieved = attempt >= ATTEMPTS || isSame(error, before);
      before = error;
      if ((await isDisturbed([error])) || !isBelieved) continue;
      const report = await reading.survey(error);
      if (!(await isDisturbed(report.problems))) return report;
    }
  }
}

/** Missing, gone meanwhile, or wrong from its first byte: what names alone can cause. */
function isOfWholeFile({ details }: StoreError): boolean {
  return ((details as { readonly byteOffset?: number }).byteOffset ?? 0) === 0;
}

/** Which segments there are, by the manifest. */
async function outlineOf(fileIo: FileIo, directory: string): Promise<string> {
  try {
    const [inForce] = (await readManifestSlots(fileIo, directory)) ?? [];
    return `${inForce?.state.oldestSegment} to ${inForce?.state.highestSegment}`;
  } catch {
    // Whatever that is, it is met again by the scan, and told.
    return 'unreadable';
  }
}

class Reading {
  private readonly fileIo: FileIo;
  private readonly directory: string;
  private readonly options: VerifyLogOptions;
  private lastOffset = 0;
  private framesRead = 0;

  constructor(fileIo: FileIo, directory: string, options: VerifyLogOptions) {
    this.fileIo = fileIo;
    this.directory = directory;
    this.options = options;
  }

  async scan(): Promise<LogReport | undefined> {
    const { deliver, coveredThrough } = this.options;
    const onFrame = this.frames(await this.totalBytes());
    const report = await scanLog(this.fileIo, this.directory, { onFrame, deliver });
    if (report !== undefined && coveredThrough !== undefined)
      checkMeets(coveredThrough, report.firstOffset, report.end, report.segments[0]?.number);
    return report && soundReport(report);
  }

  /** What `failure` is the first sign of. */
  async survey(failure: StoreError): Promise<LogReport> {
    if (failure.code !== 'CORRUPT')
      return unreadableReport(failure, this.lastOffset, this.framesRead);
    try {
      const totalBytes = await this.totalBytes();
      let onFrame = this.frames(totalBytes);
      const survey = await surveyLog(this.fileIo, this.directory, {
        coveredThrough: this.options.coveredThrough,
        onKept: ({ bytes, payloadStart, payloadEnd, header }) =>
          onFrame(bytes, payloadStart, payloadEnd, header.firstOffset, header.recordCount),
        onStartOver: () => {
          onFrame = this.frames(totalBytes);
        },
      });
      return damagedReport(survey, failure);
    } catch (error) {
      if (!isStoreError(error)) throw error;
      return unreadableReport(error, this.lastOffset, this.framesRead);
    }
  }

  private async totalBytes(): Promise<number> {
    if (this.options.onProgress === undefined) return 0;
    const { segments } = await listLogDirectory(this.fileIo, this.directory);
    let bytes = 0;
    for (const number of segments) {
      bytes += (await this.fileIo.stat(join(this.directory, segmentName(number))))?.sizeBytes ?? 0;
    }
    return bytes;
  }

  private frames(totalBytes: number): OnFrame {
    const { begin, onProgress } = this.options;
    const onFrame = begin?.();
    let bytesRead = 0;
    this.lastOffset = 0;
    this.framesRead = 0;
    return (bytes, start, end, firstOffset, count) => {
      this.lastOffset = firstOffset + count - 1;
      this.framesRead++;
      onFrame?.(bytes, start, end, firstOffset, count);
      bytesRead += end - start;
      onProgress?.(bytesRead, totalBytes);
    };
  }
}

function soundReport(report: ScanReport): LogReport {
  const { chain, files, segments, firstOffset, end, bytesTruncated, firstBadOffset } = report;
  return {
    ok: true,
    problems: [],
    storeId: report.manifest.state.storeId,
    firstOffset,
    lastOffset: end.offset,
    knownOffset: end.offset,
    attestedOffset: report.attestedEnd.offset,
    framesRead: report.framesRead,
    bytesTruncated,
    firstBadOffset,
    bytesLost: 0,
    segments,
    voids: [...chain.voids, ...chain.dropped],
    unfinished: files.unfinished,
    strayFiles: files.strayFiles,
  };
}

function damagedReport(survey: Survey, failure: StoreError): LogReport {
  const { problems, files, segments, firstOffset, lastOffset, knownOffset } = survey;
  const inLog = new Set(segments.map((segment) => segment.number));
  return {
    ok: false,
    problems: problems.length > 0 ? problems : [failure],
    storeId: survey.storeId,
    firstOffset,
    lastOffset,
    knownOffset: Math.max(knownOffset, lastOffset),
    attestedOffset: Math.min(survey.anchor.offset, lastOffset),
    framesRead: survey.framesRead,
    bytesTruncated: 0,
    firstBadOffset: lastOffset + 1,
    bytesLost: survey.bytesLost,
    segments,
    voids: files.segments.filter((number) => !inLog.has(number)),
    unfinished: files.unfinished,
    strayFiles: files.strayFiles,
  };
}

/** Of a newer version, or on a disk that gives errors: nothing more can be said. */
function unreadableReport(failure: StoreError, lastOffset: number, framesRead: number): LogReport {
  return {
    ok: false,
    problems: [failure],
    storeId: undefined,
    firstOffset: 1,
    lastOffset,
    knownOffset: lastOffset,
    attestedOffset: lastOffset,
    framesRead,
    bytesTruncated: 0,
    firstBadOffset: undefined,
    bytesLost: 0,
    segments: [],
    voids: [],
    unfinished: [],
    strayFiles: [],
  };
}

/** @throws {StoreError} NOT_FOUND - nothing of a log is there; BAD_REQUEST - not a directory; WAL_IO_ERROR */
export async function checkDirectory(fileIo: FileIo, directory: string): Promise<void> {
  try {
    const stat = await fileIo.stat(directory);
    if (stat === undefined) throw noLog(directory);
    if (stat.kind !== 'directory')
      throw badRequest(`'${directory}' is not a directory`, 'directory', 'a directory');
    const { segments } = await listLogDirectory(fileIo, directory);
    const hasManifest = (await fileIo.stat(join(directory, MANIFEST_NAME))) !== undefined;
    if (segments.length === 0 && !hasManifest) throw noLog(directory);
  } catch (error) {
    throw ioError(error, 'looking at the directory', directory);
  }
}

function isSame(error: StoreError, before: StoreError | undefined): boolean {
  return before !== undefined && error.code === before.code && error.message === before.message;
}

function noLog(directory: string): StoreError {
  return new StoreError('NOT_FOUND', `there is no store in '${directory}'`, {
    details: { path: directory },
  });
}
