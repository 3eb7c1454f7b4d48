/**
 * Transactions: a callback that runs once, synchronously, over the overlay, and whose records
 * become one commit. If it throws, buffer, overlay and handles are as before. Offsets are those the
 * records get if it succeeds.
 */
import { badRequest } from '../base/errors.ts';
import { KEY_SCOPE } from '../instance/scoped-key.ts';
import type { WriteOptions } from './api/instance.ts';
import type { Committed, Transaction } from './api/transaction.ts';
import { type Inherited, inheritedFrom } from './call.ts';
import type { VectorCommands } from './collections/commands.ts';
import type { Commands } from './decide/commands.ts';
import type { Outcome } from './outcome.ts';
import { OverlayReads } from './overlay-reads.ts';
import type { Pipeline } from './pipeline.ts';
import { TransactionScope } from './transaction-scope.ts';
import { ValueTicket } from './value-ticket.ts';
import { withSignal } from './write-options.ts';

/** A callback has no arguments: the key alone tells two of them apart. */
const NO_ARGUMENTS: readonly [number, number] = [0, 0];

export class Transactions {
  private readonly pipeline: Pipeline;
  private readonly commands: Commands;
  private readonly reads: OverlayReads;
  private readonly outcome: Outcome;
  private readonly vectors: VectorCommands;

  constructor(
    pipeline: Pipeline,
    commands: Commands,
    vectors: VectorCommands,
    outcome: Outcome,
    storeId: string,
  ) {
    this.vectors = vectors;
    this.pipeline = pipeline;
    this.commands = commands;
    this.outcome = outcome;
    this.reads = new OverlayReads(pipeline, commands.target, storeId);
  }

  run<T>(
    callback: (tx: Transaction) => T,
    options: WriteOptions | undefined,
  ): Promise<Committed<T>> {
    const { pipeline, commands } = this;
    const { records } = pipeline;
    let inherited: Inherited;
    try {
      records.admit();
      records.readClock();
      if (typeof callback !== 'function')
        throw badRequest('run must be a function', 'run', 'function');
      commands.input.prepareGroup(options);
      inherited = inheritedFrom(commands.call);
      const first = inherited.key === undefined ? undefined : this.replay<T>();
      if (first !== undefined) return withSignal(first, inherited.signal);
      records.openGroup();
    } catch (error) {
      return pipeline.answers.refuse(
        error,
        pipeline.notes.key !== undefined && commands.replay.isPending,
      );
    }
    const { key, signal, mustSync } = inherited;
    const scope = new TransactionScope(pipeline, commands, this.vectors, this.reads, inherited);
    try {
      const value = callback(scope);
      scope.checkWhole();
      this.checkValue(value);
      if (key !== undefined) this.outcome.log(KEY_SCOPE.transaction, key, value, NO_ARGUMENTS);
      return withSignal(this.commit(value, mustSync), signal);
    } catch (error) {
      records.abortGroup();
      // The callback may have read commits that wait: its own error is only true once they are.
      return pipeline.answers.refuse(error, true);
    } finally {
      scope.end();
    }
  }

  private checkValue(value: unknown): void {
    const isThenable =
      typeof value === 'object' &&
      value !== null &&
      typeof (value as { then?: unknown }).then === 'function';
    if (!isThenable) return;
    // Nobody will ever look at it: what it rejects with must not end the process.
    Promise.resolve(value).catch(() => undefined);
    throw badRequest(
      'a transaction callback must not be async: its writes would come too late',
      'run',
      'synchronous function',
    );
  }

  private replay<T>(): Promise<Committed<T>> | undefined {
    this.pipeline.notes.fingerprint.set(NO_ARGUMENTS);
    return this.commands.replay.find(
      KEY_SCOPE.transaction,
      '',
      this.commands.call.mustSync,
      (first) => ({
        value: this.commands.replay.value(first) as T,
        offset: first.offset,
        applied: false,
      }),
    );
  }

  private commit<T>(value: T, mustSync: boolean): Promise<Committed<T>> {
    const { pipeline } = this;
    const ticket = new ValueTicket<T>(value, mustSync);
    const offset = pipeline.records.nextOffset - 1;
    if (pipeline.records.commitGroup(ticket, mustSync)) return ticket.promise;
    return pipeline.answers.give(offset, mustSync, () => ({ value, offset, applied: true }));
  }
}
