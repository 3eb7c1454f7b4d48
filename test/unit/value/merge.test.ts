import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeInPlace, mergePacked } from '../../../src/value/merge.ts';
import { readPacked } from '../../../src/value/read-packed.ts';
import { MAX_SHAPES, ShapeTable } from '../../../src/value/shape-table.ts';
import { encode, merged, ORDER, objectOf, objects, pack, values, written } from './values.ts';

function merge(shapes: ShapeTable, packed: Uint8Array, payload: Uint8Array): Buffer {
  return written((out) =>
    mergePacked(shapes, packed, 0, packed.length, payload, 0, payload.length, out),
  );
}

function overwrite(shapes: ShapeTable, packed: Uint8Array, payload: Uint8Array): boolean {
  return mergeInPlace(shapes, packed, 0, packed.length, payload, 0, payload.length);
}

const readAll = (shapes: ShapeTable, packed: Uint8Array) =>
  readPacked(shapes, packed, 0, packed.length);

function fullTable(): ShapeTable {
  const shapes = new ShapeTable();
  for (let i = 0; i < MAX_SHAPES; i++) pack(shapes, { [`only${i}`]: 0 });
  return shapes;
}

test('INS-2 the merge is a shallow Object.assign', () => {
  const shared = new ShapeTable();
  const full = fullTable();
  fc.assert(
    fc.property(objects, objects, fc.boolean(), (context, payload, overlap) => {
      // Payloads mostly change keys that are there: arbitrary keys alone would seldom meet.
      const change = overlap ? merged(payload, mapped(context, Object.values(payload))) : payload;
      for (const shapes of [shared, full, new ShapeTable()]) {
        const packed = pack(shapes, context);
        const result = merge(shapes, packed, encode(change));
        assert.deepStrictEqual(readAll(shapes, result), merged(context, change));
      }
    }),
    { numRuns: 1500 },
  );
});

test('INS-2 keys that exist keep their place and new ones follow in order', () => {
  const shapes = new ShapeTable();
  const result = readAll(
    shapes,
    merge(shapes, pack(shapes, { a: 1, b: 2, c: 3 }), encode({ d: 4, b: { x: 1 }, e: 5 })),
  );
  expect(JSON.stringify(result)).toBe('{"a":1,"b":{"x":1},"c":3,"d":4,"e":5}');
});

test('INS-2 a payload that is no object changes nothing', () => {
  const shapes = new ShapeTable();
  const packed = pack(shapes, ORDER);
  const before = Buffer.from(packed);
  fc.assert(
    fc.property(
      values.filter((value) => typeof value !== 'object' || value === null || Array.isArray(value)),
      (payload) => {
        expect(merge(shapes, packed, encode(payload)).equals(before)).toBe(true);
        expect(overwrite(shapes, packed, encode(payload))).toBe(true);
        expect(packed.equals(before)).toBe(true);
      },
    ),
  );
});

test('the merge gives the bytes that packing the merged object gives', () => {
  const shapes = new ShapeTable();
  for (const payload of [
    { attempts: 7 },
    { attempts: 300 },
    { note: 'x', carrier: 'DHL', items: [{ sku: 'A', qty: 1 }] },
    {},
  ]) {
    const expected = pack(shapes, { ...ORDER, ...payload });
    expect(merge(shapes, pack(shapes, ORDER), encode(payload)).equals(expected)).toBe(true);
  }
});

test('an empty context takes the shape of its first payload', () => {
  const shapes = new ShapeTable();
  expect(merge(shapes, pack(shapes, {}), encode({ a: 1 })).equals(pack(shapes, { a: 1 }))).toBe(
    true,
  );
});

test('a context that outgrows the limits of shapes goes on as a plain map', () => {
  const shapes = new ShapeTable();
  const context = objectOf(Array.from({ length: 63 }, (_, i) => [`key${i}`, { i }]));
  let packed = pack(shapes, context);
  let expected = context;
  for (let i = 0; i < 4; i++) {
    const payload = { [`more${i}`]: { i }, key3: i };
    packed = merge(shapes, packed, encode(payload));
    expected = merged(expected, payload);
    assert.deepStrictEqual(readAll(shapes, packed), expected);
  }
  expect(packed[0]).not.toBe(0xc1);
});

test('in place: overwrites where lengths agree, else touches nothing', () => {
  const shapes = new ShapeTable();
  fc.assert(
    fc.property(objects, objects, (context, payload) => {
      const change = mapped(context, Object.values(payload));
      const packed = pack(shapes, context);
      const before = Buffer.from(packed);
      const expected = merge(shapes, packed, encode(change));
      if (overwrite(shapes, packed, encode(change))) expect(packed.equals(expected)).toBe(true);
      else expect(packed.equals(before)).toBe(true);
    }),
    { numRuns: 1500 },
  );
});

test('in place: takes what replay meets most, refuses what would move bytes', () => {
  const shapes = new ShapeTable();
  const cases: [payload: unknown, inPlace: boolean][] = [
    [{ attempts: 7 }, true],
    [{ attempts: true, currency: 'USD' }, true],
    [{ total: 99.5, attempts: 1, customer: 'cust-999999' }, true],
    [{ customer: 'cust-999999', customer2: 1 }, false],
    [{ attempts: 300 }, false],
    [{ attempts: 1, note: 'longer than it was before' }, false],
    [{ attempts: [] }, false],
    [{ attempts: {} }, false],
    [{ carrier: 'DHL' }, false],
    [{}, true],
  ];
  for (const [payload, inPlace] of cases) {
    const packed = pack(shapes, ORDER);
    expect(overwrite(shapes, packed, encode(payload)), JSON.stringify(payload)).toBe(inPlace);
    assert.deepStrictEqual(
      readAll(shapes, packed),
      inPlace ? { ...ORDER, ...(payload as object) } : ORDER,
    );
  }
});

/** The values, dealt to the keys of the object. */
function mapped(object: Record<string, unknown>, dealt: unknown[]): Record<string, unknown> {
  return objectOf(
    Object.keys(object)
      .slice(0, dealt.length)
      .map((name, i) => [name, dealt[i]]),
  );
}
