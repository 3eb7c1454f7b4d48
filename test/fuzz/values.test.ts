/**
 * Values under fuzz: MessagePack nobody vouches for, packed contexts, merges of both, and JSON. What
 * is read is the same when it is written and read again; a merge is what plain JavaScript makes of it.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { ByteWriter } from '../../src/base/bytes.ts';
import { fromJson, toJson } from '../../src/value/json.ts';
import { fingerprint } from '../../src/value/fingerprint.ts';
import { mergeInPlace, mergePacked } from '../../src/value/merge.ts';
import { packValue, unpackToMessagePack } from '../../src/value/pack.ts';
import { readPacked, readPackedPath } from '../../src/value/read-packed.ts';
import { readValue, skipValue } from '../../src/value/read-value.ts';
import { ShapeTable } from '../../src/value/shape-table.ts';
import { skipPacked } from '../../src/value/skip.ts';
import { ORDER, encode, merged, objectOf, objects, pack, values } from '../unit/value/values.ts';
import { FUZZ_TIMEOUT_MS, Tape, allowed, checkFuzzed, isPlainRangeError, wordsOf } from './fuzz.ts';
import { one, withWords } from './mutate.ts';

const sampled = fc.sample(values, { numRuns: 60, seed: 1 });
const contexts: Record<string, unknown>[] = [
  ORDER,
  {},
  { a: 1, b: 2, c: 'xyz' },
  objectOf([
    ['__proto__', { polluted: 1 }],
    ['constructor', 1],
    ['toString', []],
  ]),
  Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`k${i}`, i])),
  ...fc.sample(objects, { numRuns: 30, seed: 2 }),
];
const encoded = [...sampled, ...contexts].map((value) => new Uint8Array(encode(value)));
const nests = ['91', '81a161', 'dc00ff', 'dd00989680', 'df00989680', 'dbffffffff'].map(
  (hex) => new Uint8Array(Buffer.from(hex.repeat(110), 'hex')),
);

/** The value, or the words of the RangeError. Anything else is thrown. */
function readOr(bytes: Uint8Array): { value: unknown } | string {
  try {
    return { value: readValue(bytes, 0, bytes.length) };
  } catch (error) {
    return allowed(error, [], true);
  }
}

test(
  'TST-4 F-71 F-72 F-73 any bytes give a value that is the same when written and read again, or a RangeError',
  async () => {
    const lanes = new Uint32Array(2);
    const run = (input: Uint8Array): string => {
      const read = readOr(input);
      let end = -1;
      try {
        end = skipValue(input, 0);
        assert(end > 0 && end <= input.length, `skipped to ${end}`);
      } catch (error) {
        if (!(error instanceof assert.AssertionError)) allowed(error, [], true);
        else throw error;
      }
      try {
        fingerprint(input, 0, input.length, lanes);
      } catch (error) {
        assert(isPlainRangeError(error), wordsOf(error));
        assert.equal(typeof read, 'string', 'what can be read has a fingerprint');
      }
      if (typeof read === 'string') return read;
      assert.equal(end, input.length);
      const again = encode(read.value);
      assert(again.length <= 3 * input.length + 16);
      assert.deepEqual(readValue(again, 0, again.length), read.value);
      assert.deepEqual(
        fromJson(toJson(read.value)),
        fromJson(toJson(fromJson(toJson(read.value)))),
      );
      const shapes = new ShapeTable();
      const out = new ByteWriter(16);
      packValue(shapes, input, 0, input.length, out);
      assert.deepEqual(readPacked(shapes, out.bytes, 0, out.position), read.value);
      const back = new ByteWriter(16);
      unpackToMessagePack(shapes, out.bytes, 0, out.position, back);
      assert.deepEqual(readValue(back.bytes, 0, back.position), read.value);
      return `value ${typeof read.value}`;
    };
    await checkFuzzed({ name: 'value', runs: 1500, seeds: [...encoded, ...nests], run });
  },
  FUZZ_TIMEOUT_MS,
);

/** A context as memory holds it, and one JavaScript makes. */
function mergedBytes(shapes: ShapeTable, context: Uint8Array, payload: Uint8Array): Uint8Array {
  const before = context.slice();
  let isDone: boolean;
  try {
    isDone = mergeInPlace(shapes, context, 0, context.length, payload, 0, payload.length);
  } catch (error) {
    assert.deepEqual(context, before, 'what is refused changed nothing');
    throw error;
  }
  if (isDone) return context;
  assert.deepEqual(context, before, 'what is left to the long way changed nothing');
  const out = new ByteWriter(16);
  mergePacked(shapes, context, 0, context.length, payload, 0, payload.length, out);
  return new Uint8Array(out.bytes.subarray(0, out.position));
}

test(
  'TST-4 F-71 F-73 a payload of any bytes is merged as JavaScript would, or refused with a RangeError',
  async () => {
    const run = (input: Uint8Array): string => {
      const context = contexts[(input[0] ?? 0) % contexts.length] as Record<string, unknown>;
      const payload = input.subarray(1);
      const shapes = new ShapeTable();
      const packed = new Uint8Array(pack(shapes, context));
      const read = readOr(payload);
      let bytes: Uint8Array;
      try {
        bytes = mergedBytes(shapes, packed, payload);
      } catch (error) {
        assert.equal(typeof read, 'string', 'what can be read is merged');
        return allowed(error, [], true);
      }
      // Whatever came in, what is there now can be read, and lies within bounds.
      const found = readPacked(shapes, bytes, 0, bytes.length) as Record<string, unknown>;
      assert.equal(skipPacked(shapes, bytes, 0), bytes.length);
      if (typeof read === 'string') return 'merged what a strict reader refuses';
      const isMap =
        typeof read.value === 'object' && read.value !== null && !Array.isArray(read.value);
      const expected = isMap ? merged(context, read.value as Record<string, unknown>) : context;
      assert.deepEqual(found, expected);
      const [name] = Object.keys(expected);
      if (name !== undefined)
        assert.deepEqual(readPackedPath(shapes, bytes, 0, [name]), expected[name]);
      return isMap ? 'merged' : 'left';
    };
    const seeds = encoded.flatMap((bytes, i) => [
      Uint8Array.of(i, ...bytes),
      Uint8Array.of(2, ...bytes),
    ]);
    const own = [0, 1, 2, 3, 4].flatMap((i) =>
      [{ a: 5 }, { total: 1.5, attempts: 7 }, { c: 'abc', b: 3 }, { k3: 0, new: 1 }].map(
        (payload) => Uint8Array.of(i, ...encode(payload)),
      ),
    );
    await checkFuzzed({
      name: 'merge',
      runs: 1500,
      seeds: [...seeds, ...own],
      run,
      maxBytes: 2048,
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  'TST-4 F-71 broken packed bytes end in a RangeError, in the bounds of the bytes',
  async () => {
    const shapes = new ShapeTable();
    const seeds = contexts.map((context) => new Uint8Array(pack(shapes, context)));
    const run = (input: Uint8Array): string => {
      const outcomes: string[] = [];
      const attempts: readonly (() => unknown)[] = [
        () => readPacked(shapes, input, 0, input.length),
        () => readPackedPath(shapes, input, 0, ['total']),
        () => assert(skipPacked(shapes, input, 0) <= input.length),
      ];
      for (const attempt of attempts) {
        try {
          attempt();
          outcomes.push('read');
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          outcomes.push(allowed(error, [], true).slice(0, 40));
        }
      }
      return outcomes[0] as string;
    };
    // Nested no deeper than memory ever holds.
    await checkFuzzed({ name: 'packed', runs: 2000, seeds, run, maxBytes: 1024 });
  },
  FUZZ_TIMEOUT_MS,
);

/** What the engine's own parser makes of it; `undefined` for a refusal. */
function byEngine(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** Lists and objects inside each other. */
function levelsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(levelsOf));
}

/** A number where both could be meant; integers keep their digits here, and lose them there. */
function rounded(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return objectOf(Object.entries(value).map(([key, member]) => [key, rounded(member)]));
}

test(
  'TST-4 F-71 F-72 F-73 F-75 JSON text is read as the engine reads it but for digits, or refused with its position',
  async () => {
    const long = '1234567890123456789';
    const run = (input: Uint8Array): string => {
      const text = Buffer.from(input).toString('utf8');
      // With a long number in it, text takes the reader of our own; both must agree.
      const own = `[${text}\n,${long}]`;
      const theirs = byEngine(text);
      let value: unknown;
      try {
        value = fromJson(text);
      } catch (error) {
        const words = allowed(error, ['BAD_REQUEST']);
        const position = Number(/at position (\d+)/.exec((error as Error).message)?.[1] ?? -1);
        assert(position >= 0 && position <= text.length, words);
        if (theirs !== undefined) assert(/nested deeper|too large/.test(words), words);
        return words;
      }
      assert(theirs !== undefined, 'nothing is accepted that is no JSON');
      assert.deepEqual(rounded(value), theirs.value);
      assert(levelsOf(value) <= 100);
      assert.deepEqual(fromJson(toJson(value)), value);
      try {
        assert.deepEqual(fromJson(own), [value, BigInt(long)]);
      } catch (error) {
        // The list around it is one level more.
        assert(/nested deeper/.test(wordsOf(error)), wordsOf(error));
        assert.equal(levelsOf(value), 100);
      }
      return `value ${typeof value}`;
    };
    const texts = [
      toJson(ORDER),
      toJson({
        big: 9007199254740993n,
        list: [1.5, -0, 1e21, 'é\u2028"\\', null, true],
        __proto__: null,
      }),
      '{"__proto__":{"a":1},"constructor":[[]],"":""}',
      ' [ 1 , 12345678901234567890 , 1e400 ] ',
      '-0',
      '0.5e-7',
      '"\\ud83d\\ude00\\u0000"',
      '['.repeat(100) + ']'.repeat(100),
      '['.repeat(101) + ']'.repeat(101),
      '['.repeat(120),
      `"${'\\'.repeat(60)}"`,
    ];
    const words = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '\\u0000',
      '\\ud800',
      '1e999',
      long,
      '-',
      'true',
      'null',
      '"__proto__":',
      '[[[[[[[[[[',
    ];
    const seeds = texts.map((text) => new Uint8Array(Buffer.from(text)));
    await checkFuzzed({
      name: 'json',
      runs: 1500,
      seeds,
      run,
      mutate: withWords(words),
      maxBytes: 2048,
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  'TST-4 F-71 F-105 much of the worst a value can be takes less than a second, and memory by their length',
  async () => {
    const LENGTH = 250_000;
    const fill = (hex: string): Uint8Array =>
      new Uint8Array(Buffer.alloc(LENGTH, Buffer.from(hex, 'hex')));
    const unit = [
      '91',
      '81a0',
      'dc7fff',
      'dd0003d090',
      'df0001e848',
      'a161',
      '80',
      '90',
      'c0',
      'cf',
      'd9ff',
      'db0003d08b',
      'ff',
      'cb',
      'c1',
    ];
    const run = (input: Uint8Array): string => {
      const tape = new Tape(input);
      const bytes = fill(one(tape.choose, unit));
      if (tape.choose(2) === 1) bytes.set([0xdd, 0, 3, 0xd0, 0x8b]);
      const read = readOr(bytes);
      const out = new ByteWriter(16);
      try {
        packValue(new ShapeTable(), bytes, 0, bytes.length, out);
      } catch (error) {
        allowed(error, [], true);
      }
      assert(out.position <= 2 * bytes.length);
      const text = Buffer.from(bytes.subarray(0, 300_000)).toString('latin1');
      try {
        fromJson(`[${text}`);
      } catch (error) {
        allowed(error, ['BAD_REQUEST']);
      }
      return typeof read === 'string' ? read : 'value';
    };
    const seeds = unit.flatMap((_, i) => [Uint8Array.of(i, 0), Uint8Array.of(i, 1)]);
    await checkFuzzed({ name: 'large values', runs: 0, seeds, run, spareBytes: 200 * 1_048_576 });
  },
  FUZZ_TIMEOUT_MS,
);
