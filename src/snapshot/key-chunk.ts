/**
 * Deleted instances and idempotency keys to and from bytes, both oldest first.
 */
import { ByteReader } from '../base/byte-reader.ts';
import type { ByteWriter } from '../base/bytes.ts';
import type { FirstResult, IdempotencyStore, KeptResult } from '../instance/idempotency-store.ts';
import { DELETED } from './format.ts';

const FLAG = { isBodyDropped: 1, hasEventId: 2, isPlain: 4 } as const;

export interface DeletedEntry {
  readonly handle: number;
  readonly time: number;
  readonly offset: number;
}

export function writeDeleted(out: ByteWriter, { handle, time, offset }: DeletedEntry): void {
  out.u32(handle);
  out.u32(0);
  out.f64(time);
  out.f64(offset);
}

/** Collects the list of deleted ones, chunk by chunk. */
export class DeletedReader {
  length = 0;
  readonly handles: Uint32Array;
  readonly times: Float64Array;
  readonly offsets: Float64Array;

  constructor(length: number) {
    this.handles = new Uint32Array(length);
    this.times = new Float64Array(length);
    this.offsets = new Float64Array(length);
  }

  /** False when there are more than announced, or a handle is none. */
  read(bytes: Buffer, count: number, rows: number): boolean {
    if (bytes.length !== count * DELETED.size) return false;
    if (this.length + count > this.handles.length) return false;
    for (let at = 0; at < bytes.length; at += DELETED.size) {
      const handle = bytes.readUInt32LE(at + DELETED.handle);
      if (handle >= rows) return false;
      this.handles[this.length] = handle;
      this.times[this.length] = bytes.readDoubleLE(at + DELETED.time);
      this.offsets[this.length] = bytes.readDoubleLE(at + DELETED.offset);
      this.length++;
    }
    return true;
  }
}

export function writeKey(
  out: ByteWriter,
  { key, result }: { readonly key: string; readonly result: FirstResult },
): void {
  out.f64(result.offset);
  out.f64(result.at);
  out.f64(result.time);
  out.u32(result.fingerprintLow);
  out.u32(result.fingerprintHigh);
  out.varint(result.definition);
  out.varint(result.detail);
  const flags =
    (result.isBodyDropped ? FLAG.isBodyDropped : 0) |
    (result.eventId === undefined ? 0 : FLAG.hasEventId) |
    (result.isPlain ? FLAG.isPlain : 0);
  out.u8(flags);
  out.text(key);
  out.text(result.id);
  out.text(result.eventId ?? '');
  out.varint(result.bodyEnd - result.bodyStart);
  out.raw(result.bytes, result.bodyStart, result.bodyEnd);
}

export function readKeys(bytes: Uint8Array, count: number, keys: IdempotencyStore): void {
  const from = new ByteReader(bytes);
  for (let i = 0; i < count; i++) readKey(from, keys);
}

function readKey(from: ByteReader, keys: IdempotencyStore): void {
  const { bytes } = from;
  const [offset, at, time] = [from.f64(), from.f64(), from.f64()];
  const [fingerprintLow, fingerprintHigh] = [from.u32(), from.u32()];
  const [definition, detail, flags] = [from.varint(), from.varint(), from.u8()];
  const key = from.sized();
  const id = span(from);
  const eventId = span(from);
  const body = span(from);
  const kept: KeptResult = {
    offset,
    at,
    time,
    fingerprintLow,
    fingerprintHigh,
    definition,
    detail,
    isBodyDropped: (flags & FLAG.isBodyDropped) !== 0,
    hasEventId: (flags & FLAG.hasEventId) !== 0,
    isPlain: (flags & FLAG.isPlain) !== 0,
    record: bytes,
    id,
    eventId,
    body: bytes,
    bodyStart: body.start,
    bodyEnd: body.end,
  };
  keys.put(key, key.length, kept);
}

function span(from: ByteReader): { readonly start: number; readonly end: number } {
  const size = from.varint();
  const start = from.take(size);
  return { start, end: start + size };
}
