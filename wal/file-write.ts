/** Promises around the callbacks of a FileHandle, for everything that is not the commit path. */
import type { FileHandle } from '../src/base/file-io.ts';

export function writeAll(
  handle: FileHandle,
  bytes: Uint8Array,
  start: number,
  length: number,
  position: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    handle.write(bytes, start, length, position, (error) =>
      error === null ? resolve() : reject(error),
    );
  });
}

export function datasync(handle: FileHandle): Promise<void> {
  return new Promise((resolve, reject) => {
    handle.datasync((error) => (error === null ? resolve() : reject(error)));
  });
}
