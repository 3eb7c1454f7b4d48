/**
 * The writable store as callers see it: pipeline, commands and reads behind the public interface.
 * What each call means is said at the interface (api/store.ts); the order of things is pipeline.ts.
 */
import { type AnyStoreError, badRequest, StoreError } from '../base/errors.ts';
import type { Thread } from '../base/thread.ts';
import type { Machine, MachineShape } from '../machine/definition.ts';
import type { State } from '../state/state.ts';
import type { Collection, Collections } from './api/collection.ts';
import type { Offset, WriteOptions } from './api/instance.ts';
import type { Instances, MachineHandle, Machines } from './api/machine.ts';
import type { RecoveryReport, Store, StoreEvents, VerifyReport } from './api/store.ts';
import type { BatchMode, BatchOperation, Committed, Transaction } from './api/transaction.ts';
import type { Difference, Moment, View } from './api/time-travel.ts';
import { Batches } from './batch.ts';
import { VectorCommands } from './collections/commands.ts';
import { collections, type CollectionSource, knownCollection } from './collections/handles.ts';
import { CollectionWrites } from './collections/writes.ts';
import { Commands } from './decide/commands.ts';
import { Replay } from './decide/replay.ts';
import { checkMachine, instances, machineHandle } from './handles.ts';
import { InstanceWrites } from './instance-writes.ts';
import { definitionOf, MachineRegistry } from './machine-registry.ts';
import { Migrations } from './migrate.ts';
import type { Settings } from './options.ts';
import { Outcome } from './outcome.ts';
import type { EngineLog, Pipeline } from './pipeline.ts';
import { type Opened, type ReadParts, readParts } from './read-store.ts';
import type { LazyContexts } from './snapshots/lazy-contexts.ts';
import type { Snapshots } from './snapshots/snapshots.ts';
import { memoryStats } from './stats.ts';
import type { TimeTravel } from './time-travel/time-travel.ts';
import { checkForce, checkObject, checkSignal, withSignal } from './write-options.ts';
import { Transactions } from './transaction.ts';
import { withIndexes } from './verify-indexes.ts';
import { uuidV7 } from './unique-id.ts';

/** With what only a writer has; a store in memory has none of it. */
export interface OpenedToWrite extends Opened {
  readonly snapshots?: Snapshots | undefined;
}

export class WritableStore implements Store {
  readonly location: string;
  readonly recovery: RecoveryReport;
  readonly machines: Machines;
  readonly instances: Instances;
  readonly collections: Collections;
  private readonly state: State;
  private readonly parts: ReadParts;
  private readonly pipeline: Pipeline;
  private readonly log: EngineLog;
  private readonly registry: MachineRegistry;
  private readonly writes: InstanceWrites;
  private readonly transactions: Transactions;
  private readonly batches: Batches;
  private readonly vectors: CollectionWrites;
  private readonly vectorSource: CollectionSource;
  private readonly runVerify: () => Promise<VerifyReport>;
  private closing: Promise<void> | undefined;
  private isClosed = false;
  private readonly thread: Thread;
  private readonly snapshots: Snapshots | undefined;
  private readonly contexts: LazyContexts | undefined;
  private readonly travel: TimeTravel;
  private degradedAt = 0;

  constructor(opened: OpenedToWrite, settings: Settings, pipeline: Pipeline, log: EngineLog) {
    this.location = opened.location;
    this.recovery = opened.recovery;
    this.state = opened.state;
    this.runVerify = opened.verify;
    this.pipeline = pipeline;
    this.thread = settings.thread;
    this.snapshots = opened.snapshots;
    this.contexts = opened.contexts;
    this.travel = opened.travel;
    this.log = log;
    this.parts = readParts(opened, (offset) => pipeline.records.isOverForReaders(offset));
    const { mismatch, strict, random, maxMachineVersions } = settings;
    const replay = new Replay(pipeline, { mismatch });
    const newId = (now: number): string => uuidV7(now, random);
    const commands = new Commands(pipeline, replay, { strict, newId });
    const vectors = new VectorCommands(pipeline, newId);
    const outcome = new Outcome(pipeline);
    this.registry = new MachineRegistry(pipeline, maxMachineVersions);
    this.writes = new InstanceWrites(pipeline, commands);
    this.transactions = new Transactions(pipeline, commands, vectors, outcome, opened.storeId);
    this.batches = new Batches(pipeline, commands, outcome);
    this.vectors = new CollectionWrites(pipeline, vectors, replay, outcome);
    this.vectorSource = { reads: this.parts.reads, clock: settings.clock, thread: settings.thread };
    this.collections = collections(this.vectorSource, this.vectors);
    const migrations = new Migrations(pipeline, settings.thread);
    this.instances = instances(this.parts.source, this.writes, migrations);
    this.machines = {
      ...this.parts.machines,
      put: (definition, options) => this.registry.put(definition, options),
      remove: (name, version) => this.registry.remove(name, version),
    };
  }

  get offset(): Offset {
    return this.state.offset;
  }
  get closed(): boolean {
    return this.isClosed;
  }

  async machine<M extends MachineShape>(
    machine: Machine<M>,
    options?: WriteOptions,
  ): Promise<MachineHandle<M>> {
    const { name, version } = await this.registry.put(checkMachine(machine), options);
    const definition = this.state.machines.find(name, version);
    if (definition === undefined)
      throw new StoreError('INTERNAL_ERROR', 'a machine vanished after it was put', {
        details: { outcome: 'unknown' },
      });
    return machineHandle(
      this.parts.source,
      definitionOf(definition),
      this.writes,
    ) as unknown as MachineHandle<M>;
  }

  collection<T extends object>(name: string): Collection<T> {
    return knownCollection(this.vectorSource, this.vectors, name) as unknown as Collection<T>;
  }

  transaction<T>(run: (tx: Transaction) => T, options?: WriteOptions): Promise<Committed<T>> {
    return this.transactions.run(run, options);
  }

  // The overloads of the interface give each operation its result; here they are one list.
  batch(
    operations: readonly BatchOperation[],
    options?: WriteOptions & { mode?: BatchMode | undefined },
  ): Promise<never> {
    return this.batches.run(operations, options) as Promise<never>;
  }

  flush(): Promise<Offset> {
    try {
      this.pipeline.records.admit();
    } catch (error) {
      return Promise.reject(error);
    }
    return this.pipeline.answers.flush();
  }

  async snapshot(): Promise<{ readonly offset: Offset; readonly bytes: number }> {
    this.parts.reads.admit();
    return this.onFiles('snapshot').take();
  }

  async compact(options?: {
    force?: boolean | undefined;
  }): Promise<{ readonly segments: number; readonly bytesFreed: number }> {
    this.parts.reads.admit();
    const isForced = checkForce(options);
    return this.onFiles('compact').compact(isForced);
  }

  private onFiles(what: string): Snapshots {
    if (this.snapshots !== undefined) return this.snapshots;
    throw new StoreError('UNSUPPORTED', `a store in memory has no files: ${what}() needs some`, {
      details: { path: what },
    });
  }

  reached(offset: Offset, options?: { signal?: AbortSignal | undefined }): Promise<void> {
    let signal: AbortSignal | undefined;
    try {
      this.parts.reads.admit();
      if (!Number.isSafeInteger(offset) || offset < 0)
        throw badRequest('offset must be a non-negative safe integer', 'offset', 'offset');
      const given = checkObject(options, 'options')?.signal;
      if (given !== undefined) signal = checkSignal(given);
    } catch (error) {
      return Promise.reject(error);
    }
    let forget = (): void => undefined;
    const visible = new Promise<void>((resolve, reject) => {
      forget = this.pipeline.answers.whenReached(offset, resolve, reject);
    });
    return withSignal(visible, signal).finally(forget);
  }

  asOf(moment: Moment): Promise<View> {
    return this.travel.asOf(moment);
  }

  diff(before: Moment, after: Moment): AsyncIterable<Difference> {
    return this.travel.diff(before, after);
  }

  async verify(): Promise<VerifyReport> {
    this.parts.reads.admit();
    return withIndexes(this.runVerify(), this.state, this.thread);
  }

  stats(): Readonly<Record<string, unknown>> {
    this.parts.reads.admit();
    return {
      ...memoryStats(this.state),
      log: this.log.stats(),
      ...this.snapshots?.stats(),
      ...(this.contexts === undefined ? {} : { contexts: this.contexts.contexts }),
    };
  }

  on<K extends keyof StoreEvents>(event: K, listener: (details: StoreEvents[K]) => void): this {
    this.parts.emitter.on(event, listener);
    return this;
  }
  off<K extends keyof StoreEvents>(event: K, listener: (details: StoreEvents[K]) => void): this {
    this.parts.emitter.off(event, listener);
    return this;
  }

  /** @internal writes are refused */
  degraded(error: StoreError): void {
    this.degradedAt = this.thread.monotonicMs();
    this.parts.emitter.emit('degraded', { reason: error.message, error: error as AnyStoreError });
  }

  /** @internal something happened to the files */
  emit<K extends 'snapshot' | 'compaction' | 'corruption'>(event: K, told: StoreEvents[K]): void {
    this.parts.emitter.emit(event, told);
  }

  /** @internal writes are taken again */
  recovered(): void {
    this.parts.emitter.emit('recovered', { afterMs: this.thread.monotonicMs() - this.degradedAt });
  }

  close(): Promise<void> {
    if (this.pipeline.records.isBusy) {
      const message = 'a store cannot be closed in the middle of a transaction or of another call';
      return Promise.reject(badRequest(message, 'close'));
    }
    this.closing ??= this.shut();
    return this.closing;
  }

  private async shut(): Promise<void> {
    const { snapshots } = this;
    try {
      if (snapshots !== undefined && !snapshots.isIdle) {
        // It may be about to write to the manifest: nothing new is taken in while it ends.
        this.pipeline.records.refuseAll(new StoreError('STORE_CLOSED', 'the store is closed'));
        await snapshots.close();
      }
      this.pipeline.stopBuilding();
      const ended = this.log.close();
      await Promise.allSettled([ended, snapshots?.close(), this.travel.close()]);
      // Not before the last commit was applied: it may touch a context that is not in memory yet.
      await this.contexts?.stop();
      await ended;
    } finally {
      this.isClosed = true;
      this.parts.reads.close();
      this.pipeline.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
