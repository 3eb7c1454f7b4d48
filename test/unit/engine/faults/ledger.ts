/**
 * What callers were told, and what may therefore be found: in memory, by the next process, after a
 * power cut.
 */
import { isStoreError, type StoreError } from 'pawl';
import type { Command } from './commands.ts';
import type { DoorModel } from './door-model.ts';

/** Bounds of the commits that must and may be there, and what each number of them looks like. */
export interface Expected {
  readonly min: number;
  readonly max: number;
  readonly models: readonly DoorModel[];
}

export class Ledger {
  /** Told that the log has stopped: everything is refused until it is opened again. */
  isStopped = false;
  /** Commands that were refused before anything of them was written. */
  refused = 0;
  acked = 0;
  unknown = 0;
  private hadStopped = false;
  /** What was found at the opening, then the same after each commit that may be in the log, in its order. */
  private models: DoorModel[];
  /** So many commits up to the last one that was acknowledged. */
  private ackedCount = 0;
  /** So many survive a power cut. */
  private durable = 0;
  private readonly isAlways: boolean;

  constructor(base: DoorModel, isAlways: boolean) {
    this.models = [base];
    this.isAlways = isAlways;
  }

  /** What callers were told of commands that were sent together, in the order in which they were sent. */
  settled(commands: readonly Command[], results: readonly PromiseSettledResult<boolean>[]): void {
    this.hadStopped = this.isStopped;
    for (const [i, result] of results.entries()) {
      const command = commands[i] as Command;
      if (result.status === 'fulfilled') this.done(command, result.value);
      else this.failed(command, result.reason as unknown);
    }
  }

  private done(command: Command, isApplied: boolean): void {
    // Below 'always' one that waits for its sync may fail behind others that do not.
    if (this.isAlways ? this.isStopped : this.hadStopped)
      throw new Error('acknowledged after the log had stopped');
    const next = this.latest.copy();
    const decision = next.perform(command);
    const expected = isApplied ? ['done'] : ['nothing', 'replayed'];
    if (!expected.includes(decision))
      throw new Error(`answered as ${isApplied ? 'done' : 'seen before'}, to be ${decision}`);
    if (!isApplied) return;
    this.acked++;
    this.models.push(next);
    this.ackedCount = this.models.length - 1;
    if (this.isAlways || command.durable === true) this.durable = this.ackedCount;
  }

  private failed(command: Command, error: unknown): void {
    if (!isStoreError(error)) throw new Error(`no StoreError: ${String(error)}`, { cause: error });
    if (error.code !== 'WAL_IO_ERROR') return this.refusedByRule(command, error);
    const details = error.details as { outcome?: unknown; reopen?: unknown };
    if (error.retryable !== (details.outcome === 'not-done'))
      throw new Error(`retryable: ${error.retryable}, outcome: ${String(details.outcome)}`);
    if (details.outcome === 'unknown') {
      this.unknown++;
      const next = this.latest.copy();
      next.perform(command);
      this.models.push(next);
    } else if (details.outcome === 'not-done') this.refused++;
    else throw new Error(`WAL_IO_ERROR without an outcome: ${error.message}`);
    if (details.outcome === 'unknown' && details.reopen !== undefined)
      throw new Error('reopen on what was on its way');
    const tellsStop = details.outcome === 'unknown' || details.reopen === true;
    if (this.hadStopped && !tellsStop)
      throw new Error('the log has stopped, and this does not say so');
    this.isStopped ||= tellsStop;
  }

  private refusedByRule(command: Command, error: StoreError): void {
    const model = this.latest.copy();
    const decision = model.perform(command);
    if (decision !== 'refused' || model.refusal !== error.code)
      throw new Error(`refused with ${error.code}, to be ${decision}`, { cause: error });
  }

  /** flush() or close() succeeded: all that was acknowledged before is safe. */
  flushed(): void {
    this.durable = this.models.length - 1;
  }

  /** flush() failed: as a command that has nothing of its own in the log. */
  notFlushed(error: unknown): void {
    const { outcome, reopen } = (error as StoreError).details as Record<string, unknown>;
    const tellsStop = outcome === 'unknown' || reopen === true;
    if (this.isStopped && !tellsStop)
      throw new Error('flush does not say that the log has stopped');
    this.isStopped ||= tellsStop;
  }

  private get latest(): DoorModel {
    return this.models.at(-1) as DoorModel;
  }

  /** What memory shows while the store is open: below 'always' also what waits for its sync. */
  get inMemory(): Expected {
    return this.expected(this.ackedCount, this.isAlways ? this.ackedCount : undefined);
  }
  get afterKill(): Expected {
    return this.expected(this.ackedCount);
  }
  get afterCut(): Expected {
    return this.expected(this.durable);
  }

  private expected(min: number, max: number = this.models.length - 1): Expected {
    return { min, max, models: [...this.models] };
  }

  /** A new process found this: nobody is left who does not know. */
  reopened(found: DoorModel): void {
    this.models = [found];
    this.ackedCount = 0;
    this.durable = 0;
    this.isStopped = false;
  }
}

/** Which of the states that may be there it is. Throws when it is none of them. */
export function findState({ min, max, models }: Expected, view: string): DoorModel {
  const allowed = models.slice(min, max + 1);
  const found = allowed.find((model) => model.view === view);
  if (found !== undefined) return found;
  const texts = allowed.map((model) => model.view).join('\n  ');
  throw new Error(`found\n  ${view}\nto be one of\n  ${texts}`);
}
