/**
 * JSON text of stored values and back. JSON has one kind of number; so that no digit is lost,
 * bigints are written as integers, and integers beyond 2^53 are read as bigint. Numbers that large
 * are written with a fraction (`9007199254740992.0`), so each comes back as what it was; only a
 * bigint within 2^53 comes back as a number.
 */
import { badRequest } from '../base/errors.ts';
import { MAX_DEPTH } from './format.ts';
import { parseJson } from './json-parse.ts';

/** Values may be wrapped in a few levels of a report; without any limit a cycle would never end. */
const MAX_TEXT_DEPTH: number = MAX_DEPTH + 20;

/**
 * The JSON text of a stored value, or of plain data that holds stored values.
 * `undefined` fields are left out, as `JSON.stringify` does; `undefined` itself is `null`.
 *
 * @param indent spaces per level; 0 (default) = one line
 * @throws {StoreError} BAD_REQUEST - something that is no data, or nested deeper than stored values can be
 * @example
 * toJson({ total: 12n, big: 9007199254740993n }); // {"total":12,"big":9007199254740993}
 */
export function toJson(value: unknown, indent: number = 0): string {
  return text(value, ' '.repeat(indent), '', 0);
}

/**
 * The value of a JSON text. Integers that a number cannot hold exactly become bigint; everything
 * else is as `JSON.parse` has it.
 *
 * @throws {StoreError} BAD_REQUEST - malformed, with the position in the message
 * @example
 * fromJson('[1, 9007199254740993]'); // [1, 9007199254740993n]
 */
export function fromJson(source: string): unknown {
  return parseJson(source);
}

function text(value: unknown, indent: string, margin: string, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return numberText(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'undefined':
      return 'null';
    case 'object':
      if (value === null) return 'null';
      if (depth === MAX_TEXT_DEPTH) throw badRequest(`nested deeper than ${MAX_TEXT_DEPTH} levels`);
      return Array.isArray(value)
        ? listText(value, indent, margin, depth)
        : objectText(value, indent, margin, depth);
    default:
      throw badRequest(`a ${typeof value} has no JSON text`);
  }
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw badRequest(`${value} has no JSON text`);
  if (Object.is(value, -0)) return '-0';
  const digits = String(value);
  const readsAsBigint = !Number.isSafeInteger(value) && /^-?\d+$/.test(digits);
  return readsAsBigint ? `${digits}.0` : digits;
}

function listText(
  values: readonly unknown[],
  indent: string,
  margin: string,
  depth: number,
): string {
  const inner = margin + indent;
  const parts = values.map((value) => text(value, indent, inner, depth + 1));
  return enclosed('[', parts, ']', indent, margin);
}

function objectText(value: object, indent: string, margin: string, depth: number): string {
  const inner = margin + indent;
  const colon = indent === '' ? ':' : ': ';
  const parts = Object.entries(value).flatMap(([key, member]: [string, unknown]) =>
    member === undefined
      ? []
      : [`${JSON.stringify(key)}${colon}${text(member, indent, inner, depth + 1)}`],
  );
  return enclosed('{', parts, '}', indent, margin);
}

function enclosed(
  open: string,
  parts: readonly string[],
  close: string,
  indent: string,
  margin: string,
): string {
  if (indent === '' || parts.length === 0) return open + parts.join(',') + close;
  const inner = margin + indent;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${margin}${close}`;
}
