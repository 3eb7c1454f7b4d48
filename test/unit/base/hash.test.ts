import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashBytes, hashKeyFrom } from '../../../src/base/hash.ts';

/** HalfSipHash-c-d as the paper draws it: words in a row, rounds on a state of four, in BigInt. */
function referenceHash(key: Uint8Array, text: Uint8Array, c: number, d: number): number {
  const MASK = 0xffffffffn;
  const word = (bytes: Uint8Array, at: number): bigint =>
    BigInt(new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true));
  const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (32n - by))) & MASK;
  const k0 = word(key, 0);
  const k1 = word(key, 4);
  const v: [bigint, bigint, bigint, bigint] = [k0, k1, 0x6c796765n ^ k0, 0x74656462n ^ k1];
  const round = (): void => {
    v[0] = (v[0] + v[1]) & MASK;
    v[1] = rotate(v[1], 5n) ^ v[0];
    v[0] = rotate(v[0], 16n);
    v[2] = (v[2] + v[3]) & MASK;
    v[3] = rotate(v[3], 8n) ^ v[2];
    v[0] = (v[0] + v[3]) & MASK;
    v[3] = rotate(v[3], 7n) ^ v[0];
    v[2] = (v[2] + v[1]) & MASK;
    v[1] = rotate(v[1], 13n) ^ v[2];
    v[2] = rotate(v[2], 16n);
  };
  const padded = new Uint8Array((text.length >> 2) * 4 + 4);
  padded.set(text);
  padded[padded.length - 1] = text.length & 255;
  for (let at = 0; at < padded.length; at += 4) {
    v[3] ^= word(padded, at);
    for (let i = 0; i < c; i++) round();
    v[0] ^= word(padded, at);
  }
  v[2] ^= 0xffn;
  for (let i = 0; i < d; i++) round();
  return Number(v[1] ^ v[3]);
}

const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i);

test('F-74 the hash is HalfSipHash-1-3: the published vectors for the key 00..07', () => {
  const published: readonly (readonly [number, number])[] = [
    [0, 0x5814c896],
    [1, 0xe7e864ca],
    [2, 0xbc4b0e30],
    [3, 0x01539939],
    [4, 0x7e059ea6],
    [15, 0xd0257b04],
    [16, 0x8b31d501],
    [63, 0x87178304],
  ];
  for (const [length, expected] of published) {
    expect(hashBytes(hashKeyFrom(counting(8)), counting(64), 0, length) >>> 0).toBe(expected);
    expect(referenceHash(counting(8), counting(length), 1, 3)).toBe(expected);
  }
});

test('F-74 any range of any bytes hashes as in the reference, under any key', () => {
  const key = fc.uint8Array({ minLength: 8, maxLength: 8 });
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(key, bytes, fc.nat(7), (keyBytes, text, shift) => {
      const moved = new Uint8Array(shift + text.length + 3).fill(0xa5);
      moved.set(text, shift);
      const hash = hashBytes(hashKeyFrom(keyBytes), moved, shift, shift + text.length);
      expect(hash >>> 0).toBe(referenceHash(keyBytes, text, 1, 3));
      expect(hash).toBe(hash | 0);
    }),
  );
});

test('a key has 8 bytes, wherever they lie', () => {
  const bytes = counting(20);
  expect(hashKeyFrom(bytes.subarray(5, 13))).toEqual({ k0: 0x08070605, k1: 0x0c0b0a09 });
  expect(() => hashKeyFrom(counting(7))).toThrow('8 bytes');
});
