/**
 * The scopes of a collection's entries, each kept once: text to a small number and back, counted, and
 * forgotten with the last entry in it. Number 0 is the global scope, whose text is empty. Numbers are
 * this table's own affair: records and snapshots hold the text.
 */
import { FreeHandles } from '../base/free-handles.ts';
import { IdTable } from '../base/id-table.ts';
import type { SlabHeap } from '../base/slab-heap.ts';

const GLOBAL = 0;

export class ScopeTable {
  private readonly ids: IdTable;
  private readonly free = new FreeHandles();
  /** By handle, which is the number less 1. */
  private refs = new Uint32Array(4);
  private counts = new Uint32Array(4);
  private globalCount = 0;

  constructor(heap: SlabHeap, hashKey: Uint8Array) {
    this.ids = new IdTable({ heap, hashKey, refOf: this });
  }

  /** @internal for the id table */
  idRefOf(handle: number): number {
    return this.refs[handle] as number;
  }

  get size(): number {
    return this.ids.size + (this.globalCount > 0 ? 1 : 0);
  }

  get memoryBytes(): number {
    return this.ids.memoryBytes + 8 * this.refs.length;
  }

  /** The number of a scope that has entries; -1 for one that has none. */
  numberOf(scope: string): number {
    return scope === '' ? GLOBAL : toNumber(this.ids.get(scope));
  }

  textOf(number: number): string {
    return number === GLOBAL ? '' : this.ids.idText(this.refs[number - 1] as number);
  }

  countOf(number: number): number {
    return number === GLOBAL ? this.globalCount : (this.counts[number - 1] as number);
  }

  /** One more entry in the scope; gives its number. */
  enter(scope: string): number {
    if (scope === '') {
      this.globalCount++;
      return GLOBAL;
    }
    let handle = this.ids.get(scope);
    if (handle < 0) {
      handle = this.free.take();
      if (handle === this.refs.length) this.grow();
      const text = Buffer.from(scope);
      this.refs[handle] = this.ids.put(handle, text, 0, text.length);
    }
    this.counts[handle] = (this.counts[handle] as number) + 1;
    return handle + 1;
  }

  leave(number: number): void {
    if (number === GLOBAL) {
      this.globalCount--;
      return;
    }
    const handle = number - 1;
    const left = (this.counts[handle] as number) - 1;
    this.counts[handle] = left;
    if (left > 0) return;
    this.ids.remove(handle, this.refs[handle] as number);
    this.free.release(handle);
  }

  private grow(): void {
    const [refs, counts] = [this.refs, this.counts];
    this.refs = new Uint32Array(2 * refs.length);
    this.counts = new Uint32Array(2 * counts.length);
    this.refs.set(refs);
    this.counts.set(counts);
  }
}

function toNumber(handle: number): number {
  return handle < 0 ? -1 : handle + 1;
}
