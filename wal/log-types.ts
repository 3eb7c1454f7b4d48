/**
 * What users of `pawl/wal` see: options, records, the log itself. Types only; openLog() makes the
 * things behind them.
 */
import type { Clock } from '../src/base/clock.ts';
import type { FileIo } from '../src/base/file-io.ts';
import type { Logger } from '../src/base/logger.ts';
import type { Random } from '../src/base/random.ts';
import type { Thread } from '../src/base/thread.ts';
import type { Durability } from './ordered-log.ts';

/** Options of a log that is opened for reading only. */
export interface ReadLogOptions {
  /** The disk. Default: that of this machine. */
  fileIo?: FileIo | undefined;
  /** Turns and delays. Default: the event loop; `pawl/testing` has a simulated one. */
  thread?: Thread | undefined;
  /** Default: silent. */
  logger?: Logger | undefined;
  /** A torn tail is CORRUPT instead of left out. Default false. */
  strict?: boolean | undefined;
}

/** Options of a log that is opened for writing. */
export interface LogOptions extends ReadLogOptions {
  readOnly?: false | undefined;
  /**
   * What a resolved append survives. `'always'` (the default): power loss. `'os'`: the death of the
   * process. `{ everyMs }`, `{ everyRecords }`: as `'os'`, and synced that long or that many
   * records after. `flush()`, `{ durable: true }` and `close()` sync at every level.
   */
  durability?: Durability | undefined;
  /** Largest file in bytes, 4 KiB to 1 GiB. Default 64 MiB. */
  segmentBytes?: number | undefined;
  /** Appends that may wait for the disk; more are RATE_LIMITED, as are more than 64 MiB. Default 100,000. */
  maxPending?: number | undefined;
  /** May a lone append block the thread for one sync while those take less than 1 ms? Default true. */
  blockingSync?: boolean | undefined;
  clock?: Clock | undefined;
  random?: Random | undefined;
}

/** One record, as it was appended. */
export interface LogRecord {
  /** 1, 2, 3 ... without a gap. */
  readonly offset: number;
  /** A copy; the caller's to keep or to change. */
  readonly bytes: Uint8Array;
  /** Is it the last of its commit, which is there whole or not at all? */
  readonly endsCommit: boolean;
}

export interface LogPage {
  /** In order; empty at the end of the log. */
  readonly records: readonly LogRecord[];
  /** Offset to read from next. */
  readonly next: number;
}

export interface ReadRange {
  /** First offset to read. Default: the oldest kept. */
  from?: number | undefined;
  /** Most records to return, 1 to 1,000. Default 100. A page also ends with the record that brings it to 16 MiB. */
  limit?: number | undefined;
}

export interface AppendOptions {
  /** Resolve only when synced, whatever the durability of the log. */
  durable?: boolean | undefined;
  /** Stops waiting: TIMEOUT, with `details.outcome` 'not-done' before the call, else 'unknown'. */
  signal?: AbortSignal | undefined;
}

export interface FollowOptions {
  /** Offset after which to begin: 0 for everything. Default: the last one at the moment of the call. */
  after?: number | undefined;
  /** Ends the iteration, without an error. */
  signal?: AbortSignal | undefined;
}

/** What was dropped by `truncateBefore`. */
export interface Truncation {
  /** Files removed. */
  readonly segments: number;
  readonly bytesFreed: number;
}

/** What opening the log found, and did. */
export interface OpenReport {
  /** Files that hold records. */
  readonly segments: number;
  /** Records that were read and verified. */
  readonly recordsRead: number;
  /** Bytes behind the end that belonged to writes that never finished; 0 after a clean close. */
  readonly bytesTruncated: number;
  /** First record that was lost with them; absent when there are none. Never one that was durable. */
  readonly firstBadOffset?: number;
  /** Records at the end that nothing vouched for. Opening to write has made sure of them; a reader only shows them. */
  readonly recordsUnattested: number;
  /** Files in the directory that are none of the log's; they are left alone. */
  readonly strayFiles: readonly string[];
  readonly durationMs: number;
}

/** Sizes now, and counters since the log was opened. Sizes in bytes, times in milliseconds. */
export interface LogStats {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly durableOffset: number;
  /** Records kept. */
  readonly records: number;
  /** Files that hold them. */
  readonly segments: number;
  /** Files prepared for what comes next. */
  readonly segmentsReady: number;
  /** Its files, the reserve aside. */
  readonly bytesOnDisk: number;
  /** Of those, bytes that hold something. */
  readonly bytesUsed: number;
  /** Kept on the disk beside them, so that a full disk does not keep the log from being opened and closed. */
  readonly reserveBytes: number;
  /** Appends that wait for the disk. */
  readonly pendingCommits: number;
  readonly followers: number;
  readonly recordsWritten: number;
  readonly commitsWritten: number;
  /** Each holds the commits that waited together, and is one write. */
  readonly framesWritten: number;
  readonly marksWritten: number;
  readonly bytesWritten: number;
  readonly writes: number;
  /** Writes of a lone caller that blocked the thread; see `blockingSync`. */
  readonly blockingWrites: number;
  readonly syncs: number;
  readonly syncMsTotal: number;
  readonly syncMsMax: number;
  /** How often writing went on in a new file. */
  readonly segmentsEntered: number;
}

/** A log opened for reading: what it held at that moment. */
export interface LogReader extends AsyncDisposable {
  /** 32 hexadecimal digits, given once to each log. */
  readonly storeId: string;
  /** Oldest record kept. One more than `lastOffset` while there is none. */
  readonly firstOffset: number;
  /** Newest record that can be read; 0 in a new log. */
  readonly lastOffset: number;
  readonly recovery: OpenReport;
  readonly closed: boolean;
  /**
   * Some records from an offset on, verified as they are read. Does not wait for new ones.
   *
   * @throws {StoreError} OFFSET_TOO_OLD - the record was dropped; `details.oldest` is there.
   * @throws {StoreError} CORRUPT - the file is damaged; nothing is skipped.
   * @throws {StoreError} BAD_REQUEST, STORE_CLOSED, WAL_IO_ERROR
   * @example
   * for (let from = log.firstOffset; from <= log.lastOffset;) {
   *   const page = await log.read({ from, limit: 1000 });
   *   for (const { offset, bytes } of page.records) console.log(offset, bytes.length);
   *   from = page.next;
   * }
   */
  read(range?: ReadRange): Promise<LogPage>;
  /** May be called again; also what `await using` does. */
  close(): Promise<void>;
}

/** A log opened for writing. One process at a time. */
export interface Log extends LogReader {
  /** Every record up to here survives power loss. */
  readonly durableOffset: number;
  /**
   * Appends one record: a commit of its own. The bytes are copied before the call returns.
   * Resolves to its offset, when it is as safe as `durability` says; concurrent calls share syncs.
   *
   * @param record Up to 16 MiB; may be empty.
   * @throws {StoreError} RECORD_TOO_LARGE, BAD_REQUEST, STORE_CLOSED - nothing was written.
   * @throws {StoreError} RATE_LIMITED - too much waits already; nothing was written.
   * @throws {StoreError} WAL_IO_ERROR - `details.outcome` says whether it may be there after reopening.
   * @throws {StoreError} TIMEOUT - `signal` was aborted.
   * @example
   * const offset = await log.append(new TextEncoder().encode('hello'));
   */
  append(record: Uint8Array, options?: AppendOptions): Promise<number>;
  /**
   * Appends several records as one commit: after a crash all of them are there, or none.
   * Resolves to the offset of the last one.
   *
   * @param records 1 to 100,000, each up to 16 MiB, together up to 64 MiB.
   * @throws {StoreError} as `append`; BAD_REQUEST for an empty list.
   * @example
   * const last = await log.appendMany([header, body]);
   */
  appendMany(records: readonly Uint8Array[], options?: AppendOptions): Promise<number>;
  /**
   * Every record behind an offset, in order, each exactly once, and then those to come. Shows what
   * `read` shows. Reads from the files at the pace of the caller: a slow one delays nobody and holds
   * no more than 256 KiB of records and the frame they come from. Ends when the signal is aborted
   * and when the log is closed; `break` ends it too.
   *
   * @throws {StoreError} BAD_REQUEST, STORE_CLOSED - at once
   * @throws {StoreError} OFFSET_TOO_OLD, CORRUPT, WAL_IO_ERROR - from `next()`, and the iteration is over.
   * @example
   * for await (const { offset, bytes } of log.follow({ after: 0 })) console.log(offset, bytes.length);
   */
  follow(options?: FollowOptions): AsyncIterableIterator<LogRecord>;
  /**
   * Resolves to `durableOffset` when everything appended so far is durable.
   *
   * @throws {StoreError} WAL_IO_ERROR, STORE_CLOSED
   * @example
   * for (const line of lines) void log.append(line);
   * await log.flush();
   */
  flush(): Promise<number>;
  stats(): LogStats;
  /**
   * Drops the files all of whose records lie before an offset, oldest first; never the newest file,
   * so more may stay than asked for. `firstOffset` then says what is left.
   *
   * @param offset First record that must stay.
   * @throws {StoreError} WAL_IO_ERROR - the call may be repeated.
   * @throws {StoreError} BAD_REQUEST, STORE_CLOSED
   * @example
   * const { bytesFreed } = await log.truncateBefore(log.lastOffset - 10_000);
   */
  truncateBefore(offset: number): Promise<Truncation>;
  /**
   * Refuses new work, ends followers, lets accepted appends finish, syncs, and releases the lock.
   *
   * @throws {StoreError} WAL_IO_ERROR - the lock is released all the same.
   */
  close(): Promise<void>;
}
