/**
 * The results of a batch: made one by one as its records are applied, kept as plain data under the
 * key of the batch, and put in the order of its operations.
 */
import { type AnyStoreError, type ErrorCode, StoreError } from '../base/errors.ts';
import { KEPT_CONTEXT_BYTES } from '../instance/idempotency-store.ts';
import type { Created, Deleted, Transition } from './api/instance.ts';
import type { BatchOperation } from './api/transaction.ts';
import type { Target } from './decide/target.ts';
import type { CreateTicket, DeletedMaker, EventTicket, Maker } from './decide/tickets.ts';
import type { Pipeline } from './pipeline.ts';
import { contextDropped } from './results.ts';
import { type Deferred, deferred, type Ticket } from './ticket.ts';

export type Result = Created | Transition | Deleted;
/** What an operation left: a result to be made when its record is applied, one that is there, or a refusal. */
export type Slot =
  | { readonly maker: ResultMaker }
  | { readonly ready: Promise<Result> }
  | { readonly value: Deleted }
  | { readonly error: AnyStoreError };
export type ResultMaker = EventTicket | CreateTicket | DeletedMaker;

/** What a replay of this batch answers: the results as plain data. */
export function storedResult(target: Target, operation: BatchOperation, slot: Slot): StoredResult {
  if ('error' in slot)
    return { code: slot.error.code, message: slot.error.message, details: slot.error.details };
  if ('value' in slot) return { value: slot.value };
  if (!('maker' in slot))
    throw new StoreError('INTERNAL_ERROR', 'a keyed batch holds no keyed operations', {
      details: { outcome: 'not-done' },
    });
  const { id } = slot.maker;
  target.find(id);
  if (operation.op === 'delete') return { value: { id, offset: target.offset } };
  const { context, ...now } = target.instance(id);
  const isKept = target.withContext((_, start, end) => end - start <= KEPT_CONTEXT_BYTES);
  const kept = isKept ? { context } : {};
  if (operation.op === 'create') return { value: { ...now, ...kept } };
  const { applied: _, ...facts } = Object.assign({}, (slot.maker as EventTicket).result);
  return { value: { ...facts, ...kept } };
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
    const value = reviveValue(one.value);
    return isBestEffort ? { ok: true, value } : value;
  });
}

/** A first result with a machine had a context; over 4 KiB it was not kept, and reading it says so. */
function reviveValue(stored: object): object {
  const value = { ...stored, applied: false };
  if (!('machine' in value) || 'context' in value) return value;
  return Object.defineProperty(value, 'context', {
    get() {
      throw contextDropped();
    },
  });
}

/** Makes each result when its record is applied, and answers when all may be shown. */
export class BatchTicket implements Ticket {
  readonly mustSync: boolean;
  private readonly pipeline: Pipeline;
  private readonly slots: readonly Slot[];
  private readonly isBestEffort: boolean;
  private readonly makers: Maker<Result>[] = [];
  private readonly made: Result[] = [];
  private readonly deferred: Deferred<unknown[]> = deferred();

  constructor(
    pipeline: Pipeline,
    slots: readonly Slot[],
    isBestEffort: boolean,
    mustSync: boolean,
  ) {
    this.pipeline = pipeline;
    this.slots = slots;
    this.isBestEffort = isBestEffort;
    for (const slot of slots) if ('maker' in slot) this.makers.push(slot.maker);
    this.mustSync = mustSync;
  }

  /** One result per operation, in their order. */
  get promise(): Promise<unknown[]> {
    return this.deferred.promise;
  }

  applied(offset: number): void {
    // The record behind the last operation is the outcome of a keyed batch: nothing is made of it.
    const maker = this.makers[this.made.length];
    if (maker !== undefined) this.made.push(maker.make(this.pipeline, offset));
  }

  settle(): void {
    let next = 0;
    const results = this.slots.map((slot): unknown => {
      if ('error' in slot) return { ok: false, error: slot.error };
      if ('ready' in slot) return slot.ready.then((value) => this.wrap(value));
      return this.wrap('maker' in slot ? (this.made[next++] as Result) : slot.value);
    });
    // Only replays of keys are promises here; without one the answer keeps its place in log order.
    const hasReplay = this.slots.some((slot) => 'ready' in slot);
    this.deferred.resolve(hasReplay ? (Promise.all(results) as unknown as unknown[]) : results);
  }

  fail(error: StoreError): void {
    this.deferred.reject(error);
    ignoreReplays(this.slots);
  }

  private wrap(value: Result): unknown {
    return this.isBestEffort ? { ok: true, value } : value;
  }
}

/** The batch was taken back: answers to keys that were used twice in it are nobody's any more. */
export function ignoreReplays(slots: readonly Slot[]): void {
  for (const slot of slots) if ('ready' in slot) slot.ready.catch(() => undefined);
}
