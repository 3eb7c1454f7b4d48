/**
 * The arenas of one kind of a snapshot in a heap: which chunk is which arena. An arena that nobody
 * touched, and whose entries were not all freed meanwhile, waits for its bytes.
 */
import type { SlabHeap } from '../base/slab-heap.ts';
import type { ArenaSource } from '../base/slab.ts';
import type { ChunkEntry } from './file-layout.ts';
import type { ChunkKind } from './format.ts';

export class ArenaMap {
  /** Index in the heap, by number of the arena. */
  readonly arenas: number[] = [];
  private readonly heap: SlabHeap;
  private readonly source: ArenaSource;
  /** Index in the heap, by chunk. */
  private readonly byChunk = new Map<number, number>();

  constructor(
    heap: SlabHeap,
    source: ArenaSource,
    entries: readonly ChunkEntry[],
    kind: ChunkKind,
  ) {
    this.heap = heap;
    this.source = source;
    entries.forEach((entry, chunk) => {
      if (entry.kind !== kind) return;
      const arena = heap.addArena(source, chunk);
      heap.setEntries(arena, entry.count, entry.length);
      this.byChunk.set(chunk, arena);
      this.arenas.push(arena);
    });
  }

  /** Is a chunk one of these, whose arena nobody touched yet? */
  isWaiting(chunk: number): boolean {
    const arena = this.byChunk.get(chunk);
    return arena !== undefined && this.heap.isWaiting(arena, this.source, chunk);
  }

  /** Verified bytes of a chunk, which must stay as they are. False when it is none of these. */
  fill(chunk: number, bytes: Buffer): boolean {
    const arena = this.byChunk.get(chunk);
    if (arena === undefined) return false;
    if (this.heap.isWaiting(arena, this.source, chunk)) this.heap.fillArena(arena, bytes);
    return true;
  }
}
