/**
 * The path indexes of one machine, all its versions: which are declared, how far each is built, and
 * which of them an event can change at all. An index that is declared later is built row by row, in
 * handle order; rows it has not reached yet are left to it, so writers never wait.
 */
import type { ContextStore } from '../instance/context-store.ts';
import type { InstanceStore } from '../instance/instance-store.ts';
import type { MachineGroup } from '../instance/machine-store.ts';
import { ROW_FLAG } from '../instance/row.ts';
import { namesOf } from '../query/paths.ts';
import { skipValue } from '../value/skip.ts';
import { bodyAt, isMap, sizeAt, textStart } from '../value/structure.ts';
import { PathIndex } from './path-index.ts';
import { type IndexSeed, SEED_ROWS } from './seed.ts';
import { SeededRows } from './seeded-rows.ts';

interface Declared {
  readonly index: PathIndex;
  /** UTF-8 of the path's first name: what a payload must have to change it. */
  readonly field: Uint8Array;
  /** Rows below this are in it. */
  builtThrough: number;
  /** What may tell of the path: asked when building begins. */
  seed: IndexSeed | undefined;
  /** What does, until the index is built. */
  seeded: SeededRows | undefined;
}

export class MachineIndexes {
  readonly group: MachineGroup;
  private readonly instances: InstanceStore;
  private readonly contexts: ContextStore;
  private readonly hashKey: Uint8Array;
  private declared: Declared[] = [];
  /** By definition index: is it a version of this machine? */
  private ours: boolean[] = [];

  constructor(group: MachineGroup, instances: InstanceStore, hashKey: Uint8Array) {
    this.group = group;
    this.instances = instances;
    this.contexts = instances.contexts;
    this.hashKey = hashKey;
  }

  get isComplete(): boolean {
    return this.declared.every((one) => one.builtThrough === Infinity);
  }

  get memoryBytes(): number {
    return this.declared.reduce((sum, one) => sum + one.index.memoryBytes, 0);
  }

  get all(): readonly PathIndex[] {
    return this.declared.map((one) => one.index);
  }

  /** Built or not. */
  find(path: string): PathIndex | undefined {
    return this.declared.find((one) => one.index.path === path)?.index;
  }

  /** Follows what the machine declares now; a seed tells what it knows of rows that are not changed since. */
  declare(seed: IndexSeed | undefined): void {
    const { group } = this;
    const isEmpty = ![...group.versions.values()].some((one) => one.rows > 0);
    this.ours = [];
    // One that waits may never be applied, and its number go to a version of another machine.
    for (const one of group.versions.values()) if (one.isApplied) this.ours[one.index] = true;
    this.declared = group.indexes.map((path) => {
      const known = this.declared.find((one) => one.index.path === path);
      if (known !== undefined) return known;
      const names = namesOf(path);
      const index = new PathIndex(path, names, group.shapes, this.hashKey);
      const field = Buffer.from(names[0] as string);
      return { index, field, builtThrough: isEmpty ? Infinity : 0, seed, seeded: undefined };
    });
  }

  /** A row of this machine is new, or has another context. */
  set(handle: number): void {
    if (this.declared.length === 0) return;
    this.contexts.locate(handle);
    const { bytes, start } = this.contexts;
    for (const one of this.declared)
      if (handle < one.builtThrough) one.index.set(handle, bytes, start);
  }

  /** A payload, given as MessagePack, was merged into the context. */
  merged(handle: number, payload: Uint8Array, start: number): void {
    for (const one of this.declared) {
      if (handle >= one.builtThrough || !namesField(payload, start, one.field)) continue;
      this.contexts.locate(handle);
      one.index.set(handle, this.contexts.bytes, this.contexts.start);
    }
  }

  clear(handle: number): void {
    for (const one of this.declared) one.index.clear(handle);
  }

  /** Everything now: somebody asked. */
  complete(): void {
    while (!this.isComplete) this.buildMore(Infinity);
  }

  /** Enters up to `count` more rows, at most a block of them where a seed tells; false when everything is there. */
  buildMore(count: number): boolean {
    const one = this.declared.find((each) => each.builtThrough !== Infinity);
    if (one === undefined) return false;
    const { rows } = this.instances.rows;
    const start = one.builtThrough;
    if (one.seed !== undefined) this.askSeed(one, one.seed);
    const isSeeded = one.seeded !== undefined;
    const most = isSeeded ? Math.min(count, SEED_ROWS - (start % SEED_ROWS)) : count;
    const end = Math.min(rows, start + most);
    if (isSeeded) this.enterSeeded(one, start, end);
    else
      for (let handle = start; handle < end; handle++)
        if (this.isOurs(handle)) this.enter(one, handle);
    one.builtThrough = end;
    if (end === rows) {
      one.builtThrough = Infinity;
      one.seeded?.end();
      one.seeded = undefined;
    }
    return !this.isComplete;
  }

  private askSeed(one: Declared, seed: IndexSeed): void {
    const told = seed.find(this.group.name, one.index.path);
    if (told !== undefined) one.seeded = new SeededRows(one.index, this.instances, seed, told);
    one.seed = undefined;
  }

  private enterSeeded(one: Declared, start: number, end: number): void {
    one.seeded?.enter(start, end, this.ours, (handle) => this.enter(one, handle));
  }

  /** What its context says. One that cannot be read throws, and is the next one again. */
  private enter(one: Declared, handle: number): void {
    one.builtThrough = handle;
    this.contexts.locate(handle);
    one.index.set(handle, this.contexts.bytes, this.contexts.start);
  }

  private isOurs(handle: number): boolean {
    const { instances } = this;
    const flags = instances.flags(handle) & (ROW_FLAG.live | ROW_FLAG.deleted);
    if (flags !== ROW_FLAG.live) return false;
    return this.ours[instances.definition(handle)] === true;
  }
}

/** Has a payload this field? One that is no map has none. */
function namesField(payload: Uint8Array, start: number, field: Uint8Array): boolean {
  if (!isMap(payload[start] as number)) return false;
  let position = bodyAt(payload, start);
  for (let left = sizeAt(payload, start); left > 0; left--) {
    const valueAt = skipValue(payload, position);
    const text = textStart(payload, position);
    if (valueAt - text === field.length && isSame(payload, text, field)) return true;
    position = skipValue(payload, valueAt);
  }
  return false;
}

function isSame(bytes: Uint8Array, start: number, field: Uint8Array): boolean {
  for (let i = 0; i < field.length; i++) if (bytes[start + i] !== field[i]) return false;
  return true;
}
