/**
 * The pure step of a machine: definition, state, context and event give the next state and
 * context, or the reason why not. Reads no clock, keeps nothing, performs nothing.
 */
import { invariant } from '../base/assert.ts';
import { badRequest } from '../base/errors.ts';
import type { CompiledMachine } from './compile-machine.ts';
import { mergePayload } from './context.ts';
import { compiledOf } from './define-machine.ts';
import type {
  Data,
  Machine,
  MachineDefinition,
  MachineShape,
  PayloadOf,
  UntypedShape,
  shape,
} from './definition.ts';
import { explainGuard } from './guard/evaluate.ts';
import { describe } from './name.ts';
import { isPlainObject } from './plain-data.ts';

/** What an event does to a state and context. */
export type TransitionOutcome<M extends MachineShape = UntypedShape> =
  | {
      readonly outcome: 'allowed';
      readonly from: M['state'];
      readonly to: M['state'];
      /** After the payload was merged. */
      readonly context: M['context'];
    }
  | GuardFailure
  | {
      /** No rule takes this event in this state; `permitted` are the events that would be accepted now. */
      readonly outcome: 'no-transition';
      readonly state: M['state'];
      readonly permitted: readonly M['event'][];
    };

/** There are rules for the event, but no guard passed. Tells of the rule tried first. */
export interface GuardFailure {
  readonly outcome: 'guard-failed';
  /** The whole guard, in normal form. */
  readonly guard: string;
  /** The smallest part of it that failed. */
  readonly failing: string;
  /** What its field held; null when missing. */
  readonly value: unknown;
}

/** The payload may be left out only if the event asks for none. */
export type PayloadArgs<M extends MachineShape, E extends string> =
  undefined extends PayloadOf<M, E> ? [payload?: PayloadOf<M, E>] : [payload: PayloadOf<M, E>];

/** A definition without types, so that a typed one is never let through by the loose overload. */
type Untyped = MachineDefinition & { readonly [shape]?: never };

/**
 * Decides what an event does. Guards see the context before the payload is merged.
 *
 * @param machine from `defineMachine` (prepared once), or a definition or compiled machine; a
 *   plain definition is checked and compiled at every call.
 * @param state one of its states.
 * @param context a plain object; not changed.
 * @throws {StoreError} BAD_REQUEST - for a bad definition, an unknown state, or a context that is
 *   no plain object. An unknown event is no error: nothing takes it.
 * @example
 * const step = transition(door, 'shut', { tries: 0 }, 'OPEN', { tries: 1 });
 * if (step.outcome === 'allowed') console.log(step.to, step.context); // open { tries: 1 }
 */
export function transition(
  machine: Untyped | CompiledMachine,
  state: string,
  context: Data,
  event: string,
  payload?: unknown,
): TransitionOutcome;
export function transition<M extends MachineShape, E extends M['event']>(
  machine: Machine<M>,
  state: NoInfer<M['state']>,
  context: NoInfer<M['context']>,
  event: E,
  ...payload: PayloadArgs<M, E>
): TransitionOutcome<M>;
export function transition(
  machine: MachineDefinition | CompiledMachine,
  state: string,
  context: Data,
  event: string,
  payload?: unknown,
): TransitionOutcome {
  const compiled = isCompiled(machine) ? machine : compiledOf(machine);
  const from = compiled.stateIndex(state);
  if (from === -1) {
    throw badRequest(
      `${describe(state)} is no state of this machine`,
      'state',
      'one of its states',
    );
  }
  if (!isPlainObject(context)) {
    throw badRequest(`a context is an object, not ${describe(context)}`, 'context', 'plain object');
  }
  const first = compiled.first(from, compiled.eventIndex(event));
  if (first === -1) {
    return { outcome: 'no-transition', state, permitted: compiled.permitted(from, context) };
  }
  const chosen = compiled.transitions[compiled.firstPassing(first, context)];
  if (chosen === undefined) return explainRefusal(compiled, first, context);
  const to = compiled.states[chosen.to] as string;
  return { outcome: 'allowed', from: state, to, context: mergePayload(context, payload) };
}

/**
 * Why none of a chain of guarded rules applied, told of the one tried first.
 *
 * @param first start of the chain, none of whose guards passes this context.
 * @internal
 */
export function explainRefusal(
  compiled: CompiledMachine,
  first: number,
  context: unknown,
): GuardFailure {
  const guard = compiled.transitions[first]?.guard;
  invariant(guard !== undefined, 'an unguarded rule always applies');
  const explanation = explainGuard(guard, context);
  invariant(!explanation.passed, 'a rule whose guard passes applies');
  const { failing, value } = explanation;
  return { outcome: 'guard-failed', guard: guard.text, failing, value };
}

/** No definition can hold a function, so nothing else looks like one. */
function isCompiled(machine: MachineDefinition | CompiledMachine): machine is CompiledMachine {
  return typeof (machine as Partial<CompiledMachine> | undefined)?.firstPassing === 'function';
}
