/**
 * The file calls of the commit path: frames, marks and syncs of the current segment. At most one
 * write is under way, and one sync beside it at levels below 'always'. Every call is answered
 * exactly once through `events`; a blocking one before it returns.
 */
import type { Thread } from '../src/base/thread.ts';
import type { Appender, Sealable } from './appender.ts';
import type { Attested } from './position.ts';
import type { Segment } from './prepare-segment.ts';
import type { WriteStats } from './write-stats.ts';

export interface DiskEvents {
  /** The frame is synced at 'always', handed to the operating system otherwise. */
  written(error: Error | null): void;
  synced(error: Error | null): void;
  marked(error: Error | null): void;
}

export class DiskWriter {
  readonly appender: Appender;
  isWriting = false;
  isSyncing = false;
  /** monotonicMs() when the last sync came back. */
  lastSyncAt = 0;
  lastSyncMs = 0;
  private startedAt = 0;
  private readonly isAlways: boolean;
  private readonly thread: Thread;
  private readonly stats: WriteStats;
  private readonly events: DiskEvents;

  constructor(
    appender: Appender,
    isAlways: boolean,
    thread: Thread,
    stats: WriteStats,
    events: DiskEvents,
  ) {
    this.appender = appender;
    this.isAlways = isAlways;
    this.thread = thread;
    this.stats = stats;
    this.events = events;
  }

  /** Writes a frame: blocking below 'always', or when asked to. There must be room. */
  write(frame: Sealable, isBlocking: boolean): void {
    this.appender.seal(frame);
    this.isWriting = true;
    this.startedAt = this.thread.monotonicMs();
    this.stats.wrote(this.appender.placed.length);
    if (isBlocking || !this.isAlways) this.writeBlocking();
    else this.writeAside();
  }

  private writeBlocking(): void {
    const segment = this.segment;
    const { bytes, start, length, at } = this.appender.placed;
    let failure: Error | null = null;
    try {
      (this.isAlways ? (segment.synced ?? segment.plain) : segment.plain).writeSync(
        bytes,
        start,
        length,
        at,
      );
      if (this.isAlways && segment.synced === undefined) segment.plain.datasyncSync();
      if (this.isAlways) this.stats.blockingWrites++;
    } catch (error) {
      failure = error as Error;
    }
    this.onWritten(failure);
  }

  private writeAside(): void {
    const { synced, plain } = this.segment;
    const { bytes, start, length, at } = this.appender.placed;
    if (synced !== undefined) synced.write(bytes, start, length, at, this.onWritten);
    else plain.write(bytes, start, length, at, this.onWrittenUnsynced);
  }

  private readonly onWrittenUnsynced = (error: Error | null): void => {
    if (error === null) this.segment.plain.datasync(this.onWritten);
    else this.onWritten(error);
  };

  private readonly onWritten = (error: Error | null): void => {
    this.isWriting = false;
    if (error === null && this.isAlways) {
      this.noteSync(this.startedAt);
      this.appender.noteSynced(this.appender.capture());
    }
    this.events.written(error);
  };

  /** Syncs what is written so far. Only below 'always', and not while another sync is under way. */
  sync(): void {
    this.isSyncing = true;
    const captured = this.appender.capture();
    const startedAt = this.thread.monotonicMs();
    this.segment.plain.datasync((error) => this.onSynced(error, captured, startedAt));
  }

  private onSynced(error: Error | null, captured: Attested, startedAt: number): void {
    this.isSyncing = false;
    if (error === null) {
      this.noteSync(startedAt);
      this.appender.noteSynced(captured);
    }
    this.events.synced(error);
  }

  /** A mark forces no sync: it goes through the plain descriptor, and again with the next frame. */
  mark(): void {
    this.appender.sealMark();
    const { bytes, start, length, at } = this.appender.placed;
    this.isWriting = true;
    this.stats.marksWritten++;
    this.stats.wrote(length);
    this.segment.plain.write(bytes, start, length, at, (error) => {
      this.isWriting = false;
      this.events.marked(error);
    });
  }

  private noteSync(startedAt: number): void {
    this.lastSyncAt = this.thread.monotonicMs();
    this.lastSyncMs = this.lastSyncAt - startedAt;
    this.stats.synced(this.lastSyncMs);
  }

  private get segment(): Segment {
    return this.appender.segment as Segment;
  }
}
