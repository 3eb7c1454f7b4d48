/** Who needs the log from where on: readers of the past hold what they read until they are done. */

export interface Hold {
  readonly what: string;
  /** The record behind which the log is needed. */
  readonly after: number;
}

export class Holds {
  private readonly held = new Set<Hold>();

  /** Keeps the log behind record `after`; call what comes back when it is not needed any more. */
  take(what: string, after: number): () => void {
    const hold = { what, after };
    this.held.add(hold);
    return () => void this.held.delete(hold);
  }

  /** The first record nobody may drop the log behind; Infinity when nobody holds any. */
  get least(): number {
    let least = Infinity;
    for (const { after } of this.held) least = Math.min(least, after);
    return least;
  }

  list(): Hold[] {
    return [...this.held];
  }
}
