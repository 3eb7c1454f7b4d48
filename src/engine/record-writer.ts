/**
 * Decided commands into the log: records, commits of one record or of several (a group), and the
 * purges that clock and limits call for. A group that is aborted leaves buffer, overlay and handles
 * as they were.
 */
import type { ByteWriter } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { badRequest, isStoreError, type StoreError } from '../base/errors.ts';
import { encodePurge } from '../record/encode.ts';
import { encodeExpireVectors } from '../record/encode-vectors.ts';
import type { Overlay } from '../state/overlay.ts';
import type { State } from '../state/state.ts';
import type { OrderedLog } from '../../wal/ordered-log.ts';
import { dueEntries } from './collections/due-entries.ts';
import type { Cutoffs, Retention } from './retention.ts';
import type { Ticket } from './ticket.ts';

export type EngineLog = OrderedLog<Ticket | undefined>;

export class RecordWriter {
  /** Milliseconds since the epoch: the time of the commit being encoded. */
  now = 0;
  private readonly state: State;
  private readonly overlay: Overlay;
  private readonly clock: Clock;
  private readonly retention: Retention;
  private log!: EngineLog;
  /** Several records go into the open commit. */
  private inGroup = false;
  private isFirstRecord = false;
  private groupMark = 0;
  private refusal: StoreError | undefined;
  private isReadingCaller = false;
  /** What the command being decided needs gone. */
  private needed: Cutoffs[] = [];
  /** Of the record that dropped expired entries last. */
  private expiredOffset = 0;
  /** Logged in the open group: decided when the group is. */
  private groupPurges: Cutoffs[] = [];
  /** There is no room for the next segment of the log. */
  onRefused: (error: StoreError) => void = () => undefined;

  constructor(state: State, overlay: Overlay, clock: Clock, retention: Retention) {
    this.state = state;
    this.overlay = overlay;
    this.clock = clock;
    this.retention = retention;
  }

  connect(log: EngineLog): void {
    this.log = log;
  }

  /** @throws {StoreError} STORE_CLOSED, WAL_IO_ERROR: no command is taken in now. */
  admit(): void {
    this.admitNested();
    if (this.inGroup) {
      throw badRequest('inside a transaction, write through tx', 'run', 'tx');
    }
    if (this.refusal !== undefined) throw this.refusal;
    this.log.admit();
  }

  /** Caller's code runs in the middle of a command (a getter, a proxy): no other may start there. @throws {StoreError} BAD_REQUEST */
  admitNested(): void {
    if (this.isReadingCaller)
      throw badRequest('a write cannot start while the arguments of another are read', 'arguments');
  }

  get isBusy(): boolean {
    return this.inGroup || this.isReadingCaller;
  }

  /** Everything between these two may run code of the caller. */
  startReading(): void {
    this.isReadingCaller = true;
  }
  endReading(): void {
    this.isReadingCaller = false;
  }

  /** Takes nothing in any more. */
  refuseAll(error: StoreError): void {
    this.refusal = error;
  }

  /** Milliseconds since the epoch, for a command that is about to be decided. */
  readClock(): number {
    this.now = Math.trunc(this.clock.now());
    if (this.needed.length > 0) this.needed = [];
    return this.now;
  }

  /** Offset the next record gets, also inside a group. */
  get nextOffset(): number {
    return this.log.openOffset;
  }

  /** Room for one record; encode, then close(). @throws {StoreError} RATE_LIMITED */
  open(): ByteWriter {
    if (!this.inGroup) {
      this.checkRoom();
      this.maintain();
      this.log.begin();
      this.isFirstRecord = true;
    }
    return this.log.beginRecord();
  }

  private checkRoom(): void {
    try {
      this.log.checkRoom();
    } catch (error) {
      if (isStoreError(error, 'WAL_IO_ERROR')) this.onRefused(error);
      throw error;
    }
  }

  /** Purges that were decided and taken back with everything else that waited: due again. */
  forgetPurges(): void {
    this.retention.forget();
    this.expiredOffset = 0;
  }

  /** What the encoder writes as time: the commit's on its first record, nothing on the others. */
  get time(): number | undefined {
    return this.isFirstRecord ? this.now : undefined;
  }

  /** Ends the record and, outside a group, the commit. Gives its offset. @throws {StoreError} RECORD_TOO_LARGE - nothing was written. */
  close(ticket: Ticket | undefined, mustSync: boolean): number {
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

  /** Starts a commit of several records, at the time the clock was read last; ends with commitGroup() or abortGroup(). */
  openGroup(): void {
    this.checkRoom();
    this.maintain();
    this.log.begin();
    this.inGroup = true;
    this.groupPurges = [];
    this.isFirstRecord = true;
    this.overlay.begin();
    this.groupMark = this.state.instances.free.mark();
  }

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
    for (const due of this.groupPurges) this.retention.decided(due);
    this.groupPurges = [];
    return true;
  }

  abortGroup(): void {
    this.inGroup = false;
    this.groupPurges = [];
    this.log.abort();
    this.overlay.rollback();
    this.state.instances.free.rollback(this.groupMark);
  }

  get isInGroup(): boolean {
    return this.inGroup;
  }

  /** Drops what clock and limits say is over, as records of their own: a slice, so that no command pays for all of it. */
  private maintain(): void {
    if (this.needed.length > 0) {
      for (const due of this.needed) this.logPurge(due);
      this.needed = [];
    }
    const due = this.retention.due(this.state, this.overlay.keys.size, this.now);
    if (due !== undefined) this.logPurge(due);
    if (this.state.collections.nextExpiry <= this.now) this.logExpired();
  }

  /** A slice of the entries whose time is over; the next one when this is applied. */
  private logExpired(): void {
    if (this.expiredOffset > this.state.offset) return;
    const due = dueEntries(this.state, this.overlay.vectors, this.now);
    if (due === undefined) return;
    const { collection, handles } = due;
    this.log.begin();
    this.expiredOffset = this.log.openOffset;
    encodeExpireVectors(this.log.beginRecord(), this.now, collection.number, handles);
    this.log.endRecord();
    this.log.commit(undefined, false);
    this.overlay.vectors.expired(collection, handles, this.expiredOffset);
  }

  private logPurge(due: Cutoffs): void {
    this.log.begin();
    encodePurge(this.log.beginRecord(), this.now, due.deletedThrough, due.keysThrough);
    this.log.endRecord();
    this.log.commit(undefined, false);
    this.retention.decided(due);
  }

  /**
   * The command being decided counts on these being gone: that is logged before it, in its group if
   * it is in one, and only if the command itself is.
   */
  purgeFirst(needed: Iterable<Cutoffs>): void {
    if (!this.inGroup) {
      // A key and an instance may both be in the way.
      this.needed.push(...needed);
      return;
    }
    for (const due of needed) {
      encodePurge(this.open(), this.time, due.deletedThrough, due.keysThrough);
      this.close(undefined, false);
      this.groupPurges.push(due);
    }
  }

  /** Purges until the instance deleted by record `offset` is gone; nothing if that is decided. */
  purgeInstanceFirst(offset: number): void {
    if (this.groupPurges.some((due) => due.deletedThrough >= offset)) return;
    this.purgeFirst(this.retention.instancesThrough(this.state, offset));
  }

  purgeKeyFirst(offset: number): void {
    if (this.groupPurges.some((due) => due.keysThrough >= offset)) return;
    this.purgeFirst(this.retention.keysThroughOffset(this.state, offset));
  }

  /** Is the instance deleted by record `offset` past its retention, whether that was logged or not? */
  isInstanceOver(offset: number): boolean {
    return this.retention.isInstanceOver(this.state, offset, this.now);
  }

  /** The same for readers, now. */
  isOverForReaders(offset: number): boolean {
    return this.retention.isInstanceOver(this.state, offset, Math.trunc(this.clock.now()));
  }

  /** Is a key written by record `offset` at `time` past its retention, whether that was logged or not? */
  isKeyOver(offset: number, time: number): boolean {
    return this.retention.isKeyPurged(offset) || this.retention.isKeyExpired(time, this.now);
  }
}
