/**
 * The entry a command is about, as the commands before it leave it: what waits, over the state.
 * One object, reused; what it found holds until the next find().
 */
import { ByteWriter } from '../../base/bytes.ts';
import { StoreError } from '../../base/errors.ts';
import type { PendingVector, PendingVectors } from '../../state/pending-vectors.ts';
import { readEnveloped, setOwn } from '../../value/read-value.ts';
import { writeContext } from '../../value/write-value.ts';
import type { Collection } from '../../vector/collection.ts';
import type { VectorEntry } from '../api/collection.ts';
import { LIMITS } from '../limits.ts';
import { entryOf } from './entries.ts';

const MAX_PATCHES = 16;

export class EntryTarget {
  handle = -1;
  /** There is one, but its time is over and nothing has said so yet. */
  isOver = false;
  private pending: PendingVector | undefined;
  private readonly overlay: PendingVectors;
  private readonly scratch = new ByteWriter(1024);

  constructor(overlay: PendingVectors) {
    this.overlay = overlay;
  }

  /** Is there such an entry at `now`? */
  find(collection: Collection, id: string, now: number): boolean {
    const pending = this.overlay.get(collection, id);
    this.pending = pending;
    this.handle = pending === undefined ? collection.ids.get(id) : pending.handle;
    const isThere = pending === undefined ? this.handle >= 0 : pending.exists;
    if (!isThere) {
      this.isOver = false;
      return false;
    }
    const expiresAt = pending === undefined ? collection.expiresAt(this.handle) : pending.expiresAt;
    this.isOver = expiresAt <= now;
    return !this.isOver;
  }

  /** Of the entry found. */
  scope(collection: Collection): string {
    return this.pending?.scope ?? collection.scopes.textOf(collection.scope(this.handle));
  }

  /** The entry found, as what the next command makes of it begins with. */
  current(collection: Collection): PendingVector {
    if (this.pending !== undefined) return this.pending;
    const { handle } = this;
    return {
      handle,
      offset: collection.offset(handle),
      exists: true,
      scope: this.scope(collection),
      createdAt: collection.createdAt(handle),
      updatedAt: collection.updatedAt(handle),
      eventTime: collection.eventTime(handle),
      expiresAt: collection.expiresAt(handle),
      vector: undefined,
      metadata: [],
      isWhole: false,
    };
  }

  /** The entry found, as callers see it. */
  entry(collection: Collection, id: string): VectorEntry {
    const one = this.current(collection);
    const hasMetadata = one.metadata.length > 0 || this.rowHasMetadata(collection, one);
    return entryOf(id, {
      ...one,
      vector: one.vector?.slice() ?? collection.vectorOf(one.handle),
      metadata: hasMetadata ? this.merged(collection, one) : undefined,
    });
  }

  /** @throws {StoreError} RECORD_TOO_LARGE - with this the metadata of the entry found would be too large */
  checkSize(collection: Collection, more: Uint8Array): void {
    const one = this.current(collection);
    let bytes = more.length;
    for (const patch of one.metadata) bytes += patch.length;
    if (!one.isWhole) bytes += this.rowBytes(collection, one);
    if (bytes <= LIMITS.contextBytes) return;
    const all = this.merged(collection, { ...one, metadata: [...one.metadata, more] });
    this.scratch.position = 0;
    try {
      writeContext(this.scratch, all, 'metadata');
    } catch (error) {
      throw new StoreError('RECORD_TOO_LARGE', 'the metadata of an entry has at most 16 MiB', {
        details: { path: 'metadata', limit: LIMITS.contextBytes },
        cause: error,
      });
    } finally {
      this.scratch.trim(1024);
    }
  }

  private rowHasMetadata(collection: Collection, one: PendingVector): boolean {
    return !one.isWhole && collection.metadataRef(one.handle) !== 0;
  }

  private rowBytes(collection: Collection, one: PendingVector): number {
    if (!this.rowHasMetadata(collection, one)) return 0;
    this.scratch.position = 0;
    collection.metadata.writeTo(collection.metadataRef(one.handle), this.scratch);
    return this.scratch.position;
  }

  /** Merged as apply does it: keys that exist keep their place. */
  private merged(collection: Collection, one: PendingVector): object {
    const size = one.isWhole ? 0 : this.rowBytes(collection, one);
    return mergedOf([this.scratch.bytes.subarray(0, size), ...one.metadata]);
  }
}

function mergedOf(parts: readonly Uint8Array[]): object {
  const all: object = {};
  for (const part of parts) {
    if (part.length === 0) continue;
    const fields = readEnveloped(part, 0, part.length) as Readonly<Record<string, unknown>>;
    for (const [key, value] of Object.entries(fields)) setOwn(all, key, value);
  }
  return all;
}

/** The same as one, when they are many: a long wait must not pile them up. */
export function folded(patches: readonly Uint8Array[]): readonly Uint8Array[] {
  if (patches.length <= MAX_PATCHES) return patches;
  const out = new ByteWriter(256);
  writeContext(out, mergedOf(patches), 'metadata');
  return [out.bytes.slice(0, out.position)];
}
