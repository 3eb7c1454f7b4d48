/**
 * Cursors: where a page ended, as opaque text. JSON behind its CRC32C, in base64url; version
 * first. Bound to the identity of its query and store, which the engine makes; the checksum is
 * against accidents, not against forgery: a forged cursor shows nothing its query would not.
 */
import { crc32c } from '../base/crc32c.ts';
import { badRequest } from '../base/errors.ts';
import type { Scalar } from './order.ts';

const VERSION = 1;
const CHECKSUM_BYTES = 4;
/** Codes made to text at once: far below what a call may have of arguments. */
const MAX_CODES = 1024;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const utf8 = new TextEncoder();

/** The end of a page. */
export interface CursorPosition {
  /** Last offset when the first page was made. */
  readonly firstOffset: number;
  readonly direction: 'asc' | 'desc';
  /** Sort value of the last instance, undefined when that was no scalar. */
  readonly value: Scalar | undefined;
  readonly id: string;
}

/** @param identity short text that names the query and the store. */
export function encodeCursor(identity: string, position: CursorPosition): string {
  const { firstOffset, direction, value, id } = position;
  const fields = [VERSION, identity, firstOffset, direction, ...valueFields(value), id];
  const text = utf8.encode(JSON.stringify(fields));
  const bytes = new Uint8Array(CHECKSUM_BYTES + text.length);
  new DataView(bytes.buffer).setUint32(0, crc32c(text, 0, text.length), true);
  bytes.set(text, CHECKSUM_BYTES);
  return toBase64Url(bytes);
}

/**
 * The end of the page before.
 *
 * @throws {StoreError} BAD_REQUEST - no cursor at all, changed, or of another query or store.
 */
export function decodeCursor(cursor: unknown, identity: string): CursorPosition {
  const fields = typeof cursor === 'string' ? fieldsOf(cursor) : undefined;
  if (fields === undefined) throw malformed();
  const [version, owner, firstOffset, direction, kind, value, id] = fields;
  if (version !== VERSION || fields.length !== 7) throw malformed();
  if (owner !== identity) {
    throw badRequest('the cursor belongs to another query or store', 'cursor');
  }
  if (
    !Number.isSafeInteger(firstOffset) ||
    (direction !== 'asc' && direction !== 'desc') ||
    typeof id !== 'string'
  ) {
    throw malformed();
  }
  return { firstOffset: firstOffset as number, direction, value: valueOf(kind, value), id };
}

function malformed(): Error {
  return badRequest('the cursor is not one this store gave', 'cursor', 'the cursor of a page');
}

function valueFields(value: Scalar | undefined): readonly [string, Scalar] {
  if (value === undefined) return ['none', null];
  return typeof value === 'bigint' ? ['bigint', value.toString()] : ['scalar', value];
}

function valueOf(kind: unknown, value: unknown): Scalar | undefined {
  if (kind === 'none') return undefined;
  if (kind === 'scalar' && (value === null || typeof value !== 'object')) return value as Scalar;
  if (kind === 'bigint' && typeof value === 'string' && /^-?\d{1,20}$/.test(value)) {
    return BigInt(value);
  }
  throw malformed();
}

/** The list inside, when the checksum holds and the text is the one way to write it. */
function fieldsOf(cursor: string): readonly unknown[] | undefined {
  const bytes = fromBase64Url(cursor);
  if (bytes === undefined || bytes.length <= CHECKSUM_BYTES) return undefined;
  const checksum = new DataView(bytes.buffer).getUint32(0, true);
  if (crc32c(bytes, CHECKSUM_BYTES, bytes.length) !== checksum) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(CHECKSUM_BYTES));
    const fields: unknown = JSON.parse(text);
    return Array.isArray(fields) ? fields : undefined;
  } catch {
    // No UTF-8 or no JSON: not ours, whatever the checksum says.
    return undefined;
  }
}

/** Through a list of codes and few strings: one string per character would cost more than all the rest. */
function toBase64Url(bytes: Uint8Array): string {
  const codes: number[] = [];
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = Math.min(3, bytes.length - i);
    let group = (bytes[i] as number) << 16;
    if (left > 1) group |= (bytes[i + 1] as number) << 8;
    if (left > 2) group |= bytes[i + 2] as number;
    for (let j = 0; j <= left; j++) codes.push(ALPHABET.charCodeAt((group >>> (18 - 6 * j)) & 63));
    if (codes.length < MAX_CODES) continue;
    text += String.fromCharCode(...codes);
    codes.length = 0;
  }
  return text + String.fromCharCode(...codes);
}

/** Undefined for other characters, an impossible length, or bits that no encoder sets. */
function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let p = 0;
  let bits = 0;
  let held = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = digitOf(text.charCodeAt(i));
    if (digit < 0) return undefined;
    held = (held << 6) | digit;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[p++] = held >>> bits;
    held &= (1 << bits) - 1;
  }
  return held === 0 ? bytes : undefined;
}

function digitOf(code: number): number {
  if (code >= 65 && code <= 90) return code - 65;
  if (code >= 97 && code <= 122) return code - 71;
  if (code >= 48 && code <= 57) return code + 4;
  return code === 45 ? 62 : code === 95 ? 63 : -1;
}
