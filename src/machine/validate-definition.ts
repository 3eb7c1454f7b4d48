/**
 * Every check a definition must pass, and its normalised form. Takes anything at all: the input
 * is first copied to plain data, so nothing a caller hands in can act after that. Faults are
 * BAD_REQUEST with the path of the offending field, such as `transitions[3].guard`.
 */
import { badRequest } from '../base/errors.ts';
import type { Data, NormalisedDefinition } from './definition.ts';
import { asList, asObject, asState, checkCount, checkFields, field } from './field-reader.ts';
import { MAX_INDEXES, MAX_STATES, MAX_VERSION } from './limits.ts';
import { checkName, describe } from './name.ts';
import { put, takeDefinition, type Plain, type PlainObject } from './plain-data.ts';
import { readTimeouts } from './read-timeouts.ts';
import { readTransitions } from './read-transitions.ts';

const FIELDS = [
  'name',
  'version',
  'states',
  'initial',
  'transitions',
  'timeouts',
  'indexes',
  'meta',
] as const;

/**
 * Checks a definition and brings it into its normal form: repeats collapsed, `from` a list, guards
 * in normal form, durations in milliseconds, fields in a fixed order, absent where empty; frozen
 * through and through. The normal form is valid itself and its own normal form.
 *
 * @param input anything; data that was never type-checked is welcome.
 * @throws {StoreError} BAD_REQUEST - naming the first fault in `details.path`.
 * @example
 * const lamp = validateDefinition({
 *   name: 'lamp', version: 1, states: ['off', 'on'], initial: 'off',
 *   transitions: [{ from: 'off', event: 'PRESS', to: 'on' }],
 * });
 * lamp.transitions[0]?.from; // ['off']
 */
export function validateDefinition(input: unknown): NormalisedDefinition {
  return normalise(takeDefinition(input));
}

/**
 * The definition as written, but as frozen plain data with its fields in order.
 *
 * @internal
 */
export function plainDefinition(input: unknown): PlainObject {
  const taken = takeDefinition(input, 'types');
  const ordered: Record<string, Plain> = {};
  for (const name of [...FIELDS, ...Object.keys(taken)]) {
    const value = field(taken, name);
    if (value !== undefined) put(ordered, name, value);
  }
  return Object.freeze(ordered);
}

/**
 * The checks, for what is plain data already. Recovery makes them again on what the log holds: one
 * made stricter later turns stores that were written before into CORRUPT ones.
 *
 * @internal
 */
export function normalise(data: PlainObject): NormalisedDefinition {
  checkFields(data, '', FIELDS);
  const name = checkName(field(data, 'name'), 'name');
  const version = readVersion(field(data, 'version'));
  const states = readStates(field(data, 'states'));
  const initial = asState(field(data, 'initial'), 'initial', states);
  const rules = readTransitions(field(data, 'transitions'), states);
  const timeouts = readTimeouts(field(data, 'timeouts'), states, rules);
  const indexes = readIndexes(field(data, 'indexes'));
  const meta = readMeta(field(data, 'meta'));
  return Object.freeze({
    name,
    version,
    states: Object.freeze([...states]),
    initial,
    transitions: rules,
    ...(timeouts.length > 0 && { timeouts }),
    ...(indexes.length > 0 && { indexes }),
    ...(meta !== undefined && { meta }),
  });
}

function readVersion(value: Plain | undefined): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_VERSION) {
    return value === 0 ? 0 : value;
  }
  const expected = `integer from 0 to ${MAX_VERSION}`;
  throw badRequest(`version must be an ${expected}, not ${describe(value)}`, 'version', expected);
}

function readStates(value: Plain | undefined): ReadonlySet<string> {
  const list = asList(value, 'states');
  if (list.length === 0) throw badRequest('states is empty', 'states', 'at least one state');
  const states = new Set(list.map((state, i) => checkName(state, `states[${i}]`)));
  checkCount(states.size, MAX_STATES, 'states');
  return states;
}

/** @internal the paths alone, as a record of their own has them */
export function readIndexes(value: Plain | undefined): readonly string[] {
  if (value === undefined) return [];
  const paths = new Set<string>();
  for (const [i, item] of asList(value, 'indexes').entries()) {
    const at = `indexes[${i}]`;
    // As in filters, a leading './' says that a path and no operator is meant.
    const path = checkName(item, at).replace(/^\.\//, '');
    if (path.split('.').includes('')) {
      throw badRequest(`${at} has an empty part: ${describe(item)}`, at, "a dotted path, 'a.b'");
    }
    paths.add(path);
  }
  checkCount(paths.size, MAX_INDEXES, 'indexes');
  return Object.freeze([...paths]);
}

function readMeta(value: Plain | undefined): Readonly<Data> | undefined {
  if (value === undefined) return undefined;
  return asObject(sorted(asObject(value, 'meta')), 'meta');
}

/** Keys in one order, so that equal content is equal text; nesting was bounded when it was taken. */
function sorted(value: Plain): Plain {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(sorted));
  const copy: Record<string, Plain> = {};
  for (const key of Object.keys(value).sort())
    put(copy, key, sorted((value as PlainObject)[key] ?? null));
  return Object.freeze(copy);
}
