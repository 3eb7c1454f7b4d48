/**
 * What a machine is: the definition as data, and the types the compiler knows about it.
 * Types only; validate-definition.ts checks the data and define-machine.ts infers the types.
 */

/** What a context, payload, JSON value or metadata may hold. Integers beyond 2^53 go in and come out as bigint. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Value[]
  | { readonly [key: string]: Value };

/** A context or payload without declared types. */
export type Data = Record<string, unknown>;

/** `1500` (ms) or '30m', '12h', '7d'; ISO 8601 durations such as 'PT30M' too. Malformed text: BAD_REQUEST. */
export type Duration = number | string;

/**
 * One way to move: from a state (or any of several), by an event, to a state. A rule with a guard
 * applies only when the guard passes; several guarded rules may share state and event, and are
 * tried in the order written.
 */
export interface TransitionRule<S extends string = string, E extends string = string> {
  from: S | readonly S[];
  event: E;
  to: S;
  /** Text in the guard language, read against the context before the payload is merged. */
  guard?: string | undefined;
}

/** An event that fires by itself when an instance has stayed in `state` for `after`. */
export interface TimeoutRule<S extends string = string, E extends string = string> {
  state: S;
  after: Duration;
  event: E;
}

/** A definition as data: what JSON holds, what `machines.put` takes and `machines.get` gives back (normalised). */
export interface MachineDefinition<S extends string = string, E extends string = string> {
  name: string;
  /** 0 to 2^32 - 1. */
  version: number;
  states: readonly S[];
  initial: S;
  transitions: readonly TransitionRule<S, E>[];
  timeouts?: readonly TimeoutRule<S, E>[] | undefined;
  /** Dotted context paths. Not part of the identity of a version. */
  indexes?: readonly string[] | undefined;
  /** Kept as it is, for tools; nothing here reads it. */
  meta?: Data | undefined;
}

/** What the compiler knows of a machine. */
export interface MachineShape {
  state: string;
  event: string;
  context: object;
  payloads: object;
}

/** The shape of a machine nobody declared types for. */
export interface UntypedShape extends MachineShape {
  context: Data;
  payloads: {};
}

/** Where a machine's type carries its shape. There is no such value: it exists for the compiler alone. */
export declare const shape: unique symbol;

/** A definition that carries its types. Frozen; `JSON.stringify` gives the plain definition. */
export type Machine<M extends MachineShape = MachineShape> = Readonly<
  MachineDefinition<M['state'], M['event']>
> & { readonly [shape]: M };

/** State, event, context and payload types of a machine or of its handle. */
export type ShapeOf<T> = T extends { readonly [shape]: infer M extends MachineShape } ? M : never;
/** The states of a machine or of its handle. */
export type StateOf<T> = ShapeOf<T>['state'];
/** The events of a machine or of its handle. */
export type EventOf<T> = ShapeOf<T>['event'];
/** The context of a machine or of its handle. */
export type ContextOf<T> = ShapeOf<T>['context'];
/** What event `E` carries; any object or nothing when the machine does not say. */
export type PayloadOf<M extends MachineShape, E extends string> = E extends keyof M['payloads']
  ? M['payloads'][E]
  : Data | undefined;

/** A rule as it is kept: `from` without repeats and always a list, `guard` in normal form. */
export interface NormalisedTransition {
  readonly from: readonly string[];
  readonly event: string;
  readonly to: string;
  readonly guard?: string;
}

/** A timeout as it is kept. */
export interface NormalisedTimeout {
  readonly state: string;
  /** Milliseconds. */
  readonly after: number;
  readonly event: string;
}

/**
 * A definition that passed every check: deeply frozen, plain, fields in this order, absent where
 * empty. Two definitions are the same exactly when their `canonicalText` is.
 */
export interface NormalisedDefinition {
  readonly name: string;
  readonly version: number;
  readonly states: readonly string[];
  readonly initial: string;
  readonly transitions: readonly NormalisedTransition[];
  readonly timeouts?: readonly NormalisedTimeout[];
  readonly indexes?: readonly string[];
  readonly meta?: Readonly<Data>;
}
