/**
 * Runs a query over the applied rows: plans, walks or collects, checks, and gives the handles of
 * the answer in order. find, iterate and count of stores, views and transactions all enter here.
 */
import { FirstById } from '../../indexes/first-by-id.ts';
import type { State } from '../../state/state.ts';
import { FirstFew } from '../first-few.ts';
import { listedStates, populationOf } from './access.ts';
import { type Bound, Ordering } from './ordering.ts';
import { orderedWay, pathIndexOf } from './ordered.ts';
import { planAccess } from './plan.ts';
import { RowTest } from './row-test.ts';
import { isPlain, type Selected, type WantedOrder } from './selection.ts';

/** log2 of this many rows kept in a heap is what collecting costs beside visiting. */
const HEAP_SHARE = 0.1;

export interface Search {
  readonly state: State;
  readonly selected: Selected;
  readonly order: WantedOrder;
  readonly bound: Bound | undefined;
  /** At most so many handles. */
  readonly most: number;
  /** Count all matches too. */
  readonly wantsTotal: boolean;
  /** Rows that are left out: a transaction looks at those itself. */
  readonly isOut?: ((handle: number) => boolean) | undefined;
}

export interface Answer {
  readonly handles: readonly number[];
  /** Matches in all, those before the page included; undefined unless asked for. */
  readonly total: number | undefined;
  readonly ordering: Ordering;
  readonly plan: string;
}

export function search(query: Search): Answer {
  const { state, selected, order, bound, most } = query;
  const index = order.by === 'path' ? pathIndexOf(state, selected, order.path) : undefined;
  const ordering = new Ordering(state, order, index);
  const access = planAccess(state, selected);
  const known = knownTotal(query);
  const isBehind = (handle: number): boolean =>
    bound === undefined ||
    (ordering.compareToBound(handle, bound) > 0 &&
      // Changed since the first page: it may have been shown, and must not come twice.
      !(ordering.isMutable && state.instances.offset(handle) > bound.firstOffset));
  const full = new RowTest(state, selected, selected.where);
  const isOut = query.isOut ?? ((): boolean => false);
  const wanted = (handle: number): boolean =>
    full.passes(handle) && !isOut(handle) && isBehind(handle);
  const cost = access.rows * (1 + HEAP_SHARE * Math.log2(Math.min(most, access.rows) + 2));
  const way =
    query.wantsTotal && known === undefined
      ? undefined
      : orderedWay({ state, selected, ordering, bound, wanted, most, matches: access.rows, cost });
  if (way !== undefined) {
    const handles: number[] = [];
    while (handles.length < most) {
      const handle = way.walk.next();
      if (handle < 0) break;
      handles.push(handle);
    }
    return { handles, total: known, ordering, plan: `${way.text()}; filtered` };
  }
  const rest = new RowTest(state, selected, access.residual);
  const few = order.by === 'id' ? firstById(query) : new FirstFew(most, ordering.compare);
  let total = 0;
  access.visit((handle) => {
    if (!rest.passes(handle) || isOut(handle)) return;
    total++;
    if (isBehind(handle)) few.add(handle);
  });
  return {
    handles: few.sorted(),
    total: query.wantsTotal ? total : undefined,
    ordering,
    plan: `${access.text()}, about ${access.rows} rows; filtered; sorted by ${order.path}`,
  };
}

/** What counters tell without looking at a row. */
function knownTotal(query: Search): number | undefined {
  if (!query.wantsTotal || query.isOut !== undefined || !isPlain(query.selected)) return undefined;
  return populationOf(listedStates(query.state, query.selected));
}

/** How many rows match. */
export function countMatches(
  state: State,
  selected: Selected,
  isOut?: (handle: number) => boolean,
): number {
  if (isPlain(selected) && isOut === undefined) return populationOf(listedStates(state, selected));
  const access = planAccess(state, selected);
  const isOnlyIndex =
    access.residual.kind === 'true' &&
    access.isCounted === true &&
    isOut === undefined &&
    selected.wanted === undefined &&
    selected.version === undefined &&
    selected.createdAt === undefined &&
    selected.updatedAt === undefined;
  if (isOnlyIndex) return access.rows;
  const test = new RowTest(state, selected, access.residual);
  let count = 0;
  access.visit((handle) => {
    if (test.passes(handle) && isOut?.(handle) !== true) count++;
  });
  return count;
}

function firstById({ state, order, most }: Search): FirstById {
  const few = new FirstById(state.instances, order.isDescending);
  few.start(most);
  return few;
}
