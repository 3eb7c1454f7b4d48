/** What the compiler must accept and refuse about filters; `tsc -p test` is the test, this runs the rest. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import type {
  Cursor,
  Filter,
  Operators,
  Query,
  Range,
  Scalar,
  Selection,
} from '../../../src/index.ts';
import { parseFilter } from '../../../src/query/parse-filter.ts';

const accepted: readonly Filter[] = [
  {},
  { customer: 'ada', total: 5n, paid: true, coupon: null, later: undefined },
  { total: { gte: 50, lt: 100 }, tags: { contains: 'gift' }, at: { prefix: '2026-' } },
  { 'address.city': { in: ['Graz', 'Linz'] }, address: { zip: { exists: true } } },
  { and: [{ a: 1 }, { or: [{ b: 2 }, { not: { c: 3 } }] }], not: { d: { ne: 4 } } },
  { total: { or: [{ lt: 5 }, { gte: 10 }] }, './and': 1 },
];

describe('types of filters', () => {
  it('what compiles as a filter is one', () => {
    for (const filter of accepted) expect(Object.isFrozen(parseFilter(filter, 'where'))).toBe(true);
  });

  it('what is none does not compile, and is refused', () => {
    const refused: readonly Filter[] = [
      // @ts-expect-error a Date is no scalar
      { at: new Date(0) },
      // @ts-expect-error a list is no scalar
      { tags: ['a'] },
      // @ts-expect-error `and` takes a list
      { and: { a: 1 } },
      // @ts-expect-error `not` takes a filter
      { not: [{ a: 1 }] },
      // @ts-expect-error a function is no scalar
      { total: () => 1 },
    ];
    for (const filter of refused) expect(() => parseFilter(filter, 'where')).toThrow(/where/);
  });

  it('are what the contract says', () => {
    expectTypeOf<Scalar>().toEqualTypeOf<string | number | bigint | boolean | null>();
    expectTypeOf<Operators['in']>().toEqualTypeOf<readonly Scalar[] | undefined>();
    expectTypeOf<Operators<number>['eq']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Selection['where']>().toEqualTypeOf<Filter | undefined>();
    expectTypeOf<Selection['createdAt']>().toEqualTypeOf<Range | undefined>();
    expectTypeOf<Query<'a' | 'b'>['state']>().toEqualTypeOf<
      'a' | 'b' | readonly ('a' | 'b')[] | undefined
    >();
    expectTypeOf<Cursor>().toEqualTypeOf<string>();
    const byPath: Query = { orderBy: 'customer.name', direction: 'desc' };
    expect(byPath.orderBy).toBe('customer.name');
  });
});
