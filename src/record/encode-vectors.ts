/** Records about vector collections to bytes, as encode.ts does for the others. What follows `notes` is the body. */
import type { ByteWriter } from '../base/bytes.ts';
import type { Annotations } from './annotations.ts';
import { head } from './encode.ts';
import { RECORD_KIND } from './kind.ts';
import { writeVectorBody, type VectorFacts } from './vector-body.ts';

/** The configuration is `body[0, position)`: MessagePack. */
export function encodeCollection(
  writer: ByteWriter,
  time: number | undefined,
  collection: number,
  name: string,
  notes: Annotations,
  body: ByteWriter,
): void {
  head(writer, RECORD_KIND.collection, notes.fields, time);
  writer.varint(collection);
  writer.text(name);
  notes.write(writer);
  writer.raw(body.bytes, 0, body.position);
}

export function encodeDropCollection(
  writer: ByteWriter,
  time: number | undefined,
  collection: number,
  notes: Annotations,
): void {
  head(writer, RECORD_KIND.dropCollection, notes.fields, time);
  writer.varint(collection);
  notes.write(writer);
}

export function encodeVector(
  writer: ByteWriter,
  time: number | undefined,
  collection: number,
  handle: number,
  id: string,
  notes: Annotations,
  facts: VectorFacts,
): void {
  head(writer, RECORD_KIND.vector, notes.fields, time);
  writer.varint(collection);
  writer.varint(handle);
  writer.text(id);
  notes.write(writer);
  writeVectorBody(writer, facts);
}

/** The metadata is `body`: a MessagePack map. */
export function encodeMetadata(
  writer: ByteWriter,
  time: number | undefined,
  collection: number,
  handle: number,
  replaces: boolean,
  notes: Annotations,
  body: Uint8Array,
): void {
  head(writer, RECORD_KIND.metadata, notes.fields, time);
  writer.varint(collection);
  writer.varint(handle);
  writer.varint(replaces ? 1 : 0);
  notes.write(writer);
  writer.raw(body);
}

export function encodeDeleteVector(
  writer: ByteWriter,
  time: number | undefined,
  collection: number,
  handle: number,
  notes: Annotations,
): void {
  head(writer, RECORD_KIND.deleteVector, notes.fields, time);
  writer.varint(collection);
  writer.varint(handle);
  notes.write(writer);
}

/** The body is the handles, a varint each. */
export function encodeExpireVectors(
  writer: ByteWriter,
  time: number | undefined,
  collection: number,
  handles: readonly number[],
): void {
  head(writer, RECORD_KIND.expireVectors, 0, time);
  writer.varint(collection);
  for (const handle of handles) writer.varint(handle);
}
