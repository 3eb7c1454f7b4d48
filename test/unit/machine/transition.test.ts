import { describe, expect, it } from 'vitest';
import {
  compileMachine,
  defineMachine,
  mergePayload,
  transition,
  validateDefinition,
} from '../../../src/machine/index.ts';
import { explainRefusal } from '../../../src/machine/transition.ts';
import { order, refusalOf } from './errors.ts';

const loan = defineMachine({
  name: 'loan',
  version: 1,
  states: ['asked', 'small', 'large', 'refused'],
  initial: 'asked',
  transitions: [
    { from: 'asked', event: 'DECIDE', to: 'large', guard: 'ctx.score > 700 && ctx.sum >= 1000' },
    { from: 'asked', event: 'DECIDE', to: 'small', guard: 'ctx.score > 500' },
    { from: 'asked', event: 'DENY', to: 'refused' },
    { from: ['small', 'large'], event: 'DENY', to: 'refused', guard: '!ctx.paid' },
  ],
});

describe('transition', () => {
  it('MAC-3 the first rule whose guard passes decides', () => {
    const decide = (context: Record<string, unknown>): unknown =>
      transition(loan, 'asked', context, 'DECIDE');
    expect(decide({ score: 800, sum: 5000 })).toMatchObject({ outcome: 'allowed', to: 'large' });
    expect(decide({ score: 800, sum: 5 })).toMatchObject({ outcome: 'allowed', to: 'small' });
  });

  it('MAC-5 guards see the context before the payload is merged', () => {
    expect(transition(loan, 'asked', { score: 0 }, 'DECIDE', { score: 800 })).toEqual({
      outcome: 'guard-failed',
      guard: 'ctx.score > 700 && ctx.sum >= 1000',
      failing: 'ctx.score > 700',
      value: 0,
    });
    expect(transition(loan, 'asked', { score: 600 }, 'DECIDE', { score: 0 })).toEqual({
      outcome: 'allowed',
      from: 'asked',
      to: 'small',
      context: { score: 0 },
    });
  });

  it('an event no rule takes here comes back with those accepted now', () => {
    expect(transition(loan, 'asked', { score: 600 }, 'PAY' as 'DENY')).toEqual({
      outcome: 'no-transition',
      state: 'asked',
      permitted: ['DECIDE', 'DENY'],
    });
    expect(transition(loan, 'large', { paid: true }, 'DECIDE')).toEqual({
      outcome: 'no-transition',
      state: 'large',
      permitted: [],
    });
  });

  it('takes a definition, its normal form and its compiled form alike', () => {
    const normal = validateDefinition(order());
    for (const machine of [normal, compileMachine(normal), JSON.parse(JSON.stringify(order()))]) {
      expect(transition(machine, 'created', { total: 1 }, 'PAY', { method: 'card' })).toEqual({
        outcome: 'allowed',
        from: 'created',
        to: 'paid',
        context: { total: 1, method: 'card' },
      });
    }
  });

  it('changes nothing it was given', () => {
    const context = Object.freeze({ score: 600, lines: Object.freeze([1]) });
    const payload = Object.freeze({ sum: 1 });
    const step = transition(loan, 'asked', context, 'DECIDE', payload);
    expect(step).toMatchObject({ context: { score: 600, lines: [1], sum: 1 } });
    expect(context).toEqual({ score: 600, lines: [1] });
  });

  it.each([
    ['an unknown state', () => transition(loan, 'gone' as 'asked', {}, 'DENY'), 'state'],
    [
      'an inherited name as state',
      () => transition(loan, 'toString' as 'asked', {}, 'DENY'),
      'state',
    ],
    ['a context that is null', () => transition(loan, 'asked', null as never, 'DENY'), 'context'],
    ['a list as context', () => transition(loan, 'asked', [] as never, 'DENY'), 'context'],
    ['no definition', () => transition(null as never, 'asked', {}, 'DENY'), 'definition'],
    ['a bad definition', () => transition({ ...order(), to: 1 } as never, 'paid', {}, 'X'), 'to'],
    [
      'a definition with a field that only a compiled one has',
      () => transition({ ...order(), firstPassing: 1 } as never, 'paid', {}, 'X'),
      'firstPassing',
    ],
  ])('%s is refused', (_, run, path) => {
    expect(refusalOf(run).path).toBe(path);
  });

  it('explaining a refusal that was none is a bug, and says so', () => {
    const machine = compileMachine(validateDefinition(loan));
    expect(() => explainRefusal(machine, 1, { score: 600 })).toThrow(/invariant/);
    expect(() => explainRefusal(machine, 2, {})).toThrow(/invariant/);
  });
});

describe('INS-2 a payload is merged into the context', () => {
  it('field by field at the top level; nested objects are replaced', () => {
    expect(mergePayload({ a: 1, b: { x: 1, y: 2 } }, { b: { x: 3 }, c: 4 })).toEqual({
      a: 1,
      b: { x: 3 },
      c: 4,
    });
  });

  it.each([undefined, null, 5, 'text', true, 1n, [1], new Date(0), new Map(), () => 1])(
    'one that is no plain object leaves the context as it is: %o',
    (payload) => {
      const context = { a: 1 };
      expect(mergePayload(context, payload)).toBe(context);
    },
  );

  it('F-73 __proto__ is a field like any other', () => {
    const merged = mergePayload(
      JSON.parse('{"__proto__": {"a": 1}, "b": 2}'),
      JSON.parse('{"__proto__": {"c": 3}}'),
    );
    expect(JSON.stringify(merged)).toBe('{"__proto__":{"c":3},"b":2}');
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });
});
