import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePredicate, matches } from '../../../src/query/match.ts';
import { parseFilter } from '../../../src/query/parse-filter.ts';
import { valueIn } from '../../../src/query/paths.ts';
import { contexts, filters, holds, own } from './values.ts';

const passes = (filter: unknown, context: unknown): boolean =>
  matches(parseFilter(filter, 'where'), (path) => valueIn(context, path));

describe('IDX-1 what a filter selects', () => {
  it('is what its description says, for any filter and any context (property)', () => {
    let held = 0;
    fc.assert(
      fc.property(filters, contexts, (filter, context) => {
        const expected = holds(filter, context);
        if (expected) held++;
        expect(passes(filter, context)).toBe(expected);
      }),
      { numRuns: 6000 },
    );
    // Neither answer is rare, or the property would say little.
    expect(held).toBeGreaterThan(1000);
    expect(held).toBeLessThan(5000);
  });

  it('a compiled predicate serves many contexts and is told the path as text', () => {
    const match = compilePredicate(parseFilter({ 'a.b': 1 }, 'where'));
    const seen: unknown[] = [];
    const valueAt = (path: readonly string[], name: string): unknown => {
      seen.push([path, name]);
      return seen.length;
    };
    expect([match(valueAt), match(valueAt)]).toEqual([true, false]);
    expect(seen).toEqual([
      [['a', 'b'], 'a.b'],
      [['a', 'b'], 'a.b'],
    ]);
  });
});

describe('operators', () => {
  it.each([
    [{ a: 1 }, { a: 1 }, true],
    [{ a: 1 }, { a: 1n }, true],
    [{ a: 1n }, { a: 1 }, true],
    [{ a: 1 }, { a: '1' }, false],
    [{ a: 1 }, { a: true }, false],
    [{ a: 1 }, { a: [1] }, false],
    [{ a: -0 }, { a: 0 }, true],
    [{ a: 0 }, { a: -0 }, true],
    [{ a: 2n ** 53n + 1n }, { a: 2 ** 53 }, false],
    [{ a: null }, { a: null }, true],
    [{ a: null }, {}, false],
    [{ a: { ne: null } }, {}, true],
    [{ a: { ne: 5 } }, { a: [5] }, true],
    [{ a: { notIn: [5] } }, {}, true],
    [{ a: { notIn: [] } }, { a: 1 }, true],
    [{ a: { in: [] } }, { a: 1 }, false],
    [{ a: { in: [2 ** 53, 1n] } }, { a: 2n ** 53n }, true],
    [{ a: { in: [0] } }, { a: -0 }, true],
    [{ a: { in: [1] } }, { a: [1] }, false],
    [{ a: { gt: 1 } }, { a: 2n }, true],
    [{ a: { gt: 1 } }, { a: '2' }, false],
    [{ a: { gt: 1 } }, {}, false],
    [{ a: { lt: 1 } }, { a: null }, false],
    [{ a: { lt: 1 } }, { a: [] }, false],
    [{ a: { gt: false } }, { a: true }, true],
    [{ a: { gte: null } }, { a: null }, true],
    [{ a: { gt: '\uffff' } }, { a: '😀' }, true],
    [{ a: { gte: 1, lt: 2 } }, { a: 1.5 }, true],
    [{ a: { gte: 1, lt: 1 } }, { a: 1 }, false],
    [{ a: { prefix: '' } }, { a: '' }, true],
    [{ a: { prefix: '' } }, { a: 5 }, false],
    [{ a: { prefix: 'ab' } }, { a: 'abc' }, true],
    [{ a: { contains: 1 } }, { a: [2, 1n] }, true],
    [{ a: { contains: 1 } }, { a: 1 }, false],
    [{ a: { contains: null } }, { a: [null] }, true],
    [{ a: { contains: 'x' } }, { a: 'x' }, false],
    [{ a: { exists: true } }, { a: null }, true],
    [{ a: { exists: true } }, { a: [] }, true],
    [{ a: { exists: true } }, { a: {} }, true],
    [{ a: { exists: false } }, {}, true],
    [{ 'a.b': { exists: false } }, { a: 5 }, true],
    [{ 'a.0': 5 }, { a: [5] }, false],
    [{ 'a.length': 1 }, { a: [5] }, false],
    [{ a: {} }, {}, true],
    [{ a: { gt: undefined } }, {}, true],
    [{ a: undefined }, { a: 5 }, true],
    [{}, {}, true],
    [undefined, {}, true],
    [{ and: [] }, {}, true],
    [{ or: [] }, {}, false],
    [{ not: {} }, {}, false],
    [{ not: { a: 1 } }, { a: 2 }, true],
    [{ and: undefined, or: undefined, not: undefined }, {}, true],
  ])('%o of %o is %s', (filter, context, expected) => {
    expect(passes(filter, context)).toBe(expected);
  });
});

describe('paths and operators are told apart', () => {
  it.each([
    // Under a path: operators if all are, else paths relative to it.
    [{ a: { b: 1, c: 2 } }, { a: { b: 1, c: 2 } }, true],
    [{ a: { b: { gt: 1 } } }, { a: { b: 2 } }, true],
    [{ a: { 'b.c': 1 } }, { a: { b: { c: 1 } } }, true],
    [{ a: { or: [{ lt: 1 }, { gt: 5 }] } }, { a: 6 }, true],
    [{ a: { or: [{ lt: 1 }, { gt: 5 }] } }, { a: 3 }, false],
    [{ a: { not: { eq: 5 } } }, { a: 4 }, true],
    [{ a: { not: { eq: 5, b: 1 } as never } }, { a: 4 }, 'refused'],
    // At the top: always paths.
    [{ gt: 1 }, { gt: 1 }, true],
    [{ in: 5 }, { in: 5 }, true],
    [{ GT: 1, exist: 2, $gt: 3 }, { GT: 1, exist: 2, $gt: 3 }, true],
    // The escape.
    [{ './and': 1 }, { and: 1 }, true],
    [{ './not.or': 1 }, { not: { or: 1 } }, true],
    [{ a: { './gt': 1 } }, { a: { gt: 1 } }, true],
    [{ 'a.gt': 1 }, { a: { gt: 1 } }, true],
    [{ a: { './and': 1 } }, { a: { and: 1 } }, true],
    [{ './a': 1 }, { a: 1 }, true],
    [{ './$and': 1 }, { $and: 1 }, true],
    [{ '/and': 1 }, { '/and': 1 }, true],
    [{ 'and.x': 1 }, { and: { x: 1 } }, true],
  ])('%o of %o is %s', (filter, context, expected) => {
    if (expected === 'refused') expect(() => passes(filter, context)).toThrow(/do not mix/);
    else expect(passes(filter, context)).toBe(expected);
  });

  it('F-73 names every object inherits are names like any other', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const filter = own([[name, { exists: true }]]);
      expect(passes(filter, {})).toBe(false);
      expect(passes(filter, { a: 1 })).toBe(false);
      expect(passes(filter, own([[name, 1]]))).toBe(true);
      expect(passes(own([[`${name}.x`, 1]]), own([[name, { x: 1 }]]))).toBe(true);
    }
  });

  it('objects without a prototype and frozen ones are plain', () => {
    const filter = Object.assign(Object.create(null), { a: Object.freeze({ gt: 1 }) });
    expect(passes(filter, { a: 2 })).toBe(true);
  });
});
