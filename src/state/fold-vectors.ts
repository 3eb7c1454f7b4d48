/** Records about vector collections into state: the part of the fold that knows them. Same rules as fold.ts. */
import { invariant } from '../base/assert.ts';
import { ByteReader } from '../base/byte-reader.ts';
import { RECORD_KIND } from '../record/kind.ts';
import type { RecordReader } from '../record/record-reader.ts';
import { VectorBody } from '../record/vector-body.ts';
import { readEnveloped } from '../value/read-value.ts';
import { isMap } from '../value/structure.ts';
import type { Collection } from '../vector/collection.ts';
import { storedConfig } from '../vector/config.ts';
import type { State } from './state.ts';

const NO_BYTES: Uint8Array = new Uint8Array(0);

interface IdBytes {
  bytes: Uint8Array;
  start: number;
  end: number;
}

export class VectorFold {
  private readonly state: State;
  private readonly body = new VectorBody();
  private readonly id: IdBytes = { bytes: NO_BYTES, start: 0, end: 0 };

  constructor(state: State) {
    this.state = state;
  }

  /** Applies the record as number `offset`; it must be about collections. */
  apply(record: RecordReader, offset: number): void {
    const { collections } = this.state;
    switch (record.kind) {
      case RECORD_KIND.vector:
        this.put(record, collections.at(record.collection), offset);
        return;
      case RECORD_KIND.metadata:
        invariant(isMapAt(record), 'metadata is a map');
        collections
          .at(record.collection)
          .putMetadataOf(record.handle, record.replaces, record.at, offset, record);
        return;
      case RECORD_KIND.deleteVector:
        collections.at(record.collection).remove(record.handle);
        return;
      case RECORD_KIND.expireVectors:
        this.expire(record, collections.at(record.collection));
        return;
      case RECORD_KIND.collection:
        collections.applyCreate(record.collection, record.text(record.name), () =>
          storedConfig(readEnveloped(record.bytes, record.bodyStart, record.bodyEnd)),
        );
        return;
      case RECORD_KIND.dropCollection:
        collections.applyDrop(record.collection);
        return;
      default:
        invariant(false, `record kind ${record.kind} was read and not applied`);
    }
  }

  private put(record: RecordReader, collection: Collection, offset: number): void {
    const { body, id } = this;
    body.read(record.bytes, record.bodyStart, record.bodyEnd);
    id.bytes = record.bytes;
    id.start = record.name.start;
    id.end = record.name.end;
    collection.put(record.handle, id, record.at, offset, body);
    this.state.collections.expires(body.expiresAt);
  }

  private expire(record: RecordReader, collection: Collection): void {
    const from = new ByteReader(record.bytes, record.bodyStart, record.bodyEnd);
    while (from.position < from.end) collection.remove(from.varint());
    this.state.collections.expiryMoved();
  }
}

function isMapAt({ bytes, bodyStart, bodyEnd }: RecordReader): boolean {
  return bodyStart < bodyEnd && isMap(bytes[bodyStart] as number);
}
