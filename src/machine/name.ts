/**
 * Rules for names (of machines, states and events) and for quoting what a caller sent in a
 * message: any Unicode text, bounded, that survives UTF-8. No name is a special case.
 */
import { badRequest } from '../base/errors.ts';
import { MAX_NAME_BYTES } from './limits.ts';

const LONE_SURROGATE = /\p{Surrogate}/u;
const PLAIN_KEY = /^[\p{L}\p{N}_$-]+$/u;
const MAX_QUOTED = 64;

/** False for text with half a surrogate pair: it would not come back from UTF-8 as it was. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/** Bytes of well-formed text in UTF-8. */
function utf8Length(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff)) bytes += 2;
    else bytes += 3;
  }
  return bytes;
}

/** @throws {StoreError} BAD_REQUEST - when it is no string, empty, too long or not well-formed. */
export function checkName(value: unknown, path: string): string {
  const expected = `text of 1 to ${MAX_NAME_BYTES} UTF-8 bytes`;
  if (typeof value !== 'string') {
    throw badRequest(`${path} must be text, not ${describe(value)}`, path, expected);
  }
  if (value === '') throw badRequest(`${path} is empty`, path, expected);
  // Three bytes per unit is the most there can be, so short names are never counted.
  if (
    value.length * 3 > MAX_NAME_BYTES &&
    (value.length > MAX_NAME_BYTES || utf8Length(value) > MAX_NAME_BYTES)
  ) {
    throw badRequest(`${path} is longer than ${MAX_NAME_BYTES} UTF-8 bytes`, path, expected);
  }
  if (!isWellFormed(value)) {
    throw badRequest(`${path} holds half a surrogate pair`, path, 'well-formed Unicode');
  }
  return value;
}

/** Text for a message: in quotes, escaped, cut when long. */
export function quote(text: string): string {
  if (text.length <= MAX_QUOTED) return JSON.stringify(text);
  return `${JSON.stringify(text.slice(0, MAX_QUOTED))}...`;
}

/** A value for a message: text and numbers as they are, everything else by its kind. */
export function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object';
  return `a ${typeof value}`;
}

/** The path of a field inside `path`: `meta.colour`, or `meta["two words"]`. */
export function fieldPath(path: string, key: string): string {
  if (key.length > MAX_QUOTED || !PLAIN_KEY.test(key)) return `${path}[${quote(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}
