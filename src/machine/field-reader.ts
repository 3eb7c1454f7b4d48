/**
 * Reads the fields of plain data (see plain-data.ts) against what a definition may hold: the
 * checks every part of a definition shares. Errors name the path of the offending field.
 */
import { badRequest } from '../base/errors.ts';
import { checkName, describe, fieldPath } from './name.ts';
import type { Plain, PlainObject } from './plain-data.ts';

/**
 * Refuses fields nobody knows: a misspelt `guard` must not open a gate.
 *
 * @throws {StoreError} BAD_REQUEST
 */
export function checkFields(object: PlainObject, path: string, known: readonly string[]): void {
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const at = fieldPath(path, unknown);
  throw badRequest(`${at} is no field of a definition`, at, `one of ${known.join(', ')}`);
}

/** An own field, undefined when absent. */
export function field(object: PlainObject, name: string): Plain | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** @throws {StoreError} BAD_REQUEST - when it is absent or no plain object. */
export function asObject(value: Plain | undefined, path: string): PlainObject {
  if (typeof value !== 'object' || value === null || isList(value)) {
    throw badRequest(`${path} must be an object, not ${describe(value)}`, path, 'object');
  }
  return value;
}

/** @throws {StoreError} BAD_REQUEST - when it is absent or no list. */
export function asList(value: Plain | undefined, path: string): readonly Plain[] {
  if (isList(value)) return value;
  throw badRequest(`${path} must be a list, not ${describe(value)}`, path, 'list');
}

/** @throws {StoreError} BAD_REQUEST - when it is no name, or not one of the states. */
export function asState(
  value: Plain | undefined,
  path: string,
  states: ReadonlySet<string>,
): string {
  const state = checkName(value, path);
  if (states.has(state)) return state;
  throw badRequest(`${path} is ${describe(state)}, which is not in states`, path, 'one of states');
}

/** @throws {StoreError} BAD_REQUEST - when there are more than `max`. */
export function checkCount(count: number, max: number, path: string): void {
  if (count > max) throw badRequest(`${path}: more than ${max}`, path, `at most ${max}`);
}

/** Array.isArray does not see readonly lists. */
export function isList(value: Plain | undefined): value is readonly Plain[] {
  return Array.isArray(value);
}
