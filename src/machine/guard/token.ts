/**
 * Guard text to tokens, one at a time. Every character is looked at once, so there is no
 * backtracking to attack. Positions are UTF-16 units from 0, as in JavaScript strings.
 */
import { StoreError } from '../../base/errors.ts';
import { isWellFormed, quote } from '../name.ts';
import type { Comparison, Literal } from './ast.ts';

export type Token =
  | { readonly kind: 'field'; readonly at: number; readonly path: readonly string[] }
  | { readonly kind: 'literal'; readonly at: number; readonly value: Literal }
  | { readonly kind: 'comparison'; readonly at: number; readonly operator: Comparison }
  | { readonly kind: '(' | ')' | '!' | '&&' | '||' | 'end'; readonly at: number };

/** A token and the position behind it. */
export interface Scanned {
  readonly token: Token;
  readonly end: number;
}

const WORD_CHARACTER = /^[\p{L}\p{M}\p{N}_$.]$/u;
const PUNCTUATION = ['(', ')', '!', '&&', '||'] as const;
/** Longer ones first: `>=` is not `>` and a stray `=`. */
const COMPARISONS: readonly Comparison[] = ['==', '!=', '>=', '<=', '>', '<'];
const KEYWORDS: ReadonlyMap<string, Literal> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
/** For people who have another language in mind. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['=', 'equality is written =='],
  ['&', 'both sides are joined by &&'],
  ['|', 'either side is joined by ||'],
  ["'", 'text stands in double quotes'],
  ['and', 'both sides are joined by &&'],
  ['or', 'either side is joined by ||'],
  ['not', 'negation is written !'],
]);

/** @throws {StoreError} BAD_REQUEST - with the position, when no token starts here. */
export function scanToken(text: string, from: number): Scanned {
  let at = from;
  while (isSpace(text[at])) at++;
  if (at >= text.length) return { token: { kind: 'end', at }, end: at };
  // Comparisons first: `!=` is not a `!`.
  const operator = COMPARISONS.find((candidate) => text.startsWith(candidate, at));
  if (operator !== undefined) {
    return { token: { kind: 'comparison', at, operator }, end: at + operator.length };
  }
  const kind = PUNCTUATION.find((candidate) => text.startsWith(candidate, at));
  if (kind !== undefined) return { token: { kind, at }, end: at + kind.length };
  if (text[at] === '"') return scanString(text, at);
  if (isDigit(text[at]) || (text[at] === '-' && isDigit(text[at + 1]))) return scanNumber(text, at);
  return scanWord(text, at);
}

/** The error of a guard that cannot be read: why, and where (line and column from 1). */
export function guardError(text: string, position: number, reason: string): StoreError {
  const linesBefore = text.slice(0, position).split('\n');
  const line = linesBefore.length;
  const column = (linesBefore.at(-1) ?? '').length + 1;
  return new StoreError('BAD_REQUEST', `guard, line ${line}, column ${column}: ${reason}`, {
    details: { path: 'guard', reason, position, line, column },
  });
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\n' || character === '\r';
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9';
}

function scanWord(text: string, at: number): Scanned {
  let end = at;
  for (let character = characterAt(text, end); WORD_CHARACTER.test(character);) {
    end += character.length;
    character = characterAt(text, end);
  }
  if (end === at) {
    const character = characterAt(text, at);
    throw guardError(text, at, HINTS.get(character) ?? `unexpected ${quote(character)}`);
  }
  const word = text.slice(at, end);
  const value = KEYWORDS.get(word);
  if (value !== undefined) return { token: { kind: 'literal', at, value }, end };
  const [root, ...path] = word.split('.');
  if (root !== 'ctx') {
    throw guardError(
      text,
      at,
      HINTS.get(word) ?? `a field is written ctx.name, not ${quote(word)}`,
    );
  }
  if (path.length === 0) throw guardError(text, at, 'ctx needs a field, as in ctx.name');
  if (path.includes('')) throw guardError(text, at, 'the name between two dots is missing');
  return { token: { kind: 'field', at, path: Object.freeze(path) }, end };
}

/** The whole character at a position, two units if it is a pair; empty at the end. */
function characterAt(text: string, at: number): string {
  const codePoint = text.codePointAt(at);
  return codePoint === undefined ? '' : String.fromCodePoint(codePoint);
}

/** `-12`, `0.5`, `1e6`. */
function scanNumber(text: string, at: number): Scanned {
  let end = digitsEnd(text, at + 1);
  const integerEnd = end;
  if (text[end] === '.' && isDigit(text[end + 1])) end = digitsEnd(text, end + 1);
  if (text[end] === 'e' || text[end] === 'E') {
    const sign = text[end + 1] === '-' || text[end + 1] === '+' ? 1 : 0;
    if (isDigit(text[end + 1 + sign])) end = digitsEnd(text, end + 1 + sign);
  }
  const digits = text.slice(at, end);
  const value = Number(digits);
  if (!Number.isFinite(value)) throw guardError(text, at, 'the number is too large');
  const literal = exact(value, end === integerEnd ? digits : undefined);
  return { token: { kind: 'literal', at, value: literal }, end };
}

function digitsEnd(text: string, from: number): number {
  let end = from;
  while (isDigit(text[end])) end++;
  return end;
}

/** An integer beyond 2^53 keeps all its digits, and minus zero is zero. */
function exact(value: number, digits: string | undefined): number | bigint {
  if (value === 0) return 0;
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value;
  return BigInt(digits ?? value);
}

/** JSON's escapes; line breaks and other control characters may stand as they are. */
function scanString(text: string, at: number): Scanned {
  let value = '';
  let end = at + 1;
  while (text[end] !== '"') {
    if (end >= text.length) throw guardError(text, at, 'the text lacks its closing double quote');
    if (text[end] !== '\\') {
      value += text[end];
      end += 1;
    } else if (text[end + 1] === 'u') {
      value += unicodeEscape(text, end);
      end += 6;
    } else {
      const decoded = ESCAPES.get(text[end + 1] ?? '');
      if (decoded === undefined) throw guardError(text, end, 'unknown escape; a backslash is \\\\');
      value += decoded;
      end += 2;
    }
  }
  if (!isWellFormed(value)) throw guardError(text, at, 'the text holds half a surrogate pair');
  return { token: { kind: 'literal', at, value }, end: end + 1 };
}

function unicodeEscape(text: string, at: number): string {
  const hex = text.slice(at + 2, at + 6);
  if (!/^[\dA-Fa-f]{4}$/.test(hex)) throw guardError(text, at, '\\u takes four hexadecimal digits');
  return String.fromCharCode(Number.parseInt(hex, 16));
}
