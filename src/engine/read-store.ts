/** A store opened to read only: the state as its log gives it, and nothing that could write. */
import type { Clock } from '../base/clock.ts';
import { isStoreError, StoreError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Thread } from '../base/thread.ts';
import type { Machine, MachineDefinition, MachineShape } from '../machine/definition.ts';
import { validateDefinition } from '../machine/validate-definition.ts';
import type { State } from '../state/state.ts';
import type { CollectionReader, CollectionReads } from './api/collection.ts';
import type { Offset } from './api/instance.ts';
import type { InstanceReads, MachineReader, MachineReads } from './api/machine.ts';
import type { ReadStore, RecoveryReport, StoreEvents, VerifyReport } from './api/store.ts';
import type { Difference, Moment, View } from './api/time-travel.ts';
import { collectionReader, collectionReads, type CollectionSource } from './collections/handles.ts';
import { unknownMachine } from './decide/refusals.ts';
import { Emitter } from './emitter.ts';
import { checkMachine, instanceReads, machineReader, type ReadSource } from './handles.ts';
import { checksumOf, definitionOf, machineReads } from './machine-registry.ts';
import { Reads } from './reads.ts';
import type { LazyContexts } from './snapshots/lazy-contexts.ts';
import { memoryStats } from './stats.ts';
import type { TimeTravel } from './time-travel/time-travel.ts';

/** What opening found and made. */
export interface Opened {
  readonly location: string;
  readonly storeId: string;
  readonly state: State;
  readonly recovery: RecoveryReport;
  readonly logger: Logger;
  readonly verify: () => Promise<VerifyReport>;
  readonly travel: TimeTravel;
  /** Contexts that are still in a snapshot file. */
  readonly contexts?: LazyContexts | undefined;
}

/** The parts of a store that reading needs; a writable store is made of the same. */
export interface ReadParts {
  readonly reads: Reads;
  readonly source: ReadSource;
  readonly emitter: Emitter;
  readonly machines: MachineReads;
}

export function readParts(opened: Opened, isOver?: (offset: number) => boolean): ReadParts {
  const reads = new Reads(opened.state, isOver);
  return {
    reads,
    source: { reads, storeId: opened.storeId },
    emitter: new Emitter(opened.logger),
    machines: machineReads(reads),
  };
}

export class FrozenStore implements ReadStore {
  readonly location: string;
  readonly recovery: RecoveryReport;
  readonly machines: MachineReads;
  readonly instances: InstanceReads;
  readonly collections: CollectionReads;
  private readonly vectorSource: CollectionSource;
  private readonly parts: ReadParts;
  private readonly state: State;
  private readonly runVerify: () => Promise<VerifyReport>;
  private readonly contexts: LazyContexts | undefined;
  private readonly travel: TimeTravel;
  private isClosed = false;

  constructor(opened: Opened, ports: { readonly clock: Clock; readonly thread: Thread }) {
    this.travel = opened.travel;
    this.contexts = opened.contexts;
    this.location = opened.location;
    this.recovery = opened.recovery;
    this.state = opened.state;
    this.runVerify = opened.verify;
    this.parts = readParts(opened);
    this.machines = this.parts.machines;
    this.instances = instanceReads(this.parts.source, undefined);
    this.vectorSource = { reads: this.parts.reads, clock: ports.clock, thread: ports.thread };
    this.collections = collectionReads(this.vectorSource);
  }

  get offset(): Offset {
    return this.state.offset;
  }
  get closed(): boolean {
    return this.isClosed;
  }

  async machine<M extends MachineShape>(machine: Machine<M>): Promise<MachineReader<M>> {
    this.parts.reads.admit();
    return machineReader(
      this.parts.source,
      registered(this.state, checkMachine(machine)),
    ) as unknown as MachineReader<M>;
  }

  collection<T extends object>(name: string): CollectionReader<T> {
    return collectionReader(this.vectorSource, name) as unknown as CollectionReader<T>;
  }

  async reached(offset: Offset): Promise<void> {
    this.parts.reads.admit();
    if (offset <= this.state.offset) return;
    throw new StoreError(
      'UNSUPPORTED',
      `a store opened to read does not follow its log yet; it shows record ${this.state.offset}`,
    );
  }

  async verify(): Promise<VerifyReport> {
    this.parts.reads.admit();
    return this.runVerify();
  }
  asOf(moment: Moment): Promise<View> {
    return this.travel.asOf(moment);
  }
  diff(before: Moment, after: Moment): AsyncIterable<Difference> {
    return this.travel.diff(before, after);
  }
  stats(): Readonly<Record<string, unknown>> {
    this.parts.reads.admit();
    return memoryStats(this.state);
  }
  on<K extends keyof StoreEvents>(event: K, listener: (details: StoreEvents[K]) => void): this {
    this.parts.emitter.on(event, listener);
    return this;
  }
  off<K extends keyof StoreEvents>(event: K, listener: (details: StoreEvents[K]) => void): this {
    this.parts.emitter.off(event, listener);
    return this;
  }
  /** @internal something of the snapshot cannot be read */
  damaged(error: StoreError): void {
    tellOfDamage(this.parts.emitter, error);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.parts.reads.close();
    await Promise.all([this.contexts?.stop(), this.travel.close()]);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** To whoever listens; what is no damage has another way to be heard of. */
function tellOfDamage(emitter: Emitter, error: StoreError): void {
  if (!isStoreError(error, 'CORRUPT')) return;
  const { file, byteOffset } = error.details;
  emitter.emit('corruption', { file, byteOffset, error });
}

/** The registered definition that is this very one. @throws {StoreError} MACHINE_NOT_FOUND */
function registered(state: State, machine: MachineDefinition): Readonly<MachineDefinition> {
  const body = validateDefinition(machine);
  const found = state.machines.find(body.name, body.version);
  if (found === undefined || found.isHidden || checksumOf(found.body) !== checksumOf(body))
    throw unknownMachine(body.name, body.version);
  return definitionOf(found);
}
