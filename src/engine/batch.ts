/**
 * Batches: many operations, one commit. Atomic: all or none, the error names the operation that
 * failed. Best effort: each stands alone, and what succeeds is still one commit.
 */
import { badRequest, isStoreError } from '../base/errors.ts';
import { KEY_SCOPE } from '../instance/idempotency-store.ts';
import type { ApplyOptions, WriteOptions } from './api/instance.ts';
import type { BatchOperation } from './api/transaction.ts';
import {
  atIndex,
  type BatchOptions,
  checkMode,
  checkOperations,
  takeFingerprint,
  unknownOperation,
} from './batch-input.ts';
import {
  BatchTicket,
  type Result,
  type ResultMaker,
  revive,
  settle,
  type Slot,
  type StoredResult,
  storedResult,
} from './batch-results.ts';
import type { Commands } from './decide/commands.ts';
import { notFound } from './decide/refusals.ts';
import type { Maker } from './decide/tickets.ts';
import type { Outcome } from './outcome.ts';
import type { Pipeline } from './pipeline.ts';
import { annotate, checkName, withSignal } from './write-options.ts';

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
      pipeline.records.admit();
      if (pipeline.records.isInGroup)
        throw badRequest('a batch cannot start inside a transaction', 'operations');
      isBestEffort = checkMode(options?.mode);
      checkOperations(operations, options);
      pipeline.records.readClock();
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
      pipeline.records.openGroup();
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
          stored.push(storedResult(this.commands.target, operation, slots.at(-1) as Slot));
      }
      const key = options?.idempotencyKey;
      if (key !== undefined)
        this.outcome.log(KEY_SCOPE.batch, key, { isBestEffort, results: stored }, prints);
    } catch (error) {
      pipeline.records.abortGroup();
      return pipeline.refuse(error, true);
    }
    const mustSync = options?.durable === true;
    const ticket = new BatchTicket(pipeline, slots, mustSync);
    const finish = async (): Promise<unknown[]> =>
      settle(slots, await ticket.promise, isBestEffort);
    if (pipeline.records.commitGroup(ticket, mustSync)) return finish();
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
    const id = commands.prepareCreate(machine, version, { id: wanted, context, ...own });
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
}
