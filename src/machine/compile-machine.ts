/**
 * A definition laid out for the path every event takes: states and events are numbers, and the
 * rules for (state, event) form a chain in written order, found in one typed-array read. Looking
 * up allocates nothing. Immutable once made; derived from the definition and nothing else.
 */
import type { NormalisedDefinition } from './definition.ts';
import type { Guard } from './guard/ast.ts';
import { evaluateGuard } from './guard/evaluate.ts';
import { parseGuard } from './guard/parse.ts';

/** A rule with one `from`; numbers are indexes into `states` and `events`. */
export interface CompiledTransition {
  /** Its own place in `transitions`. */
  readonly index: number;
  readonly from: number;
  readonly event: number;
  readonly to: number;
  readonly guard: Guard | undefined;
}

/** A definition ready to run. */
export interface CompiledMachine {
  readonly definition: NormalisedDefinition;
  readonly states: readonly string[];
  /** In the order the transitions first name them. */
  readonly events: readonly string[];
  /** Index of the initial state. */
  readonly initial: number;
  /** In written order, a rule from several states standing once for each. Logs hold these indexes. */
  readonly transitions: readonly CompiledTransition[];
  /** `from` and `to` of each transition, for replay. */
  readonly transitionFrom: Uint16Array;
  readonly transitionTo: Uint16Array;
  /** -1 when there is no such state. */
  readonly stateIndex: (state: string) => number;
  /** -1 when no transition takes such an event. */
  readonly eventIndex: (event: string) => number;
  /** First transition to try for this event in this state, -1 when there is none (or no such event). */
  readonly first: (state: number, event: number) => number;
  /** The one to try after that, -1 at the end. */
  readonly next: (transition: number) => number;
  /** First transition of the chain whose guard passes, from `transition` on; -1 when none does. */
  readonly firstPassing: (transition: number, context: unknown) => number;
  /** The events accepted in this state with this context, in order of `events`. */
  readonly permitted: (state: number, context: unknown) => string[];
}

/** Up to here a table of every (state, event) pair, 4 bytes each; above, a hash of those in use. */
const MAX_TABLE_ENTRIES = 1_048_576;
const NONE = -1;

/**
 * Compiles a definition.
 *
 * @param definition as `validateDefinition` returns it; nothing is checked again.
 * @example
 * const machine = compileMachine(validateDefinition(definition));
 * const first = machine.first(machine.initial, machine.eventIndex('PAY'));
 * const chosen = machine.firstPassing(first, { total: 90 });
 * if (chosen !== -1) console.log(machine.states[machine.transitionTo[chosen] ?? 0]);
 */
export function compileMachine(definition: NormalisedDefinition): CompiledMachine {
  const { states } = definition;
  const stateIndexes = new Map(states.map((state, index) => [state, index]));
  const eventIndexes = new Map<string, number>();
  for (const { event } of definition.transitions) {
    if (!eventIndexes.has(event)) eventIndexes.set(event, eventIndexes.size);
  }
  const stateIndex = (state: string): number => stateIndexes.get(state) ?? NONE;
  const eventIndex = (event: string): number => eventIndexes.get(event) ?? NONE;
  const transitions = expand(definition, stateIndex, eventIndex);
  const events = Object.freeze([...eventIndexes.keys()]);
  const { first, nextOf } = chain(transitions, states.length, events.length);
  const byState = transitionsByState(transitions, states.length);

  const firstPassing = (transition: number, context: unknown): number => {
    for (let at = transition; at !== NONE; at = nextOf[at] as number) {
      const guard = transitions[at]?.guard;
      if (guard === undefined || evaluateGuard(guard, context)) return at;
    }
    return NONE;
  };
  return Object.freeze({
    definition,
    states,
    events,
    initial: stateIndex(definition.initial),
    transitions,
    transitionFrom: Uint16Array.from(transitions, ({ from }) => from),
    transitionTo: Uint16Array.from(transitions, ({ to }) => to),
    stateIndex,
    eventIndex,
    first,
    next: (transition: number): number => nextOf[transition] ?? NONE,
    firstPassing,
    permitted: (state: number, context: unknown): string[] => {
      const accepted = new Set<number>();
      for (const { event, guard } of byState[state] ?? []) {
        if (accepted.has(event)) continue;
        if (guard === undefined || evaluateGuard(guard, context)) accepted.add(event);
      }
      return [...accepted].sort((a, b) => a - b).map((event) => events[event] as string);
    },
  });
}

function expand(
  definition: NormalisedDefinition,
  stateIndex: (state: string) => number,
  eventIndex: (event: string) => number,
): readonly CompiledTransition[] {
  const transitions: CompiledTransition[] = [];
  for (const rule of definition.transitions) {
    const guard = rule.guard === undefined ? undefined : parseGuard(rule.guard);
    const event = eventIndex(rule.event);
    const to = stateIndex(rule.to);
    for (const state of rule.from) {
      const index = transitions.length;
      transitions.push(Object.freeze({ index, from: stateIndex(state), event, to, guard }));
    }
  }
  return Object.freeze(transitions);
}

interface Chain {
  readonly first: (state: number, event: number) => number;
  readonly nextOf: Int32Array;
}

function chain(
  transitions: readonly CompiledTransition[],
  stateCount: number,
  eventCount: number,
): Chain {
  const nextOf = new Int32Array(transitions.length).fill(NONE);
  const heads = new Map<number, number>();
  const tails = new Map<number, number>();
  for (const { index, from, event } of transitions) {
    const pair = from * eventCount + event;
    const tail = tails.get(pair);
    if (tail === undefined) heads.set(pair, index);
    else nextOf[tail] = index;
    tails.set(pair, index);
  }
  const isKnown = (state: number, event: number): boolean =>
    state >= 0 && state < stateCount && event >= 0 && event < eventCount;
  if (stateCount * eventCount > MAX_TABLE_ENTRIES) {
    const first = (state: number, event: number): number =>
      isKnown(state, event) ? (heads.get(state * eventCount + event) ?? NONE) : NONE;
    return { first, nextOf };
  }
  const table = new Int32Array(stateCount * eventCount).fill(NONE);
  for (const [pair, index] of heads) table[pair] = index;
  const first = (state: number, event: number): number =>
    isKnown(state, event) ? (table[state * eventCount + event] as number) : NONE;
  return { first, nextOf };
}

function transitionsByState(
  transitions: readonly CompiledTransition[],
  stateCount: number,
): readonly (readonly CompiledTransition[])[] {
  const byState: CompiledTransition[][] = Array.from({ length: stateCount }, () => []);
  for (const transition of transitions) byState[transition.from]?.push(transition);
  return byState;
}
