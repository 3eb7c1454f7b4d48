/**
 * All living rows in one order, made when somebody first asks and never touched by writers: an
 * array sorted as of some offset, and, of what changed since, whatever the state lists have at their
 * ends. An entry of the array counts as long as its row was not changed since; changed rows are met
 * through the lists. When many changed, they are merged in (the idea of a log-structured merge tree,
 * O'Neil et al., 1996, with one level): writers pay nothing, a page costs the page.
 */
import { ROW_FLAG } from '../instance/row.ts';
import type { InstanceStore } from '../instance/instance-store.ts';
import { type RowOrder, compareRows, sortById, sortByTime } from './row-order.ts';

const LEAST_CHANGES = 2048;
/** So many changes for each row are merged at once. */
const CHANGES_PER_ROW: number = 1 / 256;

/** Visits the rows changed behind an offset. */
export type ChangedSince = (offset: number, visit: (handle: number) => void) => void;

export class SortedRows {
  readonly order: RowOrder;
  private readonly instances: InstanceStore;
  private readonly changedSince: ChangedSince;
  private handles: Uint32Array = new Uint32Array(0);
  private builtAt = -1;

  constructor(order: RowOrder, instances: InstanceStore, changedSince: ChangedSince) {
    this.order = order;
    this.instances = instances;
    this.changedSince = changedSince;
  }

  get isBuilt(): boolean {
    return this.builtAt >= 0;
  }

  get memoryBytes(): number {
    return this.handles.byteLength;
  }

  /** Entries, some of which may not count any more. */
  get length(): number {
    return this.handles.length;
  }

  at(index: number): number {
    return this.handles[index] as number;
  }

  /** Does the entry still stand for its row? */
  isSound(handle: number): boolean {
    const { instances } = this;
    const flags = instances.flags(handle) & (ROW_FLAG.live | ROW_FLAG.deleted);
    return flags === ROW_FLAG.live && instances.offset(handle) <= this.builtAt;
  }

  /** The rows that changed since the array was made. */
  changed(visit: (handle: number) => void): void {
    this.changedSince(this.builtAt, visit);
  }

  /** To be called before a walk. `offset`: of the last record applied. `byId`: sound handles in id order. */
  freshen(offset: number, byId: () => Uint32Array): void {
    if (!this.isBuilt) {
      this.handles = this.order === 'id' ? byId() : sortByTime(this.instances, this.order, byId());
    } else {
      const most = Math.max(LEAST_CHANGES, this.handles.length * CHANGES_PER_ROW);
      if (offset - this.builtAt <= most) return;
      this.handles = this.merged();
    }
    this.builtAt = offset;
  }

  private merged(): Uint32Array {
    const { instances, order, handles } = this;
    const found: number[] = [];
    this.changed((handle) => found.push(handle));
    const changed = sortById(instances, Uint32Array.from(found));
    const added = order === 'id' ? changed : sortByTime(instances, order, changed);
    const all = new Uint32Array(handles.length + added.length);
    let length = 0;
    let next = 0;
    for (const handle of handles) {
      if (!this.isSound(handle)) continue;
      while (
        next < added.length &&
        compareRows(instances, order, added[next] as number, handle) < 0
      )
        all[length++] = added[next++] as number;
      all[length++] = handle;
    }
    while (next < added.length) all[length++] = added[next++] as number;
    return all.slice(0, length);
  }

  /** Index of the first sound entry that does not pass; entries that pass come first. */
  countWhile(passes: (handle: number) => boolean): number {
    return countSound(this.handles, (handle) => this.isSound(handle), passes);
  }
}

/** Index of the first sound entry of `handles` that does not pass; entries that pass come first. */
export function countSound(
  handles: Uint32Array,
  isSound: (handle: number) => boolean,
  passes: (handle: number) => boolean,
): number {
  let low = 0;
  let high = handles.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    // An entry whose row changed says nothing about its place: the next sound one decides.
    let probe = middle;
    while (probe < high && !isSound(handles[probe] as number)) probe++;
    if (probe === high) high = middle;
    else if (passes(handles[probe] as number)) low = probe + 1;
    else high = middle;
  }
  return low;
}
