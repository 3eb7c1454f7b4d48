/**
 * Operator objects: what each operator takes, and which of them contradict each other. Bounds that
 * leave no room, being turned round or of different kinds, are a mistake of the caller and refused;
 * an empty range whose ends meet is one of a program and matches nothing.
 */
import { badRequest } from '../base/errors.ts';
import { MAX_LIST_VALUES } from './limits.ts';
import type { Operator } from './operators.ts';
import { areComparable, compareValues, normalScalar, type Scalar } from './order.ts';
import { checkScalar, describeInput, placeOf, readItems } from './plain-input.ts';
import type { Comparison } from './predicate.ts';

type Target = Pick<Comparison, 'path' | 'name'>;
type Bound = 'gt' | 'gte' | 'lt' | 'lte';

/** @throws {StoreError} BAD_REQUEST - when the operator does not take such a value. */
export function readComparison(
  target: Target,
  operator: Operator,
  value: unknown,
  at: string,
): Comparison {
  const compared = { kind: 'compare', ...target } as const;
  if (operator === 'in' || operator === 'notIn') {
    const values = readItems(value, at, MAX_LIST_VALUES).map((item, i) =>
      normalScalar(checkScalar(item, `${at}[${i}]`)),
    );
    return Object.freeze({ ...compared, operator, values: Object.freeze(values) });
  }
  if (operator === 'exists') {
    if (typeof value === 'boolean') return Object.freeze({ ...compared, operator, value });
    throw badRequest(`${at} must be true or false, not ${describeInput(value)}`, at, 'boolean');
  }
  const scalar = normalScalar(checkScalar(value, at));
  if (operator !== 'prefix') return Object.freeze({ ...compared, operator, value: scalar });
  if (typeof scalar === 'string') return Object.freeze({ ...compared, operator, value: scalar });
  throw badRequest(`${at} must be text, not ${describeInput(scalar)}`, at, 'string');
}

/** @throws {StoreError} BAD_REQUEST - when the comparisons of one path are bounds that leave no room. */
export function refuseContradictions(comparisons: readonly Comparison[], at: string): void {
  const bounds: { [B in Bound]?: Scalar } = {};
  for (const comparison of comparisons) {
    if (isBound(comparison)) bounds[comparison.operator] = comparison.value;
  }
  checkBounds(bounds, at);
}

/** The same for bounds that are known as such. @throws {StoreError} BAD_REQUEST */
export function checkBounds(bounds: { readonly [B in Bound]?: Scalar }, at: string): void {
  const low = oneOf(bounds, 'gt', 'gte', at);
  const high = oneOf(bounds, 'lt', 'lte', at);
  if (low === undefined || high === undefined) return;
  const place = placeOf(at, high);
  const [from, to] = [bounds[low], bounds[high]];
  const range = `${low} ${describeInput(from)} and ${high} ${describeInput(to)}`;
  if (!areComparable(from, to)) {
    throw badRequest(`${at}: ${range} are of different kinds`, place, 'bounds of one kind');
  }
  if (compareValues(from, to) > 0) {
    throw badRequest(`${at}: the range is turned round, ${range}`, place, `not below ${low}`);
  }
}

function isBound(
  comparison: Comparison,
): comparison is Comparison & { readonly operator: Bound; readonly value: Scalar } {
  const { operator } = comparison;
  return operator === 'gt' || operator === 'gte' || operator === 'lt' || operator === 'lte';
}

function oneOf(
  bounds: { readonly [B in Bound]?: Scalar },
  open: Bound,
  closed: Bound,
  at: string,
): Bound | undefined {
  if (bounds[open] === undefined) return bounds[closed] === undefined ? undefined : closed;
  if (bounds[closed] === undefined) return open;
  throw badRequest(`${at} has both ${open} and ${closed}`, placeOf(at, closed), 'one of the two');
}
