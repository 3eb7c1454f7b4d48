/**
 * The one flow: command -> decide -> encode -> log -> apply -> acknowledge. Commands are decided
 * elsewhere against state and overlay; here their records enter the log, and what the log has
 * accepted is folded into state and answered, in log order, in slices that keep the thread free.
 *
 * Invariants: state changes only in run(), record by record, in offset order; nobody is told
 * anything decided over commits that wait before those are accepted; after a failure nothing more
 * is accepted.
 */
import { ByteCopies } from '../base/byte-copies.ts';
import type { Clock } from '../base/clock.ts';
import { isStoreError, StoreError } from '../base/errors.ts';
import type { Thread } from '../base/thread.ts';
import { KiB } from '../base/units.ts';
import { Annotations } from '../record/annotations.ts';
import { RECORD_KIND } from '../record/kind.ts';
import { Fold } from '../state/fold.ts';
import { Overlay } from '../state/overlay.ts';
import type { State } from '../state/state.ts';
import type { Frame } from '../../wal/frame-queue.ts';
import type { LogSink } from '../../wal/ordered-log.ts';
import { RecordCursor } from '../../wal/payload.ts';
import { Answers } from './answers.ts';
import { IndexBuilder } from './index-builder.ts';
import { LIMITS } from './limits.ts';
import { type EngineLog, RecordWriter } from './record-writer.ts';
import type { Retention } from './retention.ts';
import type { Ticket } from './ticket.ts';
import type { Waiters } from './waiters.ts';

/** Small: a result that is kept keeps all of its chunk. */
const COPIES_CHUNK_BYTES: number = 8 * KiB;

export type { EngineLog };
type EngineFrame = Frame<Ticket | undefined>;

/** Who is told when writes stop and when they go on. */
export interface PipelineListener {
  /** Writes are refused: for good, or until there is room again. */
  degraded(error: StoreError): void;
  recovered(): void;
  /** A frame with so many bytes of commits is applied whole. */
  applied(payloadBytes: number): void;
}

export interface PipelineOptions {
  readonly state: State;
  readonly clock: Clock;
  readonly thread: Thread;
  readonly retention: Retention;
  readonly listener: PipelineListener;
}

export class Pipeline implements LogSink<Ticket | undefined> {
  readonly state: State;
  readonly overlay: Overlay;
  readonly notes: Annotations = new Annotations();
  readonly records: RecordWriter;
  /** Packed contexts set aside as records left them, until somebody looks at a result. */
  readonly copies: ByteCopies = new ByteCopies(COPIES_CHUNK_BYTES);
  private readonly fold: Fold;
  private readonly thread: Thread;
  private readonly builder: IndexBuilder;
  private readonly listener: PipelineListener;
  private log!: EngineLog;
  readonly answers: Answers;
  private readonly waiters: Waiters;

  private frame: EngineFrame | undefined;
  private nextTicket = 0;
  private readonly cursor = new RecordCursor();
  private readonly resume = (): void => this.run();
  /** Applying an accepted record failed: memory can no longer be trusted. */
  private halt: StoreError | undefined;
  /** Memory is not whole: told once. */
  private isRefusingAll = false;
  /** There was no room for the last command; told once until one gets in again. */
  private isRefusing = false;

  constructor(options: PipelineOptions) {
    this.state = options.state;
    this.overlay = new Overlay(options.state);
    this.fold = new Fold(options.state);
    this.answers = new Answers(options.state);
    this.waiters = this.answers.waiters;
    this.thread = options.thread;
    this.builder = new IndexBuilder(options.state.indexes, options.thread, (error) => {
      if (isStoreError(error)) this.refuse(error);
    });
    this.records = new RecordWriter(options.state, this.overlay, options.clock, options.retention);
    this.listener = options.listener;
    this.records.onRefused = (error) => this.noteRefusal(error);
  }

  /** The log needs the pipeline as its sink, the pipeline the log: this closes the ring. */
  connect(log: EngineLog): void {
    this.log = log;
    this.records.connect(log);
    this.answers.connect(log);
    this.state.indexes.wake(this.state.offset);
    this.builder.wake();
  }

  // ---- recovery: the flow entered at apply -----------------------------------------------------

  /** Folds a frame of a log that is being read. */
  replay(bytes: Uint8Array, start: number, end: number, firstOffset: number): void {
    const cursor = this.cursor;
    cursor.reset(bytes, start, end, firstOffset);
    while (cursor.advance()) {
      // The first frame behind a snapshot may begin before its end.
      if (cursor.offset > this.state.offset)
        this.fold.apply(bytes, cursor.start, cursor.end, cursor.offset);
    }
  }

  /** The store is closing: indexes that are not built are not needed any more. */
  stopBuilding(): void {
    this.builder.stop();
  }

  /** Nobody is left waiting once the store is closed. */
  close(): void {
    this.waiters.fail(0, new StoreError('STORE_CLOSED', 'the store was closed'));
  }

  // ---- encode: see RecordWriter ------------------------------------------------------------------

  /** Time of the commit being encoded. */
  get now(): number {
    return this.records.now;
  }

  // ---- log -> apply -> acknowledge ---------------------------------------------------------------

  accepted(frame: EngineFrame): void {
    if (this.halt !== undefined) return this.giveUp(frame, 0, this.halt);
    if (this.isRefusing) {
      this.isRefusing = false;
      this.listener.recovered();
    }
    this.frame = frame;
    this.nextTicket = 0;
    this.cursor.reset(frame.writer.bytes, frame.payloadStart, frame.payloadEnd, frame.firstOffset);
    this.run();
  }

  synced(offset: number): void {
    this.waiters.reachedDisk(offset);
  }

  /** No room, and none of what waits was written: it is taken back whole. Nothing is under way here. */
  refused(waiting: {
    readonly error: StoreError;
    readonly tickets: readonly (Ticket | undefined)[];
  }): void {
    const { error, tickets } = waiting;
    this.overlay.giveBack();
    this.overlay.drop();
    this.state.dropWaiting(this.state.offset);
    this.records.forgetPurges();
    for (const ticket of tickets) {
      if (ticket === undefined) this.answers.posts.note(error);
      else ticket.fail(error);
    }
    this.waiters.refuse(error);
    this.noteRefusal(error);
  }

  private noteRefusal(error: StoreError): void {
    if (this.isRefusing) return;
    this.isRefusing = true;
    this.listener.degraded(error);
  }

  failed(
    tried: { readonly error: StoreError; readonly tickets: readonly (Ticket | undefined)[] },
    waiting: { readonly error: StoreError; readonly tickets: readonly (Ticket | undefined)[] },
  ): void {
    // A frame that was accepted before may still be on its way into the state, slice by slice.
    const accepted = this.frame?.lastOffset ?? this.state.offset;
    this.overlay.drop();
    this.state.dropWaiting(accepted);
    for (const ticket of tried.tickets) ticket?.fail(tried.error);
    for (const ticket of waiting.tickets) ticket?.fail(waiting.error);
    this.waiters.fail(accepted, tried.error);
    this.listener.degraded(tried.error);
  }

  /** Applies and answers commits of the accepted frame until it is done or the slice is over. */
  private run(): void {
    const frame = this.frame;
    if (frame === undefined) return;
    let isDone: boolean;
    try {
      isDone = this.applySlice(frame);
    } catch (error) {
      this.stop(frame, error);
      return;
    }
    this.forgetApplied();
    if (!isDone) {
      this.thread.nextTurn(this.resume);
      return;
    }
    this.frame = undefined;
    this.waiters.reachedFar(this.state.offset);
    const payloadBytes = frame.payloadEnd - frame.payloadStart;
    this.log.release(frame);
    this.builder.wake();
    this.listener.applied(payloadBytes);
  }

  /** False when the slice is over and the frame is not. */
  private applySlice(frame: EngineFrame): boolean {
    const sliceEnd = this.thread.monotonicMs() + LIMITS.sliceMs;
    const bytes = frame.writer.bytes;
    const cursor = this.cursor;
    let commits = 0;
    while (cursor.advance()) {
      const ticket = frame.tickets[this.nextTicket];
      this.fold.apply(bytes, cursor.start, cursor.end, cursor.offset);
      if (this.overlay.size > 0) this.leaveOverlay(cursor.offset);
      const isPurge = this.fold.record.kind === RECORD_KIND.purge;
      if (!isPurge) ticket?.applied(cursor.offset);
      if (!cursor.isLastOfCommit) continue;
      this.nextTicket++;
      if (ticket !== undefined) this.acknowledge(ticket, cursor.offset);
      if (!this.waiters.isQuiet) this.waiters.reached(cursor.offset);
      // A purge takes out many entries at once.
      const isTimeToLook = (++commits & LIMITS.sliceCheckMask) === 0 || isPurge;
      if (isTimeToLook && this.thread.monotonicMs() > sliceEnd) return false;
    }
    return true;
  }

  /** What is in memory is not whole: nothing more is taken in, while what was accepted still ends as it may. */
  refuse(error: StoreError): void {
    if (this.isRefusingAll) return;
    this.isRefusingAll = true;
    this.records.refuseAll(error);
    this.listener.degraded(error);
  }

  /** An accepted record could not be applied: the log has it, memory does not. Nothing more is taken in. */
  private stop(frame: EngineFrame, cause: unknown): void {
    // That a context still in the snapshot file cannot be read may show only here.
    const isOfDisk = isStoreError(cause, 'CORRUPT', 'WAL_IO_ERROR');
    const error = new StoreError(
      isOfDisk ? cause.code : 'INTERNAL_ERROR',
      'applying an accepted record failed; the store takes no more writes until it is opened again',
      { details: { ...(isOfDisk ? cause.details : {}), outcome: 'unknown' }, cause },
    );
    this.halt = error;
    this.records.refuseAll(error);
    this.overlay.drop();
    this.waiters.fail(0, error);
    this.giveUp(frame, this.nextTicket, error);
    this.listener.degraded(error);
  }

  private giveUp(frame: EngineFrame, fromTicket: number, error: StoreError): void {
    this.frame = undefined;
    for (const ticket of frame.tickets.slice(fromTicket)) ticket?.fail(error);
    this.log.release(frame);
  }

  private leaveOverlay(offset: number): void {
    const record = this.fold.record;
    if (
      record.kind === RECORD_KIND.apply ||
      record.kind === RECORD_KIND.create ||
      record.kind === RECORD_KIND.delete ||
      record.kind === RECORD_KIND.migrate
    ) {
      this.overlay.applied(record.handle, offset);
    }
  }

  private acknowledge(ticket: Ticket, offset: number): void {
    if (!ticket.mustSync || offset <= this.log.durableOffset) ticket.settle();
    else
      this.waiters.afterDisk({
        offset,
        run: () => ticket.settle(),
        fail: (error) => ticket.fail(error),
      });
  }

  /** Keys and entries of applied commits are in the state now. */
  private forgetApplied(): void {
    for (const [scoped, pending] of this.overlay.keys) {
      if (pending.offset > this.state.offset) break;
      this.overlay.keys.delete(scoped);
    }
    this.overlay.vectors.forgetApplied();
  }
}
