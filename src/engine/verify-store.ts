/** Reads a store from end to end without changing anything, and says what is wrong with it. */
import type { FileIo } from '../base/file-io.ts';
import { digestOf } from '../state/digest.ts';
import type { VerifyReport } from './api/store.ts';
import { foldLog } from './fold-log.ts';
import { checkPlace } from './place.ts';

/**
 * Verifies every byte and every record of a store, log and snapshots, and that the two agree. Only reads, needs no lock, and works on a store
 * that `openStore` refuses. A last write that was interrupted is no problem: opening drops it.
 *
 * @param directory of the store.
 * @returns `problems` is empty exactly when `ok`; each has file, byte and record in its details.
 *   `lastOffset` is the last record that can be read, and that `repairStore` would keep.
 * @throws {StoreError} NOT_FOUND - there is no store; BAD_REQUEST - that is not a directory.
 * @example
 * const { ok, problems } = await verifyStore('./data');
 * for (const problem of problems) console.error(problem.message);
 */
export async function verifyStore(
  directory: string,
  options: { readonly fileIo?: FileIo | undefined } = {},
): Promise<VerifyReport> {
  const { fileIo } = checkPlace(directory, options);
  const { log, state, problems, isFolded } = await foldLog(directory, {
    fileIo,
    isThorough: true,
  });
  const lastOffset = isFolded ? log.lastOffset : state.offset;
  const ok = problems.length === 0;
  return { ok, lastOffset, problems, ...(ok ? { digest: digestOf(state) } : {}) };
}
