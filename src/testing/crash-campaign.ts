/** The work behind checkCrashes(): lives of a workload are recorded, crashed, judged, and gone on with. */
import { badRequest } from '../base/errors.ts';
import { type Random, seededRandom } from '../base/random.ts';
import { nodeThread } from '../base/thread.ts';
import type { CrashCheckReport, CrashViolation } from './check-crashes.ts';
import { type Crashed, Recording } from './crash-recording.ts';
import { textOf, violationText } from './crash-report.ts';
import type { CampaignSettings } from './crash-settings.ts';
import { type CrashToken, tokenOf } from './crash-token.ts';
import { APPLICATION_DIRECTORY, type Found, machineOn } from './crash-world.ts';
import { settle } from './settle.ts';
import type { SimDisk } from './sim-disk.ts';
import { FaultPlan } from './sim-faults.ts';
import { DiskImage } from './sim-image.ts';
import { Simulation } from './simulation.ts';

/** Of the states of one life, about so many at most: the next seed shows others. */
const STATES_PER_LIFE = 400;
/** States to expect of one entry of a journal. */
const STATES_PER_ENTRY = 8;
/** One crash state in so many is crashed again while it is being opened. */
const NESTED_EVERY = 8;
const NESTED_STATES = 4;
/** At most so long without a turn of the event loop. */
const BREATH_MS = 20;
/** Makes another seed of a seed and a number. */
const NEXT_SEED = 0x9e3779b1;

export class CrashCampaign<T> {
  private readonly settings: CampaignSettings<T>;
  private readonly random: Random;
  /** Disks looked at, with what had been told and how they came to be. */
  private readonly seen = new Set<string>();
  private readonly startedAt = nodeThread.monotonicMs();
  private breathedAt = 0;
  private readonly counts = { runs: 0, workloads: 0, kills: 0, cuts: 0, nested: 0 };

  constructor(settings: CampaignSettings<T>) {
    this.settings = settings;
    this.random = seededRandom(settings.seed ^ 0x2545f491);
  }

  async run(): Promise<CrashCheckReport> {
    const { runs, seed } = this.settings;
    for (let number = 0; this.counts.runs < runs; number++)
      await this.runOne((seed + number * NEXT_SEED) % 2 ** 32, number === 0);
    return this.report();
  }

  /** Judges the one state a token names. */
  async replay(token: CrashToken): Promise<CrashCheckReport> {
    const crashed = await this.reach(token);
    await this.judge(crashed);
    // The application starts again on it, as it did then.
    if (!token.isNested && token.crashes.length < this.settings.lives)
      await this.record(token, crashed);
    return this.report();
  }

  private report(): CrashCheckReport {
    const durationMs = nodeThread.monotonicMs() - this.startedAt;
    return { seed: this.settings.seed, ...this.counts, durationMs };
  }

  private async runOne(seed: number, isFirst: boolean): Promise<void> {
    const { lives, runs } = this.settings;
    let token: CrashToken = { seed, crashes: [], isNested: false };
    let left: Crashed<T> | undefined;
    for (let life = 0; life < lives && this.counts.runs < runs; life++) {
      const recording = await this.record(token, left);
      if (life === 0 && recording.entries === 0)
        throw new Error('the workload made no call of the disk: there is nothing to crash');
      if (isFirst && life === 0) await this.checkOracle(recording);
      left = await this.crashEverywhere(recording);
      if (left === undefined) return;
      ({ token } = left);
    }
  }

  /** One life of the workload, to its end. */
  private async record(token: CrashToken, left?: Crashed<T>): Promise<Recording<T>> {
    const life = token.crashes.length;
    const simulation = this.machine(token, left?.disk);
    const { disk } = simulation;
    const { faults, workload, options } = this.settings;
    const from = disk.journal.length;
    if (faults.length > 0) {
      const plan = new FaultPlan(faults, token.seed + life);
      disk.fault = (call, path) => plan.decide(call, path);
    }
    const told: T[] = [...(left?.told ?? [])];
    const machine = machineOn(simulation, life, told, options);
    const tell = (what: T): void => {
      // As it is now: the caller may go on with it.
      const copy = structuredClone(what);
      told.push(copy);
      disk.tell(copy);
    };
    this.counts.workloads++;
    try {
      await settle(simulation, 'the workload', this.settings, () => workload({ ...machine, tell }));
    } catch (cause) {
      if (left !== undefined) throw this.error('the workload failed on its restart', left, cause);
      const message = `the workload failed without a crash (seed ${token.seed}): ${textOf(cause)}`;
      throw new Error(message, { cause });
    }
    simulation.stop();
    disk.fault = undefined;
    return new Recording<T>(disk, from, left, token);
  }

  /** Judges what crashes leave of it; gives one of them for the next life to begin with. */
  private async crashEverywhere(recording: Recording<T>): Promise<Crashed<T> | undefined> {
    // Few runs are spread over the whole life as well.
    const wanted = Math.min(STATES_PER_LIFE, this.settings.runs - this.counts.runs);
    const chance = wanted / (recording.entries * STATES_PER_ENTRY);
    let next: Crashed<T> | undefined;
    let candidates = 0;
    for (const crashed of recording.crashes(this.random, chance)) {
      if (this.counts.runs >= this.settings.runs) break;
      // Each as likely as the others, without keeping them all.
      if (this.random.next() * ++candidates < 1) next = crashed;
      if (this.isKnown(crashed)) continue;
      const opening = await this.judge(crashed, recording);
      if (this.counts.runs % NESTED_EVERY === 0) await this.crashOpening(crashed, opening);
    }
    return next;
  }

  /** The application starts after a crash, and crashes. */
  private async crashOpening(crashed: Crashed<T>, opening: SimDisk): Promise<void> {
    const from = crashed.disk.journal.length;
    const recording = new Recording<T>(opening, from, crashed, crashed.token, true);
    const chance = NESTED_STATES / (recording.entries * STATES_PER_ENTRY + 1);
    for (const nested of recording.crashes(this.random, chance)) {
      if (this.counts.runs >= this.settings.runs) return;
      if (this.isKnown(nested)) continue;
      this.counts.nested++;
      await this.judge(nested);
    }
  }

  /** Looked at already, with the same told: nothing to learn from it. */
  private isKnown({ disk, told, toldDigest, kind }: Crashed<T>): boolean {
    // What is in doubt counts too: a power cut may take it from the next process.
    const bytes = `${disk.image.digest()} ${disk.start.digest()}`;
    const identity = `${bytes} ${kind} ${told.length} ${toldDigest}`;
    if (this.seen.has(identity)) return true;
    this.seen.add(identity);
    return false;
  }

  /** Asks the oracle; gives the disk it looked at, with what its opening did. @throws the violation */
  private async judge(crashed: Crashed<T>, recording?: Recording<T>): Promise<SimDisk> {
    this.counts.runs++;
    if (crashed.kind === 'kill') this.counts.kills++;
    else this.counts.cuts++;
    const { disk, failure } = await this.ask(crashed);
    await this.breathe();
    if (failure === undefined) return disk;
    throw await this.violation(await this.simplest(crashed, recording, failure));
  }

  /** Timers, signals and other promises of the process have their turn. */
  private async breathe(): Promise<void> {
    if (nodeThread.monotonicMs() - this.breathedAt < BREATH_MS) return;
    await new Promise<void>((resolve) => nodeThread.nextTurn(resolve));
    this.breathedAt = nodeThread.monotonicMs();
  }

  private async ask(crashed: Crashed<T>): Promise<{ disk: SimDisk; failure: Failure | undefined }> {
    const { token, told, kind } = crashed;
    const simulation = this.machine(token, crashed.disk);
    const crash = { kind, describe: () => crashed.describe() };
    const failure = await this.question(simulation, token.crashes.length, told, crash);
    return { disk: simulation.disk, failure };
  }

  private async question(
    simulation: Simulation,
    life: number,
    told: readonly T[],
    crash: Found<T>['crash'],
  ): Promise<Failure | undefined> {
    const machine = machineOn(simulation, life, structuredClone([...told]), this.settings.options);
    try {
      const answer: unknown = await settle(simulation, 'the oracle', this.settings, () =>
        this.settings.oracle({ ...machine, crash }),
      );
      return answer === false ? { cause: new Error('the oracle returned false') } : undefined;
    } catch (cause) {
      return { cause };
    } finally {
      simulation.stop();
    }
  }

  /** An oracle that says no to everything, or yes to anything, would make the rest worthless. */
  private async checkOracle(recording: Recording<T>): Promise<void> {
    const { end } = recording;
    const none = { kind: 'none', describe: () => 'nothing crashed' } as const;
    const asItIs = await this.question(this.machine(end.token, end.disk), 1, end.told, none);
    if (asItIs !== undefined)
      throw new Error(
        `the oracle rejects what the workload left although nothing crashed, or it ended with writes under way: ${textOf(asItIs.cause)}`,
        { cause: asItIs.cause },
      );
    if (this.settings.trustOracle || end.told.length === 0) return;
    const empty = await this.question(this.machine(end.token, undefined), 1, end.told, none);
    if (empty === undefined)
      throw new Error(
        `the oracle accepts an empty store although the world was told ${end.told.length} things: ` +
          'it would accept anything. Let it look at `told`, or set trustOracle',
      );
  }

  /** The simplest crash at the same point that fails as well. */
  private async simplest(
    crashed: Crashed<T>,
    recording: Recording<T> | undefined,
    failure: Failure,
  ): Promise<Failed<T>> {
    const { point, choice } = crashed.token.crashes.at(-1) as { point: number; choice: string };
    for (const simple of recording?.simplestAt(point) ?? []) {
      if (simple === choice) break;
      const other = (recording as Recording<T>).crashAt(point, simple);
      const { failure: also } = await this.ask(other);
      if (also !== undefined) return { crashed: other, failure: also };
    }
    return { crashed, failure };
  }

  private async violation({ crashed, failure }: Failed<T>): Promise<Error & CrashViolation> {
    const again = await this.reach(crashed.token).then(
      async (same) => (await this.ask(same)).failure,
      () => undefined,
    );
    return this.error('a crash broke a promise', crashed, failure.cause, again !== undefined);
  }

  private error(
    what: string,
    crashed: Crashed<T>,
    cause: unknown,
    isReproducible: boolean = true,
  ): Error & CrashViolation {
    const { told } = crashed;
    const { seed, crashes, isNested } = crashed.token;
    const life = crashes.length - (isNested ? 2 : 1);
    const fields = { token: tokenOf(crashed.token), seed, life, told, isReproducible };
    const calls = crashed.describe();
    const message = violationText({ ...fields, what, isNested, cause, calls });
    return Object.assign(new Error(message, { cause }), fields);
  }

  /** Goes the way a token names. @throws {StoreError} BAD_REQUEST - it leads nowhere. */
  private async reach(token: CrashToken): Promise<Crashed<T>> {
    let left: Crashed<T> | undefined;
    let way: CrashToken = { seed: token.seed, crashes: [], isNested: false };
    for (const [i, { point, choice }] of token.crashes.entries()) {
      const isOpening = token.isNested && i === token.crashes.length - 1;
      const recording: Recording<T> =
        isOpening && left !== undefined ? await this.opening(left) : await this.record(way, left);
      if (point > recording.disk.journal.length || point < recording.from)
        throw badRequest(
          `there is no crash behind entry ${point}: the journal has ${recording.from} to ${recording.disk.journal.length}`,
          'replay',
        );
      left = recording.crashAt(point, choice);
      way = left.token;
    }
    return left as Crashed<T>;
  }

  private async opening(crashed: Crashed<T>): Promise<Recording<T>> {
    const from = crashed.disk.journal.length;
    const { disk } = await this.ask(crashed);
    return new Recording<T>(disk, from, crashed, crashed.token, true);
  }

  /** A machine as it starts: the same for the same token. */
  private machine({ seed, crashes }: CrashToken, disk: SimDisk | undefined): Simulation {
    const image = disk ?? new DiskImage(['/', APPLICATION_DIRECTORY]);
    return new Simulation({ seed: (seed + crashes.length * 0x85ebca6b) % 2 ** 32, disk: image });
  }
}

/** What the oracle, or opening, ended with. */
interface Failure {
  readonly cause: unknown;
}

interface Failed<T> {
  readonly crashed: Crashed<T>;
  readonly failure: Failure;
}
