/** CRC32C against published vectors, a bit-by-bit reference, and its native twin. */
import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Crc32c, crc32c, createCrc32c } from '../../../src/base/crc32c.ts';

const native = createRequire(import.meta.url)('@node-rs/crc32') as {
  crc32c(bytes: Uint8Array, seed: number): number;
};

/** The definition: one bit at a time. */
function reference(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

const variants: readonly (readonly [string, Crc32c])[] = [
  ['the default', crc32c],
  ['without the native package', createCrc32c({ native: false })],
  ['with it', createCrc32c({ native: true })],
];
/** Long enough to cross the native threshold, with room for odd starts. */
const slice = fc.uint8Array({ maxLength: 1200 }).chain((bytes) =>
  fc.record({
    bytes: fc.constant(bytes),
    cut: fc
      .tuple(fc.nat(bytes.length), fc.nat(bytes.length), fc.nat(bytes.length))
      .map((at) => at.sort((a, b) => a - b)),
    seed: fc.nat(0xffffffff),
  }),
);

describe.each(variants)('CRC32C, %s', (_name, crc) => {
  test.each([
    ['the check value', Buffer.from('123456789'), 0xe3069283],
    ['RFC 3720 B.4: 32 bytes of zeros', new Uint8Array(32), 0x8a9136aa],
    ['RFC 3720 B.4: 32 bytes of ones', new Uint8Array(32).fill(255), 0x62a8ab43],
    ['RFC 3720 B.4: 0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['RFC 3720 B.4: 31 to 0', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ['nothing', new Uint8Array(0), 0],
  ])('%s', (_vector, bytes, expected) => {
    expect(crc(bytes, 0, bytes.length)).toBe(expected);
  });

  test('equals the definition for any range and seed', () => {
    fc.assert(
      fc.property(slice, ({ bytes, cut, seed }) => {
        const [start, , end] = cut;
        expect(crc(bytes, start, end, seed)).toBe(reference(bytes.subarray(start, end), seed));
      }),
      { numRuns: 300 },
    );
  });

  test('continues from the checksum of what came before', () => {
    fc.assert(
      fc.property(slice, ({ bytes, cut, seed }) => {
        const [start, middle, end] = cut;
        const first = crc(bytes, start, middle, seed);
        expect(crc(bytes, middle, end, first)).toBe(crc(bytes, start, end, seed));
      }),
    );
  });

  test('every length up to 600 and views into larger buffers agree with the native package', () => {
    const bytes = Uint8Array.from({ length: 700 }, (_, i) => (i * i * 31) >>> 3);
    const view = bytes.subarray(13);
    for (let length = 0; length <= 600; length++) {
      const expected = native.crc32c(bytes.slice(20, 20 + length), length);
      expect(crc(view, 7, 7 + length, length)).toBe(expected);
    }
  });

  test('all of a buffer, of a view into one, and of a part of it give the same', () => {
    for (const length of [0, 1, 15, 16, 255, 256, 257, 5000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 13) & 255);
      const expected = reference(bytes, 9);
      const room = new Uint8Array(length + 20);
      room.fill(7);
      room.set(bytes, 11);
      expect(crc(bytes, 0, length, 9)).toBe(expected);
      expect(crc(room.subarray(11, 11 + length), 0, length, 9)).toBe(expected);
      expect(crc(room, 11, 11 + length, 9)).toBe(expected);
      expect(crc(room.subarray(11), 0, length, 9)).toBe(expected);
    }
  });

  test('a range outside the bytes is refused at any length', () => {
    const bytes = new Uint8Array(500);
    for (const [start, end] of [
      [0, 501],
      [490, 501],
      [-1, 10],
      [-1, 400],
      [10, 9],
      [0, Number.NaN],
    ] as const) {
      expect(() => crc(bytes, start, end)).toThrow(RangeError);
    }
  });
});
