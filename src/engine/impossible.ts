/** What is said when what was read does not go together: record and state, snapshots and log. */
import { isStoreError, StoreError, type StoreErrorOf } from '../base/errors.ts';
import type { SnapshotFile } from '../snapshot/snapshot-file.ts';
import type { BadSnapshot } from './snapshots/load-newest.ts';

/** Of a record that passed its checksums and still cannot be applied. A RangeError tells the reader of a log that its place is to be reported as CORRUPT. */
export function impossible(error: unknown, offset: number): unknown {
  if (isStoreError(error, 'FORMAT_UNSUPPORTED')) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new RangeError(`record ${offset}: ${why}`, { cause: error });
}

/** Without the snapshots that cannot be read, the log alone may not be enough: then they are what is wrong. */
export function explained(
  error: unknown,
  bad: readonly BadSnapshot[],
  used: SnapshotFile | undefined,
): unknown {
  const [newest] = bad;
  if (newest === undefined || used !== undefined || !isStoreError(error, 'CORRUPT')) return error;
  if (newest.error.code === 'WAL_IO_ERROR') return newest.error;
  const { message, details } = newest.error;
  const { file, byteOffset } = details as Partial<StoreErrorOf<'CORRUPT'>['details']>;
  const { file: logFile, byteOffset: logByte } = error.details;
  const reason = message.replace(/; nothing was changed$/, '');
  return new StoreError('CORRUPT', `no snapshot can be used: ${reason}; ${error.message}`, {
    details: { file: file ?? logFile, byteOffset: byteOffset ?? logByte },
    cause: error,
  });
}
