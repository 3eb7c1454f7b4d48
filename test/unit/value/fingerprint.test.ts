import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { fingerprint } from '../../../src/value/fingerprint.ts';
import { encode, objectOf, values } from './values.ts';

function print(value: unknown): string {
  const into = new Uint32Array(2);
  const bytes = encode(value);
  fingerprint(bytes, 0, bytes.length, into);
  return [...into].map((lane) => lane.toString(16).padStart(8, '0')).join('');
}

test('INS-4 the fingerprint is stable: it is stored in the log', () => {
  expect(
    [null, 0, 'a', [], {}, [1, 2], { a: 1, b: [true, { c: 'd' }] }, 2n ** 60n].map(print),
  ).toEqual([
    '995feaaf012d2b08',
    'fc0c17b9706f6fdf',
    '71f1e271a6491b58',
    'a87f3531ca1e305c',
    '785ec4779ebb1380',
    'cf2cba412019c5f1',
    '9f0aad757f61fffd',
    '6598031d05205bbe',
  ]);
});

test('INS-4 the order of keys does not matter, at any depth', () => {
  fc.assert(
    fc.property(values, (value) => {
      expect(print(turned(value))).toBe(print(value));
    }),
    { numRuns: 1000 },
  );
});

test('INS-4 different values differ, also where only structure tells them apart', () => {
  const alike = [
    [],
    {},
    [[]],
    [{}],
    [null],
    [0],
    ['0'],
    0,
    -0,
    0n,
    '0',
    '',
    null,
    false,
    [1, 2],
    [2, 1],
    [[1], 2],
    [1, [2]],
    [[1, 2]],
    { a: 1, b: 2 },
    { a: 2, b: 1 },
    { a: { b: 1 } },
    { b: { a: 1 } },
    { a: 1 },
    { 1: 'a' },
    ['a', 1],
    { a: 'a' },
    { a: 1, b: 1 },
    { a: 'b' },
    { b: 'a' },
    [{ a: 1 }, { b: 2 }],
    [{ b: 2 }, { a: 1 }],
    { a: [1, 2] },
    { a: [2, 1] },
  ];
  expect(new Set(alike.map(print)).size).toBe(alike.length);
  fc.assert(
    fc.property(values, values, (one, other) => {
      expect(print(one) === print(other)).toBe(isDeepStrictEqual(one, other));
    }),
  );
});

test('INS-4 neighbouring values meet in neither lane more often than chance allows', () => {
  const count = 50_000;
  const lanes: [Set<number>, Set<number>] = [new Set(), new Set()];
  const into = new Uint32Array(2);
  for (let i = 0; i < count; i++) {
    const bytes = encode({ attempts: i % 300, customer: `cust-${Math.floor(i / 300)}` });
    fingerprint(bytes, 0, bytes.length, into);
    lanes[0].add(into[0] as number);
    lanes[1].add(into[1] as number);
  }
  // The birthday bound expects 0.3 pairs in 32 bits.
  for (const lane of lanes) expect(count - lane.size).toBeLessThan(6);
});

test('F-72 hostile bytes end in a RangeError', () => {
  for (const bytes of [
    Buffer.alloc(300, 0x91),
    Buffer.from([0x92, 1]),
    Buffer.from([1, 1]),
    Buffer.alloc(0),
  ]) {
    assert.throws(() => fingerprint(bytes, 0, bytes.length, new Uint32Array(2)), RangeError);
  }
});

function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return objectOf(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, turned(member)]),
  );
}
