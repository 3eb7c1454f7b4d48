/**
 * HalfSipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"; the 32-bit variant
 * Linux uses for its hash tables): a keyed hash of short byte ranges. Whoever chooses the bytes
 * but not the key cannot choose what collides. For tables in memory only: nothing persisted may
 * depend on it, since every open draws another key.
 */
import { invariant } from './assert.ts';

/** 64 secret bits as two signed 32-bit halves, which V8 keeps unboxed. */
export interface HashKey {
  readonly k0: number;
  readonly k1: number;
}

const HASH_KEY_BYTES = 8;

/** Reads the key from 8 little-endian bytes. */
export function hashKeyFrom(bytes: Uint8Array): HashKey {
  invariant(bytes.length === HASH_KEY_BYTES, 'a hash key has 8 bytes');
  const view = new DataView(bytes.buffer, bytes.byteOffset, HASH_KEY_BYTES);
  return { k0: view.getInt32(0, true), k1: view.getInt32(4, true) };
}

/**
 * The hash of `bytes[start, end)` as a signed 32-bit integer: signed, because an unsigned one above
 * 2^31 would be boxed on each return.
 */
export function hashBytes(key: HashKey, bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const lastWord = length >>> 2;
  let v0 = key.k0;
  let v1 = key.k1;
  let v2 = 0x6c796765 ^ v0;
  let v3 = 0x74656462 ^ v1;
  let at = start;
  // One round per word, one for the tail with the length, three of finalization: one loop, so that
  // the round is written once. The branches on i predict well.
  for (let i = 0; i <= lastWord + 3; i++) {
    let word = 0;
    if (i < lastWord) {
      word =
        (bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24);
      at += 4;
    } else if (i === lastWord) {
      word = length << 24;
      for (let shift = 0; at < end; shift += 8) word |= (bytes[at++] as number) << shift;
    }
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
    if (i === lastWord) v2 ^= 0xff;
  }
  return v1 ^ v3;
}
