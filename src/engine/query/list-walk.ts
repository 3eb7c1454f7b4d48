/**
 * Along state lists whose update times ascend, newest or oldest first, all lists at once. Rows of one
 * time are put in id order: of a single list as a run that is kept (src/indexes/tie-runs.ts), else
 * as many of them as the page may show.
 */
import { FirstById } from '../../indexes/first-by-id.ts';
import { countSound } from '../../indexes/sorted-rows.ts';
import type { StateLists } from '../../indexes/state-lists.ts';
import type { TieRun } from '../../indexes/tie-runs.ts';
import type { InstanceStore } from '../../instance/instance-store.ts';
import { NO_ROW } from '../../instance/row.ts';
import type { State } from '../../state/state.ts';
import type { Listed } from './access.ts';
import type { Bound, Ordering } from './ordering.ts';
import type { Walk, Wanted } from './walks.ts';

/** Where a walk along a list stands, and which list it is. */
export interface ListPlace {
  readonly list: number;
  handle: number;
}

/** The end of a list at which a walk begins. */
export function endOf(
  lists: StateLists,
  { definition, state }: Listed,
  isDescending: boolean,
): ListPlace {
  const heads = lists.headsOf(definition);
  const handle = (isDescending ? heads.last[state] : heads.first[state]) as number;
  return { list: listNumber(definition.index, state), handle };
}

/** Somewhere in its list: a walk begins with all rows of the same time. */
export function placeOf(instances: InstanceStore, handle: number): ListPlace {
  const list = listNumber(instances.definition(handle), instances.state(handle));
  return { list, handle };
}

/** A machine has at most 65,536 states. */
function listNumber(definition: number, state: number): number {
  return definition * 0x10000 + state;
}

export class ListWalk implements Walk {
  private readonly lists: StateLists;
  private readonly instances: InstanceStore;
  private readonly offset: number;
  private readonly ordering: Ordering;
  private readonly isDescending: boolean;
  private readonly wanted: Wanted;
  private readonly places: readonly ListPlace[];
  private readonly few: FirstById;
  /** Rows that may still be asked for. */
  private left: number;
  /** The rows of one time, in order from `at` on in steps of `step`; of a run, those that are sound. */
  private group: ArrayLike<number> = [];
  private run: TieRun | undefined;
  private at = 0;
  private step = 1;

  /** With a bound there is one place, that of the row it names. */
  constructor(
    state: State,
    lists: StateLists,
    ordering: Ordering,
    wanted: Wanted,
    places: readonly ListPlace[],
    bound: Bound | undefined,
    most: number,
  ) {
    this.lists = lists;
    this.instances = state.instances;
    this.offset = state.offset;
    this.ordering = ordering;
    this.isDescending = ordering.wanted.isDescending;
    this.wanted = wanted;
    this.places = places;
    this.few = new FirstById(state.instances, this.isDescending);
    this.left = most;
    if (bound !== undefined) this.enter(places[0] as ListPlace, bound);
  }

  next(): number {
    const { wanted } = this;
    for (;;) {
      const { group, run } = this;
      while (this.at >= 0 && this.at < group.length) {
        const handle = group[this.at] as number;
        this.at += this.step;
        if (run !== undefined && !(this.lists.ties.isSound(handle, run) && wanted(handle)))
          continue;
        this.left--;
        return handle;
      }
      if (!this.takeGroup()) return -1;
    }
  }

  /** Begins behind the bound in the run its row is in. */
  private enter(place: ListPlace, bound: Bound): void {
    const { instances, lists, ordering, isDescending } = this;
    const time = instances.updatedAt(place.handle);
    const run = lists.ties.find(place.list, time, this.offset);
    if (run === undefined) {
      place.handle = this.startOfTime(place.handle, time);
      return;
    }
    this.takeRun(place, run);
    const sign = isDescending ? 1 : -1;
    const count = countSound(
      run.handles,
      (handle) => lists.ties.isSound(handle, run),
      (handle) => sign * ordering.compareToBound(handle, bound) > 0,
    );
    this.at = isDescending ? count - 1 : count;
  }

  /** The first row of this time, seen in the walk's direction. */
  private startOfTime(handle: number, time: number): number {
    const { lists, instances, isDescending } = this;
    for (let at = handle; ;) {
      const before = isDescending ? lists.nextOf(at) : lists.previousOf(at);
      if (before === NO_ROW || instances.updatedAt(before) !== time) return at;
      at = before;
    }
  }

  /** The rows of the next time, of which there may be none; false at the end. */
  private takeGroup(): boolean {
    const { instances, places, isDescending } = this;
    const sign = isDescending ? -1 : 1;
    let first = Infinity;
    for (const { handle } of places)
      if (handle !== NO_ROW) first = Math.min(first, sign * instances.updatedAt(handle));
    if (first === Infinity) return false;
    const time = sign * first;
    const only = places.length === 1 ? places[0] : undefined;
    const run = only === undefined ? undefined : this.lists.ties.find(only.list, time, this.offset);
    if (run !== undefined) this.takeRun(only as ListPlace, run);
    else this.collect(time);
    return true;
  }

  private takeRun(place: ListPlace, run: TieRun): void {
    const { lists, isDescending } = this;
    this.group = run.handles;
    this.run = run;
    this.step = isDescending ? -1 : 1;
    this.at = isDescending ? run.handles.length - 1 : 0;
    place.handle = isDescending ? lists.previousOf(run.oldest) : lists.nextOf(run.newest);
  }

  private collect(time: number): void {
    const { places, few } = this;
    few.start(this.left);
    for (const place of places) this.collectFrom(place, time);
    this.group = few.sorted();
    this.run = undefined;
    this.step = 1;
    this.at = 0;
  }

  private collectFrom(place: ListPlace, time: number): void {
    const { lists, instances, isDescending, wanted, few } = this;
    const first = place.handle;
    let last = first;
    let rows = 0;
    let at = first;
    while (at !== NO_ROW && instances.updatedAt(at) === time) {
      if (wanted(at)) few.add(at);
      rows++;
      last = at;
      at = isDescending ? lists.previousOf(at) : lists.nextOf(at);
    }
    place.handle = at;
    const [oldest, newest] = isDescending ? [last, first] : [first, last];
    lists.ties.met(place.list, time, rows, oldest, newest, this.offset);
  }
}
