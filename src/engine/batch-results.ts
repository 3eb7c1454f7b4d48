/**
 * The results of a batch: made one by one as its records are applied, kept as plain data under the
 * key of the batch, and put in the order of its operations.
 */
import { type AnyStoreError, type ErrorCode, StoreError } from '../base/errors.ts';
import type { Created, Deleted, Transition } from './api/instance.ts';
import type { BatchOperation, Settled } from './api/transaction.ts';
import type { Target } from './decide/target.ts';
import type { CreatedMaker, DeletedMaker, EventTicket, Maker } from './decide/tickets.ts';
import type { Pipeline } from './pipeline.ts';
import { type Deferred, deferred, type Ticket } from './ticket.ts';

export type Result = Created | Transition | Deleted;
/** What an operation left: a result to be made when its record is applied, one that is there, or a refusal. */
export type Slot =
  | { readonly maker: ResultMaker }
  | { readonly ready: Promise<Result> }
  | { readonly value: Deleted }
  | { readonly error: AnyStoreError };
export type ResultMaker = EventTicket | CreatedMaker | DeletedMaker;

/** What a replay of this batch answers: the results as plain data. */
export function storedResult(target: Target, operation: BatchOperation, slot: Slot): StoredResult {
  if ('error' in slot)
    return { code: slot.error.code, message: slot.error.message, details: slot.error.details };
  if ('value' in slot) return { value: slot.value };
  if (!('maker' in slot))
    throw new StoreError('INTERNAL_ERROR', 'a keyed batch holds no keyed operations', {
      details: { outcome: 'not-done' },
    });
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
  const { transition } = slot.maker as EventTicket;
  const { event, eventId } = operation;
  const from = target.definition.compiled.states[
    target.definition.compiled.transitionFrom[transition] as number
  ] as string;
  const at = (slot.maker as EventTicket).result.at;
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

/** A result as a key keeps it. */
export type StoredResult =
  | { readonly value: object }
  | { readonly code: string; readonly message: string; readonly details: object };

/** The results of a batch whose key was seen before. */
export function revive(stored: unknown): unknown[] {
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
export class BatchTicket implements Ticket {
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
    if (maker !== undefined) this.results.push(maker.make(this.pipeline, offset));
  }
  settle(): void {
    this.deferred.resolve(this.results);
  }
  fail(error: StoreError): void {
    this.deferred.reject(error);
  }
}

export async function settle(
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

/** The batch was taken back: answers to keys that were used twice in it are nobody's any more. */
export function ignoreReplays(slots: readonly Slot[]): void {
  for (const slot of slots) if ('ready' in slot) slot.ready.catch(() => undefined);
}
