/**
 * Batches: many operations, one commit. Atomic: all or none, the error names the operation that
 * failed. Best effort: each stands alone, and what succeeds is still one commit.
 */
import { isStoreError, type StoreError } from '../base/errors.ts';
import { KEY_SCOPE } from '../instance/scoped-key.ts';
import type { BatchOperation } from './api/transaction.ts';
import {
  type ApplyOperation,
  atIndex,
  type BatchOptions,
  type BatchPlan,
  checkMode,
  copyOperations,
  type CreateOperation,
  type DeleteOperation,
  takeFingerprint,
  unknownOperation,
} from './batch-input.ts';
import {
  BatchTicket,
  ignoreReplays,
  type Result,
  type ResultMaker,
  revive,
  type Slot,
  type StoredResult,
  storedResult,
} from './batch-results.ts';
import type { Commands } from './decide/commands.ts';
import type { Outcome } from './outcome.ts';
import type { Pipeline } from './pipeline.ts';
import { BATCH_OPTIONS, type Inherited, inheritedFrom } from './call.ts';
import { asRefusal, withSignal } from './write-options.ts';

export class Batches {
  private readonly pipeline: Pipeline;
  private readonly commands: Commands;
  private readonly outcome: Outcome;
  private lastMaker: ResultMaker | undefined;
  /** Keeps the maker of a result instead of giving its commit a ticket. */
  private readonly keep = (maker: ResultMaker): undefined => {
    this.lastMaker = maker;
  };

  constructor(pipeline: Pipeline, commands: Commands, outcome: Outcome) {
    this.pipeline = pipeline;
    this.commands = commands;
    this.outcome = outcome;
  }

  run(
    operations: readonly BatchOperation[],
    options: BatchOptions | undefined,
  ): Promise<unknown[]> {
    const { pipeline, commands } = this;
    const { records } = pipeline;
    let plan: BatchPlan;
    try {
      records.admit();
      records.readClock();
      plan = this.prepare(operations, options);
      if (plan.inherited.key !== undefined) {
        pipeline.notes.fingerprint.set(plan.fingerprint);
        const first = commands.replay.find(KEY_SCOPE.batch, '', commands.call.mustSync, (one) =>
          revive(commands.replay.value(one)),
        );
        if (first !== undefined) return withSignal(first, plan.inherited.signal);
      }
      records.openGroup();
    } catch (error) {
      return pipeline.answers.refuse(
        error,
        pipeline.notes.key !== undefined && commands.replay.isPending,
      );
    }
    return withSignal(this.runGroup(plan), plan.inherited.signal);
  }

  /** Copies what the caller passed: nothing is read from its objects twice. */
  private prepare(
    operations: readonly BatchOperation[],
    options: BatchOptions | undefined,
  ): BatchPlan {
    const { pipeline, commands } = this;
    pipeline.records.startReading();
    try {
      const isBestEffort = checkMode(options?.mode);
      const copies = copyOperations(operations, options);
      const fingerprint = new Uint32Array(2);
      if (options?.idempotencyKey !== undefined) takeFingerprint(copies, isBestEffort, fingerprint);
      commands.call.read(options, BATCH_OPTIONS);
      return {
        operations: copies,
        isBestEffort,
        fingerprint,
        inherited: inheritedFrom(commands.call),
      };
    } catch (error) {
      throw asRefusal(error, 'operations');
    } finally {
      pipeline.records.endReading();
    }
  }

  private runGroup(plan: BatchPlan): Promise<unknown[]> {
    const { pipeline } = this;
    const { isBestEffort, inherited } = plan;
    const slots: Slot[] = [];
    const stored: StoredResult[] = [];
    try {
      for (let index = 0; index < plan.operations.length; index++) {
        const operation = plan.operations[index] as BatchOperation;
        try {
          slots.push(this.perform(operation, inherited));
        } catch (error) {
          if (!isBestEffort || !isStoreError(error)) throw atIndex(error, index);
          slots.push({ error });
        }
        if (inherited.key !== undefined)
          stored.push(storedResult(this.commands.target, operation, slots.at(-1) as Slot));
      }
      const { key } = inherited;
      if (key !== undefined)
        this.outcome.log(KEY_SCOPE.batch, key, { isBestEffort, results: stored }, plan.fingerprint);
    } catch (error) {
      pipeline.records.abortGroup();
      ignoreReplays(slots);
      return pipeline.answers.refuse(error, true);
    }
    const ticket = new BatchTicket(pipeline, slots, isBestEffort, inherited.mustSync);
    if (!pipeline.records.commitGroup(ticket, inherited.mustSync)) {
      const rests = pipeline.answers.give(
        pipeline.answers.pendingOffset,
        inherited.mustSync,
        () => undefined,
      );
      rests.then(
        () => ticket.settle(),
        (error: StoreError) => ticket.fail(error),
      );
    }
    return ticket.promise;
  }

  private perform(operation: BatchOperation, inherited: Inherited): Slot {
    switch (operation.op) {
      case 'create':
        return this.create(operation, inherited);
      case 'apply':
        return this.apply(operation, inherited);
      case 'delete':
        return this.delete(operation, inherited);
      default:
        throw unknownOperation((operation as { op: unknown }).op);
    }
  }

  private create(operation: CreateOperation, inherited: Inherited): Slot {
    const { commands, pipeline } = this;
    const id = commands.input.prepareCreateOf(operation, inherited);
    if (pipeline.notes.key !== undefined) {
      const first = commands.replay.find<Result>(
        KEY_SCOPE.create,
        operation.machine,
        commands.call.mustSync,
        (one) => commands.replay.created(one),
      );
      if (first !== undefined) return { ready: first };
    }
    const definition = commands.decideCreate(id);
    commands.logCreate(id, definition, this.keep, false);
    return this.kept();
  }

  private apply(operation: ApplyOperation, inherited: Inherited): Slot {
    const { commands, pipeline } = this;
    const { id, event } = operation;
    commands.input.prepareApplyOf(operation, inherited);
    commands.locate(id, -1, undefined, false);
    if (pipeline.notes.key !== undefined) {
      const first = commands.replay.find<Result>(
        KEY_SCOPE.apply,
        id,
        commands.call.mustSync,
        (one) => commands.replay.transition(one, id),
      );
      if (first !== undefined) return { ready: first };
    }
    const transition = commands.decideEvent(id, event);
    commands.logEvent(id, transition, this.keep, false);
    return this.kept();
  }

  private delete(operation: DeleteOperation, inherited: Inherited): Slot {
    const { commands, pipeline } = this;
    const { id } = operation;
    commands.input.prepareDeleteOf(operation, inherited);
    commands.locate(id, -1, undefined, true);
    if (pipeline.notes.key !== undefined) {
      const first = commands.replay.find<Result>(
        KEY_SCOPE.delete,
        id,
        commands.call.mustSync,
        (one) => commands.replay.deleted(one, id),
      );
      if (first !== undefined) return { ready: first };
    }
    if (commands.target.isDeleted)
      return { value: { id, offset: commands.target.offset, applied: false } };
    commands.logDelete(id, this.keep, false);
    return this.kept();
  }

  /** What the command logged last makes: the batch has one ticket for all. */
  private kept(): Slot {
    const maker = this.lastMaker as ResultMaker;
    this.lastMaker = undefined;
    return { maker };
  }
}
