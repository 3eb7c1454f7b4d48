import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStoreError } from '../../../src/base/errors.ts';
import { guardText, parseGuard } from '../../../src/machine/index.ts';
import { MAX_GUARD_LENGTH } from '../../../src/machine/limits.ts';
import { refusalOf } from './errors.ts';
import { normalText, trees, writtenText } from './guard-model.ts';

const normal = (text: string): string => parseGuard(text).text;

describe('MAC-5 a guard is read', () => {
  it.each([
    ['ctx.a', 'ctx.a'],
    ['  ctx.a.b.c\t\r\n', 'ctx.a.b.c'],
    ['ctx.a==1', 'ctx.a == 1'],
    ['ctx.a  !=  "x"', 'ctx.a != "x"'],
    ['ctx.a>=-1.50', 'ctx.a >= -1.5'],
    ['ctx.a<1e3', 'ctx.a < 1000'],
    ['ctx.a > 007', 'ctx.a > 7'],
    ['ctx.a == -0', 'ctx.a == 0'],
    ['ctx.a == 0.0000001', 'ctx.a == 1e-7'],
    ['ctx.a == 1E+2', 'ctx.a == 100'],
    ['ctx.a == 9007199254740993', 'ctx.a == 9007199254740993'],
    ['ctx.a == 1e21', 'ctx.a == 1000000000000000000000'],
    ['ctx.a==true||ctx.b==false', 'ctx.a == true || ctx.b == false'],
    ['ctx.a==null', 'ctx.a == null'],
    ['ctx.a||ctx.b&&ctx.c', 'ctx.a || ctx.b && ctx.c'],
    ['(ctx.a||ctx.b)&&ctx.c', '(ctx.a || ctx.b) && ctx.c'],
    ['ctx.a||(ctx.b||ctx.c)', 'ctx.a || ctx.b || ctx.c'],
    ['((ctx.a)&&(ctx.b&&(ctx.c)))', 'ctx.a && ctx.b && ctx.c'],
    ['! ctx.a', '!ctx.a'],
    ['!!ctx.a', '!!ctx.a'],
    ['!ctx.a == 1', '!(ctx.a == 1)'],
    ['!(ctx.a == 1)', '!(ctx.a == 1)'],
    ['!(ctx.a && ctx.b)', '!(ctx.a && ctx.b)'],
    ['ctx.a == "\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"', 'ctx.a == "\\"\\\\/\\b\\f\\n\\r\\té"'],
    ['ctx.a == "\\ud83d\\ude00"', 'ctx.a == "😀"'],
    ['ctx.a == "it\'s && || (fine)"', 'ctx.a == "it\'s && || (fine)"'],
    ['ctx.größe.数量 > 1', 'ctx.größe.数量 > 1'],
    ['ctx.𐐷', 'ctx.𐐷'],
    ['ctx.2fa && ctx._x && ctx.$ref', 'ctx.2fa && ctx._x && ctx.$ref'],
    ['ctx.ctx.true.null', 'ctx.ctx.true.null'],
    ['ctx.__proto__.constructor', 'ctx.__proto__.constructor'],
  ])('%s is %s', (text, expected) => {
    expect(normal(text)).toBe(expected);
    expect(normal(expected)).toBe(expected);
  });

  it('minus zero is zero', () => {
    expect(parseGuard('ctx.a == -0.0')).toStrictEqual(parseGuard('ctx.a == 0'));
  });

  it('a guard and its parts are frozen', () => {
    const guard = parseGuard('ctx.a && !(ctx.b || ctx.c == 1)');
    const parts = [guard, guard.expression, ...Object.values(guard.expression)];
    expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
  });

  it('&& binds tighter than ||, ! takes the comparison behind it', () => {
    expect(parseGuard('ctx.a || ctx.b && !ctx.c == 1').expression).toEqual({
      kind: 'any',
      operands: [
        { kind: 'field', path: ['a'] },
        {
          kind: 'all',
          operands: [
            { kind: 'field', path: ['b'] },
            {
              kind: 'not',
              operand: { kind: 'compare', path: ['c'], operator: '==', literal: 1 },
            },
          ],
        },
      ],
    });
  });

  it('whatever way it is written, it is read the same (property)', () => {
    fc.assert(
      fc.property(trees, fc.infiniteStream(fc.nat()), (tree, choices) => {
        const guard = parseGuard(writtenText(tree, choices));
        expect(guard.text).toBe(normalText(tree));
        expect(guardText(guard.expression)).toBe(guard.text);
        expect(parseGuard(guard.text)).toStrictEqual(guard);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('MAC-5 what is no guard is refused, with the place', () => {
  it.each([
    ['', 0],
    ['   ', 3],
    ['ctx.a junk', 6],
    ['ctx.a ctx.b', 6],
    ['ctx.a = 5', 6],
    ['ctx.a === 5', 8],
    ['ctx.a & ctx.b', 6],
    ['ctx.a | ctx.b', 6],
    ['ctx.a and ctx.b', 6],
    ['not ctx.a', 0],
    ['ctx', 0],
    ['ctx.', 0],
    ['ctx..a', 0],
    ['ctx.a.', 0],
    ['.a', 0],
    ['ctx .a', 0],
    ['ctxa', 0],
    ['Ctx.a', 0],
    ['a', 0],
    ['a.b == 1', 0],
    ['true', 0],
    ['"x"', 0],
    ['1 < ctx.a', 0],
    ['null == ctx.a', 0],
    ['ctx.a ==', 8],
    ['ctx.a == ctx.b', 9],
    ['ctx.a == undefined', 9],
    ['ctx.a == [1]', 9],
    ["ctx.a == 'x'", 9],
    ['ctx.a == "x', 9],
    ['ctx.a == "x\\"', 9],
    ['ctx.a == "\\x"', 10],
    ['ctx.a == "ab\\u12"', 12],
    ['ctx.a == "\\ud800"', 9],
    ['ctx.a == "\ud800"', 9],
    ['ctx.\ud800', 0],
    ['ctx.a == 1.', 10],
    ['ctx.a == .5', 9],
    ['ctx.a == +5', 9],
    ['ctx.a == - 5', 9],
    ['ctx.a == 1e', 10],
    ['ctx.a == 1e999', 9],
    ['ctx.a == 0x10', 10],
    ['ctx.a == 1n', 10],
    ['ctx.a > "5"', 8],
    ['ctx.a >= true', 9],
    ['ctx.a < null', 8],
    ['ctx.a <= ctx.b', 9],
    ['ctx.a == 1 == 1', 11],
    ['ctx.a > 1 > 0', 10],
    ['(ctx.a == 1) == true', 13],
    ['(ctx.a', 6],
    ['ctx.a)', 5],
    ['()', 1],
    ['!', 1],
    ['&& ctx.a', 0],
    ['ctx.a &&', 8],
    ['ctx.a || || ctx.b', 9],
    ['ctx["a"]', 0],
    ['ctx.a[0]', 5],
    ['ctx.a()', 5],
    ['ctx.a.length()', 12],
    ['ctx.a + 1', 6],
    ['ctx.a-b', 5],
    ['ctx.a ? 1 : 2', 6],
    ['ctx.a; ctx.b', 5],
    ['ctx.a // why', 6],
    ['`ctx.a`', 0],
    ['ctx.a\u00a0', 5],
    ['ctx.a\0', 5],
    ['(ctx.a || ctx.b', 15],
  ])('%j at %d', (text, position) => {
    const { path, details } = refusalOf(() => parseGuard(text));
    expect(path).toBe('guard');
    expect(details).toMatchObject({ position, line: 1, column: position + 1 });
    expect(String(details['reason']).length).toBeGreaterThan(5);
  });

  it('lines and columns count from one', () => {
    const { details } = refusalOf(() => parseGuard('ctx.a &&\n\n   ctx.b ='));
    expect(details).toMatchObject({ position: 19, line: 3, column: 10 });
  });

  it.each([undefined, null, 5, true, {}, [], () => 'ctx.a', Object('ctx.a')])(
    'anything but text: %s',
    (value) => {
      expect(refusalOf(() => parseGuard(value as string)).path).toBe('guard');
    },
  );

  it('what other languages write is answered with how it is written here', () => {
    const reasonOf = (text: string): unknown => refusalOf(() => parseGuard(text)).details['reason'];
    expect(reasonOf('ctx.a = 1')).toContain('==');
    expect(reasonOf('ctx.a and ctx.b')).toContain('&&');
    expect(reasonOf("ctx.a == 'x'")).toContain('double quotes');
  });
});

describe('F-72 F-75 guards are bounded', () => {
  const levels = (count: number, open: string, close: string, inner = 'ctx.a'): string =>
    open.repeat(count) + inner + close.repeat(count);

  it('100 levels pass, and so does their normal form', () => {
    for (const text of [
      levels(100, '(', ')'),
      levels(100, '!', ''),
      levels(99, '!', '', 'ctx.a == 1'),
      levels(50, '!(', ')', 'ctx.a || ctx.b'),
    ]) {
      expect(normal(normal(text))).toBe(normal(text));
    }
  });

  it.each([
    ['parentheses', levels(101, '(', ')')],
    ['negations', levels(101, '!', '')],
    ['negations of a comparison', levels(100, '!', '', 'ctx.a == 1')],
    ['a wall of parentheses', '('.repeat(4000)],
    ['a wall of negations', '!'.repeat(4000)],
    ['mixed', levels(51, '!(', ')')],
  ])('more than 100 levels are refused: %s', (_, text) => {
    expect(refusalOf(() => parseGuard(text)).details['reason']).toContain('100 levels');
  });

  it('a long chain is no nesting', () => {
    const chain = Array.from({ length: 450 }, () => 'ctx.a').join('&&');
    expect(normal(chain).split(' && ')).toHaveLength(450);
  });

  it('4,096 characters pass, one more is refused, before it is read', () => {
    const exact = `ctx.${'a'.repeat(MAX_GUARD_LENGTH - 4)}`;
    expect(normal(exact)).toBe(exact);
    expect(refusalOf(() => parseGuard(`${exact}a`)).details['reason']).toContain('4096');
    expect(refusalOf(() => parseGuard('"'.repeat(50_000_000))).path).toBe('guard');
  });

  it('a guard whose normal form is too long is refused, so what is kept can always be read', () => {
    const tight = Array.from({ length: 580 }, () => 'ctx.a').join('&&');
    expect(tight.length).toBeLessThan(MAX_GUARD_LENGTH);
    expect(refusalOf(() => parseGuard(tight)).details['reason']).toContain('normal form');
    const growing = `ctx.a == "${'\u0001'.repeat(1000)}"`;
    expect(refusalOf(() => parseGuard(growing)).details['reason']).toContain('normal form');
  });

  it('any text is a guard or BAD_REQUEST with a position inside it (fuzz)', () => {
    const pieces = fc.constantFrom(
      'ctx.a',
      'ctx',
      '.',
      '&&',
      '||',
      '!',
      '==',
      '!=',
      '>',
      '<=',
      '(',
      ')',
      '"',
      '\\',
      '"x"',
      '1',
      '-',
      'e',
      '1e5',
      'true',
      'null',
      ' ',
      '\n',
      '\ud800',
      '\u0000',
      'é',
      '😀',
      '__proto__',
    );
    const texts = fc.oneof(
      fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary', maxLength: 60 }),
    );
    const placeOf = (text: string): number => {
      try {
        return normal(normal(text)) === normal(text) ? 0 : -1;
      } catch (error) {
        if (!isStoreError(error, 'BAD_REQUEST')) throw error;
        return { position: -1, ...error.details }.position;
      }
    };
    fc.assert(
      fc.property(texts, (text) => {
        expect(placeOf(text)).toBeGreaterThanOrEqual(0);
        expect(placeOf(text)).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 3000 },
    );
  });
});
