/**
 * The real disk behind the FileIo port: names, directories and opening; what happens on an open
 * file is in node-file-handle.ts. Uses node:fs itself, not fs-extra: a full descriptor table must
 * be an error at once, where graceful-fs underneath would queue the call and try again later.
 */
import * as nodeFs from 'node:fs';
import { lockDirectory } from './dir-lock.ts';
import { type FileCalls, osError, statOf } from './file-calls.ts';
import type { FileHandle, FileIo, FileStat, OpenMode } from './file-io.ts';
import { openFile } from './node-file-handle.ts';

/**
 * Linux only: elsewhere the flag is missing, leaves the bytes in the drive's cache (macOS), or has
 * not been measured (Windows). There the log writes and syncs in two calls.
 */
const hasSyncedWrites: boolean = process.platform === 'linux';
/** Windows refuses to open directories for syncing; NTFS journals names by itself. */
const canSyncDirectories: boolean = process.platform !== 'win32';

const { O_CREAT, O_DSYNC, O_EXCL, O_RDONLY, O_RDWR } = nodeFs.constants;
const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: O_RDONLY,
  update: O_RDWR,
  'update-synced': O_RDWR | O_DSYNC,
  create: O_RDWR | O_CREAT | O_EXCL,
};

async function open(path: string, mode: OpenMode, calls: FileCalls): Promise<FileHandle> {
  if (mode === 'update-synced' && !hasSyncedWrites) {
    throw osError('ENOTSUP', `no synced writes on ${process.platform}, '${path}'`);
  }
  return openFile(path, FLAGS[mode], calls);
}

async function stat(path: string): Promise<FileStat | undefined> {
  try {
    return statOf(await nodeFs.promises.stat(path, { bigint: true }));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function makeDirectory(path: string): Promise<boolean> {
  try {
    await nodeFs.promises.mkdir(path);
    return true;
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EEXIST';
    if (isTaken && (await stat(path))?.kind === 'directory') return false;
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  if (!canSyncDirectories) return;
  const directory = await nodeFs.promises.open(path, O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The disk as node:fs shows it; `calls` replaces the system calls on open files in tests. */
export function createNodeFileIo(calls: FileCalls = nodeFs): FileIo {
  return {
    kind: 'node',
    hasSyncedWrites,
    open: (path, mode) => open(path, mode, calls),
    stat,
    list: async (directory) => (await nodeFs.promises.readdir(directory)).sort(),
    makeDirectory,
    rename: (from, to) => nodeFs.promises.rename(from, to),
    remove: (path) => nodeFs.promises.unlink(path),
    syncDirectory,
    resolve: (path) => nodeFs.promises.realpath(path),
    lockDirectory: (path) => lockDirectory(path),
  };
}

/** The disk of this machine. */
export const nodeFileIo: FileIo = createNodeFileIo();
