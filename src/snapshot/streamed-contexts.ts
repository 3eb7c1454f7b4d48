/**
 * Reads all contexts of a state in the order of their handles and lets those go again that were not
 * in memory before: a state loaded lazily from a snapshot stays as small as it was. Nothing may
 * write into the state meanwhile.
 */
import { ROW, ROW_INDEX_MASK } from '../instance/row.ts';
import type { InstanceStore } from '../instance/instance-store.ts';

export class StreamedContexts {
  private readonly instances: InstanceStore;
  /** The arena loaded for this walk, -1 for none. */
  private arena = -1;

  constructor(instances: InstanceStore) {
    this.instances = instances;
  }

  /** The context of `handle` is about to be read. */
  before(handle: number): void {
    const { instances } = this;
    const ref = instances.segment(handle).u32[
      (handle & ROW_INDEX_MASK) * ROW.u32 + ROW.context
    ] as number;
    if (ref === 0) return;
    const arena = instances.heap.waitingArenaOf(ref);
    if (arena < 0) return;
    this.end();
    this.arena = arena;
  }

  end(): void {
    if (this.arena >= 0) this.instances.heap.letGo(this.arena);
    this.arena = -1;
  }
}
