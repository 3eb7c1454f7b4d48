/**
 * The store as it would be if each command ran to its end before the next: predicts the exact
 * answer of every command in the order of the calls, and keeps the state behind every commit. Plain
 * and slow on purpose; shares no code with the engine.
 *
 * Sequential, and yet exact for commands sent at once: the engine decides each over all that wait.
 * Only purges look at what has been applied, which the caller says (`applied`).
 */
import {
  type Answer,
  type Command,
  type Fields,
  type MigrateCommand,
  type Operation,
  textOf,
  THROWN,
} from './commands.ts';
import { putMachine, removeMachine } from './model-machines.ts';
import { decideMigration, type Migration } from './model-migration.ts';
import { type Cutoffs, Retention } from './model-retention.ts';
import {
  type Call,
  type Circumstances,
  type Effect,
  hasCode,
  isLong,
  keyTime,
  type Needs,
  OperationModel,
  type Prediction,
} from './model-operations.ts';
import { ModelState } from './model-state.ts';

export interface ModelOptions {
  readonly keyRetentionMs: number;
  readonly deletedRetentionMs: number;
  readonly mismatch: 'conflict' | 'first';
  readonly maxVersions: number;
}

export class ReferenceModel {
  state: ModelState = new ModelState();
  /** The state behind every commit, by the offset of its last record. */
  readonly history: Map<number, ModelState> = new Map([[0, this.state]]);
  readonly options: ModelOptions;
  private readonly retention: Retention;
  private readonly operations: OperationModel;

  constructor(options: ModelOptions) {
    this.options = options;
    this.retention = new Retention(options);
    this.operations = new OperationModel(this.retention, options.mismatch);
  }

  get offset(): number {
    return this.state.offset;
  }

  /** What came behind `offset` never was. Throws when no commit ends there. */
  rollBack(offset: number): void {
    const found = this.history.get(offset);
    if (found === undefined) throw new Error(`no commit ends with record ${offset}`);
    for (const later of this.history.keys()) if (later > offset) this.history.delete(later);
    this.state = found;
  }

  /** The end of the commit before the one that ends with record `offset`. */
  commitBefore(offset: number): number {
    return Math.max(0, ...[...this.history.keys()].filter((end) => end < offset));
  }

  run(command: Command, circumstances: Circumstances): Prediction {
    const call = { ...circumstances, at: command.at, nextId: 0 };
    switch (command.kind) {
      case 'one':
        return this.single(command.operation, call);
      case 'batch':
      case 'transaction':
        return this.group(command, call);
      case 'migrate':
        return this.migrate(command, call);
      default:
        return this.register(command, call);
    }
  }

  private migrate(command: MigrateCommand, call: Call): Prediction {
    const decided = decideMigration(command, this.state, call.order ?? [], call.now);
    if (!isMigration(decided)) return { answer: decided, restsOn: this.offset };
    if (decided.hasAny) this.purge(call, []);
    return this.commit(decided.effect, call);
  }

  private register(command: Extract<Command, { kind: 'put' | 'remove' }>, call: Call): Prediction {
    const decided =
      command.kind === 'put'
        ? putMachine(this.state, command.definition, this.options.maxVersions)
        : removeMachine(this.state, command.name, command.version);
    if (typeof decided !== 'function') return { answer: decided, restsOn: this.offset };
    this.purge(call, []);
    return this.commit(decided, call);
  }

  private single(operation: Operation, call: Call): Prediction {
    const needed: Cutoffs[] = [];
    const decided = this.operations.decide(operation, this.state, call, (one) => needed.push(one));
    if (typeof decided !== 'function') return decided;
    this.purge(call, needed);
    return this.commit(decided, call);
  }

  /** What the command needs gone, and what is due: commits of their own before it. */
  private purge(call: Call, needed: readonly Cutoffs[]): void {
    for (const one of needed) this.commit((work) => this.purged(work, one), call);
    const due = this.retention.due(this.state, call);
    if (due !== undefined) this.commit((work) => this.purged(work, due), call);
  }

  private purged(work: ModelState, cutoffs: Cutoffs): Answer {
    this.retention.purge(work, cutoffs);
    return undefined;
  }

  private commit(effect: Effect, call: Call): Prediction {
    const work = new ModelState(this.state);
    const answer = effect(work);
    this.committed(work, call);
    return { answer, restsOn: this.offset };
  }

  // ---- groups ----------------------------------------------------------------------------------

  private group(
    command: Extract<Command, { kind: 'batch' | 'transaction' }>,
    call: Call,
  ): Prediction {
    const isBatch = command.kind === 'batch';
    const before = this.offset;
    const malformed = isBatch ? malformedIn(command) : -1;
    if (malformed >= 0) return { answer: { code: 'BAD_REQUEST', index: malformed }, restsOn: 0 };
    const needed: Cutoffs[] = [];
    const scoped = command.key === undefined ? undefined : `${command.kind}||${command.key}`;
    const fingerprint = isBatch ? fingerprintOf(command) : '';
    if (scoped !== undefined) {
      const first = this.operations.replay(scoped, fingerprint, this.state, call, (one) =>
        needed.push(one),
      );
      if (first !== undefined) return first;
    }
    this.purge(call, needed);
    const steps: Answer[] = [];
    const work = new ModelState(this.state);
    const failure = this.perform(command, work, call, steps);
    if (failure !== undefined) return { answer: failure, restsOn: before, steps };
    const committed = { offset: work.offset + (scoped === undefined ? 0 : 1), applied: true };
    const answer = isBatch ? steps : { value: command.value, ...committed };
    if (scoped !== undefined) {
      const offset = ++work.offset;
      const replayed = isBatch
        ? steps.map((one) => asReplayedIn(one, command.isBestEffort))
        : { value: command.value, ...committed, applied: false };
      const time = keyTime(work, call);
      work.keys.set(scoped, { fingerprint, answer: replayed, offset, time, by: command });
    }
    this.committed(work, call);
    return { answer, restsOn: this.offset, steps };
  }

  private committed(work: ModelState, { now }: Call): void {
    if (work.offset === this.offset) return;
    work.committed(now);
    this.state = work;
    this.history.set(work.offset, work);
  }

  /** Each operation on `work`; gives what the whole group fails with. */
  private perform(
    command: Extract<Command, { kind: 'batch' | 'transaction' }>,
    work: ModelState,
    call: Call,
    steps: Answer[],
  ): Answer | undefined {
    for (const [index, operation] of command.operations.entries()) {
      const needs: Needs = (one) => this.retention.purge(work, one);
      const decided = this.operations.decide(operation, work, call, needs);
      const answer = typeof decided === 'function' ? decided(work) : decided.answer;
      const isRefused = hasCode(answer);
      if (command.kind === 'batch' && command.isBestEffort)
        steps.push(isRefused ? { ok: false, error: answer } : { ok: true, value: answer });
      else if (command.kind === 'batch' && isRefused) return { ...(answer as Fields), index };
      else if (isRefused) {
        steps.push({ ...answer, index });
        if (command.kind === 'transaction' && !command.isForgiving) return { ...answer, index };
      } else steps.push(answer);
    }
    return command.kind === 'transaction' && command.throws ? THROWN : undefined;
  }
}

function isMigration(decided: Answer | Migration): decided is Migration {
  return typeof decided === 'object' && decided !== null && 'effect' in decided;
}

/** Of a batch with a key: an operation that has one too, or whose value no fingerprint can be taken of. */
function malformedIn(command: Extract<Command, { kind: 'batch' }>): number {
  if (command.key === undefined) return -1;
  const doubled = command.operations.findIndex((one) => one.key !== undefined);
  if (doubled >= 0 || command.isBestEffort) return doubled;
  return command.operations.findIndex((one) => one.isBad === true && one.op !== 'delete');
}

/** What the arguments of a batch are told apart by: a value that is none counts as null. */
function fingerprintOf(command: Extract<Command, { kind: 'batch' }>): string {
  const operations = command.operations.map((one) =>
    one.isBad === true ? { ...one, payload: null, context: null } : one,
  );
  return textOf([command.isBestEffort, operations]);
}

function asReplayedIn(one: Answer, isBestEffort: boolean): Answer {
  if (hasCode(one)) return one;
  const result = one as { ok?: boolean; value?: Fields };
  if (!isBestEffort) return asReplayed(one as Fields);
  return result.ok === true ? { ok: true, value: asReplayed(result.value as Fields) } : one;
}

function asReplayed(answer: Fields): Fields {
  return { ...answer, applied: false, ...(isLong(answer) && { context: 'dropped' }) };
}
