import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { expect, test } from 'vitest';
import { readValue, skipValue } from '../../../src/value/read-value.ts';
import { encode, objectOf, objects, values } from './values.ts';

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const read = (bytes: Uint8Array) => readValue(bytes, 0, bytes.length);

test('an independent encoder is understood', () => {
  const packr = new Packr({ useRecords: false });
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const encoded = packr.pack(value);
      assert.deepStrictEqual(read(encoded), JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 1000 },
  );
});

test('a value is read from the middle of other bytes, and skipped there', () => {
  fc.assert(
    fc.property(fc.oneof(values, objects), values, (first, second) => {
      const bytes = Buffer.concat([encode(first), encode(second), Buffer.from([0xc1])]);
      const middle = skipValue(bytes, 0);
      expect(middle).toBe(encode(first).length);
      assert.deepStrictEqual(readValue(bytes, middle, skipValue(bytes, middle)), second);
    }),
  );
});

test('text, arrays and maps of every width are read and skipped', () => {
  for (const count of [15, 16, 255, 256, 65535, 65536]) {
    const names = Array.from({ length: count }, (_, i) => `${i}x`);
    for (const value of ['y'.repeat(count), names, objectOf(names.map((name) => [name, name]))]) {
      const bytes = Buffer.concat([encode(value), Buffer.from([0xc1])]);
      expect(skipValue(bytes, 0)).toBe(bytes.length - 1);
      assert.deepStrictEqual(readValue(bytes, 0, bytes.length - 1), value);
    }
  }
});

test.each([
  ['nothing', ''],
  ['the unused byte', 'c1'],
  ['bin', 'c4 01 00'],
  ['ext', 'd4 01 00'],
  ['float32', 'ca 3f 80 00 00'],
  ['NaN', 'cb 7f f8 00 00 00 00 00 00'],
  ['Infinity', 'cb 7f f0 00 00 00 00 00 00'],
  ['a truncated number', 'ce 00 00 00'],
  ['a truncated float', 'cb 00 00'],
  ['truncated text', 'a3 61 62'],
  ['a truncated size', 'da 00'],
  ['a truncated array', '92 01'],
  ['a truncated map', '81 a1 61'],
  ['trailing bytes', '01 02'],
  ['an array larger than the input', 'dd ff ff ff ff 00'],
  ['a map larger than the input', 'df ff ff ff ff 00 00'],
  ['a huge text', 'db ff ff ff ff 00'],
  ['broken UTF-8', 'a2 c3 28'],
  ['an encoded surrogate', 'a3 ed a0 80'],
  ['broken UTF-8 in long text', `d9 20 ${'ff '.repeat(32)}`],
  ['a number as a key', '81 01 01'],
  ['an array as a key', '81 90 01'],
  ['a key twice', '82 a1 61 01 a1 61 02'],
  ['__proto__ twice', `82 ${'a9 5f5f70726f746f5f5f 01 '.repeat(2)}`],
  ['a nest of 101', `${'91'.repeat(101)} 01`],
  ['an endless nest', '91'.repeat(200_000)],
])('F-71 F-72 RangeError for %s', (_name, hex) => {
  expect(() => read(bytesOf(hex))).toThrow(RangeError);
});

test('F-71 bounds outside the bytes are a RangeError', () => {
  for (const [start, end] of [
    [0, 2],
    [-1, 1],
    [1, 0],
    [NaN, 1],
    [0, Infinity],
  ] as const) {
    expect(() => readValue(Buffer.from([1]), start, end)).toThrow(RangeError);
  }
});

test('F-71 skipping something broken ends, in its bounds or with a RangeError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const end = endOf(() => skipValue(bytes, 0));
      if (end !== undefined) expect(end).toBeLessThanOrEqual(bytes.length);
    }),
    { numRuns: 5000 },
  );
});

test('F-71 counts nested in counts cost time and memory by the input, not by their product', () => {
  // Each level claims all that is left; only one item of each is really there.
  const level = bytesOf('dc 00 ff');
  const bytes = Buffer.concat([...Array.from({ length: 90 }, () => level), Buffer.alloc(300)]);
  expect(() => read(bytes)).toThrow(/do not fit/);
  expect(() => read(bytesOf('dd 10 00 00 00 01 02 03'))).toThrow(/do not fit/);
});

test('F-71 random and damaged bytes give a value or a RangeError, and a value is what the bytes say', () => {
  const damaged = fc
    .tuple(values, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.nat())
    .map(([value, flips, cut]) => {
      const bytes = Buffer.from(encode(value));
      for (const [at, byte] of flips) bytes[at % bytes.length] = byte;
      return cut % 4 === 0 ? bytes.subarray(0, cut % (bytes.length + 1)) : bytes;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), damaged), (bytes) => {
      const value = endOf(() => [read(bytes)]);
      if (value !== undefined) assert.deepStrictEqual(read(encode(value[0])), value[0]);
    }),
    { numRuns: 5000 },
  );
  expect(Object.keys(Object.prototype)).toEqual([]);
});

/** The result, or undefined for a RangeError; any other error fails the test. */
function endOf<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    assert(error instanceof RangeError, `${String(error)} is no RangeError`);
    assert(!/call stack/.test(error.message), 'recursion has a limit of its own');
    return undefined;
  }
}
