/**
 * The codes a StoreError may carry. A code is never renamed and never reused.
 * Only codes marked retryable may be retried, and then only when nothing reached the disk
 * (`details.outcome` is 'not-done'). docs/errors.md has one heading per code; a test compares.
 */
const CODES = {
  BAD_REQUEST: false,
  NOT_FOUND: false,
  CONFLICT: false,
  MACHINE_NOT_FOUND: false,
  MACHINE_VERSION_EXISTS: false,
  MACHINE_VERSION_LIMIT_EXCEEDED: false,
  INSTANCE_NOT_FOUND: false,
  INSTANCE_EXISTS: false,
  INVALID_TRANSITION: false,
  GUARD_FAILED: false,
  WAL_IO_ERROR: true,
  CORRUPT: false,
  RECORD_TOO_LARGE: false,
  OFFSET_TOO_OLD: false,
  STORE_CLOSED: false,
  STORE_LOCKED: false,
  NOT_INITIALIZED: false,
  PERSISTENCE_DISABLED: false,
  NAMESPACE_EXISTS: false,
  NAMESPACE_NOT_FOUND: false,
  NAMESPACE_LIMIT: false,
  KEY_NOT_FOUND: false,
  KEY_LIMIT: false,
  VALUE_TOO_LARGE: false,
  VERSION_NOT_FOUND: false,
  ENCRYPTION_KEY_REQUIRED: false,
  DECRYPT_FAILED: false,
  NOT_A_SECRET: false,
  SNAPSHOT_NOT_FOUND: false,
  AUTOSAVE_EXISTS: false,
  AUTOSAVE_NOT_FOUND: false,
  COLLECTION_EXISTS: false,
  COLLECTION_NOT_FOUND: false,
  VECTOR_EXISTS: false,
  VECTOR_NOT_FOUND: false,
  DIMENSION_MISMATCH: false,
  INVALID_VECTOR: false,
  QUOTA_EXCEEDED: false,
  RATE_LIMITED: true,
  FORMAT_UNSUPPORTED: false,
  VALIDATION_FAILED: false,
  UNSUPPORTED: false,
  TIMEOUT: true,
  INTERNAL_ERROR: true,
} as const;

export type ErrorCode = keyof typeof CODES;

/** Every code, in the order of the table above. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(CODES) as ErrorCode[];

/** May an operation that failed with this code and outcome be sent again as it was? */
export function isRetryable(code: ErrorCode, outcome: unknown): boolean {
  if (!CODES[code]) return false;
  return code === 'RATE_LIMITED' || outcome === 'not-done';
}
