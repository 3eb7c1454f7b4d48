/** Scopes between what callers write and what is kept: text 'kind:id', empty for the global one. */
import { badRequest } from '../../base/errors.ts';
import { readItems } from '../../query/plain-input.ts';
import type { Scope, ScopeKind } from '../api/collection.ts';
import { checkName, ownFields } from '../write-options.ts';

export const GLOBAL_SCOPE = '';
const KINDS: readonly string[] = [
  'user',
  'session',
  'agent',
  'tool',
  'workflow',
  'hook',
  'custom',
  'tenant',
] satisfies ScopeKind[];
/** With the longest kind and the colon an id of the id table. */
const MAX_SCOPE_ID_BYTES = 1000;
const MAX_SCOPES = 10_000;
const EXPECTED = `'global', or { kind, id } with a kind of ${KINDS.join(', ')}`;

/** @throws {StoreError} BAD_REQUEST */
export function checkScope(value: unknown, path: string): string {
  if (value === 'global') return GLOBAL_SCOPE;
  const isObject = typeof value === 'object' && value !== null;
  const fields = isObject ? ownFields(value, path) : undefined;
  if (fields === undefined) throw badRequest(`${path} must be ${EXPECTED}`, path, EXPECTED);
  const { kind, id, ...others } = fields as { kind?: unknown; id?: unknown };
  const [other] = Object.keys(others);
  if (other !== undefined) throw badRequest(`${path} has no field ${JSON.stringify(other)}`, path);
  if (typeof kind !== 'string' || !KINDS.includes(kind))
    throw badRequest(`${path}.kind must be one of ${KINDS.join(', ')}`, `${path}.kind`, EXPECTED);
  return `${kind}:${checkName(id, `${path}.id`, MAX_SCOPE_ID_BYTES)}`;
}

/** What a search or count goes over: undefined for all. A scoped handle reaches nothing else. @throws {StoreError} BAD_REQUEST */
export function checkScopes(
  value: unknown,
  path: string,
  bound: string | undefined,
): ReadonlySet<string> | undefined {
  if (value === undefined) return new Set([bound ?? GLOBAL_SCOPE]);
  if (value === 'all') {
    if (bound === undefined) return undefined;
    throw badRequest(`${path}: this handle reaches its own scope only`, path, 'its scope');
  }
  const scopes = Array.isArray(value)
    ? readItems(value, path, MAX_SCOPES).map((one, i) => checkScope(one, `${path}[${i}]`))
    : [checkScope(value, path)];
  for (const scope of scopes) checkBound(scope, path, bound);
  return new Set(scopes);
}

/** @throws {StoreError} BAD_REQUEST - not the scope of the handle */
export function checkBound(scope: string, path: string, bound: string | undefined): void {
  if (bound === undefined || scope === bound) return;
  throw badRequest(`${path}: this handle reaches its own scope only`, path, 'its scope');
}

export function scopeOf(text: string): Scope {
  if (text === GLOBAL_SCOPE) return 'global';
  const colon = text.indexOf(':');
  return { kind: text.slice(0, colon) as ScopeKind, id: text.slice(colon + 1) };
}
