import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareKeys, type KeyRange } from '../../../src/query/key-range.ts';
import { matches } from '../../../src/query/match.ts';
import { classOf } from '../../../src/query/order.ts';
import { parseFilter } from '../../../src/query/parse-filter.ts';
import { parsePath, valueIn } from '../../../src/query/paths.ts';
import { canonicalText, type Predicate } from '../../../src/query/predicate.ts';
import { type Condition, conditionsOn, unionsOn } from '../../../src/query/sargable.ts';
import { contexts, filters, keyOf } from './values.ts';

const parse = (filter: unknown): Predicate => parseFilter(filter, 'where');
const passes = (predicate: Predicate, context: unknown): boolean =>
  matches(predicate, (path) => valueIn(context, path));
const isInside = (ranges: readonly KeyRange[], key: Buffer): boolean =>
  ranges.some(({ low, high }) => compareKeys(low, key) <= 0 && compareKeys(key, high) < 0);

/** Would an index of the path give the instance? As an index holds it: one main key, one per element. */
function isFound(condition: Condition, context: unknown): boolean {
  const value = valueIn(context, parsePath(condition.name, 'name'));
  if (condition.of === 'value') return isInside(condition.ranges, keyOf(value));
  const elements = Array.isArray(value) ? value.filter((one) => classOf(one) > 0) : [];
  return elements.some((one) => isInside(condition.ranges, keyOf(one, 'element')));
}

function checkRanges(ranges: readonly KeyRange[]): void {
  ranges.forEach((range, i) => {
    expect(compareKeys(range.low, range.high)).toBeLessThan(0);
    const behind = Buffer.concat([range.low, Buffer.of(0)]);
    expect(range.isPoint).toBe(compareKeys(behind, range.high) === 0);
    if (i === 0) return;
    const before = ranges[i - 1]!;
    const touching = before.isPoint && range.isPoint ? 0 : -1;
    expect(compareKeys(before.high, range.low)).toBeLessThanOrEqual(touching);
  });
}

describe('IDX-1 what indexes can answer', () => {
  it('any condition with its residual finds exactly what the filter selects (property)', () => {
    let conditions = 0;
    fc.assert(
      fc.property(filters, contexts, (filter, context) => {
        const predicate = parse(filter);
        const expected = passes(predicate, context);
        for (const condition of conditionsOn(predicate)) {
          conditions++;
          checkRanges(condition.ranges);
          const found = isFound(condition, context);
          expect(found && passes(condition.residual, context)).toBe(expected);
        }
      }),
      { numRuns: 6000 },
    );
    expect(conditions).toBeGreaterThan(2000);
  });

  it('any union finds, by any choice among the conditions of each branch, exactly that too (property)', () => {
    let unions = 0;
    const several = fc
      .tuple(fc.array(filters, { minLength: 2, maxLength: 3 }), filters, fc.boolean())
      .map(([or, and, isAlone]) => (isAlone ? { or } : { and: [{ or }, and] }));
    fc.assert(
      fc.property(several, contexts, fc.nat(5), (filter, context, choice) => {
        const predicate = parse(filter);
        const expected = passes(predicate, context);
        for (const { branches, residual } of unionsOn(predicate)) {
          unions++;
          const found = branches.some((conditions) => {
            const condition = conditions[choice % conditions.length]!;
            return isFound(condition, context) && passes(condition.residual, context);
          });
          expect(found && passes(residual, context)).toBe(expected);
        }
      }),
      { numRuns: 4000 },
    );
    expect(unions).toBeGreaterThan(400);
  });

  it('exact ranges say the comparison itself (property)', () => {
    fc.assert(
      fc.property(filters, contexts, (filter, context) => {
        const predicate = parse(filter);
        for (const condition of conditionsOn(predicate)) {
          if (!condition.isExact || canonicalText(condition.residual) !== 'true') continue;
          expect(isFound(condition, context)).toBe(passes(predicate, context));
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('how conditions are put together', () => {
  const shape = (filter: unknown): unknown[] =>
    conditionsOn(parse(filter)).map(({ name, of, ranges, isExact, residual }) => [
      name,
      of,
      ranges.length,
      isExact,
      canonicalText(residual),
    ]);

  it('comparisons of one path become one range', () => {
    expect(shape({ a: { gte: 5, lt: 10 } })).toEqual([['a', 'value', 1, true, 'true']]);
    const [condition] = conditionsOn(parse({ a: { gte: 5, lt: 10 } }));
    expect(condition?.ranges[0]).toMatchObject({ isPoint: false });
    expect(isInside(condition!.ranges, keyOf(5))).toBe(true);
    expect(isInside(condition!.ranges, keyOf(10))).toBe(false);
    expect(shape({ and: [{ a: { gt: 5 } }, { a: { lt: 5 } }] })).toEqual([
      ['a', 'value', 0, true, 'true'],
    ]);
    expect(shape({ a: { in: [1, 2, 3], gt: 1, ne: 3 } })).toEqual([
      ['a', 'value', 2, true, '["a","ne","3"]'],
    ]);
  });

  it('each of several paths leaves the others to the check', () => {
    expect(shape({ a: 1, b: 2, c: { ne: 3 } })).toEqual([
      ['a', 'value', 1, true, 'and(["b","eq","2"],["c","ne","3"])'],
      ['b', 'value', 1, true, 'and(["a","eq","1"],["c","ne","3"])'],
    ]);
  });

  it('an or over one path is one condition', () => {
    expect(shape({ or: [{ a: 1 }, { a: { gt: 5, lt: 9 } }, { a: 1 }] })).toEqual([
      ['a', 'value', 2, true, 'true'],
    ]);
    expect(shape({ or: [{ a: { lt: 5 } }, { a: { gte: 5 } }] })).toEqual([
      ['a', 'value', 1, true, 'true'],
    ]);
    expect(shape({ or: [{ a: 1 }, { a: { ne: 2 } }] })).toEqual([]);
  });

  it('several elements are several conditions, for a list may have both', () => {
    expect(
      shape({ a: { contains: 1 }, and: [{ a: { contains: 2 } }, { a: { exists: true } }] }),
    ).toEqual([
      ['a', 'element', 1, true, 'and(["a","contains","2"],["a","exists","true"])'],
      ['a', 'element', 1, true, 'and(["a","contains","1"],["a","exists","true"])'],
      [
        'a',
        'value',
        1,
        false,
        'and(["a","contains","1"],["a","contains","2"],["a","exists","true"])',
      ],
    ]);
  });

  it('what is only excluded cannot be looked up', () => {
    expect(shape({ a: { ne: 1 } })).toEqual([]);
    expect(shape({ a: { notIn: [1] } })).toEqual([]);
    expect(shape({ not: { a: 1 } })).toEqual([]);
    expect(shape({})).toEqual([]);
    expect(unionsOn(parse({ or: [{ a: 1 }, { b: { ne: 1 } }] }))).toEqual([]);
  });

  it('inside an or, what speaks of another path or another element is left to the check', () => {
    expect(shape({ or: [{ a: 1, b: 2 }, { a: 3 }] })).toEqual([
      ['a', 'value', 2, false, 'or(["a","eq","3"],and(["a","eq","1"],["b","eq","2"]))'],
    ]);
    const both = { and: [{ a: { contains: 1 } }, { a: { contains: 2 } }] };
    expect(shape({ or: [both, { a: { contains: 3 } }] })).toEqual([
      [
        'a',
        'element',
        2,
        false,
        'or(["a","contains","3"],and(["a","contains","1"],["a","contains","2"]))',
      ],
    ]);
  });

  it('a value or an element of it is a union, though of one path', () => {
    for (const or of [
      [{ a: 1 }, { a: { contains: 1 } }],
      [{ a: { contains: 1 } }, { a: 1 }],
    ]) {
      expect(shape({ or })).toEqual([]);
      const [union] = unionsOn(parse({ or }));
      expect(union?.branches.map(([first]) => first?.of).toSorted()).toEqual(['element', 'value']);
    }
  });

  it('an or over several paths is a union', () => {
    const [union, ...others] = unionsOn(parse({ or: [{ a: 1 }, { b: 2, c: 3 }], d: 4 }));
    expect(others).toEqual([]);
    expect(union?.branches.map((branch) => branch.map(({ name }) => name))).toEqual([
      ['a'],
      ['b', 'c'],
    ]);
    expect(canonicalText(union!.residual)).toBe('["d","eq","4"]');
  });

  it('strings beyond the length of a key stay in the check', () => {
    const long = 'a'.repeat(1001);
    expect(shape({ a: long })).toEqual([
      ['a', 'value', 1, false, `["a","eq",${JSON.stringify(`"${long}`)}]`],
    ]);
    expect(shape({ a: long.slice(1) })).toEqual([['a', 'value', 1, true, 'true']]);
  });
});
