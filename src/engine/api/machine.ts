/** Public types of machine handles and of the registry of definitions. */
import type {
  Data,
  MachineDefinition,
  MachineShape,
  shape,
  UntypedShape,
} from '../../machine/definition.ts';
import type {
  ApplyArgs,
  ApplyOptions,
  CreateContext,
  Created,
  CreateInput,
  Deleted,
  Explanation,
  Instance,
  Transition,
  WriteOptions,
} from './instance.ts';
import type { Page, PageOptions, Query, Selection } from './query.ts';

/** Reads of one machine, all versions of it. An id that belongs to another machine reads as absent. */
export interface MachineReader<M extends MachineShape = UntypedShape> {
  readonly [shape]: M;
  readonly definition: Readonly<MachineDefinition<M['state'], M['event']>>;
  get(id: string, options?: { deleted?: boolean | undefined }): Instance<M> | undefined;
  /** Would this event be accepted now? False for an unknown id. */
  can(id: string, event: M['event']): boolean;
  /** Events accepted now; empty for an unknown id. */
  permitted(id: string): M['event'][];
  explain(id: string, event: M['event']): Explanation<M>;
  /** One page. */
  find(query?: Query<M['state']> & PageOptions): Page<Instance<M>>;
  /** Every match, without a default limit. Writes made while iterating neither skip nor repeat a row. */
  iterate(query?: Query<M['state']>): IterableIterator<Instance<M>>;
  count(selection?: Selection<M['state']>): number;
}

/** Typed handle. New instances get the version of its definition; existing ones follow the version they have. */
export interface MachineHandle<M extends MachineShape = UntypedShape> extends MachineReader<M> {
  create(
    input: { id?: string | undefined } & CreateContext<M['context']> & WriteOptions,
  ): Promise<Created<M>>;
  apply<E extends M['event']>(
    id: string,
    event: E,
    ...args: ApplyArgs<M, E, ApplyOptions<M['state']>>
  ): Promise<Transition<M>>;
  delete(id: string, options?: WriteOptions): Promise<Deleted>;
  /** Hashes the id once, for hot callers. INSTANCE_NOT_FOUND if absent, or once the instance was purged. */
  ref(id: string): InstanceRef<M>;
}

/** One instance, addressed without hashing its id again. */
export interface InstanceRef<M extends MachineShape = UntypedShape> {
  readonly id: string;
  readonly state: M['state'];
  get(): Instance<M> | undefined;
  apply<E extends M['event']>(
    event: E,
    ...args: ApplyArgs<M, E, ApplyOptions<M['state']>>
  ): Promise<Transition<M>>;
  /** As apply, without a promise: throws when refused at once; everything posted is settled by `store.flush()`. */
  post<E extends M['event']>(event: E, ...args: ApplyArgs<M, E, ApplyOptions<M['state']>>): void;
}

export interface MachineReads {
  get(name: string, version?: number): Readonly<MachineDefinition> | undefined;
  list(): { readonly name: string; readonly versions: readonly number[] }[];
  versions(name: string): number[];
}

export interface PutResult {
  readonly name: string;
  readonly version: number;
  /** SHA-256 of the normalised definition without `indexes`, in hex. */
  readonly checksum: string;
  /** False when this very definition was there already. */
  readonly created: boolean;
}

export interface Machines extends MachineReads {
  /** Takes data that was never type-checked; every fault is BAD_REQUEST with `details.path`. */
  put(
    definition: MachineDefinition | Data,
    options?: { expectedChecksum?: string | undefined } & WriteOptions,
  ): Promise<PutResult>;
  /** Hides a version nobody uses; CONFLICT ('in-use') while instances of it live. */
  remove(name: string, version: number): Promise<void>;
}

export interface InstanceReads {
  get(id: string, options?: { deleted?: boolean | undefined }): Instance | undefined;
  can(id: string, event: string): boolean;
  permitted(id: string): string[];
  explain(id: string, event: string): Explanation;
  find(query?: { machine?: string | undefined } & Query & PageOptions): Page<Instance>;
  iterate(query?: { machine?: string | undefined } & Query): IterableIterator<Instance>;
  count(selection?: { machine?: string | undefined } & Selection): number;
}

/** What `instances.migrate` is to do. */
export interface MigrationPlan {
  machine: string;
  fromVersion: number;
  toVersion: number;
  /**
   * State and whole context an instance goes on with under the new version. Default: the same.
   * Called once for each, synchronously; must not write to the store. An instance it throws for, or
   * answers wrongly, stays as it is.
   */
  map?: ((instance: Instance) => { state: string; context: object }) | undefined;
  /** Find out what would happen; nothing is written. */
  dryRun?: boolean | undefined;
}

/** What a migration did, or would do. */
export interface MigrationReport {
  readonly migrated: number;
  /** The same by new state; states nobody is in are left out. */
  readonly byState: Readonly<Record<string, number>>;
  /** Instances that stay as they are, and why: the first 10,000. */
  readonly failures: readonly { readonly id: string; readonly reason: string }[];
  /** How many there are in all. */
  readonly failed: number;
}

export interface Instances extends InstanceReads {
  create(input: CreateInput): Promise<Created>;
  apply(id: string, event: string, payload?: unknown, options?: ApplyOptions): Promise<Transition>;
  delete(id: string, options?: WriteOptions): Promise<Deleted>;
  /** Moves instances to another version of their machine, in many commits; run again, it goes on. */
  migrate(plan: MigrationPlan): Promise<MigrationReport>;
}
