/**
 * The one flow: command -> decide -> encode -> log -> apply -> acknowledge. Commands are decided
 * elsewhere against state and overlay; here their records enter the log, and what the log has
 * accepted is folded into state and answered, in log order, in slices that keep the thread free.
 *
 * Invariants: state changes only in run(), record by record, in offset order; nobody is told
 * anything decided over commits that wait before those are accepted; after a failure nothing more
 * is accepted.
 */
import { invariant } from '../base/assert.ts';
import type { ByteWriter } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { StoreError } from '../base/errors.ts';
import type { Thread } from '../base/thread.ts';
import { Annotations } from '../record/annotations.ts';
import { encodePurge } from '../record/encode.ts';
import { RECORD_KIND } from '../record/kind.ts';
import { Fold } from '../state/fold.ts';
import { Overlay } from '../state/overlay.ts';
import type { State } from '../state/state.ts';
import type { Frame } from '../../wal/frame-queue.ts';
import type { LogSink, OrderedLog } from '../../wal/ordered-log.ts';
import { RecordCursor } from '../../wal/payload.ts';
import { LIMITS } from './limits.ts';
import type { Cutoffs, Retention } from './retention.ts';
import { type Ticket, WaitQueue } from './ticket.ts';

export type EngineLog = OrderedLog<Ticket | undefined>;
type EngineFrame = Frame<Ticket | undefined>;

export interface PipelineOptions {
  readonly state: State;
  readonly clock: Clock;
  readonly thread: Thread;
  readonly retention: Retention;
  /** The engine failed or was cut off from its log. */
  readonly onFailure: (error: StoreError) => void;
}

export class Pipeline implements LogSink<Ticket | undefined> {
  readonly state: State;
  readonly overlay: Overlay;
  readonly notes: Annotations = new Annotations();
  private readonly fold: Fold;
  private readonly clock: Clock;
  private readonly thread: Thread;
  private readonly retention: Retention;
  private readonly onFailure: (error: StoreError) => void;
  private log!: EngineLog;
  private readonly visible = new WaitQueue();
  private readonly synced$ = new WaitQueue();

  /** Time of the commit being encoded. */
  now = 0;
  /** Several records go into the open commit. */
  private inGroup = false;
  private isFirstRecord = false;

  private frame: EngineFrame | undefined;
  private nextTicket = 0;
  private readonly cursor = new RecordCursor();
  private readonly resume = (): void => this.run();
  /** First refusal of a post since the last flush. */
  postRefusal: StoreError | undefined;
  private isFailed = false;

  constructor(options: PipelineOptions) {
    this.state = options.state;
    this.overlay = new Overlay(options.state);
    this.fold = new Fold(options.state);
    this.clock = options.clock;
    this.thread = options.thread;
    this.retention = options.retention;
    this.onFailure = options.onFailure;
  }

  /** The log needs the pipeline as its sink, the pipeline the log: this closes the ring. */
  connect(log: EngineLog): void {
    this.log = log;
  }

  // ---- recovery: the flow entered at apply -----------------------------------------------------

  /** Folds a frame of a log that is being read. */
  replay(bytes: Uint8Array, start: number, end: number, firstOffset: number): void {
    const cursor = this.cursor;
    cursor.reset(bytes, start, end, firstOffset);
    while (cursor.advance()) this.fold.apply(bytes, cursor.start, cursor.end, cursor.offset);
  }

  /** Nobody is left waiting once the store is closed. */
  close(): void {
    const error = new StoreError('STORE_CLOSED', 'the store was closed');
    this.visible.fail(error);
    this.synced$.fail(error);
  }

  // ---- encode ----------------------------------------------------------------------------------

  /** @throws {StoreError} STORE_CLOSED, WAL_IO_ERROR: no command is taken in now. */
  admit(): void {
    this.log.admit();
  }

  /** Milliseconds since the epoch, for a command that is about to be decided. */
  readClock(): number {
    this.now = Math.trunc(this.clock.now());
    return this.now;
  }

  /** Offset the next record gets, also inside a group. */
  get nextOffset(): number {
    return this.log.openOffset;
  }

  /** Of the last record that waits or was applied: what a decision made now may depend on. */
  get pendingOffset(): number {
    return this.log.nextOffset - 1;
  }

  /** Room for one record; encode, then closeRecord(). @throws {StoreError} RATE_LIMITED */
  openRecord(): ByteWriter {
    if (!this.inGroup) {
      this.log.checkRoom();
      this.maintain();
      this.log.begin();
      this.isFirstRecord = true;
    }
    return this.log.beginRecord();
  }

  /** What the encoder writes as time: the commit's on its first record, nothing on the others. */
  get recordTime(): number | undefined {
    return this.isFirstRecord ? this.now : undefined;
  }

  /** Ends the record and, outside a group, the commit. Gives its offset. @throws {StoreError} RECORD_TOO_LARGE - nothing was written. */
  closeRecord(ticket: Ticket | undefined, mustSync: boolean): number {
    const offset = this.log.openOffset;
    try {
      this.log.endRecord();
    } catch (error) {
      if (this.inGroup) this.log.dropRecord();
      else this.log.abort();
      throw error;
    }
    this.isFirstRecord = false;
    if (!this.inGroup) this.log.commit(ticket, mustSync);
    return offset;
  }

  /** Starts a commit of several records; ends with commitGroup() or abortGroup(). */
  openGroup(): void {
    this.log.checkRoom();
    this.readClock();
    this.maintain();
    this.log.begin();
    this.inGroup = true;
    this.isFirstRecord = true;
    this.overlay.begin();
    this.groupMark = this.state.instances.free.mark();
  }

  private groupMark = 0;

  /** False when the group has no record: then there is no commit, and nobody will be told. */
  commitGroup(ticket: Ticket, mustSync: boolean): boolean {
    this.inGroup = false;
    this.overlay.forget();
    this.state.instances.free.forget(this.groupMark);
    if (this.isFirstRecord) {
      this.log.abort();
      return false;
    }
    this.log.commit(ticket, mustSync);
    return true;
  }

  abortGroup(): void {
    this.inGroup = false;
    this.log.abort();
    this.overlay.rollback();
    this.state.instances.free.rollback(this.groupMark);
  }

  get isInGroup(): boolean {
    return this.inGroup;
  }

  /** Drops what clock and limits say is over, as a record of its own: never by itself. */
  private maintain(): void {
    const due = this.retention.due(this.state, this.overlay.keys.size, this.now);
    if (due === undefined) return;
    this.logPurge(due);
  }

  private logPurge(due: Cutoffs): void {
    this.log.begin();
    encodePurge(this.log.beginRecord(), this.now, due.deletedThrough, due.keysThrough);
    this.log.endRecord();
    this.log.commit(undefined, false);
    this.retention.decided(due);
  }

  /** A key past its retention is about to be used again: those written at or before `time` go first, in slices. */
  purgeExpiredKeys(time: number): void {
    invariant(!this.inGroup, 'keys expire before a group opens');
    for (const keysThrough of this.state.keys.cutoffs(time, LIMITS.purgeEntries)) {
      if (!this.retention.isKeyPurged(keysThrough))
        this.logPurge({ keysThrough, deletedThrough: 0 });
    }
  }

  isKeyPurged(offset: number): boolean {
    return this.retention.isKeyPurged(offset);
  }

  // ---- waiting ---------------------------------------------------------------------------------

  /** Runs once everything that waits now is visible; at once when nothing waits. */
  afterPending(run: () => void, fail: (error: StoreError) => void): void {
    this.afterOffset(this.pendingOffset, run, fail);
  }

  afterOffset(offset: number, run: () => void, fail: (error: StoreError) => void): void {
    if (offset <= this.state.offset && this.visible.isEmpty) run();
    else this.visible.add(offset, run, fail);
  }

  /** A refusal as a rejected promise: at once if it rests on applied state alone, else with the commits it rests on. */
  refuse(error: unknown, overPending: boolean): Promise<never> {
    if (!overPending || this.pendingOffset <= this.state.offset) return Promise.reject(error);
    return new Promise<never>((_, reject) => this.afterPending(() => reject(error), reject));
  }

  /** Everything accepted so far is synced. */
  async flush(): Promise<number> {
    const target = this.pendingOffset;
    const offset = await this.log.flush();
    if (this.state.offset < target)
      await new Promise<void>((resolve, reject) => this.afterOffset(target, resolve, reject));
    const refusal = this.postRefusal;
    this.postRefusal = undefined;
    if (refusal !== undefined) throw refusal;
    return offset;
  }

  // ---- log -> apply -> acknowledge ---------------------------------------------------------------

  accepted(frame: EngineFrame): void {
    this.frame = frame;
    this.nextTicket = 0;
    this.cursor.reset(frame.writer.bytes, frame.payloadStart, frame.payloadEnd, frame.firstOffset);
    this.run();
  }

  synced(offset: number): void {
    this.synced$.reached(offset);
  }

  failed(
    tried: { readonly error: StoreError; readonly tickets: readonly (Ticket | undefined)[] },
    waiting: { readonly error: StoreError; readonly tickets: readonly (Ticket | undefined)[] },
  ): void {
    this.isFailed = true;
    this.overlay.drop();
    this.state.machines.dropWaiting();
    for (const ticket of tried.tickets) ticket?.fail(tried.error);
    for (const ticket of waiting.tickets) ticket?.fail(waiting.error);
    this.visible.fail(tried.error);
    this.synced$.fail(tried.error);
    this.onFailure(tried.error);
  }

  /** Applies and answers commits of the accepted frame until it is done or the slice is over. */
  private run(): void {
    const frame = this.frame;
    if (frame === undefined || this.isFailed) return;
    const sliceEnd = this.thread.monotonicMs() + LIMITS.sliceMs;
    const bytes = frame.writer.bytes;
    const cursor = this.cursor;
    let commits = 0;
    while (cursor.advance()) {
      const ticket = frame.tickets[this.nextTicket];
      this.fold.apply(bytes, cursor.start, cursor.end, cursor.offset);
      if (this.overlay.size > 0) this.leaveOverlay(cursor.offset);
      ticket?.applied(cursor.offset);
      if (!cursor.isLastOfCommit) continue;
      this.nextTicket++;
      if (ticket !== undefined) this.acknowledge(ticket, cursor.offset);
      if (!this.visible.isEmpty) this.visible.reached(cursor.offset);
      if ((++commits & LIMITS.sliceCheckMask) === 0 && this.thread.monotonicMs() > sliceEnd) {
        this.thread.nextTurn(this.resume);
        return;
      }
    }
    this.frame = undefined;
    this.forgetKeys();
    this.log.release(frame);
  }

  private leaveOverlay(offset: number): void {
    const record = this.fold.record;
    if (
      record.kind === RECORD_KIND.apply ||
      record.kind === RECORD_KIND.create ||
      record.kind === RECORD_KIND.delete
    ) {
      this.overlay.applied(record.handle, offset);
    }
  }

  private acknowledge(ticket: Ticket, offset: number): void {
    if (!ticket.mustSync || offset <= this.log.durableOffset) ticket.settle();
    else
      this.synced$.add(
        offset,
        () => ticket.settle(),
        (error) => ticket.fail(error),
      );
  }

  /** Keys of applied commits are in the state now. */
  private forgetKeys(): void {
    for (const [scoped, pending] of this.overlay.keys) {
      if (pending.offset > this.state.offset) break;
      this.overlay.keys.delete(scoped);
    }
  }
}

/** The state of a live store cannot be trusted any more: stop, and let the log decide at the next open. */
export function halted(cause: unknown): StoreError {
  return new StoreError(
    'INTERNAL_ERROR',
    'applying an accepted record failed; the store stops writing and must be reopened',
    {
      details: { outcome: 'unknown' },
      cause,
    },
  );
}
