/**
 * LogWriter, the OrderedLog over files: takes commits in, answers for offsets, limits, statistics
 * and its own end. The way of a frame to the disk is frame-pump.ts; openLogWriter() makes one.
 */
import type { ByteWriter } from '../src/base/bytes.ts';
import type { DirectoryLock, FileIo } from '../src/base/file-io.ts';
import { StoreError } from '../src/base/errors.ts';
import { type Appender, frameRoom } from './appender.ts';
import { closeFiles, sealLog } from './close-writer.ts';
import type { DirectoryWatch } from './directory-watch.ts';
import type { DroppedSegments } from './dropped-segments.ts';
import { LIMITS, MANIFEST_SLOT, MANIFEST_SLOTS } from './format.ts';
import type { FramePump } from './frame-pump.ts';
import type { Frame, FrameQueue } from './frame-queue.ts';
import { asNotDone, ioError, logClosed } from './log-error.ts';
import type { Truncation } from './log-types.ts';
import type { ManifestFile } from './manifest.ts';
import type { OrderedLog } from './ordered-log.ts';
import type { RecordFiles } from './record-reader.ts';
import type { Reserve } from './reserve.ts';
import { dropSegmentsBefore } from './retention.ts';
import type { SegmentList } from './segment-list.ts';
import type { SegmentRoll } from './segment-roll.ts';
import { releaseLock } from './take-lock.ts';
import type { WriteCounters } from './write-stats.ts';

/** What opening the log found and did. */
export interface LogRecovery {
  readonly storeId: Uint8Array;
  /** Segment files that hold the log. */
  readonly segments: number;
  readonly recordsReplayed: number;
  /** Broken or dropped frames behind the cut; prepared zeros do not count. */
  readonly bytesTruncated: number;
  readonly firstBadOffset?: number;
  /** Records at the end that nothing vouched for and that were written again. */
  readonly recordsRewritten: number;
  /** Files in the directory that are none of the log's: left alone. */
  readonly strayFiles: readonly string[];
  readonly durationMs: number;
}

export interface LogWriterParts<T> {
  readonly fileIo: FileIo;
  readonly directory: string;
  readonly lock: DirectoryLock;
  readonly manifest: ManifestFile;
  readonly queue: FrameQueue<T>;
  readonly pump: FramePump<T>;
  readonly appender: Appender;
  readonly roll: SegmentRoll;
  readonly watch: DirectoryWatch;
  readonly reserve: Reserve;
  readonly maxPending: number;
  readonly segments: SegmentList;
  readonly dropped: DroppedSegments;
  /** Highest segment that must stay when nothing was written. */
  readonly highestKept: number;
  readonly recovery: LogRecovery;
}

type Sizes =
  | 'firstOffset'
  | 'nextOffset'
  | 'acceptedOffset'
  | 'durableOffset'
  | 'records'
  | 'segments'
  | 'segmentsReady'
  | 'segmentsArchived'
  | 'oldestSegment'
  | 'bytesOnDisk'
  | 'bytesUsed'
  | 'reserveBytes'
  | 'pendingCommits';

/** Sizes now, counters since the log was opened. */
export type WriterStats = Readonly<Record<Sizes, number>> & WriteCounters;

export class LogWriter<T> implements OrderedLog<T> {
  readonly recovery: LogRecovery;
  private readonly parts: LogWriterParts<T>;
  private closing: Promise<void> | undefined;
  private lastTruncation: Promise<unknown> = Promise.resolve();

  constructor(parts: LogWriterParts<T>) {
    this.parts = parts;
    this.recovery = parts.recovery;
  }

  get nextOffset(): number {
    return this.parts.queue.nextOffset;
  }
  get openOffset(): number {
    return this.parts.queue.openOffset;
  }
  get acceptedOffset(): number {
    return this.parts.pump.acceptedOffset;
  }
  get durableOffset(): number {
    return this.parts.appender.synced.offset;
  }
  /** Why nothing can be written until the log is opened again; undefined while all is well. */
  get poison(): StoreError | undefined {
    return this.parts.pump.poison;
  }

  admit(): void {
    if (this.closing !== undefined) throw logClosed();
    const { pump } = this.parts;
    if (pump.poison === undefined) pump.sendFull();
    if (pump.poison !== undefined) throw pump.poison;
  }

  checkRoom(): void {
    if (this.closing !== undefined) throw logClosed();
    const { pump, maxPending, roll, appender, queue } = this.parts;
    const { pendingCommits, pendingBytes } = pump;
    if (pendingCommits >= maxPending || pendingBytes >= LIMITS.pendingBytes) {
      const details = { outcome: 'not-done', pendingCommits, pendingBytes, maxPending };
      throw new StoreError(
        'RATE_LIMITED',
        `${pendingCommits} commits of ${pendingBytes} bytes wait for the disk already`,
        { details },
      );
    }
    const { failure } = roll;
    const isTight = frameRoom(queue.waitingBytes) >= appender.room + roll.readyRoom;
    if (failure !== undefined && isTight) throw asNotDone(failure);
  }

  begin(): ByteWriter {
    return this.parts.queue.begin();
  }
  beginRecord(): ByteWriter {
    return this.parts.queue.beginRecord();
  }
  endRecord(): void {
    this.parts.queue.endRecord();
  }
  dropRecord(): void {
    this.parts.queue.dropRecord();
  }
  abort(): void {
    this.parts.queue.abort();
  }

  commit(ticket: T, mustSync: boolean): number {
    const offset = this.parts.queue.commit(ticket, mustSync);
    this.parts.pump.commitWaits();
    return offset;
  }

  release(frame: Frame<T>): void {
    this.parts.pump.release(frame);
  }

  flush(): Promise<number> {
    return this.closing === undefined ? this.parts.pump.flush() : Promise.reject(logClosed());
  }

  /** Bytes the layer above keeps in the manifest. */
  get manifestExtra(): Uint8Array {
    return this.parts.manifest.state.extra;
  }

  /**
   * Replaces them; resolves when that is on the disk. `both`: also in the older slot, so that no
   * damage brings back a name of something that is to be removed now.
   * @throws {StoreError} WAL_IO_ERROR - it may be repeated; the poison of the log; STORE_CLOSED
   */
  async setManifestExtra(
    extra: Uint8Array,
    { both = false }: { readonly both?: boolean | undefined } = {},
  ): Promise<void> {
    if (this.closing !== undefined) throw logClosed();
    if (this.poison !== undefined) throw this.poison;
    const { manifest, directory } = this.parts;
    try {
      await (both ? manifest.updateBoth({ extra }) : manifest.update({ extra }));
    } catch (error) {
      throw ioError(error, 'writing the manifest', directory);
    }
  }

  stats(): WriterStats {
    const { pump, roll, segments, reserve, dropped, manifest } = this.parts;
    const { firstOffset } = segments;
    const aside = MANIFEST_SLOT.size * MANIFEST_SLOTS + (roll.ready?.sizeBytes ?? 0);
    return {
      firstOffset,
      nextOffset: this.nextOffset,
      acceptedOffset: this.acceptedOffset,
      durableOffset: this.durableOffset,
      records: this.acceptedOffset - firstOffset + 1,
      segments: segments.held.length,
      segmentsReady: roll.ready === undefined ? 0 : 1,
      segmentsArchived: dropped.archived,
      oldestSegment: manifest.state.oldestSegment,
      bytesOnDisk: segments.sizeBytes + aside,
      bytesUsed: segments.usedBytes,
      reserveBytes: reserve.sizeBytes,
      pendingCommits: pump.pendingCommits,
      ...pump.counters.values(),
    };
  }

  /** Where the records are, for readers. */
  get files(): RecordFiles {
    const { fileIo, directory, segments } = this.parts;
    return { fileIo, directory, segments, storeId: this.recovery.storeId };
  }

  /**
   * Drops whole segments without a record from `offset` on; never the newest. `offset` may lie
   * behind the end.
   * @throws {StoreError} WAL_IO_ERROR - the call may be repeated; STORE_CLOSED
   */
  truncateBefore(offset: number): Promise<Truncation> {
    if (this.closing !== undefined) return Promise.reject(logClosed());
    const result = this.lastTruncation.then(() => {
      if (this.poison !== undefined) throw this.poison;
      return dropSegmentsBefore(this.parts, offset, this.parts.appender.synced);
    });
    this.lastTruncation = result.catch(() => undefined);
    return result;
  }

  /** Ends it: what was taken in is written, synced and vouched for. Releases the lock in any case. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    const { lock, directory } = this.parts;
    const steps = [
      () => this.finish(),
      () => closeFiles(this.parts),
      () => releaseLock(lock, directory),
    ];
    const failures: unknown[] = [];
    // Each whatever became of those before it; the first failure is the one to tell.
    for (const step of steps) await step().catch((error: unknown) => void failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  private async finish(): Promise<void> {
    const { pump, roll, watch, reserve } = this.parts;
    await pump.drain();
    watch.stop();
    await roll.stop();
    await reserve.stop();
    await this.lastTruncation;
    if (pump.poison === undefined) await sealLog(this.parts);
  }
}
