/**
 * Single commands on instances, each a promise: arguments, key, existence, decision, log, and an
 * answer that comes when the commit may be shown. A write never throws, it rejects; `post` throws
 * instead, and leaves refusals that rest on waiting commits to flush().
 */
import { isStoreError } from '../base/errors.ts';
import { KEY_SCOPE } from '../instance/scoped-key.ts';
import type {
  ApplyOptions,
  Created,
  CreateInput,
  Deleted,
  Transition,
  WriteOptions,
} from './api/instance.ts';
import type { BoundMachine } from './decide/command-types.ts';
import type { Commands } from './decide/commands.ts';
import {
  type CreateTicket,
  type DeletedMaker,
  type EventTicket,
  OneTicket,
} from './decide/tickets.ts';
import type { Pipeline } from './pipeline.ts';
import { withSignal } from './write-options.ts';

/** How a command names its instance: by id, or by a handle somebody looked up before. */
export interface InstanceName {
  readonly id: string;
  /** -1: look the id up. */
  readonly handle: number;
  /** Only instances of this machine count; undefined = of any. */
  readonly machine: string | undefined;
}

/** Codes that say something about instances and definitions, not about arguments or the log. */
const DECIDED_OVER_ROWS = [
  'INSTANCE_NOT_FOUND',
  'INSTANCE_EXISTS',
  'MACHINE_NOT_FOUND',
  'CONFLICT',
  'INVALID_TRANSITION',
  'GUARD_FAILED',
] as const;

export class InstanceWrites {
  private readonly pipeline: Pipeline;
  private readonly commands: Commands;
  /** The command being decided rests on a commit that waits for the disk: so does its refusal. */
  private overPending = false;
  /** Answer of the command logged last. */
  private lastAnswer: Promise<unknown> | undefined;
  private readonly deleteTicketFor = (
    maker: DeletedMaker,
    mustSync: boolean,
  ): OneTicket<Deleted> => {
    const ticket = new OneTicket<Deleted>(this.pipeline, maker, mustSync);
    this.lastAnswer = ticket.promise;
    return ticket;
  };
  /** The ends of the promise made last; one executor for all spares a closure per command. */
  private resolve: ((result: unknown) => void) | undefined;
  private reject: ((error: unknown) => void) | undefined;
  private readonly executor = (
    resolve: (result: unknown) => void,
    reject: (error: unknown) => void,
  ): void => {
    this.resolve = resolve;
    this.reject = reject;
  };
  private readonly promiseTo = <T extends EventTicket | CreateTicket>(ticket: T): T => {
    this.lastAnswer = new Promise(this.executor);
    ticket.resolve = this.resolve;
    ticket.reject = this.reject;
    return ticket;
  };

  constructor(pipeline: Pipeline, commands: Commands) {
    this.pipeline = pipeline;
    this.commands = commands;
  }

  apply(
    name: InstanceName,
    event: string,
    payload: unknown,
    options: ApplyOptions | undefined,
  ): Promise<Transition> {
    const { commands, pipeline } = this;
    try {
      this.begin();
      commands.input.prepareEvent(event, payload, options);
      this.locate(name);
      if (pipeline.notes.key !== undefined) {
        const first = commands.replay.find(
          KEY_SCOPE.apply,
          name.id,
          commands.call.mustSync,
          (one) => commands.replay.transition(one, name.id),
        );
        if (first !== undefined) return withSignal(first, commands.call.signal);
      }
      const transition = commands.decideEvent(name.id, event);
      commands.logEvent(name.id, transition, this.promiseTo, commands.call.mustSync);
    } catch (error) {
      return pipeline.answers.refuse(error, this.restsOnPending(error));
    }
    return this.answer<Transition>();
  }

  /** @throws {StoreError} what arguments or visible state refuse; what waiting commits refuse comes from flush(). */
  post(
    name: InstanceName,
    event: string,
    payload: unknown,
    options: ApplyOptions | undefined,
  ): void {
    const { commands, pipeline } = this;
    try {
      this.begin();
      commands.input.prepareEvent(event, payload, options);
      this.locate(name);
      if (pipeline.notes.key !== undefined) {
        const first = commands.replay.find(
          KEY_SCOPE.apply,
          name.id,
          commands.call.mustSync,
          () => undefined,
        );
        if (first !== undefined) {
          const { posts } = pipeline.answers;
          const epoch = posts.current;
          first.catch((error: unknown) => posts.note(error, epoch));
          return;
        }
      }
      const transition = commands.decideEvent(name.id, event);
      commands.logEvent(name.id, transition, undefined, commands.call.mustSync);
    } catch (error) {
      const isWaiting = pipeline.answers.pendingOffset > pipeline.state.offset;
      if (!isWaiting || !this.restsOnPending(error)) throw error;
      pipeline.answers.posts.note(error);
    }
  }

  create(
    bound: BoundMachine | undefined,
    input: Partial<CreateInput> | undefined,
  ): Promise<Created> {
    const { commands, pipeline } = this;
    const { replay, target } = commands;
    const { wanted } = commands.input;
    try {
      this.begin();
      const id = commands.input.prepareCreate(bound, input);
      if (pipeline.notes.key !== undefined) {
        const first = replay.find(KEY_SCOPE.create, wanted.machine, commands.call.mustSync, (one) =>
          replay.created(one),
        );
        if (first !== undefined) return withSignal(first, commands.call.signal);
      }
      this.overPending = target.find(id) && target.pending !== undefined;
      const definition = commands.decideCreate(id);
      commands.logCreate(id, definition, this.promiseTo, commands.call.mustSync);
    } catch (error) {
      return pipeline.answers.refuse(error, this.restsOnPending(error));
    }
    return this.answer<Created>();
  }

  delete(name: InstanceName, options: WriteOptions | undefined): Promise<Deleted> {
    const { commands, pipeline } = this;
    const { target } = commands;
    try {
      this.begin();
      commands.input.prepareDelete(options);
      this.locate(name, true);
      if (pipeline.notes.key !== undefined) {
        const first = commands.replay.find(
          KEY_SCOPE.delete,
          name.id,
          commands.call.mustSync,
          (one) => commands.replay.deleted(one, name.id),
        );
        if (first !== undefined) return withSignal(first, commands.call.signal);
      }
      if (target.isDeleted) {
        const again = { id: name.id, offset: target.offset, applied: false };
        const { mustSync, signal } = commands.call;
        return withSignal(
          pipeline.answers.give(again.offset, mustSync, () => again),
          signal,
        );
      }
      commands.logDelete(name.id, this.deleteTicketFor, commands.call.mustSync);
    } catch (error) {
      return pipeline.answers.refuse(error, this.restsOnPending(error));
    }
    return this.answer<Deleted>();
  }

  /** @throws {StoreError} STORE_CLOSED, WAL_IO_ERROR */
  private begin(): void {
    this.pipeline.records.admit();
    this.overPending = false;
    this.pipeline.records.readClock();
  }

  private locate(name: InstanceName, deletedToo: boolean = false): void {
    const { commands } = this;
    commands.target.pending = undefined;
    try {
      commands.locate(name.id, name.handle, name.machine, deletedToo);
    } finally {
      this.overPending = commands.target.pending !== undefined;
    }
  }

  /** Was this refused on the ground of rows or keys that wait? Everything else is true at once. */
  private restsOnPending(error: unknown): boolean {
    if (!isStoreError(error, ...DECIDED_OVER_ROWS)) return false;
    if (error.code === 'MACHINE_NOT_FOUND' && this.pipeline.state.machines.hasWaiting) return true;
    return (
      this.overPending || (this.pipeline.notes.key !== undefined && this.commands.replay.isPending)
    );
  }

  private answer<T>(): Promise<T> {
    const answer = this.lastAnswer as Promise<T>;
    this.lastAnswer = undefined;
    return withSignal(answer, this.commands.call.signal);
  }
}
