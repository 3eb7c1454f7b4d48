/**
 * The body of a `vector` record: what an entry has besides its id, and the vector itself, 32-bit
 * floats to the end. Written and read here; docs/format.md shows the bytes.
 */
import { ByteReader } from '../base/byte-reader.ts';
import type { ByteWriter } from '../base/bytes.ts';
import { copyFloatsOut } from '../base/float-bytes.ts';

/** Which of the optional parts follow. */
const VECTOR_PART = { eventTime: 1, expiresAt: 2, scope: 4, metadata: 8 } as const;
const KNOWN_PARTS = 15;

/** What a `vector` record says about an entry. */
export interface VectorFacts {
  readonly vector: Float32Array;
  /** 'kind:id', or empty for the global one. */
  readonly scope: string;
  /** Milliseconds; NaN: none. */
  readonly eventTime: number;
  /** Milliseconds; Infinity: never. */
  readonly expiresAt: number;
  /** MessagePack map; undefined: none. */
  readonly metadata: Uint8Array | undefined;
}

export function writeVectorBody(writer: ByteWriter, facts: VectorFacts): void {
  const { vector, scope, eventTime, expiresAt, metadata } = facts;
  const hasEventTime = !Number.isNaN(eventTime);
  const expires = expiresAt !== Infinity;
  writer.u8(
    (hasEventTime ? VECTOR_PART.eventTime : 0) |
      (expires ? VECTOR_PART.expiresAt : 0) |
      (scope === '' ? 0 : VECTOR_PART.scope) |
      (metadata === undefined ? 0 : VECTOR_PART.metadata),
  );
  if (hasEventTime) writer.f64(eventTime);
  if (expires) writer.f64(expiresAt);
  if (scope !== '') writer.text(scope);
  if (metadata !== undefined) {
    writer.varint(metadata.length);
    writer.raw(metadata);
  }
  writer.reserve(4 * vector.length);
  copyFloatsOut(vector, 0, vector.length, writer.bytes, writer.position);
  writer.position += 4 * vector.length;
}

/** The same read back, its parts named by position. Reused from record to record. */
export class VectorBody {
  bytes: Uint8Array = new Uint8Array(0);
  eventTime: number = Number.NaN;
  expiresAt: number = Infinity;
  scope = '';
  metadataStart = 0;
  metadataEnd = 0;
  /** 4 bytes for each dimension from here to `vectorEnd`. */
  vectorStart = 0;
  vectorEnd = 0;

  /** @throws {RangeError} when the bytes are none */
  read(bytes: Uint8Array, start: number, end: number): void {
    const from = new ByteReader(bytes, start, end);
    const parts = from.u8();
    if (parts > KNOWN_PARTS) throw new RangeError(`a vector with parts ${parts}`);
    this.bytes = bytes;
    this.eventTime = (parts & VECTOR_PART.eventTime) === 0 ? Number.NaN : time(from.f64());
    this.expiresAt = (parts & VECTOR_PART.expiresAt) === 0 ? Infinity : time(from.f64());
    this.scope = (parts & VECTOR_PART.scope) === 0 ? '' : from.text();
    const size = (parts & VECTOR_PART.metadata) === 0 ? 0 : from.varint();
    this.metadataStart = from.take(size);
    this.metadataEnd = from.position;
    this.vectorStart = from.position;
    this.vectorEnd = end;
    if ((end - this.vectorStart) % 4 !== 0) throw new RangeError('a vector is whole floats');
  }
}

function time(value: number): number {
  if (!Number.isFinite(value)) throw new RangeError('a time is a finite number');
  return value;
}
