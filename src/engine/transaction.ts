/**
 * Transactions: a callback that runs once, synchronously, over the overlay, and whose records
 * become one commit. If it throws, buffer, overlay and handles are as before. Offsets are those the
 * records get if it succeeds.
 */
import { badRequest, StoreError } from '../base/errors.ts';
import { KEY_SCOPE } from '../instance/scoped-key.ts';
import type { Machine, MachineDefinition, MachineShape } from '../machine/definition.ts';
import type {
  ApplyOptions,
  Created,
  CreateInput,
  Instance,
  Transition,
  WriteOptions,
} from './api/instance.ts';
import type { MachineReader } from './api/machine.ts';
import type {
  Committed,
  Pending,
  Transaction,
  TransactionInstances,
  TransactionMachine,
} from './api/transaction.ts';
import { atIndex } from './batch-input.ts';
import {
  BOUND_CREATE_FIELDS,
  CREATE_FIELDS,
  EVENT_OPTIONS,
  type Inherited,
  inheritedFrom,
} from './call.ts';
import type { BoundMachine } from './decide/command-types.ts';
import type { Commands } from './decide/commands.ts';
import type { Outcome } from './outcome.ts';
import { OverlayReads } from './overlay-reads.ts';
import type { Pipeline } from './pipeline.ts';
import { TransitionResult } from './results.ts';
import { ValueTicket } from './value-ticket.ts';
import { checkName, checkObject, withSignal } from './write-options.ts';

/** A callback has no arguments: the key alone tells two of them apart. */
const NO_ARGUMENTS: readonly [number, number] = [0, 0];

export class Transactions {
  private readonly pipeline: Pipeline;
  private readonly commands: Commands;
  private readonly reads: OverlayReads;
  private readonly outcome: Outcome;

  constructor(pipeline: Pipeline, commands: Commands, outcome: Outcome, storeId: string) {
    this.pipeline = pipeline;
    this.commands = commands;
    this.outcome = outcome;
    this.reads = new OverlayReads(pipeline, commands.target, storeId);
  }

  run<T>(
    callback: (tx: Transaction) => T,
    options: WriteOptions | undefined,
  ): Promise<Committed<T>> {
    const { pipeline, commands } = this;
    const { records } = pipeline;
    let inherited: Inherited;
    try {
      records.admit();
      records.readClock();
      if (typeof callback !== 'function')
        throw badRequest('run must be a function', 'run', 'function');
      commands.input.prepareGroup(options);
      inherited = inheritedFrom(commands.call);
      const first = inherited.key === undefined ? undefined : this.replay<T>();
      if (first !== undefined) return withSignal(first, inherited.signal);
      records.openGroup();
    } catch (error) {
      return pipeline.answers.refuse(
        error,
        pipeline.notes.key !== undefined && commands.replay.isPending,
      );
    }
    const { key, signal, mustSync } = inherited;
    const scope = new TransactionScope(pipeline, commands, this.reads, inherited);
    try {
      const value = callback(scope);
      this.checkValue(value);
      if (key !== undefined) this.outcome.log(KEY_SCOPE.transaction, key, value, NO_ARGUMENTS);
      return withSignal(this.commit(value, mustSync), signal);
    } catch (error) {
      records.abortGroup();
      // The callback may have read commits that wait: its own error is only true once they are.
      return pipeline.answers.refuse(error, true);
    } finally {
      scope.end();
    }
  }

  private checkValue(value: unknown): void {
    const isThenable =
      typeof value === 'object' &&
      value !== null &&
      typeof (value as { then?: unknown }).then === 'function';
    if (!isThenable) return;
    // Nobody will ever look at it: what it rejects with must not end the process.
    Promise.resolve(value).catch(() => undefined);
    throw badRequest(
      'a transaction callback must not be async: its writes would come too late',
      'run',
      'synchronous function',
    );
  }

  private replay<T>(): Promise<Committed<T>> | undefined {
    this.pipeline.notes.fingerprint.set(NO_ARGUMENTS);
    return this.commands.replay.find(
      KEY_SCOPE.transaction,
      '',
      this.commands.call.mustSync,
      (first) => ({
        value: this.commands.replay.value(first) as T,
        offset: first.offset,
        applied: false,
      }),
    );
  }

  private commit<T>(value: T, mustSync: boolean): Promise<Committed<T>> {
    const { pipeline } = this;
    const ticket = new ValueTicket<T>(value, mustSync);
    const offset = pipeline.records.nextOffset - 1;
    if (pipeline.records.commitGroup(ticket, mustSync)) return ticket.promise;
    return pipeline.answers.give(offset, mustSync, () => ({ value, offset, applied: true }));
  }
}

/** What the callback works with; dead as soon as it returned. */
class TransactionScope implements Transaction {
  readonly now: number;
  readonly instances: TransactionInstances;
  private readonly pipeline: Pipeline;
  private readonly commands: Commands;
  private readonly reads: OverlayReads;
  private readonly inherited: Inherited;
  private isOver = false;
  private writes = 0;

  constructor(pipeline: Pipeline, commands: Commands, reads: OverlayReads, inherited: Inherited) {
    this.pipeline = pipeline;
    this.commands = commands;
    this.reads = reads;
    this.inherited = inherited;
    this.now = pipeline.now;
    this.instances = {
      ...this.bound(undefined),
      create: (input): Pending<Created> => this.write(() => this.create(undefined, input)),
    };
  }

  end(): void {
    this.isOver = true;
  }

  machine<M extends MachineShape>(machine: Machine<M> | MachineReader<M>): TransactionMachine<M> {
    this.admit();
    if (typeof machine !== 'object' || machine === null)
      throw badRequest('machine must be a definition or a handle', 'machine', 'object');
    const definition: MachineDefinition = 'definition' in machine ? machine.definition : machine;
    const name = checkName(definition?.name, 'machine.name');
    const { version } = definition;
    const bound = {
      ...this.bound(name),
      create: (
        input: { id?: string | undefined; context?: object | undefined } = {},
      ): Pending<Created> => this.write(() => this.create({ machine: name, version }, input)),
    };
    return bound as unknown as TransactionMachine<M>;
  }

  private bound(machine: string | undefined): Omit<TransactionInstances, 'create'> {
    return {
      get: (id): Instance | undefined => this.reading().get(id, machine),
      can: (id, event): boolean => this.reading().can(id, event, machine),
      find: (query): ReturnType<TransactionInstances['find']> =>
        this.reading().find(query, machine),
      count: (selection): number => this.reading().count(selection, machine),
      apply: (id, event, payload, options): Pending<Transition> =>
        this.write(() => this.apply(id, machine, event, payload, options)),
      delete: (id): void => this.write(() => this.delete(id, machine)),
    };
  }

  /** One write of the transaction: its error says which one it was. */
  private write<T>(run: () => T): T {
    const index = this.writes++;
    try {
      return run();
    } catch (error) {
      throw atIndex(error, index);
    }
  }

  private reading(): OverlayReads {
    this.admit();
    return this.reads;
  }

  private admit(): void {
    this.pipeline.records.admitNested();
    if (this.isOver)
      throw new StoreError(
        'STORE_CLOSED',
        'the transaction is over; its callback must not keep tx',
      );
  }

  /** The options of the whole transaction stand in each of its records, but for the key. */
  private inherit(): WriteOptions {
    const { actor, reason, correlationId, at } = this.inherited;
    return { actor, reason, correlationId, at };
  }

  /** Those, and what an event of its own may expect. @throws {StoreError} BAD_REQUEST */
  private inheritEvent(own: ApplyOptions | undefined): ApplyOptions {
    checkObject(own, 'options');
    checkFields(own, EVENT_OPTIONS);
    const { expectedState, expectedOffset, eventId } = own ?? {};
    return { ...this.inherit(), expectedState, expectedOffset, eventId };
  }

  private create(
    bound: BoundMachine | undefined,
    input: Partial<CreateInput> | undefined,
  ): Pending<Created> {
    this.admit();
    const { commands } = this;
    checkObject(input, 'input');
    checkFields(input, bound === undefined ? CREATE_FIELDS : BOUND_CREATE_FIELDS);
    const id = commands.input.prepareCreate(bound, { ...input, ...this.inherit() });
    commands.logCreate(id, commands.decideCreate(id), undefined, false);
    return this.reads.get(id, undefined) as Instance;
  }

  private apply(
    id: string,
    machine: string | undefined,
    event: string,
    payload: unknown,
    options: ApplyOptions | undefined,
  ): Pending<Transition> {
    this.admit();
    const { commands, pipeline } = this;
    commands.input.prepareEvent(event, payload, this.inheritEvent(options));
    commands.locate(id, -1, machine, false);
    const transition = commands.decideEvent(id, event);
    const { definition } = commands.target;
    const offset = commands.logEvent(id, transition, undefined, false);
    const { at, eventId } = pipeline.notes;
    commands.target.find(id);
    const result = new TransitionResult(
      id,
      definition,
      transition,
      at ?? pipeline.now,
      offset,
      true,
      eventId,
    );
    const { copies } = pipeline;
    commands.target.withContext((bytes, start, end) => copies.copy(bytes, start, end));
    return result.keepPacked(copies.bytes, copies.start, copies.end);
  }

  private delete(id: string, machine: string | undefined): void {
    this.admit();
    const { commands } = this;
    commands.input.prepareDelete(this.inherit());
    commands.locate(id, -1, machine, true);
    if (!commands.target.isDeleted) commands.logDelete(id, undefined, false);
  }
}

/** Key, durability and the like belong to the whole transaction. @throws {StoreError} BAD_REQUEST */
function checkFields(given: object | undefined, known: readonly string[]): void {
  for (const name in given) {
    if (known.includes(name)) continue;
    throw badRequest(`there is no option ${JSON.stringify(name)} inside a transaction`, name);
  }
}
