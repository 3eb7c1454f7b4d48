/**
 * Machine definitions by name and version, and by the dense index instances name them with.
 * A version never changes once it is here; `indexes` belongs to the machine's name and may.
 *
 * Commands see definitions that wait for the disk (`find`, `latest`), readers only those applied
 * (`visible`). A machine and everything registered under it stays for good: an index, once given,
 * keeps its meaning.
 */
import { invariant } from '../base/assert.ts';
import { StoreError } from '../base/errors.ts';
import { type CompiledMachine, compileMachine } from '../machine/compile-machine.ts';
import type { NormalisedDefinition } from '../machine/definition.ts';
import { ShapeTable } from '../value/shape-table.ts';

/** One version of a machine. */
export class Definition {
  readonly index: number;
  readonly machine: MachineGroup;
  readonly version: number;
  /** As put, without `indexes`, which the machine has. */
  readonly body: NormalisedDefinition;
  readonly compiled: CompiledMachine;
  /** Instances by state that are not deleted. */
  readonly population: Uint32Array;
  /** Rows that name this definition, deleted ones included. */
  rows = 0;
  /** Of the record that defines it, while that waits. */
  recordOffset = 0;
  /** Applied, not merely waiting for the disk. */
  isApplied = false;
  isHidden = false;
  /** The same as the last accepted command left it. */
  willBeHidden = false;
  /** The machine had no other version before it; its indexes are the machine's first. */
  readonly isFirst: boolean;

  constructor(index: number, machine: MachineGroup, body: NormalisedDefinition) {
    this.isFirst = machine.versions.size === 0;
    this.index = index;
    this.machine = machine;
    this.version = body.version;
    this.body = body;
    this.compiled = compileMachine(body);
    this.population = new Uint32Array(body.states.length);
  }

  /** May new instances name it? */
  get isOffered(): boolean {
    return !this.willBeHidden;
  }

  get living(): number {
    let sum = 0;
    for (const count of this.population) sum += count;
    return sum;
  }
}

/** All versions of a machine, and what they share. */
export class MachineGroup {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly versions: Map<number, Definition> = new Map();
  /** Key lists of the contexts of all versions. */
  readonly shapes: ShapeTable = new ShapeTable();
  /** Declared index paths, sorted, as applied. */
  indexes: readonly string[] = [];
  /** The same as the last accepted command left it. */
  pendingIndexes: readonly string[] = [];

  constructor(name: string) {
    this.name = name;
    this.nameBytes = Buffer.from(name);
  }

  /** Offered versions, ascending. */
  offered(appliedOnly: boolean): Definition[] {
    return [...this.versions.values()]
      .filter((one) => (appliedOnly ? one.isApplied && !one.isHidden : one.isOffered))
      .sort((a, b) => a.version - b.version);
  }
}

export class MachineStore {
  private readonly byName = new Map<string, MachineGroup>();
  private readonly byIndex: Definition[] = [];
  private waiting: Definition[] = [];
  /** Commands are taken in: `pendingIndexes` and `willBeHidden` run ahead of the fold and are no longer set by it. */
  isLive = false;

  /** Index the next new definition gets. */
  get nextIndex(): number {
    return this.byIndex.length;
  }

  at(index: number): Definition {
    const found = this.byIndex[index];
    // Asked for every row that is read: no message is made beforehand.
    if (found === undefined) throw noDefinition(index);
    return found;
  }

  has(index: number): boolean {
    return index < this.byIndex.length;
  }

  group(name: string): MachineGroup | undefined {
    return this.byName.get(name);
  }

  /** Does a definition, or its removal, wait for the disk? */
  get hasWaiting(): boolean {
    return this.waiting.length > 0 || this.byIndex.some((one) => one.willBeHidden !== one.isHidden);
  }

  /** Hidden ones included. */
  find(name: string, version: number): Definition | undefined {
    return this.byName.get(name)?.versions.get(version);
  }

  latest(name: string): Definition | undefined {
    return this.byName.get(name)?.offered(false).at(-1);
  }

  /** Machines with at least one offered, applied version; sorted by name. */
  visible(): MachineGroup[] {
    return [...this.byName.values()]
      .filter((group) => group.offered(true).length > 0)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  all(): readonly Definition[] {
    return this.byIndex;
  }

  /** Registers ahead of the log: seen by commands, not by readers. */
  addWaiting(body: NormalisedDefinition, recordOffset: number): Definition {
    const added = this.add(body);
    added.recordOffset = recordOffset;
    this.waiting.push(added);
    return added;
  }

  /** The record that defines `index` is applied: a waiting definition becomes visible, a new one is made. */
  applyDefine(index: number, decode: () => NormalisedDefinition): void {
    let found = this.byIndex[index];
    if (found === undefined) {
      invariant(index === this.byIndex.length, 'definitions are numbered without a gap');
      found = this.add(decode());
    }
    if (found.isFirst && !found.isApplied) found.machine.indexes = found.body.indexes ?? [];
    found.isApplied = true;
    found.isHidden = false;
    if (!this.isLive) found.willBeHidden = false;
    this.waiting = this.waiting.filter((one) => one !== found);
  }

  applyHide(index: number): void {
    const found = this.at(index);
    found.isHidden = true;
    if (!this.isLive) found.willBeHidden = true;
  }

  applyIndexes(name: string, indexes: readonly string[]): void {
    const group = this.byName.get(name);
    invariant(group !== undefined, 'indexes of a known machine');
    group.indexes = indexes;
    if (!this.isLive) group.pendingIndexes = indexes;
  }

  /** Forgets what waits behind `acceptedOffset`: it will never be applied. */
  dropWaiting(acceptedOffset: number): void {
    for (const one of this.waiting.toReversed()) {
      if (one.recordOffset <= acceptedOffset) break;
      invariant(this.byIndex.at(-1) === one, 'the last added is dropped first');
      this.byIndex.pop();
      one.machine.versions.delete(one.version);
      if (one.machine.versions.size === 0) this.byName.delete(one.machine.name);
    }
    this.waiting = this.waiting.filter((one) => one.recordOffset <= acceptedOffset);
    for (const group of this.byName.values()) group.pendingIndexes = group.indexes;
    for (const one of this.byIndex) one.willBeHidden = one.isHidden;
  }

  private add(body: NormalisedDefinition): Definition {
    let group = this.byName.get(body.name);
    if (group === undefined) {
      group = new MachineGroup(body.name);
      this.byName.set(body.name, group);
    }
    invariant(!group.versions.has(body.version), 'a version is registered once');
    const added = new Definition(this.byIndex.length, group, body);
    if (added.isFirst) group.pendingIndexes = body.indexes ?? [];
    this.byIndex.push(added);
    group.versions.set(body.version, added);
    return added;
  }
}

function noDefinition(index: number): Error {
  return new StoreError('INTERNAL_ERROR', `invariant broken: definition ${index} exists`, {
    details: { outcome: 'unknown' },
  });
}
