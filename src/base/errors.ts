/**
 * StoreError, the only error class of the package, and the typed view of its details.
 * Relies on error-codes.ts alone. Expected failures are StoreErrors; broken invariants are
 * StoreErrors too (INTERNAL_ERROR, see assert.ts), so a caller has one kind of thing to catch.
 */
import { type ErrorCode, isRetryable } from './error-codes.ts';

export type { ErrorCode } from './error-codes.ts';

/** Machine-readable part of an error, by code. Codes not named here carry an open record. */
export interface ErrorDetails {
  BAD_REQUEST: { path?: string; expected?: string; reason?: string };
  CONFLICT:
    | { reason: 'offset'; expected: number; actual: number }
    | { reason: 'state'; expected: string; actual: string }
    | { reason: 'key-version'; expected: number; actual: number | undefined }
    | { reason: 'idempotency-key'; key: string; offset: number }
    | { reason: 'configuration'; path: string }
    | { reason: 'in-use'; count: number };
  INSTANCE_NOT_FOUND: { id: string; deleted: boolean };
  INSTANCE_EXISTS: { id: string; deleted: boolean };
  INVALID_TRANSITION: { id: string; state: string; event: string; permitted: readonly string[] };
  GUARD_FAILED: { id: string; state: string; event: string; guard: string; failing: string };
  OFFSET_TOO_OLD: { requested: number; oldest: number };
  /** 'not-done': nothing reached the disk. 'unknown': it may be there after reopening; retry only with an idempotency key. */
  WAL_IO_ERROR: {
    outcome: 'not-done' | 'unknown';
    errno?: string;
    path?: string;
    /** The log stopped for good: retry only after opening it again. */
    reopen?: true;
  };
  TIMEOUT: { outcome: 'not-done' | 'unknown' };
  INTERNAL_ERROR: { outcome: 'not-done' | 'unknown' };
  STORE_LOCKED: { pid?: number };
  CORRUPT: { file: string; byteOffset: number; offset?: number };
}

type DetailsOf<C extends ErrorCode> = C extends keyof ErrorDetails
  ? ErrorDetails[C]
  : Readonly<Record<string, unknown>>;

/** Two copies of the package in one process recognise each other's errors by this brand. */
const BRAND: unique symbol = Symbol.for('pawl.StoreError') as never;

/**
 * Every error that leaves the package. Match on `code`, never on `message`.
 * `details` is typed per code through {@link isStoreError}.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: ErrorCode;
  /** True when the same call may be sent again unchanged: nothing of it was done. */
  readonly retryable: boolean;
  readonly details: object;
  /** In a transaction or an atomic batch: which operation failed, from 0. */
  declare readonly index?: number;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: object | undefined; cause?: unknown; index?: number | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
    this.retryable = isRetryable(code, (this.details as { outcome?: unknown }).outcome);
    if (options.index !== undefined) this.index = options.index;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** A StoreError with one of these codes and the details that go with it. */
export type StoreErrorOf<C extends ErrorCode> = {
  [K in C]: StoreError & { readonly code: K; readonly details: DetailsOf<K> };
}[C];
export type AnyStoreError = StoreErrorOf<ErrorCode>;

/**
 * True for a StoreError, of one of the given codes if any are given. Compares by brand, so errors
 * of another copy of the package in the same process count too.
 *
 * @example
 * try { await orders.apply('o-1', 'PAY'); }
 * catch (error) { if (isStoreError(error, 'INVALID_TRANSITION')) console.log(error.details.permitted); else throw error; }
 */
export function isStoreError<C extends ErrorCode = ErrorCode>(
  error: unknown,
  ...codes: readonly C[]
): error is StoreErrorOf<C> {
  if (typeof error !== 'object' || error === null || !(BRAND in error)) return false;
  return codes.length === 0 || codes.includes((error as unknown as StoreError).code as C);
}

/** The error of a malformed argument: which one (`path`), and what was expected. */
export function badRequest(message: string, path?: string, expected?: string): StoreError {
  return new StoreError('BAD_REQUEST', message, {
    details: {
      ...(path === undefined ? {} : { path }),
      ...(expected === undefined ? {} : { expected }),
    },
  });
}
