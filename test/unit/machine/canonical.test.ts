import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalText, validateDefinition } from '../../../src/machine/index.ts';
import { order } from './errors.ts';

const identityOf = (definition: unknown): string => canonicalText(validateDefinition(definition));
const withMeta = (meta: unknown): string => identityOf({ ...order(), meta });

/** Keys in another order, at every level. */
function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(reversed);
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value).toReversed()) {
    Object.defineProperty(copy, key, { value: reversed(item), enumerable: true });
  }
  return copy;
}

const names = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'n', '1', '1n', '-0', 'null', 'a"b', '{}', ''),
  fc.string({ unit: 'binary' }),
);
const { data } = fc.letrec<{ data: unknown }>((tie) => ({
  data: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>(null, true, false, 0, -0, 1, 1n, 0n, '0', '1n', 'null', ''),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    names,
    fc.array(tie('data'), { maxLength: 3 }),
    fc.dictionary(names, tie('data'), { maxKeys: 3 }),
  ),
}));
const metas = fc.dictionary(names, data, { maxKeys: 3 });

/** Equality that tells 1 from 1n, without regard to the order of keys or the sign of zero. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(Reflect.get(a, key), Reflect.get(b, key)))
  );
}

describe('MAC-2 two definitions are the same when their canonical text is', () => {
  it('the order of keys does not matter, at any level', () => {
    expect(identityOf(reversed(order()))).toBe(identityOf(order()));
    fc.assert(fc.property(metas, (meta) => withMeta(reversed(meta)) === withMeta(meta)));
  });

  it('ways of writing do not matter', () => {
    const other = {
      ...order(),
      states: ['created', 'paid', 'paid', 'shipped', 'expired'],
      transitions: [
        { from: ['created'], event: 'PAY', to: 'paid', guard: undefined },
        { from: 'paid', event: 'SHIP', to: 'shipped', guard: '(ctx.total>0.0)' },
        { from: ['created', 'paid', 'created'], event: 'EXPIRE', to: 'expired' },
      ],
      timeouts: [{ event: 'EXPIRE', state: 'created', after: 'PT30M' }],
    };
    expect(identityOf(other)).toBe(identityOf(order()));
  });

  it('MAC-6 indexes do not matter, but a field of that name in meta does', () => {
    expect(identityOf({ ...order(), indexes: ['other'] })).toBe(identityOf(order()));
    expect(identityOf({ ...order(), indexes: undefined })).toBe(identityOf(order()));
    expect(withMeta({ indexes: ['a'] })).not.toBe(withMeta({ indexes: ['b'] }));
  });

  it.each([
    ['name', { name: 'orders' }],
    ['version', { version: 2 }],
    ['order of states', { states: ['paid', 'created', 'shipped', 'expired'] }],
    ['initial', { initial: 'paid' }],
    ['timeouts', { timeouts: [] }],
    ['the time of a timeout', { timeouts: [{ state: 'created', after: '31m', event: 'EXPIRE' }] }],
    ['meta', { meta: { colour: 'blue' } }],
    ['no meta', { meta: undefined }],
    ['order of transitions', { transitions: (order()['transitions'] as unknown[]).toReversed() }],
  ])('what differs in %s is another definition', (_, change) => {
    expect(identityOf({ ...order(), ...change })).not.toBe(identityOf(order()));
  });

  it('equal text means equal content: 1 is not 1n, -0 is 0, no name passes for another', () => {
    fc.assert(
      fc.property(metas, metas, (a, b) => {
        expect(withMeta(a) === withMeta(b)).toBe(isSame(a, b));
      }),
      { numRuns: 500 },
    );
    const texts = [1, 1n, '1', '1n', 0, 0n, null, 'null', [], {}, [null], { a: [] }, { a: {} }];
    expect(new Set(texts.map((a) => withMeta({ a }))).size).toBe(texts.length);
    expect(withMeta({ a: -0 })).toBe(withMeta({ a: 0 }));
  });
});
