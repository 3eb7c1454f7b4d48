/** Which entries of collections are over by the clock and still there: what the next purge drops. Only decides. */
import type { PendingVectors } from '../../state/pending-vectors.ts';
import type { State } from '../../state/state.ts';
import type { Collection } from '../../vector/collection.ts';
import { LIMITS } from '../limits.ts';

export interface DueEntries {
  readonly collection: Collection;
  readonly handles: readonly number[];
}

/** A slice of them, of one collection. An entry with a change that waits is left for the next time. */
export function dueEntries(
  state: State,
  pending: PendingVectors,
  now: number,
): DueEntries | undefined {
  for (const collection of state.collections.all()) {
    const isDropped = state.collections.decided(collection.name) !== collection;
    if (isDropped || collection.expiry.next() > now) continue;
    const isQuiet = pending.isEmpty(collection);
    const handles = collection.expiry.due(
      now,
      LIMITS.purgeEntries,
      (handle) => isQuiet || pending.get(collection, collection.idText(handle)) === undefined,
    );
    if (handles.length > 0) return { collection, handles: handles.sort((a, b) => a - b) };
  }
  return undefined;
}
