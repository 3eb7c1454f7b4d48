/**
 * Entries of collections that wait for the disk, read over the state like the rest of the overlay.
 * One object per entry that waits, replaced as a whole by each command, so that taking a transaction
 * back means putting the objects before it back. The map is in the order of the offsets, so what was
 * applied is found at its front.
 */
import { invariant } from '../base/assert.ts';
import type { FreeHandles } from '../base/free-handles.ts';
import type { Collection } from '../vector/collection.ts';
import type { State } from './state.ts';

/** An entry as the commands so far leave it. */
export interface PendingVector {
  readonly handle: number;
  /** Of the last record that waits. */
  readonly offset: number;
  /** False: that record deletes it. */
  readonly exists: boolean;
  /** 'kind:id', or empty for the global one. */
  readonly scope: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** NaN: none. */
  readonly eventTime: number;
  /** Infinity: never. */
  readonly expiresAt: number;
  /** undefined: that of the row. */
  readonly vector: Float32Array | undefined;
  /** MessagePack maps to be merged one after the other, over nothing or, unless `isWhole`, over what the row has. */
  readonly metadata: readonly Uint8Array[];
  readonly isWhole: boolean;
}

/** A handle that waits for the record that names it. */
interface Taken {
  readonly free: FreeHandles;
  readonly handle: number;
  readonly offset: number;
}

interface Undo {
  readonly collection: number;
  readonly id: string;
  readonly before: PendingVector | undefined;
}

export class PendingVectors {
  private readonly state: State;
  private readonly byCollection = new Map<number, Map<string, PendingVector>>();
  private taken: Taken[] = [];
  /** Of the open group. */
  private isInGroup = false;
  private undo: Undo[] = [];
  private readonly marks = new Map<FreeHandles, number>();
  private takenBefore = 0;

  constructor(state: State) {
    this.state = state;
  }

  /** undefined: what the state has is how it is. */
  get(collection: Collection, id: string): PendingVector | undefined {
    const entries = this.byCollection.get(collection.number);
    if (entries === undefined) return undefined;
    const found = entries.get(id);
    return found !== undefined && found.offset > this.state.offset ? found : undefined;
  }

  /** Those that wait, by id. */
  *entriesOf(collection: Collection): IterableIterator<readonly [id: string, PendingVector]> {
    for (const one of this.byCollection.get(collection.number) ?? [])
      if (one[1].offset > this.state.offset) yield one;
  }

  isEmpty(collection: Collection): boolean {
    return !this.byCollection.has(collection.number);
  }

  set(collection: Collection, id: string, pending: PendingVector): void {
    let entries = this.byCollection.get(collection.number);
    if (entries === undefined) {
      entries = new Map();
      this.byCollection.set(collection.number, entries);
    }
    if (this.isInGroup)
      this.undo.push({ collection: collection.number, id, before: entries.get(id) });
    // To the end: the order is that of the offsets.
    entries.delete(id);
    entries.set(id, pending);
  }

  /** The record `offset` drops these entries of the state, whose time was over. */
  expired(collection: Collection, handles: readonly number[], offset: number): void {
    for (const handle of handles)
      this.set(collection, collection.idText(handle), goneAt(handle, offset));
  }

  /** The lowest free handle, for the record `offset`. */
  take(collection: Collection, offset: number): number {
    const { free } = collection;
    if (this.isInGroup && !this.marks.has(free)) this.marks.set(free, free.mark());
    const handle = free.take();
    this.taken.push({ free, handle, offset });
    return handle;
  }

  /** What was applied needs no overlay. */
  forgetApplied(): void {
    const { offset } = this.state;
    for (const [number, entries] of this.byCollection) {
      for (const [id, pending] of entries) {
        if (pending.offset > offset) break;
        entries.delete(id);
      }
      if (entries.size === 0) this.byCollection.delete(number);
    }
    if (this.taken.length > 0) this.taken = this.taken.filter((one) => one.offset > offset);
  }

  begin(): void {
    invariant(!this.isInGroup, 'one transaction at a time');
    this.isInGroup = true;
    this.takenBefore = this.taken.length;
  }

  forget(): void {
    for (const [free, mark] of this.marks) free.forget(mark);
    this.endGroup();
  }

  rollback(): void {
    for (const { collection, id, before } of this.undo.toReversed()) {
      const entries = this.byCollection.get(collection);
      if (before === undefined) entries?.delete(id);
      else entries?.set(id, before);
      if (entries?.size === 0) this.byCollection.delete(collection);
    }
    if (this.undo.length > 0) this.reorder();
    this.taken.length = this.takenBefore;
    for (const [free, mark] of this.marks) free.rollback(mark);
    this.endGroup();
  }

  /** Entries that were put back stand at the end: back in the order of their offsets. */
  private reorder(): void {
    for (const number of new Set(this.undo.map(({ collection }) => collection))) {
      const entries = this.byCollection.get(number);
      if (entries === undefined) continue;
      const sorted = [...entries].sort(([, a], [, b]) => a.offset - b.offset);
      this.byCollection.set(number, new Map(sorted));
    }
  }

  private endGroup(): void {
    this.isInGroup = false;
    if (this.undo.length > 0) this.undo = [];
    if (this.marks.size > 0) this.marks.clear();
  }

  /** Nothing that waits was written, and the log goes on: the handles are free again. */
  giveBack(): void {
    for (const { free, handle } of this.taken.toReversed()) free.giveBack(handle);
    this.taken = [];
  }

  /** Everything that waited is gone. */
  drop(): void {
    this.byCollection.clear();
    this.taken = [];
    this.endGroup();
  }
}

/** An entry that record `offset` deletes. */
export function goneAt(handle: number, offset: number): PendingVector {
  return { ...GONE, handle, offset };
}

const GONE = {
  exists: false,
  scope: '',
  createdAt: 0,
  updatedAt: 0,
  eventTime: Number.NaN,
  expiresAt: Infinity,
  vector: undefined,
  metadata: [],
  isWhole: true,
} as const;
