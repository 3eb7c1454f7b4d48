/** Records about vector collections as people read them: names and ids for numbers and handles. */
import { ByteReader } from '../../base/byte-reader.ts';
import { copyFloatsIn } from '../../base/float-bytes.ts';
import { RECORD_KIND } from '../../record/kind.ts';
import type { RecordReader } from '../../record/record-reader.ts';
import { VectorBody } from '../../record/vector-body.ts';
import { readEnveloped } from '../../value/read-value.ts';
import type { DumpedRecord } from './decode.ts';

interface KnownCollection {
  readonly name: string;
  /** By handle. */
  readonly ids: string[];
}

export class VectorRecords {
  private readonly collections = new Map<number, KnownCollection>();
  private readonly body = new VectorBody();

  /** Names collection and entry, and remembers what later records refer to. */
  learn(record: DumpedRecord, reader: RecordReader): void {
    if (reader.kind === RECORD_KIND.collection) {
      const name = reader.text(reader.name);
      this.collections.set(reader.collection, { name, ids: [] });
    }
    const known = this.collections.get(reader.collection);
    if (known === undefined) return;
    record.collection = known.name;
    const isOfEntry = reader.kind >= RECORD_KIND.vector && reader.kind <= RECORD_KIND.deleteVector;
    if (!isOfEntry) return;
    if (reader.kind === RECORD_KIND.vector) known.ids[reader.handle] = reader.text(reader.name);
    const id = known.ids[reader.handle];
    if (id !== undefined) record.id = id;
  }

  /** @throws {RangeError} when the body does not fit its bytes */
  addBody(record: DumpedRecord, reader: RecordReader): void {
    const { bytes, bodyStart, bodyEnd } = reader;
    const value = (): unknown => readEnveloped(bytes, bodyStart, bodyEnd);
    if (reader.kind === RECORD_KIND.collection) record.config = value();
    if (reader.kind === RECORD_KIND.vector) this.addVector(record, reader);
    if (reader.kind === RECORD_KIND.expireVectors) this.addExpired(record, reader);
    if (reader.kind !== RECORD_KIND.metadata) return;
    record.metadata = value();
    if (reader.replaces) record.replaces = true;
  }

  private addVector(record: DumpedRecord, reader: RecordReader): void {
    const { body } = this;
    body.read(reader.bytes, reader.bodyStart, reader.bodyEnd);
    if (body.scope !== '') record.scope = body.scope;
    if (!Number.isNaN(body.eventTime)) record.eventTime = body.eventTime;
    if (body.expiresAt !== Infinity) record.expiresAt = body.expiresAt;
    if (body.metadataStart < body.metadataEnd)
      record.metadata = readEnveloped(body.bytes, body.metadataStart, body.metadataEnd);
    const vector = new Float32Array((body.vectorEnd - body.vectorStart) / 4);
    copyFloatsIn(body.bytes, body.vectorStart, vector, 0, vector.length);
    record.vector = [...vector];
  }

  private addExpired(record: DumpedRecord, reader: RecordReader): void {
    const known = this.collections.get(reader.collection);
    const from = new ByteReader(reader.bytes, reader.bodyStart, reader.bodyEnd);
    const ids = new Set<string>();
    while (from.position < from.end) {
      const handle = from.varint();
      const id = known?.ids[handle];
      if (id !== undefined) ids.add(id);
    }
    record.ids = [...ids];
  }
}
