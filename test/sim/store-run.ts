/**
 * A run: several lives of one store, each on the disk that the crash before it left. After each
 * life the visitor is shown what was recorded of it, before the next one changes the model.
 */
import { type Random, seededRandom } from '../../src/base/random.ts';
import { choicesAt, crashAt } from '../../src/testing/crash-states.ts';
import type { CrashWalk } from '../../src/testing/crash-walk.ts';
import { SimDisk } from '../../src/testing/sim-disk.ts';
import { DiskImage } from '../../src/testing/sim-image.ts';
import type { Entry } from '../../src/testing/sim-journal.ts';
import { Simulation } from '../../src/testing/simulation.ts';
import { type Bounds, MARK_WRITTEN_MS, NOTHING } from './bounds.ts';
import { type Choices, pick } from './choices.ts';
import { Life } from './life.ts';
import { Misfortune } from './misfortune.ts';
import { ReferenceModel } from './reference-model.ts';
import { drawSettings, type Settings } from './store-settings.ts';
import { drawQuestion } from './questions.ts';
import { maybeSomething } from './upkeep.ts';
import { Workload } from './workload.ts';

/** What was recorded of a life. */
export interface Record {
  /** Counting from 0. */
  readonly life: number;
  readonly disk: SimDisk;
  readonly settings: Settings;
  readonly model: ReferenceModel;
  /** Entries of the journal before the process began, and when its store had opened. */
  readonly start: number;
  readonly opened: number;
  /** How the disk came about. */
  readonly kind: 'kill' | 'cut';
  readonly before: Bounds;
  /** Found by this life. */
  readonly found: number;
  readonly isClosed: boolean;
  readonly bounds: Bounds;
  readonly commands: number;
  readonly faults: number;
  readonly upkeep: Life['upkeep'];
}

export interface RunOptions {
  readonly seed: number;
  readonly choose: Choices;
  readonly lives: number;
  /** Commands go out in up to so many bursts a life. */
  readonly bursts: number;
  /** May calls fail? */
  readonly hasFaults: boolean;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;
const EPOCH_MS = 1_700_000_000_000;

export class LifeError extends Error {
  readonly life: number;
  constructor(life: number, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.life = life;
  }
}

export async function runLives(
  options: RunOptions,
  visit: (record: Record) => Promise<void>,
): Promise<void> {
  const { choose, seed } = options;
  const settings = drawSettings(choose);
  const model = new ReferenceModel(settings.model);
  const { hasSyncedWrites } = settings;
  let disk = new SimDisk(DiskImage.of(new Map(), ['/']), { hasSyncedWrites });
  let kind: 'kill' | 'cut' = 'cut';
  let before = NOTHING;
  for (let life = 0; life < options.lives; life++) {
    const simulation = new Simulation({
      seed: seed + life,
      disk,
      hasSyncedWrites,
      epochMs: EPOCH_MS,
    });
    let record: Record;
    try {
      record = await liveOnce({ ...options, life, simulation, settings, model, kind, before });
    } catch (error) {
      throw new LifeError(life, error);
    } finally {
      simulation.stop();
    }
    await visit(record);
    if (life + 1 === options.lives) return;
    const crash = drawCrash(record, choose);
    ({ disk, kind } = crash);
    before = boundsAt(record, crash.point, crash.choice);
  }
}

function drawCrash(record: Record, choose: Choices) {
  const { disk, start } = record;
  const walk = disk.walk();
  const { length } = disk.journal;
  // Mostly late: what comes after builds on much.
  const point = choose(3) === 0 ? length : start + choose(length - start + 1);
  walk.advance(point);
  const choices = crashesAt(record, walk, seededRandom(choose(2 ** 31)));
  const { hasSyncedWrites } = disk;
  return crashAt(walk, disk.journal, pick(choose, choices), { hasSyncedWrites });
}

/** The crashes worth trying where the walk stands. */
export function crashesAt(record: Record, walk: CrashWalk, random: Random): string[] {
  const choices = choicesAt(walk, record.disk.journal, random);
  // The last write of the life before was not under way when this one began.
  if (walk.length > record.start) return choices;
  return choices.filter((choice) => !choice.startsWith('kill~'));
}

/** What may be found after this crash behind so many entries of the journal. */
export function boundsAt(record: Record, point: number, choice: string): Bounds {
  const { journal } = record.disk;
  if (point < record.opened) {
    const { found, kind, before } = record;
    // Opening only makes sure: what it is to find is settled by the disk it began with.
    return { ...before, issued: found, kill: found, cut: kind === 'cut' ? found : before.cut };
  }
  let end = point;
  // Whoever dies inside a write has told nobody of it; else all counts that nothing was done after.
  if (!choice.startsWith('kill~')) while (journal[end]?.kind === 'told') end++;
  for (let at = end - 1; at >= 0; at--) {
    const entry = journal[at] as Entry;
    if (entry.kind === 'told') return entry.what as Bounds;
  }
  return record.before;
}

interface LifeSpec extends RunOptions {
  readonly life: number;
  readonly simulation: Simulation;
  readonly settings: Settings;
  readonly model: ReferenceModel;
  readonly kind: 'kill' | 'cut';
  readonly before: Bounds;
}

async function liveOnce(spec: LifeSpec): Promise<Record> {
  const { simulation, settings, model, kind, before, choose, hasFaults } = spec;
  const { disk } = simulation;
  const start = disk.journal.length;
  const life = new Life({ simulation, model, store: settings.store, bounds: before, hasFaults });
  simulation.clock.jump(drawJump(choose));
  const misfortune = new Misfortune(simulation, choose, hasFaults);
  const found = await life.open(kind);
  const opened = disk.journal.length;
  const workload = new Workload(choose, settings);
  const bursts = 1 + choose(spec.bursts);
  for (let i = 0; i < bursts; i++) {
    misfortune.maybe();
    await burst(life, workload, choose, simulation);
    if (life.isStopped || choose(14) === 13) await reopen(life, misfortune, choose);
  }
  misfortune.end();
  await life.settle();
  if (life.isStopped) await reopen(life, misfortune, choose);
  const isClosed = choose(3) === 2;
  if (isClosed) await closeSomehow(life, choose);
  else if (choose(2) === 1) await rest(life);
  const { faults } = misfortune;
  const { commands, safety, upkeep } = life;
  const { bounds } = safety;
  const { life: number } = spec;
  const facts = { life: number, disk, settings, model, start, opened, kind, before, found };
  return { ...facts, isClosed, bounds, commands, faults, upkeep };
}

async function burst(
  life: Life,
  workload: Workload,
  choose: Choices,
  simulation: Simulation,
): Promise<void> {
  const count = 1 + choose(4) * choose(3);
  for (let i = 0; i < count; i++) {
    if (choose(12) === 11) simulation.clock.jump(drawJump(choose));
    life.send(workload.next(simulation.clock.now(), life.model.state));
  }
  if (choose(12) === 11) life.lies.countdown = 1 + choose(6);
  maybeSomething(life, choose);
  const then = choose(8);
  if (then === 1) await life.flush();
  if (then === 2) await life.pass(choose(120));
  if (then === 3) simulation.clock.jump(drawJump(choose));
  if (then === 4) await rest(life);
  if (then < 6) await life.settle();
  else await life.pass(choose(3) / 10);
  if (then < 4) life.check();
  life.ask(drawQuestion(choose, life.visible));
}

/** Perhaps in the middle of a snapshot, or of what follows one. */
async function closeSomehow(life: Life, choose: Choices): Promise<void> {
  const what = pick(choose, [undefined, undefined, 'snapshot', 'force'] as const);
  await life.close(what && (() => life.keepUp(what)));
}

/** So long that everything written is vouched for. */
async function rest(life: Life): Promise<void> {
  await life.settle();
  await life.flush();
  const { offset } = life.model;
  const { marks } = life;
  await life.pass(MARK_WRITTEN_MS);
  // At the end of a full segment there is no room for one: the next frame vouches, or closing.
  if (!life.isStopped && life.marks > marks) life.safety.attested(offset);
}

/** In an orderly way, or because the log has stopped: the same disk, and the same state. */
async function reopen(life: Life, misfortune: Misfortune, choose: Choices): Promise<void> {
  await life.settle();
  const { offset } = life.model;
  const image = life.image;
  await closeSomehow(life, choose);
  const wasStopped = life.isStopped;
  if (choose(3) > 0) misfortune.end();
  await misfortune.survive(async () => {
    const found = await life.open('kill');
    if (!wasStopped && found === offset && life.image !== image)
      throw new Error(`reopened: ${life.image}, before ${image}`);
  });
}

function drawJump(choose: Choices): number {
  const kind = choose(7);
  if (kind < 2) return choose(50);
  if (kind < 4) return choose(500) - 100;
  const unit = pick(choose, [YEAR_MS, MINUTE_MS, YEAR_MS, DAY_MS]);
  return (choose(7) - 3) * unit;
}
