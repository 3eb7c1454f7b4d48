/**
 * One declared context path of one machine: by value, the instances that hold it, as a doubly linked
 * list of entries. Every living instance of the machine has one main entry, under its scalar or under
 * what stands for none, list or object; a list has more, one for each distinct scalar in it, under the
 * keys of elements (src/query/key.ts), so that `eq` never meets them.
 *
 * Main entries are addressed by handle (16 bytes each), the others by ELEMENT_BIT and a number.
 * Equality and counts cost the value, not the instances; order and ranges come from sorted-values.ts.
 */
import { FreeHandles } from '../base/free-handles.ts';
import { RowTable } from '../base/row-table.ts';
import { MAX_KEY_BYTES, encodeElementKey, rankOf } from '../query/key.ts';
import { CLASS, type Scalar, classOf } from '../query/order.ts';
import { PathLocator } from '../value/path-locator.ts';
import { readPacked } from '../value/read-packed.ts';
import type { ShapeTable } from '../value/shape-table.ts';
import { skipPacked } from '../value/skip.ts';
import { bodyAt, isArray, sizeAt } from '../value/structure.ts';
import { PackedKey } from './packed-key.ts';
import { SortedValues } from './sorted-values.ts';
import { NO_ENTRY, ValueTable } from './value-table.ts';

const ELEMENT_BIT = 0x80000000;
const INDEX_MASK = 0xffff;
/** Fields of an entry, u32 each; a main entry is 16 bytes, an element's 24. */
const ENTRY = { value: 0, previous: 1, next: 2, element: 3, handle: 4 } as const;
const MAIN_U32 = 4;
const ELEMENT_U32 = 6;
/** Kept as value + 1, so that rows never written say "none". */
const NO_VALUE = 0;

export class PathIndex {
  readonly path: string;
  readonly names: readonly string[];
  readonly values: ValueTable;
  readonly sorted: SortedValues;
  private readonly shapes: ShapeTable;
  private readonly locator: PathLocator;
  private readonly main = new RowTable(4 * MAIN_U32);
  private readonly elements = new RowTable(4 * ELEMENT_U32);
  private readonly freeElements = new FreeHandles();
  private readonly key: PackedKey;
  /** Keys of cut texts: each stands for several values, whose order it does not tell. */
  private cutKeys = 0;
  /** Instances with an entry. */
  size = 0;

  constructor(path: string, names: readonly string[], shapes: ShapeTable, hashKey: Uint8Array) {
    this.path = path;
    this.names = names;
    this.shapes = shapes;
    this.locator = new PathLocator(shapes, names);
    this.key = new PackedKey(shapes);
    this.values = new ValueTable(hashKey);
    this.sorted = new SortedValues(this.values);
  }

  /** Does the order of the keys tell the order of all values? */
  get tellsOrder(): boolean {
    return this.cutKeys === 0;
  }

  get memoryBytes(): number {
    const { values, sorted, main, elements, freeElements } = this;
    return (
      values.memoryBytes +
      sorted.memoryBytes +
      main.memoryBytes +
      elements.memoryBytes +
      freeElements.memoryBytes
    );
  }

  /** The packed context in bytes from `start` on is the instance's: enters it, or moves it. */
  set(handle: number, bytes: Uint8Array, start: number): void {
    const at = this.locator.find(bytes, start);
    const { key } = this;
    const rank = at < 0 ? key.writeNone() : key.write(bytes, at);
    const isList = at >= 0 && isArray(bytes[at] as number);
    this.main.ensure(handle);
    const row = this.main.segmentOf(handle).u32;
    const i = (handle & INDEX_MASK) * MAIN_U32;
    const held = (row[i + ENTRY.value] as number) - 1;
    const value = this.values.find(key.out.bytes, key.out.position);
    if (held < 0) {
      row[i + ENTRY.element] = NO_ENTRY;
      this.size++;
    } else if (row[i + ENTRY.element] !== NO_ENTRY) this.removeElements(handle);
    if (value !== held || value < 0) {
      if (held >= 0) this.unlink(handle, held);
      this.link(handle, value < 0 ? this.valueOfKey(rank) : value);
    }
    if (isList) this.addElements(handle, bytes, at);
  }

  /** The instance is gone. */
  clear(handle: number): void {
    if (handle >= this.main.rows) return;
    const row = this.main.segmentOf(handle).u32;
    const i = (handle & INDEX_MASK) * MAIN_U32;
    const held = (row[i + ENTRY.value] as number) - 1;
    if (held < 0) return;
    if (row[i + ENTRY.element] !== NO_ENTRY) this.removeElements(handle);
    this.unlink(handle, held);
    row[i + ENTRY.value] = NO_VALUE;
    this.size--;
  }

  has(handle: number): boolean {
    if (handle >= this.main.rows) return false;
    return this.valueOf(handle) >= 0;
  }

  /** Is the instance under exactly what the packed context says? For checks: allocates. */
  agrees(handle: number, bytes: Uint8Array, start: number): boolean {
    if (!this.has(handle)) return false;
    const at = this.locator.find(bytes, start);
    const { key } = this;
    if (at < 0) key.writeNone();
    else key.write(bytes, at);
    if (this.values.find(key.out.bytes, key.out.position) !== this.valueOf(handle)) return false;
    const isList = at >= 0 && isArray(bytes[at] as number);
    const wanted = isList ? this.elementValues(bytes, at) : new Set<number>();
    const held = new Set<number>();
    const main = this.main.segmentOf(handle).u32;
    let entry = main[(handle & INDEX_MASK) * MAIN_U32 + ENTRY.element] as number;
    for (
      ;
      entry !== NO_ENTRY;
      entry = this.rowOf(entry)[this.startOf(entry) + ENTRY.element] as number
    )
      held.add((this.rowOf(entry)[this.startOf(entry) + ENTRY.value] as number) - 1);
    return held.size === wanted.size && [...wanted].every((value) => held.has(value));
  }

  /** The value of an instance's main entry, -1 without one. */
  valueOf(handle: number): number {
    const { u32 } = this.main.segmentOf(handle);
    return (u32[(handle & INDEX_MASK) * MAIN_U32 + ENTRY.value] as number) - 1;
  }

  /** Handles under a value, in no order; those of lists may repeat under different values. */
  collect(value: number, into: (handle: number) => void): void {
    for (let entry = this.values.firstOf(value); entry !== NO_ENTRY;) {
      const u32 = this.rowOf(entry);
      const at = this.startOf(entry);
      into(entry < ELEMENT_BIT ? entry : (u32[at + ENTRY.handle] as number));
      entry = u32[at + ENTRY.next] as number;
    }
  }

  // ---- values ----------------------------------------------------------------------------------

  /** The value of the scalar at `at`, or of none; it stays, with or without instances, until it is let go. */
  hold(bytes: Uint8Array | undefined, at: number): number {
    const rank = bytes === undefined ? this.key.writeNone() : this.key.write(bytes, at);
    const value = this.valueOfKey(rank);
    this.values.addCount(value, 1);
    return value;
  }

  letGo(value: number): void {
    if (this.values.addCount(value, -1) === 0) this.drop(value);
  }

  /** Entries of so many instances will come, with so many values: makes room for them at once. */
  expect(rows: number, values: number): void {
    this.main.ensure(rows - 1);
    if (this.size === 0) this.values.expect(values);
  }

  /** An instance that was expected, without an entry, has a value that is held, and no list. */
  enter(handle: number, value: number): void {
    this.main.segmentOf(handle).u32[(handle & INDEX_MASK) * MAIN_U32 + ENTRY.element] = NO_ENTRY;
    this.size++;
    this.link(handle, value);
  }

  private valueOfKey(rank: number): number {
    const { values } = this;
    const { bytes, position } = this.key.out;
    const found = values.find(bytes, position);
    if (found >= 0) return found;
    const added = values.add(bytes, position, rank);
    if (isCut(bytes[0] as number, position)) this.cutKeys++;
    this.sorted.insert(added);
    return added;
  }

  // ---- lists -----------------------------------------------------------------------------------

  private addElements(handle: number, bytes: Uint8Array, at: number): void {
    for (const value of this.elementValues(bytes, at)) this.addElement(handle, value);
  }

  /** Of the distinct scalars of the list at `at`; those that are new get a value. */
  private elementValues(bytes: Uint8Array, at: number): Set<number> {
    const { shapes } = this;
    const { out } = this.key;
    const found = new Set<number>();
    let position = bodyAt(bytes, at);
    for (let left = sizeAt(bytes, at); left > 0; left--) {
      const end = skipPacked(shapes, bytes, position);
      const element = readPacked(shapes, bytes, position, end);
      position = end;
      if (classOf(element) === CLASS.none) continue;
      out.position = 0;
      encodeElementKey(element as Scalar, out);
      found.add(this.valueOfKey(rankOf(element)));
    }
    return found;
  }

  private addElement(handle: number, value: number): void {
    const free = this.freeElements.take();
    this.elements.ensure(free);
    const entry = ELEMENT_BIT + free;
    const row = this.rowOf(entry);
    const at = this.startOf(entry);
    const main = this.main.segmentOf(handle).u32;
    const first = (handle & INDEX_MASK) * MAIN_U32 + ENTRY.element;
    row[at + ENTRY.handle] = handle;
    row[at + ENTRY.element] = main[first] as number;
    main[first] = entry;
    this.link(entry, value);
  }

  private removeElements(handle: number): void {
    const main = this.main.segmentOf(handle).u32;
    const first = (handle & INDEX_MASK) * MAIN_U32 + ENTRY.element;
    for (let entry = main[first] as number; entry !== NO_ENTRY;) {
      const row = this.rowOf(entry);
      const at = this.startOf(entry);
      const next = row[at + ENTRY.element] as number;
      this.unlink(entry, (row[at + ENTRY.value] as number) - 1);
      this.freeElements.release(entry - ELEMENT_BIT);
      entry = next;
    }
    main[first] = NO_ENTRY;
  }

  // ---- lists of entries ------------------------------------------------------------------------

  private rowOf(entry: number): Uint32Array {
    return entry < ELEMENT_BIT
      ? this.main.segmentOf(entry).u32
      : this.elements.segmentOf(entry - ELEMENT_BIT).u32;
  }

  private startOf(entry: number): number {
    return entry < ELEMENT_BIT
      ? (entry & INDEX_MASK) * MAIN_U32
      : ((entry - ELEMENT_BIT) & INDEX_MASK) * ELEMENT_U32;
  }

  private link(entry: number, value: number): void {
    const first = this.values.prepend(value, entry);
    const row = this.rowOf(entry);
    const at = this.startOf(entry);
    row[at + ENTRY.value] = value + 1;
    row[at + ENTRY.previous] = NO_ENTRY;
    row[at + ENTRY.next] = first;
    if (first !== NO_ENTRY) this.rowOf(first)[this.startOf(first) + ENTRY.previous] = entry;
  }

  private unlink(entry: number, value: number): void {
    const { values } = this;
    const row = this.rowOf(entry);
    const at = this.startOf(entry);
    const previous = row[at + ENTRY.previous] as number;
    const next = row[at + ENTRY.next] as number;
    if (previous === NO_ENTRY) values.setFirst(value, next);
    else this.rowOf(previous)[this.startOf(previous) + ENTRY.next] = next;
    if (next !== NO_ENTRY) this.rowOf(next)[this.startOf(next) + ENTRY.previous] = previous;
    if (values.addCount(value, -1) === 0) this.drop(value);
  }

  /** A value without entries goes. */
  private drop(value: number): void {
    const { values } = this;
    if (isCut(values.classOf(value), values.keyBytesOf(value))) this.cutKeys--;
    this.sorted.remove(value);
    values.remove(value);
  }
}

/** Is it the key of a text that was cut? Elements, whose keys are longer, are in no order. */
function isCut(first: number, keyBytes: number): boolean {
  return first === CLASS.string && keyBytes === MAX_KEY_BYTES;
}
