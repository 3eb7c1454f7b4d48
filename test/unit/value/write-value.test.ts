import assert from 'node:assert/strict';
import vm from 'node:vm';
import fc from 'fast-check';
import { Unpackr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../src/base/bytes.ts';
import { isStoreError } from '../../../src/base/errors.ts';
import { readValue } from '../../../src/value/read-value.ts';
import { writeContext, writeValue } from '../../../src/value/write-value.ts';
import { encode, ORDER, objectOf, values } from './values.ts';

function refusal(write: () => void): {
  code: string;
  path: string;
  reason: string;
  cause: unknown;
} {
  try {
    write();
  } catch (error) {
    assert(isStoreError(error));
    const { path = '', reason = '' } = error.details as { path?: string; reason?: string };
    return { code: error.code, path, reason, cause: error.cause };
  }
  throw new Error('nothing was refused');
}

const refused = (value: unknown) => refusal(() => writeValue(new ByteWriter(16), value, 'payload'));

function decode(bytes: Uint8Array): unknown {
  return readValue(bytes, 0, bytes.length);
}

test('GEN-7 F-79 every storable value comes back as it was', () => {
  fc.assert(
    fc.property(values, (value) => {
      assert.deepStrictEqual(decode(encode(value)), value);
    }),
    { numRuns: 2000 },
  );
});

test('what is written is MessagePack: an independent decoder reads the same', () => {
  const unpackr = new Unpackr({ useRecords: false });
  fc.assert(
    fc.property(
      values.filter((value) => !mentionsProto(value)),
      (value) => {
        assert.deepStrictEqual(unpackr.unpack(encode(value)), value);
      },
    ),
    { numRuns: 1000 },
  );
});

test('numbers and counts take their shortest form', () => {
  const sizes: [value: unknown, size: number][] = [
    [0, 1],
    [127, 1],
    [-32, 1],
    [128, 2],
    [255, 2],
    [-33, 2],
    [-128, 2],
    [256, 3],
    [65535, 3],
    [-129, 3],
    [-32768, 3],
    [65536, 5],
    [2 ** 32 - 1, 5],
    [-32769, 5],
    [-(2 ** 31), 5],
    [2 ** 32, 9],
    [-0, 9],
    [0.5, 9],
    [1n, 9],
    [2n ** 64n - 1n, 9],
  ];
  for (const [value, size] of sizes) expect(encode(value).length, String(value)).toBe(size);
  for (const [length, lead] of [
    [0, 1],
    [31, 1],
    [32, 2],
    [255, 2],
    [256, 3],
    [65535, 3],
    [65536, 5],
  ] as const) {
    expect(encode('x'.repeat(length)).length).toBe(lead + length);
    expect(encode(Array(length).fill(0)).length).toBe(
      (length < 16 ? 1 : length < 65536 ? 3 : 5) + length,
    );
  }
  expect(decode(encode('ä'.repeat(40000)))).toBe('ä'.repeat(40000));
});

describe('F-79 BAD_REQUEST with the path of', () => {
  const cases: [name: string, value: unknown, path: string, reason: RegExp][] = [
    ['undefined', { a: undefined }, 'payload.a', /is undefined/],
    ['a function', { a: [() => 1] }, 'payload.a[0]', /function/],
    ['a symbol', [Symbol('s')], 'payload[0]', /symbol/],
    ['NaN', { items: [{}, {}, { price: NaN }] }, 'payload.items[2].price', /NaN/],
    ['Infinity', -Infinity, 'payload', /-Infinity/],
    ['a date', { a: new Date() }, 'payload.a', /Date/],
    ['a map', { a: new Map() }, 'payload.a', /Map/],
    ['a set', { a: new Set() }, 'payload.a', /Set/],
    ['a typed array', { a: new Uint8Array(3) }, 'payload.a', /Uint8Array/],
    ['a boxed number', { a: Object(1) }, 'payload.a', /Number/],
    ['a class instance', { a: new (class Money {})() }, 'payload.a', /not a plain object/],
    ['an object over an object', { a: Object.create({}) }, 'payload.a', /not a plain object/],
    [
      'an object over a bare object',
      { a: Object.create(Object.create(null)) },
      'payload.a',
      /not a plain object/,
    ],
    ['a hole', { a: [1, , 2] }, 'payload.a[1]', /hole/], // eslint-disable-line no-sparse-arrays
    ['undefined in an array', [undefined], 'payload[0]', /is undefined/],
    ['a huge sparse array', { a: new Array(2 ** 20) }, 'payload.a[0]', /hole/],
    ['a lone surrogate', { a: 'x\ud800' }, 'payload.a', /surrogate/],
    ['a lone surrogate in long text', { a: `${'x'.repeat(100)}\udc00` }, 'payload.a', /surrogate/],
    ['a lone surrogate in a key', { 'x\ud800': 1 }, 'payload["x\\ud800"]', /surrogate/],
    ['a bigint over 64 bits', { a: 2n ** 64n }, 'payload.a', /64 bits/],
    ['a bigint under 64 bits', { a: -(2n ** 63n) - 1n }, 'payload.a', /64 bits/],
    ['a symbol as a key', { a: { [Symbol('s')]: 1 } }, 'payload.a', /symbol/],
    ['a key no identifier', { 'a b': undefined }, 'payload["a b"]', /undefined/],
  ];
  test.each(cases)('%s', (_name, value, path, reason) => {
    const error = refused(value);
    expect(error).toMatchObject({ code: 'BAD_REQUEST', path });
    expect(error.reason).toMatch(reason);
  });

  test('a cycle, and nesting beyond 100 levels', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = [cycle];
    expect(refused(cycle).reason).toMatch(/nested deeper than 100 levels or cyclic/);
    const nest = (levels: number): unknown => (levels === 0 ? 1 : [nest(levels - 1)]);
    expect(refused(nest(101)).path).toBe(`payload${'[0]'.repeat(100)}`);
    assert.deepStrictEqual(decode(encode(nest(100))), nest(100));
  });

  test('a getter, a proxy and an array item that throw, with the cause', () => {
    const boom = new Error('boom');
    const thrower = () => {
      throw boom;
    };
    const item: unknown[] = [1, 2];
    Object.defineProperty(item, 1, { get: thrower });
    const { proxy: revoked, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(
      refused({
        a: {
          get b() {
            return thrower();
          },
        },
      }),
    ).toMatchObject({ path: 'payload.a.b', cause: boom });
    expect(refused({ a: item })).toMatchObject({ path: 'payload.a[1]', cause: boom });
    for (const trap of ['get', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor'] as const) {
      expect(refused({ a: new Proxy({ b: 1 }, { [trap]: thrower }) }).cause).toBe(boom);
      expect(refused(new Proxy({ b: 1 }, { [trap]: thrower })).cause).toBe(boom);
    }
    expect(refused({ a: revoked })).toMatchObject({ code: 'BAD_REQUEST', path: 'payload.a' });
    expect(refused(revoked)).toMatchObject({ code: 'BAD_REQUEST', path: 'payload' });
  });
});

test('plain objects of other realms and without a prototype are plain objects', () => {
  const foreign: unknown = vm.runInNewContext('({ a: [{ b: 1 }] })');
  assert.deepStrictEqual(decode(encode(foreign)), { a: [{ b: 1 }] });
  assert.deepStrictEqual(decode(encode(Object.assign(Object.create(null), { a: 1 }))), { a: 1 });
});

test('F-73 an own __proto__ is a key like any other', () => {
  const value = objectOf([
    ['__proto__', { polluted: true }],
    ['constructor', 1],
  ]);
  const back = decode(encode(value)) as object;
  assert.deepStrictEqual(back, value);
  expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
  expect(Object.hasOwn(back, '__proto__')).toBe(true);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test('F-70 a value over 16 MiB is RECORD_TOO_LARGE before memory grows for it', () => {
  const limit = 16 * 1024 * 1024;
  const writer = new ByteWriter(16);
  const tooLarge = [
    'x'.repeat(limit - 4), // five lead bytes
    'ä'.repeat(limit / 2),
    { a: 'x'.repeat(17 * 1024 * 1024) },
    Array.from({ length: 17 * 1024 }, () => 'x'.repeat(1024)),
    Array(limit).fill(1),
    Array(limit / 4).fill(0.5),
    Object.fromEntries(Array.from({ length: limit / 16 }, (_, i) => [`key number ${i}`, 0.5])),
  ];
  for (const value of tooLarge) {
    writer.position = 0;
    expect(refusal(() => writeValue(writer, value, 'payload')).code).toBe('RECORD_TOO_LARGE');
    expect(writer.bytes.length).toBeLessThanOrEqual(2 * limit);
  }
  writer.position = 0;
  writeValue(writer, 'x'.repeat(limit - 5), 'payload');
  expect(writer.position).toBe(limit);
});

test('F-70 a small object that refers to itself many times over ends at the limit', () => {
  let bomb: unknown = ['x'.repeat(40)];
  for (let i = 0; i < 60; i++) bomb = [bomb, bomb];
  expect(refused(bomb).code).toBe('RECORD_TOO_LARGE');
});

test('INS-1 a context must be a plain object', () => {
  for (const value of [null, 1, 'x', [], [1], true, 1n, undefined, new Date(), new Map()]) {
    const error = refusal(() => writeContext(new ByteWriter(16), value, 'context'));
    expect(error).toMatchObject({ code: 'BAD_REQUEST', path: 'context' });
  }
  expect(refusal(() => writeContext(new ByteWriter(16), { a: { b: NaN } }, 'context')).path).toBe(
    'context.a.b',
  );
  const writer = new ByteWriter(16);
  writeContext(writer, ORDER, 'context');
  assert.deepStrictEqual(readValue(writer.bytes, 0, writer.position), ORDER);
});

function mentionsProto(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([name, member]) => name === '__proto__' || mentionsProto(member),
  );
}
