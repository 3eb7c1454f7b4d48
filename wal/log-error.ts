/**
 * The errors of a log in one place: what the operating system says becomes WAL_IO_ERROR with its
 * errno, what the checksums say becomes CORRUPT with the place.
 */
import { StoreError, isStoreError } from '../src/base/errors.ts';
import { FORMAT_VERSION } from './format.ts';

export type Outcome = 'not-done' | 'unknown';

/**
 * A failed file call. A StoreError passes through as it is; what has no errno did not come from
 * the operating system and is a bug, of ours or of the layer above.
 */
export function ioError(
  cause: unknown,
  what: string,
  path: string,
  outcome: Outcome = 'not-done',
): StoreError {
  if (isStoreError(cause)) return cause;
  const errno = (cause as { code?: unknown } | null)?.code;
  if (typeof errno === 'string')
    return new StoreError('WAL_IO_ERROR', `${what} failed on '${path}' (${errno})`, {
      details: { outcome, path, errno },
      cause,
    });
  return new StoreError('INTERNAL_ERROR', `${what} failed on '${path}': ${String(cause)}`, {
    details: { outcome, path },
    cause,
  });
}

/** The same failure, told to somebody of whose command nothing was written. */
export function asNotDone(error: StoreError): StoreError {
  const details = { ...error.details, outcome: 'not-done' };
  const message = `${error.message}; nothing of it was written`;
  return new StoreError(error.code, message, { details, cause: error });
}

/** `byteOffset` counts from the start of the file; `offset` is the first record that cannot be read. */
export function corrupt(
  file: string,
  byteOffset: number,
  reason: string,
  offset?: number,
): StoreError {
  const details = { file, byteOffset, ...(offset === undefined ? {} : { offset }) };
  return new StoreError(
    'CORRUPT',
    `${file} at byte ${byteOffset}: ${reason}; nothing was changed`,
    { details },
  );
}

export function unsupportedFormat(file: string, version: number, supported: number): StoreError {
  return new StoreError(
    'FORMAT_UNSUPPORTED',
    `${file} has format version ${version}, this package reads version ${supported}; nothing was changed`,
    {
      details: { file, version, supported },
    },
  );
}

/** A sealed frame of a version or kind that is not ours: a newer package wrote it. */
export function unsupportedFrame(
  file: string,
  frame: { readonly version: number; readonly kind: number },
): StoreError {
  const { version, kind } = frame;
  if (version !== FORMAT_VERSION) return unsupportedFormat(file, version, FORMAT_VERSION);
  return new StoreError(
    'FORMAT_UNSUPPORTED',
    `${file} holds a frame of kind ${kind}, which this package does not know; nothing was changed`,
    { details: { file, what: 'frame kind', value: kind } },
  );
}

/** What every later command is told. */
export function stopped(failure: StoreError): StoreError {
  const details = { ...failure.details, outcome: 'not-done', reopen: true };
  return new StoreError(
    failure.code,
    `the log stopped after a failure and must be opened again: ${failure.message}`,
    { details, cause: failure },
  );
}

export function logClosed(): StoreError {
  return new StoreError('STORE_CLOSED', 'the log is closed');
}
