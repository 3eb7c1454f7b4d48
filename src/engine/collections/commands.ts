/**
 * Commands on the entries of a collection, decided over overlay and state and logged in the open
 * group: the same for a call of its own and inside a transaction. Checks come first and for the whole
 * call; what is refused has logged nothing.
 */
import { StoreError } from '../../base/errors.ts';
import {
  encodeDeleteVector,
  encodeExpireVectors,
  encodeMetadata,
  encodeVector,
} from '../../record/encode-vectors.ts';
import { goneAt } from '../../state/pending-vectors.ts';
import type { Collection } from '../../vector/collection.ts';
import type { DeletedVectors, VectorEntry } from '../api/collection.ts';
import type { Pipeline } from '../pipeline.ts';
import { checkFits, type CheckedEntry } from './entry-input.ts';
import { EntryTarget, folded } from './entry-target.ts';

/** A collection as a handle names it: `scope` is that of a scoped one. */
export interface Place {
  readonly name: string;
  readonly scope: string | undefined;
}

const quote = (text: string): string => JSON.stringify(text);

export class VectorCommands {
  private readonly pipeline: Pipeline;
  private readonly target: EntryTarget;
  private readonly newId: (now: number) => string;
  /** The time of the fact as the caller gave it; that of the annotations changes from record to record. */
  given: number | undefined = undefined;

  constructor(pipeline: Pipeline, newId: (now: number) => string) {
    this.pipeline = pipeline;
    this.target = new EntryTarget(pipeline.overlay.vectors);
    this.newId = newId;
  }

  /** @throws {StoreError} COLLECTION_NOT_FOUND */
  collection(name: string): Collection {
    const found = this.pipeline.state.collections.decided(name);
    if (found !== undefined) return found;
    throw unknownCollection(name);
  }

  get(place: Place, id: string): VectorEntry | undefined {
    const collection = this.collection(place.name);
    return this.find(collection, place, id) ? this.target.entry(collection, id) : undefined;
  }

  // ---- insert and upsert -----------------------------------------------------------------------

  /** @throws {StoreError} COLLECTION_NOT_FOUND, DIMENSION_MISMATCH, INVALID_VECTOR, VECTOR_EXISTS, QUOTA_EXCEEDED */
  checkPut(place: Place, entries: readonly CheckedEntry[], isUpsert: boolean): void {
    const collection = this.collection(place.name);
    entries.forEach(({ vector }, i) =>
      checkFits(vector, collection.config, `entries[${i}].vector`),
    );
    const seen = new Set<string>();
    let added = 0;
    entries.forEach(({ id }, i) => {
      if (id === undefined) {
        added++;
        return;
      }
      const isThere = this.target.find(collection, id, this.pipeline.now);
      // Of another scope than the handle reaches: neither shown nor replaced.
      const isForeign = isThere && !this.isReached(collection, place);
      if (seen.has(id) || isForeign || (isThere && !isUpsert)) throw exists(id, i);
      seen.add(id);
      if (!isThere) added++;
    });
    this.checkRoom(collection, added);
  }

  /** Gives the ids, in the order of the entries. */
  logPut(place: Place, entries: readonly CheckedEntry[]): string[] {
    const collection = this.collection(place.name);
    const { now } = this.pipeline;
    return entries.map((entry) => {
      const id = entry.id ?? this.newId(now);
      const isThere = this.target.find(collection, id, now);
      this.logEntry(collection, id, entry, isThere);
      return id;
    });
  }

  private logEntry(
    collection: Collection,
    id: string,
    entry: CheckedEntry,
    isThere: boolean,
  ): void {
    const { pipeline, target } = this;
    const { records, notes, overlay } = pipeline;
    const before = isThere ? target.current(collection) : undefined;
    if (target.isOver) this.logOver(collection, id);
    const at = this.factTime(before?.updatedAt);
    const offset = records.nextOffset;
    const handle = before?.handle ?? overlay.vectors.take(collection, offset);
    const writer = records.open();
    encodeVector(writer, records.time, collection.number, handle, id, notes, entry);
    records.close(undefined, false);
    overlay.vectors.set(collection, id, {
      handle,
      offset,
      exists: true,
      scope: entry.scope,
      createdAt: before?.createdAt ?? at,
      updatedAt: at,
      eventTime: entry.eventTime,
      expiresAt: entry.expiresAt,
      vector: entry.vector,
      metadata: entry.metadata === undefined ? [] : [entry.metadata],
      isWhole: true,
    });
  }

  /** What was found is past its time: it goes first, so that its id is free. */
  private logOver(collection: Collection, id: string): void {
    const { records, overlay } = this.pipeline;
    const { handle } = this.target;
    const offset = records.nextOffset;
    const writer = records.open();
    encodeExpireVectors(writer, records.time, collection.number, [handle]);
    records.close(undefined, false);
    overlay.vectors.set(collection, id, goneAt(handle, offset));
  }

  /** Stored times never decrease within an entry, whatever clock or caller say. */
  private factTime(before: number | undefined): number {
    const { notes, now } = this.pipeline;
    const at = Math.max(this.given ?? now, before ?? -Infinity);
    notes.at = at === now ? undefined : at;
    return at;
  }

  private checkRoom(collection: Collection, added: number): void {
    const { maxElements } = collection.config;
    if (maxElements === Infinity || added === 0) return;
    const size = this.sizeOf(collection);
    if (size + added <= maxElements) return;
    const message = `collection ${quote(collection.name)} has ${size} entries and room for ${maxElements}`;
    throw new StoreError('QUOTA_EXCEEDED', message, {
      details: { limit: maxElements, size, added },
    });
  }

  /** Entries that are not over, those that wait counted as they will be. */
  private sizeOf(collection: Collection): number {
    const { overlay, now } = this.pipeline;
    const isPending = (handle: number): boolean =>
      overlay.vectors.get(collection, collection.idText(handle)) !== undefined;
    const isOver = (handle: number): boolean => !isPending(handle);
    let size = collection.total - collection.expiry.due(now, Infinity, isOver).length;
    for (const [id, pending] of overlay.vectors.entriesOf(collection)) {
      const willBe = pending.exists && pending.expiresAt > now;
      size += Number(willBe) - Number(collection.ids.get(id) >= 0);
    }
    return size;
  }

  // ---- metadata ----------------------------------------------------------------------------------

  /** @throws {StoreError} COLLECTION_NOT_FOUND, VECTOR_NOT_FOUND, RECORD_TOO_LARGE */
  checkMetadata(place: Place, id: string, metadata: Uint8Array, replaces: boolean): void {
    const collection = this.collection(place.name);
    if (!this.find(collection, place, id)) throw notFound(id);
    if (!replaces) this.target.checkSize(collection, metadata);
  }

  logMetadata(place: Place, id: string, metadata: Uint8Array, replaces: boolean): void {
    const { records, notes, overlay } = this.pipeline;
    const collection = this.collection(place.name);
    this.find(collection, place, id);
    const before = this.target.current(collection);
    const at = this.factTime(before.updatedAt);
    const offset = records.nextOffset;
    const writer = records.open();
    const { number } = collection;
    encodeMetadata(writer, records.time, number, before.handle, replaces, notes, metadata);
    records.close(undefined, false);
    overlay.vectors.set(collection, id, {
      ...before,
      offset,
      updatedAt: at,
      metadata: replaces ? [metadata] : folded([...before.metadata, metadata]),
      isWhole: replaces || before.isWhole,
    });
  }

  // ---- delete ------------------------------------------------------------------------------------

  logDelete(place: Place, ids: readonly string[]): DeletedVectors {
    const collection = this.collection(place.name);
    const deleted: string[] = [];
    const missing: string[] = [];
    for (const id of ids) {
      const isThere = this.find(collection, place, id);
      if (isThere) this.logGone(collection, id, this.target.handle);
      (isThere ? deleted : missing).push(id);
    }
    return { deleted, missing };
  }

  /** Gives how many there were. */
  logDeleteScope(place: Place, scope: string): number {
    const collection = this.collection(place.name);
    const ids = this.idsIn(collection, scope);
    for (const id of ids) {
      this.target.find(collection, id, this.pipeline.now);
      this.logGone(collection, id, this.target.handle);
    }
    return ids.length;
  }

  private idsIn(collection: Collection, scope: string): string[] {
    const { overlay, now } = this.pipeline;
    const ids: string[] = [];
    const number = collection.scopes.numberOf(scope);
    const rows = number < 0 ? 0 : collection.rows.rows;
    for (let handle = 0; handle < rows; handle++) {
      if (!collection.isLive(handle) || collection.scope(handle) !== number) continue;
      if (collection.expiresAt(handle) <= now) continue;
      const id = collection.idText(handle);
      if (overlay.vectors.get(collection, id) === undefined) ids.push(id);
    }
    for (const [id, pending] of overlay.vectors.entriesOf(collection)) {
      if (pending.exists && pending.scope === scope && pending.expiresAt > now) ids.push(id);
    }
    return ids;
  }

  private logGone(collection: Collection, id: string, handle: number): void {
    const { records, notes, overlay, now } = this.pipeline;
    notes.at = this.given === now ? undefined : this.given;
    const offset = records.nextOffset;
    encodeDeleteVector(records.open(), records.time, collection.number, handle, notes);
    records.close(undefined, false);
    overlay.vectors.set(collection, id, goneAt(handle, offset));
  }

  // ---- both --------------------------------------------------------------------------------------

  /** An entry of another scope than the handle reaches is absent to it. */
  private find(collection: Collection, place: Place, id: string): boolean {
    return this.target.find(collection, id, this.pipeline.now) && this.isReached(collection, place);
  }

  private isReached(collection: Collection, { scope }: Place): boolean {
    return scope === undefined || this.target.scope(collection) === scope;
  }
}

export function unknownCollection(name: string): StoreError {
  return new StoreError('COLLECTION_NOT_FOUND', `there is no collection ${quote(name)}`, {
    details: { collection: name },
  });
}

function exists(id: string, index: number): StoreError {
  const message = `an entry ${quote(id)} exists, or is given twice`;
  return new StoreError('VECTOR_EXISTS', message, {
    details: { id, path: `entries[${index}].id` },
  });
}

function notFound(id: string): StoreError {
  return new StoreError('VECTOR_NOT_FOUND', `there is no entry ${quote(id)}`, { details: { id } });
}
