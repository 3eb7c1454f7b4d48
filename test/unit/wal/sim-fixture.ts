/** Around the simulated disk in tests of the log: its errors, what was told, and ports of which some calls are others. */
import { osError as errorOf } from '../../../src/base/file-calls.ts';
import type { FileHandle, FileIo } from '../../../src/base/file-io.ts';
import type { Effect, SimDisk, Survival } from 'pawl/testing';

const SECTOR = 512;
const PAGE = 4096;

export function osError(code: string): Error {
  return errorOf(code, 'simulated');
}

/** The offset told last before the entry with this number, 0 when none was. */
export function lastTold(disk: SimDisk, length: number): number {
  const told = disk.told(length).at(-1) ?? 0;
  if (typeof told !== 'number') throw new Error('something else than an offset was told');
  return told;
}

/** Bytes of a file the running system sees; other after the next write. */
export function viewOf(disk: SimDisk, path: string): Uint8Array {
  return disk.image.content(fileAt(disk, path)).view();
}

/** Gives a file other bytes behind the back of those who have it open. */
export function replace(disk: SimDisk, path: string, bytes: Uint8Array): void {
  const content = disk.image.content(fileAt(disk, path));
  content.resize(bytes.length);
  content.write(bytes, 0);
}

/** Flips bits of one byte behind the back of those who have the file open. */
export function flipAt(disk: SimDisk, path: string, at: number, bits = 1): void {
  const content = disk.image.content(fileAt(disk, path));
  content.write(Uint8Array.of((content.view()[at] as number) ^ bits), at);
}

/** Puts a file there that nobody created; its name is in no journal. */
export function place(disk: SimDisk, path: string, bytes: Uint8Array): void {
  const file = disk.image.nextFile++;
  disk.image.content(file).write(bytes, 0);
  disk.image.names.set(path, file);
}

/**
 * A write torn where no disk that writes whole sectors tears it, but a log must stand it: at the
 * first sector boundary in it, or in the middle of its only sector.
 */
export function tear(effect: Effect): Survival {
  if (effect.kind !== 'write') return 'whole';
  const { at, bytes } = effect;
  const sector = (Math.floor(at / SECTOR) + 1) * SECTOR - at;
  const isLonger = sector < bytes.length && at % PAGE !== 0;
  const kept = isLonger ? sector : bytes.length >> 7 || bytes.length >> 1;
  // The bits repeat: of a write with more than 32 such pieces every 32nd is kept as well.
  // That is so for a page at the begin of a file, whose first piece is half a segment header.
  return kept === 0 ? 'none' : { sectorBytes: at + kept, sectors: 1 };
}

function fileAt(disk: SimDisk, path: string): number {
  const file = disk.image.names.get(path);
  if (file === undefined) throw new Error(`no file ${path}`);
  return file;
}

export function changedIo(io: FileIo, changes: Partial<FileIo>): FileIo {
  return {
    kind: io.kind,
    hasSyncedWrites: io.hasSyncedWrites,
    open: (path, mode) => io.open(path, mode),
    stat: (path) => io.stat(path),
    list: (path) => io.list(path),
    makeDirectory: (path) => io.makeDirectory(path),
    rename: (from, to) => io.rename(from, to),
    remove: (path) => io.remove(path),
    syncDirectory: (path) => io.syncDirectory(path),
    resolve: (path) => io.resolve(path),
    lockDirectory: (path) => io.lockDirectory(path),
    ...changes,
  };
}

export function changedHandle(handle: FileHandle, changes: Partial<FileHandle>): FileHandle {
  return {
    path: handle.path,
    read: (into, start, length, at) => handle.read(into, start, length, at),
    readSync: (into, start, length, at) => handle.readSync(into, start, length, at),
    write: (from, start, length, at, done) => handle.write(from, start, length, at, done),
    writeSync: (from, start, length, at) => handle.writeSync(from, start, length, at),
    datasync: (done) => handle.datasync(done),
    datasyncSync: () => handle.datasyncSync(),
    sync: () => handle.sync(),
    truncate: (length) => handle.truncate(length),
    stat: () => handle.stat(),
    close: () => handle.close(),
    ...changes,
  };
}
