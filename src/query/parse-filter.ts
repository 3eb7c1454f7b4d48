/**
 * Reads a filter of a caller into a Predicate. Every fault is BAD_REQUEST with the place of the
 * fault in `details.path`, such as `where.customer.gt`. Size and nesting are bounded, so an input
 * that contains itself, or unfolds without end, ends in an error as well.
 */
import { badRequest } from '../base/errors.ts';
import { MAX_CONDITIONS, MAX_FILTER_NESTING, MAX_FILTERS } from './limits.ts';
import {
  isConnective,
  isOperator,
  meantBy,
  nearestOperator,
  type Operator,
  OPERATORS,
} from './operators.ts';
import { normalScalar } from './order.ts';
import { ESCAPE, parsePath, pathText } from './paths.ts';
import { checkScalar, describeInput, placeOf, readFields, readItems } from './plain-input.ts';
import { allOf, anyOf, negated, type Predicate, TRUE } from './predicate.ts';
import { readComparison, refuseContradictions } from './read-operators.ts';

type Fields = readonly (readonly [string, unknown])[];

interface Place {
  /** In the caller's argument, for errors. */
  readonly at: string;
  /** In the context: what the filter's own paths are relative to. */
  readonly path: readonly string[];
  /** Filters around and including this one. */
  readonly level: number;
}

/** What was read so far. */
interface Reading {
  conditions: number;
  filters: number;
}

/**
 * Reads a filter.
 *
 * @param input what the caller passed; undefined lets everything pass.
 * @param at what the caller calls it, such as 'where'.
 * @throws {StoreError} BAD_REQUEST - when it is no filter; `details.path` says where.
 */
export function parseFilter(input: unknown, at: string): Predicate {
  if (input === undefined) return TRUE;
  return readFilter(input, { at, path: [], level: 1 }, { conditions: 0, filters: 0 });
}

/** A filter, or below a path the operators for that path. */
function readFilter(input: unknown, place: Place, reading: Reading): Predicate {
  const { at, path, level } = place;
  if (level > MAX_FILTER_NESTING) {
    throw badRequest(
      `${at}: more than ${MAX_FILTER_NESTING} filters inside each other`,
      at,
      'less nesting',
    );
  }
  if (++reading.filters > MAX_FILTERS) throw tooMany(at);
  const fields = readFields(input, at);
  if (path.length > 0) {
    const operators = fields.filter(([key]) => isOperator(key));
    if (operators.length === fields.length) return readOperators(fields, place, reading);
    if (operators.length > 0) throw mixed(fields, place);
  }
  return allOf(fields.map(([key, value]) => readMember(key, value, place, reading)));
}

function readMember(key: string, value: unknown, place: Place, reading: Reading): Predicate {
  const at = placeOf(place.at, key);
  const level = place.level + 1;
  if (key === 'not') return negated(readFilter(value, { ...place, at, level }, reading));
  if (isConnective(key)) {
    const filters = readItems(value, at, MAX_FILTERS).map((item, i) =>
      readFilter(item, { ...place, at: `${at}[${i}]`, level }, reading),
    );
    return key === 'and' ? allOf(filters) : anyOf(filters);
  }
  refuseMisspelt(key, at, place);
  const path = parsePath(key, at, place.path);
  if (isList(value)) {
    const message = `${at} is a list; one of several values is { in: [...] }, a list with a value { contains: ... }`;
    throw badRequest(message, at, 'scalar, operators or filter');
  }
  if (typeof value === 'object' && value !== null) {
    return readFilter(value, { at, path, level }, reading);
  }
  countCondition(at, reading);
  const operand = normalScalar(checkScalar(value, at));
  return Object.freeze({
    kind: 'compare',
    path,
    name: pathText(path),
    operator: 'eq',
    value: operand,
  });
}

function readOperators(fields: Fields, place: Place, reading: Reading): Predicate {
  const { path } = place;
  const target = { path, name: pathText(path) };
  const comparisons = fields.map(([key, value]) => {
    const at = placeOf(place.at, key);
    countCondition(at, reading);
    return readComparison(target, key as Operator, value, at);
  });
  refuseContradictions(comparisons, place.at);
  return allOf(comparisons);
}

/** A revoked proxy throws even here; readFields then says so. */
function isList(value: unknown): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

function countCondition(at: string, reading: Reading): void {
  if (++reading.conditions > MAX_CONDITIONS) throw tooMany(at);
}

function tooMany(at: string): Error {
  return badRequest(
    `${at}: the filter has more than ${MAX_CONDITIONS} conditions`,
    at,
    `at most ${MAX_CONDITIONS} conditions`,
  );
}

function refuseMisspelt(key: string, at: string, place: Place): void {
  const meant = meantBy(key, place.path.length > 0);
  if (meant === undefined) return;
  const message = `${at}: unknown operator ${describeInput(key)}, the nearest is ${meant}; a field of that name is written ${describeInput(ESCAPE + key)}`;
  throw badRequest(message, at, meant);
}

function mixed(fields: Fields, place: Place): Error {
  const [other] = fields.find(([key]) => !isOperator(key)) as readonly [string, unknown];
  const at = placeOf(place.at, other);
  const what = isConnective(other) ? `${other} does not stand beside operators` : 'no operator';
  const message = `${at}: ${describeInput(other)} is ${what}, and operators and paths do not mix; the nearest operator is ${nearestOperator(other)}`;
  return badRequest(message, at, `one of ${OPERATORS.join(', ')}`);
}
