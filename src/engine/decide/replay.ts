/**
 * Idempotency keys: has this command been done before, and what did it answer? Keys past their
 * retention count as never seen; their purge is logged before the key is used again.
 */
import { StoreError } from '../../base/errors.ts';
import { type FirstResult } from '../../instance/idempotency-store.ts';
import { type KeyScope, scopedKey } from '../../instance/scoped-key.ts';
import type { Data } from '../../machine/definition.ts';
import { readPacked } from '../../value/read-packed.ts';
import { readEnveloped } from '../../value/read-value.ts';
import type { Created, Deleted, Transition } from '../api/instance.ts';
import type { Pipeline } from '../pipeline.ts';
import { contextDropped, TransitionResult } from '../results.ts';

export interface ReplayOptions {
  readonly mismatch: 'conflict' | 'first';
}

export class Replay {
  private readonly pipeline: Pipeline;
  private readonly options: ReplayOptions;
  /** Scoped form of the key looked up last; what a new command files itself under. */
  scoped = '';

  constructor(pipeline: Pipeline, options: ReplayOptions) {
    this.pipeline = pipeline;
    this.options = options;
  }

  /**
   * The first result behind a key, made by `make`, as a promise that settles when that result is
   * visible; undefined when the key is new.
   * @throws {StoreError} CONFLICT ('idempotency-key') - other arguments than the first time.
   */
  find<T>(
    scope: KeyScope,
    target: string,
    mustSync: boolean,
    make: (first: FirstResult) => T,
  ): Promise<T> | undefined {
    const { overlay, state, notes, records } = this.pipeline;
    const key = notes.key as string;
    this.scoped = scopedKey(scope, target, key);
    const scoped = this.scoped;
    const waiting = overlay.keys.get(scoped);
    if (waiting !== undefined && waiting.offset > state.offset) {
      this.checkSame(key, waiting.low, waiting.high, waiting.offset);
      return this.pipeline.answers.give(waiting.offset, mustSync, () => {
        const first = state.keys.find(scoped);
        if (first !== undefined) return make(first);
        throw new StoreError('INTERNAL_ERROR', 'a key vanished while it was used', {
          details: { outcome: 'not-done' },
        });
      });
    }
    const first = state.keys.find(scoped);
    if (first === undefined) return undefined;
    if (records.isKeyOver(first.offset, first.time)) {
      records.purgeKeyFirst(first.offset);
      return undefined;
    }
    this.checkSame(key, first.fingerprintLow, first.fingerprintHigh, first.offset);
    const result = make(first);
    return this.pipeline.answers.give(first.offset, mustSync, () => result);
  }

  /** Does the key looked up last rest on a commit that waits for the disk? */
  get isPending(): boolean {
    const waiting = this.pipeline.overlay.keys.get(this.scoped);
    return waiting !== undefined && waiting.offset > this.pipeline.state.offset;
  }

  private checkSame(key: string, low: number, high: number, offset: number): void {
    const { fingerprint } = this.pipeline.notes;
    if (this.options.mismatch === 'first' || (fingerprint[0] === low && fingerprint[1] === high))
      return;
    throw new StoreError(
      'CONFLICT',
      `idempotency key ${JSON.stringify(key)} was used with other arguments`,
      {
        details: { reason: 'idempotency-key', key, offset },
      },
    );
  }

  transition(first: FirstResult, id: string): Transition {
    const { state, copies } = this.pipeline;
    const { detail, at, offset, eventId } = first;
    const definition = state.machines.at(first.definition);
    const result = new TransitionResult(id, definition, detail, at, offset, false, eventId);
    if (first.isBodyDropped) return result;
    copies.copy(first.bytes, first.bodyStart, first.bodyEnd);
    return result.keepPacked(copies.bytes, copies.start, copies.end);
  }

  created(first: FirstResult): Created {
    const definition = this.pipeline.state.machines.at(first.definition);
    const shapes = definition.machine.shapes;
    const result = {
      id: first.id,
      machine: definition.machine.name,
      version: definition.version,
      state: definition.body.initial,
      createdAt: first.at,
      updatedAt: first.at,
      offset: first.offset,
      deleted: false,
      applied: false,
    };
    if (!first.isBodyDropped) {
      return {
        ...result,
        context: readPacked(shapes, first.bytes, first.bodyStart, first.bodyEnd) as Data,
      };
    }
    return Object.defineProperty(result, 'context', {
      enumerable: false,
      get: () => {
        throw contextDropped();
      },
    }) as unknown as Created;
  }

  /** The value of a transaction or batch. */
  value(first: FirstResult): unknown {
    return first.bodyStart === first.bodyEnd
      ? undefined
      : readEnveloped(first.bytes, first.bodyStart, first.bodyEnd);
  }

  deleted(first: FirstResult, id: string): Deleted {
    return { id, offset: first.offset, applied: false };
  }
}
