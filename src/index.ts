/**
 * Entry point `pawl`: an embedded store of state machines.
 *
 * @example
 * import { openStore, defineMachine } from 'pawl';
 * const store = await openStore('./data');
 */
export { isStoreError, StoreError } from './base/errors.ts';
export type { AnyStoreError, ErrorCode, ErrorDetails, StoreErrorOf } from './base/errors.ts';
export type { Clock } from './base/clock.ts';
export type { Thread } from './base/thread.ts';
export type { FileIo } from './base/file-io.ts';
export type { Logger } from './base/logger.ts';
export type { Random } from './base/random.ts';
export { defineMachine } from './machine/define-machine.ts';
export type {
  ContextOf,
  Data,
  Duration,
  EventOf,
  Machine,
  MachineDefinition,
  MachineShape,
  PayloadOf,
  ShapeOf,
  StateOf,
  TimeoutRule,
  TransitionRule,
  UntypedShape,
  Value,
} from './machine/definition.ts';
export { openStore } from './engine/open-store.ts';
export { repairStore } from './engine/repair-store.ts';
export { restoreStore } from './engine/restore-store.ts';
export { verifyStore } from './engine/verify-store.ts';
export { fromJson, toJson } from './value/json.ts';
export type {
  ApplyArgs,
  ApplyOptions,
  CreateContext,
  Created,
  CreateInput,
  Deleted,
  Explanation,
  Instance,
  Offset,
  Transition,
  WriteOptions,
} from './engine/api/instance.ts';
export type {
  Collection,
  CollectionConfig,
  CollectionReader,
  CollectionReads,
  Collections,
  CountOptions,
  DeletedVectors,
  Match,
  MetadataOptions,
  Scope,
  ScopeKind,
  SearchQuery,
  TransactionCollection,
  Vector,
  VectorEntry,
  VectorInput,
} from './engine/api/collection.ts';
export type {
  InstanceReads,
  InstanceRef,
  Instances,
  MachineHandle,
  MachineReader,
  MachineReads,
  Machines,
  MigrationPlan,
  MigrationReport,
  PutResult,
} from './engine/api/machine.ts';
export type {
  Cursor,
  Filter,
  Operators,
  Page,
  PageOptions,
  Query,
  Range,
  Scalar,
  Selection,
} from './engine/api/query.ts';
export type {
  Durability,
  IdempotencyOptions,
  ReadOptions,
  ReadStore,
  RecoveryReport,
  Store,
  StoreEvents,
  StoreOptions,
  VerifyReport,
} from './engine/api/store.ts';
export type { Difference, Moment, View } from './engine/api/time-travel.ts';
export type {
  BatchMode,
  BatchOperation,
  BatchResult,
  Committed,
  NotPromise,
  Pending,
  Settled,
  Transaction,
  TransactionInstances,
  TransactionMachine,
} from './engine/api/transaction.ts';
