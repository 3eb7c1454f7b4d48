/** A run on a simulated machine, recorded to its end, and the crashes it could have ended in instead. */
import type { Random } from '../base/random.ts';
import { describeCrash } from './crash-report.ts';
import { choicesAt, crashAt } from './crash-states.ts';
import type { CrashToken } from './crash-token.ts';
import type { SimDisk } from './sim-disk.ts';

/** What a crash left, and what it means. */
export interface Crashed<T> {
  readonly disk: SimDisk;
  readonly kind: 'kill' | 'cut';
  /** What the world had been told by then. */
  readonly told: readonly T[];
  readonly token: CrashToken;
  describe(): string;
}

export class Recording<T> {
  readonly disk: SimDisk;
  /** Entries of the journal from before it. */
  readonly from: number;
  private readonly toldBefore: readonly T[];
  /** How its machine came to be. */
  private readonly token: CrashToken;
  private readonly isOpening: boolean;

  constructor(
    disk: SimDisk,
    from: number,
    toldBefore: readonly T[],
    token: CrashToken,
    isOpening: boolean = false,
  ) {
    this.disk = disk;
    this.from = from;
    this.toldBefore = toldBefore;
    this.token = token;
    this.isOpening = isOpening;
  }

  get entries(): number {
    return this.disk.journal.length - this.from;
  }

  /** Crashes in the order of their points, chosen with this chance each. */
  *crashes(random: Random, chance: number): Generator<Crashed<T>> {
    const { journal } = this.disk;
    const walk = this.disk.walk();
    const told = [...this.toldBefore];
    for (let point = this.from; point <= journal.length; point++) {
      walk.advance(point);
      const last = journal[point - 1];
      if (point > this.from && last?.kind === 'told') told.push(last.what as T);
      for (const choice of choicesAt(walk, journal, random)) {
        // The last write from before had come back: nobody dies inside it.
        if (point === this.from && choice.startsWith('kill~')) continue;
        if (chance < 1 && random.next() > chance) continue;
        yield this.crashed(point, choice, [...told], crashAt(walk, journal, choice, this.options));
      }
    }
  }

  /** @throws {StoreError} BAD_REQUEST - it had no such crash. */
  crashAt(point: number, choice: string): Crashed<T> {
    const { journal } = this.disk;
    const walk = this.disk.walk();
    walk.advance(Math.min(point, journal.length));
    const told = [...this.toldBefore];
    for (const entry of journal.slice(this.from, point))
      if (entry.kind === 'told') told.push(entry.what as T);
    return this.crashed(point, choice, told, crashAt(walk, journal, choice, this.options));
  }

  /** Everything that happens is over, nothing crashed. */
  get end(): Crashed<T> {
    return this.crashAt(this.disk.journal.length, 'kill');
  }

  /** Names of the simplest crashes at a point, the simplest first. */
  simplestAt(point: number): string[] {
    const walk = this.disk.walk();
    walk.advance(point);
    const { length } = walk.undecided;
    const cut = (keeps: (i: number) => boolean): string =>
      `cut:${Array.from({ length }, (_, i) => (keeps(i) ? 'w' : 'n')).join('.')}`;
    const one = Array.from({ length }, (_, i) => i);
    return [
      'kill',
      cut(() => false),
      cut(() => true),
      ...one.map((i) => cut((other) => other !== i)),
      ...one.map((i) => cut((other) => other === i)),
    ];
  }

  private get options(): { hasSyncedWrites: boolean } {
    return { hasSyncedWrites: this.disk.hasSyncedWrites };
  }

  private crashed(
    point: number,
    choice: string,
    told: readonly T[],
    state: { readonly disk: SimDisk; readonly kind: 'kill' | 'cut' },
  ): Crashed<T> {
    const { seed, crashes } = this.token;
    const token = { seed, crashes: [...crashes, { point, choice }], isNested: this.isOpening };
    const describe = (): string => {
      const walk = this.disk.walk();
      walk.advance(point);
      return describeCrash(walk, this.disk.journal, choice);
    };
    return { disk: state.disk, kind: state.kind, told, token, describe };
  }
}
