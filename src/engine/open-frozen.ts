/**
 * Opening a directory to read, without its lock: the newest sound snapshot and the log behind it,
 * as they are at this moment. A live writer may replace both meanwhile; then reading starts over.
 */
import type { StoreError } from '../base/errors.ts';
import { Fold } from '../state/fold.ts';
import type { State } from '../state/state.ts';
import { decodeCatalogue } from '../snapshot/catalogue.ts';
import type { SnapshotFile } from '../snapshot/snapshot-file.ts';
import { RecordCursor } from '../../wal/payload.ts';
import type { ManifestState } from '../../wal/manifest.ts';
import { type LiveScan, scanLive } from '../../wal/scan-live.ts';
import type { OnFrame } from '../../wal/scan-report.ts';
import type { ReadStore, RecoveryReport } from './api/store.ts';
import { explained, impossible } from './impossible.ts';
import { newState } from './new-state.ts';
import type { Settings } from './options.ts';
import { FrozenStore } from './read-store.ts';
import { isSnapshotFile } from './snapshots/file-names.ts';
import { LazyContexts } from './snapshots/lazy-contexts.ts';
import { type BadSnapshot, isAbout, loadNewest } from './snapshots/load-newest.ts';
import { foreignPast } from './time-travel/past-source.ts';
import { timeTravel } from './time-travel/time-travel.ts';
import { verifyStore } from './verify-store.ts';

export async function openFrozen(location: string, settings: Settings): Promise<ReadStore> {
  const { fileIo, thread, logger } = settings;
  const startedAt = thread.monotonicMs();
  const reading = new Reading(location, settings);
  const { report, files, recovery: found } = await reading.run();
  const { segments, recordsRead, bytesTruncated, firstBadOffset } = found;
  const recovery: RecoveryReport = {
    snapshotOffset: reading.snapshot?.offset ?? 0,
    recordsReplayed: recordsRead,
    segments,
    bytesTruncated,
    ...(firstBadOffset === undefined ? {} : { firstBadOffset }),
    recordsUnattested: found.recordsUnattested,
    strayFiles: found.strayFiles.filter((name) => !isSnapshotFile(name)),
    durationMs: thread.monotonicMs() - startedAt,
  };
  const storeId = Buffer.from(report.manifest.state.storeId).toString('hex');
  const { state } = reading;
  let store: FrozenStore | undefined;
  const contexts = reading.contexts((error) => store?.damaged(error));
  store = new FrozenStore(
    {
      location,
      storeId,
      state,
      recovery,
      logger,
      verify: () => verifyStore(location, { fileIo }),
      contexts,
      travel: timeTravel(settings, { state, storeId, source: foreignPast(files) }),
    },
    settings,
  );
  contexts?.start();
  return store;
}

class Reading {
  state: State;
  snapshot: SnapshotFile | undefined;
  private readonly location: string;
  private readonly settings: Settings;
  private fold: Fold;
  private failures: readonly BadSnapshot[] = [];
  /** Whole where opening looks, and damaged where the log goes on from. */
  private readonly passedOver = new Set<number>();
  private foldFailure: unknown = undefined;
  private readonly cursor = new RecordCursor();

  constructor(location: string, settings: Settings) {
    this.location = location;
    this.settings = settings;
    this.state = newState(settings.random);
    this.fold = new Fold(this.state);
  }

  async run(): Promise<LiveScan> {
    for (;;) {
      try {
        return await scanLive(this.settings.fileIo, this.location, {
          before: (manifest) => this.begin(manifest),
          onFrame: this.onFrame,
        });
      } catch (error) {
        const { snapshot } = this;
        await snapshot?.close().catch(() => undefined);
        // Met only when a record behind it was applied: the one before it stands in.
        if (snapshot === undefined || !isAbout(this.foldFailure, snapshot.offset))
          throw explained(error, this.failures, snapshot);
        this.foldFailure = undefined;
        this.passedOver.add(snapshot.offset);
      }
    }
  }

  /** Gives the last record that need not be read. Called again when reading starts over. */
  private async begin({ extra, storeId }: ManifestState): Promise<number> {
    const { fileIo, random } = this.settings;
    await this.snapshot?.close().catch(() => undefined);
    this.snapshot = undefined;
    const { state, snapshot, bad } = await loadNewest({
      fileIo,
      directory: this.location,
      storeId,
      entries: decodeCatalogue(extra).filter(({ offset }) => !this.passedOver.has(offset)),
      contexts: 'lazy',
      newState: () => newState(random),
    });
    this.state = state;
    this.snapshot = snapshot;
    this.failures = bad;
    this.fold = new Fold(state);
    return state.offset;
  }

  private readonly onFrame: OnFrame = (bytes, start, end, firstOffset) => {
    const { cursor, fold, state } = this;
    try {
      cursor.reset(bytes, start, end, firstOffset);
      while (cursor.advance())
        if (cursor.offset > state.offset)
          fold.apply(bytes, cursor.start, cursor.end, cursor.offset);
    } catch (error) {
      this.foldFailure = error;
      throw impossible(error, state.offset + 1);
    }
  };

  contexts(onBad: (error: StoreError) => void): LazyContexts | undefined {
    const { snapshot } = this;
    const { thread, logger } = this.settings;
    return snapshot && new LazyContexts({ snapshot, thread, logger, onBad, onBadIndex: onBad });
  }
}
