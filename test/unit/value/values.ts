/**
 * What the tests of values share: arbitrary storable values, hostile keys first, and short ways to
 * encode, pack and merge. The oracle of a merge is plain JavaScript.
 */
import fc from 'fast-check';
import { ByteWriter } from '../../../src/base/bytes.ts';
import { packValue } from '../../../src/value/pack.ts';
import type { ShapeTable } from '../../../src/value/shape-table.ts';
import { writeValue } from '../../../src/value/write-value.ts';

/** The context of the workload the figures in the documentation are about. */
export const ORDER = {
  customer: 'cust-001234',
  total: 12.34,
  currency: 'EUR',
  items: [
    { sku: 'SKU-17', qty: 3 },
    { sku: 'SKU-99', qty: 2 },
  ],
  attempts: 0,
  note: 'gift wrap, ring twice',
};

export const HOSTILE_KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '',
  '0',
  '1',
  '10',
  '01',
  '4294967295',
  '-1',
  'length',
  'a b',
  'ключ',
  '\u0000',
  'k'.repeat(31),
  'k'.repeat(32),
  'k'.repeat(64),
  'k'.repeat(65),
];

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.integer({ min: 0, max: 300 }).map((length) => 'x'.repeat(length)),
);
const key = fc.oneof(fc.constantFrom(...HOSTILE_KEYS), fc.constantFrom('a', 'b', 'c'), text);

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    -32,
    -33,
    127,
    128,
    255,
    256,
    65535,
    65536,
    -128,
    -129,
    -32768,
    -32769,
  ),
  fc.constantFrom(
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53,
    -(2 ** 53),
    5e-324,
    Number.MAX_VALUE,
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  text,
);

/** An object with own keys only, `__proto__` among them. */
export function objectOf(
  entries: readonly (readonly [string, unknown])[],
): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    Object.defineProperty(object, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return object;
}

const { anyValue, anyObject } = fc.letrec<{
  anyValue: unknown;
  anyObject: Record<string, unknown>;
}>((tie) => ({
  anyObject: fc.array(fc.tuple(key, tie('anyValue')), { maxLength: 8 }).map(objectOf),
  anyValue: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('anyValue'), { maxLength: 20 }),
    tie('anyObject'),
  ),
}));

/** Any value that can be stored, and any object that can be a context. */
export const values: fc.Arbitrary<unknown> = anyValue;
export const objects: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  anyObject,
  fc.array(fc.tuple(key, scalar), { maxLength: 80 }).map(objectOf),
);

export function encode(value: unknown): Buffer {
  const writer = new ByteWriter(16);
  writeValue(writer, value, 'value');
  return writer.bytes.subarray(0, writer.position);
}

export function pack(shapes: ShapeTable, value: unknown): Buffer {
  const encoded = encode(value);
  return written((out) => packValue(shapes, encoded, 0, encoded.length, out));
}

export function written(write: (out: ByteWriter) => void): Buffer {
  const out = new ByteWriter(16);
  out.u8(0xaa); // nothing may assume that it starts at 0
  write(out);
  return out.bytes.subarray(1, out.position);
}

/** Object.assign as it would be if `__proto__` were an ordinary key. */
export function merged(
  target: Record<string, unknown>,
  source: Record<string, unknown>,
): Record<string, unknown> {
  return objectOf([...Object.entries(target), ...Object.entries(source)]);
}
