/**
 * Opening a directory for writing: under the lock the newest sound snapshot, then the log behind
 * it, in one pass. What does not fold is CORRUPT, and the store is handed out only when everything
 * it will answer from was verified, or will be when it is first read.
 */
import { warmCrc32c } from '../base/crc32c.ts';
import { type StoreError, isStoreError } from '../base/errors.ts';
import { nodeFileIo } from '../base/node-file-io.ts';
import { type CatalogueEntry, decodeCatalogue } from '../snapshot/catalogue.ts';
import { State } from '../state/state.ts';
import type { ManifestState } from '../../wal/manifest.ts';
import { openLogWriter } from '../../wal/open-writer.ts';
import type { OnFrame } from '../../wal/scan-report.ts';
import type { LogWriter } from '../../wal/writer.ts';
import type { RecoveryReport, Store } from './api/store.ts';
import { explained, impossible } from './impossible.ts';
import { LateSink } from './late-sink.ts';
import { ARCHIVE_NAME, isSnapshotFile } from './snapshots/file-names.ts';
import { LazyContexts } from './snapshots/lazy-contexts.ts';
import { type BadSnapshot, isAbout, type LoadedBase, loadNewest } from './snapshots/load-newest.ts';
import { inlineRunner, type SnapshotRunner } from './snapshots/runner.ts';
import { Snapshots } from './snapshots/snapshots.ts';
import { canStartWorker, WorkerRunner } from './snapshots/worker-runner.ts';
import { HASH_KEY_BYTES } from './new-state.ts';
import type { Settings } from './options.ts';
import { Pipeline } from './pipeline.ts';
import { Retention } from './retention.ts';
import { WritableStore } from './store.ts';
import type { Ticket } from './ticket.ts';
import { livePast } from './time-travel/past-source.ts';
import { timeTravel } from './time-travel/time-travel.ts';
import { verifyStore } from './verify-store.ts';

export async function openFiles(location: string, settings: Settings): Promise<Store> {
  const bad: BadSnapshot[] = [];
  for (;;) {
    const opening = new Opening(location, settings, bad);
    try {
      return await opening.run();
    } catch (error) {
      await opening.abandon();
      const damaged = opening.damagedBase(error);
      if (damaged === undefined) throw opening.explained(error);
      // Met only when a record behind it was applied: the one before it stands in.
      bad.unshift(damaged);
    }
  }
}

class Opening {
  private readonly location: string;
  private readonly settings: Settings;
  private readonly hashKey: Uint8Array;
  /** Snapshots that earlier attempts passed over, newest first. */
  private readonly before: readonly BadSnapshot[];
  private readonly sink = new LateSink<Ticket | undefined>();
  private entries: readonly CatalogueEntry[] = [];
  private base: LoadedBase | undefined;
  private pipeline: Pipeline | undefined;
  private store: WritableStore | undefined;
  private snapshots: Snapshots | undefined;
  private foldFailure: unknown = undefined;
  private replayedBytes = 0;

  constructor(location: string, settings: Settings, before: readonly BadSnapshot[]) {
    this.location = location;
    this.settings = settings;
    this.hashKey = settings.random.bytes(HASH_KEY_BYTES);
    this.before = before;
  }

  async run(): Promise<Store> {
    const { fileIo, clock, thread, random, logger, snapshots } = this.settings;
    const { durability, segmentBytes, maxPending, strict, blockingSync } = this.settings;
    const opening = openLogWriter<Ticket | undefined>(this.location, {
      fileIo,
      clock,
      thread,
      random,
      logger,
      durability,
      segmentBytes,
      maxPending,
      strict,
      blockingPath: blockingSync,
      sink: this.sink,
      beforeScan: (found) => this.loadBase(found),
      onFrame: this.folding,
      ...(snapshots.isArchiving ? { archiveDirectory: ARCHIVE_NAME } : {}),
    });
    // While the disk is asked for the lock.
    warmCrc32c();
    return this.assemble(await opening);
  }

  /** Under the lock, before the log is read. Gives the last record that need not be. */
  private async loadBase(found: {
    readonly manifest: ManifestState;
    readonly directory: string;
  }): Promise<number> {
    const { fileIo, verifyOnOpen } = this.settings;
    this.entries = decodeCatalogue(found.manifest.extra);
    const passedOver = new Set(this.before.map(({ entry }) => entry.offset));
    this.base = await loadNewest({
      fileIo,
      directory: found.directory,
      storeId: found.manifest.storeId,
      entries: this.entries.filter(({ offset }) => !passedOver.has(offset)),
      contexts: verifyOnOpen === 'full' ? 'now' : 'lazy',
      newState: () => new State(this.hashKey),
    });
    this.pipeline = this.newPipeline(this.base);
    return this.base.state.offset;
  }

  private newPipeline({ state }: Pick<LoadedBase, 'state'>): Pipeline {
    const { clock, thread } = this.settings;
    const pipeline = new Pipeline({
      state,
      clock,
      thread,
      retention: new Retention(this.settings),
      listener: {
        degraded: (error) => this.store?.degraded(error),
        recovered: () => this.store?.recovered(),
        applied: (payloadBytes) => this.snapshots?.noteFrame(payloadBytes),
      },
    });
    this.sink.connect(pipeline);
    return pipeline;
  }

  /** The fold as the reader of a log calls it: a RangeError tells it that what passed its checksums makes no sense. */
  private readonly folding: OnFrame = (bytes, start, end, firstOffset) => {
    const pipeline = (this.pipeline ??= this.newPipeline({
      state: new State(this.hashKey),
    }));
    this.replayedBytes += end - start;
    try {
      pipeline.replay(bytes, start, end, firstOffset);
    } catch (error) {
      this.foldFailure = error;
      throw impossible(error, pipeline.state.offset + 1);
    }
  };

  private async assemble(log: LogWriter<Ticket | undefined>): Promise<Store> {
    const { location, settings } = this;
    const { fileIo, logger } = settings;
    const pipeline = (this.pipeline ??= this.newPipeline({ state: new State(this.hashKey) }));
    const contexts = this.lazyContexts(pipeline);
    this.snapshots = this.makeSnapshots(log);
    pipeline.connect(log);
    pipeline.state.machines.isLive = true;
    const { state } = pipeline;
    const storeId = Buffer.from(log.recovery.storeId).toString('hex');
    const source = livePast(log.files, this.snapshots);
    const opened = {
      location,
      storeId,
      state,
      travel: timeTravel(settings, { state, storeId, source }),
      recovery: this.report(log),
      logger,
      verify: () => verifyStore(location, { fileIo }),
      snapshots: this.snapshots,
      contexts,
    };
    this.store = new WritableStore(opened, settings, pipeline, log);
    await this.snapshots.removeLeftovers(log.recovery.strayFiles);
    this.tellOfBad();
    contexts?.start();
    this.snapshots.takeIfDue();
    return this.store;
  }

  private lazyContexts(pipeline: Pipeline): LazyContexts | undefined {
    const snapshot = this.base?.snapshot;
    if (snapshot === undefined) return undefined;
    const { thread, logger } = this.settings;
    return new LazyContexts({
      snapshot,
      thread,
      logger,
      onBad: (error) => {
        pipeline.refuse(error);
        this.snapshots?.replace(snapshot.offset);
        this.corruption(error);
      },
      onBadIndex: (error) => {
        this.snapshots?.replace(snapshot.offset);
        this.corruption(error);
      },
    });
  }

  private makeSnapshots(log: LogWriter<Ticket | undefined>): Snapshots {
    const { fileIo, thread, random, logger, snapshots } = this.settings;
    return new Snapshots({
      log,
      fileIo,
      location: this.location,
      directory: log.files.directory,
      thread,
      random,
      logger,
      settings: snapshots,
      runner: this.runner(),
      entries: this.entries,
      bad: this.bad.map(({ entry }) => entry.offset),
      replayedBytes: this.replayedBytes,
      onSnapshot: (taken) => this.store?.emit('snapshot', taken),
      onCompaction: (dropped) => this.store?.emit('compaction', dropped),
      onBad: (error) => this.corruption(error),
    });
  }

  private runner(): SnapshotRunner {
    const { fileIo, thread } = this.settings;
    const isReal = fileIo === nodeFileIo && canStartWorker(thread);
    const inline = inlineRunner(fileIo, thread);
    return isReal ? new WorkerRunner(thread, inline) : inline;
  }

  private get bad(): readonly BadSnapshot[] {
    return [...this.before, ...(this.base?.bad ?? [])];
  }

  private corruption(error: StoreError): void {
    this.settings.logger.log('error', 'a snapshot is damaged', { location: this.location, error });
    if (!isStoreError(error, 'CORRUPT')) return;
    const { file, byteOffset } = error.details;
    this.store?.emit('corruption', { file, byteOffset, error });
  }

  /** When whoever opened the store had the time to listen. */
  private tellOfBad(): void {
    const { thread, logger } = this.settings;
    for (const { entry, error } of this.bad) {
      const fields = { location: this.location, offset: entry.offset, error };
      logger.log('warn', 'a snapshot cannot be used; an older one and more log stand in', fields);
      thread.nextTurn(() => this.corruption(error));
    }
  }

  private report(log: LogWriter<Ticket | undefined>): RecoveryReport {
    const { recordsReplayed, segments, bytesTruncated, firstBadOffset, durationMs } = log.recovery;
    const { logger } = this.settings;
    const { location } = this;
    const strayFiles = log.recovery.strayFiles.filter((name) => !isSnapshotFile(name));
    if (bytesTruncated > 0)
      logger.log('warn', 'a torn tail was dropped', { location, bytesTruncated, firstBadOffset });
    if (strayFiles.length > 0) {
      const message = 'files that are none of the store were left alone';
      logger.log('info', message, { location, strayFiles });
    }
    return {
      snapshotOffset: this.base?.snapshot?.offset ?? 0,
      recordsReplayed,
      segments,
      bytesTruncated,
      ...(firstBadOffset === undefined ? {} : { firstBadOffset }),
      durationMs,
    };
  }

  /** The snapshot this attempt began with, when that is what failed it. */
  damagedBase(error: unknown): BadSnapshot | undefined {
    const offset = this.base?.snapshot?.offset;
    if (offset === undefined || !isStoreError(error)) return undefined;
    const cause = this.foldFailure;
    const entry = this.entries.find((one) => one.offset === offset);
    if (entry === undefined || !isAbout(cause, offset)) return undefined;
    return { entry, error: cause };
  }

  explained(error: unknown): unknown {
    return this.base === undefined ? error : explained(error, this.bad, this.base.snapshot);
  }

  /** After a failure: what was opened for reading goes. */
  async abandon(): Promise<void> {
    await this.base?.snapshot?.close().catch(() => undefined);
  }
}
