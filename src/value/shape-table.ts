/**
 * ShapeTable: the key lists of one machine's contexts, each stored once. Keys form a trie: a node is
 * a list of keys, its parent the list without the last. A map that ends at a node gives the node a
 * shape id, which is what packed values carry. Ids count from 0 and are never reused, nodes are
 * never removed. Limits bound what foreign keys may cost; a map beyond them stays a plain map.
 * Keys are kept as MessagePack text, lead byte included, so finding one compares bytes only.
 */
import { invariant } from '../base/assert.ts';
import type { ByteReader } from '../base/byte-reader.ts';
import type { ByteWriter } from '../base/bytes.ts';
import { ShortTextCache } from './short-text.ts';
import { setOwn } from './read-value.ts';

export const MAX_SHAPE_KEYS = 64;
const MAX_KEY_BYTES = 64;
export const MAX_SHAPES = 1024;
/** Prefixes of shapes count here: bounds the table at about 700 KiB. */
export const MAX_NODES = 8192;

/** The trie's root: the empty list of keys. */
export const ROOT = 0;
/** Answer of a search that found nothing, or of an addition beyond a limit. */
export const NONE = -1;

const ROOT_HINT_MASK = 15;

export class ShapeTable {
  /** By node. Node 0 is the root. */
  private parents = new Int32Array(16);
  private keyStarts = new Int32Array(16);
  private keySizes = new Uint8Array(16);
  private depths = new Uint8Array(16);
  private shapes = new Int32Array(16).fill(NONE);
  /** The child found last: keys of one machine's contexts nearly always come in the same order. */
  private hints = new Int32Array(16);
  /** Of the root there is one by size of the key: a context and the maps in it all begin there. */
  private readonly rootHints = new Int32Array(ROOT_HINT_MASK + 1);
  private nodeCount = 1;
  /** Open-addressed: node by (parent, key); 0 is free. At most half full. */
  private slots = new Int32Array(32);
  private pool = new Uint8Array(128);
  private poolEnd = 0;
  /** By shape. */
  private counts = new Uint8Array(8);
  private readonly paths: Int32Array[] = [];
  private readonly names: string[][] = [];
  private readonly templates: Record<string, unknown>[] = [];

  /** For the merge, which may not allocate: where each value of a record starts, and its replacement. */
  readonly starts: Int32Array = new Int32Array(MAX_SHAPE_KEYS + 1);
  readonly newStarts: Int32Array = new Int32Array(MAX_SHAPE_KEYS);
  readonly newEnds: Int32Array = new Int32Array(MAX_SHAPE_KEYS);
  /** One float and its two halves, for reading numbers. */
  readonly floats: Float64Array = new Float64Array(1);
  readonly words: Uint32Array = new Uint32Array(this.floats.buffer);
  readonly texts: ShortTextCache = new ShortTextCache();

  get shapeCount(): number {
    return this.paths.length;
  }

  /** Keys and tables, without the few JavaScript strings made of them. */
  get memoryBytes(): number {
    let bytes =
      this.pool.length + 4 * this.slots.length + 18 * this.parents.length + this.counts.length;
    for (const path of this.paths) bytes += 4 * path.length;
    return bytes + this.texts.memoryBytes;
  }

  /** Number of keys, and so of values in a record. */
  countOf(shape: number): number {
    return this.counts[shape] as number;
  }

  /** The keys in order, for making objects. */
  namesOf(shape: number): readonly string[] {
    return this.names[shape] as string[];
  }

  /** An object with the shape's keys; a copy of it takes values without changing its hidden class. */
  templateOf(shape: number): Readonly<Record<string, unknown>> {
    return this.templates[shape] as Record<string, unknown>;
  }

  /** The node a shape ends at. */
  nodeOf(shape: number): number {
    const path = this.paths[shape] as Int32Array;
    return path.length === 0 ? ROOT : (path[path.length - 1] as number);
  }

  /** Encoded key number `index` of a shape, as bytes of `keyBytes` from here to `keyEnd`. */
  keyStart(shape: number, index: number): number {
    return this.keyStarts[(this.paths[shape] as Int32Array)[index] as number] as number;
  }

  keyEnd(shape: number, index: number): number {
    const node = (this.paths[shape] as Int32Array)[index] as number;
    return (this.keyStarts[node] as number) + (this.keySizes[node] as number);
  }

  get keyBytes(): Uint8Array {
    return this.pool;
  }

  /** The shape id written at `position`: a varint of one or two bytes. */
  idAt(bytes: Uint8Array, position: number): number {
    const low = bytes[position] as number;
    return low < 128 ? low : (low & 127) | ((bytes[position + 1] as number) << 7);
  }

  /** Place of an encoded key in the key list of a node, or NONE. */
  indexOf(node: number, bytes: Uint8Array, start: number, end: number): number {
    const size = end - start;
    for (let at = node; at !== ROOT; at = this.parents[at] as number) {
      if (this.keySizes[at] === size && this.isKey(at, bytes, start, size))
        return (this.depths[at] as number) - 1;
    }
    return NONE;
  }

  /** The node with one more key, made if there is none; NONE when a limit forbids it. */
  child(node: number, bytes: Uint8Array, start: number, end: number): number {
    const known = this.knownChild(node, bytes, start, end);
    if (known !== NONE) return known;
    return this.add(node, bytes, start, end, this.slotOf(node, bytes, start, end));
  }

  /** The node with one more key, NONE if there is none. */
  knownChild(node: number, bytes: Uint8Array, start: number, end: number): number {
    const size = end - start;
    const hint = (
      node === ROOT ? this.rootHints[size & ROOT_HINT_MASK] : this.hints[node]
    ) as number;
    if (this.keySizes[hint] === size && this.isKey(hint, bytes, start, size)) return hint;
    const found = this.slots[this.slotOf(node, bytes, start, end)] as number;
    if (found === 0) return NONE;
    if (node === ROOT) this.rootHints[size & ROOT_HINT_MASK] = found;
    else this.hints[node] = found;
    return found;
  }

  /** The shape that ends at a node, NONE if there is none. */
  knownShapeOf(node: number): number {
    return this.shapes[node] as number;
  }

  /** The shape that ends at a node, made if there is none; NONE when the table is full. */
  shapeOf(node: number): number {
    const known = this.shapes[node] as number;
    return known === NONE ? this.addShape(node) : known;
  }

  /** Everything a table must have to give the same ids from here on; {@link load} reads it. */
  save(out: ByteWriter): void {
    out.varint(this.nodeCount - 1);
    for (let node = 1; node < this.nodeCount; node++) {
      const start = this.keyStarts[node] as number;
      const size = this.keySizes[node] as number;
      out.varint(this.parents[node] as number);
      out.varint(size);
      out.raw(this.pool, start, start + size);
    }
    out.varint(this.paths.length);
    for (let shape = 0; shape < this.paths.length; shape++) out.varint(this.nodeOf(shape));
  }

  /** Into an empty table. False when the bytes are not what a table saved. */
  load(from: ByteReader): boolean {
    const nodes = from.varint();
    for (let node = 1; node <= nodes; node++) {
      const parent = from.varint();
      const size = from.varint();
      const start = from.take(size);
      if (parent >= node) return false;
      if (this.child(parent, from.bytes, start, start + size) !== node) return false;
    }
    const shapes = from.varint();
    for (let shape = 0; shape < shapes; shape++) {
      const node = from.varint();
      if (node > nodes || this.shapeOf(node) !== shape) return false;
    }
    return true;
  }

  /** Of the node with one more key: its slot, or the free one it would get. */
  private slotOf(node: number, bytes: Uint8Array, start: number, end: number): number {
    const size = end - start;
    const mask = this.slots.length - 1;
    let slot = this.hash(node, bytes, start, end) & mask;
    for (let at; (at = this.slots[slot] as number) !== 0; slot = (slot + 1) & mask) {
      const isIt = this.parents[at] === node && this.keySizes[at] === size;
      if (isIt && this.isKey(at, bytes, start, size)) break;
    }
    return slot;
  }

  private hash(node: number, bytes: Uint8Array, start: number, end: number): number {
    let hash = Math.imul(node, 0x9e3779b1);
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
    return hash ^ (hash >>> 15);
  }

  private isKey(node: number, bytes: Uint8Array, start: number, size: number): boolean {
    const { pool } = this;
    const at = this.keyStarts[node] as number;
    // Last byte first: keys of one map often begin alike.
    for (let i = size - 1; i >= 0; i--) if (pool[at + i] !== bytes[start + i]) return false;
    return true;
  }

  private add(node: number, bytes: Uint8Array, start: number, end: number, slot: number): number {
    const size = end - start;
    const depth = (this.depths[node] as number) + 1;
    if (depth > MAX_SHAPE_KEYS || this.nodeCount === MAX_NODES || !isShortText(bytes, start, size))
      return NONE;
    const added = this.nodeCount++;
    if (added === this.parents.length) this.growNodes();
    while (this.poolEnd + size > this.pool.length)
      this.pool = grown(this.pool, new Uint8Array(2 * this.pool.length));
    for (let i = 0; i < size; i++) this.pool[this.poolEnd + i] = bytes[start + i] as number;
    this.parents[added] = node;
    this.keyStarts[added] = this.poolEnd;
    this.keySizes[added] = size;
    this.depths[added] = depth;
    this.poolEnd += size;
    this.slots[slot] = added;
    if (2 * this.nodeCount > this.slots.length) this.rehash();
    return added;
  }

  private growNodes(): void {
    const capacity = 2 * this.parents.length;
    this.parents = grown(this.parents, new Int32Array(capacity));
    this.keyStarts = grown(this.keyStarts, new Int32Array(capacity));
    this.keySizes = grown(this.keySizes, new Uint8Array(capacity));
    this.depths = grown(this.depths, new Uint8Array(capacity));
    this.hints = grown(this.hints, new Int32Array(capacity));
    this.shapes = grown(this.shapes, new Int32Array(capacity).fill(NONE));
  }

  private rehash(): void {
    this.slots = new Int32Array(2 * this.slots.length);
    const mask = this.slots.length - 1;
    for (let node = 1; node < this.nodeCount; node++) {
      const start = this.keyStarts[node] as number;
      const end = start + (this.keySizes[node] as number);
      let slot = this.hash(this.parents[node] as number, this.pool, start, end) & mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
      this.slots[slot] = node;
    }
  }

  private addShape(node: number): number {
    const shape = this.paths.length;
    if (shape === MAX_SHAPES) return NONE;
    const count = this.depths[node] as number;
    const path = new Int32Array(count);
    for (let at = node, i = count - 1; i >= 0; i--, at = this.parents[at] as number) path[i] = at;
    const names = Array.from(path, (at) => this.nameOf(at));
    // A key twice, or two that are the same text once broken UTF-8 is replaced: no object has those.
    if (new Set(names).size !== count) return NONE;
    if (shape === this.counts.length) this.counts = grown(this.counts, new Uint8Array(2 * shape));
    this.counts[shape] = count;
    this.paths.push(path);
    this.names.push(names);
    this.templates.push(templateOf(names));
    this.shapes[node] = shape;
    return shape;
  }

  private nameOf(node: number): string {
    const size = this.keySizes[node] as number;
    const end = (this.keyStarts[node] as number) + size;
    const text = size > 32 ? size - 2 : size - 1;
    return Buffer.from(this.pool.subarray(end - text, end)).toString('utf8');
  }
}

/** Only the shortest form counts as a key, so that unpacking gives the bytes that were packed. */
function isShortText(bytes: Uint8Array, start: number, size: number): boolean {
  const lead = bytes[start] as number;
  if (size <= 32) return lead === 0xa0 + size - 1;
  return (
    size <= MAX_KEY_BYTES + 2 && lead === 0xd9 && bytes[start + 1] === size - 2 && size - 2 >= 32
  );
}

function grown<T extends Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Holding two kinds of value once makes every field general, so no later value changes its class. */
function templateOf(names: readonly string[]): Record<string, unknown> {
  const template: Record<string, unknown> = {};
  for (const name of names) setOwn(template, name, null);
  for (const name of names) template[name] = 0;
  invariant(Object.keys(template).length === names.length, 'a shape names each key once');
  return template;
}
