/** Reads a store from end to end without changing anything, and says what is wrong with it. */
import { isStoreError, StoreError } from '../base/errors.ts';
import type { FileIo } from '../base/file-io.ts';
import { nodeFileIo } from '../base/node-file-io.ts';
import { scanLog } from '../../wal/scan.ts';
import type { VerifyReport } from './api/store.ts';

export async function verifyStore(
  directory: string,
  options: { readonly fileIo?: FileIo | undefined } = {},
): Promise<VerifyReport> {
  try {
    const report = await scanLog(options.fileIo ?? nodeFileIo, directory, {});
    if (report === undefined)
      throw new StoreError('NOT_FOUND', `there is no store in '${directory}'`);
    return { ok: true, lastOffset: report.end.offset, problems: [] };
  } catch (error) {
    if (!isStoreError(error)) throw error;
    return { ok: false, lastOffset: 0, problems: [error] };
  }
}
