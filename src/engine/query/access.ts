/**
 * Ways to the rows a query may match, in no order: every one visits all that match, each once, and
 * says beforehand how many rows it is about to visit and what is still to be checked of them.
 */
import type { Definition } from '../../instance/machine-store.ts';
import { NO_ROW } from '../../instance/row.ts';
import { liveRows } from '../../indexes/live-rows.ts';
import type { PathIndex } from '../../indexes/path-index.ts';
import type { SortedRows } from '../../indexes/sorted-rows.ts';
import type { StateLists } from '../../indexes/state-lists.ts';
import type { KeyRange } from '../../query/key-range.ts';
import type { Predicate } from '../../query/predicate.ts';
import type { Condition } from '../../query/sargable.ts';
import type { TimeRange } from '../../query/time-range.ts';
import type { State } from '../../state/state.ts';
import type { Selected } from './selection.ts';

export interface Access {
  /** Rows it visits, about. */
  readonly rows: number;
  readonly text: () => string;
  /** What is to be checked of a row beside definition, state and times. */
  readonly residual: Predicate;
  /** `rows` is no estimate. */
  readonly isCounted?: boolean;
  visit(row: (handle: number) => void): void;
}

/** Distinct values counted one by one before the rest is estimated. */
const COUNTED_VALUES = 64;

/** Front to back over all rows: nothing beats it when most of them match. */
export function allRows(state: State, residual: Predicate): Access {
  const { instances } = state;
  const rows = instances.total - instances.deleted.length;
  return {
    rows,
    text: () => `all ${rows} instances`,
    residual,
    visit: (row) => {
      for (const handle of liveRows(instances)) row(handle);
    },
  };
}

/** A state of a definition, and how many are in it. */
export interface Listed {
  readonly definition: Definition;
  readonly state: number;
}

/** The lists the selection names that are not empty. */
export function listedStates(state: State, selected: Selected): Listed[] {
  const listed: Listed[] = [];
  for (let index = 0; index < selected.states.length; index++) {
    const states = selected.states[index];
    if (states === undefined) continue;
    const definition = state.machines.at(index);
    if (!definition.isApplied) continue;
    const { population } = definition;
    for (let one = 0; one < population.length; one++)
      if (states[one] === 1 && (population[one] as number) > 0)
        listed.push({ definition, state: one });
  }
  return listed;
}

export function populationOf(listed: readonly Listed[]): number {
  return listed.reduce((sum, one) => sum + (one.definition.population[one.state] as number), 0);
}

/** The lists of the wanted states. */
export function byState(
  lists: () => StateLists,
  listed: readonly Listed[],
  residual: Predicate,
): Access {
  return {
    rows: populationOf(listed),
    text: () => `${listed.length} state list${listed.length === 1 ? '' : 's'}`,
    residual,
    visit: (row) => {
      const from = lists();
      for (const { definition, state } of listed) {
        const first = from.headsOf(definition).first[state] as number;
        for (let handle = first; handle !== NO_ROW; handle = from.nextOf(handle)) row(handle);
      }
    },
  };
}

/** The entries of an index inside the ranges of a condition. */
export function byCondition(index: PathIndex, condition: Condition): Access {
  const { ranges, of, name, residual } = condition;
  return {
    rows: ranges.reduce((sum, range) => sum + countIn(index, range), 0),
    text: () => `index ${name}${of === 'element' ? ' (elements)' : ''}`,
    residual,
    isCounted: ranges.every((one) => one.isPoint) && (of === 'value' || ranges.length === 1),
    visit: (row) => {
      // Elements of one list may lead to the same instance; a value never does.
      const each = of === 'element' && !isOnePoint(ranges) ? onceEach(row) : row;
      for (const range of ranges) eachValue(index, range, (value) => index.collect(value, each));
    },
  };
}

function isOnePoint(ranges: readonly KeyRange[]): boolean {
  return ranges.length === 1 && ranges[0]?.isPoint === true;
}

/** Any of several ways, each row once. */
export function byUnion(branches: readonly Access[], residual: Predicate): Access {
  return {
    rows: branches.reduce((sum, one) => sum + one.rows, 0),
    text: () => branches.map((one) => one.text()).join(' or '),
    residual,
    visit: (row) => {
      const once = onceEach(row);
      for (const branch of branches) branch.visit(once);
    },
  };
}

/** Rows created or changed in a range of time. */
export function byTime(
  sorted: SortedRows,
  timeOf: (handle: number) => number,
  range: TimeRange,
  residual: Predicate,
): Access {
  const from = sorted.countWhile((handle) => timeOf(handle) < range.first);
  const to = sorted.countWhile((handle) => timeOf(handle) <= range.last);
  return {
    rows: Math.max(0, to - from),
    text: () => `${sorted.order} from ${range.first} to ${range.last}`,
    residual,
    visit: (row) => {
      for (let i = from; i < to; i++) if (sorted.isSound(sorted.at(i))) row(sorted.at(i));
      sorted.changed(row);
    },
  };
}

function onceEach(row: (handle: number) => void): (handle: number) => void {
  const seen = new Set<number>();
  return (handle) => {
    if (seen.has(handle)) return;
    seen.add(handle);
    row(handle);
  };
}

/** Values whose keys are in the range, in order unless it is a single one. */
function eachValue(index: PathIndex, range: KeyRange, visit: (value: number) => void): void {
  const { values, sorted } = index;
  if (range.isPoint) {
    const value = values.find(range.low, range.low.length);
    if (value >= 0) visit(value);
    return;
  }
  sorted.build();
  const place = sorted.placeOf(range.low, range.low.length, false);
  for (let value = sorted.forward(place); value >= 0; value = sorted.forward(place)) {
    if (values.compareKey(value, range.high, 0, range.high.length) >= 0) return;
    visit(value);
  }
}

/** Entries in a range: exact for few values, estimated beyond. */
export function countIn(index: PathIndex, range: KeyRange): number {
  const { values, sorted } = index;
  if (range.isPoint) {
    const value = values.find(range.low, range.low.length);
    return value < 0 ? 0 : values.countOf(value);
  }
  sorted.build();
  const place = sorted.placeOf(range.low, range.low.length, false);
  const end = sorted.placeOf(range.high, range.high.length, false);
  const distinct = sorted.distance(place, end);
  let count = 0;
  for (let i = 0; i < Math.min(distinct, COUNTED_VALUES); i++)
    count += values.countOf(sorted.forward(place));
  return distinct <= COUNTED_VALUES ? count : Math.ceil((count * distinct) / COUNTED_VALUES);
}
