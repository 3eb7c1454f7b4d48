/**
 * Definitions made to break things: every one is refused with BAD_REQUEST, or is ordinary data.
 */
import { describe, expect, it } from 'vitest';
import { canonicalText, compileMachine, validateDefinition } from '../../../src/machine/index.ts';
import { order, refusalOf } from './errors.ts';

const pathOf = (definition: unknown): string | undefined =>
  refusalOf(() => validateDefinition(definition)).path;
/** Lists and objects in turns, this many levels of them, an object outermost. */
const nested = (levels: number): unknown => {
  let value: unknown = levels % 2 === 0 ? [] : {};
  for (let left = levels - 1; left > 0; left--) value = left % 2 === 0 ? [value] : { a: value };
  return value;
};
const pristine = Reflect.ownKeys(Object.prototype).map(String).sort();

describe('F-72 nesting', () => {
  it('100 levels of meta pass, and have an identity', () => {
    const definition = validateDefinition({ ...order(), meta: nested(100) });
    expect(canonicalText(definition)).toContain(`${'{"a":['.repeat(50)}]}`);
  });

  it.each([101, 10_000, 200_000])('%d levels are refused', (levels) => {
    expect(pathOf({ ...order(), meta: nested(levels) })).toBe(`meta${'.a[0]'.repeat(50)}`);
  });

  it('a cycle is refused where it closes', () => {
    const meta: Record<string, unknown> = { a: { b: [] } };
    (meta['a'] as { b: unknown[] }).b.push(meta);
    expect(pathOf({ ...order(), meta })).toBe('meta.a.b[0]');
    const self = order();
    self['meta'] = { self };
    expect(pathOf(self)).toBe('meta.self');
  });

  it('the same object in two places is no cycle', () => {
    const twice = { x: 1 };
    expect(validateDefinition({ ...order(), meta: { a: twice, b: [twice, twice] } }).meta).toEqual({
      a: { x: 1 },
      b: [{ x: 1 }, { x: 1 }],
    });
  });

  it('data that unfolds without end is refused before memory is', () => {
    let bomb: unknown = 'x';
    for (let i = 0; i < 90; i++) bomb = [bomb, bomb];
    expect(pathOf({ ...order(), meta: { bomb } })).toMatch(/^meta\.bomb/);
  });
});

describe('F-73 names every object inherits are ordinary data', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];

  it('as name, state, event, field of a guard, index and key of meta', () => {
    const meta = JSON.parse(
      '{"__proto__": {"polluted": 1}, "constructor": [1], "a": {"__proto__": 2}}',
    );
    const definition = validateDefinition({
      name: '__proto__',
      version: 1,
      states: names,
      initial: '__proto__',
      transitions: names.map((name, i) => ({
        from: name,
        event: name,
        to: names[(i + 1) % names.length],
        guard: `ctx.${name}.length > 0`,
      })),
      indexes: names,
      meta,
    });
    expect(definition.indexes).toEqual(names);
    expect(JSON.parse(JSON.stringify(definition.meta))).toEqual(meta);
    expect(Object.getPrototypeOf(definition.meta)).toBe(Object.prototype);
    expect(canonicalText(definition)).toContain('"__proto__":{"polluted":1}');
    const machine = compileMachine(definition);
    for (const [i, name] of names.entries()) {
      expect(machine.first(machine.stateIndex(name), machine.eventIndex(name))).toBe(i);
      expect(machine.permitted(i, {})).toEqual([]);
      expect(machine.permitted(i, JSON.parse(`{"${name}": "own"}`))).toEqual([name]);
    }
  });

  it('as an unknown field', () => {
    expect(pathOf(JSON.parse('{"__proto__": {"name": "x"}}'))).toBe('__proto__');
    const rule = JSON.parse(
      '{"from": "created", "event": "E", "to": "paid", "__proto__": "ctx.a"}',
    );
    expect(pathOf({ ...order(), transitions: [rule] })).toBe('transitions[0].__proto__');
  });

  it('inherited fields do not count', () => {
    expect(pathOf(Object.create(order()))).toBe('definition');
    const bare: Record<string, unknown> = Object.assign(Object.create(null), order());
    expect(validateDefinition(bare).name).toBe('order');
  });
});

describe('F-79 code that runs while a definition is read', () => {
  const boom = new Error('boom');
  const throwing = (): never => {
    throw boom;
  };

  it('a getter that throws is refused with its path, the exception as cause', () => {
    const definition = {
      ...order(),
      meta: { a: Object.defineProperty({}, 'b', { enumerable: true, get: throwing }) },
    };
    const refusal = refusalOf(() => validateDefinition(definition));
    expect(refusal).toMatchObject({ path: 'meta.a.b', cause: boom });
  });

  it('whatever it throws, even nothing', () => {
    const hostile = new Proxy({}, { has: throwing, get: throwing });
    for (const thrown of [undefined, null, 0, 'text', hostile]) {
      const meta = Object.defineProperty({}, 'a', {
        enumerable: true,
        get: () => {
          // oxlint-disable-next-line typescript/only-throw-error -- that is the point
          throw thrown;
        },
      });
      expect(pathOf({ ...order(), meta })).toBe('meta.a');
    }
  });

  it.each(['ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor', 'get'] as const)(
    'a proxy whose %s throws is refused',
    (trap) => {
      const proxy = new Proxy({ a: 1 }, { [trap]: throwing });
      expect(pathOf({ ...order(), meta: proxy })).toMatch(/^meta/);
      expect(pathOf(proxy)).toMatch(/^(definition|a)$/);
    },
  );

  it('a revoked proxy is refused', () => {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    expect(pathOf({ ...order(), states: proxy })).toBe('states');
    expect(pathOf(proxy)).toBe('definition');
  });

  it('a list that lies about its length is refused at once', () => {
    const liar = new Proxy(['a'], { get: (list, key) => (key === 'length' ? 2 ** 50 : list[0]) });
    expect(pathOf({ ...order(), states: liar })).toBe('states');
    expect(pathOf({ ...order(), states: new Array(4e9) })).toBe('states');
  });

  it('every property is read once, so a getter cannot answer twice', () => {
    let reads = 0;
    const rule = Object.defineProperty({ event: 'GO', to: 'paid' }, 'from', {
      enumerable: true,
      get: () => (reads++ === 0 ? 'created' : 'nowhere'),
    });
    const { transitions } = validateDefinition({ ...order(), transitions: [rule], timeouts: [] });
    expect(transitions[0]?.from).toEqual(['created']);
    expect(reads).toBe(1);
  });

  it('what is kept does not change with what was given', () => {
    const given = order();
    const kept = validateDefinition(given);
    const before = canonicalText(kept);
    (given['states'] as string[]).push('later');
    (given['meta'] as Record<string, unknown>)['colour'] = 'blue';
    expect(canonicalText(kept)).toBe(before);
  });

  it('toJSON is a function like any other: no data', () => {
    expect(pathOf({ ...order(), meta: { toJSON: () => 'x' } })).toBe('meta.toJSON');
  });
});

describe('F-73 Object.prototype', () => {
  it('is what it was before all of this', () => {
    expect(Reflect.ownKeys(Object.prototype).map(String).sort()).toEqual(pristine);
  });
});
