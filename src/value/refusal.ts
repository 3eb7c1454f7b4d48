/**
 * Why a value cannot be stored, and the error that says so. A refusal travels back up the walk and
 * gathers its path on the way, so that success pays nothing for paths.
 */
import { StoreError } from '../base/errors.ts';
import { MAX_VALUE_BYTES } from './format.ts';

/** Why a value cannot be stored, and where below the root. */
export interface Refusal {
  readonly path: string;
  readonly reason: string;
  readonly cause?: unknown;
}

export const TOO_LARGE: Refusal = Object.freeze({ path: '', reason: 'too large' });
export const EXPECTED_ROOT: string = 'a plain object';
export const EXPECTED: string =
  'null, boolean, finite number, 64-bit bigint, well-formed string, array or plain object';

export function refuse(reason: string, cause?: unknown): Refusal {
  return { path: '', reason, cause };
}

/** The same refusal, seen from the object or array around it. */
export function below(step: string, refusal: Refusal): Refusal {
  return refusal === TOO_LARGE ? TOO_LARGE : { ...refusal, path: step + refusal.path };
}

/** One step of a path; a long key is cut. */
export function stepOf(key: string): string {
  if (/^[\p{ID_Start}$_][\p{ID_Continue}$_]{0,63}$/u.test(key)) return `.${key}`;
  return `[${JSON.stringify(key.length > 64 ? `${key.slice(0, 64)}...` : key)}]`;
}

/** The error for the caller, whose name for the whole value is `root`. */
export function errorOf(refusal: Refusal, root: string, expected: string): StoreError {
  if (refusal === TOO_LARGE) {
    return new StoreError(
      'RECORD_TOO_LARGE',
      `${root} is larger than ${MAX_VALUE_BYTES} bytes encoded`,
      {
        details: { path: root, limit: MAX_VALUE_BYTES },
      },
    );
  }
  const { reason, cause } = refusal;
  const path = root + refusal.path;
  return new StoreError('BAD_REQUEST', `${path} ${reason}; expected ${expected}`, {
    details: { path, expected, reason },
    cause,
  });
}
