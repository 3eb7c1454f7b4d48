/**
 * The distinct values of one index: each once, as a key whose bytes sort as the values do
 * (src/query/key.ts), with the head of its list of entries and their count. A value leaves with its
 * last entry. Values are named by dense numbers from 0, used again lowest first.
 */
import { FreeHandles } from '../base/free-handles.ts';
import { lengthAt, textAt } from '../base/id-slot.ts';
import { IdTable } from '../base/id-table.ts';
import { RowTable } from '../base/row-table.ts';
import { SlabHeap } from '../base/slab-heap.ts';

/** Fields of a value's 24-byte row. */
const VALUE = { u32: 6, f64: 3, key: 0, first: 1, count: 2, /** f64 */ rank: 2 } as const;
const INDEX_MASK = 0xffff;
/** No entry. */
export const NO_ENTRY = 0xffffffff;

export class ValueTable {
  private readonly heap = new SlabHeap();
  private readonly rows = new RowTable(24);
  private readonly free = new FreeHandles();
  private readonly keys: IdTable;

  constructor(hashKey: Uint8Array) {
    this.keys = new IdTable({ heap: this.heap, hashKey, refOf: this });
  }

  /** Distinct values. */
  get size(): number {
    return this.keys.size;
  }

  /** One above the highest value in use. */
  get end(): number {
    return this.free.fresh;
  }

  get memoryBytes(): number {
    const { heap, rows, keys, free } = this;
    return heap.reservedBytes + rows.memoryBytes + keys.memoryBytes + free.memoryBytes;
  }

  /** @internal the table of keys asks for the keys it compares with */
  idRefOf(value: number): number {
    return this.u32(value, VALUE.key);
  }

  /** So many values will come. */
  expect(count: number): void {
    this.keys.expect(count);
  }

  /** -1 when no entry has this key. */
  find(key: Uint8Array, end: number): number {
    return this.keys.getBytes(key, 0, end);
  }

  /** A value that is not there yet, without entries. `rank`: src/query/key.ts. */
  add(key: Uint8Array, end: number, rank: number): number {
    const value = this.free.take();
    this.rows.ensure(value);
    const { u32, f64 } = this.rows.segmentOf(value);
    const i = value & INDEX_MASK;
    u32[i * VALUE.u32 + VALUE.first] = NO_ENTRY;
    u32[i * VALUE.u32 + VALUE.count] = 0;
    f64[i * VALUE.f64 + VALUE.rank] = rank;
    u32[i * VALUE.u32 + VALUE.key] = this.keys.put(value, key, 0, end);
    return value;
  }

  remove(value: number): void {
    this.keys.remove(value, this.idRefOf(value));
    this.free.release(value);
  }

  isFree(value: number): boolean {
    return this.free.isFree(value);
  }

  firstOf(value: number): number {
    return this.u32(value, VALUE.first);
  }

  /** An entry goes before the others; gives the one that was first. */
  prepend(value: number, entry: number): number {
    const { u32 } = this.rows.segmentOf(value);
    const at = (value & INDEX_MASK) * VALUE.u32;
    const first = u32[at + VALUE.first] as number;
    u32[at + VALUE.first] = entry;
    u32[at + VALUE.count] = (u32[at + VALUE.count] as number) + 1;
    return first;
  }

  setFirst(value: number, entry: number): void {
    this.rows.segmentOf(value).u32[(value & INDEX_MASK) * VALUE.u32 + VALUE.first] = entry;
  }

  countOf(value: number): number {
    return this.u32(value, VALUE.count);
  }

  /** @returns the new count */
  addCount(value: number, change: number): number {
    const { u32 } = this.rows.segmentOf(value);
    const at = (value & INDEX_MASK) * VALUE.u32 + VALUE.count;
    const count = (u32[at] as number) + change;
    u32[at] = count;
    return count;
  }

  rankOf(value: number): number {
    return this.rows.segmentOf(value).f64[(value & INDEX_MASK) * VALUE.f64 + VALUE.rank] as number;
  }

  keyBytesOf(value: number): number {
    const ref = this.idRefOf(value);
    return lengthAt(this.heap.bytesOf(ref), this.heap.startOf(ref));
  }

  /** First byte of its key: the class of the value. */
  classOf(value: number): number {
    const ref = this.idRefOf(value);
    const bytes = this.heap.bytesOf(ref);
    return bytes[textAt(bytes, this.heap.startOf(ref))] as number;
  }

  /** Negative, 0 or positive as the first value sorts before, with or after the second. */
  compare(a: number, b: number): number {
    const ref = this.idRefOf(b);
    const bytes = this.heap.bytesOf(ref);
    const at = this.heap.startOf(ref);
    const start = textAt(bytes, at);
    return this.compareKey(a, bytes, start, start + lengthAt(bytes, at));
  }

  /** The same against a key in bytes[start, end). */
  compareKey(value: number, bytes: Uint8Array, start: number, end: number): number {
    const ref = this.idRefOf(value);
    const own = this.heap.bytesOf(ref);
    const at = this.heap.startOf(ref);
    const ownStart = textAt(own, at);
    const ownLength = lengthAt(own, at);
    const length = Math.min(ownLength, end - start);
    for (let i = 0; i < length; i++) {
      const difference = (own[ownStart + i] as number) - (bytes[start + i] as number);
      if (difference !== 0) return difference;
    }
    return ownLength - (end - start);
  }

  private u32(value: number, field: number): number {
    return this.rows.segmentOf(value).u32[(value & INDEX_MASK) * VALUE.u32 + field] as number;
  }
}
