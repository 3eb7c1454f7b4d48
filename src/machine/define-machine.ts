/**
 * The typed way to write a definition: states, events and payloads are inferred from the literal.
 * What comes back is the definition as written, as frozen plain data.
 */
import { compileMachine, type CompiledMachine } from './compile-machine.ts';
import type { Data, Machine, TimeoutRule, TransitionRule } from './definition.ts';
import { normalise, plainDefinition, validateDefinition } from './validate-definition.ts';

/** Events whose payload may be left out: the only ones a timer can fire. */
type Bare<E, P> = Exclude<E, { [K in keyof P]: undefined extends P[K] ? never : K }[keyof P]>;

/** A payload is shallow-merged into the context, so a field they share must fit. */
type Clash<X, C> = { [F in keyof X & keyof C]: X[F] extends C[F] ? never : F }[keyof X & keyof C];

type CheckedEvents<P, E, C> = {
  [K in keyof P]: K extends E
    ? [Clash<NonNullable<P[K]>, C>] extends [never]
      ? P[K]
      : { readonly clashesWithContext: Clash<NonNullable<P[K]>, C> }
    : never;
};

/** Where a machine keeps its compiled form: not enumerable, so no copy, comparison or JSON sees it. */
const COMPILED: unique symbol = Symbol('pawl.compiled');

/**
 * Checks a definition and infers its states and events from the literal.
 *
 * `types: {} as { context: Order; events: { PAY: { method: string } } }` declares the context and
 * payloads; it is dropped from the definition and does not enter the checksum. Events it does not
 * name take any object, or none. The transitions are inferred as a tuple on purpose: as an array
 * the compiler gives up above 1,000 of them (TS2590); `readonly [] |` keeps them a tuple when one is
 * wrong, so that the error stands at the wrong one.
 *
 * @returns the definition as written, deeply frozen; `JSON.stringify` gives the plain definition.
 * @throws {StoreError} BAD_REQUEST - with the offending field in `details.path`.
 * @example
 * const door = defineMachine({
 *   types: {} as { context: { tries: number }; events: { OPEN: { tries: number } } },
 *   name: 'door', version: 1, states: ['shut', 'open'], initial: 'shut',
 *   transitions: [
 *     { from: 'shut', event: 'OPEN', to: 'open', guard: 'ctx.tries < 3' },
 *     { from: 'open', event: 'SHUT', to: 'shut' },
 *   ],
 *   timeouts: [{ state: 'open', after: '30s', event: 'SHUT' }],
 * });
 */
export function defineMachine<
  const S extends string,
  const T extends readonly [] | readonly TransitionRule<NoInfer<S>>[],
  C extends object = Data,
  P extends object = {},
>(definition: {
  types?: {
    context?: C;
    events?: P & CheckedEvents<NoInfer<P>, NoInfer<T[number]['event']>, NoInfer<C>>;
  };
  name: string;
  version: number;
  states: readonly S[];
  initial: NoInfer<S>;
  transitions: T;
  timeouts?: readonly TimeoutRule<NoInfer<S>, NoInfer<Bare<T[number]['event'], P>>>[] | undefined;
  indexes?: readonly string[] | undefined;
  meta?: Data | undefined;
}): Machine<{ state: S; event: T[number]['event']; context: C; payloads: P }> {
  const written = plainDefinition(definition);
  const compiled = compileMachine(normalise(written));
  const machine = Object.freeze(
    Object.defineProperty({ ...written }, COMPILED, { value: compiled }),
  );
  // The types say what normalise has just checked; `shape` exists for the compiler alone.
  return machine as unknown as Machine<{
    state: S;
    event: T[number]['event'];
    context: C;
    payloads: P;
  }>;
}

/**
 * The compiled form of a definition: the one a machine carries, or made now.
 *
 * @throws {StoreError} BAD_REQUEST - for a definition that was never checked and has a fault.
 * @internal
 */
export function compiledOf(definition: unknown): CompiledMachine {
  const carried = (definition as { [COMPILED]?: CompiledMachine } | null | undefined)?.[COMPILED];
  return carried ?? compileMachine(validateDefinition(definition));
}
