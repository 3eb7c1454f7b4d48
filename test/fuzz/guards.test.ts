/**
 * Guards under fuzz: any text is a guard or refused with its place; a guard answers for any context,
 * soon, reads as its normal form, and means the same in it.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { StoreError } from '../../src/base/errors.ts';
import {
  evaluateGuard,
  explainGuard,
  guardText,
  parseGuard,
  type Guard,
} from '../../src/machine/index.ts';
import { contexts, normalText, trees } from '../unit/machine/guard-model.ts';
import { FUZZ_TIMEOUT_MS, allowed, checkFuzzed, runsOf } from './fuzz.ts';
import { withWords } from './mutate.ts';

/** Bytes to text: UTF-8, and the two bytes it never has as halves of a surrogate pair. */
function textOf(bytes: Uint8Array): string {
  let text = '';
  let from = 0;
  for (let i = 0; i <= bytes.length; i++) {
    const byte = bytes[i];
    if (byte !== undefined && byte < 0xfe) continue;
    text += Buffer.from(bytes.subarray(from, i)).toString('utf8');
    if (byte !== undefined) text += byte === 0xfe ? '\ud83d' : '\ude00';
    from = i + 1;
  }
  return text;
}

const deep = (levels: number): unknown => {
  let value: unknown = { length: 1 };
  for (let i = 0; i < levels; i++) value = { a: value };
  return value;
};
const wide = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`k${i}`, i]));
const CONTEXTS: readonly unknown[] = [
  ...fc.sample(contexts, { numRuns: 20, seed: 3 }),
  JSON.parse('{"__proto__":{"a":1},"constructor":1,"length":[]}'),
  Object.create(null),
  { a: Number.NaN, b: Number.POSITIVE_INFINITY, größe: 2n ** 64n },
  deep(3000),
  wide,
  [],
  'text',
  7,
  null,
  undefined,
  true,
  1n,
];
const MAX_MS = 10;

/** F-75: ten milliseconds for each; what takes longer is looked at again, machines pause. */
function checkSoon(guard: Guard, context: unknown): boolean {
  for (let attempt = 1; ; attempt++) {
    const startedAt = performance.now();
    const answer = evaluateGuard(guard, context);
    if (performance.now() - startedAt <= MAX_MS) return answer;
    assert(attempt < 5, `${guard.text.slice(0, 100)} takes more than ${MAX_MS} ms`);
  }
}

function checkGuard(text: string): string {
  let guard: Guard;
  try {
    guard = parseGuard(text);
  } catch (error) {
    const words = allowed(error, ['BAD_REQUEST']);
    const { path, position, line, column, reason } = (error as StoreError).details as Record<
      string,
      unknown
    >;
    assert.equal(path, 'guard');
    assert(typeof reason === 'string' && reason.length <= 400, words);
    assert(typeof position === 'number' && position >= 0 && position <= text.length, words);
    const before = text.slice(0, position).split('\n');
    assert.deepEqual([line, column], [before.length, (before.at(-1) as string).length + 1]);
    return words;
  }
  assert(guard.text.length <= 4096 && Object.isFrozen(guard) && Object.isFrozen(guard.expression));
  const again = parseGuard(guard.text);
  assert.equal(again.text, guard.text);
  assert.equal(guardText(guard.expression), guard.text);
  assert.deepEqual(again.expression, guard.expression);
  for (const context of CONTEXTS) {
    const answer = checkSoon(guard, context);
    assert.equal(typeof answer, 'boolean');
    assert.equal(evaluateGuard(again, context), answer);
    const explained = explainGuard(guard, context);
    assert.equal(explained.passed, answer);
    if (!explained.passed) {
      assert.equal(evaluateGuard(parseGuard(explained.failing), context), false);
      assert(explained.failing.length <= guard.text.length);
    }
  }
  return `guard ${guard.expression.kind}`;
}

const WORDS = [
  'ctx.',
  'ctx.a',
  'ctx.length',
  '.__proto__',
  '.constructor',
  ' && ',
  ' || ',
  '!',
  '(',
  ')',
  ' == ',
  ' != ',
  ' > ',
  ' >= ',
  '<',
  '<=',
  '"',
  '"\\u0041"',
  '"\\ud800"',
  '\\',
  'true',
  'false',
  'null',
  '0',
  '-1',
  '1e308',
  '1e309',
  '9007199254740993',
  '0.1',
  '.',
  '\n',
  'größe',
  '=',
  '&',
  'and',
  '\ufeff',
];
const TEXTS = [
  'ctx.total > 100 && !(ctx.a || ctx.b) || ctx.name == "x\\u0041\\n"',
  '!!!!(ctx.a)',
  'ctx.lines.length >= 9007199254740993',
  'ctx.__proto__.a == null',
  'ctx.a != -0.5e-3',
  `${'('.repeat(100)}ctx.a${')'.repeat(100)}`,
  `${'!'.repeat(99)}ctx.a`,
  '('.repeat(3000),
  '!'.repeat(4096),
  Array.from({ length: 300 }, (_, i) => `ctx.k${i}`).join(' && '),
  Array.from({ length: 200 }, (_, i) => `(ctx.a || ctx.k${i} == ${i})`).join('&&'),
  `ctx${'.a'.repeat(2000)} == "${'x'.repeat(50)}"`,
  `ctx.a == "${'\\u0041'.repeat(600)}"`,
  `ctx.a == ${'9'.repeat(3000)}`,
];

test(
  'TST-4 F-72 F-73 F-75 any text is a guard that answers for any context, or is refused with its place',
  async () => {
    const seeds = TEXTS.map((text) => new Uint8Array(Buffer.from(text)));
    const run = (input: Uint8Array): string => checkGuard(textOf(input));
    await checkFuzzed({
      name: 'guard',
      runs: 800,
      seeds,
      run,
      mutate: withWords(WORDS),
      maxBytes: 5000,
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  'TST-4 F-75 guards as they are meant to be pass the same checks',
  () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const text = normalText(tree);
        if (text.length <= 4096) checkGuard(text);
      }),
      { numRuns: runsOf(100), seed: 1 },
    );
  },
  FUZZ_TIMEOUT_MS,
);
