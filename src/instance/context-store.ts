/**
 * The contexts of instances, packed, in slots of the heap; each row names its slot. A slot holds
 * `varint(length) context`, then, if the row says so, the last event id as `varint(length) text`.
 * A row without a slot has the empty context and no event id.
 */
import { ByteWriter, copyBytes } from '../base/bytes.ts';
import type { RowTable } from '../base/row-table.ts';
import type { SlabHeap } from '../base/slab-heap.ts';
import { MiB } from '../base/units.ts';
import { readVarint, varintSize } from '../base/varint.ts';
import { mergeInPlace, mergePacked } from '../value/merge.ts';
import { packValue } from '../value/pack.ts';
import type { ShapeTable } from '../value/shape-table.ts';
import { ROW, ROW_FLAG, ROW_INDEX_MASK } from './row.ts';

/** The packed form of a context without fields. */
const EMPTY_CONTEXT: Uint8Array = Uint8Array.of(0x80);
/** Scratch buffers that grew beyond this for one large context are not kept. */
const KEPT_SCRATCH_BYTES: number = MiB;

export class ContextStore {
  /** Where the context asked for by locate() lies. */
  bytes: Uint8Array = EMPTY_CONTEXT;
  start = 0;
  end = 1;
  private readonly rows: RowTable;
  private readonly heap: SlabHeap;
  private readonly merged = new ByteWriter(4096);
  private readonly slot = new ByteWriter(4096);

  constructor(rows: RowTable, heap: SlabHeap) {
    this.rows = rows;
    this.heap = heap;
  }

  /** Stores the context, given as MessagePack, of a new instance: it has no slot yet. */
  set(handle: number, shapes: ShapeTable, bytes: Uint8Array, start: number, end: number): void {
    const { slot, heap } = this;
    // Room for the length, which nearly always takes one byte.
    slot.position = 1;
    packValue(shapes, bytes, start, end, slot);
    const length = slot.position - 1;
    if (length < 128) slot.bytes[0] = length;
    else widenLength(slot, length);
    const ref = heap.allocate(slot.position);
    copyBytes(slot.bytes, 0, slot.position, heap.bytesOf(ref), heap.startOf(ref));
    this.rows.segmentOf(handle).u32[(handle & ROW_INDEX_MASK) * ROW.u32 + ROW.context] = ref;
    slot.trim(KEPT_SCRATCH_BYTES);
  }

  /** Merges a payload, given as MessagePack, shallowly into the context. Anything but a map leaves it as it is. */
  merge(handle: number, shapes: ShapeTable, bytes: Uint8Array, start: number, end: number): void {
    this.locate(handle);
    if (mergeInPlace(shapes, this.bytes, this.start, this.end, bytes, start, end)) return;
    this.merged.position = 0;
    mergePacked(shapes, this.bytes, this.start, this.end, bytes, start, end, this.merged);
    this.rewrite(handle, this.merged.bytes, 0, this.merged.position);
  }

  /** Puts another context, given as MessagePack, in the place of what is there; the event id stays. */
  replace(handle: number, shapes: ShapeTable, bytes: Uint8Array, start: number, end: number): void {
    this.merged.position = 0;
    packValue(shapes, bytes, start, end, this.merged);
    this.rewrite(handle, this.merged.bytes, 0, this.merged.position);
  }

  /** New context, same event id. */
  private rewrite(handle: number, bytes: Uint8Array, start: number, end: number): void {
    this.locate(handle);
    const eventStart = this.end;
    const eventEnd = this.eventIdEnd(handle, this.bytes, eventStart);
    this.writeSlot(handle, bytes, start, end, this.bytes, eventStart, eventEnd);
  }

  /** End of `varint(length) text` at `start`, or `start` when the row has no event id. */
  private eventIdEnd(handle: number, bytes: Uint8Array, start: number): number {
    if (!this.hasEventId(handle)) return start;
    const length = readVarint(bytes, start);
    return start + varintSize(length) + length;
  }

  private hasEventId(handle: number): boolean {
    const flags = this.rows.segmentOf(handle).u16[
      (handle & ROW_INDEX_MASK) * ROW.u16 + ROW.flags
    ] as number;
    return (flags & ROW_FLAG.eventId) !== 0;
  }

  setEventId(handle: number, bytes: Uint8Array, start: number, end: number): void {
    this.locate(handle);
    this.merged.position = 0;
    this.merged.varint(end - start);
    this.merged.raw(bytes, start, end);
    this.writeSlot(
      handle,
      this.bytes,
      this.start,
      this.end,
      this.merged.bytes,
      0,
      this.merged.position,
    );
    const flags = this.rows.segmentOf(handle).u16;
    const at = (handle & ROW_INDEX_MASK) * ROW.u16 + ROW.flags;
    flags[at] = (flags[at] as number) | ROW_FLAG.eventId;
  }

  lastEventId(handle: number): string | undefined {
    if (!this.hasEventId(handle)) return undefined;
    this.locate(handle);
    const length = readVarint(this.bytes, this.end);
    const start = this.end + varintSize(length);
    return Buffer.from(this.bytes.subarray(start, start + length)).toString('utf8');
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
    const capacity = this.capacity(handle);
    if (capacity < slot.position || capacity > 2 * slot.position + 16) {
      if (ref !== 0) this.heap.free(ref);
      ref = this.heap.allocate(slot.position);
      refs[at] = ref;
    }
    copyBytes(slot.bytes, 0, slot.position, this.heap.bytesOf(ref), this.heap.startOf(ref));
    slot.trim(KEPT_SCRATCH_BYTES);
    this.merged.trim(KEPT_SCRATCH_BYTES);
  }

  /** Bytes of the slot, 0 without one: at least those of the context. The row must still be what the slot was written for. */
  capacity(handle: number): number {
    const ref = this.refOf(handle);
    if (ref === 0) return 0;
    const capacity = this.heap.capacityOf(ref);
    return capacity === 0 ? this.slotBytes(handle, ref) : capacity;
  }

  /** Bytes of the slot that are in use: context, event id, and their lengths. */
  private slotBytes(handle: number, ref: number): number {
    const bytes = this.heap.bytesOf(ref);
    const start = this.heap.startOf(ref);
    const length = readVarint(bytes, start);
    return this.eventIdEnd(handle, bytes, start + varintSize(length) + length) - start;
  }

  /** The slot, 0 for none. */
  refOf(handle: number): number {
    const at = (handle & ROW_INDEX_MASK) * ROW.u32 + ROW.context;
    return this.rows.segmentOf(handle).u32[at] as number;
  }

  /** Sets bytes, start and end to the whole of the slot as it is in use; an empty range without one. */
  locateSlot(handle: number): void {
    const ref = this.refOf(handle);
    this.bytes = ref === 0 ? EMPTY_CONTEXT : this.heap.bytesOf(ref);
    this.start = ref === 0 ? 0 : this.heap.startOf(ref);
    this.end = ref === 0 ? 0 : this.start + this.slotBytes(handle, ref);
  }

  /** Sets bytes, start and end; they hold until the next change of any instance. */
  locate(handle: number): void {
    const ref = this.refOf(handle);
    if (ref === 0) {
      this.bytes = EMPTY_CONTEXT;
      this.start = 0;
      this.end = 1;
      return;
    }
    const bytes = this.heap.bytesOf(ref);
    const start = this.heap.startOf(ref);
    const length = readVarint(bytes, start);
    this.bytes = bytes;
    this.start = start + varintSize(length);
    this.end = this.start + length;
  }
}

/** Behind one byte lies what needs a longer length before it. */
function widenLength(slot: ByteWriter, length: number): void {
  const end = slot.position;
  const extra = varintSize(length) - 1;
  slot.reserve(extra);
  slot.bytes.copyWithin(1 + extra, 1, end);
  slot.position = 0;
  slot.varint(length);
  slot.position = end + extra;
}
