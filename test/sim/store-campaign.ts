/**
 * The campaign over the whole engine: runs of several lives, and after each life all it could have
 * been interrupted by. A state with the same bytes as one before is opened once: what was found in
 * it is remembered, and only what must be there is checked again.
 */
import { seededRandom } from '../../src/base/random.ts';
import { nodeThread } from '../../src/base/thread.ts';
import { crashAt } from '../../src/testing/crash-states.ts';
import { checkBounds } from './bounds.ts';
import {
  type CampaignOptions,
  type CampaignResult,
  MAX_VIOLATIONS,
  type Violation,
} from './campaign.ts';
import { mixSeeds, seededChoices } from './choices.ts';
import { tryDamage } from './damage.ts';
import { Oracle } from './oracle.ts';
import { noPhases, type Phase, type PhaseCounts, phasesOf } from './phases.ts';
import {
  boundsAt,
  crashesAt,
  LifeError,
  type Record,
  runLives,
  type RunOptions,
} from './store-run.ts';

/** Of a life with more states than this only some points are visited, drawn anew for each life. */
const STATES_A_LIFE = 1200;
/** About so many states at a point: to know how many points to visit. */
const STATES_A_POINT = 7;
const DAMAGES_A_LIFE = 12;
const LIVES = 3;
const BURSTS = 20;
/** Every second run meets calls that fail. */
const FAULTS_EVERY = 2;

interface Counts {
  runs: number;
  states: number;
  distinct: number;
  faults: number;
  damages: number;
  commands: number;
  readonly phases: PhaseCounts;
}

export async function runStoreCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const startedMs = nodeThread.monotonicMs();
  const counts: Counts = {
    runs: 0,
    states: 0,
    distinct: 0,
    faults: 0,
    damages: 0,
    commands: 0,
    phases: noPhases(),
  };
  const violations: Violation[] = [];
  const result = (): CampaignResult => {
    const durationMs = nodeThread.monotonicMs() - startedMs;
    return { ...counts, phases: { ...counts.phases }, durationMs, violations: [...violations] };
  };
  for (let run = 0; counts.distinct < options.states && violations.length < MAX_VIOLATIONS; run++) {
    const seed = mixSeeds(options.seed, run);
    const violation = await explore(seed, counts);
    counts.runs++;
    if (violation !== undefined) violations.push(violation);
    if (options.onProgress?.(result()) === false) break;
  }
  return result();
}

/** One run with everything that could have interrupted it; gives the first violation. */
async function explore(seed: number, counts: Counts): Promise<Violation | undefined> {
  const walker = new Walker(seed, counts);
  let life = 0;
  try {
    await runLives(optionsOf(seed), async (record) => {
      ({ life } = record);
      counts.commands += record.commands;
      counts.faults += record.faults;
      await walker.visit(record);
    });
  } catch (error) {
    if (error instanceof LifeError) ({ life } = error);
    const place = error instanceof LifeError ? 'live' : walker.place;
    return { token: `store/${seed}/${life}/${place}`, message: messageOf(error) };
  } finally {
    counts.distinct += walker.distinct;
  }
  return undefined;
}

function optionsOf(seed: number): RunOptions {
  const hasFaults = seed % FAULTS_EVERY === 0;
  return { seed, choose: seededChoices(seed), lives: LIVES, bursts: BURSTS, hasFaults };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** How many of the points of a life are visited: so many that the states are about as many as wanted. */
class Budget {
  /** Judged so far. */
  states = 0;
  /** Visited. */
  points = 0;
  private left: number;

  constructor(points: number) {
    this.left = points;
  }

  /** The chance of the next point: less while a snapshot is written; its other steps are short, and all visited. */
  share(phase: Phase | undefined): number {
    const each = (this.states + STATES_A_POINT) / (this.points + 1);
    const share = (STATES_A_LIFE - this.states) / (each * this.left--);
    if (phase === undefined) return share;
    return phase === 'writing' ? share / 3 : 1;
  }
}

/** Visits the crash states of one life after the other. */
class Walker {
  /** What was found in an image, by its digest. */
  private readonly found: Map<number, number> = new Map();
  /** Images met within the judging of others. */
  private readonly inner: Set<number> = new Set();
  /** Where it is, for a token. */
  place = 'live';
  private readonly seed: number;
  private readonly counts: Counts;

  constructor(seed: number, counts: Counts) {
    this.seed = seed;
    this.counts = counts;
  }

  get distinct(): number {
    let count = this.found.size;
    for (const digest of this.inner) if (!this.found.has(digest)) count++;
    return count;
  }

  async visit(record: Record): Promise<void> {
    const { disk, start, life, settings, model } = record;
    const { journal } = disk;
    const random = seededRandom(mixSeeds(this.seed, life));
    const points: number[] = [];
    // A point before something was told is the same as the one behind it, with less to check.
    for (let at = start; at <= journal.length; at++)
      if (journal[at]?.kind !== 'told') points.push(at);
    const budget = new Budget(points.length);
    const phases = phasesOf(disk);
    const walk = disk.walk();
    const its = { history: model.history, model: settings.model, store: settings.store };
    const oracle = new Oracle(its, false, ({ image }) => {
      this.counts.states++;
      this.inner.add(image.digest());
    });
    for (const point of points) {
      if (random.next() > budget.share(phases[point])) continue;
      budget.points++;
      walk.advance(point);
      for (const choice of crashesAt(record, walk, random)) {
        this.place = `${point}/${choice}`;
        this.counts.states++;
        budget.states++;
        const phase = phases[point];
        if (phase !== undefined) this.counts.phases[phase]++;
        const bounds = boundsAt(record, point, choice);
        const crash = crashAt(walk, journal, choice);
        const digest = crash.disk.image.digest();
        const known = this.found.get(digest);
        if (known === undefined)
          this.found.set(digest, await oracle.judge(crash.disk, crash.kind, bounds));
        else checkBounds(known, crash.kind, bounds);
      }
    }
    await this.damage(record);
  }

  private async damage(record: Record): Promise<void> {
    for (let n = 0; n < DAMAGES_A_LIFE; n++) {
      this.place = `damage/${n}`;
      this.counts.damages++;
      await tryDamage(record, damageChoices(this.seed, record.life, n));
    }
  }
}

function damageChoices(seed: number, life: number, n: number) {
  return seededChoices(mixSeeds(seed, life, n, 0xda3a6e));
}

/**
 * Has a violation again. Gives nothing when it is gone, and throws when the token names nothing.
 * Looks at the state more closely than the campaign did.
 */
export async function replayStore(token: string): Promise<Violation | undefined> {
  const parts = /^store\/(\d+)\/(\d+)\/(?:live|(\d+)\/(.+)|damage\/(\d+))$/.exec(token);
  if (parts === null) throw new Error(`'${token}' names no state of a store`);
  const [seed, life] = [Number(parts[1]), Number(parts[2])];
  const [, , , point, choice, damage] = parts;
  try {
    await runLives({ ...optionsOf(seed), lives: life + 1 }, async (record) => {
      if (record.life < life) return;
      if (damage !== undefined) await tryDamage(record, damageChoices(seed, life, Number(damage)));
      if (point !== undefined && choice !== undefined)
        await judgeOne(record, Number(point), choice);
    });
  } catch (error) {
    return { token, message: messageOf(error) };
  }
  return undefined;
}

async function judgeOne(record: Record, point: number, choice: string): Promise<void> {
  const { disk, settings, model } = record;
  const walk = disk.walk();
  if (point > disk.journal.length) throw new Error(`the run has no entry ${point} any more`);
  walk.advance(point);
  const crash = crashAt(walk, disk.journal, choice);
  const its = { history: model.history, model: settings.model, store: settings.store };
  await new Oracle(its, true).judge(crash.disk, crash.kind, boundsAt(record, point, choice));
}
