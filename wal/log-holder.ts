/** Who has a log open for writing, for those who do not take its lock. */
import type { FileIo } from '../src/base/file-io.ts';
import { holderOf } from '../src/base/lock-holder.ts';
import { ioError } from './log-error.ts';

/**
 * The process that writes to the log; undefined when nobody does, or its owner is provably dead.
 * @throws {StoreError} WAL_IO_ERROR
 */
export async function logHolder(
  fileIo: FileIo,
  directory: string,
): Promise<{ readonly pid: number } | undefined> {
  try {
    return await holderOf(fileIo, directory);
  } catch (error) {
    throw ioError(error, 'looking at the lock', directory);
  }
}
