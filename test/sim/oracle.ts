/**
 * Opens what a crash left and says whether that may be: it opens, holds whole commits up to some
 * offset between what was told to be safe and what was written, exactly as the model has them, and
 * opening again, or dying while opening, gives the same. Some states, chosen by their bytes, are
 * looked at more closely.
 */
import type { Store, StoreOptions } from '../../src/engine/api/store.ts';
import { seededRandom } from '../../src/base/random.ts';
import { openStore } from '../../src/index.ts';
import { choicesAt, crashAt } from '../../src/testing/crash-states.ts';
import type { SimDisk } from '../../src/testing/sim-disk.ts';
import { SimScheduler } from '../../src/testing/sim-scheduler.ts';
import { type Bounds, checkBounds } from './bounds.ts';
import { mixSeeds, pick, seededChoices } from './choices.ts';
import { type Command, shortened, textOf } from './commands.ts';
import { DIRECTORY } from './life.ts';
import type { ModelState } from './model-state.ts';
import { perform } from './perform.ts';
import { checkPast } from './past.ts';
import { drawQuestion } from './questions.ts';
import { checkCompacted, checkSnapshotFiles } from './snapshot-files.ts';
import { type ModelOptions, ReferenceModel } from './reference-model.ts';
import { checkView, memoryOf } from './view.ts';

/** What crash states of one life are judged by. */
export interface Case {
  readonly history: ReadonlyMap<number, ModelState>;
  readonly model: ModelOptions;
  readonly store: StoreOptions;
  /** Something on the disk was damaged at rest. */
  readonly isDamaged?: true;
}

/** One in so many states is looked at in this way. */
const ONE_IN = {
  verified: 40,
  again: 20,
  readOnly: 25,
  replayed: 15,
  goesOn: 15,
  nested: 12,
  compacted: 10,
} as const;
/** Crashes within openings of what a crash left, one within the other. */
const DEPTH = 3;
const HANGS_AFTER_MS = 600_000;

export class Oracle {
  private readonly its: Case;
  /** Look at everything, whatever the bytes say: for a replay. */
  private readonly isThorough: boolean;
  private readonly onCrash: (disk: SimDisk) => void;
  private openings = 0;
  /** Time of the stores that were opened and not judged to the end. */
  private readonly running: SimScheduler[] = [];

  /** `onCrash` is told of every crash state that is judged within another. */
  constructor(its: Case, isThorough: boolean, onCrash: (disk: SimDisk) => void = () => undefined) {
    this.its = its;
    this.onCrash = onCrash;
    this.isThorough = isThorough;
  }

  /** The offset found in what a crash left; throws when that is wrong. */
  async judge(disk: SimDisk, kind: 'kill' | 'cut', bounds: Bounds, depth = DEPTH): Promise<number> {
    const before = this.running.length;
    try {
      return await this.look(disk, kind, bounds, depth);
    } finally {
      // What a store still has to do behind its opening would be tried for ever.
      for (const scheduler of this.running.splice(before)) scheduler.stop();
    }
  }

  private async look(
    disk: SimDisk,
    kind: 'kill' | 'cut',
    bounds: Bounds,
    depth: number,
  ): Promise<number> {
    const seed = disk.image.digest();
    const wants = (what: keyof typeof ONE_IN): boolean =>
      this.isThorough || mixSeeds(seed, seed / 2 ** 32, what.length * 77) % ONE_IN[what] === 0;
    const before = disk.journal.length;
    const readable = wants('readOnly') ? await this.readOnly(disk) : undefined;
    const { store, scheduler } = await this.open(disk);
    if (this.its.isDamaged !== true) checkSnapshotFiles(store, disk);
    const found = store.offset;
    checkBounds(found, kind, bounds);
    if (readable !== undefined && readable !== found)
      throw new Error(`opened read-only it had ${readable} records, for writing ${found}`);
    const model = this.stateAt(found);
    checkView(store, model);
    if (wants('verified')) await this.verify(store, found);
    if (wants('replayed')) await this.replayKeys(store, model);
    if (wants('compacted')) await this.compact(disk, store, model);
    const image = wants('again') ? memoryOf(store) : undefined;
    if (depth > 0 && wants('nested'))
      await this.dieOpening(disk, before, kind, bounds, found, depth);
    if (wants('goesOn')) await this.goOn(disk, store, found);
    scheduler.stop();
    if (image !== undefined && !wants('goesOn')) await this.openAgain(disk, image);
    return found;
  }

  /** A store that was opened can be compacted: it shows the same, and nothing superfluous is left. */
  private async compact(disk: SimDisk, store: Store, model: ModelState): Promise<void> {
    const force = disk.calls % 2 === 0;
    await store.compact({ force });
    checkView(store, model);
    if (this.its.isDamaged !== true) await checkCompacted(store, disk);
    const { history, store: settings } = this.its;
    const question = drawQuestion(seededChoices(disk.image.digest()), model);
    const isArchived = settings.archive === true && this.its.isDamaged !== true;
    await checkPast({ store, history, isArchived }, { offset: model.offset }, question);
  }

  stateAt(offset: number): ModelState {
    const model = this.its.history.get(offset);
    if (model === undefined) throw new Error(`no commit ends with record ${offset}`);
    return model;
  }

  private async open(disk: SimDisk): Promise<{ store: Store; scheduler: SimScheduler }> {
    this.openings++;
    const scheduler = this.newScheduler();
    const { clock, thread } = scheduler;
    const random = seededRandom(this.openings);
    const ports = { clock, thread, random, fileIo: disk.fileIo };
    return {
      store: await ends(openStore(DIRECTORY, { ...this.its.store, ...ports }), scheduler),
      scheduler,
    };
  }

  private newScheduler(): SimScheduler {
    const scheduler = new SimScheduler(1, 0);
    this.running.push(scheduler);
    return scheduler;
  }

  /** Opened read-only nothing is changed; gives the offset it shows, or nothing where no store is. */
  private async readOnly(disk: SimDisk): Promise<number | undefined> {
    const { clock, thread } = this.newScheduler();
    const before = disk.journal.length;
    try {
      const options = { readOnly: true, fileIo: disk.fileIo, clock, thread } as const;
      const store = await openStore(DIRECTORY, options);
      checkView(store, this.stateAt(store.offset));
      const { offset } = store;
      await store.close();
      if (disk.journal.length > before) throw new Error('opened read-only, it wrote');
      return offset;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  private async verify(store: Store, found: number): Promise<void> {
    const report = await store.verify();
    if (report.ok && report.lastOffset === found) return;
    // Damage that opening need not look at, in old log or in a snapshot, is told of all the same.
    const mayFind =
      this.its.isDamaged === true && report.problems.every(({ code }) => code === 'CORRUPT');
    if (report.ok || !mayFind || report.lastOffset > found)
      throw new Error(`verify(): ${String(report.lastOffset)} ${report.problems.join()}`);
  }

  /** Keys outlive a crash: what was done with one is not done again. */
  private async replayKeys(store: Store, state: ModelState): Promise<void> {
    const model = new ReferenceModel(this.its.model);
    model.state = state;
    for (const { by } of state.keys.values()) {
      const before = store.offset;
      const expected = model.run(by, { now: 0, applied: before, ids: [] });
      const { answer } = await perform(store, by).told;
      // First results are read when somebody asks for them.
      if (this.its.isDamaged === true && textOf(answer) === '{"code":"CORRUPT"}') return;
      if (textOf(answer) !== textOf(expected.answer))
        throw new Error(
          `sent again after the crash, ${shortened(textOf(by))}\n  answered ${shortened(textOf(answer))}\n  to be   ${shortened(textOf(expected.answer))}`,
        );
      if (store.offset !== before) throw new Error(`sent again, ${textOf(by)} wrote something`);
    }
  }

  /** The process dies while opening, or just after: the next one finds the same. */
  private async dieOpening(
    disk: SimDisk,
    from: number,
    kind: 'kill' | 'cut',
    bounds: Bounds,
    found: number,
    depth: number,
  ): Promise<void> {
    const end = disk.journal.length;
    const choose = seededChoices(mixSeeds(disk.image.digest(), depth));
    const walk = disk.walk();
    const points = [from + choose(end - from + 1), from + choose(end - from + 1), end];
    for (const point of points.toSorted((a, b) => a - b)) {
      walk.advance(point);
      const random = seededRandom(choose(2 ** 31));
      // The last write before this opening was not under way any more.
      const choices = choicesAt(walk, disk.journal, random);
      const choice = pick(
        choose,
        point > from ? choices : choices.filter((one) => !one.startsWith('kill~')),
      );
      const crash = crashAt(walk, disk.journal, choice);
      // What was only in the cache of a system that lived on may be lost while it is not served yet.
      const cut = kind === 'cut' || point === end ? found : bounds.cut;
      this.onCrash(crash.disk);
      const inner = { ...bounds, issued: found, kill: found, cut };
      try {
        await this.judge(crash.disk, crash.kind, inner, depth - 1);
      } catch (error) {
        const at = `while opening, entry ${point - from} of ${end - from}, ${choice}`;
        throw new Error(`${at}: ${(error as Error).message}`, { cause: error });
      }
    }
  }

  /** A store that was opened takes writes, and these survive as all others. */
  private async goOn(disk: SimDisk, store: Store, found: number): Promise<void> {
    const put: Command = {
      kind: 'put',
      durable: true,
      definition: {
        name: 'after the crash',
        version: found,
        states: ['on'],
        initial: 'on',
        transitions: [],
        indexes: [],
      },
    };
    const { answer } = await perform(store, put).told;
    const walk = disk.walk();
    walk.advance(disk.journal.length);
    for (const choice of ['kill', `cut:${walk.undecided.map(() => 'n').join('.')}`]) {
      const next = crashAt(walk, disk.journal, choice).disk;
      this.onCrash(next);
      const { store: opened, scheduler } = await this.open(next);
      scheduler.stop();
      if (opened.offset !== found + 1)
        throw new Error(
          `went on after the crash with ${textOf(answer)}, and after ${choice} had ${opened.offset} records instead of ${found + 1}`,
        );
    }
  }

  private async openAgain(disk: SimDisk, image: string): Promise<void> {
    disk.nextProcess();
    const { store, scheduler } = await this.open(disk);
    const again = memoryOf(store);
    scheduler.stop();
    if (again !== image) throw new Error(`opened again: ${again}, the first time ${image}`);
  }
}

async function ends<T>(promise: Promise<T>, scheduler: SimScheduler): Promise<T> {
  let callOff = (): void => undefined;
  const hangs = new Promise<never>((_, reject) => {
    callOff = scheduler.after(HANGS_AFTER_MS, () => reject(new Error('opening never came back')));
  });
  try {
    return await Promise.race([promise, hangs]);
  } finally {
    callOff();
  }
}
