/**
 * One process with a store on a simulated machine: sends commands, several at once, compares every
 * answer with the model, and tells the journal what was acknowledged and what may therefore not get
 * lost. Knows what a caller may conclude when the world misbehaves, and nothing of crashes.
 */
import type { Store, StoreOptions } from '../../src/engine/api/store.ts';
import { openStore } from '../../src/index.ts';
import type { Simulation } from '../../src/testing/simulation.ts';
import { pipelineOf, stateOf, tracesOf } from '../unit/engine/store-state.ts';
import { type Bounds, Safety } from './bounds.ts';
import { type Command, shortened, textOf, THROWN } from './commands.ts';
import { type Lies, lyingFileIo } from './lying-io.ts';
import { NotingRandom } from './noting-random.ts';
import type { Moment } from '../../src/engine/api/time-travel.ts';
import type { ModelState } from './model-state.ts';
import { checkDifferences, checkPast, type PastOptions } from './past.ts';
import { perform, type Told, withoutPlace } from './perform.ts';
import { checkAnswer, type Question } from './questions.ts';
import type { Prediction } from './model-operations.ts';
import type { ReferenceModel } from './reference-model.ts';
import { checkView, memoryOf } from './view.ts';

/** Nothing takes so long on a simulated disk, however slow: it hangs. */
const HANGS_AFTER_MS = 600_000;

export interface LifeOptions {
  readonly simulation: Simulation;
  readonly model: ReferenceModel;
  readonly store: StoreOptions;
  readonly bounds: Bounds;
  /** Calls may fail: what is told then is checked by other rules. */
  readonly hasFaults: boolean;
}

interface SentCommand {
  readonly command: Command;
  readonly expected: Prediction;
  /** Offsets before and after it. */
  readonly before: number;
  readonly after: number;
}

export const DIRECTORY = '/db';

export class Life {
  readonly safety: Safety;
  store!: Store;
  /** The log has stopped: nothing is taken in until it is opened again. */
  isStopped = false;
  commands = 0;
  /** Snapshots and compactions that ended well, looks into the past, and what was not kept of it. */
  readonly upkeep = { snapshots: 0, compactions: 0, views: 0, tooOld: 0 };
  /** What the disk does to snapshots; told of by nobody else. */
  readonly lies: Lies = { countdown: 0, told: 0 };
  private isClosing = false;
  private readonly options: LifeOptions;
  private readonly isAlways: boolean;
  private readonly random: NotingRandom;
  private waiting: Promise<void>[] = [];
  /** Of commits whose outcome nobody knows. */
  private unknownThrough = 0;
  /** Purges before the first command that was not done: they are nobody's, and may be there. */
  private purgedThrough: number | undefined;

  constructor(options: LifeOptions) {
    this.options = options;
    this.safety = new Safety(options.simulation.disk, options.bounds);
    this.isAlways = (options.store.durability ?? 'always') === 'always';
    this.random = new NotingRandom(options.simulation.random);
  }

  get model(): ReferenceModel {
    return this.options.model;
  }

  /** Opens the store; what it finds must be what may be there, and is all there is from now on. */
  async open(kind: 'kill' | 'cut'): Promise<number> {
    const { simulation, store } = this.options;
    const { ports, disk } = simulation;
    const opening = openStore(DIRECTORY, {
      ...store,
      ...ports,
      fileIo: lyingFileIo(disk.fileIo, this.lies),
      random: this.random,
    });
    this.store = await this.ends(opening, 'opening');
    this.isClosing = false;
    const found = this.store.offset;
    const { bounds } = this.safety;
    if (found < bounds[kind] || found > bounds.issued)
      throw new Error(`opened with ${found} records, to be ${bounds[kind]} to ${bounds.issued}`);
    this.model.rollBack(found);
    this.safety.found(found);
    this.isStopped = false;
    // A sync nobody waited for may fail: only this event, and the next write, tell of it.
    this.store.on('degraded', ({ error }) => {
      if ((error.details as { outcome?: string }).outcome === 'unknown') this.isStopped = true;
    });
    this.unknownThrough = found;
    this.purgedThrough = undefined;
    checkView(this.store, this.model.state, true);
    return found;
  }

  send(command: Command): void {
    this.commands++;
    const { model, store, safety, random } = this;
    this.lookAround();
    const before = model.offset;
    // A synchronous write may be on the disk before the call returns.
    safety.issued(before + 1000);
    const now = this.options.simulation.clock.now();
    const last = this.lastOffset;
    const order = command.kind === 'migrate' ? idsByHandle(store) : [];
    random.start(now);
    const sent = perform(store, command);
    const ids = random.stop();
    // Full frames are written and applied as a call begins, before it is decided.
    const applied = store.offset;
    const expected = model.run(command, { now, applied, ids, order });
    const isRefused = this.options.hasFaults && this.lastOffset === last;
    if (isRefused && model.offset > before) model.rollBack(before);
    const after = model.offset;
    safety.issued(after);
    if (command.kind === 'transaction') this.checkSteps(command, expected, sent.steps);
    const one = { command, expected, before, after };
    const answered = sent.told.then((told) => this.settled(one, told));
    // Reported by settle(); until then nobody listens.
    answered.catch(() => undefined);
    this.waiting.push(answered);
  }

  /** What anybody could see at this moment must already be safe. */
  lookAround(): void {
    const { store, safety, model } = this;
    const visible = store.offset;
    if (this.isAlways) safety.survivesCut(visible);
    else safety.survivesKill(visible);
    const next = this.lastOffset;
    if (this.isStopped || next === model.offset) return;
    // There was no room for what waited: all of it was taken back.
    if (!this.options.hasFaults || next > model.offset || next < visible)
      throw new Error(`the last record has offset ${next}, to be ${model.offset}`);
    model.rollBack(next);
    this.purgedThrough = undefined;
    safety.issued(next);
  }

  /** Of all records, those included that wait. */
  private get lastOffset(): number {
    return pipelineOf(this.store).records.nextOffset - 1;
  }

  private checkSteps(command: Command, expected: Prediction, seen: readonly unknown[]): void {
    const steps = (expected.steps ?? []).map(withoutPlace);
    if (seen.length > 0 && textOf(seen) !== textOf(steps)) this.differs(command, seen, steps);
  }

  private settled(one: SentCommand, told: Told): void {
    const { command, expected, before, after } = one;
    if (told.failure !== undefined) return this.failed(one, told);
    if (textOf(told.answer) !== textOf(expected.answer))
      this.differs(command, told.answer, expected.answer);
    if (this.isStopped && after > before && after > this.store.offset)
      throw new Error(`${shortened(textOf(command))} succeeded after the log had stopped`);
    const safe = after > before ? after : expected.restsOn;
    this.safe(safe, command.durable === true && !isRefusal(told.answer));
  }

  /** Somebody was told something that rests on these records. */
  private safe(offset: number, isDurable: boolean): void {
    if (this.isAlways || isDurable) this.safety.survivesCut(offset);
    else this.safety.survivesKill(offset);
  }

  private differs(command: Command, found: unknown, expected: unknown): never {
    throw new Error(
      `${shortened(textOf(command))}\n  answered ${shortened(textOf(found))}\n  to be   ${shortened(textOf(expected))}`,
    );
  }

  private failed({ command, before, after }: SentCommand, told: Told): void {
    const { code, outcome, reopen } = told.failure as NonNullable<Told['failure']>;
    if (!this.options.hasFaults || code !== 'WAL_IO_ERROR')
      throw new Error(`${shortened(textOf(command))}\n  failed: ${textOf(told.answer)}`);
    if (outcome !== 'unknown' && outcome !== 'not-done')
      throw new Error(`a failure without an outcome: ${textOf(told.answer)}`);
    if (outcome === 'unknown') this.unknownThrough = Math.max(this.unknownThrough, after);
    else if (after > before) this.purgedThrough ??= this.model.commitBefore(after);
    if (outcome === 'unknown' || reopen === true) this.isStopped = true;
  }

  // ---- what a caller does besides -------------------------------------------------------------

  /** What reads show now. */
  get visible(): ModelState {
    const state = this.model.history.get(this.store.offset);
    if (state === undefined)
      throw new Error(`reads show ${this.store.offset}, the end of no commit`);
    return state;
  }

  /** Begins to, and goes on with other things; settle() waits for it. */
  keepUp(what: 'snapshot' | 'compact' | 'force'): void {
    this.lookAround();
    const { store, model, upkeep } = this;
    const target = model.offset;
    this.beside(async () => {
      if (what !== 'snapshot') {
        await store.compact({ force: what === 'force' });
        upkeep.compactions++;
        return;
      }
      const { offset } = await store.snapshot();
      if (!this.options.hasFaults && offset < target)
        throw new Error(`a snapshot has ${offset} records, to be at least ${target}`);
      if (!model.history.has(offset))
        throw new Error(`a snapshot of ${offset}, the end of no commit`);
      upkeep.snapshots++;
      // It has them, and was synced.
      this.safety.survivesCut(offset);
    });
  }

  lookBack(moment: Moment, question: Question): void {
    this.beside(async () => this.noteView(await checkPast(this.past, moment, question)));
  }

  compare(before: Moment, after: Moment): void {
    this.beside(async () => this.noteView(await checkDifferences(this.past, before, after)));
  }

  private noteView(isKept: boolean): void {
    this.upkeep[isKept ? 'views' : 'tooOld']++;
  }

  private get past(): PastOptions {
    const { model, store, options } = this;
    return { store, history: model.history, isArchived: options.store.archive === true };
  }

  ask(question: Question): void {
    const { visible } = this;
    try {
      checkAnswer(this.store.instances, question, visible);
    } catch (error) {
      this.mayFail(error);
    }
  }

  private beside(run: () => Promise<void>): void {
    const ended = run().catch((error: unknown) => {
      const { code } = error as { code?: string };
      if (this.isClosing && code === 'STORE_CLOSED') return;
      // What was read back was not what had been written.
      if (this.lies.told > 0 && code === 'CORRUPT') return;
      this.mayFail(error);
    });
    ended.catch(() => undefined);
    this.waiting.push(ended);
  }

  // ---- waiting ---------------------------------------------------------------------------------

  /** Until everything that was sent is answered. */
  async settle(): Promise<void> {
    const all = Promise.all(this.waiting.splice(0));
    await this.ends(all, 'an answer');
    if (!this.isStopped) this.lookAround();
  }

  /** Nothing waits: memory is what the model says, and nothing else is left behind. */
  check(): void {
    const { store, model } = this;
    if (this.isStopped || store.offset !== model.offset) return;
    checkView(store, model.state, true);
    const traces = tracesOf(store) as { overlay: number; keys: number };
    if (traces.overlay + traces.keys > 0)
      throw new Error(`nothing waits, and the overlay holds ${textOf(traces)}`);
  }

  async pass(virtualMs: number): Promise<void> {
    const { scheduler } = this.options.simulation;
    await new Promise<void>((resolve) => void scheduler.after(virtualMs, resolve));
  }

  async flush(): Promise<void> {
    this.lookAround();
    const target = this.model.offset;
    try {
      const offset = await this.ends(this.store.flush(), 'flush()');
      if (offset < target) throw new Error(`flush() reached ${offset}, to be ${target}`);
      this.safety.survivesCut(target);
    } catch (error) {
      this.mayFail(error);
    }
  }

  /** Ends the process in an orderly way, if it still can; `before` begins what closing meets half done. */
  async close(before?: () => void): Promise<void> {
    await this.settle();
    const { model, safety } = this;
    this.isClosing = true;
    before?.();
    const target = model.offset;
    try {
      await this.ends(this.store.close(), 'close()');
      if (this.isStopped) this.stopped();
      else {
        safety.survivesCut(target);
        safety.attested(target);
      }
    } catch (error) {
      this.mayFail(error);
      this.stopped();
    }
    await this.ends(Promise.all(this.waiting.splice(0)), 'what closing met');
  }

  /** After a failure of the log: what was not told 'unknown' and is not visible, is not there. */
  private stopped(): void {
    this.isStopped = true;
    const { unknownThrough, purgedThrough = 0 } = this;
    const through = Math.max(
      unknownThrough,
      purgedThrough,
      this.store.offset,
      this.safety.bounds.kill,
    );
    if (through < this.model.offset) this.safety.issued(through);
  }

  private mayFail(error: unknown): void {
    const { code, details } = error as { code?: string; details?: Record<string, unknown> };
    if (!this.options.hasFaults || code !== 'WAL_IO_ERROR') throw error;
    if (details?.['outcome'] === 'unknown' || details?.['reopen'] === true) this.isStopped = true;
  }

  /** Marks written since opening. */
  get marks(): number {
    const { log } = this.store.stats() as { log: { marksWritten: number } };
    return log.marksWritten;
  }

  /** State and handles, as one value: the next process must find the same. */
  get image(): string {
    return memoryOf(this.store);
  }

  private async ends<T>(promise: Promise<T>, what: string): Promise<T> {
    const { scheduler } = this.options.simulation;
    let callOff = (): void => undefined;
    const hangs = new Promise<never>((_, reject) => {
      const fail = (): void => reject(new Error(`${what} never came`));
      callOff = scheduler.after(HANGS_AFTER_MS, fail);
    });
    try {
      return await Promise.race([promise, hangs]);
    } finally {
      callOff();
    }
  }
}

/** Of rows and of what waits: the order in which a migration goes through them. */
function idsByHandle(store: Store): string[] {
  const { overlay } = pipelineOf(store);
  const { instances } = stateOf(store);
  const handles = new Map<string, number>();
  for (let handle = 0; handle < instances.rows.rows; handle++)
    if (instances.isLive(handle)) handles.set(instances.idText(handle), handle);
  for (const { id, handle } of overlay.created()) handles.set(id, handle);
  return [...handles].toSorted(([, a], [, b]) => a - b).map(([id]) => id);
}

function isRefusal(answer: unknown): boolean {
  return answer === THROWN || (typeof answer === 'object' && answer !== null && 'code' in answer);
}
