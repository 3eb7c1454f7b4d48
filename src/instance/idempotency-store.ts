/**
 * Idempotency keys and the first results they stand for, packed, oldest first. A key is scoped by
 * operation and target, so the same text may serve for two instances. Entries leave from the old
 * end only, by purge records: through an explicit offset.
 *
 * A result slot holds `varint(length) id, varint(length) event id, body`: the id of a created
 * instance (others are named by their callers), and the packed context as the command left it or
 * the MessagePack value of a transaction.
 */
import { ByteWriter } from '../base/bytes.ts';
import { FreeHandles } from '../base/free-handles.ts';
import { IdTable } from '../base/id-table.ts';
import { type RowSegment, type RowSource, RowTable } from '../base/row-table.ts';
import { SlabHeap } from '../base/slab-heap.ts';

/** The buffer results are put together in lets go of more than this. */
const KEPT_SCRATCH_BYTES = 65_536;

/** Contexts above this are not kept with a first result. */
export const KEPT_CONTEXT_BYTES = 4096;

const ROW_INDEX_MASK = 0xffff;
export const NONE = 0xffffffff;

/** Fields of an entry's 64-byte row: 8 f64, 16 u32. */
export const ENTRY = {
  f64: 8,
  u32: 16,
  /** f64 */
  offset: 0,
  at: 1,
  time: 2,
  /** u32 */
  fingerprintLow: 6,
  fingerprintHigh: 7,
  keyRef: 8,
  resultRef: 9,
  next: 10,
  definition: 11,
  detail: 12,
  resultBytes: 13,
  flags: 14,
} as const;

const FLAG = { isBodyDropped: 1, hasEventId: 2, isPlain: 4 } as const;

/** The first result behind a key. `body` lies in bytes[bodyStart, bodyEnd). */
export interface FirstResult {
  readonly offset: number;
  /** Time of the fact, and of the commit (of an earlier one, if the clock had gone back since). */
  readonly at: number;
  readonly time: number;
  readonly fingerprintLow: number;
  readonly fingerprintHigh: number;
  readonly definition: number;
  /** Transition index of an apply. */
  readonly detail: number;
  readonly id: string;
  readonly eventId: string | undefined;
  readonly bytes: Uint8Array;
  readonly bodyStart: number;
  readonly bodyEnd: number;
  /** The context was too large to be kept. */
  readonly isBodyDropped: boolean;
  /** The body is MessagePack, not a packed context. */
  readonly isPlain: boolean;
}

/** What the fold hands over for a new entry; one object, reused. */
export interface KeptResult {
  offset: number;
  at: number;
  time: number;
  fingerprintLow: number;
  fingerprintHigh: number;
  definition: number;
  detail: number;
  isBodyDropped: boolean;
  /** The body is MessagePack, not a packed context. */
  isPlain: boolean;
  hasEventId: boolean;
  /** `id` and `eventId` lie in these bytes, `body` in its own. */
  record: Uint8Array;
  id: { readonly start: number; readonly end: number };
  eventId: { readonly start: number; readonly end: number };
  body: Uint8Array;
  bodyStart: number;
  bodyEnd: number;
}

export class IdempotencyStore {
  /** The pieces, for snapshots. */
  readonly rows: RowTable = new RowTable(64);
  readonly heap: SlabHeap = new SlabHeap();
  readonly keys: IdTable;
  private readonly free = new FreeHandles();
  private readonly result = new ByteWriter(1024);
  private first = NONE;
  private last = NONE;
  size = 0;

  constructor(hashKey: Uint8Array) {
    this.keys = new IdTable({ heap: this.heap, hashKey, refOf: this });
  }

  /** What the kept results take: the part of `bytes` that values of callers decide. */
  get resultBytes(): number {
    return this.heap.usedBytes;
  }

  get bytes(): number {
    return this.heap.usedBytes + this.keys.memoryBytes + this.rows.memoryBytes;
  }

  /** @internal */
  idRefOf(handle: number): number {
    return this.u32(handle, ENTRY.keyRef);
  }

  /** Offset of the oldest entry, 0 when there is none. */
  get oldestOffset(): number {
    return this.first === NONE ? 0 : this.f64(this.first, ENTRY.offset);
  }

  /** Commit time of the oldest entry, in milliseconds; Infinity when there is none. */
  get oldestTime(): number {
    return this.first === NONE ? Infinity : this.f64(this.first, ENTRY.time);
  }

  /** Offset of the entry that `count - 1` others precede: purging through it frees `count` entries. */
  offsetOfOldest(count: number): number {
    let at = this.first;
    for (let i = 1; i < count && this.u32(at, ENTRY.next) !== NONE; i++)
      at = this.u32(at, ENTRY.next);
    return at === NONE ? 0 : this.f64(at, ENTRY.offset);
  }

  find(scoped: string): FirstResult | undefined {
    const handle = this.keys.get(scoped);
    return handle < 0 ? undefined : this.read(handle);
  }

  /** Files a result under the scoped key in key[0, keyEnd), which must be new. */
  put(key: Uint8Array, keyEnd: number, kept: KeptResult): void {
    const { result, heap } = this;
    result.position = 0;
    result.varint(kept.id.end - kept.id.start);
    result.raw(kept.record, kept.id.start, kept.id.end);
    result.varint(kept.eventId.end - kept.eventId.start);
    result.raw(kept.record, kept.eventId.start, kept.eventId.end);
    result.raw(kept.body, kept.bodyStart, kept.bodyEnd);
    const ref = heap.allocate(result.position);
    heap.bytesOf(ref).set(result.bytes.subarray(0, result.position), heap.startOf(ref));
    const handle = this.free.take();
    this.rows.ensure(handle);
    const segment = this.rows.segmentOf(handle);
    this.write(segment, handle, kept, ref, result.position);
    const at = (handle & ROW_INDEX_MASK) * ENTRY.u32 + ENTRY.keyRef;
    segment.u32[at] = this.keys.put(handle, key, 0, keyEnd);
    if (this.last === NONE) this.first = handle;
    else {
      const before = this.rows.segmentOf(this.last).u32;
      before[(this.last & ROW_INDEX_MASK) * ENTRY.u32 + ENTRY.next] = handle;
    }
    this.last = handle;
    this.size++;
    result.trim(KEPT_SCRATCH_BYTES);
  }

  private write(
    segment: RowSegment,
    handle: number,
    entry: KeptResult,
    ref: number,
    resultBytes: number,
  ): void {
    const u32 = (handle & ROW_INDEX_MASK) * ENTRY.u32;
    const f64 = (handle & ROW_INDEX_MASK) * ENTRY.f64;
    segment.f64[f64 + ENTRY.offset] = entry.offset;
    segment.f64[f64 + ENTRY.at] = entry.at;
    // A clock that went back makes no entry older than the one before it: they leave in this order.
    const newest = this.last === NONE ? entry.time : this.f64(this.last, ENTRY.time);
    segment.f64[f64 + ENTRY.time] = Math.max(entry.time, newest);
    segment.u32[u32 + ENTRY.fingerprintLow] = entry.fingerprintLow;
    segment.u32[u32 + ENTRY.fingerprintHigh] = entry.fingerprintHigh;
    segment.u32[u32 + ENTRY.resultRef] = ref;
    segment.u32[u32 + ENTRY.next] = NONE;
    segment.u32[u32 + ENTRY.definition] = entry.definition;
    segment.u32[u32 + ENTRY.detail] = entry.detail;
    segment.u32[u32 + ENTRY.resultBytes] = resultBytes;
    segment.u32[u32 + ENTRY.flags] =
      (entry.isPlain ? FLAG.isPlain : 0) |
      (entry.hasEventId ? FLAG.hasEventId : 0) |
      (entry.isBodyDropped ? FLAG.isBodyDropped : 0);
  }

  /** Drops every entry written at or before `offset`. */
  purgeThrough(offset: number): void {
    while (this.first !== NONE && this.f64(this.first, ENTRY.offset) <= offset) {
      const handle = this.first;
      this.first = this.u32(handle, ENTRY.next);
      if (this.first === NONE) this.last = NONE;
      this.heap.free(this.u32(handle, ENTRY.resultRef));
      this.keys.remove(handle, this.u32(handle, ENTRY.keyRef));
      this.free.release(handle);
      this.size--;
    }
  }

  /** Entries as a snapshot has them: in rows 0 to `count` - 1, oldest first. The table of keys is restored apart. */
  restore(count: number, source: RowSource): void {
    this.rows.restore(count, source);
    this.free.fresh = count;
    this.size = count;
    if (count === 0) return;
    this.first = 0;
    this.last = count - 1;
  }

  /** Rows of all entries, oldest first. */
  *handles(): IterableIterator<number> {
    for (let at = this.first; at !== NONE; at = this.u32(at, ENTRY.next)) yield at;
  }

  /** Every entry, oldest first: scoped key and result. */
  *entries(): IterableIterator<{ readonly key: string; readonly result: FirstResult }> {
    for (const at of this.handles()) {
      yield { key: this.keys.idText(this.u32(at, ENTRY.keyRef)), result: this.read(at) };
    }
  }

  /** Offsets to purge through, a slice of entries each, until all written at or before `time` are covered. */
  slicesUntil(time: number, slice: number): IterableIterator<number> {
    return this.slices(slice, (at) => this.f64(at, ENTRY.time) <= time);
  }

  /** The same, until the entry written by record `offset` is covered. */
  slicesThrough(offset: number, slice: number): IterableIterator<number> {
    return this.slices(slice, (at) => this.f64(at, ENTRY.offset) <= offset);
  }

  private *slices(slice: number, goes: (handle: number) => boolean): IterableIterator<number> {
    let count = 0;
    let offset = 0;
    for (let at = this.first; at !== NONE && goes(at); at = this.u32(at, ENTRY.next)) {
      offset = this.f64(at, ENTRY.offset);
      if (++count % slice === 0) yield offset;
    }
    if (count % slice !== 0) yield offset;
  }

  private read(handle: number): FirstResult {
    const ref = this.u32(handle, ENTRY.resultRef);
    const bytes = this.heap.bytesOf(ref);
    const end = this.heap.startOf(ref) + this.u32(handle, ENTRY.resultBytes);
    const id = takeText(bytes, this.heap.startOf(ref));
    const eventId = takeText(bytes, id.next);
    const flags = this.u32(handle, ENTRY.flags);
    return {
      offset: this.f64(handle, ENTRY.offset),
      at: this.f64(handle, ENTRY.at),
      time: this.f64(handle, ENTRY.time),
      fingerprintLow: this.u32(handle, ENTRY.fingerprintLow),
      fingerprintHigh: this.u32(handle, ENTRY.fingerprintHigh),
      definition: this.u32(handle, ENTRY.definition),
      detail: this.u32(handle, ENTRY.detail),
      id: id.text,
      eventId: (flags & FLAG.hasEventId) === 0 ? undefined : eventId.text,
      bytes,
      bodyStart: eventId.next,
      bodyEnd: end,
      isBodyDropped: (flags & FLAG.isBodyDropped) !== 0,
      isPlain: (flags & FLAG.isPlain) !== 0,
    };
  }

  private u32(handle: number, field: number): number {
    return this.rows.segmentOf(handle).u32[(handle & ROW_INDEX_MASK) * ENTRY.u32 + field] as number;
  }

  private f64(handle: number, field: number): number {
    return this.rows.segmentOf(handle).f64[(handle & ROW_INDEX_MASK) * ENTRY.f64 + field] as number;
  }
}

function takeText(bytes: Uint8Array, at: number): { readonly text: string; readonly next: number } {
  let length = bytes[at] as number;
  let start = at + 1;
  if (length > 127) {
    length = (length & 127) | ((bytes[start] as number) << 7);
    start++;
  }
  const end = start + length;
  return { text: Buffer.from(bytes.subarray(start, end)).toString('utf8'), next: end };
}
