/**
 * Instances, packed: a 48-byte row each, the context in a slot of the heap, the id in the id
 * table. No JavaScript object per instance. Rows are addressed by handle; a handle is given back
 * only when its instance is purged.
 *
 * A context slot holds `varint(length) context`, then, if the row says so, the last event id as
 * `varint(length) text`. A row without a slot has the empty context and no event id.
 */
import { invariant } from '../base/assert.ts';
import { ByteWriter } from '../base/bytes.ts';
import { F64Ring } from '../base/f64-ring.ts';
import { FreeHandles } from '../base/free-handles.ts';
import { IdTable } from '../base/id-table.ts';
import { type RowSegment, RowTable } from '../base/row-table.ts';
import { SlabHeap } from '../base/slab-heap.ts';
import { mergeInPlace, mergePacked } from '../value/merge.ts';
import { packValue } from '../value/pack.ts';
import type { ShapeTable } from '../value/shape-table.ts';

/** Fields of a row, each as an index into the view of its width; a row has 24 u16, 12 u32 and 6 f64. */
export const ROW = {
  u16: 24,
  u32: 12,
  f64: 6,
  /** u16 */
  state: 0,
  /** u16: the low four bits are ROW_FLAG, the rest counts how often the handle was reused. */
  flags: 1,
  /** u32 */
  definition: 1,
  /** f64, milliseconds */
  createdAt: 1,
  updatedAt: 2,
  /** f64: of the record that last changed the instance */
  offset: 3,
  /** u32: neighbours in the list the row is in; today only the list of deleted ones uses `next`. */
  previous: 8,
  next: 9,
  /** u32: heap slot of context and event id, 0 for none */
  context: 10,
  /** u32: heap slot of the id */
  id: 11,
} as const;

export const ROW_FLAG = {
  live: 1,
  deleted: 2,
  /** Commands that wait for the disk changed this instance: look at the overlay first. */
  pending: 4,
  eventId: 8,
} as const;

const ROW_INDEX_MASK = 0xffff;
const FLAG_BITS = 4;
const NO_ROW = 0xffffffff;

/** The packed form of a context without fields. */
const EMPTY_CONTEXT: Uint8Array = Uint8Array.of(0x80);

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
  /** Commit times of their deletions, in the same order; retention counts by these. */
  readonly deletedTimes: F64Ring = new F64Ring();

  /** Where the context asked for by locateContext() lies. */
  contextBytes: Uint8Array = EMPTY_CONTEXT;
  contextStart = 0;
  contextEnd = 1;

  private readonly merged = new ByteWriter(4096);
  private readonly slot = new ByteWriter(4096);

  constructor(hashKey: Uint8Array) {
    this.heap = new SlabHeap();
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

  /** Stores a new instance's context, given as MessagePack. */
  setContext(
    handle: number,
    shapes: ShapeTable,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.merged.position = 0;
    packValue(shapes, bytes, start, end, this.merged);
    this.writeSlot(handle, this.merged.bytes, 0, this.merged.position, EMPTY_CONTEXT, 0, 0);
  }

  /** Merges a payload, given as MessagePack, shallowly into the context. Anything but a map leaves it as it is. */
  mergeContext(
    handle: number,
    shapes: ShapeTable,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.locateContext(handle);
    if (
      mergeInPlace(shapes, this.contextBytes, this.contextStart, this.contextEnd, bytes, start, end)
    )
      return;
    this.merged.position = 0;
    mergePacked(
      shapes,
      this.contextBytes,
      this.contextStart,
      this.contextEnd,
      bytes,
      start,
      end,
      this.merged,
    );
    this.rewrite(handle, this.merged.bytes, 0, this.merged.position);
  }

  /** New context, same event id. */
  private rewrite(handle: number, bytes: Uint8Array, start: number, end: number): void {
    this.locateContext(handle);
    const eventStart = this.contextEnd;
    const eventEnd = this.eventIdEnd(handle, this.contextBytes, eventStart);
    this.writeSlot(handle, bytes, start, end, this.contextBytes, eventStart, eventEnd);
  }

  /** End of `varint(length) text` at `start`, or `start` when the row has no event id. */
  private eventIdEnd(handle: number, bytes: Uint8Array, start: number): number {
    if ((this.flags(handle) & ROW_FLAG.eventId) === 0) return start;
    const length = readVarint(bytes, start);
    return start + varintSize(length) + length;
  }

  setEventId(handle: number, bytes: Uint8Array, start: number, end: number): void {
    this.locateContext(handle);
    this.merged.position = 0;
    this.merged.varint(end - start);
    this.merged.raw(bytes, start, end);
    this.setFlag(handle, ROW_FLAG.eventId, true);
    this.writeSlot(
      handle,
      this.contextBytes,
      this.contextStart,
      this.contextEnd,
      this.merged.bytes,
      0,
      this.merged.position,
    );
  }

  lastEventId(handle: number): string | undefined {
    if ((this.flags(handle) & ROW_FLAG.eventId) === 0) return undefined;
    this.locateContext(handle);
    const length = readVarint(this.contextBytes, this.contextEnd);
    const start = this.contextEnd + varintSize(length);
    return Buffer.from(this.contextBytes.subarray(start, start + length)).toString('utf8');
  }

  /** Puts context and event id into a slot that fits; the old one is reused or freed. The sources may lie in the old slot. */
  private writeSlot(
    handle: number,
    context: Uint8Array,
    start: number,
    end: number,
    event: Uint8Array,
    eventStart: number,
    eventEnd: number,
  ): void {
    const slot = this.slot;
    slot.position = 0;
    slot.varint(end - start);
    slot.raw(context, start, end);
    slot.raw(event, eventStart, eventEnd);
    const refs = this.rows.segmentOf(handle).u32;
    const at = (handle & ROW_INDEX_MASK) * ROW.u32 + ROW.context;
    let ref = refs[at] as number;
    const capacity = ref === 0 ? 0 : this.heap.capacityOf(ref);
    if (capacity < slot.position || capacity > 2 * slot.position + 16) {
      if (ref !== 0) this.heap.free(ref);
      ref = this.heap.allocate(slot.position);
      refs[at] = ref;
    }
    const target = this.heap.bytesOf(ref);
    let to = this.heap.startOf(ref);
    const from = slot.bytes;
    if (slot.position <= 128)
      for (let i = 0; i < slot.position; i++) target[to++] = from[i] as number;
    else target.set(from.subarray(0, slot.position), to);
  }

  /** Sets contextBytes, contextStart and contextEnd; they hold until the next change of any instance. */
  locateContext(handle: number): void {
    const ref = this.rows.segmentOf(handle).u32[
      (handle & ROW_INDEX_MASK) * ROW.u32 + ROW.context
    ] as number;
    if (ref === 0) {
      this.contextBytes = EMPTY_CONTEXT;
      this.contextStart = 0;
      this.contextEnd = 1;
      return;
    }
    const bytes = this.heap.bytesOf(ref);
    const start = this.heap.startOf(ref);
    const length = readVarint(bytes, start);
    this.contextBytes = bytes;
    this.contextStart = start + varintSize(length);
    this.contextEnd = this.contextStart + length;
  }

  /** Marks a row deleted and puts it at the end of the list of deleted ones. */
  delete(handle: number, at: number, offset: number, time: number): void {
    const segment = this.rows.segmentOf(handle);
    const i = handle & ROW_INDEX_MASK;
    this.setFlag(handle, ROW_FLAG.deleted, true);
    segment.f64[i * ROW.f64 + ROW.updatedAt] = at;
    segment.f64[i * ROW.f64 + ROW.offset] = offset;
    if (this.lastDeleted === NO_ROW) this.firstDeleted = handle;
    else
      this.rows.segmentOf(this.lastDeleted).u32[
        (this.lastDeleted & ROW_INDEX_MASK) * ROW.u32 + ROW.next
      ] = handle;
    this.lastDeleted = handle;
    this.deletedTimes.push(time);
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
    this.deletedTimes.shift();
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

function readVarint(bytes: Uint8Array, at: number): number {
  let byte = bytes[at] as number;
  if (byte < 128) return byte;
  let value = byte & 127;
  for (let i = 1, shift = 7; byte > 127; i++, shift += 7) {
    byte = bytes[at + i] as number;
    value |= (byte & 127) << shift;
  }
  return value;
}

function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;
}
