/**
 * The FileIo port over a simulated disk: what one process sees of it. Open files are those of the
 * real port (node-file-handle.ts) over simulated system calls, so that short and interrupted calls
 * meet the code that handles them on a real disk. When the process dies, nothing is answered any more.
 */
import { dirname, normalize } from 'node:path';
import type { DirectoryLock, FileHandle, FileIo, FileStat, OpenMode } from '../base/file-io.ts';
import { NodeFileHandle } from '../base/node-file-handle.ts';
import type { SimDisk } from './sim-disk.ts';
import { type Call, pathError } from './sim-faults.ts';
import { SimCalls } from './sim-calls.ts';

/** Who holds the lock of a simulated disk, for those who do not. */
const OTHER_PID = 4242;

export function simFileIo(disk: SimDisk): FileIo {
  return new SimFileIo(disk);
}

class SimFileIo implements FileIo {
  readonly kind = 'sim';
  readonly hasSyncedWrites: boolean;
  private readonly disk: SimDisk;
  private readonly generation: number;
  private readonly calls: SimCalls;

  constructor(disk: SimDisk) {
    this.disk = disk;
    this.generation = disk.generation;
    this.hasSyncedWrites = disk.hasSyncedWrites;
    this.calls = new SimCalls(disk);
  }

  open(path: string, mode: OpenMode): Promise<FileHandle> {
    const { disk, calls } = this;
    return this.run(mode === 'create' ? 'create' : 'open', path, () => {
      if (mode === 'update-synced' && !disk.hasSyncedWrites)
        throw pathError('ENOTSUP', 'open', path);
      const file = disk.image.names.get(path);
      if (mode !== 'create') {
        if (disk.image.directories.has(path)) throw pathError('EISDIR', 'open', path);
        if (file === undefined) throw pathError('ENOENT', 'open', path);
        return new NodeFileHandle(path, calls.open(file, path, mode), calls);
      }
      if (file !== undefined || disk.image.directories.has(path))
        throw pathError('EEXIST', 'create', path);
      this.checkParent('create', path);
      const created = disk.image.nextFile;
      disk.add({ kind: 'create', path, file: created });
      return new NodeFileHandle(path, calls.open(created, path, mode), calls);
    });
  }

  stat(path: string): Promise<FileStat | undefined> {
    const { image } = this.disk;
    return this.run('stat', path, (): FileStat | undefined => {
      if (image.directories.has(path)) return { kind: 'directory', sizeBytes: 0, identity: path };
      const file = image.names.get(path);
      if (file === undefined) return undefined;
      return { kind: 'file', sizeBytes: image.content(file).length, identity: `1:${file}` };
    });
  }

  list(directory: string): Promise<string[]> {
    const { image } = this.disk;
    return this.run('list', directory, () => {
      if (image.names.has(directory)) throw pathError('ENOTDIR', 'list', directory);
      if (!image.directories.has(directory)) throw pathError('ENOENT', 'list', directory);
      const inside = [...image.names.keys(), ...image.directories].filter(
        (path) => path !== '/' && dirname(path) === directory,
      );
      return inside.map((path) => path.slice(path.lastIndexOf('/') + 1)).sort();
    });
  }

  makeDirectory(path: string): Promise<boolean> {
    const { disk } = this;
    return this.run('mkdir', path, () => {
      if (disk.image.directories.has(path)) return false;
      if (disk.image.names.has(path)) throw pathError('EEXIST', 'mkdir', path);
      this.checkParent('mkdir', path);
      disk.add({ kind: 'mkdir', path });
      return true;
    });
  }

  rename(from: string, to: string): Promise<void> {
    const { disk } = this;
    return this.run('rename', from, () => {
      const file = disk.image.names.get(from);
      // Nothing here has to move a directory; a test that does is told so.
      if (disk.image.directories.has(from)) throw pathError('ENOTSUP', 'rename', from);
      if (file === undefined) throw pathError('ENOENT', 'rename', from);
      this.checkParent('rename', to);
      if (disk.image.directories.has(to)) throw pathError('EISDIR', 'rename', to);
      disk.add({ kind: 'rename', path: from, to, file });
    });
  }

  remove(path: string): Promise<void> {
    const { disk } = this;
    return this.run('remove', path, () => {
      const file = disk.image.names.get(path);
      if (disk.image.directories.has(path)) throw pathError('EISDIR', 'remove', path);
      if (file === undefined) throw pathError('ENOENT', 'remove', path);
      disk.add({ kind: 'remove', path, file });
    });
  }

  syncDirectory(path: string): Promise<void> {
    const { disk } = this;
    const before = disk.journal.length;
    return this.run('syncdir', path, () => {
      if (!disk.image.directories.has(path)) throw pathError('ENOENT', 'syncdir', path);
      disk.journal.push({ kind: 'syncdir', path, before });
    });
  }

  resolve(path: string): Promise<string> {
    const { directories, names } = this.disk.image;
    return this.run('stat', path, () => {
      const resolved = path.length > 1 ? normalize(path).replace(/\/+$/, '') : path;
      if (directories.has(resolved) || names.has(resolved)) return resolved;
      throw pathError('ENOENT', 'stat', path);
    });
  }

  lockDirectory(path: string): Promise<DirectoryLock | { readonly heldBy: number }> {
    const { disk } = this;
    return this.run('lock', path, (): DirectoryLock | { heldBy: number } => {
      if (!disk.image.directories.has(path)) throw pathError('ENOENT', 'lock', path);
      if (disk.isLockedAt(path)) return { heldBy: OTHER_PID };
      disk.locks.add(path);
      let isReleased = false;
      const release = (): void => {
        if (!isReleased) disk.locks.delete(path);
        isReleased = true;
      };
      return {
        isHeld: () => this.run('stat', path, () => !isReleased && disk.isHeld),
        release: () => this.run('close', path, release),
      };
    });
  }

  /** A name needs a directory to be in. */
  private checkParent(call: Call, path: string): void {
    const { directories, names } = this.disk.image;
    const parent = dirname(path);
    if (names.has(parent)) throw pathError('ENOTDIR', call, path);
    if (!directories.has(parent)) throw pathError('ENOENT', call, path);
  }

  /** Makes a call when its time comes; a dead process learns nothing of it. */
  private run<R>(call: Call, path: string, effect: () => R): Promise<R> {
    const { disk, generation } = this;
    if (disk.isDead(generation)) return NEVER;
    const outcome = disk.decide(call, path);
    return new Promise<R>((resolve, reject) => {
      const make = (): void => {
        let error = outcome?.error;
        let result: R | undefined;
        try {
          if (error === undefined || outcome?.tookEffect === true) result = effect();
        } catch (failure) {
          error = failure as Error;
        }
        // It may have been the last thing the process did.
        if (disk.isDead(generation)) return;
        if (error === undefined) resolve(result as R);
        else reject(error);
      };
      if (disk.scheduler === undefined && outcome === undefined) make();
      else this.calls.later(outcome, make);
    });
  }
}

const NEVER: Promise<never> = new Promise<never>(() => undefined);
