/**
 * One text per definition, by which two of them are the same or not. Injective: it tells 1 from 1n
 * and any name from any other; the order of keys does not show, and validation left no -0. `indexes` is left out,
 * because it may be changed without changing the version.
 */
import type { NormalisedDefinition } from './definition.ts';

/**
 * The identity of a version: equal for two definitions exactly when they are the same. JSON, with
 * sorted keys and `n` behind a bigint.
 *
 * @param definition as `validateDefinition` returns it.
 * @example
 * const isSame = canonicalText(validateDefinition(a)) === canonicalText(validateDefinition(b));
 */
export function canonicalText(definition: NormalisedDefinition): string {
  const { indexes: _, ...identity } = definition;
  return textOf(identity);
}

/** Nesting was bounded by validation. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${textOf(item)}`).join(',')}}`;
}
