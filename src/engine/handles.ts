/**
 * What callers hold: instances of all machines, typed handles of one, and references to single
 * instances. Thin: they bind a machine's name or a row and delegate. Types are the caller's promise
 * about what it put in; at run time every machine is untyped.
 */
import { badRequest } from '../base/errors.ts';
import type { MachineDefinition, shape } from '../machine/definition.ts';
import type {
  ApplyOptions,
  Created,
  CreateInput,
  Deleted,
  Explanation,
  Instance,
  Transition,
  WriteOptions,
} from './api/instance.ts';
import type {
  InstanceReads,
  InstanceRef,
  Instances,
  MachineHandle,
  MachineReader,
  MigrationPlan,
  MigrationReport,
} from './api/machine.ts';
import type { Page, PageOptions, Query, Selection } from './api/query.ts';
import { notFound } from './decide/refusals.ts';
import type { InstanceName, InstanceWrites } from './instance-writes.ts';
import type { Migrations } from './migrate.ts';
import type { Reads } from './reads.ts';
import { instanceAt } from './results.ts';
import { count, find, iterate } from './query/find.ts';
import { checkName } from './write-options.ts';

export interface ReadSource {
  readonly reads: Reads;
  readonly storeId: string;
}

/** Reads over all instances, or over those of one machine. */
export function instanceReads(source: ReadSource, machine: string | undefined): InstanceReads {
  const { reads, storeId } = source;
  return {
    get: (id: string, options?: { deleted?: boolean | undefined }): Instance | undefined =>
      reads.get(id, machine, options),
    can: (id: string, event: string): boolean => reads.can(id, event, machine),
    permitted: (id: string): string[] => reads.permitted(id, machine),
    explain: (id: string, event: string): Explanation => reads.explain(id, event, machine),
    find: (query?: { machine?: string | undefined } & Query & PageOptions): Page<Instance> =>
      find(reads, storeId, query, machine),
    iterate: (query?: { machine?: string | undefined } & Query): IterableIterator<Instance> =>
      iterate(reads, query, machine),
    count: (selection?: { machine?: string | undefined } & Selection): number =>
      count(reads, selection, machine),
  };
}

export function instances(
  source: ReadSource,
  writes: InstanceWrites,
  migrations: Migrations,
): Instances {
  return {
    ...instanceReads(source, undefined),
    create: (input: CreateInput): Promise<Created> => writes.create(undefined, input),
    apply: (
      id: string,
      event: string,
      payload?: unknown,
      options?: ApplyOptions,
    ): Promise<Transition> =>
      writes.apply({ id, handle: -1, machine: undefined }, event, payload, options),
    delete: (id: string, options?: WriteOptions): Promise<Deleted> =>
      writes.delete({ id, handle: -1, machine: undefined }, options),
    migrate: (plan: MigrationPlan): Promise<MigrationReport> => migrations.run(plan),
  };
}

export function machineReader(
  source: ReadSource,
  definition: Readonly<MachineDefinition>,
): MachineReader {
  const reader: Omit<MachineReader, typeof shape> = {
    definition,
    ...instanceReads(source, definition.name),
  };
  return reader as MachineReader;
}

export function machineHandle(
  source: ReadSource,
  definition: Readonly<MachineDefinition>,
  writes: InstanceWrites,
): MachineHandle {
  const { name: machine, version } = definition;
  const handle: Omit<MachineHandle, typeof shape> = {
    ...machineReader(source, definition),
    create: (
      input: { id?: string | undefined; context?: object | undefined } & WriteOptions,
    ): Promise<Created> => writes.create({ machine, version }, input),
    apply: (
      id: string,
      event: string,
      payload?: unknown,
      options?: ApplyOptions,
    ): Promise<Transition> => writes.apply({ id, handle: -1, machine }, event, payload, options),
    delete: (id: string, options?: WriteOptions): Promise<Deleted> =>
      writes.delete({ id, handle: -1, machine }, options),
    ref: (id: string): InstanceRef => makeRef(source.reads, writes, id, machine),
  };
  return handle as MachineHandle;
}

function makeRef(reads: Reads, writes: InstanceWrites, id: string, machine: string): InstanceRef {
  const handle = reads.find(checkName(id, 'id'), machine);
  if (handle < 0) throw notFound(id, false);
  return new Ref(reads, writes, id, machine, handle);
}

class Ref implements InstanceRef, InstanceName {
  readonly id: string;
  readonly machine: string;
  private readonly row: number;
  private readonly generation: number;
  private readonly createdAt: number;
  private readonly reads: Reads;
  private readonly writes: InstanceWrites;

  constructor(reads: Reads, writes: InstanceWrites, id: string, machine: string, row: number) {
    this.reads = reads;
    this.writes = writes;
    this.id = id;
    this.machine = machine;
    this.row = row;
    this.generation = reads.state.instances.generation(row);
    this.createdAt = reads.state.instances.createdAt(row);
  }

  /** The row, as long as it holds the instance this was made for. @throws {StoreError} INSTANCE_NOT_FOUND */
  get handle(): number {
    const { instances: store } = this.reads.state;
    const isSame =
      store.isLive(this.row) &&
      store.generation(this.row) === this.generation &&
      store.createdAt(this.row) === this.createdAt;
    if (!isSame) throw notFound(this.id, false);
    return this.row;
  }

  get state(): string {
    this.reads.admit();
    const { handle } = this;
    return this.reads.definition(handle).compiled.states[
      this.reads.state.instances.state(handle)
    ] as string;
  }

  get(): Instance | undefined {
    this.reads.admit();
    const { handle } = this;
    if (this.reads.isDeleted(handle)) return undefined;
    return instanceAt(this.reads.state, handle, this.id, this.reads.definition(handle));
  }

  apply(event: string, payload?: unknown, options?: ApplyOptions): Promise<Transition> {
    return this.writes.apply(this, event, payload, options);
  }

  post(event: string, payload?: unknown, options?: ApplyOptions): void {
    this.writes.post(this, event, payload, options);
  }
}

/** What `store.machine` takes must at least look like a definition. @throws {StoreError} BAD_REQUEST */
export function checkMachine(machine: unknown): MachineDefinition {
  if (typeof machine !== 'object' || machine === null)
    throw badRequest(
      'machine must be a definition, as defineMachine makes it',
      'machine',
      'object',
    );
  return machine as MachineDefinition;
}
