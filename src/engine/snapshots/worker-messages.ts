/** What the snapshot worker and the thread of the store say to each other. */
import { isStoreError, StoreError, type ErrorCode } from '../../base/errors.ts';
import type { CatalogueEntry } from '../../snapshot/catalogue.ts';
import type { SnapshotTask } from './make-snapshot.ts';

/** Memory both see, as 32-bit integers. */
export const SHARED = {
  /** Counts the frames the log accepted while the job runs. */
  frames: 0,
  /** Never changes: waiting on it is a sleep. */
  never: 1,
  bytes: 8,
} as const;

export interface WorkerRequest {
  readonly task: SnapshotTask;
  readonly shared: Int32Array;
}

export type WorkerAnswer =
  /** It runs, and may be asked. */
  { readonly isReady: true } | { readonly made: CatalogueEntry } | { readonly error: PlainError };

/** An error as data: classes do not survive the way between threads. */
export interface PlainError {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly details: object;
  readonly stack: string | undefined;
}

export function plainError(error: unknown): PlainError {
  if (isStoreError(error)) {
    const { code, message, details, stack } = error;
    return { code, message, details: { ...details }, stack };
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { code: undefined, message, details: {}, stack };
}

export function errorOf({ code, message, details, stack }: PlainError): Error {
  if (code !== undefined) return new StoreError(code, message, { details });
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  return new StoreError('INTERNAL_ERROR', `taking a snapshot failed: ${message}`, {
    details: { outcome: 'not-done' },
    cause,
  });
}
