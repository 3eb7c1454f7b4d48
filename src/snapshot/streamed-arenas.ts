/**
 * Reads all entries of a heap's arenas in their order and lets those arenas go again that were not in
 * memory before: a state loaded lazily from a snapshot stays as small as it was. Nothing may write
 * into the heap meanwhile.
 */
import type { SlabHeap } from '../base/slab-heap.ts';

export class StreamedArenas {
  private readonly heap: SlabHeap;
  /** The arena loaded for this walk, -1 for none. */
  private arena = -1;

  constructor(heap: SlabHeap) {
    this.heap = heap;
  }

  /** What lies at `ref` is about to be read. */
  before(ref: number): void {
    const arena = this.heap.waitingArenaOf(ref);
    if (arena < 0) return;
    this.end();
    this.arena = arena;
  }

  end(): void {
    if (this.arena >= 0) this.heap.letGo(this.arena);
    this.arena = -1;
  }
}
