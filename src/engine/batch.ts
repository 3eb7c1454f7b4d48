/**
 * Batches: many operations, one commit. Atomic: all or none, the error names the operation that
 * failed. Best effort: each stands alone, and what succeeds is still one commit.
 */
import { ByteWriter } from '../base/bytes.ts';
import {
  type AnyStoreError,
  badRequest,
  type ErrorCode,
  isStoreError,
  StoreError,
} from '../base/errors.ts';
import { KEY_SCOPE } from '../instance/idempotency-store.ts';
import { fingerprint } from '../value/fingerprint.ts';
import { writeValue } from '../value/write-value.ts';
import type { ApplyOptions, Created, Deleted, Transition, WriteOptions } from './api/instance.ts';
import type { BatchMode, BatchOperation, Settled } from './api/transaction.ts';
import type { Commands } from './decide/commands.ts';
import { notFound } from './decide/refusals.ts';
import type { CreatedMaker, DeletedMaker, Maker, TransitionMaker } from './decide/tickets.ts';
import type { Outcome } from './outcome.ts';
import type { Pipeline } from './pipeline.ts';
import { type Deferred, deferred, type Ticket } from './ticket.ts';
import { annotate, checkName, describe, withSignal } from './write-options.ts';

type Result = Created | Transition | Deleted;
/** What an operation left: a result to be made when its record is applied, one that is there, or a refusal. */
type Slot =
  | { readonly maker: ResultMaker }
  | { readonly ready: Promise<Result> }
  | { readonly value: Deleted }
  | { readonly error: AnyStoreError };
type ResultMaker = TransitionMaker | CreatedMaker | DeletedMaker;
type BatchOptions = WriteOptions & { mode?: BatchMode | undefined };

export class Batches {
  private readonly pipeline: Pipeline;
  private readonly commands: Commands;
  private readonly outcome: Outcome;

  constructor(pipeline: Pipeline, commands: Commands, outcome: Outcome) {
    this.pipeline = pipeline;
    this.commands = commands;
    this.outcome = outcome;
  }

  async run(
    operations: readonly BatchOperation[],
    options: BatchOptions | undefined,
  ): Promise<unknown[]> {
    const { pipeline } = this;
    const prints = new Uint32Array(2);
    let isBestEffort = false;
    try {
      pipeline.notes.clear();
      pipeline.admit();
      if (pipeline.isInGroup)
        throw badRequest('a batch cannot start inside a transaction', 'operations');
      isBestEffort = checkMode(options?.mode);
      checkOperations(operations, options);
      pipeline.readClock();
      annotate(pipeline.notes, options, undefined);
      const { key } = pipeline.notes;
      if (key !== undefined) {
        takeFingerprint(operations, isBestEffort, prints);
        pipeline.notes.fingerprint.set(prints);
        const first = this.commands.replay.find(KEY_SCOPE.batch, '', (one) =>
          revive(this.commands.replay.value(one)),
        );
        if (first !== undefined) return await withSignal(first, options?.signal);
      }
      if (operations.some((one) => one.idempotencyKey !== undefined))
        this.commands.replay.purgeExpired();
      pipeline.openGroup();
    } catch (error) {
      return pipeline.refuse(
        error,
        pipeline.notes.key !== undefined && this.commands.replay.isPending,
      );
    }
    return withSignal(this.runGroup(operations, options, isBestEffort, prints), options?.signal);
  }

  private runGroup(
    operations: readonly BatchOperation[],
    options: BatchOptions | undefined,
    isBestEffort: boolean,
    prints: Uint32Array,
  ): Promise<unknown[]> {
    const { pipeline } = this;
    const slots: Slot[] = [];
    const stored: StoredResult[] = [];
    try {
      for (const [index, operation] of operations.entries()) {
        try {
          slots.push(this.perform(operation, options));
        } catch (error) {
          if (!isBestEffort || !isStoreError(error)) throw atIndex(error, index);
          slots.push({ error });
        }
        if (options?.idempotencyKey !== undefined)
          stored.push(this.stored(operation, slots.at(-1) as Slot));
      }
      const key = options?.idempotencyKey;
      if (key !== undefined)
        this.outcome.log(KEY_SCOPE.batch, key, { isBestEffort, results: stored }, prints);
    } catch (error) {
      pipeline.abortGroup();
      return pipeline.refuse(error, true);
    }
    const mustSync = options?.durable === true;
    const ticket = new BatchTicket(pipeline, slots, mustSync);
    const finish = async (): Promise<unknown[]> =>
      settle(slots, await ticket.promise, isBestEffort);
    if (pipeline.commitGroup(ticket, mustSync)) return finish();
    pipeline.afterPending(
      () => ticket.settle(),
      (error) => ticket.fail(error),
    );
    return finish();
  }

  private perform(operation: BatchOperation, options: WriteOptions | undefined): Slot {
    const own = {
      actor: options?.actor,
      reason: options?.reason,
      correlationId: options?.correlationId,
      at: options?.at,
      idempotencyKey: operation.idempotencyKey,
    };
    switch (operation.op) {
      case 'create':
        return this.create(operation, own);
      case 'apply':
        return this.apply(operation, {
          ...own,
          expectedState: operation.expectedState,
          expectedOffset: operation.expectedOffset,
          eventId: operation.eventId,
        });
      case 'delete':
        return this.delete(operation, own);
      default:
        throw unknownOperation((operation as { op: unknown }).op);
    }
  }

  private create(operation: Extract<BatchOperation, { op: 'create' }>, own: WriteOptions): Slot {
    const { commands, pipeline } = this;
    const { machine, version, id: wanted, context } = operation;
    const id = commands.prepareCreate({ machine, version, id: wanted, context, ...own });
    if (pipeline.notes.key !== undefined) {
      const first = commands.replay.find<Result>(KEY_SCOPE.create, machine, (one) =>
        commands.replay.created(one),
      );
      if (first !== undefined) return { ready: first };
    }
    const definition = commands.decideCreate(id, machine, version);
    return this.kept((keep) => commands.logCreate(id, definition, keep, false));
  }

  private apply(operation: Extract<BatchOperation, { op: 'apply' }>, own: ApplyOptions): Slot {
    const { commands, pipeline } = this;
    const { id, event, payload } = operation;
    commands.prepareEvent(event, payload, own);
    this.locate(id, false);
    if (pipeline.notes.key !== undefined) {
      const first = commands.replay.find<Result>(KEY_SCOPE.apply, id, (one) =>
        commands.replay.transition(one),
      );
      if (first !== undefined) return { ready: first };
    }
    const transition = commands.decideEvent(id, event, own);
    return this.kept((keep) => commands.logEvent(id, transition, keep, false));
  }

  private delete(operation: Extract<BatchOperation, { op: 'delete' }>, own: WriteOptions): Slot {
    const { commands, pipeline } = this;
    const { id } = operation;
    commands.prepareDelete(own);
    this.locate(id, true);
    if (pipeline.notes.key !== undefined) {
      const first = commands.replay.find<Result>(KEY_SCOPE.delete, id, (one) =>
        commands.replay.deleted(one),
      );
      if (first !== undefined) return { ready: first };
    }
    if (commands.target.isDeleted)
      return { value: { id, offset: commands.target.offset, applied: false } };
    return this.kept((keep) => commands.logDelete(id, keep, false));
  }

  private locate(id: string, deletedToo: boolean): void {
    const { target } = this.commands;
    checkName(id, 'id');
    if (!target.find(id)) throw notFound(id, false);
    if (target.isDeleted && !deletedToo) throw notFound(id, true);
  }

  /** Logs, and keeps the maker of the result instead of a ticket: the batch has one ticket for all. */
  private kept(log: (keep: (maker: Maker<Result>) => undefined) => number): Slot {
    let kept: Maker<Result> | undefined;
    log((maker) => {
      kept = maker;
    });
    return { maker: kept as unknown as ResultMaker };
  }

  /** What a replay of this batch answers: the results as plain data. */
  private stored(operation: BatchOperation, slot: Slot): StoredResult {
    if ('error' in slot)
      return { code: slot.error.code, message: slot.error.message, details: slot.error.details };
    if ('value' in slot) return { value: slot.value };
    if (!('maker' in slot))
      throw new StoreError('INTERNAL_ERROR', 'a keyed batch holds no keyed operations', {
        details: { outcome: 'not-done' },
      });
    const { target } = this.commands;
    target.find(slot.maker.id);
    if (operation.op === 'delete') return { value: { id: slot.maker.id, offset: target.offset } };
    const { id, machine, version, context, offset, state, createdAt, updatedAt } = target.instance(
      slot.maker.id,
    );
    if (operation.op === 'create')
      return {
        value: {
          id,
          machine,
          version,
          state,
          context,
          createdAt,
          updatedAt,
          offset,
          deleted: false,
        },
      };
    const { transition } = slot.maker as TransitionMaker;
    const { event, eventId } = operation;
    const from = target.definition.compiled.states[
      target.definition.compiled.transitionFrom[transition] as number
    ] as string;
    const at = (slot.maker as TransitionMaker).at;
    return {
      value: {
        id,
        machine,
        version,
        event,
        from,
        to: state,
        context,
        at,
        offset,
        ...(eventId === undefined ? {} : { eventId }),
      },
    };
  }
}

/** A result as a key keeps it. */
type StoredResult =
  | { readonly value: object }
  | { readonly code: string; readonly message: string; readonly details: object };

/** The results of a batch whose key was seen before. */
function revive(stored: unknown): unknown[] {
  const { isBestEffort, results } = stored as { isBestEffort: boolean; results: StoredResult[] };
  return results.map((one) => {
    if ('code' in one)
      return {
        ok: false,
        error: new StoreError(one.code as ErrorCode, one.message, { details: one.details }),
      };
    const value = { ...one.value, applied: false };
    return isBestEffort ? { ok: true, value } : value;
  });
}

/** Makes each result when its record is applied, and answers when all may be shown. */
class BatchTicket implements Ticket {
  readonly mustSync: boolean;
  private readonly pipeline: Pipeline;
  private readonly makers: readonly Maker<Result>[];
  private readonly results: Result[] = [];
  private readonly deferred: Deferred<Result[]> = deferred();

  constructor(pipeline: Pipeline, slots: readonly Slot[], mustSync: boolean) {
    this.pipeline = pipeline;
    this.makers = slots.flatMap((slot) => ('maker' in slot ? [slot.maker] : []));
    this.mustSync = mustSync;
  }

  /** What the makers made, in their order. */
  get promise(): Promise<Result[]> {
    return this.deferred.promise;
  }

  applied(offset: number): void {
    // The record behind the last operation is the outcome of a keyed batch: nothing is made of it.
    const maker = this.makers[this.results.length];
    if (maker !== undefined) this.results.push(maker.make(this.pipeline.state, offset));
  }
  settle(): void {
    this.deferred.resolve(this.results);
  }
  fail(error: StoreError): void {
    this.deferred.reject(error);
  }
}

async function settle(
  slots: readonly Slot[],
  made: readonly Result[],
  isBestEffort: boolean,
): Promise<unknown[]> {
  const out: (Result | Settled<Result>)[] = [];
  let next = 0;
  for (const slot of slots) {
    if ('error' in slot) {
      out.push({ ok: false, error: slot.error });
      continue;
    }
    const value =
      'maker' in slot ? (made[next++] as Result) : 'ready' in slot ? await slot.ready : slot.value;
    out.push(isBestEffort ? { ok: true, value } : value);
  }
  return out;
}

/** Is it 'best_effort'? @throws {StoreError} BAD_REQUEST */
function checkMode(mode: unknown): boolean {
  if (mode === undefined || mode === 'atomic') return false;
  if (mode === 'best_effort') return true;
  throw badRequest(
    "mode must be 'atomic' or 'best_effort'",
    'options.mode',
    'atomic or best_effort',
  );
}

function checkOperations(
  operations: unknown,
  options: BatchOptions | undefined,
): asserts operations is readonly BatchOperation[] {
  if (!Array.isArray(operations))
    throw badRequest(
      `operations must be an array, not ${describe(operations)}`,
      'operations',
      'array',
    );
  for (const [index, operation] of operations.entries()) {
    const path = `operations[${index}]`;
    if (typeof operation !== 'object' || operation === null)
      throw badRequest(`${path} must be an object`, path, 'object');
    const { idempotencyKey } = operation as BatchOperation;
    if (options?.idempotencyKey !== undefined && idempotencyKey !== undefined) {
      throw badRequest(
        'the batch or its operations may have idempotency keys, not both',
        `${path}.idempotencyKey`,
      );
    }
  }
}

function unknownOperation(op: unknown): StoreError {
  if (op === 'set' || op === 'unset')
    return new StoreError('UNSUPPORTED', `operation ${op} is not supported yet`, {
      details: { path: 'op' },
    });
  return badRequest(
    `op must be 'create', 'apply' or 'delete', not ${describe(op)} ${String(op)}`,
    'op',
  );
}

function takeFingerprint(
  operations: readonly BatchOperation[],
  isBestEffort: boolean,
  into: Uint32Array,
): void {
  const all = new ByteWriter(1024);
  const plain = operations.map((operation) =>
    Object.fromEntries(Object.entries(operation).filter(([, value]) => value !== undefined)),
  );
  writeValue(all, [isBestEffort, plain], 'operations');
  fingerprint(all.bytes, 0, all.position, into);
}

/** The same error, saying which operation it is about. */
function atIndex(error: unknown, index: number): unknown {
  if (!isStoreError(error)) return error;
  return new StoreError(error.code, `operation ${index}: ${error.message}`, {
    details: error.details,
    cause: error.cause,
    index,
  });
}
