import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromJson, toJson } from '../../../src/value/json.ts';

const TWO_53 = 2 ** 53;

/** Stored values, bigints outside what a number holds. */
const stored = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.constantFrom(TWO_53, -TWO_53, 2 ** 60, 1e20, 1e21, 1e300, 0.1),
    fc.bigInt({ min: BigInt(TWO_53) + 1n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: -BigInt(TWO_53) - 1n }),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), tie('value'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
})).value;

describe('JSON text of stored values', () => {
  it('GEN-7 CLI-3 every value comes back as it was, on one line and indented', () => {
    fc.assert(
      fc.property(stored, fc.constantFrom(0, 2), (value, indent) => {
        expect(fromJson(toJson(value, indent))).toStrictEqual(value);
      }),
    );
  });

  it('GEN-7 bigints are written as digits, and read as bigint beyond 2^53', () => {
    expect(toJson({ a: 5n, b: 9007199254740993n, c: -(2n ** 63n) })).toBe(
      '{"a":5,"b":9007199254740993,"c":-9223372036854775808}',
    );
    expect(fromJson('[9007199254740991, 9007199254740992, -18446744073709551616]')).toEqual([
      9007199254740991,
      9007199254740992n,
      -18446744073709551616n,
    ]);
  });

  it('a number beyond 2^53 stays a number', () => {
    expect(toJson([TWO_53, 1e21, -0])).toBe('[9007199254740992.0,1e+21,-0]');
    expect(fromJson('1234567890123456789.5')).toBe(Number('1234567890123456789.5'));
    expect(fromJson('12345678901234567890e0')).toBe(Number('12345678901234567890'));
  });

  it('without bigints it is the text JSON.stringify gives', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        const ours = toJson(value, indent).replaceAll('-0,', '0,');
        if (!/\d{16}|-0/.test(ours)) expect(ours).toBe(JSON.stringify(value, undefined, indent));
      }),
    );
    expect(toJson({ a: undefined, b: [] }, 2)).toBe('{\n  "b": []\n}');
    expect(toJson(undefined)).toBe('null');
  });

  it('a text JSON.parse takes is read alike, one it refuses is BAD_REQUEST with its position', () => {
    const samples = [
      '',
      '{',
      '[1,]',
      '{"a"}',
      '01',
      '1.',
      '+1',
      '"\u0001"',
      '"\\x"',
      'nul',
      '1 2',
      '{,}',
      '[1 2]',
    ];
    for (const sample of samples) {
      // Long digits take the other way through the parser.
      for (const text of [sample, `[1234567890123456789, ${sample}]`]) {
        let isValid = true;
        try {
          JSON.parse(text);
        } catch {
          isValid = false;
        }
        expect([text, isValid]).toEqual([text, false]);
        expect(() => fromJson(text)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
      }
    }
    expect(() => fromJson('[1e400]')).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    expect(() => fromJson('[1, 9007199254740993 x]')).toThrow(/position 21/);
    fc.assert(
      fc.property(fc.json(), (text) => {
        if (!/\d{16}/.test(text)) expect(fromJson(text)).toStrictEqual(JSON.parse(text));
        expect(fromJson(`[9007199254740993,${text}]`)).toHaveProperty('length', 2);
      }),
    );
  });

  it('F-72 F-73 depth ends, and names of prototypes are data', () => {
    const deep = (levels: number): string =>
      `${'['.repeat(levels)}9007199254740993${']'.repeat(levels)}`;
    expect(() => fromJson(deep(100))).not.toThrow();
    expect(() => fromJson(deep(101))).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => toJson(cycle)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
    const read = fromJson('{"__proto__": {"x": 9007199254740993}}') as object;
    expect(Object.keys(read)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(toJson(read)).toBe('{"__proto__":{"x":9007199254740993}}');
  });

  it('long text is read without recursion', () => {
    const long = `${'x'.repeat(8_000_000)}\\"`;
    expect(fromJson(toJson([long, 9007199254740993n]))).toEqual([long, 9007199254740993n]);
  });

  it('what is no data has no text', () => {
    for (const value of [Number.NaN, Infinity, () => 1, Symbol('s')])
      expect(() => toJson([value])).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});
