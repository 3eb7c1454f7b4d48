/** Values no store can hold, and values that fight back: F-70 to F-79, each refused without a trace (GEN-1). */
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { expectRefused, nested, type Open, refusalOf, seen, withOneDoor } from './contract.ts';

const boom = (): never => {
  throw new Error('boom');
};
const cycle: Record<string, unknown> = { a: [] };
(cycle['a'] as unknown[]).push({ back: cycle });
const WITH_HOLE: unknown[] = [1];
WITH_HOLE[2] = 3;
class Point {
  x = 1;
}
const inArray = (item: unknown): unknown => ({ list: [0, item] });
const lengthOf = (length: unknown): unknown =>
  new Proxy([1, 2, 3, 4], {
    get: (target, key): unknown => (key === 'length' ? length : Reflect.get(target, key)),
  });

/** Each stands at `v` below the root; the path is the one that is to blame. */
const REFUSED: readonly (readonly [string, unknown, string])[] = [
  ['undefined', undefined, '.v'],
  ['NaN', NaN, '.v'],
  ['Infinity', Infinity, '.v'],
  ['-Infinity', inArray(-Infinity), '.v.list[1]'],
  ['a function', boom, '.v'],
  ['a symbol', Symbol('s'), '.v'],
  ['a symbol as a key', { [Symbol('s')]: 1 }, '.v'],
  ['a bigint over 64 bits', 2n ** 64n, '.v'],
  ['a bigint under 64 bits', -(2n ** 63n) - 1n, '.v'],
  ['a lone surrogate', 'a\ud800', '.v'],
  ['a lone surrogate in a long text', `${'x'.repeat(5000)}\udc00`, '.v'],
  ['a lone surrogate as a key', { '\udc00': 1 }, '.v["\\udc00"]'],
  ['a date', new Date(0), '.v'],
  ['a map', inArray(new Map()), '.v.list[1]'],
  ['a set', new Set(), '.v'],
  ['a regular expression', /x/, '.v'],
  ['bytes', Uint8Array.of(1), '.v'],
  ['a buffer', Buffer.from('a'), '.v'],
  ['an array buffer', new ArrayBuffer(1), '.v'],
  ['floats', new Float64Array(2), '.v'],
  ['an instance of a class', new Point(), '.v'],
  ['text in a box', new String('a'), '.v'],
  ['a number in a box', new Number(1), '.v'],
  ['an error', new Error('e'), '.v'],
  ['a promise', Promise.resolve(1), '.v'],
  ['a prototype of its own', Object.create({ inherited: 1 }), '.v'],
  ['a hole', WITH_HOLE, '.v[1]'],
  [
    'a getter that throws',
    {
      get bad(): never {
        return boom();
      },
    },
    '.v.bad',
  ],
  ['a proxy that throws on its keys', new Proxy({}, { ownKeys: boom }), '.v'],
  ['a proxy that throws on reading', new Proxy({ a: 1 }, { get: boom }), '.v.a'],
  ['a proxy that throws on its prototype', new Proxy({}, { getPrototypeOf: boom }), '.v'],
  [
    'a proxy that throws on descriptors',
    new Proxy({ a: 1 }, { getOwnPropertyDescriptor: boom }),
    '.v',
  ],
  [
    'a list that throws on an item',
    new Proxy([1], { get: (t, k): unknown => (k === '0' ? boom() : Reflect.get(t, k)) }),
    '.v[0]',
  ],
  [
    'a list that throws on its length',
    new Proxy([1], { get: (t, k): unknown => (k === 'length' ? boom() : Reflect.get(t, k)) }),
    '.v',
  ],
  ['a list that throws on looking for holes', new Proxy([undefined], { has: boom }), '.v[0]'],
  ['a list of 3.5 items', lengthOf(3.5), '.v'],
  ['a list of -1 items', lengthOf(-1), '.v'],
  ['a list of NaN items', lengthOf(NaN), '.v'],
  ['a list whose length is text', lengthOf('4'), '.v'],
];

const DEEP: readonly (readonly [string, unknown])[] = [
  ['a cycle', cycle],
  ['101 levels', nested(101)],
  ['10,000 levels', nested(10_000)],
  [
    'a proxy without end',
    (() => {
      const endless: object = new Proxy(
        {},
        {
          ownKeys: () => ['in'],
          getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }),
          get: () => endless,
        },
      );
      return { endless };
    })(),
  ],
];

const HUGE: readonly (readonly [string, () => unknown])[] = [
  ['17 MiB of text', () => 'x'.repeat(17 << 20)],
  [
    '17 MiB of keys',
    () =>
      Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`${i}${'k'.repeat(1 << 20)}`, 0])),
  ],
  ['16 MiB of text twice', () => [0, 1].map(() => 'x'.repeat(16 << 20))],
];

export function hostileValueCases(open: Open): void {
  describe('hostile values', () => {
    test.each(REFUSED)('F-79 GEN-1 %s is refused with its path', async (_, value, path) => {
      const store = await withOneDoor(open);
      for (const [root, call] of waysIn(store, { a: 1, v: value })) {
        const error = await expectRefused(store, 'BAD_REQUEST', call);
        expect(error.details).toMatchObject({ path: `${root}${path}` });
      }
      await store.instances.apply('d', 'PUSH', { fine: true });
      expect(seen(store, 'd').context).toEqual({ fine: true });
    });

    test.each(DEEP)('F-72 %s is refused', async (_, value) => {
      const store = await withOneDoor(open);
      for (const [root, call] of waysIn(store, value)) {
        const error = await expectRefused(store, 'BAD_REQUEST', call);
        expect((error.details as { path: string }).path.startsWith(root)).toBe(true);
      }
    });

    test.each(HUGE)('F-76 %s is too large', async (_, make) => {
      const store = await withOneDoor(open);
      for (const [root, call] of waysIn(store, { v: make() })) {
        const error = await expectRefused(store, 'RECORD_TOO_LARGE', call);
        expect(error.details).toMatchObject({ path: root });
      }
    });

    test.each([
      ['a sparse list of 2^32 - 1 items', Object.assign([], { length: 2 ** 32 - 1 })],
      ['a list that claims 2^53 - 1 items', lengthOf(2 ** 53 - 1)],
    ])('F-74 %s is refused before anything is made of it', async (_, value) => {
      const store = await withOneDoor(open);
      const heap = process.memoryUsage().heapUsed;
      for (const [, call] of waysIn(store, { v: value })) {
        const error = await refusalOf(call);
        expect(['BAD_REQUEST', 'RECORD_TOO_LARGE']).toContain(error.code);
      }
      expect(process.memoryUsage().heapUsed - heap).toBeLessThan(200 << 20);
      expect(store.offset).toBe(2);
    });

    test.each([
      ['5', 5],
      ['text', 'text'],
      ['a list', []],
      ['a date', new Date(0)],
      ['a map', new Map()],
      ['a function', boom],
    ])('INS-1 a context must be a plain object, not %s', async (_, context) => {
      const store = await withOneDoor(open);
      const create = (): unknown =>
        store.instances.create({ machine: 'door', context: context as object });
      const error = await expectRefused(store, 'BAD_REQUEST', create);
      expect(error.details).toMatchObject({ path: 'context' });
    });

    roundTripCases(open);
  });
}

function waysIn(
  store: Awaited<ReturnType<Open>>,
  value: unknown,
): readonly (readonly [string, () => unknown])[] {
  const context = value as object;
  return [
    ['payload', () => store.instances.apply('d', 'PUSH', value)],
    ['context', () => store.instances.create({ machine: 'door', context })],
    ['payload', () => store.transaction((tx) => void tx.instances.apply('d', 'PUSH', value))],
    ['context', () => store.batch([{ op: 'create', machine: 'door', context }])],
  ];
}

function roundTripCases(open: Open): void {
  test('F-73 F-79 what can be held comes back exactly', async () => {
    const store = await withOneDoor(open);
    const odd = JSON.parse(
      '{"__proto__":{"a":1},"constructor":{"prototype":2},"toString":3,"hasOwnProperty":4,"4294967295":5,"9007199254740993":6,"-1":7,"":8}',
    ) as object;
    const context = {
      odd,
      numbers: [
        -0,
        0,
        5e-324,
        1.7976931348623157e308,
        2 ** 53,
        2 ** 53 + 2,
        -(2 ** 31),
        2 ** 32 - 1,
        0.1,
      ],
      integers: [2n ** 53n + 1n, 2n ** 64n - 1n, -(2n ** 63n), 0n],
      texts: ['', '\0', '\ufeff', '😀', 'x'.repeat(70_000), '\u2028'],
      none: null,
      bare: Object.assign(Object.create(null) as object, { a: 1 }),
      foreign: runInNewContext('({ from: ["elsewhere"] })') as unknown,
    };
    const done = await store.instances.apply('d', 'PUSH', context);
    const read = seen(store, 'd').context as typeof context;
    for (const one of [done.context as typeof context, read]) {
      expect(new Map(Object.entries(one.odd))).toEqual(new Map(Object.entries(odd)));
      expect(Object.getPrototypeOf(one.odd)).toBe(Object.prototype);
      expect(one.numbers.map((n) => (Object.is(n, -0) ? '-0' : n))).toEqual(
        context.numbers.map((n) => (Object.is(n, -0) ? '-0' : n)),
      );
      expect(one.integers).toEqual(context.integers);
      expect(one.texts).toEqual(context.texts);
      expect([one.none, one.bare, one.foreign]).toEqual([null, { a: 1 }, { from: ['elsewhere'] }]);
    }
  });

  test('F-73 an own __proto__ in a payload is a field like any other', async () => {
    const store = await withOneDoor(open);
    await store.instances.apply('d', 'PUSH', JSON.parse('{"__proto__":{"polluted":1},"a":1}'));
    await store.instances.apply('d', 'PUSH', { b: 2 });
    const { context } = seen(store, 'd');
    expect(Object.keys(context).toSorted()).toEqual(['__proto__', 'a', 'b']);
    expect('polluted' in context).toBe(false);
    await store.instances.apply('d', 'PUSH', JSON.parse('{"__proto__":2}'));
    expect(Object.getOwnPropertyDescriptor(seen(store, 'd').context, '__proto__')?.value).toBe(2);
  });

  test('F-79 a getter is read once, and what it gives then is what is stored', async () => {
    const store = await withOneDoor(open);
    let reads = 0;
    const done = await store.instances.apply('d', 'PUSH', {
      get n(): number {
        return ++reads;
      },
    });
    expect([reads, done.context, seen(store, 'd').context]).toEqual([1, { n: 1 }, { n: 1 }]);
  });

  test('F-73 Object.prototype is as it was', () => {
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(12);
  });
}
