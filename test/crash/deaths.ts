/** Where processes were killed, each place with how many were. */
import assert from 'node:assert/strict';

export class Deaths {
  /** 'before rename N.wal' and the like. */
  readonly places = new Map<string, number>();
  total = 0;

  note(place: string | undefined): void {
    assert(place !== undefined, 'a process that was to die at a call says at which');
    this.total++;
    this.places.set(place, (this.places.get(place) ?? 0) + 1);
  }

  /** Those of these kinds of calls that nobody died before, or nobody after. */
  missing(kinds: readonly string[]): string[] {
    const died = [...this.places.keys()];
    return kinds.filter(
      (kind) =>
        !['before', 'after'].every((how) =>
          died.some((place) => place.startsWith(`${how} ${kind} `)),
        ),
    );
  }

  /** For whoever asked for all of them. */
  report(title: string): void {
    const lines = [...this.places].map(([place, count]) => `  ${count} ${place}`).sort();
    process.stderr.write(`${[`${title}: ${this.total} kills`, ...lines].join('\n')}\n`);
  }
}
