/**
 * The graph in its memory: nodes are appended, linked and marked; nothing is checked here. Owns the
 * memory, its views and the few numbers outside it. Slots are given in order from 0 and never reused.
 */
import { StoreError } from '../base/errors.ts';
import { clearBit, hasBit, setBit } from './bitmap.ts';
import { type LoadedKernel, kindOf, rowKindOf } from './kernel/kernel.ts';
import { loadKernel } from './kernel/load.ts';
import {
  DISTANCES_FIELD,
  ENTRY,
  HEADER,
  type Layout,
  PASSING_FIELD,
  SCRATCH,
  TOP_LEVEL,
  bytesFor,
  headerOf,
  layoutOf,
  linkCapacity,
  linksAt,
  rowAt,
} from './layout.ts';
import { levelOf } from './levels.ts';
import type { Settings } from './options.ts';
import { isTrainingDue, train } from './quantizer.ts';

export class Graph {
  readonly layout: Layout;
  readonly loaded: LoadedKernel;
  readonly kind: number;
  readonly rowKind: number;
  /** Slots given so far, deleted ones included. */
  count = 0;
  deleted = 0;
  /** Views of the whole memory, made anew when it has grown. */
  words: Uint32Array = new Uint32Array();
  /** The query in place, and bits of live nodes and of those that pass. */
  query: Float32Array = new Float32Array();
  live: Uint32Array = new Uint32Array();
  passing: Uint32Array = new Uint32Array();
  private room = 0;

  constructor(settings: Settings, kernel: 'auto' | 'simd' | 'scalar') {
    this.layout = layoutOf(settings);
    const { metric } = settings;
    this.kind = kindOf(metric, this.layout.isQuantized);
    this.rowKind = rowKindOf(metric);
    this.loaded = loadKernel(kernel, bytesFor(this.layout, 0), SCRATCH);
    this.view();
    this.words.set(headerOf(this.layout), HEADER >> 2);
    this.words.set(this.layout.scratch, SCRATCH >> 2);
  }

  get entry(): number {
    return this.words[(HEADER >> 2) + ENTRY] ?? 0;
  }

  get topLevel(): number {
    return this.words[(HEADER >> 2) + TOP_LEVEL] ?? 0;
  }

  setEntry(slot: number, level: number): void {
    this.words[(HEADER >> 2) + ENTRY] = slot;
    this.words[(HEADER >> 2) + TOP_LEVEL] = level;
  }

  levelOf(slot: number): number {
    const { settings, groupShift, hierarchyTop } = this.layout;
    return levelOf({ seed: settings.seed, groupShift, topLevel: hierarchyTop }, slot);
  }

  /**
   * Room for so many nodes.
   * @throws {StoreError} QUOTA_EXCEEDED - more than maxElements, or than fit into 4 GiB or the machine's memory.
   */
  reserve(nodes: number): void {
    if (nodes <= this.room) return;
    const { capacity } = this.layout;
    if (nodes > capacity)
      throw full(`an index of these settings holds ${capacity} vectors`, capacity);
    try {
      this.loaded.memory.growTo(bytesFor(this.layout, nodes));
    } catch (cause) {
      throw full(`the system has no memory for ${nodes} vectors`, this.room, cause);
    }
    this.view();
    const perExtent = 2 ** this.layout.extentShift;
    this.room = Math.min(capacity, Math.ceil(nodes / perExtent) * perExtent);
  }

  /** Appends the query in place as a node, links it, and returns its slot. */
  append(): number {
    const slot = this.count;
    this.reserve(slot + 1);
    this.row(slot).set(this.query);
    setBit(this.live, slot);
    this.count++;
    this.encode(slot);
    this.link(slot, 0);
    return slot;
  }

  /** Appends a row alone: no code, no links. */
  copyRow(row: Float32Array): void {
    this.row(this.count).set(row);
    setBit(this.live, this.count);
    this.count++;
  }

  /** Links a node on its levels down to `bottom`; the highest becomes the entry point. */
  link(slot: number, bottom: number): void {
    const { efConstruction } = this.layout.settings;
    const level = this.levelOf(slot);
    this.loaded.kernel.insert(this.kind, slot, level, bottom, efConstruction);
    if (slot === 0 || level > this.topLevel) this.setEntry(slot, level);
  }

  row(slot: number): Float32Array {
    const { layout, loaded } = this;
    return new Float32Array(loaded.memory.buffer, rowAt(layout, slot), layout.settings.dimensions);
  }

  /** The links of a node, those behind NO_LINK included. */
  links(slot: number, level: number): Uint32Array {
    const at = linksAt(this.layout, slot, level) >>> 2;
    return this.words.subarray(at, at + linkCapacity(this.layout, level));
  }

  /** Learns the steps of codes from all rows and writes all codes. */
  encodeAll(): void {
    if (!this.layout.isQuantized || this.count === 0) return;
    const { kernel, memory } = this.loaded;
    train(this.layout, memory.buffer, this.count);
    kernel.encodeRows(0, this.count);
  }

  /** Writes the code of the newest row; those of all rows when steps were learnt anew. */
  private encode(slot: number): void {
    if (!this.layout.isQuantized) return;
    if (isTrainingDue(this.count)) this.encodeAll();
    else this.loaded.kernel.encodeRows(slot, slot + 1);
  }

  isLive(slot: number): boolean {
    return Number.isInteger(slot) && slot >= 0 && slot < this.count && hasBit(this.live, slot);
  }

  markDeleted(slot: number): boolean {
    if (!this.isLive(slot)) return false;
    clearBit(this.live, slot);
    this.deleted++;
    return true;
  }

  /** Which bits a search asks: those of the live nodes, or those written to `passing`. */
  usePassing(bits: 'live' | 'passing'): void {
    this.words[(SCRATCH >> 2) + PASSING_FIELD] = this.layout[bits];
  }

  /** Where the bits are that a search asks. */
  get passingAt(): number {
    return this.words[(SCRATCH >> 2) + PASSING_FIELD] ?? 0;
  }

  /** Distances computed since the last time. */
  takeDistances(): number {
    const place = (SCRATCH >> 2) + DISTANCES_FIELD;
    const distances = this.words[place] ?? 0;
    this.words[place] = 0;
    return distances;
  }

  private view(): void {
    const { buffer } = this.loaded.memory;
    const { layout } = this;
    this.words = new Uint32Array(buffer, 0, buffer.byteLength >> 2);
    this.query = new Float32Array(buffer, layout.query, layout.settings.dimensions);
    this.live = new Uint32Array(buffer, layout.live, layout.bitmapBytes >> 2);
    this.passing = new Uint32Array(buffer, layout.passing, layout.bitmapBytes >> 2);
  }
}

function full(message: string, limit: number, cause?: unknown): StoreError {
  return new StoreError('QUOTA_EXCEEDED', message, { details: { limit }, cause });
}
