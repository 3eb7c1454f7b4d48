import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../../src/base/bytes.ts';
import { encodeKey, LIST_ELEMENT, MAX_KEY_BYTES, rankOf } from '../../../src/query/key.ts';
import {
  boundsOf,
  compareKeys,
  intersectionOf,
  type KeyRange,
  unionOf,
  VALUE_KEYS,
} from '../../../src/query/key-range.ts';
import { classOf, compareValues, normalScalar } from '../../../src/query/order.ts';
import type { Operator } from '../../../src/query/operators.ts';
import type { Comparison } from '../../../src/query/predicate.ts';
import { fewScalars, keyOf, longWords, passes, scalars, strings } from './values.ts';

const isCut = (value: unknown): boolean =>
  typeof value === 'string' && Buffer.byteLength(value) > 1000;
const anyValue = fc.oneof(scalars, fc.constantFrom(undefined, {}, [], [1]));

describe('keys', () => {
  it('have the order of their values; only cut strings may share one (property)', () => {
    fc.assert(
      fc.property(anyValue, anyValue, (a, b) => {
        const keys = Math.sign(Buffer.compare(keyOf(a), keyOf(b)));
        const values = Math.sign(compareValues(a, b));
        if (isCut(a) && isCut(b)) expect([0, values]).toContain(keys);
        else expect(keys).toBe(values);
      }),
      { numRuns: 5000 },
    );
  });

  it('of long strings with a shared beginning too (property)', () => {
    fc.assert(
      fc.property(longWords, longWords, (a, b) => {
        const keys = Math.sign(Buffer.compare(keyOf(a), keyOf(b)));
        const values = Math.sign(compareValues(a, b));
        if (isCut(a) && isCut(b)) expect([0, values]).toContain(keys);
        else expect(keys).toBe(values);
      }),
      { numRuns: 2000 },
    );
  });

  it('of neighbours around 2^53 and 2^63 are all different and in order', () => {
    for (const centre of [2n ** 53n, 2n ** 63n, -(2n ** 53n), -(2n ** 62n), 2n ** 64n - 2100n]) {
      let before = keyOf(centre - 2050n);
      for (let value = centre - 2049n; value < centre + 2050n; value++) {
        const key = keyOf(value);
        expect(Buffer.compare(before, key)).toBe(-1);
        before = key;
      }
    }
  });

  it('are the UTF-8 of a string behind its class, and say when it was cut', () => {
    fc.assert(
      fc.property(strings, (text) => {
        const writer = new ByteWriter(4);
        writer.u8(7);
        const precision = encodeKey(text, writer);
        const key = writer.bytes.subarray(1, writer.position);
        const bytes = Buffer.from(text);
        expect(precision).toBe(bytes.length > 1000 ? 'truncated' : 'exact');
        const cut =
          bytes.length > 1000 ? Buffer.concat([bytes.subarray(0, 1000), Buffer.of(1)]) : bytes;
        expect(key.equals(Buffer.concat([Buffer.of(classOf('')), cut]))).toBe(true);
        expect(key.length === MAX_KEY_BYTES).toBe(precision === 'truncated');
      }),
      { numRuns: 1000 },
    );
  });

  it('of elements are keys behind a byte that is above every class', () => {
    for (const value of [null, true, 3, 'x']) {
      expect(keyOf(value, 'element')).toEqual(Buffer.from([LIST_ELEMENT, ...keyOf(value)]));
      expect(compareKeys(keyOf(value, 'element'), VALUE_KEYS.high)).toBeGreaterThan(0);
    }
  });

  it('a rank never contradicts the order inside a class (property)', () => {
    fc.assert(
      fc.property(scalars, scalars, (a, b) => {
        if (classOf(a) !== classOf(b)) return;
        const [low, high] = compareValues(a, b) <= 0 ? [a, b] : [b, a];
        expect(rankOf(low)).toBeLessThanOrEqual(rankOf(high));
      }),
      { numRuns: 3000 },
    );
    expect(rankOf('abcdef')).toBe(0x616263646566);
    expect(rankOf('ab')).toBe(0x616200000000);
    expect(rankOf('abcde😀')).toBe(0x6162636465f0);
  });
});

describe('ranges of keys', () => {
  const comparison = (operator: Operator, operand: unknown): Comparison =>
    ({
      kind: 'compare',
      path: ['x'],
      name: 'x',
      operator,
      ...(operator === 'in' || operator === 'notIn' ? { values: operand } : { value: operand }),
    }) as Comparison;
  const isInside = (
    ranges: readonly { low: Uint8Array; high: Uint8Array }[],
    key: Buffer,
  ): boolean =>
    ranges.some(({ low, high }) => compareKeys(low, key) <= 0 && compareKeys(key, high) < 0);

  const operands = fc.oneof(fewScalars, scalars).map(normalScalar);
  const operatorOf = fc.constantFrom<Operator>('eq', 'gt', 'gte', 'lt', 'lte', 'prefix');

  it('a value is inside if and only if the operator holds; inexact ones let more in, never less (property)', () => {
    fc.assert(
      fc.property(
        operatorOf,
        operands,
        fc.oneof(fewScalars, anyValue),
        (operator, operand, value) => {
          if (operator === 'prefix' && typeof operand !== 'string') return;
          const bounds = boundsOf(comparison(operator, operand))!;
          const inside = isInside(bounds.ranges, keyOf(value));
          const expected = passes(operator, value, operand);
          expect(bounds.of).toBe('value');
          expect(bounds.isExact).toBe(!isCut(operand));
          if (bounds.isExact) expect(inside).toBe(expected);
          else if (expected) expect(inside).toBe(true);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('strings longer than a key, beside operands that are too (property)', () => {
    const longOperator = fc.constantFrom<Operator>('eq', 'gt', 'gte', 'lt', 'lte', 'prefix');
    let cut = 0;
    fc.assert(
      fc.property(longOperator, longWords, longWords, (operator, operand, value) => {
        const { ranges, isExact } = boundsOf(comparison(operator, operand))!;
        const expected = passes(operator, value, operand);
        expect(isExact).toBe(!isCut(operand));
        if (isExact) expect(isInside(ranges, keyOf(value))).toBe(expected);
        else if (expected) expect(isInside(ranges, keyOf(value))).toBe(true);
        if (!isExact && expected && isCut(value)) cut++;
      }),
      { numRuns: 2000 },
    );
    expect(cut).toBeGreaterThan(100);
  });

  it('unions and intersections hold the keys they should, sorted and apart (property)', () => {
    const bytes = fc
      .array(fc.constantFrom(0, 1, 2), { maxLength: 3 })
      .map((list) => Uint8Array.from(list));
    const ranges = fc.array(
      fc.oneof(
        fc.tuple(bytes, bytes).map(([low, high]) => ({ low, high, isPoint: false })),
        bytes.map((low) => ({ low, high: Uint8Array.of(...low, 0), isPoint: true })),
      ),
      { maxLength: 5 },
    );
    const isApart = (list: readonly KeyRange[]): boolean =>
      list.every(
        ({ low, high }, i) =>
          compareKeys(low, high) < 0 && (i === 0 || compareKeys(list[i - 1]!.high, low) <= 0),
      );
    fc.assert(
      fc.property(
        ranges,
        ranges,
        fc.array(bytes, { minLength: 20, maxLength: 20 }),
        (a, b, keys) => {
          const [first, second] = [unionOf(a), unionOf(b)];
          const shared = intersectionOf(first, second);
          expect([first, second, shared].every(isApart)).toBe(true);
          for (const key of keys.map((one) => Buffer.from(one))) {
            expect(isInside(first, key)).toBe(isInside(a, key));
            expect(isInside(shared, key)).toBe(isInside(a, key) && isInside(b, key));
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('a prefix that is cut from the value itself (property)', () => {
    fc.assert(
      fc.property(strings, fc.nat(8), strings, (text, length, other) => {
        const start = Array.from(text).slice(0, length).join('');
        const { ranges, isExact } = boundsOf(comparison('prefix', start))!;
        expect(isExact).toBe(true);
        expect(isInside(ranges, keyOf(text))).toBe(true);
        expect(isInside(ranges, keyOf(other))).toBe(other.startsWith(start));
      }),
      { numRuns: 1000 },
    );
  });

  it('lists of values: points, sorted and apart, each once (property)', () => {
    fc.assert(
      fc.property(fc.array(operands, { maxLength: 8 }), anyValue, (values, value) => {
        const { ranges, isExact } = boundsOf(comparison('in', values))!;
        const expected = passes('in', value, values);
        expect(isExact).toBe(!values.some(isCut));
        if (isExact) expect(isInside(ranges, keyOf(value))).toBe(expected);
        else if (expected) expect(isInside(ranges, keyOf(value))).toBe(true);
        for (const one of values) expect(isInside(ranges, keyOf(one))).toBe(true);
        expect(ranges.length).toBe(new Set(values.map((one) => keyOf(one).toString('hex'))).size);
        expect(ranges.every((range) => range.isPoint)).toBe(true);
        for (let i = 1; i < ranges.length; i++) {
          expect(compareKeys(ranges[i - 1]!.high, ranges[i]!.low)).toBeLessThanOrEqual(0);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('two values whose keys are neighbours stay two points', () => {
    const { ranges } = boundsOf(comparison('in', ['a\u0000', 'a', 'a']))!;
    expect(ranges.map((range) => range.isPoint)).toEqual([true, true]);
  });

  it('membership is asked of the elements, never of the value itself (property)', () => {
    fc.assert(
      fc.property(operands, scalars, (operand, value) => {
        const { of, ranges, isExact } = boundsOf(comparison('contains', operand))!;
        expect(of).toBe('element');
        expect(isInside(ranges, keyOf(value))).toBe(false);
        expect(isInside(ranges, keyOf(operand, 'element'))).toBe(true);
        if (isExact) {
          const expected = passes('eq', value, operand);
          expect(isInside(ranges, keyOf(value, 'element'))).toBe(expected);
        }
      }),
    );
  });

  it('existence must be looked at, absence is among what has no scalar value', () => {
    const absent = boundsOf(comparison('exists', false))!;
    expect(absent.isExact).toBe(false);
    expect(isInside(absent.ranges, keyOf(undefined))).toBe(true);
    expect(isInside(absent.ranges, keyOf(null))).toBe(false);
    const present = boundsOf(comparison('exists', true))!;
    expect(present.isExact).toBe(false);
    for (const value of [null, {}, [], 'x', 0])
      expect(isInside(present.ranges, keyOf(value))).toBe(true);
    expect(isInside(present.ranges, keyOf('x', 'element'))).toBe(false);
  });

  it('the complements have none', () => {
    expect(boundsOf(comparison('ne', 1))).toBeUndefined();
    expect(boundsOf(comparison('notIn', [1]))).toBeUndefined();
  });
});
