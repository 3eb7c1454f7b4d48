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

const SELECTION = ['machine', 'version', 'state', 'where', 'createdAt', 'updatedAt', 'allowScan'];
export const SELECTION_FIELDS: ReadonlySet<string> = new Set(SELECTION);
export const QUERY_FIELDS: ReadonlySet<string> = new Set([...SELECTION, 'orderBy', 'direction']);
export const PAGE_FIELDS: ReadonlySet<string> = new Set([
  ...QUERY_FIELDS,
  'limit',
  'cursor',
  'total',
]);

export type AnyQuery = { machine?: string | undefined } & Query & PageOptions;

export interface Selected {
  /** What the query names. */
  readonly machine: string | undefined;
  readonly version: number | undefined;
  readonly wanted: readonly string[] | undefined;
  /** Only this machine; undefined when the query names none, or one that is not there. */
  readonly group: MachineGroup | undefined;
  /** By definition index, 1 for each state that is wanted; undefined when none is. */
  readonly states: readonly (Uint8Array | undefined)[];
  readonly where: Predicate;
  readonly createdAt: TimeRange | undefined;
  readonly updatedAt: TimeRange | undefined;
  readonly allowScan: boolean;
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
  fields: ReadonlySet<string>,
): Selected {
  const query: AnyQuery = input ?? EVERYTHING;
  for (const field of Object.keys(query)) {
    const isBoundTwice = field === 'machine' && machine !== undefined;
    if (fields.has(field) && !isBoundTwice) continue;
    if (query[field as keyof AnyQuery] === undefined) continue;
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
  const states: (Uint8Array | undefined)[] = [];
  for (const definition of state.machines.all()) {
    const isOther =
      (name !== undefined && definition.machine.name !== name) ||
      (version !== undefined && definition.version !== version);
    states.push(isOther ? undefined : statesOf(definition, wanted));
  }
  const group = name === undefined ? undefined : state.machines.group(name);
  return { machine: name, version, wanted, group, states, where, createdAt, updatedAt, allowScan };
}

const EVERYTHING: AnyQuery = Object.freeze({});

/** The same selection has the same text. */
export function textOf({
  machine,
  version,
  wanted,
  createdAt,
  updatedAt,
  where,
}: Selected): string {
  const times = [createdAt, updatedAt].map((range) => [range?.first, range?.last].map(String));
  const facts = [machine ?? null, version ?? null, wanted ?? null, times];
  return `${JSON.stringify(facts)} ${canonicalText(where)}`;
}

/** @throws {StoreError} BAD_REQUEST - a path of the filter that is no declared index, and scanning was not allowed. */
export function checkDeclared(state: State, selected: Selected): void {
  const { allowScan, where } = selected;
  if (allowScan || where.kind === 'true') return;
  const groups = groupsOf(state, selected);
  for (const path of pathsIn(where)) for (const group of groups) checkIndex(group, path, 'where');
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
function groupsOf(state: State, { states }: Selected): MachineGroup[] {
  const groups: MachineGroup[] = [];
  for (let index = 0; index < states.length; index++) {
    if (states[index] === undefined) continue;
    const { machine } = state.machines.at(index);
    if (!groups.includes(machine)) groups.push(machine);
  }
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
  const marks = new Uint8Array(states.length);
  if (wanted === undefined) return marks.fill(1);
  for (const name of wanted) {
    const index = states.indexOf(name);
    if (index >= 0) marks[index] = 1;
  }
  return marks;
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
