import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packValue, unpackToMessagePack } from '../../../src/value/pack.ts';
import { readPacked, readPackedPath } from '../../../src/value/read-packed.ts';
import { MAX_NODES, MAX_SHAPES, ShapeTable } from '../../../src/value/shape-table.ts';
import { encode, HOSTILE_KEYS, ORDER, objectOf, objects, pack, values, written } from './values.ts';

function unpack(shapes: ShapeTable, packed: Uint8Array): Buffer {
  return written((out) => unpackToMessagePack(shapes, packed, 0, packed.length, out));
}

test('packing and unpacking gives the identical bytes', () => {
  const shared = new ShapeTable();
  fc.assert(
    fc.property(fc.oneof(values, objects), (value) => {
      const encoded = encode(value);
      for (const shapes of [shared, new ShapeTable()]) {
        const packed = pack(shapes, value);
        expect(unpack(shapes, packed).equals(encoded)).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});

test('once its shapes are known a value is packed in one walk, to the same bytes, and adds nothing', () => {
  const shared = new ShapeTable();
  const saved = (shapes: ShapeTable): Buffer => written((out) => shapes.save(out));
  fc.assert(
    fc.property(fc.oneof(values, objects), (value) => {
      for (const shapes of [shared, new ShapeTable()]) {
        const first = pack(shapes, value);
        const before = saved(shapes);
        expect(pack(shapes, value).equals(first)).toBe(true);
        expect(saved(shapes).equals(before)).toBe(true);
      }
    }),
    { numRuns: 1000 },
  );
});

test('a map that is new inside one that is known is given its shape behind those before it', () => {
  const shapes = new ShapeTable();
  pack(shapes, { a: 1, b: { c: 1 } });
  pack(shapes, { a: 1, b: { d: 1 }, e: { f: 1 } });
  const names = Array.from({ length: shapes.shapeCount }, (_, shape) => shapes.namesOf(shape));
  expect(names).toEqual([['a', 'b'], ['c'], ['a', 'b', 'e'], ['d'], ['f']]);
});

test('F-73 F-79 a packed value reads as it was, hostile keys included', () => {
  const shapes = new ShapeTable();
  fc.assert(
    fc.property(fc.oneof(values, objects), (value) => {
      const packed = pack(shapes, value);
      const back = readPacked(shapes, packed, 0, packed.length);
      assert.deepStrictEqual(back, value);
      expect(encode(back).equals(encode(value)), 'the order of keys').toBe(true);
    }),
    { numRuns: 2000 },
  );
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test('F-73 every hostile key in one object, read twice, is two objects with their own keys', () => {
  const shapes = new ShapeTable();
  const value = objectOf(
    HOSTILE_KEYS.filter((name) => name.length < 65).map((name, i) => [name, { i }]),
  );
  const packed = pack(shapes, value);
  expect(packed[0]).toBe(0xc1);
  const first = readPacked(shapes, packed, 0, packed.length) as Record<string, unknown>;
  first['toString'] = 'changed by the caller';
  Object.defineProperty(first, '__proto__', { value: 'changed by the caller' });
  assert.deepStrictEqual(readPacked(shapes, packed, 0, packed.length), value);
});

test('one shape takes numbers, text and objects in the same field by turns', () => {
  const shapes = new ShapeTable();
  for (const a of [1, 1.5, 'x', null, { b: 1 }, [1], 2n ** 60n, -0, 2 ** 40, true]) {
    const packed = pack(shapes, { a, b: 1 });
    assert.deepStrictEqual(readPacked(shapes, packed, 0, packed.length), { a, b: 1 });
  }
  expect(shapes.shapeCount).toBe(2);
});

test('the orders context takes 80 bytes at most, and its keys are stored once', () => {
  const shapes = new ShapeTable();
  expect(pack(shapes, ORDER).length).toBeLessThanOrEqual(80);
  const { memoryBytes } = shapes;
  for (let i = 0; i < 1000; i++) pack(shapes, { ...ORDER, customer: `cust-${i}`, attempts: i });
  expect(shapes.shapeCount).toBe(2);
  expect(shapes.memoryBytes).toBe(memoryBytes);
});

test('F-73 F-76 limits: long keys, many keys and many shapes stay plain maps and read the same', () => {
  const shapes = new ShapeTable();
  const wide = (keys: number) => objectOf(Array.from({ length: keys }, (_, i) => [`key${i}`, i]));
  const plain = [wide(65), { ['k'.repeat(65)]: 1 }, { ['ä'.repeat(33)]: 1 }, {}];
  const records = [wide(64), { ['k'.repeat(64)]: 1 }, { ['ä'.repeat(32)]: 1 }];
  for (const value of [...plain, ...records]) {
    const packed = pack(shapes, value);
    expect(packed[0] === 0xc1, JSON.stringify(value)).toBe(records.includes(value as never));
    assert.deepStrictEqual(readPacked(shapes, packed, 0, packed.length), value);
  }

  for (let i = 0; i < 2 * MAX_SHAPES; i++) {
    const value = { [`only${i}`]: i, nested: { [`too${i}`]: 1 } };
    const packed = pack(shapes, value);
    assert.deepStrictEqual(readPacked(shapes, packed, 0, packed.length), value);
    expect(unpack(shapes, packed).equals(encode(value))).toBe(true);
  }
  expect(shapes.shapeCount).toBe(MAX_SHAPES);
});

test('F-76 the table stays within its bound whatever keys come', () => {
  const shapes = new ShapeTable();
  for (let i = 0; i < 1024; i++) {
    pack(
      shapes,
      objectOf(Array.from({ length: 64 }, (_, k) => [`${i}-${k}-${'x'.repeat(50)}`, 0])),
    );
  }
  expect(shapes.memoryBytes).toBeLessThan(1.5 * 1024 * 1024);
  expect(shapes.shapeCount).toBeLessThanOrEqual(MAX_NODES / 64);
});

test('F-71 a key twice, or no text, stays as it is and adds no shape', () => {
  for (const hex of ['82a16101a16102', '810102', '81d90161 01', 'de0001a16101', '81a2c32801']) {
    const shapes = new ShapeTable();
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    const packed = written((out) => packValue(shapes, bytes, 0, bytes.length, out));
    expect(unpack(shapes, packed).equals(bytes), hex).toBe(true);
  }
});

test('F-72 maps nested 100 deep are packed in reasonable steps', () => {
  const nest = (levels: number): unknown =>
    levels === 0 ? Array(20_000).fill(1) : { a: nest(levels - 1) };
  const shapes = new ShapeTable();
  const packed = pack(shapes, nest(99));
  assert.deepStrictEqual(readPacked(shapes, packed, 0, packed.length), nest(99));
});

test('a path leads to what reading all and stepping down leads to', () => {
  const shapes = new ShapeTable();
  const full = new ShapeTable();
  for (let i = 0; i < MAX_SHAPES; i++) pack(full, { [`only${i}`]: 0 });
  fc.assert(
    fc.property(objects, fc.infiniteStream(fc.nat()), fc.nat(4), (value, picks, depth) => {
      let expected: unknown = value;
      const path: string[] = [];
      for (let i = 0; i < depth && isObject(expected); i++) {
        const names = Object.keys(expected);
        path.push(names[picks.next().value % names.length] ?? 'absent');
        expected = Object.hasOwn(expected, path[i]!) ? expected[path[i]!] : undefined;
      }
      for (const table of [shapes, full]) {
        assert.deepStrictEqual(readPackedPath(table, pack(table, value), 0, path), expected);
      }
    }),
    { numRuns: 1000 },
  );
  const packed = pack(shapes, ORDER);
  for (const path of [
    ['toString'],
    ['items', 'length'],
    ['items', '0'],
    ['note', 'length'],
    ['attempts', 'x'],
    ['__proto__'],
  ]) {
    expect(readPackedPath(shapes, packed, 0, path)).toBeUndefined();
  }
});

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
