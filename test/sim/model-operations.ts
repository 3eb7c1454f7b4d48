/**
 * One operation in the reference model: refused, answered by the first result of its key, or what it
 * does, in the order in which a caller may count on it (D-14).
 */
import {
  type Answer,
  type ApplyOperation,
  type Command,
  type CreateOperation,
  type Fields,
  type Operation,
  textOf,
} from './commands.ts';
import type { Cutoffs, Retention } from './model-retention.ts';
import type { ModelState, Registered, Remembered, Row } from './model-state.ts';

/** What a command meets besides the state. */
export interface Circumstances {
  /** The clock. */
  readonly now: number;
  /** Records up to here are applied. */
  readonly applied: number;
  /** For instances that are created without an id. */
  readonly ids: readonly string[];
  /** Ids of all instances in the order of their handles, where that counts. */
  readonly order?: readonly string[];
}

export interface Prediction {
  readonly answer: Answer;
  /** The answer is given only when records up to here are safe. */
  readonly restsOn: number;
  /** Of each operation of a transaction, as its callback sees it. */
  readonly steps?: readonly Answer[];
}

/** First results with a larger context are kept without it; here they are far from that limit. */
const LONG_TEXT = 3500;

/** Does it, and gives the answer. */
export type Effect = (work: ModelState) => Answer;
/** Asks for a purge before what is being decided. */
export type Needs = (cutoffs: Cutoffs) => void;
/** One call: its options, and the ids it takes. */
export interface Call extends Circumstances {
  readonly at: number | undefined;
  nextId: number;
}

export class OperationModel {
  private readonly retention: Retention;
  private readonly mismatch: 'conflict' | 'first';

  constructor(retention: Retention, mismatch: 'conflict' | 'first') {
    this.retention = retention;
    this.mismatch = mismatch;
  }

  /** A refusal or a first result, or what is to be done. */
  decide(operation: Operation, state: ModelState, call: Call, needs: Needs): Prediction | Effect {
    if (operation.isBad === true) return refused('BAD_REQUEST', 0);
    if (operation.op === 'create' && operation.id === undefined) call.nextId++;
    if (operation.op !== 'create') {
      const row = this.found(state, operation.id, call.applied);
      if (row === undefined) return refused('INSTANCE_NOT_FOUND', 0, { deleted: false });
      if (row.deleted && operation.op === 'apply')
        return refused('INSTANCE_NOT_FOUND', row.offset, { deleted: true });
    }
    const scoped = scopeOf(operation);
    const fingerprint = argumentsOf(operation);
    if (scoped !== undefined) {
      const first = this.replay(scoped, fingerprint, state, call, needs);
      if (first !== undefined) return first;
    }
    const effect = this.decideNew(operation, state, call, needs);
    if (typeof effect !== 'function' || scoped === undefined) return effect;
    return (work) => {
      const answer = effect(work) as Fields;
      const kept = { ...answer, applied: false, ...(isLong(answer) && { context: 'dropped' }) };
      const { offset } = work;
      const by: Command = { kind: 'one', operation };
      const time = keyTime(work, call);
      work.keys.set(scoped, { fingerprint, answer: kept, offset, time, by });
      return answer;
    };
  }

  /** The first result of a key, unless it is past its time. */
  replay(
    scoped: string,
    fingerprint: string,
    state: ModelState,
    call: Call,
    needs: Needs,
  ): Prediction | undefined {
    const first: Remembered | undefined = state.keys.get(scoped);
    if (first === undefined) return undefined;
    if (first.offset <= call.applied && this.retention.isKeyOver(first, call.now)) {
      needs([first.offset, 0]);
      return undefined;
    }
    if (first.fingerprint === fingerprint || this.mismatch === 'first')
      return { answer: first.answer, restsOn: first.offset };
    return refused('CONFLICT', first.offset, { reason: 'idempotency-key', offset: first.offset });
  }

  /** Deleted ones too; also one whose purge nobody has seen yet. */
  private found(state: ModelState, id: string, applied: number): Row | undefined {
    const gone = state.gone.get(id);
    return (
      state.instances.get(id) ??
      (gone !== undefined && gone.purgedBy > applied ? gone.row : undefined)
    );
  }

  private decideNew(
    operation: Operation,
    state: ModelState,
    call: Call,
    needs: Needs,
  ): Prediction | Effect {
    if (operation.op === 'create') return this.decideCreate(operation, state, call, needs);
    const row = this.found(state, operation.id, call.applied) as Row;
    if (operation.op === 'apply') return this.decideApply(operation, row, state, call);
    const { id, offset } = row;
    if (row.deleted) return { answer: { id, offset, applied: false }, restsOn: offset };
    return (work) => {
      const gone = { ...row, offset: ++work.offset, deleted: true };
      work.instances.set(id, { ...gone, updatedAt: timeOf(call, row) });
      this.retention.noteDeletion(work, id, call.now);
      return { id, offset: gone.offset, applied: true };
    };
  }

  private decideCreate(
    operation: CreateOperation,
    state: ModelState,
    call: Call,
    needs: Needs,
  ): Prediction | Effect {
    const { machine, version, context } = operation;
    const id = operation.id ?? call.ids[call.nextId - 1] ?? 'none was drawn';
    const taken = state.instances.get(id);
    if (taken !== undefined) {
      const isOver = taken.offset <= call.applied && this.retention.isOver(state, taken, call);
      if (!taken.deleted || !isOver)
        return refused('INSTANCE_EXISTS', taken.offset, { deleted: taken.deleted });
      needs([0, taken.offset]);
    }
    const offered = state.offered(machine);
    const chosen: Registered | undefined =
      version === undefined
        ? offered.at(-1)
        : offered.find((one) => one.definition.version === version);
    if (chosen === undefined) return refused('MACHINE_NOT_FOUND', 0, { machine, version });
    const { definition } = chosen;
    return (work) => {
      const at = call.at ?? call.now;
      const row: Row = {
        id,
        machine,
        version: definition.version,
        state: definition.initial,
        context: { ...context },
        createdAt: at,
        updatedAt: at,
        offset: ++work.offset,
        deleted: false,
      };
      work.instances.set(id, row);
      return { ...row, applied: true };
    };
  }

  private decideApply(
    operation: ApplyOperation,
    row: Row,
    state: ModelState,
    call: Call,
  ): Prediction | Effect {
    const { id, event, payload, expectedOffset, expectedState, eventId } = operation;
    const { machine, version, state: from, context } = row;
    if (expectedOffset !== undefined && expectedOffset !== row.offset)
      return refused('CONFLICT', row.offset, { reason: 'offset', actual: row.offset });
    if (expectedState !== undefined && expectedState !== from)
      return refused('CONFLICT', row.offset, { reason: 'state', actual: from });
    const registered = state.machines.get(machine)?.versions.get(version);
    const { definition } = registered as Registered;
    const possible = definition.transitions.filter(
      (one) => one.from.includes(from) && one.event === event,
    );
    if (possible.length === 0) return refused('INVALID_TRANSITION', row.offset, { state: from });
    const chosen = possible.find(({ guard }) => guard === undefined || GUARDS[guard](context));
    if (chosen === undefined) return refused('GUARD_FAILED', row.offset, { state: from });
    return (work) => {
      const at = timeOf(call, row);
      const next = {
        ...row,
        state: chosen.to,
        context: { ...context, ...payload },
        updatedAt: at,
        offset: ++work.offset,
        ...(eventId !== undefined && { lastEventId: eventId }),
      };
      work.instances.set(id, next);
      const facts = { id, machine, version, event, from, to: chosen.to, at, eventId };
      return { ...facts, context: next.context, offset: next.offset, applied: true };
    };
  }
}

const GUARDS = {
  'ctx.locked != true': (context: Fields): boolean => context['locked'] !== true,
  'ctx.n >= 3': (context: Fields): boolean => typeof context['n'] === 'number' && context['n'] >= 3,
} as const;

function refused(code: string, restsOn: number, details: Fields = {}): Prediction {
  return { answer: { code, ...details }, restsOn };
}

export function hasCode(answer: Answer): answer is { readonly code: string } {
  return typeof answer === 'object' && answer !== null && 'code' in answer;
}

function timeOf(call: Call, row: Row): number {
  return Math.max(call.at ?? call.now, row.updatedAt);
}

/** A clock that went back makes no key older than those before it. */
export function keyTime(work: ModelState, { now }: Call): number {
  return Math.max(now, [...work.keys.values()].at(-1)?.time ?? now);
}

export function isLong(answer: Fields): boolean {
  return textOf(answer['context']).length > LONG_TEXT;
}

function scopeOf(operation: Operation): string | undefined {
  const { op, key } = operation;
  if (key === undefined) return undefined;
  return `${op}|${op === 'create' ? operation.machine : operation.id}|${key}`;
}

function argumentsOf(operation: Operation): string {
  if (operation.op === 'create')
    return textOf([operation.id ?? null, operation.version ?? null, operation.context]);
  return operation.op === 'apply' ? textOf([operation.event, operation.payload]) : '';
}
