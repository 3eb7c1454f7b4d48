/** Makes a damaged store openable again, on request only. */
import type { FileIo } from '../base/file-io.ts';
import { repairLog } from '../../wal/repair.ts';
import { checkPlace } from './place.ts';
import type { Offset } from './api/instance.ts';

/** What a repair did. */
export interface RepairStoreReport {
  /** Bytes of the log that could not be kept; they are in `savedTo`. */
  readonly bytesRemoved: number;
  /** Last record kept: every one up to it is there. */
  readonly lastOffset: Offset;
  /** Directory with copies of all files that were changed or removed; '' when nothing was wrong. */
  readonly savedTo: string;
}

/**
 * Cuts what cannot be read, after saving it under `savedTo`. Records that can still be proved are
 * kept, those behind the first one lost cannot be. Never done by `openStore`. May be run again
 * after a crash, and does nothing to a store that opens.
 *
 * @param directory of the store.
 * @throws {StoreError} STORE_LOCKED - a writer lives.
 * @throws {StoreError} NOT_FOUND - there is no store; BAD_REQUEST - that is not a directory.
 * @throws {StoreError} WAL_IO_ERROR - the disk gives errors: copy the store elsewhere first; FORMAT_UNSUPPORTED.
 * @example
 * const { lastOffset, savedTo } = await repairStore('./data');
 */
export async function repairStore(
  directory: string,
  options: { readonly fileIo?: FileIo | undefined } = {},
): Promise<RepairStoreReport> {
  const { fileIo } = checkPlace(directory, options);
  const { bytesRemoved, lastOffset, savedTo } = await repairLog(directory, { fileIo });
  return { bytesRemoved, lastOffset, savedTo };
}
