/** What a batch is given: checked before anything is encoded, and fingerprinted for its key. */
import { ByteWriter } from '../base/bytes.ts';
import { badRequest, isStoreError, StoreError } from '../base/errors.ts';
import { fingerprint } from '../value/fingerprint.ts';
import { writeValue } from '../value/write-value.ts';
import type { WriteOptions } from './api/instance.ts';
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

export function checkOperations(
  operations: unknown,
  options: BatchOptions | undefined,
): asserts operations is readonly BatchOperation[] {
  if (!Array.isArray(operations))
    throw badRequest(
      `operations must be an array, not ${describe(operations)}`,
      'operations',
      'array',
    );
  for (const [index, operation] of operations.entries()) {
    const path = `operations[${index}]`;
    if (typeof operation !== 'object' || operation === null)
      throw badRequest(`${path} must be an object`, path, 'object');
    const { idempotencyKey } = operation as BatchOperation;
    if (options?.idempotencyKey !== undefined && idempotencyKey !== undefined) {
      throw badRequest(
        'the batch or its operations may have idempotency keys, not both',
        `${path}.idempotencyKey`,
      );
    }
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

export function takeFingerprint(
  operations: readonly BatchOperation[],
  isBestEffort: boolean,
  into: Uint32Array,
): void {
  const all = new ByteWriter(1024);
  const plain = operations.map((operation) =>
    Object.fromEntries(Object.entries(operation).filter(([, value]) => value !== undefined)),
  );
  writeValue(all, [isBestEffort, plain], 'operations');
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
