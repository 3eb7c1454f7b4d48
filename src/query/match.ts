/**
 * What a predicate says about one instance. Total: every predicate has an answer for every
 * context. Compiled once into closures over the operand, because a scan asks it of every row.
 */
import { invariant } from '../base/assert.ts';
import { areComparable, compareValues, isEqualScalar, normalScalar, type Scalar } from './order.ts';
import type { Comparison, Predicate } from './predicate.ts';

/** The value at a path, undefined when there is none; `name` is the path as text. */
export type ValueAt = (path: readonly string[], name: string) => unknown;
export type Match = (valueAt: ValueAt) => boolean;
type Test = (value: unknown) => boolean;

/** Does the predicate hold? For one instance; for many, compile it once. */
export function matches(predicate: Predicate, valueAt: ValueAt): boolean {
  return compilePredicate(predicate)(valueAt);
}

export function compilePredicate(predicate: Predicate): Match {
  if (predicate.kind === 'compare') {
    const { path, name } = predicate;
    const test = testOf(predicate);
    return (valueAt) => test(valueAt(path, name));
  }
  if (predicate.kind === 'not') {
    const operand = compilePredicate(predicate.operand);
    return (valueAt) => !operand(valueAt);
  }
  if (predicate.kind === 'true') return () => true;
  if (predicate.kind === 'false') return () => false;
  const operands = predicate.operands.map(compilePredicate);
  // Any operand that answers like this decides the whole; without one, all answered the opposite.
  const decisive = predicate.kind === 'or';
  return (valueAt) => {
    for (let i = 0; i < operands.length; i++) {
      if ((operands[i] as Match)(valueAt) === decisive) return decisive;
    }
    return !decisive;
  };
}

/** The comparison as a test of the value at its path. */
function testOf(comparison: Comparison): Test {
  const { operator } = comparison;
  if (operator === 'in') return isAnyOf(comparison.values);
  if (operator === 'notIn') {
    const isOne = isAnyOf(comparison.values);
    return (value) => !isOne(value);
  }
  if (operator === 'exists') {
    const wanted = comparison.value;
    return (value) => (value !== undefined) === wanted;
  }
  if (operator === 'prefix') {
    const start = comparison.value;
    return (value) => typeof value === 'string' && value.startsWith(start);
  }
  const operand = comparison.value;
  if (operator === 'eq') return isEqualTo(operand);
  if (operator === 'ne') {
    const isEqual = isEqualTo(operand);
    return (value) => !isEqual(value);
  }
  if (operator === 'contains') {
    const isEqual = isEqualTo(operand);
    return (value) => Array.isArray(value) && value.some(isEqual);
  }
  return isBeyond(operator, operand);
}

/** Only where number meets bigint is equality more than identity. */
function isEqualTo(operand: Scalar): Test {
  if (typeof operand !== 'number' && typeof operand !== 'bigint') {
    return (value) => value === operand;
  }
  return (value) => value === operand || isEqualScalar(value, operand);
}

/** Sets compare -0 with 0 and bigints with bigints by value; the rest is the normal form. */
function isAnyOf(values: readonly Scalar[]): Test {
  const known = new Set<unknown>(values);
  return (value) => known.has(typeof value === 'bigint' ? normalScalar(value) : value);
}

function isBeyond(operator: 'gt' | 'gte' | 'lt' | 'lte', operand: Scalar): Test {
  if (typeof operand === 'number') return isNumberBeyond(operator, operand);
  const compare: Test = (value) => areComparable(value, operand);
  if (operator === 'gt') return (value) => compare(value) && compareValues(value, operand) > 0;
  if (operator === 'gte') return (value) => compare(value) && compareValues(value, operand) >= 0;
  if (operator === 'lt') return (value) => compare(value) && compareValues(value, operand) < 0;
  invariant(operator === 'lte', `${operator} is no bound`);
  return (value) => compare(value) && compareValues(value, operand) <= 0;
}

/** The common case. The language compares a number with a bigint without rounding either. */
function isNumberBeyond(operator: 'gt' | 'gte' | 'lt' | 'lte', operand: number): Test {
  if (operator === 'gt') return (value) => isNumeric(value) && value > operand;
  if (operator === 'gte') return (value) => isNumeric(value) && value >= operand;
  if (operator === 'lt') return (value) => isNumeric(value) && value < operand;
  return (value) => isNumeric(value) && value <= operand;
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
