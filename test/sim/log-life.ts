/**
 * One life of a simulated log: sessions on one machine, from what a crash left (or nothing) to the
 * moment nobody goes on. Everything follows from the seed: levels, sizes, bursts, waits, flushes,
 * what is dropped at the beginning, orderly ends, and calls that fail.
 */
import { type Random, seededRandom } from '../../src/base/random.ts';
import { osError } from '../../src/base/file-calls.ts';
import { isStoreError } from '../../src/base/errors.ts';
import type { SimDisk } from '../../src/testing/sim-disk.ts';
import { DiskImage } from '../../src/testing/sim-image.ts';
import { Simulation } from '../../src/testing/simulation.ts';
import type { Durability } from '../../wal/ordered-log.ts';
import { History, type Sizes } from './log-content.ts';
import { LogDriver, type Told } from './log-driver.ts';

export interface Life {
  readonly number: number;
  readonly disk: SimDisk;
  /** Entries of the journal that were there before. */
  readonly from: number;
  /** What there was when it began, and all that may be found until somebody opened it. */
  readonly start: LifeStart;
  readonly commits: number;
  readonly faults: number;
  /** What went wrong with no crash at all. */
  readonly failure: Error | undefined;
}

export interface LifeStart {
  readonly history: History;
  /** At least so many must be found after a kill, and after a power cut. */
  readonly accepted: number;
  readonly durable: number;
  /** The log may begin behind record 1, up to this one. */
  readonly mayStartAt: number;
  /** How often the bytes of the layer above were written, at least. */
  readonly extra: number;
}

const SIZES: readonly Sizes[] = [
  { least: 8, most: 60 },
  { least: 20, most: 250 },
  { least: 40, most: 700 },
  { least: 300, most: 1500 },
];
const LIFE_STRIDE = 0x3fff_fb1d;
/** Nothing takes so long, in virtual time, but what never ends. */
const HANG_MS = 60_000;

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random.next() * from.length)] as T;
}

/** What a run begins with. */
export function firstStart(seed: number): LifeStart {
  const sizes = pick(seededRandom(seed ^ 0x51e5), SIZES);
  return { history: new History(seed, sizes), accepted: 0, durable: 0, mayStartAt: 1, extra: 0 };
}

function levelOf(random: Random): Durability {
  const at = random.next();
  if (at < 0.4) return 'always';
  if (at < 0.65) return 'os';
  if (at < 0.85) return { everyRecords: 1 + Math.floor(random.next() * 6) };
  return { everyMs: 1 + Math.floor(random.next() * 30) };
}

export async function live(
  seed: number,
  number: number,
  start: LifeStart,
  left: SimDisk | undefined,
): Promise<Life> {
  const random = seededRandom(seed + Math.imul(number, 0x2545f491));
  const hasSyncedWrites = random.next() < 0.75;
  const disk = left ?? DiskImage.of(new Map(), ['/']);
  // Far from the seeds of other runs: no two of them make a store with the same id.
  const sim = new Simulation({ seed: (seed + number * LIFE_STRIDE) >>> 0, disk, hasSyncedWrites });
  const run = new Sessions(sim, random, number, start);
  const from = sim.disk.journal.length;
  let failure: Error | undefined;
  try {
    await run.all();
  } catch (error) {
    failure = error as Error;
  }
  sim.disk.fault = undefined;
  sim.stop();
  const { commits, faults } = run;
  return { number, disk: sim.disk, from, start, commits, faults, failure };
}

/** The bytes of the layer above are written by a call of ours alone: its error comes as it is. */
function isMisfortune(error: unknown): boolean {
  return isStoreError(error, 'WAL_IO_ERROR') || (error as Error).message.endsWith(': simulated');
}

class Sessions {
  commits = 0;
  faults = 0;
  private readonly sim: Simulation;
  private readonly random: Random;
  private readonly life: number;
  private readonly segmentBytes: number;
  private history: History;
  private driver!: LogDriver;

  constructor(sim: Simulation, random: Random, life: number, start: LifeStart) {
    this.sim = sim;
    this.random = random;
    this.life = life;
    this.history = start.history;
    this.segmentBytes = random.next() < 0.8 ? 4096 : 8192;
  }

  private upTo(most: number): number {
    return 1 + Math.floor(this.random.next() * most);
  }

  async all(): Promise<void> {
    const sessions = this.random.next() < 0.6 ? 1 : this.upTo(3);
    for (let session = 1; session <= sessions; session++) {
      await this.open(session);
      const isFaulty = this.random.next() < 0.2;
      if (isFaulty) this.arm();
      try {
        await this.session();
        if (session < sessions || this.random.next() < 0.5) await this.within(this.driver.close());
      } catch (error) {
        // On a disk that fails, what is refused or uncertain says so; the next session goes on.
        if (!isFaulty || !isMisfortune(error)) throw error;
        await this.within(this.driver.close().catch(() => undefined));
      }
      this.sim.disk.fault = undefined;
      this.history = this.driver.history;
    }
  }

  private async open(session: number): Promise<void> {
    const { sim, random, segmentBytes, history } = this;
    // What one session lost must not pass for what the next one wrote.
    const life = this.life * 4 + session;
    const tell = (told: Told): void => sim.disk.tell(told);
    const durability = levelOf(random);
    const more = { durability, segmentBytes, history, life, tell };
    this.driver = await this.within(LogDriver.open({ ...sim.ports, ...more }));
  }

  private async session(): Promise<void> {
    const steps = this.upTo(8);
    for (let step = 0; step < steps; step++) await this.within(this.step());
  }

  private async step(): Promise<void> {
    const { random, driver } = this;
    const at = random.next();
    if (at < 0.5) await this.burst(random.next() < 0.1 ? 12 : this.upTo(4), false);
    else if (at < 0.62) await this.burst(1, true);
    else if (at < 0.7) await this.burst(this.upTo(3), random.next() < 0.5);
    else if (at < 0.82) await this.wait(random.next() < 0.6 ? 25 + this.upTo(30) : this.upTo(4));
    else if (at < 0.87) await driver.flush();
    else if (at < 0.93) await driver.setExtra();
    else if (at < 0.97) await driver.truncateBefore(this.upTo(driver.acceptedOffset + 2));
    else await Promise.all([this.burst(2, false), driver.flush(), this.burst(1, true)]);
  }

  private async burst(commits: number, mustSync: boolean): Promise<void> {
    const all: Promise<void>[] = [];
    for (let i = 0; i < commits; i++) {
      const records = this.random.next() < 0.7 ? 1 : this.upTo(4);
      all.push(this.driver.commit(records, mustSync));
    }
    this.commits += commits;
    for (const result of await Promise.allSettled(all))
      if (result.status === 'rejected') throw result.reason;
  }

  private wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.sim.scheduler.after(ms, resolve));
  }

  /** Fails unless it ends; what was promised to be synced and never is hangs for ever. */
  private within<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = this.sim.scheduler.after(HANG_MS, () => reject(new Error('it never ends')));
      work.then(resolve, reject).finally(stop);
    });
  }

  /** One call of the session fails. */
  private arm(): void {
    const { sim, random } = this;
    const { disk } = sim;
    const call = pick(random, [
      'sync',
      'sync',
      'write',
      'write',
      'create',
      'rename',
      'syncdir',
    ] as const);
    const error = osError(pick(random, ['EIO', 'ENOSPC']), 'simulated');
    const half = random.next() < 0.5 ? Math.floor(random.next() * 600) : 0;
    let left = this.upTo(6);
    disk.fault = (made) => {
      if (made !== call || --left !== 0) return undefined;
      this.faults++;
      return call === 'write' ? { error, bytes: half } : { error };
    };
  }
}
