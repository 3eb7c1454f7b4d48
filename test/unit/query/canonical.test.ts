import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches } from '../../../src/query/match.ts';
import { parseFilter } from '../../../src/query/parse-filter.ts';
import { valueIn } from '../../../src/query/paths.ts';
import { canonicalText } from '../../../src/query/predicate.ts';
import { contexts, filters, own } from './values.ts';

const textOf = (filter: unknown): string => canonicalText(parseFilter(filter, 'where'));

/** The same filter with keys, operands and list items the other way round, and undefined members. */
function turned(filter: unknown): unknown {
  if (Array.isArray(filter)) return filter.toReversed().map(turned);
  if (typeof filter !== 'object' || filter === null) return filter;
  const entries = Object.entries(filter).map(([key, value]) => [key, turned(value)] as const);
  return own(entries.toReversed());
}

describe('canonical text, to which cursors are bound', () => {
  it.each([
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [{ a: 1 }, { a: { eq: 1 } }],
    [{ a: 1 }, { a: 1n, b: undefined }],
    [{ a: 1 }, { './a': { eq: 1, gt: undefined } }],
    [{ a: 0 }, { a: -0 }],
    [{ 'a.b': 1 }, { a: { b: 1 } }],
    [{ a: 1, b: 2 }, { and: [{ b: 2 }, { and: [{ a: 1 }] }] }],
    [{ a: { gt: 1, lt: 5 } }, { and: [{ a: { lt: 5 } }, { a: { gt: 1 } }] }],
    [{ or: [{ a: 1 }, { b: 1 }] }, { or: [{ b: 1 }, { or: [{ a: 1 }] }, { a: 1 }] }],
    [{ a: { in: [1, 2] } }, { a: { in: [2, 1n, 2] } }],
    [{ and: [] }, {}],
    [{ or: [{ a: 1 }] }, { a: 1 }],
  ])('%o and %o have one', (one, other) => {
    expect(textOf(one)).toBe(textOf(other));
  });

  it('different filters have different texts', () => {
    const all = [
      {},
      { or: [] },
      { a: 1 },
      { a: '1' },
      { a: true },
      { a: 'true' },
      { a: null },
      { a: 'null' },
      { a: 2 },
      { a: 2n ** 53n + 1n },
      { a: 2 ** 53 },
      { a: { ne: 1 } },
      { a: { in: [1] } },
      { a: { in: [] } },
      { a: { in: ['1,2'] } },
      { a: { in: ['1', '2'] } },
      { a: { in: [1, 2] } },
      { a: { notIn: [1, 2] } },
      { a: { contains: 1 } },
      { a: { exists: true } },
      { a: { prefix: 'x' } },
      { a: 'x' },
      { a: 'x"' },
      { b: 1 },
      { 'a.b': 1 },
      { not: { a: 1 } },
      { a: 1, b: 1 },
      { or: [{ a: 1 }, { b: 1 }] },
      { not: { a: 1, b: 1 } },
      { a: 'and(' },
    ];
    expect(new Set(all.map(textOf)).size).toBe(all.length);
  });

  it('does not depend on how the filter is written, and tells apart what selects differently (property)', () => {
    fc.assert(
      fc.property(filters, filters, contexts, (one, other, context) => {
        expect(textOf(turned(one))).toBe(textOf(one));
        if (textOf(one) !== textOf(other)) return;
        const valueAt = (path: readonly string[]): unknown => valueIn(context, path);
        expect(matches(parseFilter(one, 'where'), valueAt)).toBe(
          matches(parseFilter(other, 'where'), valueAt),
        );
      }),
      { numRuns: 2000 },
    );
  });
});
