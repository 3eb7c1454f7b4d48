/** What the callback of a transaction works with: the commands of instances and collections, bound to the group that is open. */
import { badRequest, StoreError } from '../base/errors.ts';
import type { Machine, MachineDefinition, MachineShape } from '../machine/definition.ts';
import type { TransactionCollection } from './api/collection.ts';
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
  Pending,
  Transaction,
  TransactionInstances,
  TransactionMachine,
} from './api/transaction.ts';
import { atIndex } from './batch-input.ts';
import { BOUND_CREATE_FIELDS, CREATE_FIELDS, EVENT_OPTIONS, type Inherited } from './call.ts';
import type { VectorCommands } from './collections/commands.ts';
import { transactionCollection } from './collections/transaction-collection.ts';
import type { BoundMachine } from './decide/command-types.ts';
import type { Commands } from './decide/commands.ts';
import type { OverlayReads } from './overlay-reads.ts';
import type { Pipeline } from './pipeline.ts';
import { TransitionResult } from './results.ts';
import { checkName, checkObject } from './write-options.ts';

/** What the callback works with; dead as soon as it returned. */
export class TransactionScope implements Transaction {
  readonly now: number;
  readonly instances: TransactionInstances;
  private readonly pipeline: Pipeline;
  private readonly commands: Commands;
  private readonly vectors: VectorCommands;
  private readonly reads: OverlayReads;
  private readonly inherited: Inherited;
  private isOver = false;
  private writes = 0;
  /** A write of several records failed half way, and the callback went on. */
  private failure: { readonly error: unknown } | undefined;

  constructor(
    pipeline: Pipeline,
    commands: Commands,
    vectors: VectorCommands,
    reads: OverlayReads,
    inherited: Inherited,
  ) {
    this.vectors = vectors;
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

  /** Half of a write is in the open group: nothing of it may stay, whatever the callback made of that. */
  checkWhole(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }

  collection<T extends object>(name: string): TransactionCollection<T> {
    this.admit();
    const collection = transactionCollection(
      this.pipeline,
      this.vectors,
      {
        admit: () => this.admit(),
        write: (run) =>
          this.write(() => {
            this.admit();
            this.commands.input.prepareGroup(this.inherit());
            this.vectors.given = this.inherited.at;
            return run();
          }),
        doom: (error) => {
          this.failure ??= { error };
        },
      },
      name,
    );
    return collection as unknown as TransactionCollection<T>;
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
