/**
 * What must survive a crash, and what may: told into the journal of the disk at the moment somebody
 * learned it, so that each point of the journal has its own.
 */
import type { SimDisk } from '../../src/testing/sim-disk.ts';

export interface Bounds {
  /** Of the last record that was handed to the store. */
  readonly issued: number;
  /** Records up to here survive the death of the process. */
  readonly kill: number;
  /** Records up to here survive a power cut. */
  readonly cut: number;
  /** Nothing of these is lost to any single damage in silence. */
  readonly attested: number;
}

/** A clock's distance that makes a written frame vouched for: the mark is written after 20 ms. */
export const MARK_WRITTEN_MS = 100;

export class Safety {
  private readonly disk: SimDisk;
  bounds: Bounds;

  constructor(disk: SimDisk, bounds: Bounds) {
    this.disk = disk;
    this.bounds = bounds;
  }

  issued(offset: number): void {
    this.tell({ issued: offset });
  }

  survivesKill(offset: number): void {
    if (offset > this.bounds.kill) this.tell({ kill: offset });
  }

  survivesCut(offset: number): void {
    const { kill, cut } = this.bounds;
    if (offset > cut) this.tell({ cut: offset, kill: Math.max(kill, offset) });
  }

  attested(offset: number): void {
    if (offset > this.bounds.attested) this.tell({ attested: offset });
  }

  /** A process opened the store and found this: it is safe, and there is nothing else. */
  found(offset: number): void {
    const { attested } = this.bounds;
    this.tell({ issued: offset, kill: offset, cut: offset, attested: Math.min(attested, offset) });
  }

  private tell(news: Partial<Bounds>): void {
    this.bounds = { ...this.bounds, ...news };
    this.disk.tell(this.bounds);
  }
}

export const NOTHING: Bounds = { issued: 0, kill: 0, cut: 0, attested: 0 };

/** Is this what may be found? Throws when it is not. */
export function checkBounds(found: number, kind: 'kill' | 'cut', bounds: Bounds): void {
  const least = bounds[kind];
  if (found < least)
    throw new Error(`found ${found} records, but ${least} were told to survive a ${kind}`);
  if (found > bounds.issued)
    throw new Error(`found ${found} records, but only ${bounds.issued} were written`);
}
