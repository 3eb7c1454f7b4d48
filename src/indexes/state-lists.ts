/**
 * By (definition, state), the instances in it in the order of their last change: a doubly linked
 * list through the rows themselves, so that a move costs O(1) and no memory (bench apply, find).
 *
 * A fold that replays leaves the lists alone; linking starts once and may be done in slices while
 * writers go on: changes append at the ends, the builder puts what is older before the heads, newest
 * first. Invariant: a row is in its list exactly when its offset is at least `linkedFrom`, and every
 * list is in offset order.
 */
import { NO_ROW, ROW, ROW_FLAG, ROW_INDEX_MASK } from '../instance/row.ts';
import type { Definition, MachineStore } from '../instance/machine-store.ts';
import type { InstanceStore } from '../instance/instance-store.ts';
import { liveRowsInSteps } from './live-rows.ts';
import { sortByOffset } from './sort-by-offset.ts';
import { TieRuns } from './tie-runs.ts';

/** Rows linked between two pauses. */
const STEP_ROWS = 4096;

/** Heads and ends of one definition's lists, by state. */
export class ListHeads {
  readonly first: Uint32Array;
  readonly last: Uint32Array;
  /** 1 once an instance joined with an earlier update time than the one before it, until the list is empty. */
  readonly isUnordered: Uint8Array;

  constructor(states: number) {
    this.first = new Uint32Array(states).fill(NO_ROW);
    this.last = new Uint32Array(states).fill(NO_ROW);
    this.isUnordered = new Uint8Array(states);
  }
}

export class StateLists {
  /** Rows with this offset and above are linked; Infinity while nothing is. */
  linkedFrom: number = Infinity;
  /** Rows of one time in id order, for whoever pages. */
  readonly ties: TieRuns;
  private readonly instances: InstanceStore;
  private readonly machines: MachineStore;
  private readonly heads: ListHeads[] = [];
  private linking: Generator<void, void> | undefined;
  private startedAt = 0;

  constructor(instances: InstanceStore, machines: MachineStore) {
    this.instances = instances;
    this.machines = machines;
    this.ties = new TieRuns(instances, this);
  }

  get isStarted(): boolean {
    return this.linkedFrom !== Infinity;
  }

  get isComplete(): boolean {
    return this.linkedFrom === 0;
  }

  /** From here on changes are linked; linkMore() does what is older. `offset`: of the last record applied. */
  start(offset: number): void {
    if (this.isStarted) return;
    this.startedAt = offset;
    const isEmpty = this.instances.total === this.instances.deleted.length;
    this.linkedFrom = isEmpty ? 0 : offset + 1;
    if (!isEmpty) this.linking = this.linkOlder();
  }

  /** Does a little of the linking, about 0.1 ms; false when all is done. */
  linkMore(): boolean {
    if (this.linking?.next().done === false) return true;
    this.linking = undefined;
    return false;
  }

  /** Everything now: somebody asked. */
  complete(offset: number): void {
    this.start(offset);
    while (this.linkMore());
  }

  /** Before the heads, newest first; each step may be followed by any changes. */
  private *linkOlder(): Generator<void, void> {
    const { instances } = this;
    const sorted = yield* sortByOffset(instances, yield* liveRowsInSteps(instances));
    for (let end = sorted.length; end > 0; end -= STEP_ROWS) {
      yield;
      this.linkStep(sorted, Math.max(0, end - STEP_ROWS), end);
    }
    this.linkedFrom = 0;
  }

  /** A loop of its own, because one that yields is not made fast while it runs. */
  private linkStep(sorted: Uint32Array, start: number, end: number): void {
    const { instances, machines } = this;
    const { rows } = instances;
    for (let i = end - 1; i >= start; i--) {
      const handle = sorted[i] as number;
      const { u16, u32, f64 } = rows.segmentOf(handle);
      const row = handle & ROW_INDEX_MASK;
      const offset = f64[row * ROW.f64 + ROW.offset] as number;
      const flags = u16[row * ROW.u16 + ROW.flags] as number;
      // Changed, deleted or another instance by now: then it is linked, or has no place.
      if (offset > this.startedAt || (flags & ROW_FLAG.live) === 0) continue;
      const definition = machines.at(u32[row * ROW.u32 + ROW.definition] as number);
      this.prepend(handle, definition, u16[row * ROW.u16 + ROW.state] as number);
      this.linkedFrom = offset;
    }
  }

  headsOf(definition: Definition): ListHeads {
    let heads = this.heads[definition.index];
    if (heads === undefined) {
      heads = new ListHeads(definition.compiled.states.length);
      this.heads[definition.index] = heads;
    }
    return heads;
  }

  private prepend(handle: number, definition: Definition, state: number): void {
    const { rows } = this.instances;
    const heads = this.headsOf(definition);
    const next = heads.first[state] as number;
    const row = rows.segmentOf(handle);
    const at = (handle & ROW_INDEX_MASK) * ROW.u32;
    row.u32[at + ROW.previous] = NO_ROW;
    row.u32[at + ROW.next] = next;
    heads.first[state] = handle;
    if (next === NO_ROW) {
      heads.last[state] = handle;
      return;
    }
    const after = rows.segmentOf(next);
    const index = next & ROW_INDEX_MASK;
    after.u32[index * ROW.u32 + ROW.previous] = handle;
    const isLater =
      (row.f64[(handle & ROW_INDEX_MASK) * ROW.f64 + ROW.updatedAt] as number) >
      (after.f64[index * ROW.f64 + ROW.updatedAt] as number);
    if (isLater) heads.isUnordered[state] = 1;
  }

  /** The row is about to change: takes it out of its list. Before its offset is written. */
  unlink(handle: number, definition: Definition, state: number): void {
    const { rows } = this.instances;
    const row = rows.segmentOf(handle);
    const i = handle & ROW_INDEX_MASK;
    if ((row.f64[i * ROW.f64 + ROW.offset] as number) < this.linkedFrom) return;
    const heads = this.headsOf(definition);
    const previous = row.u32[i * ROW.u32 + ROW.previous] as number;
    const next = row.u32[i * ROW.u32 + ROW.next] as number;
    if (previous === NO_ROW) heads.first[state] = next;
    else rows.segmentOf(previous).u32[(previous & ROW_INDEX_MASK) * ROW.u32 + ROW.next] = next;
    if (next === NO_ROW) heads.last[state] = previous;
    else rows.segmentOf(next).u32[(next & ROW_INDEX_MASK) * ROW.u32 + ROW.previous] = previous;
    if (previous === next) heads.isUnordered[state] = 0;
  }

  /** The row was changed: puts it at the end of its list. */
  append(handle: number, definition: Definition, state: number): void {
    if (!this.isStarted) return;
    const { rows } = this.instances;
    const heads = this.headsOf(definition);
    const last = heads.last[state] as number;
    const row = rows.segmentOf(handle);
    const i = handle & ROW_INDEX_MASK;
    row.u32[i * ROW.u32 + ROW.previous] = last;
    row.u32[i * ROW.u32 + ROW.next] = NO_ROW;
    heads.last[state] = handle;
    if (last === NO_ROW) {
      heads.first[state] = handle;
      return;
    }
    const before = rows.segmentOf(last);
    const index = last & ROW_INDEX_MASK;
    before.u32[index * ROW.u32 + ROW.next] = handle;
    const isEarlier =
      (row.f64[i * ROW.f64 + ROW.updatedAt] as number) <
      (before.f64[index * ROW.f64 + ROW.updatedAt] as number);
    if (isEarlier) heads.isUnordered[state] = 1;
  }

  nextOf(handle: number): number {
    return this.instances.segment(handle).u32[
      (handle & ROW_INDEX_MASK) * ROW.u32 + ROW.next
    ] as number;
  }

  previousOf(handle: number): number {
    return this.instances.segment(handle).u32[
      (handle & ROW_INDEX_MASK) * ROW.u32 + ROW.previous
    ] as number;
  }
}
