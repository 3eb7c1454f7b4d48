import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStoreError } from '../../../src/base/errors.ts';
import { nearestOperator } from '../../../src/query/operators.ts';
import { parseFilter } from '../../../src/query/parse-filter.ts';
import { namesOf, parsePath, pathText, valueIn } from '../../../src/query/paths.ts';
import { pathsIn } from '../../../src/query/predicate.ts';
import { parseTimeRange } from '../../../src/query/time-range.ts';
import { refusalOf } from './refusals.ts';

const refused = (filter: unknown): ReturnType<typeof refusalOf> =>
  refusalOf(() => parseFilter(filter, 'where'));

/** A chain of `depth` filters inside each other. */
function nested(depth: number): unknown {
  let filter: unknown = {};
  for (let i = 1; i < depth; i++) filter = { not: filter };
  return filter;
}

const cyclic: Record<string, unknown> = {};
cyclic['and'] = [cyclic, cyclic];
let shared: unknown = {};
for (let i = 0; i < 30; i++) shared = { and: [shared, shared] };
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const throwing = {
  get a(): number {
    throw new Error('no');
  },
};

describe('malformed filters are BAD_REQUEST and name the place (F-75)', () => {
  it.each<[string, unknown, string]>([
    ['null', null, 'where'],
    ['text', 'a = 1', 'where'],
    ['a number', 5, 'where'],
    ['a list', [], 'where'],
    ['a date', new Date(0), 'where'],
    ['a map', new Map(), 'where'],
    ['a function', () => true, 'where'],
    ['a revoked proxy', revoked.proxy, 'where'],
    ['a revoked proxy below', { a: revoked.proxy }, 'where.a'],
    ['a getter that throws', throwing, 'where'],
    ['a symbol as key', { [Symbol('a')]: 1 }, 'where'],
    ['an empty path', { '': 1 }, 'where[""]'],
    ['an empty name', { 'a..b': 1 }, 'where["a..b"]'],
    ['a name missing in front', { '.a': 1 }, 'where[".a"]'],
    ['a name missing behind', { 'a.': 1 }, 'where["a."]'],
    ['nothing behind the escape', { './': 1 }, 'where["./"]'],
    ['two escapes', { '././a': 1 }, 'where["././a"]'],
    ['a path of half a pair', { '\ud800': 1 }, 'where["\\ud800"]'],
    ['a path too long', { ['a'.repeat(1025)]: 1 }, `where["${'a'.repeat(64)}"...]`],
    ['65 names', { [Array(65).fill('a').join('.')]: 1 }, `where["${'a.'.repeat(32)}"...]`],
    [
      'a path too long together',
      { ['a'.repeat(600)]: { ['b'.repeat(600)]: 1 } },
      `where["${'a'.repeat(64)}"...]["${'b'.repeat(64)}"...]`,
    ],
    ['a list as a value', { a: [1] }, 'where.a'],
    ['a date as a value', { a: new Date(0) }, 'where.a'],
    ['a typed array as a value', { a: new Uint8Array(2) }, 'where.a'],
    ['NaN', { a: Number.NaN }, 'where.a'],
    ['infinity', { 'a.b': { lt: Infinity } }, 'where.a.b.lt'],
    ['a function as a value', { a: () => 1 }, 'where.a'],
    ['a symbol as a value', { a: Symbol('x') }, 'where.a'],
    ['a bigint beyond 64 bits', { a: 2n ** 64n }, 'where.a'],
    ['half a surrogate pair', { a: { eq: 'x\udc00' } }, 'where.a.eq'],
    ['an object for eq', { a: { eq: {} } }, 'where.a.eq'],
    ['a list for eq', { a: { eq: [1] } }, 'where.a.eq'],
    ['a scalar for in', { a: { in: 5 } }, 'where.a.in'],
    ['text for in', { a: { in: 'abc' } }, 'where.a.in'],
    ['a list inside in', { a: { in: [1, [2]] } }, 'where.a.in[1]'],
    ['undefined inside in', { a: { in: [1, undefined] } }, 'where.a.in[1]'],
    ['a hole inside notIn', { a: { notIn: Array(2) } }, 'where.a.notIn[0]'],
    ['too many values', { a: { in: Array(10_001).fill(1) } }, 'where.a.in'],
    ['a list of a billion holes', { a: { in: Array(1e9) } }, 'where.a.in'],
    ['a number for prefix', { a: { prefix: 5 } }, 'where.a.prefix'],
    ['null for prefix', { a: { prefix: null } }, 'where.a.prefix'],
    ['text for exists', { a: { exists: 'yes' } }, 'where.a.exists'],
    ['a list for contains', { a: { contains: [1] } }, 'where.a.contains'],
    ['an object for and', { and: {} }, 'where.and'],
    ['null for or', { or: null }, 'where.or'],
    ['a list for not', { not: [] }, 'where.not'],
    ['a scalar in or', { or: [{}, 5] }, 'where.or[1]'],
    ['a hole in and', { and: Array(1) }, 'where.and[0]'],
    ['undefined in and', { and: [undefined] }, 'where.and[0]'],
    ['a billion holes in and', { and: Array(1e9) }, 'where.and'],
    [
      'a fault deep inside',
      { and: [{ a: 1 }, { not: { a: { b: { gt: [] } } } }] },
      'where.and[1].not.a.b.gt',
    ],
    ['operators beside a path', { customer: { gt: 5, city: 'x' } }, 'where.customer.city'],
    ['an unknown operator beside one', { customer: { gte: 5, ltt: 9 } }, 'where.customer.ltt'],
    ['not beside operators', { a: { gt: 5, not: { eq: 7 } } }, 'where.a.not'],
    ['a misspelt operator', { customer: { prefx: 'a' } }, 'where.customer.prefx'],
    ['an operator in capitals', { customer: { GT: 1 } }, 'where.customer.GT'],
    ['an operator of another language', { customer: { $gt: 1 } }, 'where.customer.$gt'],
    ['a connective of another language', { $or: [{ a: 1 }] }, 'where.$or'],
    ['the same with an object', { $not: { a: 1 } }, 'where.$not'],
    ['two names with spaces', { 'two words': { eq: [] } }, 'where["two words"].eq'],
    ['gt and gte', { a: { gt: 1, gte: 1 } }, 'where.a.gte'],
    ['lt and lte', { a: { lt: 1, lte: 1 } }, 'where.a.lte'],
    ['a range turned round', { a: { gt: 5, lt: 3 } }, 'where.a.lt'],
    ['a range turned round by one', { a: { gte: 2n ** 53n + 1n, lte: 2 ** 53 } }, 'where.a.lte'],
    ['a range of text turned round', { a: { gte: '😀', lt: '\uffff' } }, 'where.a.lt'],
    ['a range from number to text', { a: { gte: 1, lt: 'x' } }, 'where.a.lt'],
    ['33 filters inside each other', nested(33), `where${'.not'.repeat(32)}`],
    ['a filter that contains itself', cyclic, `where${'.and[0]'.repeat(32)}`],
  ])('%s', (_, filter, path) => {
    expect(refused(filter).path).toBe(path);
  });

  it('one that unfolds without end, or is too large, ends', () => {
    expect(refused(shared).message).toContain('conditions');
    const ranges = { or: Array.from({ length: 501 }, () => ({ a: { gt: 1, lt: 2 } })) };
    expect(refused(ranges).path).toBe('where.or[500].a.gt');
    const many = { or: Array.from({ length: 1001 }, (_, a) => ({ a })) };
    expect(refused(many)).toMatchObject({
      path: 'where.or[1000].a',
      expected: 'at most 1000 conditions',
    });
  });

  it('what it says helps', () => {
    expect(refused({ a: { gte: 1, ltee: 2 } }).message).toContain('nearest operator is lte');
    expect(refused({ a: { startsWith: 'x', eq: 'y' } }).message).toContain(
      'nearest operator is prefix',
    );
    expect(refused({ a: { exist: true } }).message).toContain('nearest is exists');
    expect(refused({ a: { exist: true } }).message).toContain('"./exist"');
    expect(refused({ a: [1] }).message).toContain('in: [...]');
    expect(refused({ a: { gt: 5, lt: 3 } }).message).toContain('turned round');
  });

  it('a property is read once, so that it cannot change its mind', () => {
    let reads = 0;
    const filter = {
      get a(): unknown {
        return reads++ === 0 ? 1 : new Date(0);
      },
    };
    expect(parseFilter(filter, 'where')).toMatchObject({ operator: 'eq', value: 1 });
    expect(reads).toBe(1);
  });

  it('whatever is passed, the answer is a predicate or BAD_REQUEST (property)', () => {
    const keys = fc.constantFrom(
      'a',
      'gt',
      'in',
      'and',
      'or',
      'not',
      'prefix',
      'a.b',
      '',
      './x',
      '$eq',
    );
    const anything = fc.anything({
      key: keys,
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
      maxDepth: 5,
    });
    fc.assert(
      fc.property(anything, (input) => {
        try {
          expect(Object.isFrozen(parseFilter(input, 'where'))).toBe(true);
        } catch (error) {
          if (!isStoreError(error, 'BAD_REQUEST')) throw error;
          expect(error.details.path).toMatch(/^where/);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('limits are inclusive', () => {
  it.each<[string, unknown]>([
    ['32 filters inside each other', nested(32)],
    ['1,000 conditions', { or: Array.from({ length: 1000 }, (_, a) => ({ a })) }],
    ['10,000 values', { a: { in: Array.from({ length: 10_000 }, (_, i) => i) } }],
    ['64 names', { [Array(64).fill('a').join('.')]: 1 }],
    ['1,024 bytes', { ['é'.repeat(512)]: 1 }],
    ['the smallest bigint', { a: -(2n ** 63n) }],
    ['the largest bigint', { a: 2n ** 64n - 1n }],
    ['a range whose ends meet', { a: { gte: 5, lt: 5 } }],
    ['a range of one value', { a: { gte: 5, lte: 5n } }],
    ['bounds of one side', { a: { gt: 5 }, b: { lte: 'x' } }],
    ['plain objects of another realm', runInNewContext('({ a: { gt: 1 } })')],
    ['fields that look like short operators', { a: { id: 1, ip: 2, note: 'x', inn: 3 } }],
  ])('%s', (_, filter) => {
    expect(Object.isFrozen(parseFilter(filter, 'where'))).toBe(true);
  });

  it('one byte more than 1,024 is refused, by bytes and not by letters', () => {
    expect(refused({ [`${'é'.repeat(512)}a`]: 1 }).message).toContain('too long');
    expect(refused({ [`${'😀'.repeat(256)}a`]: 1 }).message).toContain('too long');
    expect(parsePath('😀'.repeat(256), 'path')).toHaveLength(1);
  });
});

describe('paths', () => {
  it('are read for orderBy as well', () => {
    expect(parsePath('a.b', 'orderBy')).toEqual(['a', 'b']);
    expect(parsePath('./id', 'orderBy')).toEqual(['id']);
    expect(pathText(parsePath('./a.b', 'orderBy'))).toBe('a.b');
    expect(refusalOf(() => parsePath(5, 'orderBy')).path).toBe('orderBy');
    expect(refusalOf(() => parsePath('', 'orderBy')).path).toBe('orderBy');
  });

  it('all paths a filter asks for are known, those it can never reach included', () => {
    const filter = { a: { b: 1, in: undefined }, not: { or: [{ c: { in: [] } }, { './and': 2 }] } };
    expect([...pathsIn(parseFilter(filter, 'where'))]).toEqual(['a.b', 'c', 'and']);
  });

  it('accepted under other rules are never refused where they are applied', () => {
    expect(namesOf('a..b')).toEqual(['a', '', 'b']);
    expect(namesOf(Array(65).fill('a').join('.'))).toHaveLength(65);
  });

  it('lead into own fields of objects only', () => {
    expect(valueIn({ a: { b: [1] } }, ['a', 'b'])).toEqual([1]);
    expect(valueIn({ a: [1] }, ['a', '0'])).toBeUndefined();
    expect(valueIn({ a: 'x' }, ['a', 'length'])).toBeUndefined();
    expect(valueIn({}, ['constructor'])).toBeUndefined();
    expect(valueIn(null, ['a'])).toBeUndefined();
  });
});

describe('ranges of time', () => {
  it('become closed intervals', () => {
    expect(parseTimeRange(undefined, 'createdAt')).toBeUndefined();
    expect(parseTimeRange({}, 'createdAt')).toBeUndefined();
    expect(parseTimeRange({ gte: 5, lt: 9 }, 'createdAt')).toEqual({ first: 5, last: 8 });
    expect(parseTimeRange({ gt: -5, lte: 9 }, 'createdAt')).toEqual({ first: -4, last: 9 });
    expect(parseTimeRange({ gt: 5 }, 'createdAt')).toEqual({ first: 6, last: Infinity });
    expect(parseTimeRange({ lt: 5, gt: undefined }, 'createdAt')).toEqual({
      first: -Infinity,
      last: 4,
    });
    expect(parseTimeRange({ gte: 5, lt: 5 }, 'createdAt')).toEqual({ first: 5, last: 4 });
  });

  it.each<[unknown, string]>([
    [5, 'createdAt'],
    [[], 'createdAt'],
    [null, 'createdAt'],
    [new Date(0), 'createdAt'],
    [{ eq: 5 }, 'createdAt.eq'],
    [{ gt: 5.5 }, 'createdAt.gt'],
    [{ gt: 5n }, 'createdAt.gt'],
    [{ gt: '5' }, 'createdAt.gt'],
    [{ gt: new Date(0) }, 'createdAt.gt'],
    [{ lt: Number.NaN }, 'createdAt.lt'],
    [{ lt: Infinity }, 'createdAt.lt'],
    [{ gte: 9, lte: 5 }, 'createdAt.lte'],
    [{ gt: 9, lt: 5 }, 'createdAt.lt'],
    [{ gt: 9, gte: 5 }, 'createdAt.gte'],
    [{ lt: 9, lte: 5 }, 'createdAt.lte'],
  ])('%o is refused at %s', (range, path) => {
    expect(refusalOf(() => parseTimeRange(range, 'createdAt')).path).toBe(path);
  });
});

describe('the nearest operator', () => {
  it.each([
    ['equals', 'eq'],
    ['$nin', 'notIn'],
    ['not_in', 'notIn'],
    ['startsWith', 'prefix'],
    ['includes', 'contains'],
    ['contain', 'contains'],
    ['gtt', 'gt'],
    ['lteq', 'lte'],
    ['x'.repeat(100_000), 'eq'],
  ])('to %s is %s', (word, operator) => {
    if (word.length < 100) expect(nearestOperator(word)).toBe(operator);
    else expect(nearestOperator(word)).toBeTypeOf('string');
  });
});
