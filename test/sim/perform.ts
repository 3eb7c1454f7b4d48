/** Commands of a simulated run on a real store, and its answers as the data the model predicts. */
import type { BatchOperation } from '../../src/engine/api/transaction.ts';
import type { MigrationPlan } from '../../src/engine/api/machine.ts';
import type { Store } from '../../src/engine/api/store.ts';
import type { Transaction } from '../../src/engine/api/transaction.ts';
import { isStoreError } from '../../src/base/errors.ts';
import {
  type Answer,
  type Command,
  DROPPED,
  type Fields,
  type MigrateCommand,
  type Operation,
  THROWN,
} from './commands.ts';
import { mapOf } from './model-migration.ts';

/** What a payload that is none holds. */
const BAD: Fields = { n: Number.NaN };

/** What the caller was told: an answer that can be predicted, or that the world misbehaved. */
export interface Told {
  readonly answer: Answer;
  /** WAL_IO_ERROR and the like. */
  readonly failure?: { readonly code: string; readonly outcome: unknown; readonly reopen: unknown };
}

export interface Sent {
  readonly told: Promise<Told>;
  /** What the callback of a transaction saw, one for each operation it got to. */
  readonly steps: readonly Answer[];
}

export function perform(store: Store, command: Command): Sent {
  const steps: Answer[] = [];
  const told = start(store, command, steps).then(
    (result): Told => ({ answer: shownResult(command, result) }),
    (error: unknown): Told => toldOf(error),
  );
  return { told, steps };
}

function start(store: Store, command: Command, steps: Answer[]): Promise<unknown> {
  const { at, durable, key } = command;
  const options = {
    ...(at !== undefined && { at }),
    ...(durable !== undefined && { durable }),
    ...(key !== undefined && { idempotencyKey: key }),
  };
  switch (command.kind) {
    case 'one':
      return one(store, command.operation, options);
    case 'batch': {
      const operations = command.operations.map(inBatch);
      return command.isBestEffort
        ? store.batch(operations, { ...options, mode: 'best_effort' })
        : store.batch(operations, options);
    }
    case 'transaction':
      return store.transaction((tx) => {
        for (const operation of command.operations) inTransaction(tx, operation, steps, command);
        if (command.throws) throw CHANGED_MIND;
        return command.value;
      }, options);
    case 'put':
      return store.machines.put(command.definition, options);
    case 'remove':
      return store.machines.remove(command.name, command.version);
    default:
      return store.instances.migrate(planOf(command));
  }
}

function planOf(command: MigrateCommand): MigrationPlan {
  const { machine, fromVersion, toVersion, isDry, map } = command;
  return {
    machine,
    fromVersion,
    toVersion,
    ...(isDry && { dryRun: true }),
    ...(map !== undefined && { map: mapOf(map) }),
  };
}

const CHANGED_MIND = new Error('the callback changed its mind');

function one(store: Store, operation: Operation, options: object): Promise<unknown> {
  const { instances } = store;
  const { key } = operation;
  const own = { ...options, ...(key !== undefined && { idempotencyKey: key }) };
  if (operation.op === 'create') return instances.create({ ...inputOf(operation), ...own });
  const { id } = operation;
  if (operation.op === 'delete') return instances.delete(operation.isBad === true ? '' : id, own);
  return instances.apply(id, operation.event, payloadOf(operation), {
    ...own,
    ...expectations(operation),
  });
}

function inputOf(operation: Extract<Operation, { op: 'create' }>) {
  const { machine, version, id, context, isBad } = operation;
  return {
    machine,
    ...(version !== undefined && { version }),
    ...(id !== undefined && { id }),
    context: isBad === true ? BAD : context,
  };
}

function payloadOf(operation: Extract<Operation, { op: 'apply' }>): Fields {
  return operation.isBad === true ? BAD : operation.payload;
}

function expectations(operation: Extract<Operation, { op: 'apply' }>): object {
  const { expectedOffset, expectedState, eventId } = operation;
  return {
    ...(expectedOffset !== undefined && { expectedOffset }),
    ...(expectedState !== undefined && { expectedState }),
    ...(eventId !== undefined && { eventId }),
  };
}

function inBatch(operation: Operation): BatchOperation {
  const { key } = operation;
  const own = key === undefined ? {} : { idempotencyKey: key };
  if (operation.op === 'create') return { op: 'create', ...inputOf(operation), ...own };
  const id = operation.isBad === true && operation.op === 'delete' ? '' : operation.id;
  if (operation.op === 'delete') return { op: 'delete', id, ...own };
  const { event } = operation;
  const payload = payloadOf(operation);
  return { op: 'apply', id, event, payload, ...expectations(operation), ...own };
}

function inTransaction(
  tx: Transaction,
  operation: Operation,
  steps: Answer[],
  command: Extract<Command, { kind: 'transaction' }>,
): void {
  try {
    steps.push(withoutPlace(step(tx, operation)));
  } catch (error) {
    steps.push(toldOf(error).answer);
    if (!command.isForgiving) throw error;
  }
}

function step(tx: Transaction, operation: Operation): Answer {
  const { instances } = tx;
  if (operation.op === 'create') return shown(instances.create(inputOf(operation)));
  const { id } = operation;
  if (operation.op === 'delete') {
    instances.delete(operation.isBad === true ? '' : id);
    return undefined;
  }
  const options = expectations(operation);
  return shown(instances.apply(id, operation.event, payloadOf(operation), options));
}

/** A result inside a transaction has no place in the log yet; deleting has no result. */
export function withoutPlace(answer: Answer): Answer {
  if (typeof answer !== 'object' || answer === null || 'code' in answer) return answer;
  const { offset: _, applied: __, ...rest } = answer as Record<string, unknown>;
  return 'machine' in rest ? rest : undefined;
}

// ---- answers ------------------------------------------------------------------------------------

function shownResult(command: Command, result: unknown): Answer {
  const { kind } = command;
  if (kind === 'transaction' || kind === 'remove' || kind === 'migrate') return result as Answer;
  if (command.kind === 'batch') return (result as unknown[]).map(shownIn);
  if (command.kind === 'one') return shown(result as object);
  const { name, version, created } = result as Record<string, unknown>;
  return { name, version, created };
}

function shownIn(result: unknown): Answer {
  const { ok, value, error } = result as { ok?: boolean; value?: object; error?: unknown };
  if (ok === undefined) return shown(result as object);
  return ok ? { ok, value: shown(value as object) } : { ok, error: toldOf(error).answer };
}

const FIELDS = [
  'id',
  'machine',
  'version',
  'state',
  'event',
  'from',
  'to',
  'at',
  'createdAt',
  'updatedAt',
  'offset',
  'lastEventId',
  'eventId',
  'deleted',
  'applied',
] as const;

/** A result by its fields, wherever they live. */
function shown(result: object): Answer {
  const answer: Record<string, unknown> = {};
  for (const name of FIELDS)
    if (name in result) answer[name] = (result as Record<string, unknown>)[name];
  if ('context' in result) answer['context'] = contextOf(result);
  return answer;
}

function contextOf(result: { readonly context?: unknown }): unknown {
  try {
    return result.context;
  } catch (error) {
    if (isStoreError(error, 'UNSUPPORTED')) return DROPPED;
    throw error;
  }
}

/** Details a caller would act on. */
const DETAILS = ['reason', 'actual', 'deleted', 'count', 'state', 'machine', 'version'] as const;
const FAILURES = ['WAL_IO_ERROR', 'INTERNAL_ERROR', 'TIMEOUT', 'RATE_LIMITED', 'STORE_CLOSED'];

function toldOf(error: unknown): Told {
  if (error === CHANGED_MIND) return { answer: THROWN };
  if (!isStoreError(error)) throw error;
  const details = error.details as Record<string, unknown>;
  const { code, index } = error;
  const answer: Record<string, unknown> = { code };
  if (index !== undefined) answer['index'] = index;
  if (FAILURES.includes(code)) {
    const { outcome, reopen } = details;
    return { answer: { code, message: error.message }, failure: { code, outcome, reopen } };
  }
  for (const name of DETAILS) {
    const isMeant = code !== 'MACHINE_VERSION_EXISTS' && code !== 'MACHINE_VERSION_LIMIT_EXCEEDED';
    if (isMeant && name in details) answer[name] = details[name];
  }
  if (details['reason'] === 'idempotency-key') answer['offset'] = details['offset'];
  if (code === 'BAD_REQUEST') delete answer['reason'];
  return { answer };
}
