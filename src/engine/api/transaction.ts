/** Public types of transactions and batches. */
import type { Data, Machine, MachineShape } from '../../machine/definition.ts';
import type { AnyStoreError } from '../../base/errors.ts';
import type { TransactionCollection } from './collection.ts';
import type {
  ApplyArgs,
  ApplyOptions,
  CreateContext,
  Created,
  CreateInput,
  Deleted,
  Instance,
  Offset,
  Transition,
} from './instance.ts';
import type { MachineReader } from './machine.ts';
import type { Page, PageOptions, Query, Selection } from './query.ts';

/** A result whose place in the log is not settled yet. */
export type Pending<T> = Omit<T, 'offset' | 'applied'>;
type TransactionApplyOptions<S extends string = string> = Pick<
  ApplyOptions<S>,
  'expectedState' | 'expectedOffset' | 'eventId'
>;

/** Same names as outside, but every call is synchronous, sees the writes before it, and throws StoreError. */
export interface Transaction {
  /** The time every record of this transaction carries. */
  readonly now: number;
  machine<M extends MachineShape>(machine: Machine<M> | MachineReader<M>): TransactionMachine<M>;
  readonly instances: TransactionInstances;
  /** @throws {StoreError} COLLECTION_NOT_FOUND - at its calls, when there is none */
  collection<T extends object = Data>(name: string): TransactionCollection<T>;
}

export interface TransactionInstances {
  get(id: string): Instance | undefined;
  can(id: string, event: string): boolean;
  find(query?: { machine?: string | undefined } & Query & PageOptions): Page<Instance>;
  count(selection?: { machine?: string | undefined } & Selection): number;
  create(input: Pick<CreateInput, 'machine' | 'version' | 'id' | 'context'>): Pending<Created>;
  apply(
    id: string,
    event: string,
    payload?: unknown,
    options?: TransactionApplyOptions,
  ): Pending<Transition>;
  delete(id: string): void;
}

export interface TransactionMachine<M extends MachineShape> {
  get(id: string): Instance<M> | undefined;
  can(id: string, event: M['event']): boolean;
  find(query?: Query<M['state']> & PageOptions): Page<Instance<M>>;
  count(selection?: Selection<M['state']>): number;
  create(input: { id?: string | undefined } & CreateContext<M['context']>): Pending<Created<M>>;
  apply<E extends M['event']>(
    id: string,
    event: E,
    ...args: ApplyArgs<M, E, TransactionApplyOptions<M['state']>>
  ): Pending<Transition<M>>;
  delete(id: string): void;
}

export interface Committed<T> {
  readonly value: T;
  /** Of the last record of the commit; without writes, of the last record it could see. */
  readonly offset: Offset;
  /** False when the idempotency key was seen before: the callback did not run, and this is the first value. */
  readonly applied: boolean;
}

/** Makes an async callback a compile error; at run time a thenable result is BAD_REQUEST and nothing is written. */
export type NotPromise<T> =
  T extends PromiseLike<unknown>
    ? { readonly error: 'a transaction callback must not be async' }
    : unknown;

export type BatchOperation =
  | {
      op: 'create';
      machine: string;
      version?: number | undefined;
      id?: string | undefined;
      context?: object | undefined;
      idempotencyKey?: string | undefined;
    }
  | {
      op: 'apply';
      id: string;
      event: string;
      payload?: unknown;
      expectedState?: string | undefined;
      expectedOffset?: Offset | undefined;
      eventId?: string | undefined;
      idempotencyKey?: string | undefined;
    }
  | { op: 'delete'; id: string; idempotencyKey?: string | undefined };

export type BatchResult<O extends BatchOperation = BatchOperation> = O extends { op: 'create' }
  ? Created
  : O extends { op: 'apply' }
    ? Transition
    : Deleted;
export type Settled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: AnyStoreError };
export type BatchMode = 'atomic' | 'best_effort';
