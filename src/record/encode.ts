/**
 * Records to bytes: one function per kind, straight into the frame. The reverse is
 * record-reader.ts; a test runs both against each other for every kind and every set of fields.
 * `time` is the commit's time, or undefined for a record that is not the first of its commit.
 */
import type { ByteWriter } from '../base/bytes.ts';
import type { Annotations } from './annotations.ts';
import { FIELD, RECORD_KIND, type RecordKind } from './kind.ts';

/** What every record begins with. @internal */
export function head(
  writer: ByteWriter,
  kind: RecordKind,
  fields: number,
  time: number | undefined,
): void {
  writer.u8(kind);
  if (time === undefined) {
    writer.u8(fields);
    return;
  }
  writer.u8(fields | FIELD.time);
  writer.f64(time);
}

export function encodeDefine(
  writer: ByteWriter,
  time: number | undefined,
  definition: number,
  name: string,
  version: number,
  body: Uint8Array,
  notes: Annotations,
): void {
  head(writer, RECORD_KIND.define, notes.fields, time);
  writer.varint(definition);
  writer.text(name);
  writer.varint(version);
  notes.write(writer);
  writer.raw(body);
}

export function encodeIndexes(
  writer: ByteWriter,
  time: number | undefined,
  name: string,
  body: Uint8Array,
  notes: Annotations,
): void {
  head(writer, RECORD_KIND.indexes, notes.fields, time);
  writer.text(name);
  notes.write(writer);
  writer.raw(body);
}

export function encodeHide(
  writer: ByteWriter,
  time: number | undefined,
  definition: number,
  notes: Annotations,
): void {
  head(writer, RECORD_KIND.hide, notes.fields, time);
  writer.varint(definition);
  notes.write(writer);
}

/** The context is `body[0, bodyEnd)`: MessagePack. */
export function encodeCreate(
  writer: ByteWriter,
  time: number | undefined,
  handle: number,
  definition: number,
  id: string,
  notes: Annotations,
  body: ByteWriter,
): void {
  head(writer, RECORD_KIND.create, notes.fields, time);
  writer.varint(handle);
  writer.varint(definition);
  writer.text(id);
  notes.write(writer);
  writer.append(body);
}

/** An empty body means that the event had no payload. */
export function encodeApply(
  writer: ByteWriter,
  time: number | undefined,
  handle: number,
  transition: number,
  notes: Annotations,
  body: ByteWriter,
): void {
  head(writer, RECORD_KIND.apply, notes.fields, time);
  writer.varint(handle);
  writer.varint(transition);
  notes.write(writer);
  writer.append(body);
}

export function encodeDelete(
  writer: ByteWriter,
  time: number | undefined,
  handle: number,
  notes: Annotations,
): void {
  head(writer, RECORD_KIND.delete, notes.fields, time);
  writer.varint(handle);
  notes.write(writer);
}

/** The context is `body[0, bodyEnd)`, MessagePack; it takes the place of the one before. */
export function encodeMigrate(
  writer: ByteWriter,
  time: number | undefined,
  handle: number,
  definition: number,
  state: number,
  notes: Annotations,
  body: ByteWriter,
): void {
  head(writer, RECORD_KIND.migrate, notes.fields, time);
  writer.varint(handle);
  writer.varint(definition);
  writer.varint(state);
  notes.write(writer);
  writer.append(body);
}

/** Everything deleted at or before one offset, and every key written at or before the other, is gone; 0 = nothing. */
export function encodePurge(
  writer: ByteWriter,
  time: number | undefined,
  deletedThrough: number,
  keysThrough: number,
): void {
  head(writer, RECORD_KIND.purge, 0, time);
  writer.varint(deletedThrough);
  writer.varint(keysThrough);
}

/** Ends the commit it belongs to. The value is MessagePack, or nothing for undefined. */
export function encodeOutcome(
  writer: ByteWriter,
  time: number | undefined,
  notes: Annotations,
  body: ByteWriter,
): void {
  head(writer, RECORD_KIND.outcome, notes.fields, time);
  notes.write(writer);
  writer.append(body);
}
