/**
 * How the result of a command is made at the moment its record is applied, when state is exactly
 * as the record left it. A Maker makes one result; OneTicket answers a promise with it.
 */
import type { StoreError } from '../../base/errors.ts';
import type { Definition } from '../../instance/machine-store.ts';
import type { State } from '../../state/state.ts';
import type { Created, Deleted, Transition } from '../api/instance.ts';
import { instanceAt, PackedContext, TransitionResult } from '../results.ts';
import { type Deferred, deferred, type Ticket } from '../ticket.ts';

export interface Maker<T> {
  make(state: State, offset: number): T;
}

/** What an applied event answers. Kept small: there is one per event that somebody waits for. */
export class TransitionMaker implements Maker<Transition> {
  readonly id: string;
  private readonly handle: number;
  private readonly definition: Definition;
  readonly transition: number;
  readonly at: number;
  private readonly eventId: string | undefined;

  constructor(
    id: string,
    handle: number,
    definition: Definition,
    transition: number,
    at: number,
    eventId: string | undefined,
  ) {
    this.id = id;
    this.handle = handle;
    this.definition = definition;
    this.transition = transition;
    this.at = at;
    this.eventId = eventId;
  }

  make(state: State, offset: number): Transition {
    const instances = state.instances;
    instances.contexts.locate(this.handle);
    const kept = new PackedContext(
      this.definition,
      instances.contexts.bytes,
      instances.contexts.start,
      instances.contexts.end,
    );
    const { id, definition, transition, at, eventId } = this;
    return new TransitionResult(id, definition, transition, at, offset, true, eventId, kept);
  }
}

export class CreatedMaker implements Maker<Created> {
  readonly id: string;
  private readonly handle: number;
  private readonly definition: Definition;

  constructor(id: string, handle: number, definition: Definition) {
    this.id = id;
    this.handle = handle;
    this.definition = definition;
  }

  make(state: State): Created {
    return Object.assign(instanceAt(state, this.handle, this.id, this.definition), {
      applied: true,
    });
  }
}

export class DeletedMaker implements Maker<Deleted> {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }

  make(_state: State, offset: number): Deleted {
    return { id: this.id, offset, applied: true };
  }
}

/** A ticket for a commit of one record. */
export class OneTicket<T> implements Ticket {
  readonly mustSync: boolean;
  private readonly state: State;
  private readonly maker: Maker<T>;
  private readonly deferred: Deferred<T> = deferred<T>();
  private result: T | undefined;

  constructor(state: State, maker: Maker<T>, mustSync: boolean) {
    this.state = state;
    this.maker = maker;
    this.mustSync = mustSync;
  }

  get promise(): Promise<T> {
    return this.deferred.promise;
  }

  applied(offset: number): void {
    this.result = this.maker.make(this.state, offset);
  }

  settle(): void {
    this.deferred.resolve(this.result as T);
  }

  fail(error: StoreError): void {
    this.deferred.reject(error);
  }
}
