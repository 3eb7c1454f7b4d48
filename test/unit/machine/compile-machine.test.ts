import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compileMachine,
  validateDefinition,
  type CompiledMachine,
  type NormalisedDefinition,
} from '../../../src/machine/index.ts';
import { order } from './errors.ts';

const STATES = ['s0', 's1', 's2', '__proto__'];
const EVENTS = ['e0', 'e1', 'e2', 'constructor'];
const state = fc.constantFrom(...STATES);

/** Random machines: per (from, event) some guarded rules, perhaps an unguarded one last. */
const definitions = fc
  .array(
    fc.record({
      from: fc.array(state, { minLength: 1, maxLength: 3 }),
      event: fc.constantFrom(...EVENTS),
      to: state,
      guard: fc.constantFrom(undefined, 'ctx.a', 'ctx.b', '!ctx.a', 'ctx.n > 1'),
    }),
    { maxLength: 12 },
  )
  .map((rules) => {
    const machine = { name: 'm', version: 1, states: STATES, initial: 's0' };
    const transitions: unknown[] = [];
    for (const rule of rules) {
      const tried = [...transitions, rule];
      // A rule that can never be reached would be refused; it is left out.
      try {
        validateDefinition({ ...machine, transitions: tried });
        transitions.push(rule);
      } catch {
        continue;
      }
    }
    return validateDefinition({ ...machine, transitions });
  });
const contexts = fc.record({ a: fc.boolean(), b: fc.boolean(), n: fc.nat(3) });

/** What a reader of the definition would do: look through all rules in order. */
function expected(definition: NormalisedDefinition, from: string, event: string): number[] {
  const found: number[] = [];
  let index = 0;
  for (const rule of definition.transitions) {
    for (const one of rule.from) {
      if (one === from && rule.event === event) found.push(index);
      index++;
    }
  }
  return found;
}

function chainOf(machine: CompiledMachine, from: string, event: string): number[] {
  const chain: number[] = [];
  let at = machine.first(machine.stateIndex(from), machine.eventIndex(event));
  for (; at !== -1; at = machine.next(at)) chain.push(at);
  return chain;
}

const holds = (guard: string | undefined, c: { a: boolean; b: boolean; n: number }): boolean =>
  ({ 'ctx.a': c.a, 'ctx.b': c.b, '!ctx.a': !c.a, 'ctx.n > 1': c.n > 1 })[guard ?? ''] ?? true;

describe('a compiled machine', () => {
  it('MAC-3 chains the rules of a state and event in written order (property)', () => {
    fc.assert(
      fc.property(definitions, (definition) => {
        const machine = compileMachine(definition);
        for (const from of STATES) {
          for (const event of EVENTS) {
            expect(chainOf(machine, from, event)).toEqual(expected(definition, from, event));
          }
        }
      }),
    );
  });

  it('MAC-3 the first passing guard wins, and permitted tells what would be accepted (property)', () => {
    fc.assert(
      fc.property(definitions, contexts, (definition, context) => {
        const machine = compileMachine(definition);
        const expanded = definition.transitions.flatMap((rule) => rule.from.map(() => rule));
        for (const [index, from] of STATES.entries()) {
          const accepted = machine.events.filter((event) =>
            expected(definition, from, event).some((at) => holds(expanded[at]?.guard, context)),
          );
          expect(machine.permitted(index, context)).toEqual(accepted);
          for (const event of EVENTS) {
            const winner = expected(definition, from, event).find((at) =>
              holds(expanded[at]?.guard, context),
            );
            const first = machine.first(index, machine.eventIndex(event));
            expect(machine.firstPassing(first, context)).toBe(winner ?? -1);
          }
        }
      }),
    );
  });

  it('its transitions are the rules, one from each, numbered as they stand', () => {
    const machine = compileMachine(validateDefinition(order()));
    expect(machine.events).toEqual(['PAY', 'SHIP', 'EXPIRE']);
    expect(machine.initial).toBe(0);
    expect(
      machine.transitions.map(({ index, from, event, to, guard }) => [
        index,
        from,
        event,
        to,
        guard?.text,
      ]),
    ).toEqual([
      [0, 0, 0, 1, undefined],
      [1, 1, 1, 2, 'ctx.total > 0'],
      [2, 0, 2, 3, undefined],
      [3, 1, 2, 3, undefined],
    ]);
    expect([...machine.transitionFrom]).toEqual([0, 1, 0, 1]);
    expect([...machine.transitionTo]).toEqual([1, 2, 3, 3]);
  });

  it('what is unknown or out of range has no transition', () => {
    const machine = compileMachine(validateDefinition(order()));
    expect(machine.stateIndex('toString')).toBe(-1);
    expect(machine.eventIndex('constructor')).toBe(-1);
    for (const [from, event] of [
      [-1, 0],
      [0, -1],
      [4, 0],
      [0, 3],
      [1, 1e9],
      [Number.NaN, 0],
    ] as const) {
      expect(machine.first(from, event)).toBe(-1);
    }
    expect(machine.next(-1)).toBe(-1);
    expect(machine.next(99)).toBe(-1);
    expect(machine.firstPassing(-1, {})).toBe(-1);
    expect(machine.permitted(-1, {})).toEqual([]);
  });

  it('a machine too wide for a table is looked up the same way', () => {
    const states = Array.from({ length: 2000 }, (_, i) => `s${i}`);
    const transitions = states.map((from, i) => ({
      from,
      event: `e${i}`,
      to: states[(i + 1) % 2000],
    }));
    transitions.push({ from: 's7', event: 'e9', to: 's0' });
    const machine = compileMachine(
      validateDefinition({ name: 'wide', version: 1, states, initial: 's0', transitions }),
    );
    expect(machine.first(1999, 1999)).toBe(1999);
    expect(machine.first(7, 9)).toBe(2000);
    expect(machine.first(7, 8)).toBe(-1);
    expect(machine.first(2000, 0)).toBe(-1);
    expect(machine.first(0, 2000)).toBe(-1);
    expect(machine.first(-1, 2000)).toBe(-1);
    expect(machine.permitted(7, {})).toEqual(['e7', 'e9']);
  });
});
