import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  areComparable,
  CLASS,
  classOf,
  compareUtf8,
  compareValues,
  isEqualScalar,
  normalScalar,
} from '../../../src/query/order.ts';
import { naiveOrder, scalars, strings } from './values.ts';

describe('the order of values', () => {
  it('no scalar, null, false, true, numbers, strings', () => {
    const ascending = [
      [undefined, {}, [], [1]],
      [null],
      [false],
      [true],
      [-(2n ** 63n)],
      [-1e9],
      [-1, -1n],
      [-0.5],
      [0, -0, 0n],
      [Number.MIN_VALUE],
      [1n, 1],
      [2 ** 53, 2n ** 53n],
      [2n ** 53n + 1n],
      [2 ** 53 + 2],
      [2n ** 64n - 1n],
      [2 ** 64],
      [''],
      ['a'],
      ['a\u0000'],
      ['aa'],
      ['b'],
      ['\ue000'],
      ['\uffff'],
      ['😀'],
    ];
    ascending.forEach((group, i) => {
      ascending.forEach((other, j) => {
        for (const a of group) {
          for (const b of other) expect(Math.sign(compareValues(a, b))).toBe(Math.sign(i - j));
        }
      });
    });
  });

  it('inside a kind it is that of exact numbers and of UTF-8 bytes (property)', () => {
    fc.assert(
      fc.property(scalars, scalars, (a, b) => {
        const naive = naiveOrder(a, b);
        expect(areComparable(a, b)).toBe(naive !== undefined);
        expect(isEqualScalar(a, b)).toBe(naive === 0);
        if (naive !== undefined) expect(Math.sign(compareValues(a, b))).toBe(naive);
        else expect(Math.sign(compareValues(a, b))).toBe(Math.sign(classOf(a) - classOf(b)));
      }),
      { numRuns: 3000 },
    );
  });

  it('strings by code points (property)', () => {
    fc.assert(
      fc.property(strings, strings, (a, b) => {
        const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(compareUtf8(a, b))).toBe(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('only scalars are comparable, and only with their own kind', () => {
    expect(areComparable(undefined, undefined)).toBe(false);
    expect(areComparable([], {})).toBe(false);
    expect(areComparable(false, true)).toBe(true);
    expect(areComparable(null, false)).toBe(false);
    expect(areComparable(1, 1n)).toBe(true);
    expect(areComparable(1, '1')).toBe(false);
    expect(classOf(undefined)).toBe(CLASS.none);
    expect(isEqualScalar([], null)).toBe(false);
  });

  it('equal scalars have one normal form, unequal ones different forms (property)', () => {
    expect(Object.is(normalScalar(-0), 0)).toBe(true);
    expect(normalScalar(5n)).toBe(5);
    expect(normalScalar(2n ** 53n + 1n)).toBe(2n ** 53n + 1n);
    fc.assert(
      fc.property(scalars, scalars, (a, b) => {
        expect(Object.is(normalScalar(a), normalScalar(b))).toBe(naiveOrder(a, b) === 0);
        expect(naiveOrder(a, normalScalar(a))).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });
});
