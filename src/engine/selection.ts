/** What a query selects, checked: by definition, the states that match. Shared by all that scan. */
import { badRequest, StoreError } from '../base/errors.ts';
import type { Definition } from '../instance/machine-store.ts';
import type { State } from '../state/state.ts';
import type { PageOptions, Query } from './api/query.ts';
import { LIMITS } from './limits.ts';
import { checkName, checkObject, describe } from './write-options.ts';

export const SELECTION_FIELDS: readonly string[] = ['machine', 'version', 'state'];
export const QUERY_FIELDS: readonly string[] = [...SELECTION_FIELDS, 'orderBy', 'direction'];
export const PAGE_FIELDS: readonly string[] = [...QUERY_FIELDS, 'limit', 'cursor', 'total'];
/** Named in docs/ for later versions; here they are refused, not ignored. */
const LATER_FIELDS: readonly string[] = ['where', 'createdAt', 'updatedAt', 'allowScan'];

export type AnyQuery = { machine?: string | undefined } & Query & PageOptions;

export interface Matcher {
  /** By definition index, 1 for each state that matches; undefined when none does. */
  readonly states: readonly (Uint8Array | undefined)[];
  /** The same selection has the same text. */
  readonly text: string;
}

export function isMatch(matcher: Matcher, definition: number, state: number): boolean {
  return matcher.states[definition]?.[state] === 1;
}

/** @throws {StoreError} BAD_REQUEST, UNSUPPORTED */
export function matcherFor(
  state: State,
  input: AnyQuery | undefined,
  machine: string | undefined,
  fields: readonly string[],
): Matcher {
  const query = checkObject(input, 'query') ?? {};
  for (const [field, value] of Object.entries(query)) {
    const isBoundTwice = field === 'machine' && machine !== undefined;
    if (value === undefined || (fields.includes(field) && !isBoundTwice)) continue;
    if (LATER_FIELDS.includes(field)) throw unsupported(`selecting by ${field}`, field);
    throw badRequest(`unknown field ${JSON.stringify(field)} in the query`, field);
  }
  const name =
    machine ?? (query.machine === undefined ? undefined : checkName(query.machine, 'machine'));
  if (query.version !== undefined && !Number.isInteger(query.version))
    throw badRequest('version must be an integer', 'version', 'integer');
  const wanted = checkStates(query.state);
  const states = state.machines.all().map((definition) => {
    const isOther =
      (name !== undefined && definition.machine.name !== name) ||
      (query.version !== undefined && definition.version !== query.version);
    return isOther ? undefined : statesOf(definition, wanted);
  });
  return { states, text: JSON.stringify([name ?? null, query.version ?? null, wanted ?? null]) };
}

function checkStates(state: unknown): readonly string[] | undefined {
  if (state === undefined) return undefined;
  const list: unknown[] = Array.isArray(state) ? state : [state];
  return list
    .map((one, i) => checkName(one, Array.isArray(state) ? `state[${i}]` : 'state'))
    .sort();
}

function statesOf(definition: Definition, wanted: readonly string[] | undefined): Uint8Array {
  const { states } = definition.compiled;
  if (wanted === undefined) return new Uint8Array(states.length).fill(1);
  return Uint8Array.from(states, (state) => (wanted.includes(state) ? 1 : 0));
}

/** Items of a page. @throws {StoreError} BAD_REQUEST */
export function limitOf(query: AnyQuery | undefined): number {
  const limit: unknown = query?.limit;
  if (limit === undefined) return LIMITS.defaultPageItems;
  if (Number.isInteger(limit) && (limit as number) >= 1 && (limit as number) <= LIMITS.pageItems)
    return limit as number;
  throw badRequest(
    `limit must be an integer from 1 to ${LIMITS.pageItems}, not ${typeof limit === 'number' ? limit : describe(limit)}`,
    'limit',
    `1 to ${LIMITS.pageItems}`,
  );
}

/** @throws {StoreError} BAD_REQUEST, UNSUPPORTED */
export function isDescending(query: Query | undefined): boolean {
  const orderBy: unknown = query?.orderBy;
  if (orderBy !== undefined && orderBy !== 'id') {
    if (typeof orderBy !== 'string')
      throw badRequest(`orderBy must be a string, not ${describe(orderBy)}`, 'orderBy', 'string');
    throw unsupported(`ordering by ${orderBy}`, 'orderBy');
  }
  const direction: unknown = query?.direction;
  if (direction !== undefined && direction !== 'asc' && direction !== 'desc') {
    throw badRequest("direction must be 'asc' or 'desc'", 'direction', 'asc or desc');
  }
  return direction === 'desc';
}

function unsupported(what: string, path: string): StoreError {
  return new StoreError('UNSUPPORTED', `${what} is not supported yet`, { details: { path } });
}
