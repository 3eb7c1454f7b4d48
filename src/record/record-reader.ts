/**
 * Bytes to the fields of one record, without allocating: the reader is reused, texts stay where
 * they are and are named by position. Fold, dump and verify read through it. The bytes passed a
 * CRC; an unknown kind or field is a newer format, anything else that does not fit is RangeError.
 */
import { StoreError } from '../base/errors.ts';
import { FIELD, KNOWN_FIELDS, RECORD_KIND } from './kind.ts';

/** A stretch of the record's bytes. */
export interface Span {
  start: number;
  end: number;
}

const EMPTY: Uint8Array = new Uint8Array(0);

export class RecordReader {
  bytes: Uint8Array = EMPTY;
  private view: DataView = new DataView(EMPTY.buffer);
  private position = 0;
  private end = 0;

  kind = 0;
  fields = 0;
  /** Of the commit; kept from its first record on. */
  time = 0;
  /** Time of the fact: `at` if the record has one, else `time`. */
  at = 0;
  handle = 0;
  definition = 0;
  transition = 0;
  state = 0;
  version = 0;
  deletedThrough = 0;
  keysThrough = 0;
  /** Number of a vector collection. */
  collection = 0;
  /** Of metadata: takes the place of what is there. */
  replaces = false;
  /** Id of an instance or vector, or name of a machine or collection. */
  readonly name: Span = { start: 0, end: 0 };
  readonly eventId: Span = { start: 0, end: 0 };
  readonly key: Span = { start: 0, end: 0 };
  readonly actor: Span = { start: 0, end: 0 };
  readonly reason: Span = { start: 0, end: 0 };
  readonly correlationId: Span = { start: 0, end: 0 };
  fingerprintLow = 0;
  fingerprintHigh = 0;
  /** Payload, context or definition: from here to `bodyEnd`. */
  bodyStart = 0;
  get bodyEnd(): number {
    return this.end;
  }

  /** @throws {RangeError} when the record does not fit its bytes. @throws {StoreError} FORMAT_UNSUPPORTED - unknown kind or field. */
  read(bytes: Uint8Array, start: number, end: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.end = end;
    if (start + 2 > end) throw new RangeError('a record has a kind and fields');
    this.kind = bytes[start] as number;
    const fields = bytes[start + 1] as number;
    this.fields = fields;
    this.position = start + 2;
    if (fields > KNOWN_FIELDS) throw unsupported('field set', fields);
    if ((fields & FIELD.time) !== 0) this.time = this.f64();
    this.readFixed();
    this.at = this.time;
    if ((fields & ~FIELD.time) !== 0) this.readOptional(fields);
    this.bodyStart = this.position;
    if (this.position > end) throw new RangeError('a record ends inside its fields');
  }

  private readFixed(): void {
    switch (this.kind) {
      case RECORD_KIND.apply:
        this.handle = this.varint();
        this.transition = this.varint();
        return;
      case RECORD_KIND.create:
        this.handle = this.varint();
        this.definition = this.varint();
        this.span(this.name);
        return;
      case RECORD_KIND.delete:
        this.handle = this.varint();
        return;
      case RECORD_KIND.migrate:
        this.handle = this.varint();
        this.definition = this.varint();
        this.state = this.varint();
        return;
      case RECORD_KIND.define:
        this.definition = this.varint();
        this.span(this.name);
        this.version = this.varint();
        return;
      case RECORD_KIND.indexes:
        this.span(this.name);
        return;
      case RECORD_KIND.hide:
        this.definition = this.varint();
        return;
      case RECORD_KIND.purge:
        this.deletedThrough = this.varint();
        this.keysThrough = this.varint();
        return;
      case RECORD_KIND.outcome:
        return;
      default:
        this.readVectorFixed();
    }
  }

  /** Of the records about vector collections: all begin with the number of theirs. */
  private readVectorFixed(): void {
    switch (this.kind) {
      case RECORD_KIND.vector:
        this.collection = this.varint();
        this.handle = this.varint();
        this.span(this.name);
        return;
      case RECORD_KIND.metadata:
        this.collection = this.varint();
        this.handle = this.varint();
        this.replaces = this.varint() !== 0;
        return;
      case RECORD_KIND.deleteVector:
        this.collection = this.varint();
        this.handle = this.varint();
        return;
      case RECORD_KIND.collection:
        this.collection = this.varint();
        this.span(this.name);
        return;
      case RECORD_KIND.dropCollection:
      case RECORD_KIND.expireVectors:
        this.collection = this.varint();
        return;
      default:
        throw unsupported('record kind', this.kind);
    }
  }

  private readOptional(fields: number): void {
    if ((fields & FIELD.at) !== 0) this.at = this.f64();
    if ((fields & FIELD.eventId) !== 0) this.span(this.eventId);
    if ((fields & FIELD.key) !== 0) {
      this.span(this.key);
      this.fingerprintLow = this.u32();
      this.fingerprintHigh = this.u32();
    }
    if ((fields & FIELD.actor) !== 0) this.span(this.actor);
    if ((fields & FIELD.reason) !== 0) this.span(this.reason);
    if ((fields & FIELD.correlationId) !== 0) this.span(this.correlationId);
  }

  has(field: number): boolean {
    return (this.fields & field) !== 0;
  }

  /** The text of a span. Allocates: for cold paths. */
  text(span: Span): string {
    return Buffer.from(
      this.bytes.buffer,
      this.bytes.byteOffset + span.start,
      span.end - span.start,
    ).toString('utf8');
  }

  private f64(): number {
    const at = this.position;
    this.position = at + 8;
    const value = this.view.getFloat64(at, true);
    if (!Number.isFinite(value)) throw new RangeError('a time is a finite number');
    return value;
  }

  private u32(): number {
    const at = this.position;
    this.position = at + 4;
    return this.view.getUint32(at, true);
  }

  private varint(): number {
    const bytes = this.bytes;
    let byte = bytes[this.position++] as number;
    if (byte < 128) return byte;
    let value = byte & 127;
    let scale = 128;
    for (let i = 0; i < 7; i++) {
      byte = bytes[this.position++] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return safe(value);
      scale *= 128;
    }
    throw new RangeError('varint too long');
  }

  private span(span: Span): void {
    const length = this.varint();
    span.start = this.position;
    this.position += length;
    span.end = this.position;
    if (this.position > this.end) throw new RangeError('text reaches beyond its record');
  }
}

function safe(value: number): number {
  if (value > Number.MAX_SAFE_INTEGER) throw new RangeError('a varint beyond 2^53');
  return value;
}

function unsupported(what: string, value: number): StoreError {
  return new StoreError(
    'FORMAT_UNSUPPORTED',
    `${what} ${value} was written by a newer version; nothing was changed`,
    { details: { what, value } },
  );
}
