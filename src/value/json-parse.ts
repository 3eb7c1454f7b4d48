/**
 * A JSON reader (RFC 8259) that keeps every digit of integers; `JSON.parse` has rounded them before
 * anybody can look. Strict, without recursion beyond the depth values may have. Text without a
 * number that could suffer takes the engine's own parser.
 */
import { badRequest, type StoreError } from '../base/errors.ts';
import { MAX_DEPTH } from './format.ts';
import { setOwn } from './read-value.ts';

/** Integers of fewer digits are exact as numbers, and smaller exponents are finite. */
const DELICATE = /\d{16}|[eE]\+?\d{3}/;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const WORDS: Readonly<Record<string, unknown>> = { true: true, false: false, null: null };

/** @throws {StoreError} BAD_REQUEST */
export function parseJson(source: string): unknown {
  if (!DELICATE.test(source)) {
    try {
      const value: unknown = JSON.parse(source);
      if (isWithin(value, MAX_DEPTH)) return value;
    } catch {
      // Ours says where.
    }
  }
  return new JsonReader(source).document();
}

/** Are no more than so many levels of lists and objects inside each other? */
function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return members.every((member) => isWithin(member, levels - 1));
}

class JsonReader {
  private readonly source: string;
  private position = 0;

  constructor(source: string) {
    this.source = source;
  }

  document(): unknown {
    const value = this.value(0);
    this.take(SPACE);
    if (this.position < this.source.length) throw this.unexpected();
    return value;
  }

  private value(depth: number): unknown {
    this.take(SPACE);
    const lead = this.source[this.position];
    if (lead === '{' || lead === '[') {
      if (depth === MAX_DEPTH) throw this.failure(`nested deeper than ${MAX_DEPTH} levels`);
      this.position++;
      return lead === '{' ? this.object(depth + 1) : this.list(depth + 1);
    }
    if (lead === '"') return this.string();
    const word = this.take(WORD);
    if (word !== undefined) return WORDS[word];
    return this.number();
  }

  private object(depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    if (this.has('}')) return object;
    do {
      this.take(SPACE);
      const key = this.string();
      this.expect(':');
      const value = this.value(depth);
      if (key === '__proto__') setOwn(object, key, value);
      else object[key] = value;
    } while (this.has(','));
    this.expect('}');
    return object;
  }

  private list(depth: number): unknown[] {
    const list: unknown[] = [];
    if (this.has(']')) return list;
    do list.push(this.value(depth));
    while (this.has(','));
    this.expect(']');
    return list;
  }

  private string(): string {
    const start = this.position;
    if (this.source[start] !== '"') throw this.unexpected();
    let end = start;
    do end = this.source.indexOf('"', end + 1);
    while (end !== -1 && this.isEscaped(end));
    if (end === -1) throw this.failure('a string without an end');
    try {
      const text = JSON.parse(this.source.slice(start, end + 1)) as string;
      this.position = end + 1;
      return text;
    } catch {
      throw this.failure('a string with an escape or control character JSON does not have');
    }
  }

  /** Does an odd number of backslashes stand before this place? */
  private isEscaped(at: number): boolean {
    let first = at;
    while (this.source[first - 1] === '\\') first--;
    return (at - first) % 2 === 1;
  }

  private number(): number | bigint {
    NUMBER.lastIndex = this.position;
    const match = NUMBER.exec(this.source);
    if (match === null) throw this.unexpected();
    const [literal, fraction, exponent] = match;
    const value = Number(literal);
    const isInteger = fraction === undefined && exponent === undefined;
    if (!Number.isFinite(value) && !isInteger) throw this.failure('a number too large to hold');
    this.position += literal.length;
    return isInteger && !Number.isSafeInteger(value) ? BigInt(literal) : value;
  }

  private has(character: string): boolean {
    this.take(SPACE);
    if (this.source[this.position] !== character) return false;
    this.position++;
    return true;
  }

  private expect(character: string): void {
    if (!this.has(character)) throw this.unexpected();
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.source)?.[0];
    if (found !== undefined) this.position += found.length;
    return found;
  }

  private unexpected(): StoreError {
    const found = this.source[this.position];
    return this.failure(found === undefined ? 'it ends too early' : `unexpected '${found}'`);
  }

  private failure(what: string): StoreError {
    return badRequest(
      `malformed JSON at position ${this.position}: ${what}`,
      undefined,
      'JSON text',
    );
  }
}
