/**
 * The rule by which entries of arenas get their places: one behind the other at multiples of four,
 * a new arena when the next one does not fit; an entry larger than an arena has one of its own.
 * Writer and reader follow it alike, so that a snapshot holds lengths and no places.
 */
import { ARENA_BYTES } from '../base/slab-heap.ts';
import { ARENA_STEP_BYTES } from '../base/slab.ts';

export class ArenaPacker {
  /** Where the entry placed last lies. */
  arena = -1;
  start = 0;
  /** End of the entry placed last, and so of its arena as it is. */
  end: number = ARENA_BYTES;

  place(length: number): void {
    let start = (this.end + ARENA_STEP_BYTES - 1) & -ARENA_STEP_BYTES;
    if (start + length > ARENA_BYTES) {
      this.arena++;
      start = 0;
    }
    this.start = start;
    this.end = start + length;
  }
}
