/**
 * Predicate: a filter that was read and checked, as frozen plain objects. `and` and `or` are
 * flattened and have at least two operands; nothing is pushed through `not`, and no comparison is
 * dropped, so that what a filter may ask does not depend on its values.
 */
import type { Operator } from './operators.ts';
import { compareValues, type Scalar } from './order.ts';

interface Compared {
  readonly kind: 'compare';
  readonly path: readonly string[];
  /** The path as text: what indexes are declared by. */
  readonly name: string;
}

/** Scalars are in normal form (see order.ts). */
export type Comparison = Compared &
  (
    | {
        readonly operator: Exclude<Operator, 'in' | 'notIn' | 'prefix' | 'exists'>;
        readonly value: Scalar;
      }
    | { readonly operator: 'in'; readonly values: readonly Scalar[] }
    | { readonly operator: 'notIn'; readonly values: readonly Scalar[] }
    | { readonly operator: 'prefix'; readonly value: string }
    | { readonly operator: 'exists'; readonly value: boolean }
  );

export type Predicate =
  | Comparison
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Predicate[] }
  | { readonly kind: 'not'; readonly operand: Predicate }
  | { readonly kind: 'true' }
  | { readonly kind: 'false' };

export const TRUE: Predicate = Object.freeze({ kind: 'true' });
export const FALSE: Predicate = Object.freeze({ kind: 'false' });

/** All must hold; of none, true. */
export function allOf(operands: readonly Predicate[]): Predicate {
  return joined('and', operands, TRUE);
}

/** One must hold; of none, false. */
export function anyOf(operands: readonly Predicate[]): Predicate {
  return joined('or', operands, FALSE);
}

export function negated(operand: Predicate): Predicate {
  if (operand.kind === 'true') return FALSE;
  if (operand.kind === 'false') return TRUE;
  return Object.freeze({ kind: 'not', operand });
}

function joined(kind: 'and' | 'or', operands: readonly Predicate[], neutral: Predicate): Predicate {
  const flat = operands.flatMap((one) =>
    one.kind === kind ? one.operands : one === neutral ? [] : [one],
  );
  const [only] = flat;
  if (only === undefined) return neutral;
  return flat.length === 1 ? only : Object.freeze({ kind, operands: Object.freeze(flat) });
}

/** What must hold at the same time: the operands of a top-level `and`, or the predicate alone. */
export function conjunctsOf(predicate: Predicate): readonly Predicate[] {
  if (predicate.kind === 'and') return predicate.operands;
  return predicate.kind === 'true' ? [] : [predicate];
}

/** Every path the predicate asks for, as text. */
export function pathsIn(predicate: Predicate): ReadonlySet<string> {
  const names = new Set<string>();
  collectPaths(predicate, names);
  return names;
}

function collectPaths(predicate: Predicate, names: Set<string>): void {
  if (predicate.kind === 'compare') names.add(predicate.name);
  else if (predicate.kind === 'not') collectPaths(predicate.operand, names);
  else if (predicate.kind === 'and' || predicate.kind === 'or') {
    for (const operand of predicate.operands) collectPaths(operand, names);
  }
}

/**
 * The same text for filters that differ only in the order of their keys, operands or list items,
 * in repetitions, in members that are undefined or in how a number is written: what cursors are
 * bound to.
 */
export function canonicalText(predicate: Predicate): string {
  if (predicate.kind === 'compare') {
    return JSON.stringify([predicate.name, predicate.operator, ...operandTexts(predicate)]);
  }
  if (predicate.kind === 'not') return `not(${canonicalText(predicate.operand)})`;
  if (predicate.kind === 'true' || predicate.kind === 'false') return predicate.kind;
  const texts = [...new Set(predicate.operands.map(canonicalText))].sort();
  return texts.length === 1 ? (texts[0] as string) : `${predicate.kind}(${texts.join()})`;
}

function operandTexts(comparison: Comparison): readonly string[] {
  if (comparison.operator !== 'in' && comparison.operator !== 'notIn') {
    return [scalarText(comparison.value)];
  }
  const texts = comparison.values.toSorted(compareValues).map(scalarText);
  return texts.filter((text, i) => text !== texts[i - 1]);
}

/** Different scalars have different texts: bigints in normal form equal no number. */
function scalarText(value: Scalar): string {
  return typeof value === 'string' ? `"${value}` : String(value);
}
