/**
 * What a query selects, read and checked once: machine, version, states, times and the filter. Knows
 * nothing of indexes; the planner (plan.ts) decides how to find it.
 */
import { badRequest } from '../../base/errors.ts';
import type { Definition, MachineGroup } from '../../instance/machine-store.ts';
import { parseFilter } from '../../query/parse-filter.ts';
import { parsePath, pathText } from '../../query/paths.ts';
import { canonicalText, pathsIn, type Predicate } from '../../query/predicate.ts';
import { parseTimeRange, type TimeRange } from '../../query/time-range.ts';
import type { State } from '../../state/state.ts';
import type { PageOptions, Query } from '../api/query.ts';
import { LIMITS } from '../limits.ts';
import { asRefusal, checkName, describe } from '../write-options.ts';

export const SELECTION_FIELDS: readonly string[] = [
  'machine',
  'version',
  'state',
  'where',
  'createdAt',
  'updatedAt',
  'allowScan',
];
export const QUERY_FIELDS: readonly string[] = [...SELECTION_FIELDS, 'orderBy', 'direction'];
export const PAGE_FIELDS: readonly string[] = [...QUERY_FIELDS, 'limit', 'cursor', 'total'];

export type AnyQuery = { machine?: string | undefined } & Query & PageOptions;

export interface Selected {
  /** Only this machine; undefined when the query names none, or one that is not there. */
  readonly group: MachineGroup | undefined;
  /** By definition index, 1 for each state that is wanted; undefined when none is. */
  readonly states: readonly (Uint8Array | undefined)[];
  readonly hasStates: boolean;
  readonly hasVersion: boolean;
  readonly where: Predicate;
  readonly createdAt: TimeRange | undefined;
  readonly updatedAt: TimeRange | undefined;
  readonly allowScan: boolean;
  /** The same selection has the same text. */
  readonly text: string;
}

/** Is there nothing to look at but definition and state? Then counters know how many match. */
export function isPlain(selected: Selected): boolean {
  const { where, createdAt, updatedAt } = selected;
  return where.kind === 'true' && createdAt === undefined && updatedAt === undefined;
}

/**
 * @param input own fields of what the caller passed.
 * @param machine of the handle that is asked; a query must not name another.
 * @throws {StoreError} BAD_REQUEST
 */
export function readSelection(
  state: State,
  input: AnyQuery | undefined,
  machine: string | undefined,
  fields: readonly string[],
): Selected {
  const query: AnyQuery = input ?? {};
  for (const [field, value] of Object.entries(query)) {
    const isBoundTwice = field === 'machine' && machine !== undefined;
    if (value === undefined || (fields.includes(field) && !isBoundTwice)) continue;
    throw badRequest(`unknown field ${JSON.stringify(field)} in the query`, field);
  }
  const name =
    machine ?? (query.machine === undefined ? undefined : checkName(query.machine, 'machine'));
  const { version } = query;
  if (version !== undefined && !Number.isInteger(version))
    throw badRequest('version must be an integer', 'version', 'integer');
  const wanted = checkStates(query.state);
  const where = parseFilter(query.where, 'where');
  const createdAt = parseTimeRange(query.createdAt, 'createdAt');
  const updatedAt = parseTimeRange(query.updatedAt, 'updatedAt');
  const { allowScan = false } = query;
  if (typeof allowScan !== 'boolean')
    throw badRequest('allowScan must be a boolean', 'allowScan', 'boolean');
  const isOther = (definition: Definition): boolean =>
    (name !== undefined && definition.machine.name !== name) ||
    (version !== undefined && definition.version !== version);
  const states = state.machines
    .all()
    .map((definition) => (isOther(definition) ? undefined : statesOf(definition, wanted)));
  return {
    group: name === undefined ? undefined : state.machines.group(name),
    states,
    hasStates: wanted !== undefined,
    hasVersion: version !== undefined,
    where,
    createdAt,
    updatedAt,
    allowScan,
    get text(): string {
      const times = [createdAt, updatedAt].map((range) => [range?.first, range?.last].map(String));
      const facts = [name ?? null, version ?? null, wanted ?? null, times];
      return `${JSON.stringify(facts)} ${canonicalText(where)}`;
    },
  };
}

/** @throws {StoreError} BAD_REQUEST - a path of the filter that is no declared index, and scanning was not allowed. */
export function checkDeclared(state: State, selected: Selected): void {
  if (selected.allowScan) return;
  for (const path of pathsIn(selected.where))
    for (const group of groupsOf(state, selected)) checkIndex(group, path, 'where');
}

/** @throws {StoreError} BAD_REQUEST */
function checkIndex(group: MachineGroup, path: string, at: string): void {
  if (group.indexes.includes(path)) return;
  throw badRequest(
    `${JSON.stringify(path)} is no index of machine ${JSON.stringify(group.name)}: declare it in 'indexes', or allow a scan of all its instances with allowScan`,
    at === 'where' ? `where.${path}` : at,
    'a declared index, or allowScan',
  );
}

/** Machines the selection may find something of. */
function groupsOf(state: State, selected: Selected): Set<MachineGroup> {
  const groups = new Set<MachineGroup>();
  selected.states.forEach((states, index) => {
    if (states !== undefined) groups.add(state.machines.at(index).machine);
  });
  return groups;
}

function checkStates(state: unknown): readonly string[] | undefined {
  if (state === undefined) return undefined;
  if (!Array.isArray(state)) return [checkName(state, 'state')];
  let list: unknown[];
  try {
    list = Array.from<unknown>(state);
  } catch (error) {
    throw asRefusal(error, 'state');
  }
  return list.map((one, i) => checkName(one, `state[${i}]`)).sort();
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

/** @throws {StoreError} BAD_REQUEST */
export function wantsTotal(query: AnyQuery | undefined): boolean {
  const total: unknown = query?.total;
  if (total === undefined || typeof total === 'boolean') return total === true;
  throw badRequest('total must be a boolean', 'total', 'boolean');
}

/** How a query wants its answer ordered. */
export interface WantedOrder {
  readonly by: 'id' | 'createdAt' | 'updatedAt' | 'path';
  /** Of 'path', as indexes are declared by. */
  readonly path: string;
  readonly names: readonly string[];
  readonly isDescending: boolean;
}

/** @throws {StoreError} BAD_REQUEST */
export function readOrder(
  state: State,
  selected: Selected,
  query: AnyQuery | undefined,
): WantedOrder {
  const direction: unknown = query?.direction;
  if (direction !== undefined && direction !== 'asc' && direction !== 'desc')
    throw badRequest("direction must be 'asc' or 'desc'", 'direction', 'asc or desc');
  const isDescending = direction === 'desc';
  const by: unknown = query?.orderBy === undefined ? 'id' : query.orderBy;
  if (by === 'id' || by === 'createdAt' || by === 'updatedAt')
    return { by, path: by, names: [], isDescending };
  if (typeof by !== 'string')
    throw badRequest(`orderBy must be a string, not ${describe(by)}`, 'orderBy', 'string');
  const names = parsePath(by, 'orderBy');
  const path = pathText(names);
  if (!selected.allowScan)
    for (const group of groupsOf(state, selected)) checkIndex(group, path, 'orderBy');
  return { by: 'path', path, names, isDescending };
}
