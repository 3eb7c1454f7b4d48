/**
 * Takes a copy of a caller's value as plain data, reading every property exactly once, so that
 * getters and proxies have no say afterwards. Everything that is not JSON data or a 64-bit bigint
 * is refused with its path. The copy is deeply frozen and shares nothing with the original.
 */
import { badRequest, StoreError } from '../base/errors.ts';
import { MAX_DEFINITION_VALUES, MAX_NESTING } from './limits.ts';
import { describe, fieldPath, isWellFormed } from './name.ts';

export interface PlainObject {
  readonly [key: string]: Plain;
}
export type Plain = null | boolean | number | bigint | string | readonly Plain[] | PlainObject;

const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;
const PLAIN = 'null, boolean, finite number, 64-bit bigint, text, list or plain object';

/** What the walk knows at one place of the value. */
interface Place {
  readonly path: string;
  /** Containers around and including this value; the fields of the definition are level 1. */
  readonly level: number;
  /** Is undefined a fault here, or does it count as absent? */
  readonly refusesUndefined: boolean;
}

/** What the walk carries along. */
interface Walk {
  /** Objects being copied right now, from the outermost inwards. */
  readonly ancestors: Set<object>;
  values: number;
}

/** True for objects of `{}` and `Object.create(null)`, of any realm; not for lists, dates, class instances. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Copies a definition. The field `skip` is not even read. A field that is undefined counts as
 * absent, except inside `meta`, whose content must be data through and through.
 *
 * @throws {StoreError} BAD_REQUEST - naming the first thing that is no data.
 */
export function takeDefinition(definition: unknown, skip?: string): PlainObject {
  const root = 'definition';
  if (typeof definition !== 'object' || definition === null) {
    throw badRequest(
      `a definition is an object, not ${describe(definition)}`,
      root,
      'plain object',
    );
  }
  const seen = look(definition, root);
  if (seen.kind !== 'fields')
    throw badRequest('a definition is a plain object', root, 'plain object');
  const walk: Walk = { ancestors: new Set([definition]), values: 0 };
  const copy: Record<string, Plain> = {};
  for (const key of seen.keys) {
    if (key === skip) continue;
    const path = fieldPath('', key);
    const field = take(definition, key, { path, level: 1, refusesUndefined: key === 'meta' }, walk);
    if (field !== undefined) put(copy, key, field);
  }
  return Object.freeze(copy);
}

/** Reads one property, once, and copies what it holds; undefined where that counts as absent. */
function take(owner: object, key: string | number, place: Place, walk: Walk): Plain | undefined {
  const { path, level } = place;
  const value = read(owner, key, path);
  if (++walk.values > MAX_DEFINITION_VALUES) {
    throw badRequest(`more than ${MAX_DEFINITION_VALUES} values`, path, 'a smaller definition');
  }
  if (value === undefined && (!place.refusesUndefined || level === 1)) return undefined;
  if (typeof value !== 'object' || value === null) return takeLeaf(value, path);
  if (level > MAX_NESTING) {
    throw badRequest(`more than ${MAX_NESTING} levels of nesting`, path, 'less nesting');
  }
  if (walk.ancestors.has(value)) throw badRequest(`${path} contains itself`, path, 'no cycles');
  walk.ancestors.add(value);
  const copy = takeContainer(value, place, walk);
  walk.ancestors.delete(value);
  return copy;
}

function takeContainer(value: object, place: Place, walk: Walk): Plain {
  const { path, refusesUndefined } = place;
  const level = place.level + 1;
  const seen = look(value, path);
  if (seen.kind === 'other') {
    throw badRequest(`${path} is an instance of a class, which is no data`, path, PLAIN);
  }
  if (seen.kind === 'list') {
    const list: Plain[] = [];
    for (let i = 0; i < seen.keys.length; i++) {
      const at = `${path}[${i}]`;
      const item = take(value, i, { path: at, level, refusesUndefined }, walk);
      if (item === undefined) throw badRequest(`${at} is missing`, at, PLAIN);
      list.push(item);
    }
    return Object.freeze(list);
  }
  const object: Record<string, Plain> = {};
  for (const key of seen.keys) {
    const field = take(value, key, { path: fieldPath(path, key), level, refusesUndefined }, walk);
    if (field !== undefined) put(object, key, field);
  }
  return Object.freeze(object);
}

function takeLeaf(value: unknown, path: string): Plain {
  if (value === null || typeof value === 'boolean') return value;
  // Adding 0 turns -0 into 0: a definition means the same with either, and its log record keeps no sign of zero.
  if (typeof value === 'number' && Number.isFinite(value)) return value + 0;
  if (typeof value === 'string') {
    if (isWellFormed(value)) return value;
    throw badRequest(`${path} holds half a surrogate pair`, path, 'well-formed Unicode');
  }
  if (typeof value === 'bigint') {
    if (value >= MIN_INT64 && value <= MAX_UINT64) return value;
    throw badRequest(`${path} does not fit into 64 bits`, path, '64-bit integer');
  }
  throw badRequest(`${path} is ${describe(value)}, which is no data`, path, PLAIN);
}

type Kind = 'list' | 'fields' | 'other';

/** What sort of container this is and its keys, as far as they are data. */
function look(value: object, path: string): { kind: Kind; keys: readonly string[] } {
  const { kind, keys, hasSymbols, length } = inspect(value, path);
  if (hasSymbols) throw badRequest(`${path} has a symbol as a key`, path, 'text as keys');
  if (kind === 'list' && keys.length !== length) {
    throw badRequest(`${path} has holes or named properties`, path, 'a dense list');
  }
  if (!keys.every(isWellFormed)) {
    throw badRequest(`a key of ${path} holds half a surrogate pair`, path, 'well-formed Unicode');
  }
  return { kind, keys };
}

interface Inspected {
  kind: Kind;
  keys: readonly string[];
  hasSymbols: boolean;
  length: number;
}

/** All that may run a proxy's traps, besides reading a property. */
function inspect(value: object, path: string): Inspected {
  try {
    const isList = Array.isArray(value);
    const isEnumerable = (key: symbol): boolean =>
      Object.getOwnPropertyDescriptor(value, key)?.enumerable === true;
    const kind = isList ? 'list' : isPlainObject(value) ? 'fields' : 'other';
    return {
      kind,
      // Of what is refused anyway they are not asked for: a buffer has one for every byte.
      keys: kind === 'other' ? [] : Object.keys(value),
      hasSymbols: Object.getOwnPropertySymbols(value).some(isEnumerable),
      length: isList ? value.length : 0,
    };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function read(owner: object, key: string | number, path: string): unknown {
  try {
    return (owner as Readonly<Record<string | number, unknown>>)[key];
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): StoreError {
  const details = { path, expected: 'plain data' };
  return new StoreError('BAD_REQUEST', `${path} cannot be read: it throws`, { details, cause });
}

/** As assignment, except that `__proto__` is a key like any other. */
export function put(object: Record<string, Plain>, key: string, value: Plain): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    object[key] = value;
  }
}
