/** find, iterate and count over applied rows, as callers see them: pages, cursors, instances. */
import { decodeCursor, encodeCursor } from '../../query/cursor.ts';
import { shortHash } from '../../query/short-hash.ts';
import type { State } from '../../state/state.ts';
import type { Instance } from '../api/instance.ts';
import type { Page, Query, Selection } from '../api/query.ts';
import type { Reads } from '../reads.ts';
import { instanceAt, instancesAt } from '../results.ts';
import { ownFields } from '../write-options.ts';
import { type Bound, boundOf, type Ordering } from './ordering.ts';
import { RowTest } from './row-test.ts';
import { countMatches, search } from './search.ts';
import {
  type AnyQuery,
  PAGE_FIELDS,
  QUERY_FIELDS,
  SELECTION_FIELDS,
  type Selected,
  type WantedOrder,
  checkDeclared,
  limitOf,
  readOrder,
  readSelection,
  textOf,
  wantsTotal,
} from './selection.ts';

/** A query for a page, read and checked. */
export interface PageQuery {
  readonly selected: Selected;
  readonly order: WantedOrder;
  readonly limit: number;
  readonly wantsTotal: boolean;
  readonly bound: Bound | undefined;
  /** Names the query and the store: cursors of another do not fit. Made only where there is a cursor. */
  readonly identity: () => string;
}

/** @throws {StoreError} BAD_REQUEST */
export function readPageQuery(
  state: State,
  storeId: string,
  input: AnyQuery | undefined,
  machine: string | undefined,
): PageQuery {
  const query = ownFields(input, 'query');
  const selected = readSelection(state, query, machine, PAGE_FIELDS);
  const order = readOrder(state, selected, query);
  checkDeclared(state, selected);
  const limit = limitOf(query);
  const identity = (): string => identityOf(storeId, selected, order);
  const cursor = query?.cursor;
  const bound = cursor === undefined ? undefined : boundOf(decodeCursor(cursor, identity()));
  return { selected, order, limit, wantsTotal: wantsTotal(query), bound, identity };
}

function identityOf(storeId: string, selected: Selected, order: WantedOrder): string {
  const facts = [storeId, order.by, order.path, order.isDescending, textOf(selected)];
  return shortHash(JSON.stringify(facts));
}

/** The cursor behind an instance with this sort value. */
export function cursorBehind(
  { identity, bound, order }: PageQuery,
  offset: number,
  value: Bound['value'],
  id: string,
): string {
  const firstOffset = bound?.firstOffset ?? offset;
  const direction = order.isDescending ? 'desc' : 'asc';
  return encodeCursor(identity(), { firstOffset, direction, value, id });
}

export function find(
  reads: Reads,
  storeId: string,
  query: AnyQuery | undefined,
  machine: string | undefined,
): Page<Instance> {
  reads.admit();
  const { state } = reads;
  const page = readPageQuery(state, storeId, query, machine);
  const { selected, order, bound, limit } = page;
  const { handles, total, ordering, plan } = search({
    state,
    selected,
    order,
    bound,
    most: limit + 1,
    wantsTotal: page.wantsTotal,
  });
  const items = instancesAt(state, handles, Math.min(limit, handles.length));
  const hasMore = handles.length > limit;
  const cursor = hasMore
    ? cursorAt(page, state, ordering, handles[limit - 1] as number)
    : undefined;
  return pageOf(items, cursor, total, plan);
}

/** Members that say nothing are left out. */
export function pageOf(
  items: readonly Instance[],
  cursor: string | undefined,
  total: number | undefined,
  plan: string,
): Page<Instance> {
  if (total === undefined) return cursor === undefined ? { items, plan } : { items, cursor, plan };
  return cursor === undefined ? { items, total, plan } : { items, cursor, total, plan };
}

function cursorAt(page: PageQuery, state: State, ordering: Ordering, handle: number): string {
  const id = state.instances.idText(handle);
  return cursorBehind(page, state.offset, ordering.sortValue(handle), id);
}

/** The matches at the moment of the call, in order; those that stop matching before their turn are left out. */
export function iterate(
  reads: Reads,
  input: ({ machine?: string | undefined } & Query) | undefined,
  machine: string | undefined,
): IterableIterator<Instance> {
  reads.admit();
  const query = ownFields(input, 'query');
  const { state } = reads;
  const selected = readSelection(state, query, machine, QUERY_FIELDS);
  const order = readOrder(state, selected, query);
  checkDeclared(state, selected);
  const found = search({
    state,
    selected,
    order,
    bound: undefined,
    most: Infinity,
    wantsTotal: false,
  });
  const handles = Uint32Array.from(found.handles);
  const generations = Uint16Array.from(handles, (handle) => state.instances.generation(handle));
  return walk(reads, selected, handles, generations);
}

function* walk(
  reads: Reads,
  selected: Selected,
  handles: Uint32Array,
  generations: Uint16Array,
): IterableIterator<Instance> {
  const { state } = reads;
  const test = new RowTest(state, selected, selected.where);
  for (let i = 0; i < handles.length; i++) {
    reads.admit();
    const handle = handles[i] as number;
    if (state.instances.generation(handle) !== generations[i] || !test.passes(handle)) continue;
    yield materialise(reads, handle);
  }
}

export function count(
  reads: Reads,
  input: ({ machine?: string | undefined } & Selection) | undefined,
  machine: string | undefined,
): number {
  reads.admit();
  const selection = ownFields(input, 'query');
  const known = machine === undefined ? undefined : countInState(reads.state, selection, machine);
  if (known !== undefined) return known;
  const selected = readSelection(reads.state, selection, machine, SELECTION_FIELDS);
  checkDeclared(reads.state, selected);
  return countMatches(reads.state, selected);
}

/** The question asked most, of a counter: a reading of the whole query would cost ten times the answer (bench find). */
function countInState(
  state: State,
  selection: Selection | undefined,
  machine: string,
): number | undefined {
  if (selection === undefined || Object.keys(selection).length !== 1) return undefined;
  const name: unknown = selection.state;
  if (typeof name !== 'string' || name === '') return undefined;
  let found = 0;
  for (const definition of state.machines.group(machine)?.versions.values() ?? []) {
    const index = definition.compiled.states.indexOf(name);
    if (index >= 0) found += definition.population[index] as number;
  }
  return found;
}

function materialise(reads: Reads, handle: number): Instance {
  const { state } = reads;
  return instanceAt(state, handle, state.instances.idText(handle), reads.definition(handle));
}
