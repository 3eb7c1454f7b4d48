/**
 * Pending instances by a number: their handle, or the hash of their id. Open addressing with linear
 * probing and deletion by backward shift: every create that waits enters two of these and leaves them
 * again, for which a Map takes four times as long (bench load). Several items may have one number;
 * the order of items says nothing.
 */
import type { PendingInstance } from './pending-instance.ts';

const FIRST_SLOTS = 64;
/** A table that a burst made larger than this starts small again once it is empty. */
const KEPT_SLOTS = 8192;

export class PendingTable {
  size = 0;
  private keys = new Int32Array(FIRST_SLOTS);
  private items: (PendingInstance | undefined)[] = emptySlots(FIRST_SLOTS);

  /** The only item of this number. */
  get(key: number): PendingInstance | undefined {
    if (this.size === 0) return undefined;
    const { keys, items } = this;
    const mask = keys.length - 1;
    const wanted = key | 0;
    let slot = home(wanted, mask);
    for (let item; (item = items[slot]) !== undefined; slot = (slot + 1) & mask)
      if (keys[slot] === wanted) return item;
    return undefined;
  }

  /** The item of this number that is the instance `id`. */
  find(key: number, id: string): PendingInstance | undefined {
    if (this.size === 0) return undefined;
    const { keys, items } = this;
    const mask = keys.length - 1;
    let slot = home(key, mask);
    for (let item; (item = items[slot]) !== undefined; slot = (slot + 1) & mask)
      if (keys[slot] === key && item.id === id) return item;
    return undefined;
  }

  add(key: number, item: PendingInstance): void {
    if (2 * (this.size + 1) > this.keys.length) this.grow();
    this.size++;
    this.put(key | 0, item);
  }

  private put(key: number, item: PendingInstance): void {
    const { keys, items } = this;
    const mask = keys.length - 1;
    let slot = home(key, mask);
    while (items[slot] !== undefined) slot = (slot + 1) & mask;
    keys[slot] = key;
    items[slot] = item;
  }

  /** Takes out an item that is there under this number. */
  remove(key: number, item: PendingInstance): void {
    const { keys, items } = this;
    const mask = keys.length - 1;
    let gap = home(key | 0, mask);
    while (items[gap] !== item) gap = (gap + 1) & mask;
    for (let next = (gap + 1) & mask; items[next] !== undefined; next = (next + 1) & mask) {
      const distance = (next - home(keys[next] as number, mask)) & mask;
      if (distance < ((next - gap) & mask)) continue;
      keys[gap] = keys[next] as number;
      items[gap] = items[next];
      gap = next;
    }
    items[gap] = undefined;
    if (--this.size === 0 && keys.length > KEPT_SLOTS) this.clear();
  }

  clear(): void {
    this.size = 0;
    this.keys = new Int32Array(FIRST_SLOTS);
    this.items = emptySlots(FIRST_SLOTS);
  }

  *all(): IterableIterator<PendingInstance> {
    for (const item of this.items) if (item !== undefined) yield item;
  }

  private grow(): void {
    const { keys, items } = this;
    this.keys = new Int32Array(2 * keys.length);
    this.items = emptySlots(2 * keys.length);
    for (let slot = 0; slot < keys.length; slot++) {
      const item = items[slot];
      if (item !== undefined) this.put(keys[slot] as number, item);
    }
  }
}

function emptySlots(count: number): (PendingInstance | undefined)[] {
  return Array.from<undefined>({ length: count }).fill(undefined);
}

/** Handles come one after the other, and only some bits of a keyed hash are needed: the multiplication spreads both. */
function home(key: number, mask: number): number {
  const spread = Math.imul(key, 0x9e3779b1);
  return (spread ^ (spread >>> 15)) & mask;
}
