/**
 * find, iterate and count by machine, version and state, in id order: a plain scan over the packed
 * rows. A page costs one pass, and only its rows are decoded.
 */
import { ROW, ROW_FLAG } from '../instance/row.ts';
import type { Instance } from './api/instance.ts';
import type { Page, Query, Selection } from './api/query.ts';
import { decodeCursor, encodeCursor, identityOf } from './cursor.ts';
import { FirstFew } from './first-few.ts';
import type { State } from '../state/state.ts';
import type { Reads } from './reads.ts';
import { instanceAt } from './results.ts';
import {
  type AnyQuery,
  isDescending,
  isMatch,
  limitOf,
  type Matcher,
  matcherFor,
  PAGE_FIELDS,
  QUERY_FIELDS,
  SELECTION_FIELDS,
} from './selection.ts';

const SEGMENT_ROWS = 65_536;

type Order = (a: number, b: number) => number;

export function find(
  reads: Reads,
  storeId: string,
  query: AnyQuery | undefined,
  machine: string | undefined,
): Page<Instance> {
  reads.admit();
  const matcher = matcherFor(reads.state, query, machine, PAGE_FIELDS);
  const limit = limitOf(query);
  const descending = isDescending(query);
  const identity = identityOf(storeId, matcher.text, descending);
  const after = query?.cursor === undefined ? undefined : decodeCursor(query.cursor, identity);
  const { first: sorted, matches } = firstMatches(
    reads.state,
    matcher,
    descending,
    after,
    limit + 1,
  );
  const items = sorted.slice(0, limit).map((handle) => materialise(reads, handle));
  const last = items.at(-1);
  const total = reads.state.instances.total;
  return {
    items,
    ...(sorted.length > limit && last !== undefined
      ? { cursor: encodeCursor(identity, last.id) }
      : {}),
    ...(query?.total === true ? { total: matches } : {}),
    get plan(): string {
      return `scan of ${total} instances, ${matches} match, in id order`;
    },
  };
}

/** The matches at the moment of the call, in order; those that stop matching before their turn are left out. */
export function iterate(
  reads: Reads,
  query: ({ machine?: string | undefined } & Query) | undefined,
  machine: string | undefined,
): IterableIterator<Instance> {
  reads.admit();
  const matcher = matcherFor(reads.state, query, machine, QUERY_FIELDS);
  const { instances } = reads.state;
  const handles = matchingHandles(reads.state, matcher).sort(
    idOrder(reads.state, isDescending(query)),
  );
  const generations = Uint16Array.from(handles, (handle) => instances.generation(handle));
  return walk(reads, matcher, handles, generations);
}

function* walk(
  reads: Reads,
  matcher: Matcher,
  handles: Uint32Array,
  generations: Uint16Array,
): IterableIterator<Instance> {
  const { instances } = reads.state;
  for (let i = 0; i < handles.length; i++) {
    reads.admit();
    const handle = handles[i] as number;
    if (
      !instances.isLive(handle) ||
      instances.generation(handle) !== generations[i] ||
      reads.isDeleted(handle)
    )
      continue;
    if (isMatch(matcher, instances.definition(handle), instances.state(handle)))
      yield materialise(reads, handle);
  }
}

export function count(
  reads: Reads,
  selection: ({ machine?: string | undefined } & Selection) | undefined,
  machine: string | undefined,
): number {
  reads.admit();
  const matcher = matcherFor(reads.state, selection, machine, SELECTION_FIELDS);
  return countMatches(reads.state, matcher);
}

/** From the counters: costs the states, not the instances. */
export function countMatches(state: State, matcher: Matcher): number {
  let sum = 0;
  for (const definition of state.machines.all()) {
    definition.population.forEach((instances, index) => {
      if (isMatch(matcher, definition.index, index)) sum += instances;
    });
  }
  return sum;
}

/** Handles of the first matches behind the id `after`, in order, and how many match in all. */
export function firstMatches(
  state: State,
  matcher: Matcher,
  descending: boolean,
  after: Buffer | undefined,
  most: number,
): { readonly first: number[]; readonly matches: number } {
  const behind = after === undefined ? undefined : isBehind(state, after, descending);
  const few = new FirstFew(most, idOrder(state, descending));
  const handles = matchingHandles(state, matcher);
  for (const handle of handles) if (behind === undefined || behind(handle)) few.add(handle);
  return { first: few.sorted(), matches: handles.length };
}

/** Handles of all matches, in row order. */
function matchingHandles(state: State, matcher: Matcher): Uint32Array {
  const { instances } = state;
  const { rows } = instances.rows;
  const { states } = matcher;
  let found = new Uint32Array(1024);
  let length = 0;
  for (let first = 0; first < rows; first += SEGMENT_ROWS) {
    const { u16, u32 } = instances.segment(first);
    const inSegment = Math.min(SEGMENT_ROWS, rows - first);
    for (let i = 0; i < inSegment; i++) {
      const flags = (u16[i * ROW.u16 + ROW.flags] as number) & (ROW_FLAG.live | ROW_FLAG.deleted);
      if (flags !== ROW_FLAG.live) continue;
      const wanted = states[u32[i * ROW.u32 + ROW.definition] as number];
      if (wanted === undefined || wanted[u16[i * ROW.u16 + ROW.state] as number] !== 1) continue;
      if (length === found.length) {
        const grown = new Uint32Array(length * 2);
        grown.set(found);
        found = grown;
      }
      found[length++] = first + i;
    }
  }
  return found.subarray(0, length);
}

function idOrder(state: State, descending: boolean): Order {
  const { instances } = state;
  const { ids } = instances;
  const ascending: Order = (a, b) => ids.compare(instances.idRefOf(a), instances.idRefOf(b));
  return descending ? (a, b) => ascending(b, a) : ascending;
}

/** Does an instance come after the last one of the page before? */
function isBehind(state: State, lastId: Buffer, descending: boolean): (handle: number) => boolean {
  const { instances } = state;
  const last = instances.ids.getBytes(lastId, 0, lastId.length);
  if (last >= 0) {
    const order = idOrder(state, descending);
    return (handle) => order(handle, last) > 0;
  }
  const sign = descending ? -1 : 1;
  return (handle) => sign * Buffer.compare(Buffer.from(instances.idText(handle)), lastId) > 0;
}

function materialise(reads: Reads, handle: number): Instance {
  return instanceAt(
    reads.state,
    handle,
    reads.state.instances.idText(handle),
    reads.definition(handle),
  );
}
