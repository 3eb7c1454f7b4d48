/**
 * Moves the instances of one version of a machine to another, in commits of a bounded size with
 * turns of the thread between them: writers go on meanwhile. Each instance is read, decided and
 * logged in one synchronous step, over everything that waits, so that no event can come between.
 *
 * There is no record of the run itself: what was moved is not of the old version any more, so the
 * same call, made again after a crash or an error, goes on where this one ended.
 */
import { ByteWriter } from '../base/bytes.ts';
import { isStoreError } from '../base/errors.ts';
import type { Thread } from '../base/thread.ts';
import { MiB } from '../base/units.ts';
import type { Definition } from '../instance/machine-store.ts';
import { ROW_FLAG } from '../instance/row.ts';
import { encodeMigrate } from '../record/encode.ts';
import type { MigrationPlan, MigrationReport } from './api/machine.ts';
import {
  type CheckedPlan,
  checkPlan,
  decideMigration,
  MigrationTally,
} from './decide/migration.ts';
import { unknownMachine } from './decide/refusals.ts';
import { Target } from './decide/target.ts';
import { OneTicket } from './decide/tickets.ts';
import { LIMITS } from './limits.ts';
import type { Pipeline } from './pipeline.ts';
import { asRefusal } from './write-options.ts';

/** Instances migrated between two looks at the clock. */
const LOOK_EVERY = 4;
/** Rows looked at between two of them. */
const ROWS_AT_ONCE = 4096;

interface Run {
  readonly plan: CheckedPlan;
  readonly tally: MigrationTally;
  /** First handle not looked at yet; instances with `end` and above were created after the start. */
  next: number;
  readonly end: number;
  sliceEnd: number;
}

export class Migrations {
  private readonly pipeline: Pipeline;
  private readonly thread: Thread;
  private readonly target: Target;
  private readonly body = new ByteWriter(1024);

  constructor(pipeline: Pipeline, thread: Thread) {
    this.pipeline = pipeline;
    this.thread = thread;
    this.target = new Target(pipeline.state, pipeline.overlay);
  }

  async run(input: MigrationPlan): Promise<MigrationReport> {
    const { answers, state } = this.pipeline;
    let run: Run;
    try {
      this.pipeline.records.admit();
      const plan = this.read(input);
      this.versions(plan);
      const end = state.instances.free.fresh;
      run = { plan, tally: new MigrationTally(), next: 0, end, sliceEnd: 0 };
      for (; run.next < run.end; await this.turn()) await this.slice(run);
    } catch (error) {
      return answers.refuse(error, true);
    }
    return answers.give(answers.pendingOffset, false, () => run.tally.report);
  }

  /** @throws {StoreError} BAD_REQUEST */
  private read(input: MigrationPlan): CheckedPlan {
    const { records } = this.pipeline;
    records.startReading();
    try {
      return checkPlan(input);
    } catch (error) {
      throw asRefusal(error, 'plan');
    } finally {
      records.endReading();
    }
  }

  /** Asked again for every slice: versions may be removed meanwhile. @throws {StoreError} MACHINE_NOT_FOUND */
  private versions(plan: CheckedPlan): { readonly from: Definition; readonly to: Definition } {
    const { machines } = this.pipeline.state;
    const [from, to] = [plan.fromVersion, plan.toVersion].map((version): Definition => {
      const found = machines.find(plan.machine, version);
      if (found === undefined || !found.isOffered) throw unknownMachine(plan.machine, version);
      return found;
    });
    return { from: from as Definition, to: to as Definition };
  }

  private turn(): Promise<void> {
    return new Promise((resolve) => this.thread.nextTurn(resolve));
  }

  /** As many instances as fit into one commit and one slice of the thread; resolves when that may be shown. */
  private slice(run: Run): Promise<void> {
    const { pipeline } = this;
    const { records } = pipeline;
    records.admit();
    records.readClock();
    const { from, to } = this.versions(run.plan);
    run.sliceEnd = this.thread.monotonicMs() + LIMITS.sliceMs;
    if (run.plan.isDryRun) {
      this.walk(run, from, to);
      return this.settled();
    }
    if (!this.findNext(run, from)) return this.settled();
    try {
      records.openGroup();
    } catch (error) {
      if (!isStoreError(error, 'RATE_LIMITED')) throw error;
      // Those who wait are let through first.
      return this.settled();
    }
    try {
      this.walk(run, from, to);
    } catch (error) {
      records.abortGroup();
      throw error;
    }
    const ticket = new OneTicket<void>(pipeline, { make: () => undefined }, false);
    return records.commitGroup(ticket, false) ? ticket.promise : this.settled();
  }

  /** What was found so far may rest on records that are still on their way; should they fail, so does the run. */
  private settled(): Promise<void> {
    const { answers } = this.pipeline;
    return answers.give(answers.pendingOffset, false, () => undefined);
  }

  private walk(run: Run, from: Definition, to: Definition): void {
    const { body, target } = this;
    let bytes = 0;
    for (let count = 0; count < LIMITS.migrationCommitRecords; count++) {
      if (!this.findNext(run, from)) return;
      const handle = run.next++;
      target.load(handle);
      const id = this.idOf(handle);
      body.position = 0;
      const decided = this.decide(run.plan, id, to);
      const failure = typeof decided === 'string' ? decided : this.log(run, to, decided);
      if (failure !== undefined) run.tally.addFailure(id, failure);
      else run.tally.addMigrated(to.compiled.states[decided as number] as string);
      bytes += body.position;
      body.trim(MiB);
      if (bytes > LIMITS.migrationCommitBytes) return;
      if (count % LOOK_EVERY === LOOK_EVERY - 1 && this.isOver(run)) return;
    }
  }

  /** Moves `run.next` to the next instance of the version; false when there is none, or the slice is over. */
  private findNext(run: Run, from: Definition): boolean {
    for (; run.next < run.end; run.next++) {
      if (this.isOf(from, run.next)) return true;
      if (run.next % ROWS_AT_ONCE === 0 && this.isOver(run)) {
        run.next++;
        return false;
      }
    }
    return false;
  }

  private isOver(run: Run): boolean {
    return this.thread.monotonicMs() > run.sliceEnd;
  }

  /** Is it an instance of this version, as the commands so far leave it? */
  private isOf(definition: Definition, handle: number): boolean {
    const { state, overlay } = this.pipeline;
    const pending = overlay.size === 0 ? undefined : overlay.pendingAt(handle);
    if (pending !== undefined) return pending.definition === definition && !pending.isDeleted;
    const { instances } = state;
    if (!instances.isLive(handle) || instances.definition(handle) !== definition.index)
      return false;
    return (instances.flags(handle) & ROW_FLAG.deleted) === 0;
  }

  private idOf(handle: number): string {
    const { pending } = this.target;
    return pending?.isNew === true ? pending.id : this.pipeline.state.instances.idText(handle);
  }

  /** The number of the new state, or why there is none. */
  private decide(plan: CheckedPlan, id: string, to: Definition): number | string {
    const { records } = this.pipeline;
    records.startReading();
    try {
      return decideMigration(this.target, id, to, plan.map, this.body);
    } finally {
      records.endReading();
    }
  }

  /** Logs it and lays it over the state, unless this is a dry run. Gives why that failed, if it did. */
  private log(run: Run, to: Definition, state: number): string | undefined {
    if (run.plan.isDryRun) return undefined;
    const { body, pipeline, target } = this;
    const { notes, records, overlay } = pipeline;
    const { handle, definition } = target;
    // Stored times never decrease within an instance.
    const at = Math.max(records.now, target.updatedAt);
    notes.clear();
    notes.at = at === records.now ? undefined : at;
    encodeMigrate(records.open(), records.time, handle, to.index, state, notes, body);
    let offset: number;
    try {
      offset = records.close(undefined, false);
    } catch (error) {
      if (isStoreError(error, 'RECORD_TOO_LARGE')) return error.message;
      throw error;
    }
    const pending = overlay.touch(handle, definition);
    pending.definition = to;
    pending.state = state;
    pending.offset = offset;
    pending.updatedAt = at;
    overlay.setContext(pending, body);
    return undefined;
  }
}
