/**
 * Definitions under fuzz: valid ones into which anything at all was put: getters, proxies, cycles,
 * data that unfolds, keys every object inherits. Either one is refused with BAD_REQUEST and a path,
 * by everything that takes definitions, or it is plain frozen data from then on.
 */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { StoreError } from '../../src/base/errors.ts';
import { openStore, type MachineDefinition } from '../../src/index.ts';
import {
  canonicalText,
  compileMachine,
  defineMachine,
  validateDefinition,
} from '../../src/machine/index.ts';
import type { NormalisedDefinition } from '../../src/machine/index.ts';
import { decodeDefinition, encodeDefinition } from '../../src/record/definition-codec.ts';
import { FUZZ_TIMEOUT_MS, Tape, allowed, checkFuzzed } from './fuzz.ts';
import { type Choose, one } from './mutate.ts';

type Holder = Record<string | number, unknown>;

const INHERITED = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'toJSON',
  'length',
  'then',
];
const FIELDS = [
  'name',
  'version',
  'states',
  'initial',
  'transitions',
  'timeouts',
  'indexes',
  'meta',
  'types',
  'from',
  'event',
  'to',
  'guard',
  'state',
  'after',
];

const BASES: readonly (() => Holder)[] = [
  () => ({
    name: 'order',
    version: 1,
    states: ['new', 'paid', 'gone'],
    initial: 'new',
    transitions: [
      { from: 'new', event: 'PAY', to: 'paid', guard: 'ctx.total > 100 && !ctx.blocked' },
      { from: ['new', 'paid'], event: 'DROP', to: 'gone' },
    ],
    timeouts: [
      { state: 'new', after: '1h', event: 'DROP' },
      { state: 'paid', after: 'PT30M', event: 'DROP' },
    ],
    indexes: ['total', './a.b'],
    meta: { owner: 'ada', list: [1, 2.5, null, true, 1n, { deep: [] }] },
  }),
  () => ({
    name: '__proto__',
    version: 0,
    states: ['constructor', 'toString'],
    initial: 'toString',
    transitions: [
      { from: 'toString', event: '__proto__', to: 'constructor', guard: 'ctx.__proto__ == null' },
    ],
  }),
  () => ({
    name: 'empty',
    version: 4_294_967_295,
    states: ['s', 's'],
    initial: 's',
    transitions: [],
    meta: {},
  }),
];

const thrown = new Error('boom');
const throwing = (): never => {
  throw thrown;
};
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

/** What may stand anywhere; the place and the whole are there for what points back at them. */
const HOSTILE: readonly ((choose: Choose, root: Holder, holder: Holder) => unknown)[] = [
  () => undefined,
  () => null,
  (choose) =>
    one(choose, [Number.NaN, Number.POSITIVE_INFINITY, -0, 0.5, -1, 2 ** 32, 2 ** 53, 1e308]),
  (choose) => one(choose, [2n ** 63n, -(2n ** 63n), 2n ** 64n - 1n, 2n ** 64n, 2n ** 5000n]),
  (choose) =>
    one(choose, [
      '',
      'x',
      '\ud800',
      '\u0000',
      'ü'.repeat(512),
      'x'.repeat(1025),
      'ctx.a',
      'ctx.',
      '!'.repeat(5000),
      '1h',
      'P1D',
      '1e3s',
      '9'.repeat(400) + 'ms',
    ]),
  (choose) => one(choose, INHERITED),
  () => Symbol('s'),
  () => throwing,
  (choose) =>
    one(choose, [
      new Date(0),
      new Map([['a', 1]]),
      new Set([1]),
      /x/,
      new Error('e'),
      Promise.resolve(1),
      new (class A {
        a = 1;
      })(),
      Object(1),
      Object('text'),
      Object(1n),
    ]),
  (choose) => new Uint8Array(one(choose, [3, 300_000])),
  () => Buffer.from('abc'),
  () => 'x'.repeat(200_000),
  (_, root) => root,
  (_, __, holder) => holder,
  (choose, root) => one(choose, valuesIn(root)),
  (choose) => nested(choose, one(choose, [3, 99, 100, 101, 5000])),
  () => {
    let bomb: unknown = 'x';
    for (let i = 0; i < 12; i++) bomb = [bomb, bomb];
    return bomb;
  },
  () => new Array(4e9),
  () => new Array(3),
  () => Object.assign(['a'], { named: 1 }),
  () => Array.from({ length: 3000 }, (_, i) => `s${i}`),
  () => Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`k${i}`, i])),
  (choose) =>
    JSON.parse(
      `{"${one(choose, INHERITED)}":{"a":1},"b":[{"${one(choose, INHERITED)}":2}]}`,
    ) as unknown,
  () => Object.create({ inherited: 1 }) as unknown,
  () => Object.assign(Object.create(null) as object, { a: 1 }),
  () => ({ [Symbol('key')]: 1 }),
  () => Object.defineProperty({ a: 1 }, 'hidden', { value: 1, enumerable: false }),
  () => ({
    get a(): never {
      return throwing();
    },
  }),
  () => {
    let reads = 0;
    return {
      get a(): unknown {
        return reads++ === 0 ? 'once' : throwing;
      },
    };
  },
  (choose) =>
    new Proxy(
      { a: 1 },
      {
        [one(choose, [
          'get',
          'ownKeys',
          'getPrototypeOf',
          'getOwnPropertyDescriptor',
          'has',
        ] as const)]: throwing,
      },
    ),
  () =>
    new Proxy(['a'], { get: (list, key) => (key === 'length' ? 2 ** 50 : Reflect.get(list, key)) }),
  () =>
    new Proxy(
      {},
      {
        ownKeys: () => ['a', 'b'],
        getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }),
        get: (_, key) => (key === 'a' ? 1 : undefined),
      },
    ),
  () => new Proxy({}, { get: () => new Proxy({}, {}) }),
  revoked,
];

function nested(choose: Choose, levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = choose(2) === 0 ? [value] : { a: value };
  return value;
}

/** Some place in the definition, rather deep than not. */
function placeIn(choose: Choose, root: Holder): Holder {
  let holder = root;
  for (let depth = choose(4); depth > 0; depth--) {
    // Only into what was there at the beginning: the rest may bite.
    const inner = Object.values(Object.getOwnPropertyDescriptors(holder))
      .map(({ value }) => value as unknown)
      .filter((value): value is Holder => isPlain(value));
    if (inner.length === 0) break;
    holder = one(choose, inner);
  }
  return holder;
}

/** Without asking getters. */
function valuesIn(holder: Holder): unknown[] {
  const own = Object.values(Object.getOwnPropertyDescriptors(holder));
  return [undefined, ...own.map(({ value }) => value as unknown)];
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  try {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== Array.prototype) return false;
    if (Array.isArray(value) && value.length > 100) return false;
    return (
      Object.keys(value).length < 100 &&
      JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? 0 : inner)).length <
        10_000
    );
  } catch {
    return false;
  }
}

/** The input as choices: which definition, and what is done to it. The same input makes the same, anew each time. */
function definitionOf(input: Uint8Array): unknown {
  const tape = new Tape(input);
  const { choose } = tape;
  const root = one(choose, BASES)();
  for (let edits = 0; edits < 6 && !tape.isAtEnd; edits++) {
    const holder = placeIn(choose, root);
    const keys = Object.keys(holder);
    const named = choose(3) === 0 || keys.length === 0;
    const key = named ? one(choose, choose(2) === 0 ? FIELDS : INHERITED) : one(choose, keys);
    const kind = choose(8);
    if (kind === 0) Reflect.deleteProperty(holder, key);
    else if (kind === 1) set(holder, key, { get: throwing, enumerable: true });
    else {
      const value =
        kind === 2
          ? one(choose, Object.values(one(choose, BASES)()))
          : one(choose, HOSTILE)(choose, root, holder);
      set(holder, key, { value, enumerable: choose(10) > 0, writable: true });
    }
  }
  const wrapped = choose(40);
  if (wrapped === 1) return new Proxy(root, {});
  if (wrapped === 2) return one(choose, HOSTILE)(choose, root, root);
  if (wrapped === 3)
    return Object.assign(Object.create(null) as object, Object.getOwnPropertyDescriptors(root));
  return root;
}

/** The length of a list is what it is. */
function set(holder: Holder, key: string, descriptor: PropertyDescriptor): void {
  if (!(Array.isArray(holder) && key === 'length'))
    Object.defineProperty(holder, key, { ...descriptor, configurable: true });
}

function isDeepFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen);
}

function checkAccepted(valid: NormalisedDefinition): void {
  assert(isDeepFrozen(valid));
  const text = canonicalText(valid);
  const twice = validateDefinition(valid);
  assert.deepEqual(twice, valid);
  assert.equal(canonicalText(twice), text);
  const back = decodeDefinition(encodeDefinition(valid));
  assert.deepEqual(back, valid);
  assert.equal(canonicalText(back), text);
  const { states, permitted, initial, transitionTo } = compileMachine(valid);
  assert(initial >= 0 && transitionTo.every((to) => to < states.length));
  for (const context of [{}, { total: 101 }])
    for (let i = 0; i < Math.min(9, states.length); i++) permitted(i, context);
}

function refusalOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    const words = allowed(error, ['BAD_REQUEST']);
    const { path, expected } = (error as StoreError).details as {
      path: unknown;
      expected: unknown;
    };
    assert(typeof path === 'string' && path.length < 20_000, words);
    assert(expected === undefined || typeof expected === 'string', words);
    assert((error as Error).message.length < 40_000);
    return words;
  }
}

const seeds = Array.from({ length: 40 }, (_, i) =>
  Uint8Array.from({ length: 4 + i }, (__, k) => (i * 37 + k * k * 11 + k) % 256),
);

test(
  'TST-4 F-72 F-73 F-79 a definition with anything in it is refused with a path, or is plain data the same for ever',
  async () => {
    const run = (input: Uint8Array): string => {
      let valid: NormalisedDefinition | undefined;
      const refusal = refusalOf(() => (valid = validateDefinition(definitionOf(input))));
      if (valid !== undefined) checkAccepted(valid);
      const other = refusalOf(() =>
        defineMachine(definitionOf(input) as Parameters<typeof defineMachine>[0]),
      );
      // The one field that is not read by the second, and refused by the first, says types only.
      if (refusal === undefined) assert.equal(other, undefined);
      else
        assert(
          other !== undefined || Object.hasOwn(definitionOf(input) as object, 'types'),
          refusal,
        );
      return refusal ?? 'valid';
    };
    await checkFuzzed({
      name: 'definition',
      runs: 250,
      seeds,
      run,
      maxBytes: 64,
      spareBytes: 96 * 1_048_576,
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  'TST-4 F-73 F-79 a store takes exactly the definitions that are valid, and shows them as they were',
  async () => {
    const stores = { now: await openStore(':memory:'), puts: 0 };
    const run = async (input: Uint8Array): Promise<string> => {
      // Not for ever the same one: what it took stays in its memory.
      if (++stores.puts % 500 === 0) {
        await stores.now.close();
        stores.now = await openStore(':memory:');
      }
      const store = stores.now;
      let valid: NormalisedDefinition | undefined;
      const refusal = refusalOf(() => (valid = validateDefinition(definitionOf(input))));
      const { offset } = store;
      try {
        await store.machines.put(definitionOf(input) as MachineDefinition);
      } catch (error) {
        const words = allowed(error, ['BAD_REQUEST', 'MACHINE_VERSION_EXISTS', 'RECORD_TOO_LARGE']);
        if (refusal === undefined) assert(!words.startsWith('BAD_REQUEST'), words);
        else assert.equal(words, refusal);
        assert.equal(store.offset, offset);
        return words;
      }
      assert(valid !== undefined, refusal);
      const { name, version, states } = valid;
      const shown = store.machines.get(name, version);
      assert.deepEqual(shown?.states, states);
      assert.deepEqual(shown?.meta, valid.meta);
      return 'put';
    };
    await checkFuzzed({
      name: 'machines.put',
      runs: 250,
      seeds,
      run,
      maxBytes: 64,
      spareBytes: 96 * 1_048_576,
    });
    await stores.now.close();
  },
  FUZZ_TIMEOUT_MS,
);
