/**
 * Opens a log for writing: lock, scan, then whatever must be made sure of before anything is
 * served. Frames in doubt are written again in a new segment; if there are none, nothing is waited
 * for: the first segment is made ready behind, and no frame is written until the first commit.
 * Dying at any point of it leaves a log that opens to the same records.
 */
import { resolve } from 'node:path';
import type { DirectoryLock, FileIo } from '../src/base/file-io.ts';
import { Appender } from './appender.ts';
import { type CreateOptions, createLog, ensureDirectory } from './create-log.ts';
import { DirectoryWatch } from './directory-watch.ts';
import { DroppedSegments } from './dropped-segments.ts';
import { type SyncPolicy, syncPolicy } from './durability.ts';
import { FRAME, FRAME_ALIGNMENT, SEGMENT_BYTES, SEGMENT_OVERHEAD_BYTES } from './format.ts';
import { FramePump } from './frame-pump.ts';
import { FrameQueue } from './frame-queue.ts';
import { asNotDone, ioError } from './log-error.ts';
import { logHolder } from './log-holder.ts';
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
import { Reserve, isNoRoom } from './reserve.ts';
import { scanLog } from './scan.ts';
import type { ScanReport } from './scan-report.ts';
import { SegmentList } from './segment-list.ts';
import { SegmentRoll } from './segment-roll.ts';
import { releaseLock, takeLock } from './take-lock.ts';
import { firstNumber, highestKept, removeBlanks, removeVoids } from './void-files.ts';
import { type LogRecovery, LogWriter } from './writer.ts';

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
  const reserve = new Reserve(options.fileIo, path, options.logger);
  const lock = await lockDirectory(options.fileIo, path, reserve);
  const opening = new Opening(path, options, policy, sizes, lock, reserve);
  try {
    return await opening.run();
  } catch (error) {
    await opening.abandon();
    // What kept the log from opening is what its caller must hear, whatever else fails now.
    await releaseLock(lock, path).catch((failure: unknown) =>
      options.logger.log('warn', 'giving back the lock failed', { path, error: failure }),
    );
    throw ioError(error, 'opening the log', path);
  }
}

/** The lock is a file and takes room as well. What a living owner has in reserve is not ours to spend. */
async function lockDirectory(
  fileIo: FileIo,
  path: string,
  reserve: Reserve,
): Promise<DirectoryLock> {
  try {
    return await takeLock(fileIo, path);
  } catch (error) {
    if (!isNoRoom(error) || (await logHolder(fileIo, path)) !== undefined) throw error;
  }
  return reserve.spend(() => takeLock(fileIo, path));
}

/** @throws {StoreError} STORE_LOCKED, WAL_IO_ERROR */
class Opening<T> {
  private readonly directory: string;
  private readonly options: LogWriterOptions<T>;
  private readonly policy: SyncPolicy;
  private readonly sizes: LogSizes;
  private readonly lock: DirectoryLock;
  private readonly reserve: Reserve;
  private readonly startedAt: number;
  private readonly watch: DirectoryWatch;
  private readonly segments = new SegmentList();
  private readonly dropped: DroppedSegments;
  private manifest: ManifestFile | undefined;
  private readonly prepared: Segment[] = [];

  constructor(
    directory: string,
    options: LogWriterOptions<T>,
    policy: SyncPolicy,
    sizes: LogSizes,
    lock: DirectoryLock,
    reserve: Reserve,
  ) {
    this.directory = directory;
    this.options = options;
    this.policy = policy;
    this.sizes = sizes;
    this.lock = lock;
    this.reserve = reserve;
    this.watch = new DirectoryWatch(options.thread, directory, () => lock.isHeld());
    const { fileIo, archiveDirectory: archive } = options;
    const archiveDirectory = archive === undefined ? undefined : resolve(directory, archive);
    this.dropped = new DroppedSegments({ fileIo, directory, archiveDirectory });
    this.startedAt = options.thread.monotonicMs();
  }

  async run(): Promise<LogWriter<T>> {
    const { fileIo, onFrame, strict, beforeScan } = this.options;
    const { directory } = this;
    await this.reserve.find();
    const found = await scanLog(fileIo, directory, {
      onFrame,
      strict,
      before: beforeScan && ((manifest) => beforeScan({ manifest, directory })),
      places: this.segments,
    });
    if (found !== undefined) return this.finish(found, undefined);
    const { segment } = await createLog(this.creation);
    this.prepared.push(segment);
    const created = await scanLog(fileIo, directory);
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
    const { fileIo } = this.options;
    const { directory, reserve } = this;
    const manifest = await openManifestFile(fileIo, directory, report.manifest);
    this.manifest = manifest;
    if (ready === undefined)
      await reserve.spend(() => removeBlanks({ fileIo, directory, report, manifest }));
    const roll = this.roll(report, manifest);
    const isDoubtful = isInDoubt(report);
    const appender = isDoubtful ? await this.rewrite(report, roll) : this.appender(report);
    const kept = ready === undefined ? highestKept(report) : 0;
    const writer = this.assemble(report, appender, roll, manifest, kept);
    if (ready !== undefined) roll.put(ready);
    else if (!isDoubtful) roll.start();
    return writer;
  }

  private appender({ attestedEnd }: ScanReport): Appender {
    return new Appender(attestedEnd, attestedEnd, this.segments);
  }

  private roll(report: ScanReport, manifest: ManifestFile): SegmentRoll {
    const { fileIo, clock, thread, logger } = this.options;
    const { directory, dropped } = this;
    const context: PrepareContext = {
      fileIo,
      directory,
      storeId: report.manifest.state.storeId,
      manifest,
      now: () => clock.now(),
      wantsSyncedWrites: this.policy.isAlways,
    };
    return new SegmentRoll({
      prepare: (number, sizeBytes) => this.prepare(context, number, sizeBytes),
      removeVoids: () => removeVoids({ fileIo, directory, report, manifest, dropped }),
      onReady: () => this.reserve.want(this.segments.sizeBytes),
      thread,
      logger,
      segmentBytes: this.sizes.segmentBytes,
      firstNumber: firstNumber(report),
    });
  }

  /** Never in a directory that took the place of ours, and never short of room that only a reserve being made takes. */
  private async prepare(
    context: PrepareContext,
    number: number,
    sizeBytes: number,
  ): Promise<Segment> {
    const lost = await this.watch.look();
    if (lost !== undefined) throw asNotDone(lost);
    return this.reserve.makeWay(() => prepareSegment(context, number, sizeBytes));
  }

  /** May be repeated from its beginning: until its last frame is there the new segment is void, and then it says the same. */
  private rewrite(report: ScanReport, roll: SegmentRoll): Promise<Appender> {
    const needed = roundSegmentBytes(rewriteRoom(bytesInDoubt(report)));
    let sizeBytes = Math.max(Math.min(SEGMENT_BYTES.first, this.sizes.segmentBytes), needed);
    return this.reserve.spend(async (isSecond) => {
      // There was no room for the usual size.
      if (isSecond && this.prepared.length === 0) sizeBytes = needed;
      for (const before of this.prepared.splice(0)) await closeSegment(before);
      const appender = this.appender(report);
      const segment = await roll.prepareNow(sizeBytes);
      this.prepared.push(segment);
      await rewriteTail(this.options.fileIo, report, segment, appender);
      roll.tookOver(segment);
      roll.noteSynced();
      return appender;
    });
  }

  private assemble(
    report: ScanReport,
    appender: Appender,
    roll: SegmentRoll,
    manifest: ManifestFile,
    kept: number,
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
      reserve: this.reserve,
      maxPending: this.sizes.maxPending,
      segments: this.segments,
      dropped: this.dropped,
      highestKept: kept,
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
    await this.reserve.stop();
    for (const segment of this.prepared) await closeSegment(segment).catch(() => undefined);
    await this.manifest?.close().catch(() => undefined);
  }
}
