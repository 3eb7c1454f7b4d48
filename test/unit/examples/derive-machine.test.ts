/** The derived machine allows exactly the steps of the log, and each of them. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deriveMachine } from '../../../docs/examples/traffic-fines/derive-machine.ts';
import type { Case } from '../../../docs/examples/traffic-fines/log-file.ts';

function caseOf(id: string, activities: readonly string[]): Case {
  return {
    id,
    events: activities.map((activity, seq) => ({ activity, seq, at: seq, attrs: {} })),
  };
}

describe('deriving a machine', () => {
  it('makes every activity a state and an event, with a state before the first', () => {
    const { definition, steps } = deriveMachine('fine', [
      caseOf('1', ['create', 'send', 'pay']),
      caseOf('2', ['create', 'pay', 'pay']),
    ]);
    expect(definition).toEqual({
      name: 'fine',
      version: 1,
      states: ['new', 'create', 'send', 'pay'],
      initial: 'new',
      transitions: [
        { from: ['new'], event: 'create', to: 'create' },
        { from: ['create'], event: 'send', to: 'send' },
        { from: ['send', 'create', 'pay'], event: 'pay', to: 'pay' },
      ],
    });
    expect(steps).toBe(5);
  });

  it('finds another name for the first state when an activity has it', () => {
    const { definition } = deriveMachine('m', [caseOf('1', ['new', '(new)'])]);
    expect(definition.initial).toBe('((new))');
    expect(new Set(definition.states).size).toBe(3);
  });

  it('allows each step that was taken and no other', () => {
    const activity = fc.constantFrom('a', 'b', 'new', '__proto__', 'constructor');
    fc.assert(
      fc.property(fc.array(fc.array(activity, { minLength: 1 }), { minLength: 1 }), (log) => {
        const cases = log.map((activities, index) => caseOf(String(index), activities));
        const { definition, steps } = deriveMachine('m', cases);
        const allowed = new Set(
          definition.transitions.flatMap(({ from, event }) =>
            [from].flat().map((state) => JSON.stringify([state, event])),
          ),
        );
        const taken = new Set(
          log.flatMap((activities) =>
            activities.map((event, at) =>
              JSON.stringify([activities[at - 1] ?? definition.initial, event]),
            ),
          ),
        );
        expect(allowed).toEqual(taken);
        expect(steps).toBe(taken.size);
      }),
    );
  });
});
