/** Public types of instances: what reads give, what writes take and answer. */
import type { MachineShape, PayloadOf, UntypedShape } from '../../machine/definition.ts';

/** Place in commit order: a safe integer, 0 = before everything. */
export type Offset = number;

export interface Instance<M extends MachineShape = UntypedShape> {
  readonly id: string;
  readonly machine: string;
  readonly version: number;
  readonly state: M['state'];
  readonly context: M['context'];
  /** Milliseconds since the epoch, as are all times here. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Of the record that last changed this instance; what `expectedOffset` is compared with. */
  readonly offset: Offset;
  readonly lastEventId?: string;
  readonly deleted: boolean;
}

/** Result of `apply`: the fact that was logged. The instance as this event left it is { id, state: to, context, offset }. */
export interface Transition<M extends MachineShape = UntypedShape> {
  readonly id: string;
  readonly machine: string;
  readonly version: number;
  readonly event: M['event'];
  readonly from: M['state'];
  readonly to: M['state'];
  /** As this event left it; read lazily, so a result nobody looks at costs nothing. */
  readonly context: M['context'];
  readonly at: number;
  readonly offset: Offset;
  /** False when the idempotency key was seen before: this is the first result, and nothing was written. Reading `context` of a first result over 4 KiB throws UNSUPPORTED: use get. */
  readonly applied: boolean;
  readonly eventId?: string;
}

/** The instance as it was created, whatever became of it since; the context is read lazily here too. */
export type Created<M extends MachineShape = UntypedShape> = Instance<M> & {
  readonly applied: boolean;
};

export interface Deleted {
  readonly id: string;
  readonly offset: Offset;
  /** False when it was deleted before; `offset` is then that of the first time. */
  readonly applied: boolean;
}

/** Accepted by every write. */
export interface WriteOptions {
  idempotencyKey?: string | undefined;
  /** Wait for the disk whatever the store's durability. */
  durable?: boolean | undefined;
  /** Kept in the record. */
  actor?: string | undefined;
  reason?: string | undefined;
  correlationId?: string | undefined;
  /** Time of the fact, for imported history; stored times never decrease within an instance. */
  at?: number | undefined;
  /** Stops waiting: TIMEOUT, with `details.outcome` 'not-done' while undecided, else 'unknown'. */
  signal?: AbortSignal | undefined;
}

export interface ApplyOptions<S extends string = string> extends WriteOptions {
  /** CONFLICT unless the instance is in this state. */
  expectedState?: S | undefined;
  /** CONFLICT unless this record changed the instance last. */
  expectedOffset?: Offset | undefined;
  /** Kept as `lastEventId`; deduplicates nothing. */
  eventId?: string | undefined;
}

/** The payload argument may be left out only if no event it could be asks for one. */
export type ApplyArgs<M extends MachineShape, E extends string, O> = [
  { [K in E]: undefined extends PayloadOf<M, K> ? never : K }[E],
] extends [never]
  ? [payload?: PayloadOf<M, E>, options?: O]
  : [payload: PayloadOf<M, E>, options?: O];

export type CreateContext<C> = {} extends C ? { context?: C | undefined } : { context: C };

export type Explanation<M extends MachineShape = UntypedShape> =
  | { readonly outcome: 'allowed'; readonly from: M['state']; readonly to: M['state'] }
  | {
      readonly outcome: 'guard-failed';
      readonly guard: string;
      readonly failing: string;
      readonly value: unknown;
    }
  | {
      readonly outcome: 'no-transition';
      readonly state: M['state'];
      readonly permitted: readonly M['event'][];
    }
  | { readonly outcome: 'not-found'; readonly deleted: boolean };

/** What `instances.create` takes. */
export interface CreateInput extends WriteOptions {
  machine: string;
  /** Default: the highest version that was put and not removed. */
  version?: number | undefined;
  /** Default: a UUIDv7. */
  id?: string | undefined;
  context?: object | undefined;
}
