/**
 * Instances, packed: a 48-byte row each, the context in a slot of the heap, the id in the id
 * table. No JavaScript object per instance. Rows are addressed by handle; a handle is given back
 * only when its instance is purged.
 */
import { invariant } from '../base/assert.ts';
import { FreeHandles } from '../base/free-handles.ts';
import { isUtf8At } from '../base/id-slot.ts';
import { IdTable } from '../base/id-table.ts';
import { type RowSegment, RowTable } from '../base/row-table.ts';
import { SlabHeap } from '../base/slab-heap.ts';
import { ContextStore } from './context-store.ts';
import { DeletedQueue } from './deleted-queue.ts';
import { FLAG_BITS, NO_ROW, ROW, ROW_FLAG, ROW_INDEX_MASK } from './row.ts';

export class InstanceStore {
  readonly rows: RowTable = new RowTable();
  readonly heap: SlabHeap;
  readonly ids: IdTable;
  readonly free: FreeHandles = new FreeHandles();
  /** Instances that exist, deleted ones included. */
  total = 0;
  /** First and last of the deleted ones, in the order they were deleted. */
  private firstDeleted = NO_ROW;
  private lastDeleted = NO_ROW;
  /** When, in the same order; retention counts by these. */
  readonly deleted: DeletedQueue = new DeletedQueue();

  readonly contexts: ContextStore;
  /** Of the bytes touched last, so that touching them is not taken for idle. */
  touched = 0;

  constructor(hashKey: Uint8Array) {
    this.heap = new SlabHeap();
    this.contexts = new ContextStore(this.rows, this.heap);
    this.ids = new IdTable({ heap: this.heap, hashKey, refOf: this });
  }

  segment(handle: number): RowSegment {
    return this.rows.segmentOf(handle);
  }

  /** @internal the id table asks for the ids it compares with */
  idRefOf(handle: number): number {
    return this.rows.segmentOf(handle).u32[(handle & ROW_INDEX_MASK) * ROW.u32 + ROW.id] as number;
  }

  flags(handle: number): number {
    return this.rows.segmentOf(handle).u16[
      (handle & ROW_INDEX_MASK) * ROW.u16 + ROW.flags
    ] as number;
  }

  state(handle: number): number {
    return this.rows.segmentOf(handle).u16[
      (handle & ROW_INDEX_MASK) * ROW.u16 + ROW.state
    ] as number;
  }

  definition(handle: number): number {
    return this.rows.segmentOf(handle).u32[
      (handle & ROW_INDEX_MASK) * ROW.u32 + ROW.definition
    ] as number;
  }

  createdAt(handle: number): number {
    return this.rows.segmentOf(handle).f64[
      (handle & ROW_INDEX_MASK) * ROW.f64 + ROW.createdAt
    ] as number;
  }

  updatedAt(handle: number): number {
    return this.rows.segmentOf(handle).f64[
      (handle & ROW_INDEX_MASK) * ROW.f64 + ROW.updatedAt
    ] as number;
  }

  offset(handle: number): number {
    return this.rows.segmentOf(handle).f64[
      (handle & ROW_INDEX_MASK) * ROW.f64 + ROW.offset
    ] as number;
  }

  /** How often this handle was given to another instance before; wraps at 4,096. */
  generation(handle: number): number {
    return this.flags(handle) >>> FLAG_BITS;
  }

  isLive(handle: number): boolean {
    return handle < this.rows.rows && (this.flags(handle) & ROW_FLAG.live) !== 0;
  }

  /** Looks at the row, id and context of each: what is far away is on its way when they are read in earnest. */
  touch(handles: readonly number[], count: number): void {
    const { rows, heap } = this;
    let seen = 0;
    for (let i = 0; i < count; i++) {
      const handle = handles[i] as number;
      const { u32 } = rows.segmentOf(handle);
      const row = (handle & ROW_INDEX_MASK) * ROW.u32;
      seen ^=
        heap.touch(u32[row + ROW.id] as number) ^ heap.touch(u32[row + ROW.context] as number);
    }
    this.touched = seen;
  }

  idText(handle: number): string {
    return this.ids.idText(this.idRefOf(handle));
  }

  setFlag(handle: number, flag: number, on: boolean): void {
    const flags = this.rows.segmentOf(handle).u16;
    const at = (handle & ROW_INDEX_MASK) * ROW.u16 + ROW.flags;
    flags[at] = on ? (flags[at] as number) | flag : (flags[at] as number) & ~flag;
  }

  /** A new row for an id that is not in the table. The context is MessagePack. */
  create(
    handle: number,
    definition: number,
    state: number,
    at: number,
    offset: number,
    idBytes: Uint8Array,
    idStart: number,
    idEnd: number,
  ): void {
    // Nobody would ever find it under its text.
    invariant(isUtf8At(idBytes, idStart, idEnd), 'an id is UTF-8');
    this.claim(handle);
    const segment = this.rows.segmentOf(handle);
    const i = handle & ROW_INDEX_MASK;
    const flags = i * ROW.u16 + ROW.flags;
    invariant(((segment.u16[flags] as number) & ROW_FLAG.live) === 0, `handle ${handle} is free`);
    segment.u16[flags] = ((segment.u16[flags] as number) & ~((1 << FLAG_BITS) - 1)) | ROW_FLAG.live;
    segment.u16[i * ROW.u16 + ROW.state] = state;
    segment.u32[i * ROW.u32 + ROW.definition] = definition;
    segment.u32[i * ROW.u32 + ROW.context] = 0;
    segment.u32[i * ROW.u32 + ROW.next] = NO_ROW;
    segment.u32[i * ROW.u32 + ROW.previous] = NO_ROW;
    segment.f64[i * ROW.f64 + ROW.createdAt] = at;
    segment.f64[i * ROW.f64 + ROW.updatedAt] = at;
    segment.f64[i * ROW.f64 + ROW.offset] = offset;
    segment.u32[i * ROW.u32 + ROW.id] = this.ids.put(handle, idBytes, idStart, idEnd);
    this.total++;
  }

  /** The fold follows the handle a record states; the process that decided it has taken it already. */
  private claim(handle: number): void {
    invariant(handle <= this.free.fresh, 'handles are given without a gap');
    if (this.free.isFree(handle)) this.free.claim(handle);
    this.rows.ensure(handle);
  }

  /** Marks a row deleted; it joins the list of deleted ones. */
  delete(handle: number, at: number, offset: number, time: number): void {
    const segment = this.rows.segmentOf(handle);
    const i = handle & ROW_INDEX_MASK;
    this.setFlag(handle, ROW_FLAG.deleted, true);
    segment.f64[i * ROW.f64 + ROW.updatedAt] = at;
    segment.f64[i * ROW.f64 + ROW.offset] = offset;
    this.appendDeleted(handle, offset, time);
  }

  private appendDeleted(handle: number, offset: number, time: number): void {
    this.linkNext(handle, NO_ROW);
    if (this.lastDeleted === NO_ROW) this.firstDeleted = handle;
    else this.linkNext(this.lastDeleted, handle);
    this.lastDeleted = handle;
    this.deleted.push(offset, time);
  }

  /** The list of deleted ones as a snapshot has it. The rows between are linked by whoever brings the rows. */
  restoreDeleted(handles: Uint32Array, times: Float64Array, offsets: Float64Array): void {
    handles.forEach((handle, i) => {
      if (i === 0) this.firstDeleted = handle;
      this.lastDeleted = handle;
      this.deleted.push(offsets[i] as number, times[i] as number);
    });
  }

  private linkNext(handle: number, next: number): void {
    this.rows.segmentOf(handle).u32[(handle & ROW_INDEX_MASK) * ROW.u32 + ROW.next] = next;
  }

  /** Handle of the instance deleted longest ago, or -1. */
  get oldestDeleted(): number {
    return this.firstDeleted === NO_ROW ? -1 : this.firstDeleted;
  }

  /** The next one deleted after `handle`, or -1. */
  deletedAfter(handle: number): number {
    const next = this.rows.segmentOf(handle).u32[
      (handle & ROW_INDEX_MASK) * ROW.u32 + ROW.next
    ] as number;
    return next === NO_ROW ? -1 : next;
  }

  /** Takes the instance deleted longest ago out for good: row, id, context; its handle is free again. */
  purgeOldest(): void {
    const handle = this.firstDeleted;
    invariant(handle !== NO_ROW, 'there is a deleted instance to purge');
    const segment = this.rows.segmentOf(handle);
    const i = handle & ROW_INDEX_MASK;
    this.firstDeleted = segment.u32[i * ROW.u32 + ROW.next] as number;
    if (this.firstDeleted === NO_ROW) this.lastDeleted = NO_ROW;
    this.deleted.shift();
    const context = segment.u32[i * ROW.u32 + ROW.context] as number;
    if (context !== 0) this.heap.free(context);
    this.ids.remove(handle, segment.u32[i * ROW.u32 + ROW.id] as number);
    const flags = i * ROW.u16 + ROW.flags;
    const reused = (((segment.u16[flags] as number) >>> FLAG_BITS) + 1) & 0xfff;
    segment.u16[flags] = reused << FLAG_BITS;
    this.free.release(handle);
    this.total--;
  }
}
