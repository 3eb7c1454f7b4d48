/**
 * Paths into a context: names joined by dots, as in filters, `orderBy` and index declarations.
 * A leading './' is dropped; what follows is a path even where it would be a reserved word. A name
 * that holds a dot itself cannot be written, and paths do not lead into lists.
 */
import { badRequest } from '../base/errors.ts';
import { MAX_PATH_BYTES, MAX_PATH_PARTS } from './limits.ts';
import { describeInput, isWellFormed } from './plain-input.ts';

/** Before a path: take what follows as a path, whatever it reads like. */
export const ESCAPE = './';

/**
 * The names of a path.
 *
 * @param at where the path stands in the caller's argument, for the error.
 * @param base path it is relative to.
 * @throws {StoreError} BAD_REQUEST - no text, an empty name, or too long.
 */
export function parsePath(
  text: unknown,
  at: string = 'path',
  base: readonly string[] = [],
): readonly string[] {
  const expected = `names joined by dots, at most ${MAX_PATH_PARTS} and ${MAX_PATH_BYTES} UTF-8 bytes`;
  if (typeof text !== 'string') {
    throw badRequest(`${at}: a path is text, not ${describeInput(text)}`, at, expected);
  }
  const plain = text.startsWith(ESCAPE) ? text.slice(ESCAPE.length) : text;
  // Checked before it is split: a hostile text of many dots would become many names.
  if (utf8Length(plain) > MAX_PATH_BYTES) throw tooLong(at, expected);
  if (!isWellFormed(plain)) {
    throw badRequest(`${at}: the path holds half a surrogate pair`, at, 'well-formed Unicode');
  }
  const names = plain.split('.');
  if (names.includes('')) {
    throw badRequest(`${at}: the path ${describeInput(text)} has an empty name`, at, expected);
  }
  const path = base.length === 0 ? names : [...base, ...names];
  const isTooLong = path !== names && utf8Length(pathText(path)) > MAX_PATH_BYTES;
  if (isTooLong || path.length > MAX_PATH_PARTS) throw tooLong(at, expected);
  return Object.freeze(path);
}

function tooLong(at: string, expected: string): Error {
  return badRequest(`${at}: the path is too long`, at, expected);
}

/**
 * The names of a path that was accepted before, whatever the rules were then: never throws, so it may be
 * used where a stored definition is applied.
 */
export function namesOf(path: string): readonly string[] {
  return path.split('.');
}

/** The path as text, without escape: what indexes are declared by. */
export function pathText(path: readonly string[]): string {
  return path.join('.');
}

/** What a context holds at a path, undefined when there is nothing. Own fields of objects only. */
export function valueIn(context: unknown, path: readonly string[]): unknown {
  let value = context;
  for (let i = 0; i < path.length; i++) {
    const name = path[i] as string;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    if (!Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

/** Exact for well-formed text; stops counting where the answer no longer matters. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length && bytes <= MAX_PATH_BYTES; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}
