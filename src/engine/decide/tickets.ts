/**
 * How the result of a command is made at the moment its record is applied, when state is exactly
 * as the record left it. A Maker makes one result; a ticket answers a promise with it.
 */
import type { ByteCopies } from '../../base/byte-copies.ts';
import type { StoreError } from '../../base/errors.ts';
import type { State } from '../../state/state.ts';
import type { Data } from '../../machine/definition.ts';
import { readPacked } from '../../value/read-packed.ts';
import type { ShapeTable } from '../../value/shape-table.ts';
import type { Created, Deleted } from '../api/instance.ts';
import type { TransitionResult } from '../results.ts';
import { type Deferred, deferred, type Ticket } from '../ticket.ts';

/** The applied state, and where contexts are set aside. */
export interface Applied {
  readonly state: State;
  readonly copies: ByteCopies;
}

export interface Maker<T> {
  make(applied: Applied, offset: number): T;
}

/**
 * The ticket of one create or event: there is one for each that somebody waits for, so it is one
 * object with its result, and the ends of the promise are put into it (bench load, apply).
 */
abstract class InstanceTicket<R extends { readonly id: string }> implements Ticket, Maker<R> {
  readonly mustSync: boolean;
  readonly result: R;
  resolve: ((result: R) => void) | undefined = undefined;
  reject: ((error: StoreError) => void) | undefined = undefined;
  protected readonly handle: number;
  protected readonly applyTo: Applied;

  constructor(applied: Applied, result: R, handle: number, mustSync: boolean) {
    this.applyTo = applied;
    this.result = result;
    this.handle = handle;
    this.mustSync = mustSync;
  }

  get id(): string {
    return this.result.id;
  }

  /** The result, with the context its record left. */
  abstract make(): R;

  applied(): void {
    this.make();
  }

  settle(): void {
    this.resolve?.(this.result);
  }

  fail(error: StoreError): void {
    this.reject?.(error);
  }
}

export class EventTicket extends InstanceTicket<TransitionResult> {
  make(): TransitionResult {
    const { state, copies } = this.applyTo;
    const { contexts } = state.instances;
    contexts.locate(this.handle);
    copies.copy(contexts.bytes, contexts.start, contexts.end);
    return this.result.keepPacked(copies.bytes, copies.start, copies.end);
  }
}

/** Everything but the context is known when it is decided. */
type NewInstance = { -readonly [K in keyof Created]: Created[K] };

export class CreateTicket extends InstanceTicket<NewInstance> {
  private readonly shapes: ShapeTable;

  constructor(
    applied: Applied,
    result: Created,
    shapes: ShapeTable,
    handle: number,
    mustSync: boolean,
  ) {
    super(applied, result, handle, mustSync);
    this.shapes = shapes;
  }

  make(): NewInstance {
    const { state } = this.applyTo;
    const { contexts } = state.instances;
    contexts.locate(this.handle);
    const { bytes, start, end } = contexts;
    this.result.context = readPacked(this.shapes, bytes, start, end) as Data;
    return this.result;
  }
}

export class DeletedMaker implements Maker<Deleted> {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }

  make(_applied: Applied, offset: number): Deleted {
    return { id: this.id, offset, applied: true };
  }
}

/** A ticket for a commit of one record. */
export class OneTicket<T> implements Ticket {
  readonly mustSync: boolean;
  private readonly applyTo: Applied;
  private readonly maker: Maker<T>;
  private readonly deferred: Deferred<T> = deferred<T>();
  private result: T | undefined;

  constructor(applied: Applied, maker: Maker<T>, mustSync: boolean) {
    this.applyTo = applied;
    this.maker = maker;
    this.mustSync = mustSync;
  }

  get promise(): Promise<T> {
    return this.deferred.promise;
  }

  applied(offset: number): void {
    this.result = this.maker.make(this.applyTo, offset);
  }

  settle(): void {
    this.deferred.resolve(this.result as T);
  }

  fail(error: StoreError): void {
    this.deferred.reject(error);
  }
}
