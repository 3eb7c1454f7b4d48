/**
 * Checks of single values a caller passes besides the payload. Rejected means untouched: everything
 * here runs before anything is encoded.
 */
import { badRequest, isStoreError, StoreError } from '../base/errors.ts';
import { isWellFormed } from '../machine/name.ts';
import { LIMITS } from './limits.ts';

/** Names and ids: non-empty, well-formed, at most 1,024 UTF-8 bytes. @throws {StoreError} BAD_REQUEST */
export function checkName(
  value: unknown,
  path: string,
  maxBytes: number = LIMITS.nameBytes,
): string {
  if (typeof value !== 'string')
    throw badRequest(`${path} must be a string, not ${describe(value)}`, path, 'string');
  if (value.length === 0) throw badRequest(`${path} must not be empty`, path, 'non-empty string');
  if (value.length * 3 > maxBytes && Buffer.byteLength(value, 'utf8') > maxBytes) {
    throw badRequest(
      `${path} exceeds ${maxBytes} bytes of UTF-8`,
      path,
      `at most ${maxBytes} bytes`,
    );
  }
  if (!isWellFormed(value))
    throw badRequest(`${path} holds a lone surrogate`, path, 'well-formed Unicode');
  return value;
}

export function describe(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : typeof value;
}

/** The options bag itself. */
export function checkObject<T extends object>(value: T | undefined, path: string): T | undefined {
  if (
    value !== undefined &&
    (typeof value !== 'object' || value === null || Array.isArray(value))
  ) {
    throw badRequest(`${path} must be an object, not ${describe(value)}`, path, 'object');
  }
  return value;
}

/**
 * A copy of the caller's own fields, each read once, so that what was checked is what is used.
 * @throws {StoreError} BAD_REQUEST - not an object of fields, or it threw
 */
export function ownFields<T extends object>(value: T | undefined, path: string): T | undefined {
  if (value === undefined) return undefined;
  try {
    const kind = Object.prototype.toString.call(value);
    if (checkObject(value, path) !== undefined && kind === '[object Object]') return { ...value };
    throw badRequest(`${path} must be a plain object, not ${kind.slice(8, -1)}`, path, 'object');
  } catch (error) {
    throw asRefusal(error, path);
  }
}

/** A time as stored: integer milliseconds since the epoch, negative ones before 1970. */
export function checkTime(value: unknown, path: string): number {
  if (!Number.isSafeInteger(value)) {
    throw badRequest(
      `${path} must be integer milliseconds since the epoch, not ${describe(value)}`,
      path,
      'integer milliseconds',
    );
  }
  return value as number;
}

/** @throws {StoreError} BAD_REQUEST, TIMEOUT - already aborted. */
export function checkSignal(signal: AbortSignal): AbortSignal {
  if (
    typeof signal !== 'object' ||
    signal === null ||
    typeof signal.addEventListener !== 'function'
  ) {
    throw badRequest('options.signal must be an AbortSignal', 'options.signal', 'AbortSignal');
  }
  if (signal.aborted)
    throw new StoreError('TIMEOUT', 'aborted before it was decided', {
      details: { outcome: 'not-done' },
      cause: signal.reason,
    });
  return signal;
}

/** Ends the wait when the signal does: the command was decided, so it may be in the log. */
export function withSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => {
      reject(
        new StoreError('TIMEOUT', 'stopped waiting; the write may still be done', {
          details: { outcome: 'unknown' },
          cause: signal.reason,
        }),
      );
    };
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Whatever a getter or proxy of the caller threw becomes a BAD_REQUEST with that as its cause. */
export function asRefusal(error: unknown, path: string): unknown {
  if (isStoreError(error)) return error;
  return new StoreError('BAD_REQUEST', `${path} threw while it was read`, {
    details: { path, reason: 'threw while it was read' },
    cause: error,
  });
}

/** @throws {StoreError} BAD_REQUEST */
export function checkVersion(version: unknown, path: string = 'version'): number | undefined {
  if (version === undefined) return undefined;
  const isVersion = Number.isInteger(version) && (version as number) >= 0;
  if (isVersion && (version as number) <= 0xffffffff) return version as number;
  throw badRequest(`${path} must be an integer from 0 to 4294967295`, path, 'integer');
}

/** The one option of `compact`. @throws {StoreError} BAD_REQUEST */
export function checkForce(options: { readonly force?: unknown } | undefined): boolean {
  const own = ownFields(options, 'options') ?? {};
  for (const [name, value] of Object.entries(own)) {
    if (name !== 'force') throw badRequest(`options.${name} is no option`, `options.${name}`);
    if (value === undefined || typeof value === 'boolean') continue;
    throw badRequest('options.force must be a boolean', 'options.force', 'boolean');
  }
  return own.force === true;
}
