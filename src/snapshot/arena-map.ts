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
  /** By number of the arena. */
  private readonly chunks: number[] = [];
  /** Arenas before this one need not be filled any more. */
  private filled = 0;

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
      this.chunks.push(chunk);
      this.arenas.push(arena);
    });
  }

  /** Verified bytes of a chunk, which must stay as they are; chunks come in their order. False when it is none of these. */
  fill(chunk: number, bytes: Buffer): boolean {
    while (this.filled < this.chunks.length && (this.chunks[this.filled] as number) < chunk)
      this.filled++;
    const arena = this.arenas[this.filled] ?? 0;
    if (this.heap.isWaiting(arena, this.source, chunk)) this.heap.fillArena(arena, bytes);
    return this.chunks[this.filled] === chunk;
  }

  /** Loads up to `count` arenas that nobody touched yet; false when there is none left. */
  loadMore(count: number): boolean {
    const { heap, source } = this;
    let loaded = 0;
    for (; this.filled < this.chunks.length && loaded < count; this.filled++) {
      const arena = this.arenas[this.filled] as number;
      const chunk = this.chunks[this.filled] as number;
      if (!heap.isWaiting(arena, source, chunk)) continue;
      heap.fillArena(arena, source.loadArena(chunk));
      loaded++;
    }
    return this.filled < this.chunks.length;
  }
}
