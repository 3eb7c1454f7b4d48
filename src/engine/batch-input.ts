/** What a batch is given: checked before anything is encoded, and fingerprinted for its key. */
import { ByteWriter } from '../base/bytes.ts';
import { badRequest, isStoreError, StoreError } from '../base/errors.ts';
import { fingerprint } from '../value/fingerprint.ts';
import { ARRAY32 } from '../value/format.ts';
import { writeValue } from '../value/write-value.ts';
import type { WriteOptions } from './api/instance.ts';
import type { Inherited } from './call.ts';
import type { BatchMode, BatchOperation } from './api/transaction.ts';
import { describe } from './write-options.ts';

export type BatchOptions = WriteOptions & { mode?: BatchMode | undefined };

/** Is it 'best_effort'? @throws {StoreError} BAD_REQUEST */
export function checkMode(mode: unknown): boolean {
  if (mode === undefined || mode === 'atomic') return false;
  if (mode === 'best_effort') return true;
  throw badRequest(
    "mode must be 'atomic' or 'best_effort'",
    'options.mode',
    'atomic or best_effort',
  );
}

/** Everything a batch was given, copied and checked. */
export interface BatchPlan {
  readonly operations: readonly BatchOperation[];
  readonly isBestEffort: boolean;
  readonly fingerprint: Uint32Array;
  readonly inherited: Inherited;
}

export type CreateOperation = Extract<BatchOperation, { op: 'create' }>;
export type ApplyOperation = Extract<BatchOperation, { op: 'apply' }>;
export type DeleteOperation = Extract<BatchOperation, { op: 'delete' }>;

const FIELDS: Readonly<Record<BatchOperation['op'], ReadonlySet<string>>> = {
  create: new Set(['op', 'machine', 'version', 'id', 'context', 'idempotencyKey']),
  apply: new Set([
    'op',
    'id',
    'event',
    'payload',
    'expectedState',
    'expectedOffset',
    'eventId',
    'idempotencyKey',
  ]),
  delete: new Set(['op', 'id', 'idempotencyKey']),
};

/** The known fields of each operation, read once. @throws {StoreError} BAD_REQUEST, UNSUPPORTED */
export function copyOperations(
  operations: unknown,
  options: BatchOptions | undefined,
): BatchOperation[] {
  if (!Array.isArray(operations))
    throw badRequest(
      `operations must be an array, not ${describe(operations)}`,
      'operations',
      'array',
    );
  return Array.from(operations as readonly unknown[], (operation, index) => {
    try {
      return copyOne(operation, index, options);
    } catch (error) {
      throw atIndex(error, index);
    }
  });
}

function copyOne(
  operation: unknown,
  index: number,
  options: BatchOptions | undefined,
): BatchOperation {
  if (typeof operation !== 'object' || operation === null) {
    const path = `operations[${index}]`;
    throw badRequest(`${path} must be an object`, path, 'object');
  }
  const copy = copyOperation(operation as Record<string, unknown>);
  if (options?.idempotencyKey !== undefined && copy.idempotencyKey !== undefined) {
    const message = 'the batch or its operations may have idempotency keys, not both';
    throw badRequest(message, `operations[${index}].idempotencyKey`);
  }
  return copy;
}

/** An operation of an unknown kind keeps only its name: it is refused in its turn. */
function copyOperation(operation: Record<string, unknown>): BatchOperation {
  const op = operation['op'];
  switch (op) {
    case 'create':
      return copyCreate(operation as unknown as CreateOperation);
    case 'apply':
      return copyApply(operation as unknown as ApplyOperation);
    case 'delete':
      return copyDelete(operation as unknown as DeleteOperation);
    default:
      return { op } as unknown as BatchOperation;
  }
}

function copyCreate(operation: CreateOperation): CreateOperation {
  checkFields('create', operation);
  const { machine, version, id, context, idempotencyKey } = operation;
  return { op: 'create', machine, version, id, context, idempotencyKey };
}

function copyApply(operation: ApplyOperation): ApplyOperation {
  checkFields('apply', operation);
  const { id, event, payload, expectedState, expectedOffset, eventId, idempotencyKey } = operation;
  return {
    op: 'apply',
    id,
    event,
    payload,
    expectedState,
    expectedOffset,
    eventId,
    idempotencyKey,
  };
}

function copyDelete(operation: DeleteOperation): DeleteOperation {
  checkFields('delete', operation);
  const { id, idempotencyKey } = operation;
  return { op: 'delete', id, idempotencyKey };
}

/** A misspelt guard against doing things twice must not go unnoticed. @throws {StoreError} BAD_REQUEST */
function checkFields(op: BatchOperation['op'], operation: object): void {
  const known = FIELDS[op];
  for (const name in operation) {
    if (!known.has(name)) throw badRequest(`a ${op} has no field ${JSON.stringify(name)}`, name);
  }
}

export function unknownOperation(op: unknown): StoreError {
  if (op === 'set' || op === 'unset')
    return new StoreError('UNSUPPORTED', `operation ${op} is not supported yet`, {
      details: { path: 'op' },
    });
  return badRequest(
    `op must be 'create', 'apply' or 'delete', not ${describe(op)} ${String(op)}`,
    'op',
  );
}

/** Over mode and operations as one flat list, so that a payload may be as deep as outside a batch. */
export function takeFingerprint(
  operations: readonly BatchOperation[],
  isBestEffort: boolean,
  into: Uint32Array,
): void {
  const all = new ByteWriter(1024);
  const fields = operations.map((operation) =>
    Object.entries(operation).filter(([, value]) => value !== undefined),
  );
  const count = 1 + fields.reduce((sum, one) => sum + 1 + 2 * one.length, 0);
  all.u8(ARRAY32);
  for (let shift = 24; shift >= 0; shift -= 8) all.u8((count >>> shift) & 255);
  writeValue(all, isBestEffort, 'mode');
  for (const [index, one] of fields.entries()) {
    writeValue(all, one.length, 'operations');
    for (const [name, value] of one) {
      writeValue(all, name, 'operations');
      const start = all.position;
      try {
        writeValue(all, value, name);
      } catch (error) {
        if (!isBestEffort) throw atIndex(error, index);
        // Refused in its turn, like any other; what it was cannot be told from another such value.
        all.position = start;
        writeValue(all, null, name);
      }
    }
  }
  fingerprint(all.bytes, 0, all.position, into);
}

/** The same error, saying which operation it is about. */
export function atIndex(error: unknown, index: number): unknown {
  if (!isStoreError(error)) return error;
  return new StoreError(error.code, `operation ${index}: ${error.message}`, {
    details: error.details,
    cause: error.cause,
    index,
  });
}
