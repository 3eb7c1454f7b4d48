/** Entries of a collection as callers see them. */
import { readPacked } from '../../value/read-packed.ts';
import type { Collection } from '../../vector/collection.ts';
import type { VectorEntry } from '../api/collection.ts';
import { scopeOf } from './scope.ts';

/** What an entry is made of. */
export interface EntryFacts {
  readonly vector: Float32Array;
  readonly metadata: object | undefined;
  readonly scope: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly eventTime: number;
  readonly expiresAt: number;
}

export function entryOf(id: string, facts: EntryFacts): VectorEntry {
  const { vector, metadata, scope, createdAt, updatedAt, eventTime, expiresAt } = facts;
  return {
    id,
    vector,
    ...(metadata === undefined
      ? {}
      : { metadata: metadata as NonNullable<VectorEntry['metadata']> }),
    scope: scopeOf(scope),
    createdAt,
    updatedAt,
    ...(Number.isNaN(eventTime) ? {} : { eventTime }),
    ...(expiresAt === Infinity ? {} : { expiresAt }),
  };
}

/** The entry of a row that is there. */
export function entryAt(collection: Collection, handle: number): VectorEntry {
  return entryOf(collection.idText(handle), {
    vector: collection.vectorOf(handle),
    metadata: metadataAt(collection, handle),
    scope: collection.scopes.textOf(collection.scope(handle)),
    createdAt: collection.createdAt(handle),
    updatedAt: collection.updatedAt(handle),
    eventTime: collection.eventTime(handle),
    expiresAt: collection.expiresAt(handle),
  });
}

/** undefined: it has none. */
export function metadataAt(collection: Collection, handle: number): object | undefined {
  const ref = collection.metadataRef(handle);
  if (ref === 0) return undefined;
  const { metadata } = collection;
  metadata.locate(ref);
  return readPacked(metadata.shapes, metadata.bytes, metadata.start, metadata.end) as object;
}
