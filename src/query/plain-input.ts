/**
 * Reads what a caller passed as a query: each property exactly once, own enumerable ones only, so
 * that getters and proxies have no say afterwards. Whatever throws while being read is the
 * caller's fault and named by its path.
 */
import { badRequest, StoreError } from '../base/errors.ts';
import type { Scalar } from './order.ts';

const LONE_SURROGATE = /\p{Surrogate}/u;
const PLAIN_KEY = /^[\p{L}\p{N}_$-]+(?:\.[\p{L}\p{N}_$-]+)*$/u;
const MAX_QUOTED = 64;
const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;
const SCALAR = 'string, finite number, 64-bit bigint, boolean or null';

/** False for text with half a surrogate pair: UTF-8 cannot say it, so nothing stored equals it. */
export function isWellFormed(text: string): boolean {
  for (let i = 0; i < text.length; i++)
    if (text.charCodeAt(i) >= 0xd800) return !LONE_SURROGATE.test(text);
  return true;
}

/** The fields of a plain object in the order it has them, without those that are undefined. */
export function readFields(value: unknown, at: string): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null) throw noObject(value, at);
  const fields: [string, unknown][] = [];
  const isPlain = guarded(at, () => {
    if (!isPlainObject(value)) return false;
    for (const symbol of Object.getOwnPropertySymbols(value)) {
      const isHidden = Object.getOwnPropertyDescriptor(value, symbol)?.enumerable !== true;
      if (!isHidden) throw new TypeError('a symbol is no path');
    }
    for (const key of Object.keys(value)) {
      const field = (value as Readonly<Record<string, unknown>>)[key];
      if (field !== undefined) fields.push([key, field]);
    }
    return true;
  });
  if (!isPlain) throw noObject(value, at);
  return fields;
}

/** The items of a list, undefined where one is missing. @throws {StoreError} BAD_REQUEST */
export function readItems(value: unknown, at: string, max: number): readonly unknown[] {
  const length = guarded(at, () => (Array.isArray(value) ? value.length : -1));
  if (length < 0) throw badRequest(`${at} must be a list, not ${describeInput(value)}`, at, 'list');
  if (length > max)
    throw badRequest(`${at} has more than ${max} items`, at, `at most ${max} items`);
  const items: unknown[] = [];
  for (let i = 0; i < length; i++) {
    items.push(guarded(at, () => (value as readonly unknown[])[i]));
  }
  return items;
}

/** @throws {StoreError} BAD_REQUEST - anything but a scalar that could be stored. */
export function checkScalar(value: unknown, at: string): Scalar {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') {
    if (isWellFormed(value)) return value;
    throw badRequest(`${at} holds half a surrogate pair`, at, 'well-formed Unicode');
  }
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'bigint') {
    if (value >= MIN_INT64 && value <= MAX_UINT64) return value;
    throw badRequest(`${at} does not fit into 64 bits`, at, '64-bit integer');
  }
  throw badRequest(`${at} must be a scalar, not ${describeInput(value)}`, at, SCALAR);
}

/** The place of a field inside `at`: `where.customer`, or `where["two words"]`. */
export function placeOf(at: string, key: string): string {
  const isPlain = key.length <= MAX_QUOTED && (isWord(key) || PLAIN_KEY.test(key));
  return isPlain ? `${at}.${key}` : `${at}[${quote(key)}]`;
}

/** Is it a name of ASCII letters? Most are, and the pattern takes longer than reading the rest of a filter. */
function isWord(key: string): boolean {
  for (let i = 0; i < key.length; i++) {
    const lower = key.charCodeAt(i) | 32;
    if (lower < 97 || lower > 122) return false;
  }
  return key !== '';
}

/** A value for a message: text and numbers as they are, everything else by its kind. */
export function describeInput(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object';
  return `a ${typeof value}`;
}

function quote(text: string): string {
  return text.length <= MAX_QUOTED
    ? JSON.stringify(text)
    : `${JSON.stringify(text.slice(0, MAX_QUOTED))}...`;
}

/** True for objects of `{}` and `Object.create(null)`, of any realm; not for lists, dates, class instances. */
function isPlainObject(value: object): boolean {
  if (Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function noObject(value: unknown, at: string): StoreError {
  const what = describeInput(value);
  const kind = what === 'an object' ? 'an instance of a class' : what;
  return badRequest(`${at} must be a plain object, not ${kind}`, at, 'plain object');
}

/** All that may run code of the caller. */
function guarded<T>(at: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const details = { path: at, expected: 'plain data' };
    throw new StoreError('BAD_REQUEST', `${at} cannot be read: it throws`, { details, cause });
  }
}
