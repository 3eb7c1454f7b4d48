/** One writer per directory: the lock, or an error that says who has it; and its return. */
import { StoreError } from '../src/base/errors.ts';
import type { DirectoryLock, FileIo } from '../src/base/file-io.ts';
import { ioError } from './log-error.ts';

/** @throws {StoreError} WAL_IO_ERROR */
export async function releaseLock(lock: DirectoryLock, directory: string): Promise<void> {
  try {
    await lock.release();
  } catch (error) {
    throw ioError(error, 'giving back the lock', directory);
  }
}

/** @throws {StoreError} STORE_LOCKED, WAL_IO_ERROR */
export async function takeLock(fileIo: FileIo, directory: string): Promise<DirectoryLock> {
  let lock: DirectoryLock | { readonly heldBy: number | undefined };
  try {
    lock = await fileIo.lockDirectory(directory);
  } catch (error) {
    throw ioError(error, 'locking', directory);
  }
  if (!('heldBy' in lock)) return lock;
  const { heldBy: pid } = lock;
  const who =
    pid === undefined ? 'another process' : pid === process.pid ? 'this process' : `process ${pid}`;
  throw new StoreError('STORE_LOCKED', `'${directory}' is open for writing by ${who}`, {
    details: pid === undefined ? {} : { pid },
  });
}
