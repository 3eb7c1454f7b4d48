/** Public types of the store itself: options, events, and what can be done with it. */
import type { Clock } from '../../base/clock.ts';
import type { AnyStoreError, StoreError, StoreErrorOf } from '../../base/errors.ts';
import type { FileIo } from '../../base/file-io.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { Thread } from '../../base/thread.ts';
import type { Data, Machine, MachineShape } from '../../machine/definition.ts';
import type { Durability } from '../../../wal/ordered-log.ts';
import type { Collection, CollectionReader, CollectionReads, Collections } from './collection.ts';
import type { Offset, WriteOptions } from './instance.ts';
import type {
  InstanceReads,
  Instances,
  MachineHandle,
  MachineReader,
  MachineReads,
  Machines,
} from './machine.ts';
import type { Difference, Moment, View } from './time-travel.ts';
import type {
  BatchOperation,
  BatchResult,
  Committed,
  NotPromise,
  Settled,
  Transaction,
} from './transaction.ts';

export type { Durability };

export interface ReadOptions {
  clock?: Clock | undefined;
  /** Turns and delays. Default: the event loop; `pawl/testing` has a simulated one. */
  thread?: Thread | undefined;
  fileIo?: FileIo | undefined;
  /** Default: silent. */
  logger?: Logger | undefined;
}

export interface IdempotencyOptions {
  /** How long a key is remembered. Default 24 h. */
  retentionMs?: number | undefined;
  /** Default 1,000,000; beyond it the oldest are forgotten. */
  maxKeys?: number | undefined;
  /** Memory the first results may take, about. Default 512 MiB; beyond it the oldest are forgotten. */
  maxBytes?: number | undefined;
  /** What the same key with other arguments does. Default 'conflict'; 'first' returns the first result. */
  mismatch?: 'conflict' | 'first' | undefined;
}

export interface StoreOptions extends ReadOptions {
  readOnly?: false | undefined;
  follow?: false | undefined;
  /** What an acknowledged write survives: see docs/guarantees.md. Default 'always'. */
  durability?: Durability | undefined;
  /** Largest log file, 4 KiB to 1 GiB. Default 64 MiB. */
  segmentBytes?: number | undefined;
  /**
   * Records between two snapshots; 0 = never by itself. Default 'auto': at least 10,000 records and as many bytes
   * of log as the last snapshot has, at least 60 s apart, or more than 64 log files that it does not cover.
   */
  snapshotInterval?: 'auto' | number | undefined;
  /** More log files than this that the newest snapshot does not cover start one. Default: no such bound. */
  maxWalSegments?: number | undefined;
  /** More bytes of log than this that the newest snapshot does not cover start one. Default: no such bound. */
  maxWalBytes?: number | undefined;
  /** Drop log files by themselves when the kept snapshots cover them. Default true. */
  compaction?: boolean | undefined;
  /** Move dropped log files to the directory `archive` in the store's instead of removing them. Default false. */
  archive?: boolean | undefined;
  /** Snapshots kept, at least 1. Default 2: the one before stands in when the newest is damaged. */
  keepSnapshots?: number | undefined;
  idempotency?: IdempotencyOptions | undefined;
  /** How long a deleted instance can still be read with `deleted: true`. Default 24 h. */
  deletedRetentionMs?: number | undefined;
  /** Versions a machine may have; MACHINE_VERSION_LIMIT_EXCEEDED beyond. Default: unlimited. */
  maxMachineVersions?: number | undefined;
  random?: Random | undefined;
  /** Commands that may wait before RATE_LIMITED; default 100,000 or 64 MiB. */
  maxPending?: number | undefined;
  /** May a lone caller's write block the thread for one disk sync (while those take < 1 ms)? Default true. */
  blockingSync?: boolean | undefined;
  /** 'full': openStore resolves only after every byte of the snapshot was verified. Default 'lazy': contexts are verified when they are first read, at the latest in the background. */
  verifyOnOpen?: 'lazy' | 'full' | undefined;
  /** CORRUPT instead of dropping an unattested damaged tail; BAD_REQUEST for payloads that are no objects. */
  strict?: boolean | undefined;
}

export interface RecoveryReport {
  /** Of the snapshot it started from; 0 without one. */
  readonly snapshotOffset: Offset;
  readonly recordsReplayed: number;
  readonly segments: number;
  /** Broken or dropped frames behind the end; 0 after a clean close. */
  readonly bytesTruncated: number;
  readonly firstBadOffset?: Offset;
  /** Records at the end that nothing vouched for: written again, and synced, before the store opened. */
  readonly recordsRewritten?: number;
  /** Read-only: records shown that nothing vouches for; a power cut may have taken what their writer never synced. */
  readonly recordsUnattested?: number;
  /** Files in the directory that are none of the store's; left alone. */
  readonly strayFiles?: readonly string[];
  readonly durationMs: number;
}

export interface StoreEvents {
  /** Writes are refused. */
  degraded: { readonly reason: string; readonly error: AnyStoreError };
  /** Writes are taken again. */
  recovered: { readonly afterMs: number };
  /** A snapshot counts from now on: `offset` is the last record in it, `bytes` its size. */
  snapshot: { readonly offset: Offset; readonly bytes: number; readonly durationMs: number };
  /** Log files nobody needs were dropped. */
  compaction: { readonly segments: number; readonly bytesFreed: number };
  /** A damaged file was met. When that cannot be made good, reads of what was in it are CORRUPT and writes stop. */
  corruption: {
    readonly file: string;
    readonly byteOffset: number;
    readonly error: StoreErrorOf<'CORRUPT'>;
  };
}

/** What can be done with a store opened read-only. */
export interface ReadStore extends AsyncDisposable {
  readonly location: string;
  /** Of the last change that reads can see. */
  readonly offset: Offset;
  readonly recovery: RecoveryReport;
  readonly closed: boolean;
  /** Never writes: MACHINE_NOT_FOUND unless this very definition is registered. */
  machine<M extends MachineShape>(machine: Machine<M>): Promise<MachineReader<M>>;
  readonly machines: MachineReads;
  readonly instances: InstanceReads;
  readonly collections: CollectionReads;
  /** @throws {StoreError} COLLECTION_NOT_FOUND */
  collection<T extends object = Data>(name: string): CollectionReader<T>;
  /** Resolves once reads can see this offset. */
  reached(offset: Offset, options?: { signal?: AbortSignal | undefined }): Promise<void>;
  verify(): Promise<VerifyReport>;
  /**
   * The store as it was: a view that takes the memory of another store until it is closed. Goes back as far as
   * snapshots, log and archive were kept. Writers go on meanwhile.
   *
   * @throws {StoreError} BAD_REQUEST - malformed, or an offset in the future
   * @throws {StoreError} OFFSET_TOO_OLD - that was not kept; UNSUPPORTED - a store in memory
   * @throws {StoreError} CORRUPT, FORMAT_UNSUPPORTED, WAL_IO_ERROR, STORE_CLOSED
   * @example
   * await using yesterday = await store.asOf({ time: clock.now() - 86_400_000 });
   * yesterday.instances.count({ state: 'paid' });
   */
  asOf(moment: Moment): Promise<View>;
  /**
   * The instances that are not the same at two moments, in id order; deleted ones are no more. Both states are
   * made when the first is asked for, and let go at the end. The moments may be in either order.
   *
   * @throws {StoreError} as `asOf`, when the first is asked for
   * @example
   * for await (const { kind, id } of store.diff({ offset: 10 }, { offset: 20 })) console.log(kind, id);
   */
  diff(before: Moment, after: Moment): AsyncIterable<Difference>;
  /** Counters and sizes of log, memory and keys; the names are listed in docs/operations.md. */
  stats(): Readonly<Record<string, unknown>>;
  on<K extends keyof StoreEvents>(event: K, listener: (details: StoreEvents[K]) => void): this;
  off<K extends keyof StoreEvents>(event: K, listener: (details: StoreEvents[K]) => void): this;
  /** Lets writes in flight finish, releases the lock. May be called again; also what `await using` does. */
  close(): Promise<void>;
}

export interface Store extends ReadStore {
  /** Registers the definition (nothing happens if it is there) and gives the typed handle. */
  machine<M extends MachineShape>(
    machine: Machine<M>,
    options?: WriteOptions,
  ): Promise<MachineHandle<M>>;
  readonly machines: Machines;
  readonly instances: Instances;
  readonly collections: Collections;
  /** @throws {StoreError} COLLECTION_NOT_FOUND */
  collection<T extends object = Data>(name: string): Collection<T>;
  /**
   * Runs the callback once, before this call returns. A throw leaves nothing behind and rejects with that very error.
   * With a key that was seen before, the callback does not run and the first value comes back with applied = false
   * (so the value must then be storable data).
   */
  transaction<T>(
    run: (tx: Transaction) => T & NotPromise<T>,
    options?: WriteOptions,
  ): Promise<Committed<T>>;
  batch<const O extends readonly BatchOperation[]>(
    operations: O,
    options: { mode: 'best_effort' } & WriteOptions,
  ): Promise<{ [I in keyof O]: Settled<BatchResult<O[I]>> }>;
  batch<const O extends readonly BatchOperation[]>(
    operations: O,
    options?: { mode?: 'atomic' | undefined } & WriteOptions,
  ): Promise<{ [I in keyof O]: BatchResult<O[I]> }>;
  /** Resolves once all accepted so far is durable; rejects with the first refusal among posts since the last flush. */
  flush(): Promise<Offset>;
  /**
   * Writes the state as of everything accepted so far into a snapshot file, from which the next opening starts.
   * Resolves when it counts: written, synced, read back and named by the manifest. Without anything new since the
   * last one that one is returned. Writers go on meanwhile.
   *
   * @throws {StoreError} WAL_IO_ERROR - it could not be written: nothing changed, the store goes on; CORRUPT
   * @throws {StoreError} UNSUPPORTED - a store in memory; STORE_CLOSED
   * @example
   * const { offset, bytes } = await store.snapshot();
   */
  snapshot(): Promise<{ readonly offset: Offset; readonly bytes: number }>;
  /**
   * Takes a snapshot if there is anything new, and drops the log files that lie wholly before the oldest snapshot
   * kept. With `force` only the newest snapshot is kept, so everything before it goes. Where a snapshot cannot be
   * taken, on a full disk, log that is covered already goes all the same.
   *
   * @returns what was dropped; with `archive`, what was moved aside.
   * @throws {StoreError} as `snapshot`; BAD_REQUEST
   * @example
   * const { bytesFreed } = await store.compact();
   */
  compact(options?: {
    force?: boolean | undefined;
  }): Promise<{ readonly segments: number; readonly bytesFreed: number }>;
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly lastOffset: Offset;
  readonly problems: readonly StoreError[];
  /** SHA-256 of everything the log says, when it is sound: two stores with the same are the same. */
  readonly digest?: string;
}
