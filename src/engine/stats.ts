/** Counters and sizes as plain data. Every name is listed in docs/operations.md; all are true at any time. */
import type { State } from '../state/state.ts';

export function memoryStats(state: State): Readonly<Record<string, unknown>> {
  const { instances, keys, machines, indexes, collections } = state;
  return {
    offset: state.offset,
    instances: {
      living: machines.all().reduce((sum, one) => sum + one.living, 0),
      deleted: instances.deleted.length,
      rowBytes: instances.rows.memoryBytes,
      heapUsedBytes: instances.heap.usedBytes,
      heapReservedBytes: instances.heap.reservedBytes,
      idTableBytes: instances.ids.memoryBytes,
    },
    indexes: { bytes: indexes.memoryBytes, complete: indexes.isComplete },
    collections: {
      collections: collections.all().length,
      entries: collections.all().reduce((sum, one) => sum + one.total, 0),
      bytes: collections.all().reduce((sum, one) => sum + one.memoryBytes, 0),
    },
    machines: { definitions: machines.all().length },
    idempotency: {
      keys: keys.size,
      bytes: keys.bytes,
      /** Commit time of the oldest key kept, in milliseconds; absent without keys. */
      ...(keys.size === 0 ? {} : { oldestKeyAt: keys.oldestTime }),
    },
  };
}
