/**
 * Vector collections to and from chunks: first all collections, then the entries of each, by handle,
 * every chunk naming its collection and the handle it begins behind. Metadata is MessagePack as in the
 * log. When collections have segment files of their own, entries name those instead.
 */
import { ByteReader } from '../base/byte-reader.ts';
import { ByteWriter } from '../base/bytes.ts';
import { writeVectorBody, VectorBody } from '../record/vector-body.ts';
import { readEnveloped } from '../value/read-value.ts';
import { writeValue } from '../value/write-value.ts';
import type { Collection } from '../vector/collection.ts';
import type { CollectionStore } from '../vector/collection-store.ts';
import { storedConfig } from '../vector/config.ts';
import type { ChunkSink } from './chunk-sink.ts';
import { CHUNK, CHUNK_BYTES } from './format.ts';

/** Handles of a slice. */
const SLICE_HANDLES = 256;

/** Nothing at all for a store that never had a collection. */
export async function addCollections(
  collections: CollectionStore,
  sink: ChunkSink,
  rest: () => Promise<void>,
): Promise<void> {
  if (collections.created === 0) return;
  const out = sink.begin(CHUNK.collections);
  const start = out.position;
  out.varint(collections.created);
  const all = collections.all();
  for (const one of all) writeCollection(out, one);
  sink.end(CHUNK.collections, start, all.length);
  // Before the entries.
  await sink.flush();
  for (const one of all) await addEntries(one, sink, rest);
}

function writeCollection(out: ByteWriter, { number, name, given, total }: Collection): void {
  const config = new ByteWriter(256);
  writeValue(config, given, 'config');
  out.varint(number);
  out.text(name);
  out.varint(config.position);
  out.raw(config.bytes, 0, config.position);
  out.varint(total);
}

async function addEntries(
  collection: Collection,
  sink: ChunkSink,
  rest: () => Promise<void>,
): Promise<void> {
  const { rows } = collection.rows;
  const writer = new EntryWriter(collection);
  const out = sink.begin(CHUNK.entries);
  let start = out.position;
  let count = 0;
  const end = (): void => {
    if (count > 0) sink.end(CHUNK.entries, start, count);
    count = 0;
  };
  for (let handle = 0; handle < rows; handle++) {
    if (collection.isLive(handle)) {
      if (count === 0) {
        start = out.position;
        writer.begin(out);
      }
      writer.write(out, handle);
      count++;
    }
    const isFull = count > 0 && out.position - start >= CHUNK_BYTES;
    if (!isFull && (handle + 1) % SLICE_HANDLES !== 0) continue;
    // Draining empties the buffer: a chunk is ended before.
    end();
    await sink.drain();
    await rest();
  }
  end();
  await sink.drain();
}

class EntryWriter {
  private readonly collection: Collection;
  private readonly metadata = new ByteWriter(1024);
  private before = -1;

  constructor(collection: Collection) {
    this.collection = collection;
  }

  begin(out: ByteWriter): void {
    out.varint(this.collection.number);
    out.varint(this.before + 1);
  }

  write(out: ByteWriter, handle: number): void {
    const { collection, metadata } = this;
    const { ids } = collection;
    out.varint(handle - this.before - 1);
    this.before = handle;
    ids.locate(collection.idRefOf(handle));
    out.varint(ids.end - ids.start);
    out.raw(ids.bytes, ids.start, ids.end);
    out.f64(collection.createdAt(handle));
    out.f64(collection.updatedAt(handle));
    out.varint(collection.offset(handle));
    const ref = collection.metadataRef(handle);
    metadata.position = 0;
    if (ref !== 0) collection.metadata.writeTo(ref, metadata);
    const { vectors } = collection;
    const start = vectors.startOf(handle);
    const sizeAt = out.position;
    out.u32(0);
    writeVectorBody(out, {
      vector: vectors.blockOf(handle).subarray(start, start + vectors.dimensions),
      scope: collection.scopes.textOf(collection.scope(handle)),
      eventTime: collection.eventTime(handle),
      expiresAt: collection.expiresAt(handle),
      metadata: ref === 0 ? undefined : metadata.bytes.subarray(0, metadata.position),
    });
    out.view.setUint32(sizeAt, out.position - sizeAt - 4, true);
  }
}

export class CollectionsReader {
  private readonly collections: CollectionStore;
  private readonly body = new VectorBody();
  private expected = 0;
  private taken = 0;

  constructor(collections: CollectionStore) {
    this.collections = collections;
  }

  /** Was every entry there that was announced? */
  get isWhole(): boolean {
    return this.taken === this.expected;
  }

  /** False, or a RangeError, when it makes no sense. */
  readCollections(bytes: Buffer, count: number): boolean {
    const { collections } = this;
    const from = new ByteReader(bytes);
    collections.created = from.varint();
    let last = -1;
    for (let i = 0; i < count; i++) {
      const number = from.varint();
      const name = from.text();
      const config = from.sized();
      if (number <= last || number >= collections.created) return false;
      if (collections.visible(name) !== undefined) return false;
      last = number;
      collections.restore(number, name, storedConfig(readEnveloped(config, 0, config.length)));
      this.expected += from.varint();
    }
    return true;
  }

  readEntries(bytes: Buffer, count: number): boolean {
    const { collections, body } = this;
    const from = new ByteReader(bytes);
    const collection = collections.at(from.varint());
    let handle = from.varint() - 1;
    for (let i = 0; i < count; i++) {
      handle += from.varint() + 1;
      const length = from.varint();
      const start = from.take(length);
      const times = { createdAt: from.f64(), updatedAt: from.f64(), offset: from.varint() };
      const size = from.u32();
      const at = from.take(size);
      body.read(bytes, at, at + size);
      collection.restore(handle, { bytes, start, end: start + length }, times, body);
      collections.expires(body.expiresAt);
    }
    this.taken += count;
    return true;
  }
}
