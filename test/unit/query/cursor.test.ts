import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CursorPosition, decodeCursor, encodeCursor } from '../../../src/query/cursor.ts';
import { refusalOf } from './refusals.ts';
import { scalars } from './values.ts';

const IDENTITY = '0123456789abcdef';
const positions: fc.Arbitrary<CursorPosition> = fc.record({
  firstOffset: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  direction: fc.constantFrom('asc', 'desc'),
  value: fc.oneof(scalars, fc.constant(undefined)),
  id: fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
});
const EXAMPLES: readonly CursorPosition[] = [
  { firstOffset: 1, direction: 'asc', value: undefined, id: 'o-1' },
  { firstOffset: 12, direction: 'desc', value: 'ada', id: 'o-12' },
  { firstOffset: 2 ** 53 - 1, direction: 'asc', value: 2n ** 64n - 1n, id: '😀' },
  { firstOffset: 0, direction: 'desc', value: null, id: '"\\' },
];

describe('IDX-2 cursors', () => {
  it('come back as they were (property)', () => {
    fc.assert(
      fc.property(positions, (position) => {
        const cursor = encodeCursor(IDENTITY, position);
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        const back = decodeCursor(cursor, IDENTITY);
        // JSON has no -0, and the order knows no difference.
        const value = Object.is(position.value, -0) ? 0 : position.value;
        expect(back).toStrictEqual({ ...position, value });
      }),
      { numRuns: 1000 },
    );
  });

  it('of another query or store are told so', () => {
    const cursor = encodeCursor(IDENTITY, EXAMPLES[0]!);
    const refusal = refusalOf(() => decodeCursor(cursor, 'fedcba9876543210'));
    expect(refusal).toMatchObject({ path: 'cursor' });
    expect(refusal.message).toContain('another query or store');
  });

  it('with any character changed, dropped or added are refused', () => {
    const characters =
      'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ .\u0000é';
    for (const example of EXAMPLES) {
      const cursor = encodeCursor(IDENTITY, example);
      for (let i = 0; i <= cursor.length; i++) {
        const [before, after] = [cursor.slice(0, i), cursor.slice(i + 1)];
        const changed = characters.split('').map((one) => before + one + after);
        changed.push(before + after, before, `${before}A${cursor.slice(i)}`);
        for (const text of changed) {
          if (text === cursor) continue;
          expect(refusalOf(() => decodeCursor(text, IDENTITY)).path).toBe('cursor');
        }
      }
    }
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['an object', {}],
    ['empty', ''],
    ['short', 'AAAA'],
    ['zeros', 'AAAAAAAA'],
    ['an id', 'order-1'],
    ['one of the version before', Buffer.from('1.abc.order-1').toString('base64url')],
    ['long', 'A'.repeat(100_000)],
  ])('%s is refused', (_, cursor) => {
    expect(refusalOf(() => decodeCursor(cursor, IDENTITY))).toMatchObject({ path: 'cursor' });
  });

  it('any text is refused (property)', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        expect(refusalOf(() => decodeCursor(text, IDENTITY)).path).toBe('cursor');
      }),
    );
  });
});
