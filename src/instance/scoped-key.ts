/**
 * What an idempotency key is filed under: operation, target and key in one, so that the same text
 * may serve for two instances. Once as text, for look-ups, and once as bytes, for the fold.
 */
import { createHash } from 'node:crypto';
import type { ByteWriter } from '../base/bytes.ts';

/** What a key was used for; part of the scope. */
export const KEY_SCOPE = {
  create: 'c',
  apply: 'a',
  delete: 'd',
  transaction: 't',
  batch: 'b',
  vectors: 'v',
} as const;
export type KeyScope = (typeof KEY_SCOPE)[keyof typeof KEY_SCOPE];

/** Scoped keys above this many bytes are filed by digest, so that they fit the id table. */
const PLAIN_KEY_BYTES = 1000;

/** The text a key is filed under. The length in front keeps 'a' + 'bc' and 'ab' + 'c' apart. */
export function scopedKey(scope: KeyScope, target: string, key: string): string {
  const text = `${scope}${Buffer.byteLength(target)}:${target}${key}`;
  const isPlain = text.length * 3 <= PLAIN_KEY_BYTES || Buffer.byteLength(text) <= PLAIN_KEY_BYTES;
  return isPlain ? text : digestOf(Buffer.from(text));
}

/** The same as UTF-8, of parts given as UTF-8. */
export function scopeKeyBytes(
  out: ByteWriter,
  scope: KeyScope,
  target: Uint8Array,
  targetStart: number,
  targetEnd: number,
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
): void {
  const start = out.position;
  out.u8(scope.charCodeAt(0));
  const length = targetEnd - targetStart;
  let scale = 1;
  while (length >= scale * 10) scale *= 10;
  for (; scale >= 1; scale = Math.floor(scale / 10))
    out.u8(ZERO + (Math.floor(length / scale) % 10));
  out.u8(COLON);
  out.raw(target, targetStart, targetEnd);
  out.raw(key, keyStart, keyEnd);
  if (out.position - start <= PLAIN_KEY_BYTES) return;
  const digest = Buffer.from(digestOf(out.bytes.subarray(start, out.position)));
  out.position = start;
  out.raw(digest);
}

const ZERO = 0x30;
const COLON = 0x3a;

function digestOf(bytes: Uint8Array): string {
  return `#${createHash('sha256').update(bytes).digest('base64')}`;
}
