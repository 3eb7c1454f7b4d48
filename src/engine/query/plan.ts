/**
 * Chooses the way to the rows of a selection that visits the fewest of them (access.ts). Costs are
 * numbers of rows; whatever is chosen, the answer is that of a full scan
 * (test/unit/engine/query-plans.test.ts).
 */
import type { MachineIndexes } from '../../indexes/machine-indexes.ts';
import { FALSE } from '../../query/predicate.ts';
import { type Condition, conditionsOn, unionsOn } from '../../query/sargable.ts';
import type { State } from '../../state/state.ts';
import {
  type Access,
  allRows,
  byCondition,
  byState,
  byTime,
  byUnion,
  listedStates,
  populationOf,
} from './access.ts';
import type { Selected } from './selection.ts';

/** Following links costs about as much as looking at four rows that lie side by side. */
const LINK_COST = 4;
/** Sorting rows by time for the first time is worth it for a selection above this many. */
const SORTED_LEAST_ROWS = 1000;

/** The rows of a selection: at most the instances in its states, by what is known without looking. */
export function planAccess(state: State, selected: Selected): Access {
  const { where } = selected;
  const listed = listedStates(state, selected);
  const population = populationOf(listed);
  if (population === 0 || where.kind === 'false') return nothing;
  const scan = allRows(state, where);
  const ways = [
    { access: scan, cost: scan.rows },
    {
      access: byState(() => state.indexes.listsNow(state.offset), listed, where),
      cost: LINK_COST * population,
    },
    ...indexed(state, selected).map((access) => ({ access, cost: LINK_COST * access.rows })),
  ];
  const best = ways.reduce((least, way) => (way.cost < least.cost ? way : least));
  if (best.cost < SORTED_LEAST_ROWS) return best.access;
  // Counting these may sort all rows first, so they are asked last.
  const timed = byTimes(state, selected);
  const cheapest = timed.reduce(
    (least, access) =>
      LINK_COST * access.rows < least.cost ? { access, cost: LINK_COST * access.rows } : least,
    best,
  );
  return cheapest.access;
}

const nothing: Access = { rows: 0, text: () => 'nothing', residual: FALSE, visit: () => undefined };

/** What the machine's path indexes can do. */
function indexed(state: State, selected: Selected): Access[] {
  const { group, where } = selected;
  if (group === undefined || where.kind === 'true') return [];
  const indexes = state.indexes.pathsOf(group, state.offset);
  if (indexes === undefined) return [];
  const ways = accessesOf(indexes, conditionsOn(where));
  for (const { branches, residual } of unionsOn(where)) {
    const found = branches.map((conditions) => fewest(accessesOf(indexes, conditions)));
    const all = found.filter((access) => access !== undefined);
    // A row found in one branch need not satisfy the rest of it: the whole filter decides.
    if (all.length === found.length) ways.push({ ...byUnion(all, residual), residual: where });
  }
  return ways;
}

function accessesOf(indexes: MachineIndexes, conditions: readonly Condition[]): Access[] {
  const ways: Access[] = [];
  for (const condition of conditions) {
    const index = indexes.find(condition.name);
    if (index !== undefined) ways.push(byCondition(index, condition));
  }
  return ways;
}

function fewest(ways: readonly Access[]): Access | undefined {
  const [first, ...others] = ways;
  if (first === undefined) return undefined;
  return others.reduce((least, access) => (access.rows < least.rows ? access : least), first);
}

function byTimes(state: State, selected: Selected): Access[] {
  const { instances, indexes } = state;
  const { createdAt, updatedAt, where } = selected;
  const ways: Access[] = [];
  if (createdAt !== undefined) {
    const sorted = indexes.sorted('createdAt', state.offset);
    ways.push(byTime(sorted, (handle) => instances.createdAt(handle), createdAt, where));
  }
  if (updatedAt !== undefined) {
    const sorted = indexes.sorted('updatedAt', state.offset);
    ways.push(byTime(sorted, (handle) => instances.updatedAt(handle), updatedAt, where));
  }
  return ways;
}
