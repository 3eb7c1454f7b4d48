/**
 * Sees frames to the disk, one at a time, and reports them to the sink in order. What a frame
 * looks like is appender.ts, the calls are disk-writer.ts, the next segment comes from
 * segment-roll.ts; this file decides what happens when.
 *
 * Invariants: frames are reported in log order, each once, the next only after release(); nothing
 * is reported after a failure; a failed write or sync is never repeated.
 */
import { StoreError } from '../src/base/errors.ts';
import type { Thread } from '../src/base/thread.ts';
import { type Appender, frameRoom } from './appender.ts';
import { type DiskEvents, DiskWriter } from './disk-writer.ts';
import type { SyncPolicy } from './durability.ts';
import { FlushPace } from './flush-pace.ts';
import { FlushWaiters } from './flush-waiters.ts';
import type { Frame, FrameQueue } from './frame-queue.ts';
import { FramesUnderWay } from './frames-under-way.ts';
import { asNotDone, ioError, stopped } from './log-error.ts';
import { MarkTimer } from './mark-timer.ts';
import type { LogSink } from './ordered-log.ts';
import type { SegmentRoll } from './segment-roll.ts';
import { SyncTrigger } from './sync-trigger.ts';
import { WriteStats } from './write-stats.ts';

/** A lone commit larger than this does not block the thread. */
const BLOCKING_BYTES = 64 * 1024;
/** How long frames may be written and reported without a turn of the event loop. */
const SLICE_MS = 2;

export interface PumpParts<T> {
  readonly queue: FrameQueue<T>;
  readonly appender: Appender;
  readonly roll: SegmentRoll;
  readonly policy: SyncPolicy;
  readonly thread: Thread;
  readonly sink: LogSink<T>;
  /** May a lone caller be served without leaving the thread? */
  readonly mayBlock: boolean;
  /** Something is about to be written. */
  readonly onWrite: () => void;
}

export class FramePump<T> implements DiskEvents {
  acceptedOffset: number;
  /** Why nothing can be written any more. */
  poison: StoreError | undefined;
  readonly counters: WriteStats = new WriteStats();
  readonly disk: DiskWriter;
  private readonly parts: PumpParts<T>;
  private readonly pace: FlushPace;
  private readonly waiters = new FlushWaiters();
  private readonly marks: MarkTimer;
  private readonly syncs: SyncTrigger;
  private readonly way = new FramesUnderWay<T>();
  private isPumping = false;
  private isDrained = false;
  private onProgress: (() => void) | undefined;

  constructor(parts: PumpParts<T>) {
    this.parts = parts;
    const { appender, thread, policy } = parts;
    this.acceptedOffset = appender.end.offset;
    this.pace = new FlushPace(thread, () => this.pump());
    this.disk = new DiskWriter(appender, policy.isAlways, thread, this.counters, this);
    this.marks = new MarkTimer(thread, this.disk);
    this.syncs = new SyncTrigger(thread, policy, this.disk);
    parts.roll.onChange = () => this.pump();
  }

  get pendingCommits(): number {
    return this.parts.queue.waitingCommits + this.way.commits;
  }
  get pendingBytes(): number {
    return this.parts.queue.waitingBytes + this.way.bytes;
  }

  /** A commit joined the queue. Called inside a command, so the sink is not called from here. */
  commitWaits(): void {
    if (this.parts.queue.hasFullFrame && this.canSendFull) this.pump(true);
    else if (!this.pace.isScheduled) this.schedule();
  }

  /** At 'always' a write starts and returns. */
  private get canSendFull(): boolean {
    const { policy, appender, queue } = this.parts;
    return policy.isAlways && !this.isBusy && appender.room >= frameRoom(queue.nextPayloadBytes);
  }

  /** Below 'always', between commands: a turn may bring more commits than frames should wait. */
  sendFull(): void {
    if (this.parts.queue.hasFullFrame && !this.parts.policy.isAlways) this.pump(true);
  }

  private schedule(): void {
    if (this.isPumping || this.isBusy || this.way.reported !== undefined) return;
    if (!this.parts.queue.isEmpty) this.pace.schedule();
  }

  private get isBusy(): boolean {
    return this.poison !== undefined || this.way.isFull || this.disk.isWriting;
  }

  /** Sends what can be sent. While the sink still has a frame only full ones go ahead. */
  private pump(onlyFull: boolean = false): void {
    if (this.isPumping) return;
    this.isPumping = true;
    const { queue, policy, thread } = this.parts;
    // Below 'always' frames are written and applied right here: not for longer than a slice.
    const until = policy.isAlways ? 0 : thread.monotonicMs() + SLICE_MS;
    while (!this.isBusy && !queue.isEmpty) {
      if ((onlyFull || this.way.reported !== undefined) && !queue.hasFullFrame) break;
      if (!this.makeRoom(frameRoom(queue.nextPayloadBytes))) break;
      this.send();
      if (until > 0 && !onlyFull && thread.monotonicMs() > until) {
        this.pace.nextTurn();
        break;
      }
    }
    this.isPumping = false;
    this.noteProgress();
  }

  private send(): void {
    const { queue, policy } = this.parts;
    const isLone = queue.waitingCommits === 1 && queue.nextPayloadBytes <= BLOCKING_BYTES;
    const frame = queue.take() as Frame<T>;
    const commits = frame.tickets.length;
    this.pace.noteFrame(commits);
    const isBlocking = isLone && this.parts.mayBlock && this.pace.mayBlock;
    if (isBlocking || !policy.isAlways) this.pace.noteBlocking();
    this.way.inFlight = frame;
    this.counters.framesWritten++;
    this.counters.commitsWritten += commits;
    this.counters.recordsWritten += frame.recordCount;
    this.parts.onWrite();
    this.disk.write(frame, isBlocking);
  }

  private makeRoom(bytes: number): boolean {
    const { appender, roll } = this.parts;
    if (appender.room >= bytes) return true;
    if (!appender.isSynced) {
      this.syncs.now();
      return false;
    }
    if (roll.enter(appender, bytes)) {
      this.counters.segmentsEntered++;
      return true;
    }
    if (roll.failure !== undefined) this.refuseWaiting(roll.failure);
    return false;
  }

  /** Commits taken in before the disk was known to be full: given back untouched, if the sink can do that. */
  private refuseWaiting(failure: StoreError): void {
    const { sink } = this.parts;
    if (this.way.isEmpty && sink.refused !== undefined) sink.refused(this.dropWaiting(failure));
  }

  written(error: Error | null): void {
    const frame = this.way.inFlight;
    if (this.poison !== undefined || frame === undefined) return this.noteProgress();
    if (error !== null) return this.fail(error, 'write');
    this.way.inFlight = undefined;
    if (this.parts.policy.isAlways) {
      this.pace.noteSync(this.disk.lastSyncMs);
      this.marks.arm();
      this.parts.roll.noteSynced();
    } else this.syncs.afterWrite(frame.mustSync || this.waiters.isWaiting);
    if (this.way.reported === undefined) this.report(frame);
    else this.way.done = frame;
  }

  private report(frame: Frame<T>): void {
    const { sink, policy, queue } = this.parts;
    this.way.reported = frame;
    // The disk works on the next full frame while this one is applied.
    if (queue.hasFullFrame && policy.isAlways) this.pump(true);
    this.acceptedOffset = frame.lastOffset;
    try {
      if (policy.isAlways) sink.synced(frame.lastOffset);
      sink.accepted(frame);
    } catch (cause) {
      this.fail(
        new StoreError('INTERNAL_ERROR', 'an accepted frame could not be applied', {
          details: { outcome: 'unknown' },
          cause,
        }),
        'apply',
      );
    }
    this.reachWaiters();
  }

  release(frame: Frame<T>): void {
    const next = this.way.done;
    this.way.done = undefined;
    this.way.reported = undefined;
    this.parts.queue.release(frame);
    if (this.poison !== undefined) this.noteProgress();
    else if (next !== undefined) this.report(next);
    else {
      this.schedule();
      this.noteProgress();
    }
  }

  synced(error: Error | null): void {
    if (this.poison !== undefined) return this.noteProgress();
    if (error !== null) return this.fail(error, 'sync');
    this.marks.arm();
    this.parts.roll.noteSynced();
    this.parts.sink.synced(this.parts.appender.synced.offset);
    this.reachWaiters();
    this.syncs.afterSync();
    this.pump();
  }

  marked(error: Error | null): void {
    if (error !== null) this.fail(error, 'write');
    else this.pump();
  }

  private reachWaiters(): void {
    this.waiters.reached(Math.min(this.acceptedOffset, this.parts.appender.synced.offset));
  }

  flush(): Promise<number> {
    if (this.poison !== undefined) return Promise.reject(this.poison);
    const { appender, queue, policy } = this.parts;
    const target = queue.nextOffset - 1;
    if (target <= Math.min(this.acceptedOffset, appender.synced.offset))
      return Promise.resolve(appender.synced.offset);
    const result = this.waiters.add(target, () => appender.synced.offset);
    if (!policy.isAlways && queue.isEmpty) this.syncs.now();
    return result;
  }

  /** Nothing is retried and nothing cut: what of it is on the disk, the next opening finds out. */
  fail(cause: Error, what: string): void {
    if (this.poison !== undefined || this.isDrained) return;
    const { appender, queue, roll, sink } = this.parts;
    const unknown = ioError(cause, what, appender.segment?.path ?? '', 'unknown');
    this.poison = stopped(unknown);
    const tried = this.way.tickets();
    const waiting = queue.dropAll();
    this.stopTimers();
    void roll.stop();
    this.waiters.fail(unknown, 0);
    sink.failed({ error: unknown, tickets: tried }, { error: this.poison, tickets: waiting });
    this.noteProgress();
  }

  private stopTimers(): void {
    this.marks.stop();
    this.syncs.stop();
  }

  /** Resolves when everything taken in is reported and released, and no call is under way. */
  async drain(): Promise<void> {
    this.pump();
    while (!this.isIdle) {
      if (this.isStuck) this.giveUpWaiting();
      else await new Promise<void>((resolve) => (this.onProgress = resolve));
    }
    this.stopTimers();
    this.isDrained = true;
  }

  private get isIdle(): boolean {
    if (this.disk.isWriting || this.disk.isSyncing) return false;
    return this.poison !== undefined || (this.parts.queue.isEmpty && this.way.isEmpty);
  }

  /** Waiting for a segment a full disk does not give. */
  private get isStuck(): boolean {
    const { roll, appender } = this.parts;
    if (this.disk.isWriting || this.disk.isSyncing) return false;
    return roll.failure !== undefined && this.way.isEmpty && appender.isSynced;
  }

  private giveUpWaiting(): void {
    const waiting = this.dropWaiting(this.parts.roll.failure as StoreError);
    this.parts.sink.failed({ error: waiting.error, tickets: [] }, waiting);
  }

  private dropWaiting(failure: StoreError): { error: StoreError; tickets: T[] } {
    const error = asNotDone(failure);
    const tickets = this.parts.queue.dropAll();
    this.waiters.fail(error, this.parts.queue.nextOffset);
    return { error, tickets };
  }

  private noteProgress(): void {
    const run = this.onProgress;
    this.onProgress = undefined;
    run?.();
  }
}
