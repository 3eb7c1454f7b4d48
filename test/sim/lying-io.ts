/**
 * A disk that keeps something else than what it was given, and says nothing: one byte of one write
 * to a snapshot that is being made. Only reading it back can tell (F-12).
 */
import type { FileHandle, FileIo } from '../../src/base/file-io.ts';
import { isUnfinishedSnapshot } from '../../src/snapshot/snapshot-name.ts';

export interface Lies {
  /** So many writes from now; 0: it keeps what it is given. */
  countdown: number;
  /** Told so far. */
  told: number;
}

export function lyingFileIo(fileIo: FileIo, lies: Lies): FileIo {
  return {
    ...bound(fileIo),
    open: async (path, mode) => {
      const handle = await fileIo.open(path, mode);
      const name = path.slice(path.lastIndexOf('/') + 1);
      return isUnfinishedSnapshot(name) ? lyingHandle(handle, lies) : handle;
    },
  };
}

/** Its members are of a class, or may be. */
function bound(fileIo: FileIo): FileIo {
  return {
    kind: fileIo.kind,
    hasSyncedWrites: fileIo.hasSyncedWrites,
    open: (path, mode) => fileIo.open(path, mode),
    stat: (path) => fileIo.stat(path),
    list: (path) => fileIo.list(path),
    makeDirectory: (path) => fileIo.makeDirectory(path),
    rename: (from, to) => fileIo.rename(from, to),
    remove: (path) => fileIo.remove(path),
    syncDirectory: (path) => fileIo.syncDirectory(path),
    resolve: (path) => fileIo.resolve(path),
    lockDirectory: (path) => fileIo.lockDirectory(path),
  };
}

function lyingHandle(handle: FileHandle, lies: Lies): FileHandle {
  return {
    path: handle.path,
    read: (into, intoStart, length, position) => handle.read(into, intoStart, length, position),
    readSync: (into, intoStart, length, position) =>
      handle.readSync(into, intoStart, length, position),
    write: (from, fromStart, length, position, done) => {
      if (lies.countdown === 0 || --lies.countdown > 0 || length === 0)
        return handle.write(from, fromStart, length, position, done);
      lies.told++;
      const bytes = from.slice(fromStart, fromStart + length);
      const at = length >> 1;
      bytes[at] = (bytes[at] as number) ^ 4;
      return handle.write(bytes, 0, length, position, done);
    },
    writeSync: (from, fromStart, length, position) =>
      handle.writeSync(from, fromStart, length, position),
    datasync: (done) => handle.datasync(done),
    datasyncSync: () => handle.datasyncSync(),
    sync: () => handle.sync(),
    truncate: (length) => handle.truncate(length),
    stat: () => handle.stat(),
    close: () => handle.close(),
  };
}
