/**
 * Opens a log for writing: lock, scan, then whatever must be made sure of before anything is
 * served. Frames in doubt are written again in a new segment; if there are none, only the first
 * segment is made ready and no frame is written until the first commit. Dying at any point of it
 * leaves a log that opens to the same records.
 */
import { join } from 'node:path';
import type { DirectoryLock } from '../src/base/file-io.ts';
import { Appender } from './appender.ts';
import { type CreateOptions, createLog, ensureDirectory } from './create-log.ts';
import { DirectoryWatch, directoryLost } from './directory-watch.ts';
import { type SyncPolicy, syncPolicy } from './durability.ts';
import { FRAME, FRAME_ALIGNMENT, SEGMENT_BYTES, SEGMENT_OVERHEAD_BYTES } from './format.ts';
import { FramePump } from './frame-pump.ts';
import { FrameQueue } from './frame-queue.ts';
import { ioError } from './log-error.ts';
import { type ManifestFile, openManifestFile } from './manifest.ts';
import { type LogSizes, type LogWriterOptions, checkSizes } from './options.ts';
import {
  type PrepareContext,
  type Segment,
  closeSegment,
  prepareSegment,
  roundSegmentBytes,
} from './prepare-segment.ts';
import { bytesInDoubt, isInDoubt, rewriteRoom, rewriteTail } from './rewrite-tail.ts';
import { scanLog } from './scan.ts';
import type { ScanReport } from './scan-report.ts';
import { segmentName } from './segment-name.ts';
import { SegmentList } from './segment-list.ts';
import { SegmentRoll } from './segment-roll.ts';
import { takeLock } from './take-lock.ts';
import { type LogRecovery, LogWriter } from './writer.ts';

/** A first segment that cannot be prepared for one of these reasons may be there later: the log opens, and refuses commands. */
const MAY_HEAL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE']);

/**
 * Opens the log in a directory, creating both if absent. Records go to `onFrame` before the
 * promise resolves; everything reported there is synced.
 *
 * @throws {StoreError} STORE_LOCKED - somebody else writes to it
 * @throws {StoreError} CORRUPT, FORMAT_UNSUPPORTED - nothing was changed
 * @throws {StoreError} WAL_IO_ERROR, BAD_REQUEST
 */
export async function openLogWriter<T>(
  directory: string,
  options: LogWriterOptions<T>,
): Promise<LogWriter<T>> {
  const policy = syncPolicy(options.durability ?? 'always');
  const sizes = checkSizes(options);
  const path = await ensureDirectory(options.fileIo, directory);
  const lock = await takeLock(options.fileIo, path);
  const opening = new Opening(path, options, policy, sizes, lock);
  try {
    return await opening.run();
  } catch (error) {
    await opening.abandon();
    await lock.release();
    throw ioError(error, 'opening the log', path);
  }
}

/** @throws {StoreError} STORE_LOCKED, WAL_IO_ERROR */
export class Opening<T> {
  private readonly directory: string;
  private readonly options: LogWriterOptions<T>;
  private readonly policy: SyncPolicy;
  private readonly sizes: LogSizes;
  private readonly lock: DirectoryLock;
  private readonly startedAt: number;
  private readonly watch: DirectoryWatch;
  private readonly segments = new SegmentList();
  private manifest: ManifestFile | undefined;
  private readonly prepared: Segment[] = [];

  constructor(
    directory: string,
    options: LogWriterOptions<T>,
    policy: SyncPolicy,
    sizes: LogSizes,
    lock: DirectoryLock,
  ) {
    this.directory = directory;
    this.options = options;
    this.policy = policy;
    this.sizes = sizes;
    this.lock = lock;
    this.watch = new DirectoryWatch(options.thread, directory, () => lock.isHeld());
    this.startedAt = options.thread.monotonicMs();
  }

  async run(): Promise<LogWriter<T>> {
    const { fileIo, onFrame, strict } = this.options;
    const found = await scanLog(fileIo, this.directory, {
      onFrame,
      strict,
      places: this.segments,
    });
    if (found !== undefined) return this.finish(found, undefined);
    const { segment } = await createLog(this.creation);
    this.prepared.push(segment);
    const created = await scanLog(fileIo, this.directory);
    if (created === undefined) throw new Error('the log just created is not there');
    return this.finish(created, segment);
  }

  private get creation(): CreateOptions {
    const { fileIo, random, logger, clock } = this.options;
    const sizeBytes = Math.min(SEGMENT_BYTES.first, this.sizes.segmentBytes);
    return {
      fileIo,
      directory: this.directory,
      random,
      logger,
      now: () => clock.now(),
      wantsSyncedWrites: this.policy.isAlways,
      sizeBytes,
    };
  }

  /** `ready`: the segment a creation already made. */
  private async finish(report: ScanReport, ready: Segment | undefined): Promise<LogWriter<T>> {
    this.manifest = await openManifestFile(this.options.fileIo, this.directory, report.manifest);
    const highestKept = ready === undefined ? await this.removeBlanks(report, this.manifest) : 0;
    const appender = new Appender(report.attestedEnd, report.attestedEnd, this.segments);
    const roll = this.roll(report, this.manifest);
    if (ready !== undefined) roll.put(ready);
    else if (isInDoubt(report)) await this.rewrite(report, appender, roll);
    else await this.prepareFirst(roll);
    return this.assemble(report, appender, roll, this.manifest, highestKept);
  }

  /** Above the log, prepared and never used: their room is wanted, their numbers are given again. */
  private async removeBlanks(report: ScanReport, manifest: ManifestFile): Promise<number> {
    const { fileIo } = this.options;
    const { blanks } = report.chain;
    const highestKept = Math.max(
      0,
      ...report.files.segments.filter((number) => !blanks.includes(number)),
    );
    // Also when it says so already: the slot we read may be in the page cache only.
    const isNamed = manifest.state.highestSegment > highestKept;
    if (isNamed || blanks.length > 0) await manifest.updateBoth({ highestSegment: highestKept });
    for (const number of blanks) await fileIo.remove(join(this.directory, segmentName(number)));
    if (blanks.length > 0) await fileIo.syncDirectory(this.directory);
    return highestKept;
  }

  /** Number of the first segment this process writes to: behind the log, over the topmost void if there is one. */
  private firstNumber(report: ScanReport): number {
    const { segments, voids, blanks } = report.chain;
    const usedVoids = voids.filter((number) => !blanks.includes(number));
    return Math.max(
      (segments.at(-1)?.number ?? 0) + 1,
      report.manifest.state.oldestSegment,
      ...usedVoids,
    );
  }

  private roll(report: ScanReport, manifest: ManifestFile): SegmentRoll {
    const { fileIo, clock, thread, logger } = this.options;
    const firstNumber = this.firstNumber(report);
    const context: PrepareContext = {
      fileIo,
      directory: this.directory,
      storeId: report.manifest.state.storeId,
      manifest,
      now: () => clock.now(),
      wantsSyncedWrites: this.policy.isAlways,
    };
    return new SegmentRoll({
      prepare: (number, sizeBytes) => this.prepare(context, number, sizeBytes),
      removeVoids: () => this.removeVoids(report, firstNumber),
      thread,
      logger,
      segmentBytes: this.sizes.segmentBytes,
      firstNumber,
    });
  }

  /** Never in a directory that took the place of ours. */
  private async prepare(
    context: PrepareContext,
    number: number,
    sizeBytes: number,
  ): Promise<Segment> {
    if (!(await this.watch.look())) throw directoryLost(this.directory, 'not-done');
    return prepareSegment(context, number, sizeBytes);
  }

  /** Oldest first; a file that stays is void still, and met again at the next opening. */
  private async removeVoids(report: ScanReport, firstNumber: number): Promise<void> {
    const { fileIo } = this.options;
    const { segments, voids, blanks, dropped } = report.chain;
    // The new segment continues the last attested end: what lies between was written again.
    const passedOver = segments
      .map((segment) => segment.number)
      .filter((number) => number > report.attestedEnd.segment);
    const gone = [...voids, ...passedOver]
      .filter((number) => number !== firstNumber && !blanks.includes(number))
      .toSorted((a, b) => a - b);
    const names = [...[...dropped, ...gone].map(segmentName), ...report.files.unfinished];
    if (names.length > 0) await this.manifest?.settle();
    for (const name of names) {
      const path = join(this.directory, name);
      if ((await fileIo.stat(path)) !== undefined) await fileIo.remove(path);
    }
    if (names.length > 0) await fileIo.syncDirectory(this.directory);
  }

  private async rewrite(report: ScanReport, appender: Appender, roll: SegmentRoll): Promise<void> {
    const { segmentBytes } = this.sizes;
    const needed = roundSegmentBytes(rewriteRoom(bytesInDoubt(report)));
    const sizeBytes = Math.max(Math.min(SEGMENT_BYTES.first, segmentBytes), needed);
    const segment = await roll.prepareNow(sizeBytes);
    this.prepared.push(segment);
    await rewriteTail(this.options.fileIo, report, segment, appender);
    roll.tookOver(segment);
    roll.noteSynced();
  }

  private async prepareFirst(roll: SegmentRoll): Promise<void> {
    roll.start();
    await roll.settled();
    const { failure } = roll;
    if (failure !== undefined && !MAY_HEAL.has((failure.details as { errno?: unknown }).errno)) {
      await roll.stop();
      throw failure;
    }
  }

  private assemble(
    report: ScanReport,
    appender: Appender,
    roll: SegmentRoll,
    manifest: ManifestFile,
    highestKept: number,
  ): LogWriter<T> {
    const { fileIo, thread, sink, blockingPath = true } = this.options;
    const { directory, lock, watch } = this;
    const smallest = Math.min(SEGMENT_BYTES.first, this.sizes.segmentBytes);
    const queue = new FrameQueue<T>(
      report.end.offset + 1,
      smallest - SEGMENT_OVERHEAD_BYTES - FRAME.size - FRAME_ALIGNMENT,
    );
    const pump = new FramePump<T>({
      queue,
      appender,
      roll,
      policy: this.policy,
      thread,
      sink,
      mayBlock: blockingPath,
      onWrite: () => watch.touch(),
    });
    watch.onLost = (error) => pump.fail(error, 'watch');
    return new LogWriter<T>({
      fileIo,
      directory,
      lock,
      manifest,
      queue,
      pump,
      appender,
      roll,
      watch,
      maxPending: this.sizes.maxPending,
      segments: this.segments,
      highestKept,
      recovery: this.recovery(report),
    });
  }

  private recovery(report: ScanReport): LogRecovery {
    const { bytesTruncated, firstBadOffset } = report;
    if (bytesTruncated > 0) {
      const fields = { directory: this.directory, bytesTruncated, firstBadOffset };
      this.options.logger.log('warn', 'the end of the log was torn and is cut', fields);
    }
    return {
      storeId: report.manifest.state.storeId,
      segments: report.segments.length,
      recordsReplayed: report.recordsRead,
      bytesTruncated: report.bytesTruncated,
      ...(report.firstBadOffset === undefined ? {} : { firstBadOffset: report.firstBadOffset }),
      recordsRewritten: report.end.offset - report.attestedEnd.offset,
      strayFiles: report.files.strayFiles,
      durationMs: this.options.thread.monotonicMs() - this.startedAt,
    };
  }

  /** After a failure: descriptors back. Files stay as they are, for the next attempt to judge. */
  async abandon(): Promise<void> {
    for (const segment of this.prepared) await closeSegment(segment).catch(() => undefined);
    await this.manifest?.close().catch(() => undefined);
  }
}
