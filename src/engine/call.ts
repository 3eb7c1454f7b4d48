/**
 * The options of one command, each read from the caller's object exactly once: into the annotations
 * of its record, or kept here while it is decided. Reused from command to command.
 */
import { badRequest } from '../base/errors.ts';
import type { Annotations } from '../record/annotations.ts';
import type { ApplyOptions, WriteOptions } from './api/instance.ts';
import { LIMITS } from './limits.ts';
import { checkName, checkObject, checkSignal, checkTime } from './write-options.ts';

const WRITE_OPTIONS: ReadonlySet<string> = new Set([
  'idempotencyKey',
  'durable',
  'actor',
  'reason',
  'correlationId',
  'at',
  'signal',
]);
const NONE: readonly string[] = [];
export const EVENT_OPTIONS: readonly string[] = ['expectedState', 'expectedOffset', 'eventId'];
/** Of the input of a create, besides. */
export const CREATE_FIELDS: readonly string[] = ['machine', 'version', 'id', 'context'];
/** Of a create through a handle, which has machine and version already. */
export const BOUND_CREATE_FIELDS: readonly string[] = ['id', 'context'];
export const PUT_OPTIONS: readonly string[] = ['expectedChecksum'];
export const METADATA_OPTIONS: readonly string[] = ['mode'];
export const BATCH_OPTIONS: readonly string[] = ['mode'];

export class Call {
  mustSync = false;
  signal: AbortSignal | undefined = undefined;
  expectedState: string | undefined = undefined;
  expectedOffset: number | undefined = undefined;
  readonly notes: Annotations;

  constructor(notes: Annotations) {
    this.notes = notes;
  }

  clear(): void {
    this.notes.clear();
    this.mustSync = false;
    this.signal = undefined;
    this.expectedState = undefined;
    this.expectedOffset = undefined;
  }

  /**
   * What every write takes. A misspelt option is refused: it may have been a guard against doing
   * things twice. `others`: names that mean something to the caller of this.
   * @throws {StoreError} BAD_REQUEST, TIMEOUT (already aborted)
   */
  read(options: WriteOptions | undefined, others: readonly string[] = NONE): void {
    this.clear();
    if (checkObject(options, 'options') === undefined) return;
    for (const name in options) {
      if (!WRITE_OPTIONS.has(name) && !others.includes(name))
        throw badRequest(`there is no option ${JSON.stringify(name)}`, `options.${name}`);
    }
    const { idempotencyKey, durable, actor, reason, correlationId, at, signal } =
      options as WriteOptions;
    const { notes } = this;
    if (idempotencyKey !== undefined)
      notes.key = checkName(idempotencyKey, 'options.idempotencyKey');
    if (actor !== undefined) notes.actor = checkName(actor, 'options.actor');
    if (reason !== undefined)
      notes.reason = checkName(reason, 'options.reason', LIMITS.reasonBytes);
    if (correlationId !== undefined)
      notes.correlationId = checkName(correlationId, 'options.correlationId');
    if (at !== undefined) notes.at = checkTime(at, 'options.at');
    if (durable !== undefined && typeof durable !== 'boolean') {
      throw badRequest('options.durable must be a boolean', 'options.durable', 'boolean');
    }
    this.mustSync = durable === true;
    if (signal !== undefined) this.signal = checkSignal(signal);
  }

  /** An operation of a group: the options of the group, which were checked, and a key of its own. @throws {StoreError} BAD_REQUEST */
  inherit(group: Inherited, key: string | undefined): void {
    this.clear();
    const { notes } = this;
    if (key !== undefined) notes.key = checkName(key, 'options.idempotencyKey');
    notes.actor = group.actor;
    notes.reason = group.reason;
    notes.correlationId = group.correlationId;
    notes.at = group.at;
  }

  /** What an event takes besides. @throws {StoreError} BAD_REQUEST, TIMEOUT */
  readEvent(options: ApplyOptions | undefined): void {
    this.read(options, EVENT_OPTIONS);
    if (options !== undefined) this.readExpectations(options);
  }

  /** @throws {StoreError} BAD_REQUEST */
  readExpectations(options: Expectations): void {
    const { expectedState, expectedOffset, eventId } = options;
    if (eventId !== undefined) this.notes.eventId = checkName(eventId, 'options.eventId');
    if (expectedState !== undefined && typeof expectedState !== 'string') {
      throw badRequest('options.expectedState must be a string', 'options.expectedState', 'string');
    }
    if (
      expectedOffset !== undefined &&
      (!Number.isSafeInteger(expectedOffset) || expectedOffset < 0)
    ) {
      throw badRequest(
        'options.expectedOffset must be an offset',
        'options.expectedOffset',
        'non-negative safe integer',
      );
    }
    this.expectedState = expectedState;
    this.expectedOffset = expectedOffset;
  }
}

type Expectations = Pick<ApplyOptions, 'expectedState' | 'expectedOffset' | 'eventId'>;

/** The options of a group, kept apart while the commands in it use the call for theirs. */
export interface Inherited {
  readonly key: string | undefined;
  readonly mustSync: boolean;
  readonly signal: AbortSignal | undefined;
  /** These stand in every record of the group. */
  readonly actor: string | undefined;
  readonly reason: string | undefined;
  readonly correlationId: string | undefined;
  readonly at: number | undefined;
}

export function inheritedFrom(call: Call): Inherited {
  const { key, actor, reason, correlationId, at } = call.notes;
  return { key, mustSync: call.mustSync, signal: call.signal, actor, reason, correlationId, at };
}
