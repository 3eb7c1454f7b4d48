/** Values, contexts and filters for properties, and what a filter means said a second time, naively. */
import * as fc from 'fast-check';
import type { Filter, Operators, Scalar } from '../../../src/engine/api/query.ts';
import { ByteWriter } from '../../../src/base/bytes.ts';
import { encodeElementKey, encodeKey } from '../../../src/query/key.ts';

/** Two to the 53, where doubles begin to miss integers; two to the 63 and 64, where their gaps are widest. */
const AROUND = [0n, 2n ** 53n, 2n ** 54n, 2n ** 62n, 2n ** 63n, 2n ** 64n - 3000n, 2n ** 31n];

const integers = fc
  .tuple(fc.constantFrom(...AROUND), fc.bigInt({ min: -2100n, max: 2100n }), fc.boolean())
  .map(([centre, offset, isNegative]) => {
    const value = centre + offset;
    const signed = isNegative ? -value : value;
    return signed < -(2n ** 63n) ? -(2n ** 63n) : signed;
  });
const doubles = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  integers.map(Number),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(-0, 0.5, -0.5, Number.MIN_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE),
);

/** One of each length of UTF-8, and those whose UTF-16 order is another one. */
const LETTERS = ['a', 'b', '\u0000', '\u007f', '\u0080', 'é', '\u07ff', '\u0800', '\ud7ff'];
const HIGH_LETTERS = ['\ue000', '\uffff', '\u{10000}', '😀', '\u{10ffff}'];
const words = fc.string({ unit: fc.constantFrom(...LETTERS, ...HIGH_LETTERS), maxLength: 6 });

/** Around the length at which keys are cut: 990 to 1,020 bytes. */
export const longWords: fc.Arbitrary<string> = fc
  .tuple(fc.integer({ min: 990, max: 1004 }), words, fc.constantFrom('a', 'ab'))
  .map(([length, tail, head]) => head + 'a'.repeat(length - head.length) + tail);

export const strings: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: words },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  { weight: 1, arbitrary: longWords },
);

export const scalars: fc.Arbitrary<Scalar> = fc.oneof(
  fc.constantFrom(null, false, true),
  doubles,
  integers,
  strings,
);

/** Few, so that two of them are often equal. */
export const fewScalars: fc.Arbitrary<Scalar> = fc.constantFrom(
  null,
  false,
  true,
  -1,
  0,
  -0,
  1,
  1n,
  1.5,
  2,
  2 ** 53,
  2n ** 53n,
  2n ** 53n + 1n,
  -5n,
  '',
  'a',
  'ab',
  'b',
  'é',
  '\ue000',
  '😀',
  'a'.repeat(1000),
  'a'.repeat(1001),
  `${'a'.repeat(1001)}b`,
);

const leaves = fc.oneof(
  { weight: 4, arbitrary: fewScalars },
  { weight: 1, arbitrary: fc.array(fc.oneof(fewScalars, fc.constant([])), { maxLength: 3 }) },
);
const NAMES = ['x', 'y', 'and', '__proto__'];
export const contexts: fc.Arbitrary<unknown> = fc.oneof(
  fc.dictionary(fc.constantFrom(...NAMES), leaves, { noNullPrototype: true }),
  fc.record({
    x: fc.oneof(leaves, fc.dictionary(fc.constantFrom('x', 'y'), leaves)),
    y: fc.oneof(leaves, fc.constant({})),
  }),
);

const someOperators: fc.Arbitrary<Operators> = fc.oneof(
  fewScalars.map((eq) => ({ eq })),
  fewScalars.map((ne) => ({ ne })),
  fewScalars.map((gt) => ({ gt })),
  fewScalars.map((gte) => ({ gte })),
  fewScalars.map((lt) => ({ lt })),
  fewScalars.map((lte) => ({ lte })),
  fc.array(fewScalars, { maxLength: 3 }).map((list) => ({ in: list })),
  fc.array(fewScalars, { maxLength: 3 }).map((notIn) => ({ notIn })),
  fc
    .constantFrom('', 'a', 'ab', 'é', 'a'.repeat(1000), 'a'.repeat(1001))
    .map((prefix) => ({ prefix })),
  fewScalars.map((contains) => ({ contains })),
  fc.boolean().map((exists) => ({ exists })),
  fc.tuple(fewScalars, fewScalars).map(([ne, contains]) => ({ ne, contains })),
  fc
    .tuple(fc.integer({ min: -2, max: 1 }), fc.integer({ min: 1, max: 3 }))
    .map(([gte, lt]) => ({ gte, lt })),
  fc.constant({}),
);

const PATHS = ['x', 'y', 'x.x', 'x.y', './and', './x', '__proto__'];

/** Filters as callers write them: without faults, in every form. */
export const filters: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter; below: Filter }>(
  (tie) => ({
    filter: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc
        .tuple(fc.constantFrom(...PATHS), fc.oneof(fewScalars, someOperators))
        .map(([path, value]) => own([[path, value]])),
      fc
        .uniqueArray(fc.tuple(fc.constantFrom(...PATHS), fc.oneof(fewScalars, someOperators)), {
          selector: ([path]) => path,
          maxLength: 3,
        })
        .map(own),
      fc.array(tie('filter'), { maxLength: 3 }).map((and) => ({ and })),
      fc.array(tie('filter'), { maxLength: 3 }).map((or) => ({ or })),
      tie('filter').map((not) => ({ not })),
      fc.tuple(fewScalars, tie('filter')).map(([y, not]) => ({ y, not })),
      tie('below').map((x) => ({ x })),
    ),
    /** Relative to a path: paths, or operators for that path, also joined. */
    below: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      someOperators as fc.Arbitrary<Filter>,
      fewScalars.map((y) => ({ y })),
      someOperators.map((x) => ({ x })),
      fc.array(tie('below'), { maxLength: 3 }).map((or) => ({ or })),
      fc.array(tie('below'), { maxLength: 3 }).map((and) => ({ and })),
      tie('below').map((not) => ({ not })),
    ),
  }),
).filter;

/** An object with these own keys, '__proto__' like any other. */
export function own(entries: readonly (readonly [string, unknown])[]): Filter {
  return Object.fromEntries(entries) as Filter;
}

const OPERATORS = 'eq ne gt gte lt lte in notIn prefix contains exists'.split(' ');

/** What docs/queries.md says, by walking the filter itself: shares nothing with src/query. */
export function holds(filter: object, context: unknown, base: readonly string[] = []): boolean {
  const keys = Object.keys(filter);
  if (base.length > 0 && keys.every((key) => OPERATORS.includes(key))) {
    const value = at(context, base);
    return Object.entries(filter).every(([key, operand]) => passes(key, value, operand));
  }
  return Object.entries(filter).every(([key, value]) => {
    if (key === 'and') return (value as object[]).every((one) => holds(one, context, base));
    if (key === 'or') return (value as object[]).some((one) => holds(one, context, base));
    if (key === 'not') return !holds(value as object, context, base);
    const path = [...base, ...key.replace(/^\.\//, '').split('.')];
    if (typeof value === 'object' && value !== null) return holds(value, context, path);
    return passes('eq', at(context, path), value);
  });
}

function at(context: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.getOwnPropertyDescriptor(value, name)?.value
        : undefined,
    context,
  );
}

/** `any`: what an operand is depends on the operator, and a model that checked it would be the code again. */
export function passes(operator: string, value: unknown, operand: any): boolean {
  if (operator === 'exists') return (value !== undefined) === operand;
  if (operator === 'ne') return !same(value, operand);
  if (operator === 'in') return operand.some((one: unknown) => same(value, one));
  if (operator === 'notIn') return !passes('in', value, operand);
  if (operator === 'contains')
    return Array.isArray(value) && value.some((one) => same(one, operand));
  if (operator === 'eq') return same(value, operand);
  if (operator === 'prefix') {
    return (
      typeof value === 'string' &&
      utf8(value).subarray(0, utf8(operand).length).equals(utf8(operand))
    );
  }
  const order = naiveOrder(value, operand);
  if (order === undefined) return false;
  return { gt: order > 0, gte: order >= 0, lt: order < 0, lte: order <= 0 }[operator] as boolean;
}

function same(value: unknown, operand: unknown): boolean {
  return naiveOrder(value, operand) === 0;
}

/** Of values of one kind; undefined for others. Numbers as exact fractions, text as bytes. */
export function naiveOrder(a: unknown, b: unknown): number | undefined {
  if (a === null && b === null) return 0;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(utf8(a), utf8(b));
  if (!isNumeric(a) || !isNumeric(b)) return undefined;
  const difference = scaled(a) - scaled(b);
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** Times two to the 1074: every double is an integer then. */
function scaled(value: number | bigint): bigint {
  if (typeof value === 'bigint') return value << 1074n;
  let [mantissa, exponent] = [value, 0];
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    exponent++;
  }
  return BigInt(mantissa) << BigInt(1074 - exponent);
}

function utf8(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

/** The key of a value, or of an element of a list. */
export function keyOf(value: unknown, of: 'value' | 'element' = 'value'): Buffer {
  const writer = new ByteWriter(8);
  if (of === 'value') encodeKey(value, writer);
  else encodeElementKey(value as Scalar, writer);
  return Buffer.from(writer.bytes.subarray(0, writer.position));
}
