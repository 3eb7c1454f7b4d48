/**
 * The log alone under crashes: lives of a simulated machine from a seed, and of each life every
 * state a crash at any point may leave, recovered. Some crash states are lived on: so recovery
 * itself is crashed, and that of that, up to four lives deep.
 *
 * Neighbouring points give many states with the same bytes. What those held is remembered for as
 * long as the same records may be found, so a repeated one costs no recovery; its bound is checked
 * all the same.
 */
import { seededRandom, type Random } from '../../src/base/random.ts';
import { badRequest } from '../../src/base/errors.ts';
import { nodeThread } from '../../src/base/thread.ts';
import type { CrashWalk } from '../../src/testing/crash-walk.ts';
import { crashAt, type CrashState } from '../../src/testing/crash-states.ts';
import type { CampaignResult, Violation } from './campaign.ts';
import { DigestSet } from './digest-set.ts';
import type { History } from './log-content.ts';
import { StateKeys } from './state-keys.ts';
import { crashesAt } from './log-choices.ts';
import type { Told } from './log-driver.ts';
import { firstStart, type Life, type LifeStart, live } from './log-life.ts';
import { type Found, describe, openAndGoOn, readImage } from './log-recovery.ts';

export interface LogCampaignOptions {
  /** Number of the first run; each run has the seed of its number. */
  readonly seed: number;
  /** Runs have every `stride`-th number: other jobs take those between. Default 1. */
  readonly stride?: number | undefined;
  /** Ends behind the run in which so many distinct states were reached. */
  readonly states?: number | undefined;
  readonly runs?: number | undefined;
  readonly untilMs?: number | undefined;
  /** Of so many distinct states one is opened to write and gone on with. Default 16; 0: none. */
  readonly openEvery?: number | undefined;
  /** Is asked behind each run; false ends the campaign. */
  readonly onProgress?: ((result: CampaignResult) => boolean) | undefined;
}

/** Lives of one run, at most. */
const LIVES = 4;
/** Violations after which a campaign gives up. */
const ENOUGH = 20;
const OPEN_EVERY = 16;

/** What holds at one point of a life. */
interface Bounds {
  history: History;
  accepted: number;
  durable: number;
  mayStartAt: number;
  extra: number;
}

export async function runLogCampaign(options: LogCampaignOptions): Promise<CampaignResult> {
  const campaign = new LogCampaign(options.openEvery ?? OPEN_EVERY);
  const { seed, stride = 1, runs = Number.POSITIVE_INFINITY } = options;
  const { states = Number.POSITIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY } = options;
  for (let run = 0; run < runs && campaign.distinct.size < states; run++) {
    await campaign.run((seed + run * stride) >>> 0);
    // A turn of the event loop: signals and messages are heard.
    await new Promise<void>((resolve) => nodeThread.nextTurn(resolve));
    if (options.onProgress?.(campaign.result()) === false) break;
    if (campaign.violations.length >= ENOUGH || campaign.durationMs > untilMs) break;
  }
  return campaign.result();
}

class LogCampaign {
  readonly distinct = new DigestSet();
  readonly violations: Violation[] = [];
  private readonly openEvery: number;
  private readonly startedAt = nodeThread.monotonicMs();
  private runs = 0;
  private states = 0;
  private commands = 0;
  private faults = 0;
  private untilOpen = 1;

  constructor(openEvery: number) {
    this.openEvery = openEvery === 0 ? Number.POSITIVE_INFINITY : openEvery;
    this.untilOpen = this.openEvery;
  }

  get durationMs(): number {
    return nodeThread.monotonicMs() - this.startedAt;
  }

  result(): CampaignResult {
    const { runs, states, faults, commands, violations, durationMs } = this;
    const distinct = this.distinct.size;
    return { runs, states, distinct, faults, damages: 0, commands, durationMs, violations };
  }

  async run(seed: number): Promise<void> {
    this.runs++;
    await eachLife(seed, async (life, next) => {
      this.commands += life.commits;
      this.faults += life.faults;
      if (life.failure !== undefined)
        this.violate(tokenOf(seed, life.number, 0, 'live'), life.failure);
      await this.crash(seed, life, next);
    });
  }

  private violate(token: string, error: unknown): void {
    if (this.violations.length < ENOUGH) this.violations.push({ token, message: describe(error) });
  }

  /** Every state of a life. */
  private async crash(seed: number, life: Life, random: Random): Promise<void> {
    const known = new Map<number, Found>();
    let history: History | undefined;
    const { journal, hasSyncedWrites } = life.disk;
    const keys = new StateKeys(journal);
    await eachPoint(life, async (walk, bounds) => {
      if (bounds.history !== history) known.clear();
      ({ history } = bounds);
      keys.advance(walk);
      for (const choice of statesAt(life, walk, random)) {
        this.states++;
        const key = keys.keyOf(choice);
        const before = known.get(key);
        try {
          if (before !== undefined) checkBound(choice, bounds, before);
          else {
            const state = crashAt(walk, journal, choice, { hasSyncedWrites });
            known.set(key, await this.recover(state, bounds));
          }
        } catch (error) {
          this.violate(tokenOf(seed, life.number, walk.length, choice), error);
          if (this.violations.length >= ENOUGH) return false;
        }
      }
      return true;
    });
  }

  private async recover(state: CrashState, bounds: Bounds): Promise<Found> {
    const { image } = state.disk;
    const found = await readImage(image, bounds.history);
    checkBound(state.choice, bounds, found);
    const digest = image.digest();
    // Without an id nothing tells the disks of two runs apart.
    if (hasIdentity(state) && this.distinct.add(digest) && --this.untilOpen === 0) {
      this.untilOpen = this.openEvery;
      await openAndGoOn(state.disk, bounds.history, found, digest % 2 ** 32);
    }
    return found;
  }
}

/** Does any file hold more than zeros? The first that does holds the store's id. */
function hasIdentity({ disk: { image } }: CrashState): boolean {
  for (const file of image.names.values()) {
    const bytes = image.content(file).view();
    if (bytes.length > 0 && bytes[4] !== 0) return true;
  }
  return false;
}

function checkBound(choice: string, bounds: Bounds, found: Found): void {
  const least = choice.startsWith('kill') ? bounds.accepted : bounds.durable;
  if (found.last < least)
    throw new Error(`${least} records were acknowledged, ${found.last} are found`);
  if (found.extra < bounds.extra)
    throw new Error(`bytes of the layer above: ${found.extra} instead of ${bounds.extra}`);
  if (found.first > bounds.mayStartAt)
    throw new Error(`it begins at ${found.first}; nothing behind ${bounds.mayStartAt} was dropped`);
}

/** The lives of a run: each next one goes on from a crash of the one before. */
async function eachLife(
  seed: number,
  visit: (life: Life, random: Random) => Promise<void>,
): Promise<void> {
  let start: LifeStart = firstStart(seed);
  let left: CrashState | undefined;
  const random = seededRandom(seed ^ 0x7f4a7c15);
  for (let number = 1; number <= LIVES; number++) {
    const life = await live(seed, number, start, left?.disk);
    await visit(life, seededRandom(seed ^ (number << 20)));
    if (life.failure !== undefined || random.next() < 0.25) return;
    const crash = crashSomewhere(life, random);
    left = crash.state;
    const { history, accepted, durable, mayStartAt, extra } = crash.bounds;
    let found: Found;
    try {
      found = await readImage(left.disk.image, history);
    } catch {
      // Reported already, when that state was visited or as soon as it is.
      return;
    }
    const isKill = left.kind === 'kill';
    start = {
      history: history.upTo(found.last),
      accepted: Math.max(isKill ? accepted : 0, found.last),
      // What a power cut left is on the disk: opening must not lose it any more.
      durable: isKill ? durable : found.last,
      mayStartAt,
      extra: isKill ? extra : found.extra,
    };
  }
}

/** Where a life begins, the last write of the one before has come back: nobody dies inside it. */
function statesAt({ disk, from }: Life, walk: CrashWalk, random: Random): string[] {
  const choices = crashesAt(walk, disk.journal, random);
  if (walk.length > from) return choices;
  return choices.filter((choice) => !choice.startsWith('kill~'));
}

/** Early crashes of a life are those while it recovers. */
function crashSomewhere(life: Life, random: Random): { state: CrashState; bounds: Bounds } {
  const { disk, from } = life;
  const { journal } = disk;
  const part = random.next();
  const at =
    from + Math.floor((random.next() < 0.5 ? part : part * part) * (journal.length - from + 1));
  const walk = disk.walk();
  const bounds = startOf(life);
  for (let point = 0; point <= at; point++) step(life, walk, bounds, point);
  const choices = statesAt(life, walk, random);
  const choice = choices[Math.floor(random.next() * choices.length)] as string;
  return { state: crashAt(walk, journal, choice, disk.options), bounds };
}

function startOf({ start }: Life): Bounds {
  return { ...start };
}

function step(life: Life, walk: CrashWalk, bounds: Bounds, point: number): void {
  walk.advance(point);
  const entry = point > life.from ? life.disk.journal[point - 1] : undefined;
  if (entry?.kind !== 'told' || entry.what === undefined) return;
  const told = entry.what as Told;
  if (told.kind === 'opened') bounds.history = told.history;
  if (told.kind === 'extra') bounds.extra = told.offset;
  else if (told.kind === 'truncating') bounds.mayStartAt = Math.max(bounds.mayStartAt, told.offset);
  else bounds.accepted = Math.max(bounds.accepted, told.offset);
  if (told.kind === 'opened' || told.kind === 'durable')
    bounds.durable = Math.max(bounds.durable, told.offset);
}

/**
 * Every point of a life at which something may be lost. What is told between two calls on the disk
 * is told at once: states before it are those behind it, with a lower bound.
 */
async function eachPoint(
  life: Life,
  visit: (walk: CrashWalk, bounds: Bounds) => Promise<boolean>,
): Promise<void> {
  const { disk, from } = life;
  const { journal } = disk;
  const walk = disk.walk();
  const bounds = startOf(life);
  for (let point = 0; point <= journal.length; point++) {
    step(life, walk, bounds, point);
    if (point < from || journal[point]?.kind === 'told') continue;
    if (!(await visit(walk, bounds))) return;
  }
}

function tokenOf(seed: number, life: number, point: number, choice: string): string {
  return `log/${seed}/${life}/${point}/${choice}`;
}

/**
 * Makes the state of a token again and recovers it, by reading and by opening. Gives what is wrong
 * with it, if anything.
 * @throws {StoreError} BAD_REQUEST - no state has this token.
 */
export async function replayLog(token: string): Promise<string | undefined> {
  const parts = /^log\/(\d{1,10})\/(\d)\/(\d{1,7})\/([a-z0-9:.~]+)$/.exec(token);
  if (parts === null) throw badRequest(`'${token}' is no token of the log campaign`, 'token');
  const [seed, number, point] = parts.slice(1, 4).map(Number) as [number, number, number];
  const choice = parts[4] as string;
  let outcome: { message: string | undefined } | undefined;
  await eachLife(seed, async (life) => {
    if (life.number !== number) return;
    outcome = { message: await replayIn(life, point, choice) };
  });
  if (outcome === undefined) throw badRequest(`run ${seed} has no life ${number}`, 'token');
  return outcome.message;
}

async function replayIn(life: Life, point: number, choice: string): Promise<string | undefined> {
  if (choice === 'live') return life.failure && describe(life.failure);
  const { disk, from } = life;
  if (point < from || point > disk.journal.length)
    throw badRequest(`life ${life.number} goes from ${from} to ${disk.journal.length}`, 'token');
  const walk = disk.walk();
  const bounds = startOf(life);
  for (let at = 0; at <= point; at++) step(life, walk, bounds, at);
  const { hasSyncedWrites } = disk;
  const state = crashAt(walk, disk.journal, choice, { hasSyncedWrites });
  try {
    const digest = state.disk.image.digest();
    const found = await readImage(state.disk.image, bounds.history);
    checkBound(choice, bounds, found);
    await openAndGoOn(state.disk, bounds.history, found, digest % 2 ** 32);
    return undefined;
  } catch (error) {
    return describe(error);
  }
}
