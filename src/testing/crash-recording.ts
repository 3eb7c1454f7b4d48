/** A run on a simulated machine, recorded to its end, and the crashes it could have ended in instead. */
import { inspect } from 'node:util';
import { crc32 } from 'node:zlib';
import type { Random } from '../base/random.ts';
import { describeCrash } from './crash-report.ts';
import { choicesAt, crashAt, type CrashState } from './crash-states.ts';
import type { CrashToken } from './crash-token.ts';
import type { SimDisk } from './sim-disk.ts';
import type { Entry } from './sim-journal.ts';

/** What a crash left, and what it means. */
export interface Crashed<T> {
  readonly disk: SimDisk;
  /** 'cut' when the power was cut in any of the crashes that led here. */
  readonly kind: 'kill' | 'cut';
  /** What the world had been told by then. */
  readonly told: readonly T[];
  /** Equal for the same things told. */
  readonly toldDigest: number;
  readonly token: CrashToken;
  describe(): string;
}

/** What the world had been told, growing. */
class Told<T> {
  readonly all: T[];
  digest: number;

  constructor(before: Pick<Crashed<T>, 'told' | 'toldDigest'> | undefined) {
    this.all = [...(before?.told ?? [])];
    this.digest = before?.toldDigest ?? 0;
  }

  hear(entry: Entry | undefined): void {
    if (entry?.kind !== 'told') return;
    this.all.push(entry.what as T);
    this.digest = crc32(inspect(entry.what), this.digest);
  }
}

export class Recording<T> {
  readonly disk: SimDisk;
  /** Entries of the journal from before it. */
  readonly from: number;
  /** The crash it began with. */
  private readonly before: Crashed<T> | undefined;
  /** How its machine came to be. */
  private readonly token: CrashToken;
  private readonly isOpening: boolean;

  constructor(
    disk: SimDisk,
    from: number,
    before: Crashed<T> | undefined,
    token: CrashToken,
    isOpening: boolean = false,
  ) {
    this.disk = disk;
    this.from = from;
    this.before = before;
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
    const told = new Told(this.before);
    for (let point = this.from; point <= journal.length; point++) {
      walk.advance(point);
      if (point > this.from) told.hear(journal[point - 1]);
      for (const choice of choicesAt(walk, journal, random)) {
        // The last write from before had come back: nobody dies inside it.
        if (point === this.from && choice.startsWith('kill~')) continue;
        if (chance < 1 && random.next() > chance) continue;
        yield this.crashed(point, choice, told, crashAt(walk, journal, choice, this.options));
      }
    }
  }

  /** @throws {StoreError} BAD_REQUEST - it had no such crash. */
  crashAt(point: number, choice: string): Crashed<T> {
    const { journal } = this.disk;
    const walk = this.disk.walk();
    walk.advance(Math.min(point, journal.length));
    const told = new Told(this.before);
    for (const entry of journal.slice(this.from, point)) told.hear(entry);
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
    { all, digest }: Told<T>,
    state: CrashState,
  ): Crashed<T> {
    const { seed, crashes } = this.token;
    const token = { seed, crashes: [...crashes, { point, choice }], isNested: this.isOpening };
    const describe = (): string => {
      const walk = this.disk.walk();
      walk.advance(point);
      return describeCrash(walk, this.disk.journal, choice, this.disk.start.names);
    };
    const kind = this.before?.kind === 'cut' ? 'cut' : state.kind;
    return { disk: state.disk, kind, told: [...all], toldDigest: digest, token, describe };
  }
}
