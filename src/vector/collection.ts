/**
 * One collection as the log leaves it: rows, vectors, ids, metadata, scopes, all packed and off the
 * JavaScript heap. A handle is a row; records state it, so every fold gives the same. Only the fold
 * changes a collection (fold-vectors.ts), and a snapshot that is loaded. Exact search walks the rows;
 * a graph index would be told of put() and remove() and take over from there, by handle.
 */
import { invariant } from '../base/assert.ts';
import { copyFloatsIn } from '../base/float-bytes.ts';
import { FreeHandles } from '../base/free-handles.ts';
import { IdTable } from '../base/id-table.ts';
import { type RowSegment, RowTable } from '../base/row-table.ts';
import { SlabHeap } from '../base/slab-heap.ts';
import type { VectorBody } from '../record/vector-body.ts';
import { type FullConfig, fullConfig, type GivenConfig } from './config.ts';
import { normOf } from './distance.ts';
import { ENTRY, ENTRY_INDEX_MASK } from './entry-row.ts';
import { ExpiryHeap } from './expiry-heap.ts';
import { FloatRows } from './float-rows.ts';
import { MetadataStore } from './metadata-store.ts';
import { ScopeTable } from './scope-table.ts';

export class Collection {
  readonly number: number;
  readonly name: string;
  readonly given: GivenConfig;
  readonly config: FullConfig;
  /** Of the records that create and drop it, while those wait; 0: none waits. */
  createOffset = 0;
  dropOffset = 0;
  isApplied = false;
  /** Entries. */
  total = 0;
  readonly free: FreeHandles = new FreeHandles();
  readonly rows: RowTable = new RowTable(ENTRY.bytes);
  readonly vectors: FloatRows;
  readonly heap: SlabHeap = new SlabHeap();
  readonly ids: IdTable;
  readonly metadata: MetadataStore;
  readonly scopes: ScopeTable;
  readonly expiry: ExpiryHeap;

  constructor(number: number, name: string, given: GivenConfig, hashKey: Uint8Array) {
    this.number = number;
    this.name = name;
    this.given = given;
    this.config = fullConfig(given);
    this.vectors = new FloatRows(given.dimensions);
    this.ids = new IdTable({ heap: this.heap, hashKey, refOf: this });
    this.metadata = new MetadataStore(this.heap);
    this.scopes = new ScopeTable(this.heap, hashKey);
    this.expiry = new ExpiryHeap((handle) =>
      this.isLive(handle) ? this.expiresAt(handle) : Infinity,
    );
  }

  /** @internal for the id table */
  idRefOf(handle: number): number {
    return this.u32(handle, ENTRY.id);
  }

  idText(handle: number): string {
    return this.ids.idText(this.idRefOf(handle));
  }

  isLive(handle: number): boolean {
    return handle < this.rows.rows && this.u32(handle, ENTRY.live) === 1;
  }

  createdAt(handle: number): number {
    return this.f64(handle, ENTRY.createdAt);
  }
  updatedAt(handle: number): number {
    return this.f64(handle, ENTRY.updatedAt);
  }
  offset(handle: number): number {
    return this.f64(handle, ENTRY.offset);
  }
  /** NaN: none. */
  eventTime(handle: number): number {
    return this.f64(handle, ENTRY.eventTime);
  }
  /** Infinity: never. */
  expiresAt(handle: number): number {
    return this.f64(handle, ENTRY.expiresAt);
  }
  scope(handle: number): number {
    return this.u32(handle, ENTRY.scope);
  }
  metadataRef(handle: number): number {
    return this.u32(handle, ENTRY.metadata);
  }

  /** A copy of its vector. */
  vectorOf(handle: number): Float32Array {
    const start = this.vectors.startOf(handle);
    return this.vectors.blockOf(handle).slice(start, start + this.vectors.dimensions);
  }

  /** Memory of everything here. */
  get memoryBytes(): number {
    const { rows, vectors, heap, ids, metadata, scopes, expiry, free } = this;
    const tables = ids.memoryBytes + scopes.memoryBytes + expiry.memoryBytes + free.memoryBytes;
    const values = heap.reservedBytes + metadata.shapes.memoryBytes;
    return rows.memoryBytes + vectors.memoryBytes + values + tables;
  }

  /** An entry whole: new, or in the place of the one `handle` has; that keeps its id and when it was created. */
  put(
    handle: number,
    id: { readonly bytes: Uint8Array; readonly start: number; readonly end: number },
    at: number,
    offset: number,
    body: VectorBody,
  ): void {
    const { dimensions } = this.config;
    const isOfLength = body.vectorEnd - body.vectorStart === 4 * dimensions;
    invariant(isOfLength, 'a vector has the dimensions of its collection');
    const isNew = !this.isLive(handle);
    if (isNew) this.claim(handle, id, at);
    else
      invariant(this.ids.getBytes(id.bytes, id.start, id.end) === handle, 'an entry keeps its id');
    const { f64, u32 } = this.rows.segmentOf(handle);
    const [f, u] = placesOf(handle);
    const before = f64[f + ENTRY.expiresAt] as number;
    f64[f + ENTRY.updatedAt] = isNew ? at : Math.max(at, f64[f + ENTRY.updatedAt] as number);
    f64[f + ENTRY.offset] = offset;
    f64[f + ENTRY.eventTime] = body.eventTime;
    f64[f + ENTRY.expiresAt] = body.expiresAt;
    const scope = this.scopes.enter(body.scope);
    if (!isNew) this.scopes.leave(u32[u + ENTRY.scope] as number);
    u32[u + ENTRY.scope] = scope;
    this.putMetadata(u32, u + ENTRY.metadata, body);
    this.putVector(handle, f64, f + ENTRY.norm, body);
    if (before === body.expiresAt && !isNew) return;
    if (!isNew && before !== Infinity) this.expiry.forget();
    if (body.expiresAt !== Infinity) this.expiry.push(body.expiresAt, handle);
  }

  private claim(
    handle: number,
    id: { readonly bytes: Uint8Array; readonly start: number; readonly end: number },
    at: number,
  ): void {
    // The process that decided it has taken the handle already; everyone else follows the record.
    invariant(handle <= this.free.fresh, 'handles are given without a gap');
    if (this.free.isFree(handle)) this.free.claim(handle);
    this.enter(handle);
    const [f, u] = placesOf(handle);
    const { f64, u32 } = this.rows.segmentOf(handle);
    f64[f + ENTRY.createdAt] = at;
    u32[u + ENTRY.metadata] = 0;
    u32[u + ENTRY.id] = this.ids.put(handle, id.bytes, id.start, id.end);
    u32[u + ENTRY.live] = 1;
    this.total++;
  }

  private enter(handle: number): void {
    this.rows.ensure(handle);
    this.vectors.ensure(handle);
  }

  /** The next entry of a snapshot: as put(), with the facts it had. Handles come in their order, free ones left out. */
  restore(
    handle: number,
    id: { readonly bytes: Uint8Array; readonly start: number; readonly end: number },
    times: { readonly createdAt: number; readonly updatedAt: number; readonly offset: number },
    body: VectorBody,
  ): void {
    invariant(handle >= this.free.fresh, 'handles of a snapshot ascend');
    // Those passed over become free.
    this.free.claim(handle);
    this.put(handle, id, times.createdAt, times.offset, body);
    this.setF64(handle, ENTRY.updatedAt, times.updatedAt);
  }

  private putMetadata(u32: Uint32Array, at: number, body: VectorBody): void {
    const ref = u32[at] as number;
    const { bytes, metadataStart, metadataEnd } = body;
    if (metadataStart < metadataEnd) {
      u32[at] = this.metadata.replace(ref, bytes, metadataStart, metadataEnd);
      return;
    }
    this.metadata.free(ref);
    u32[at] = 0;
  }

  private putVector(handle: number, f64: Float64Array, norm: number, body: VectorBody): void {
    const { vectors } = this;
    const block = vectors.blockOf(handle);
    const start = vectors.startOf(handle);
    const end = start + vectors.dimensions;
    copyFloatsIn(body.bytes, body.vectorStart, block, start, end);
    f64[norm] = this.config.metric === 'cosine' ? normOf(block, start, end) : 1;
  }

  /** Merges metadata into, or puts it in the place of, what an entry has. */
  putMetadataOf(
    handle: number,
    replaces: boolean,
    at: number,
    offset: number,
    body: { readonly bytes: Uint8Array; readonly bodyStart: number; readonly bodyEnd: number },
  ): void {
    invariant(this.isLive(handle), 'metadata of an entry that exists');
    const { u32 } = this.rows.segmentOf(handle);
    const place = placesOf(handle)[1] + ENTRY.metadata;
    const ref = u32[place] as number;
    const { bytes, bodyStart, bodyEnd } = body;
    u32[place] = replaces
      ? this.metadata.replace(ref, bytes, bodyStart, bodyEnd)
      : this.metadata.merge(ref, bytes, bodyStart, bodyEnd);
    this.setF64(handle, ENTRY.updatedAt, Math.max(at, this.updatedAt(handle)));
    this.setF64(handle, ENTRY.offset, offset);
  }

  /** The entry is gone: its handle is free again. */
  remove(handle: number): void {
    invariant(this.isLive(handle), 'an entry that exists is removed');
    const { u32, f64 } = this.rows.segmentOf(handle);
    const [f, u] = placesOf(handle);
    this.ids.remove(handle, u32[u + ENTRY.id] as number);
    this.metadata.free(u32[u + ENTRY.metadata] as number);
    this.scopes.leave(u32[u + ENTRY.scope] as number);
    u32[u + ENTRY.live] = 0;
    if (f64[f + ENTRY.expiresAt] !== Infinity) this.expiry.forget();
    this.free.release(handle);
    this.total--;
  }

  segmentOf(handle: number): RowSegment {
    return this.rows.segmentOf(handle);
  }

  private u32(handle: number, field: number): number {
    return this.rows.segmentOf(handle).u32[
      (handle & ENTRY_INDEX_MASK) * ENTRY.u32 + field
    ] as number;
  }

  private f64(handle: number, field: number): number {
    return this.rows.segmentOf(handle).f64[
      (handle & ENTRY_INDEX_MASK) * ENTRY.f64 + field
    ] as number;
  }

  private setF64(handle: number, field: number, value: number): void {
    this.rows.segmentOf(handle).f64[(handle & ENTRY_INDEX_MASK) * ENTRY.f64 + field] = value;
  }
}

/** Where the row of a handle begins in the views of its segment: f64 and u32. */
function placesOf(handle: number): readonly [f64: number, u32: number] {
  const i = handle & ENTRY_INDEX_MASK;
  return [i * ENTRY.f64, i * ENTRY.u32];
}
