/**
 * Rows of one state list with the same update time, in id order: a list is in the order of changes, a
 * page breaks ties by id. A run is sorted when it is met a second time and kept for the pages to
 * come; writers never touch it. Rows of a run can only leave, which their offset tells, or join
 * behind the newest one: so a run is whole as long as both its ends and what lies beyond them show it.
 */
import type { InstanceStore } from '../instance/instance-store.ts';
import { NO_ROW, ROW_FLAG } from '../instance/row.ts';
import { sortById } from './row-order.ts';
import type { StateLists } from './state-lists.ts';

/** Shorter runs are sorted anew by every page. */
const LEAST_ROWS = 8;
/** Runs that are remembered; beyond it all are forgotten. */
const MOST_RUNS = 1024;
/** So many handles are kept in any case: 256 KiB. More only if there are more instances. */
const KEPT_HANDLES = 65_536;

const NONE: Uint32Array = new Uint32Array(0);

export interface TieRun {
  /** By id. Those that changed since do not count: see {@link TieRuns.isSound}. */
  readonly handles: Uint32Array;
  /** First and last in the order of the list. */
  readonly oldest: number;
  readonly newest: number;
  /** Offset of the last record applied then. */
  readonly madeAt: number;
}

export class TieRuns {
  private readonly instances: InstanceStore;
  private readonly lists: StateLists;
  private readonly byList = new Map<number, Map<number, TieRun>>();
  private runs = 0;
  private handles = 0;

  constructor(instances: InstanceStore, lists: StateLists) {
    this.instances = instances;
    this.lists = lists;
  }

  get memoryBytes(): number {
    return 4 * this.handles;
  }

  /** The whole run of a list's rows with this time; undefined when it is not kept. `list`: a number of its own. */
  find(list: number, time: number, offset: number): TieRun | undefined {
    const run = this.byList.get(list)?.get(time);
    if (run === undefined || !this.isWhole(run, time)) return undefined;
    return run.handles === NONE ? this.make(list, time, run, offset) : run;
  }

  /** A page walked through a run: at the next time it is made. */
  met(
    list: number,
    time: number,
    rows: number,
    oldest: number,
    newest: number,
    offset: number,
  ): void {
    if (rows < LEAST_ROWS) return;
    this.keep(list, time, { handles: NONE, oldest, newest, madeAt: offset });
  }

  /** Is the row as it was when the run was made? */
  isSound(handle: number, { madeAt }: TieRun): boolean {
    const { instances } = this;
    const flags = instances.flags(handle) & (ROW_FLAG.live | ROW_FLAG.deleted);
    return flags === ROW_FLAG.live && instances.offset(handle) <= madeAt;
  }

  private isWhole(run: TieRun, time: number): boolean {
    const { lists, instances } = this;
    if (!this.isSound(run.oldest, run) || !this.isSound(run.newest, run)) return false;
    const before = lists.previousOf(run.oldest);
    if (before !== NO_ROW && instances.updatedAt(before) === time) return false;
    const behind = lists.nextOf(run.newest);
    return behind === NO_ROW || instances.updatedAt(behind) !== time;
  }

  private make(list: number, time: number, { oldest, newest }: TieRun, offset: number): TieRun {
    const found: number[] = [oldest];
    for (let at = oldest; at !== newest; found.push(at)) at = this.lists.nextOf(at);
    const handles = sortById(this.instances, new Uint32Array(found));
    const run = { handles, oldest, newest, madeAt: offset };
    this.keep(list, time, run);
    return run;
  }

  private keep(list: number, time: number, run: TieRun): void {
    const most = Math.max(KEPT_HANDLES, this.instances.total);
    if (this.runs >= MOST_RUNS || this.handles + run.handles.length > most) this.forget();
    let runs = this.byList.get(list);
    if (runs === undefined) {
      runs = new Map();
      this.byList.set(list, runs);
    }
    const known = runs.get(time);
    if (known === undefined) this.runs++;
    else this.handles -= known.handles.length;
    this.handles += run.handles.length;
    runs.set(time, run);
  }

  private forget(): void {
    this.byList.clear();
    this.runs = 0;
    this.handles = 0;
  }
}
