import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateGuard, explainGuard, parseGuard } from '../../../src/machine/index.ts';
import { answer, contexts, normalText, trees } from './guard-model.ts';

const passes = (text: string, context: unknown): boolean =>
  evaluateGuard(parseGuard(text), context);

describe('MAC-5 truth', () => {
  it.each([
    [null, false],
    [undefined, false],
    [false, false],
    [0, false],
    [-0, false],
    [0n, false],
    [Number.NaN, false],
    ['', false],
    [[], false],
    [{}, false],
    [Object.create({ inherited: 1 }), false],
    [true, true],
    [-1, true],
    [1n, true],
    [' ', true],
    ['false', true],
    [[0], true],
    [[null], true],
    [{ a: null }, true],
  ])('%o alone is %s', (value, expected) => {
    expect(passes('ctx.a', { a: value })).toBe(expected);
    expect(passes('!ctx.a', { a: value })).toBe(!expected);
  });

  it('a missing field is null, however deep', () => {
    expect(passes('ctx.a.b.c == null', {})).toBe(true);
    expect(passes('ctx.a.b == null', { a: 5 })).toBe(true);
    expect(passes('ctx.a.b == null', { a: null })).toBe(true);
    expect(passes('ctx.a != 5', {})).toBe(true);
    expect(passes('ctx.a == false', {})).toBe(false);
    expect(passes('ctx.a == 0', {})).toBe(false);
    expect(passes('ctx.a == null', null)).toBe(true);
    expect(passes('ctx.a == null', 'text')).toBe(true);
  });
});

describe('MAC-5 equality and order', () => {
  it.each([
    ['ctx.a == 1', 1, true],
    ['ctx.a == 1', '1', false],
    ['ctx.a == 1', true, false],
    ['ctx.a == "1"', 1, false],
    ['ctx.a == "a\\"b"', 'a"b', true],
    ['ctx.a == true', true, true],
    ['ctx.a == true', 1, false],
    ['ctx.a == false', null, false],
    ['ctx.a == null', null, true],
    ['ctx.a == null', 0, false],
    ['ctx.a == ""', [], false],
    ['ctx.a != null', [], true],
    ['ctx.a == 0', -0, true],
    ['ctx.a == 0', Number.NaN, false],
    ['ctx.a > 1', 2, true],
    ['ctx.a > 1', 1, false],
    ['ctx.a >= 1', 1, true],
    ['ctx.a < 1', 1, false],
    ['ctx.a <= 1', 1, true],
    ['ctx.a > 1', '2', false],
    ['ctx.a < 1', null, false],
    ['ctx.a < 1', false, false],
    ['ctx.a < 1', [], false],
    ['ctx.a >= 0', Number.NaN, false],
  ])('%s of %o is %s', (text, a, expected) => {
    expect(passes(text, { a })).toBe(expected);
  });

  it('GEN-7 bigints and numbers compare by exact value', () => {
    const a = 9_007_199_254_740_993n;
    expect(passes('ctx.a == 9007199254740993', { a })).toBe(true);
    expect(passes('ctx.a == 9007199254740992', { a })).toBe(false);
    expect(passes('ctx.a > 9007199254740992', { a })).toBe(true);
    expect(passes('ctx.a < 9007199254740993', { a: 2 ** 53 })).toBe(true);
    expect(passes('ctx.a == 9007199254740992', { a: 2 ** 53 })).toBe(true);
    expect(passes('ctx.a == 9007199254740993', { a: 2 ** 53 })).toBe(false);
    expect(passes('ctx.a == 5 && ctx.a > 4.5 && ctx.a < 5.5', { a: 5n })).toBe(true);
    expect(passes('ctx.a == 5.5', { a: 5n })).toBe(false);
    expect(passes('ctx.a == 9007199254740993', { a: Number.NaN })).toBe(false);
  });
});

describe('MAC-5 length', () => {
  it.each([
    ['ctx.a.length == 3', 'abc', true],
    ['ctx.a.length == 2', [1, 2], true],
    ['ctx.a.length', [], false],
    ['ctx.a.length == null', {}, true],
    ['ctx.a.length == null', 5, true],
    ['ctx.a.length == 7', { length: 7 }, true],
    ['ctx.a.length == null', { length: null }, true],
    ['ctx.a.length == "x"', { length: 'x' }, true],
    ['ctx.a.length.length == 1', { length: 'x' }, true],
    ['ctx.a.0 == null', [1], true],
    ['ctx.a.0 == null', 'x', true],
  ])('%s of %o is %s', (text, a, expected) => {
    expect(passes(text, { a })).toBe(expected);
  });
});

describe('F-73 names every object inherits find own data only', () => {
  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'])(
    '%s',
    (name) => {
      expect(passes(`ctx.${name} == null`, {})).toBe(true);
      expect(passes(`ctx.${name}.${name} == null`, { a: 1 })).toBe(true);
      expect(passes(`ctx.a.${name} == null`, { a: [] })).toBe(true);
      expect(passes(`ctx.a.${name} == null`, { a: 'x' })).toBe(true);
      expect(passes(`ctx.${name}.x == 1`, JSON.parse(`{"${name}": {"x": 1}}`))).toBe(true);
    },
  );
});

describe('MAC-5 evaluation equals its description (property)', () => {
  it('for any guard and any context', () => {
    fc.assert(
      fc.property(trees, contexts, (tree, context) => {
        expect(passes(normalText(tree), context)).toBe(answer(tree, context));
      }),
      { numRuns: 3000 },
    );
  });

  it('an explanation agrees with it, and what it blames fails by itself', () => {
    fc.assert(
      fc.property(trees, contexts, (tree, context) => {
        const guard = parseGuard(normalText(tree));
        const explanation = explainGuard(guard, context);
        expect(explanation.passed).toBe(answer(tree, context));
        if (explanation.passed) return;
        expect(guard.text).toContain(explanation.failing);
        expect(passes(explanation.failing, context)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('why a guard failed', () => {
  const explain = (text: string, context: unknown): unknown =>
    explainGuard(parseGuard(text), context);

  it.each([
    ['ctx.total > 100', { total: 90 }, 'ctx.total > 100', 90],
    ['ctx.paid && ctx.total > 100', { paid: true, total: 90 }, 'ctx.total > 100', 90],
    ['ctx.paid && ctx.total > 100', { total: 90 }, 'ctx.paid', null],
    ['ctx.a && (ctx.b && !ctx.c)', { a: 1, b: 1, c: 'x' }, '!ctx.c', 'x'],
    ['ctx.a || ctx.b == 2', { b: 3 }, 'ctx.a || ctx.b == 2', { 'ctx.a': null, 'ctx.b': 3 }],
    ['ctx.a == 1 || ctx.a == 2', { a: 3 }, 'ctx.a == 1 || ctx.a == 2', 3],
    ['ctx.x && (ctx.a || ctx.b)', { x: 1 }, 'ctx.a || ctx.b', { 'ctx.a': null, 'ctx.b': null }],
    ['!(ctx.a && ctx.b)', { a: 1, b: 2 }, '!(ctx.a && ctx.b)', { 'ctx.a': 1, 'ctx.b': 2 }],
    ['ctx.__proto__', {}, 'ctx.__proto__', null],
    ['ctx.lines.length > 0', { lines: [] }, 'ctx.lines.length > 0', 0],
  ])('%s', (text, context, failing, value) => {
    expect(explain(text, context)).toStrictEqual({ passed: false, failing, value });
  });

  it('one that passed has nothing to explain', () => {
    expect(explain('ctx.a', { a: 1 })).toEqual({ passed: true });
  });
});
