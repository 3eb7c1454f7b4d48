/** Does an entry count? Cheap facts of its row first, then the filter over its packed metadata, path by path. */
import { compilePredicate, type Match, type ValueAt } from '../../query/match.ts';
import { readPackedPath } from '../../value/read-packed.ts';
import type { Collection } from '../../vector/collection.ts';
import { ENTRY, ENTRY_INDEX_MASK } from '../../vector/entry-row.ts';
import type { EntrySelection } from './query-input.ts';

export class EntryTest {
  private readonly collection: Collection;
  private readonly selection: EntrySelection;
  private readonly now: number;
  /** Numbers of the scopes asked for, undefined for all. A scope without entries has none. */
  private readonly scopes: ReadonlySet<number> | undefined;
  private readonly match: Match | undefined;
  private readonly valueAt: ValueAt = (path) => {
    const { metadata } = this.collection;
    return readPackedPath(metadata.shapes, metadata.bytes, metadata.start, path);
  };

  constructor(collection: Collection, selection: EntrySelection, now: number) {
    this.collection = collection;
    this.selection = selection;
    this.now = now;
    const { scopes, filter } = selection;
    if (scopes !== undefined)
      this.scopes = new Set(Array.from(scopes, (one) => collection.scopes.numberOf(one)));
    this.match = filter.kind === 'true' ? undefined : compilePredicate(filter);
  }

  /** Is there a visible entry in the scopes and times asked for? */
  isCandidate(handle: number): boolean {
    const { u32, f64 } = this.collection.segmentOf(handle);
    const u = (handle & ENTRY_INDEX_MASK) * ENTRY.u32;
    if (u32[u + ENTRY.live] !== 1) return false;
    if (this.scopes !== undefined && !this.scopes.has(u32[u + ENTRY.scope] as number)) return false;
    const f = (handle & ENTRY_INDEX_MASK) * ENTRY.f64;
    if ((f64[f + ENTRY.expiresAt] as number) <= this.now) return false;
    const { eventTime, ingestedAt } = this.selection;
    if (eventTime !== undefined) {
      const time = f64[f + ENTRY.eventTime] as number;
      // NaN, for none, is in no range.
      if (!(time >= eventTime.first && time <= eventTime.last)) return false;
    }
    if (ingestedAt !== undefined) {
      const time = f64[f + ENTRY.createdAt] as number;
      if (time < ingestedAt.first || time > ingestedAt.last) return false;
    }
    return true;
  }

  /** Does its metadata pass the filter? */
  passesFilter(handle: number): boolean {
    if (this.match === undefined) return true;
    const { collection } = this;
    collection.metadata.locate(collection.metadataRef(handle));
    return this.match(this.valueAt);
  }
}
