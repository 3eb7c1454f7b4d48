/**
 * Everything that is derived from the rows so that queries find them: lists by state, declared
 * context paths, and the orders rows have of themselves. Nothing here is stored in the log, and all of it can be
 * made again from the rows at any time.
 *
 * The fold tells it what changes. While a log is replayed it sleeps, which keeps replay fast; once
 * started it is in step with every record, and what is not built yet is built in slices behind, or at
 * once when a query needs it.
 */
import type { InstanceStore } from '../instance/instance-store.ts';
import type { Definition, MachineGroup, MachineStore } from '../instance/machine-store.ts';
import { NO_ROW } from '../instance/row.ts';
import { liveRows } from './live-rows.ts';
import { MachineIndexes } from './machine-indexes.ts';
import type { IndexSeed } from './seed.ts';
import { type RowOrder, sortById } from './row-order.ts';
import { SortedRows } from './sorted-rows.ts';
import { StateLists } from './state-lists.ts';

/** Rows handled at a time, about 0.2 ms. */
const SLICE_ROWS = 512;

export class Indexes {
  readonly lists: StateLists;
  private readonly instances: InstanceStore;
  private readonly machines: MachineStore;
  private readonly hashKey: Uint8Array;
  private readonly groups = new Map<MachineGroup, MachineIndexes>();
  /** By definition index: spares a look-up per record. */
  private byDefinition: (MachineIndexes | undefined)[] = [];
  private readonly orders: Readonly<Record<RowOrder, SortedRows>>;
  /** Kept in step with the fold. */
  isAwake = false;
  /** Of the snapshot the rows came from, until everything is built. */
  seed: IndexSeed | undefined;

  constructor(instances: InstanceStore, machines: MachineStore, hashKey: Uint8Array) {
    this.instances = instances;
    this.machines = machines;
    this.hashKey = hashKey;
    this.lists = new StateLists(instances, machines);
    const order = (name: RowOrder): SortedRows =>
      new SortedRows(name, instances, (offset, visit) => this.changedSince(offset, visit));
    this.orders = {
      id: order('id'),
      createdAt: order('createdAt'),
      updatedAt: order('updatedAt'),
    };
  }

  /** From here on every record is followed. `offset`: of the last one applied. */
  wake(offset: number): void {
    if (this.isAwake) return;
    this.isAwake = true;
    this.lists.start(offset);
    for (const definition of this.machines.all())
      if (definition.isApplied) this.declared(definition.machine);
  }

  get isComplete(): boolean {
    if (!this.isAwake) return true;
    if (!this.lists.isComplete) return false;
    for (const group of this.groups.values()) if (!group.isComplete) return false;
    return true;
  }

  /** Builds a little; false when nothing is left to build. */
  buildMore(): boolean {
    if (this.lists.isComplete) this.nextGroup()?.buildMore(SLICE_ROWS);
    else this.lists.linkMore();
    this.letGoOfSeed();
    return !this.isComplete;
  }

  /** When nothing is left that a snapshot could tell. */
  private letGoOfSeed(): void {
    if (this.seed === undefined || !this.isComplete) return;
    this.seed.close();
    this.seed = undefined;
  }

  private nextGroup(): MachineIndexes | undefined {
    for (const group of this.groups.values()) if (!group.isComplete) return group;
    return undefined;
  }

  get memoryBytes(): number {
    let bytes = this.lists.ties.memoryBytes;
    for (const group of this.groups.values()) bytes += group.memoryBytes;
    for (const order of Object.values(this.orders)) bytes += order.memoryBytes;
    return bytes;
  }

  // ---- told by the fold ------------------------------------------------------------------------

  /** Indexes of a machine were declared, or declared anew. */
  declared(group: MachineGroup): void {
    if (!this.isAwake) return;
    let indexes = this.groups.get(group);
    if (indexes === undefined) {
      indexes = new MachineIndexes(group, this.instances, this.hashKey);
      this.groups.set(group, indexes);
    }
    indexes.declare(this.seed);
    for (const definition of group.versions.values())
      if (definition.isApplied) this.byDefinition[definition.index] = indexes;
  }

  created(handle: number, definition: Definition, state: number): void {
    if (!this.isAwake) return;
    this.lists.append(handle, definition, state);
    this.byDefinition[definition.index]?.set(handle);
  }

  /** Before the row of a living instance changes. */
  leaving(handle: number, definition: Definition, state: number): void {
    if (this.isAwake) this.lists.unlink(handle, definition, state);
  }

  /** After it changed; `payload`, if any, was merged into the context from `start` on. */
  arrived(
    handle: number,
    definition: Definition,
    state: number,
    payload: Uint8Array | undefined,
    start: number,
  ): void {
    if (!this.isAwake) return;
    this.lists.append(handle, definition, state);
    if (payload !== undefined) this.byDefinition[definition.index]?.merged(handle, payload, start);
  }

  /** After it got another definition and context. */
  replaced(handle: number, definition: Definition, state: number): void {
    if (!this.isAwake) return;
    this.lists.append(handle, definition, state);
    this.byDefinition[definition.index]?.set(handle);
  }

  /** Deleted: in no list and no index any more. */
  deleted(handle: number, definition: Definition): void {
    if (this.isAwake) this.byDefinition[definition.index]?.clear(handle);
  }

  /** Is a row in any path index? */
  isIndexed(handle: number): boolean {
    for (const group of this.groups.values())
      if (group.all.some((index) => index.has(handle))) return true;
    return false;
  }

  // ---- asked by queries ------------------------------------------------------------------------

  /** Lists by state, complete. */
  listsNow(offset: number): StateLists {
    this.wake(offset);
    this.lists.complete(offset);
    return this.lists;
  }

  /** The path indexes of a machine, complete. */
  pathsOf(group: MachineGroup, offset: number): MachineIndexes | undefined {
    this.wake(offset);
    const indexes = this.groups.get(group);
    indexes?.complete();
    this.letGoOfSeed();
    return indexes;
  }

  /** Rows in an order, ready to be walked. */
  sorted(order: RowOrder, offset: number): SortedRows {
    this.listsNow(offset);
    const { instances } = this;
    const wanted = this.orders[order];
    wanted.freshen(offset, () => sortById(instances, liveRows(instances)));
    return wanted;
  }

  /** Rows changed by records behind `offset`: the ends of the lists. */
  private changedSince(offset: number, visit: (handle: number) => void): void {
    const { lists, instances } = this;
    for (const definition of this.machines.all()) {
      if (!definition.isApplied) continue;
      for (const last of lists.headsOf(definition).last) {
        for (let at = last; at !== NO_ROW && instances.offset(at) > offset;) {
          visit(at);
          at = lists.previousOf(at);
        }
      }
    }
  }
}
