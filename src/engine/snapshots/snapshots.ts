/**
 * The snapshots of a store that is open for writing: when one is taken, how it comes to count, and
 * what may go then. Order, so that dying at any point leaves a store that opens to the same state:
 *
 *   1. the file is written aside, synced, renamed, read back (the job);
 *   2. the manifest names it, in both slots, and names no more than are kept;
 *   3. files it does not name are removed;
 *   4. log before the oldest one kept is dropped, oldest first.
 *
 * One thing at a time. A failure ends the attempt and never stops writers; the next trigger, not
 * before a while, tries again.
 */
import { StoreError, isStoreError } from '../../base/errors.ts';
import type { CatalogueEntry } from '../../snapshot/catalogue.ts';
import { corrupt } from '../../../wal/log-error.ts';
import type { Truncation } from '../../../wal/log-types.ts';
import { MANIFEST_NAME } from '../../../wal/segment-name.ts';
import { framesOf } from '../../../wal/read-frames.ts';
import { HASH_KEY_BYTES } from '../new-state.ts';
import { Holds } from './holds.ts';
import { isAbout } from './load-newest.ts';
import type { SnapshotParts, TakenSnapshot } from './parts.ts';
import { type Kept, Published } from './published.ts';
import { isScheduled, isSnapshotDue, isSnapshotOverdue, retryDelayMs } from './schedule.ts';

/** Attempts that may fail before a base that cannot be read counts as damaged. */
const PATIENCE = 2;

export class Snapshots {
  readonly holds: Holds = new Holds();
  private readonly parts: SnapshotParts;
  private readonly published: Published;
  private readonly isScheduled: boolean;
  private isClosing = false;
  private readonly stopping = new AbortController();
  /** Everything that changes files goes through here, one after the other. */
  private last: Promise<unknown> = Promise.resolve();
  private isRunning = false;
  /** One was started by itself and did not end yet. */
  private isTriggered = false;
  private startedAt = Number.NEGATIVE_INFINITY;
  /** Payload bytes of the log since opening, what was replayed included; and at the newest snapshot. */
  private logBytes: number;
  private coveredBytes = 0;
  private taken = 0;
  private failed = 0;
  private failuresInRow = 0;
  private failedAt = 0;
  private lastDurationMs = 0;

  constructor(parts: SnapshotParts) {
    this.parts = parts;
    this.published = new Published(parts, this.holds);
    this.isScheduled = isScheduled(parts.settings);
    this.logBytes = parts.replayedBytes;
  }

  /** What counts, oldest first. */
  get entries(): readonly CatalogueEntry[] {
    return this.published.entries;
  }

  /** A frame was applied. Cheap: called for each. */
  noteFrame(payloadBytes: number): void {
    this.logBytes += payloadBytes;
    if (this.isRunning) this.parts.runner.noteFrame();
    if (this.isScheduled) this.takeIfDue();
  }

  /** Also called once after opening: the log may have grown in many short lives. */
  takeIfDue(): void {
    if (!this.isScheduled || this.isTriggered || this.isRunning) return;
    const { thread, settings } = this.parts;
    const now = thread.monotonicMs();
    if (this.failuresInRow > 0 && now - this.failedAt < retryDelayMs(this.failuresInRow)) return;
    if (isSnapshotDue(settings, this.uncovered(now))) this.takeByItself();
  }

  private takeByItself(): void {
    const { logger, location } = this.parts;
    this.isTriggered = true;
    this.take()
      .catch((error: unknown) => {
        if (isStoreError(error, 'STORE_CLOSED')) return;
        const message = 'taking a snapshot failed; it will be tried again';
        logger.log('warn', message, { location, error });
      })
      .finally(() => (this.isTriggered = false));
  }

  private uncovered(now: number): Parameters<typeof isSnapshotDue>[1] {
    const { log } = this.parts;
    const newest = this.entries.at(-1);
    const covered = newest?.offset ?? 0;
    return {
      records: log.acceptedOffset - covered,
      bytes: this.logBytes - this.coveredBytes,
      segments: () => segmentsBehind(log.files.segments.held, covered),
      snapshotBytes: newest?.sizeBytes ?? 0,
      elapsedMs: now - this.startedAt,
    };
  }

  /** A snapshot of everything accepted so far, or the newest one where it is that. @throws {StoreError} */
  async take(): Promise<TakenSnapshot> {
    return this.inTurn(async () => {
      const through = await this.parts.log.flush();
      const newest = this.newestGood();
      if (newest !== undefined && newest.offset >= through) return asTaken(newest);
      if (through === 0) return { offset: 0, bytes: 0 };
      return this.run(through);
    });
  }

  /** See Store.compact(). @throws {StoreError} */
  async compact(isForced: boolean): Promise<Truncation> {
    const which: Kept = isForced ? 'newest' : 'kept';
    const before = this.published.dropped;
    const taking = this.take();
    // On a full disk there is no room for another one; what the last one covers can make some.
    await taking.catch((error: unknown) => {
      if (isStoreError(error, 'CORRUPT')) throw error;
    });
    await this.inTurn(async () => {
      await this.makeSure(which);
      await this.published.retain(which);
    });
    // The snapshot taken first may have let go of some of it already.
    const after = this.published.dropped;
    const segments = after.segments - before.segments;
    if (segments === 0) await taking;
    return { segments, bytesFreed: after.bytesFreed - before.bytesFreed };
  }

  /** Nothing is dropped for a snapshot that cannot be read: another one is made of what can. @throws {StoreError} */
  private async makeSure(which: Kept): Promise<void> {
    for (;;) {
      const damage = await this.published.firstDamage(which);
      if (damage === undefined) return;
      this.parts.onBad(damage);
      await this.run(await this.parts.log.flush());
    }
  }

  /** Files of a process that died; what of them stays is met again. */
  async removeLeftovers(names: readonly string[]): Promise<void> {
    const { logger, location } = this.parts;
    await this.published.removeLeftovers(names).catch((error: unknown) => {
      logger.log('warn', 'removing old snapshots failed', { location, error });
    });
  }

  /** A snapshot that counted is damaged: another one is made at once, from files that are not, for the next opening. */
  replace(offset: number): void {
    this.published.bad.add(offset);
    this.takeByItself();
  }

  private newestGood(): CatalogueEntry | undefined {
    return this.published.good.at(-1);
  }

  /** After what is under way, whatever became of it; not at all once the store is closing. */
  private inTurn<R>(run: () => Promise<R>): Promise<R> {
    const { signal } = this.stopping;
    const result = this.last.then(async () => {
      if (this.isClosing) throw closed();
      this.isRunning = true;
      try {
        return await run();
      } catch (error) {
        throw signal.aborted ? closed() : error;
      } finally {
        this.isRunning = false;
      }
    });
    this.last = result.catch(() => undefined);
    return result;
  }

  private async run(through: number): Promise<TakenSnapshot> {
    const { thread, onSnapshot, logger, location } = this.parts;
    const startedAt = thread.monotonicMs();
    this.startedAt = startedAt;
    const bytesAtCut = this.logBytes;
    try {
      const made = await this.make(through);
      await this.published.publish(made);
      this.coveredBytes = bytesAtCut;
      this.taken++;
      this.failuresInRow = 0;
      this.lastDurationMs = thread.monotonicMs() - startedAt;
      onSnapshot({ ...asTaken(made), durationMs: this.lastDurationMs });
      // It counts whatever becomes of the log now: that is tried again with the next one.
      await this.published.retainByItself().catch((error: unknown) => {
        logger.log('warn', 'dropping old log failed; it will be tried again', { location, error });
      });
      return asTaken(made);
    } catch (error) {
      this.failed++;
      this.failuresInRow++;
      this.failedAt = thread.monotonicMs();
      throw error;
    }
  }

  /** From the newest snapshot that proves sound, at last from the first record. `before`: why not from a newer one. */
  private async make(through: number, before?: StoreError): Promise<CatalogueEntry> {
    const { log, runner, random, directory } = this.parts;
    const base = this.newestGood();
    const { firstOffset } = log.files.segments;
    if (base === undefined && firstOffset > 1) throw before ?? noBase(firstOffset);
    const task = {
      directory,
      storeId: log.recovery.storeId,
      base,
      frames: framesOf(log.files, base?.offset ?? 0),
      through,
      hashKey: random.bytes(HASH_KEY_BYTES),
    };
    try {
      return await runner.run(task, this.stopping.signal);
    } catch (error) {
      if (base === undefined || !isAbout(error, base.offset)) throw error;
      // A disk that gives errors now may not do so later: that alone costs no snapshot at once.
      if (error.code === 'WAL_IO_ERROR' && this.failuresInRow < PATIENCE) throw error;
      this.published.bad.add(base.offset);
      this.parts.onBad(error);
      return this.make(through, error);
    }
  }

  /** Names are listed in docs/operations.md. */
  stats(): Readonly<Record<string, unknown>> {
    const newest = this.entries.at(-1);
    return {
      snapshots: {
        count: this.entries.length,
        newestOffset: newest?.offset ?? 0,
        newestBytes: newest?.sizeBytes ?? 0,
        taken: this.taken,
        failed: this.failed,
        lastDurationMs: this.lastDurationMs,
        running: this.isRunning,
      },
      ...this.published.stats(),
    };
  }

  /** Ends what is under way, or waits for it where it is overdue; resolves when nothing touches a file any more. */
  async close(): Promise<void> {
    // One that is due since just now begins with this.
    await Promise.resolve();
    this.isClosing = true;
    const { thread, settings } = this.parts;
    const isAwaited =
      this.isTriggered && isSnapshotOverdue(settings, this.uncovered(thread.monotonicMs()));
    if (!isAwaited) this.stopping.abort(closed());
    await this.last;
    await this.parts.runner.close();
  }

  /** Nothing of it needs to be waited for. */
  get isIdle(): boolean {
    return !this.isRunning && !this.isTriggered;
  }
}

function asTaken({ offset, sizeBytes }: CatalogueEntry): TakenSnapshot {
  return { offset, bytes: sizeBytes };
}

function noBase(firstOffset: number): StoreError {
  const message = `the log begins with record ${firstOffset}, and no snapshot that can be used reaches it`;
  return corrupt(MANIFEST_NAME, 0, message, firstOffset);
}

function closed(): StoreError {
  return new StoreError('STORE_CLOSED', 'the store was closed');
}

/** Files of the log with records behind an offset. */
function segmentsBehind(
  held: readonly { readonly firstOffset: number }[],
  covered: number,
): number {
  let count = 0;
  for (let i = held.length - 1; i >= 0; i--) {
    count++;
    if ((held[i] as { readonly firstOffset: number }).firstOffset <= covered + 1) break;
  }
  return count;
}
