/**
 * Finds a walk in the order a query wants that meets a page of matches sooner than collecting all
 * matches and sorting them would.
 */
import { ByteWriter } from '../../base/bytes.ts';
import { ROW_FLAG } from '../../instance/row.ts';
import type { PathIndex } from '../../indexes/path-index.ts';
import { encodeKey } from '../../query/key.ts';
import { type KeyRange, VALUE_KEYS } from '../../query/key-range.ts';
import { conditionsOn } from '../../query/sargable.ts';
import type { State } from '../../state/state.ts';
import { countIn, listedStates, populationOf } from './access.ts';
import type { Bound, Ordering } from './ordering.ts';
import type { Selected } from './selection.ts';
import { ListWalk, endOf, placeOf } from './list-walk.ts';
import { SortedWalk, ValueWalk, type Walk, type Wanted } from './walks.ts';

/** A row met on a walk costs this much of one that is collected and kept in a heap. */
const WALK_COST = 2;

export interface OrderedQuery {
  readonly state: State;
  readonly selected: Selected;
  readonly ordering: Ordering;
  readonly bound: Bound | undefined;
  readonly wanted: Wanted;
  /** Rows wanted in all. */
  readonly most: number;
  /** About how many rows match, and what collecting them would cost. */
  readonly matches: number;
  readonly cost: number;
}

export interface OrderedWay {
  readonly walk: Walk;
  readonly text: () => string;
}

/** undefined: collect and sort. */
export function orderedWay(query: OrderedQuery): OrderedWay | undefined {
  const { by } = query.ordering.wanted;
  if (by === 'path') return alongValues(query);
  return (by === 'updatedAt' ? alongLists(query) : undefined) ?? alongSorted(query);
}

/** Is walking through `domain` rows, of which the matches are spread evenly, the cheaper way? */
function isWorthWhile(query: OrderedQuery, domain: number): boolean {
  const visited = Math.min(domain, (query.most * domain) / Math.max(1, query.matches));
  return WALK_COST * visited < query.cost;
}

function alongLists(query: OrderedQuery): OrderedWay | undefined {
  const { state, selected, ordering, bound, wanted, most } = query;
  const { isDescending } = ordering.wanted;
  const range = selected.updatedAt;
  // A range that begins somewhere inside is found by bisection instead.
  const near = isDescending ? range?.last === Infinity : range?.first === -Infinity;
  if (range !== undefined && !near) return undefined;
  const listed = listedStates(state, selected);
  if (!isWorthWhile(query, populationOf(listed))) return undefined;
  const lists = state.indexes.listsNow(state.offset);
  if (listed.some(({ definition, state: one }) => lists.headsOf(definition).isUnordered[one] === 1))
    return undefined;
  let places = listed.map((one) => endOf(lists, one, isDescending));
  if (bound !== undefined) {
    const start = listed.length === 1 ? resumeAt(state, selected, bound) : -1;
    if (start < 0) return undefined;
    places = [placeOf(state.instances, start)];
  }
  const walk = new ListWalk(state, lists, ordering, wanted, places, bound, most);
  const which = isDescending ? 'newest' : 'oldest';
  return {
    walk,
    text: () => `${listed.length} state list${listed.length === 1 ? '' : 's'}, ${which} first`,
  };
}

/** The row the page before ended with, if it still stands where it stood. */
function resumeAt(state: State, selected: Selected, bound: Bound): number {
  const { instances } = state;
  const handle = instances.ids.getBytes(bound.id, 0, bound.id.length);
  if (handle < 0 || instances.offset(handle) > bound.firstOffset) return -1;
  if (instances.updatedAt(handle) !== bound.value) return -1;
  if ((instances.flags(handle) & ROW_FLAG.deleted) !== 0) return -1;
  const isListed = selected.states[instances.definition(handle)]?.[instances.state(handle)] === 1;
  return isListed ? handle : -1;
}

function alongSorted(query: OrderedQuery): OrderedWay | undefined {
  const { state, ordering, bound, wanted, most, selected } = query;
  const { instances } = state;
  const { by } = ordering.wanted;
  if (by === 'path') return undefined;
  if (!isWorthWhile(query, instances.total)) return undefined;
  const sorted = state.indexes.sorted(by, state.offset);
  const walk = new SortedWalk(sorted, ordering, wanted, isBeforePage(query), most);
  const range =
    by === 'createdAt' ? selected.createdAt : by === 'updatedAt' ? selected.updatedAt : undefined;
  const limits = range === undefined ? '' : ` from ${range.first} to ${range.last}`;
  return {
    walk,
    text: () =>
      `all instances in order of ${by}${limits}${bound === undefined ? '' : ', behind the cursor'}`,
  };
}

/**
 * Where a walk along sorted rows begins. Ascending: rows before the page; descending: rows of the
 * page and behind it are "not before", so the answer is turned round.
 */
function isBeforePage({
  state,
  selected,
  ordering,
  bound,
}: OrderedQuery): (handle: number) => boolean {
  const { instances } = state;
  const { by, isDescending } = ordering.wanted;
  const range =
    by === 'createdAt' ? selected.createdAt : by === 'updatedAt' ? selected.updatedAt : undefined;
  const timeOf = (handle: number): number =>
    by === 'createdAt' ? instances.createdAt(handle) : instances.updatedAt(handle);
  return (handle) => {
    if (range !== undefined) {
      const time = timeOf(handle);
      if (!isDescending && time < range.first) return true;
      if (isDescending && time > range.last) return true;
    }
    return bound !== undefined && ordering.compareToBound(handle, bound) <= 0;
  };
}

function alongValues(query: OrderedQuery): OrderedWay | undefined {
  const { state, selected, ordering, bound, wanted, most } = query;
  const { path } = ordering.wanted;
  const { group } = selected;
  if (group === undefined) return undefined;
  const index = state.indexes.pathsOf(group, state.offset)?.find(path);
  if (index?.tellsOrder !== true) return undefined;
  const range = rangeOn(selected, path);
  if (!isWorthWhile(query, countIn(index, range))) return undefined;
  const from = bound === undefined ? undefined : clamped(keyOf(bound), range);
  return {
    walk: new ValueWalk(index, state.instances, ordering, wanted, range, from, most),
    text: () => `index ${path} in order`,
  };
}

/** Keys between the ends of what the filter says of the path. */
function rangeOn(selected: Selected, path: string): KeyRange {
  for (const { name, of, ranges } of conditionsOn(selected.where)) {
    const [first] = ranges;
    const last = ranges.at(-1);
    if (name === path && of === 'value' && first !== undefined && last !== undefined)
      return { low: first.low, high: last.high, isPoint: false };
  }
  return VALUE_KEYS;
}

function keyOf(bound: Bound): Uint8Array {
  const writer = new ByteWriter(64);
  encodeKey(bound.value, writer);
  return Uint8Array.from(writer.bytes.subarray(0, writer.position));
}

/** A cursor of the same query lies inside its range; one beyond begins at the end. */
function clamped(key: Uint8Array, range: KeyRange): Uint8Array {
  if (Buffer.compare(key, range.low) < 0) return range.low;
  return Buffer.compare(key, range.high) > 0 ? range.high : key;
}

export function pathIndexOf(state: State, selected: Selected, path: string): PathIndex | undefined {
  const { group } = selected;
  return group === undefined ? undefined : state.indexes.pathsOf(group, state.offset)?.find(path);
}
