/**
 * The port between an engine and its ordered log: what the engine may ask, and what it is told.
 * `LogWriter` (files) and the memory log implement it. Everything is synchronous on purpose:
 * acceptance is reported through the sink, frame by frame, in log order.
 */
import type { ByteWriter } from '../src/base/bytes.ts';
import type { StoreError } from '../src/base/errors.ts';
import type { Frame } from './frame-queue.ts';

/** What survives which failure: see docs/guarantees.md. */
export type Durability =
  | 'always'
  | 'os'
  | { readonly everyMs: number }
  | { readonly everyRecords: number };

export interface OrderedLog<T> {
  /** Offset the next record gets. */
  readonly nextOffset: number;
  /** Every record up to here was reported by `accepted`. */
  readonly acceptedOffset: number;
  /** Every record up to here is synced. */
  readonly durableOffset: number;
  /**
   * Does the log take commands at all? Called before one is decided; below 'always' full frames
   * are written here, so `accepted` may be called before it returns.
   * @throws {StoreError} STORE_CLOSED, WAL_IO_ERROR (poisoned).
   */
  admit(): void;
  /**
   * Is there room for one more commit? Called after it was decided, before begin().
   * @throws {StoreError} RATE_LIMITED (too much waits), WAL_IO_ERROR (not-done: no room for the next segment).
   */
  checkRoom(): void;
  /** Starts a commit; encode each record between beginRecord() and endRecord(). */
  begin(): ByteWriter;
  /** Offset of the record that beginRecord() starts next; nextOffset when no commit is open. */
  readonly openOffset: number;
  beginRecord(): ByteWriter;
  /** @throws {StoreError} RECORD_TOO_LARGE - then dropRecord() or abort(). */
  endRecord(): void;
  /** Takes back the record begun last; the commit stays open. */
  dropRecord(): void;
  abort(): void;
  /** Ends the commit and sees to it that it is written soon. `ticket` comes back in `frame.tickets`. */
  commit(ticket: T, mustSync: boolean): number;
  /** Done with the bytes of an accepted frame: the next one may be reported. */
  release(frame: Frame<T>): void;
  /** Resolves when everything committed so far is accepted and synced. */
  flush(): Promise<number>;
  stats(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

export interface LogSink<T> {
  /**
   * These commits may be shown: synced at 'always', handed to the operating system otherwise.
   * Called in order, never again before release(frame).
   */
  accepted(frame: Frame<T>): void;
  /** Every record up to `offset` is synced. At 'always' called before `accepted` of the frame that brought it. */
  synced(offset: number): void;
  /**
   * There is no room for the next segment, and commits were taken in before that was known: none
   * of those that wait was written, they are taken back whole, and their offsets will be given
   * again. The log goes on. A sink without this method lets them wait for room instead.
   */
  refused?(waiting: { readonly error: StoreError; readonly tickets: readonly T[] }): void;
  /**
   * The log is poisoned. `tried`: tickets whose bytes may be on the disk (outcome 'unknown', or
   * 'not-done' if the write never started); `waiting`: tickets never handed to the disk.
   */
  failed(
    tried: { readonly error: StoreError; readonly tickets: readonly T[] },
    waiting: { readonly error: StoreError; readonly tickets: readonly T[] },
  ): void;
}
