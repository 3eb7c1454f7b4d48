/**
 * A disk that can only be read, as a FileIo: the files of one image and nothing between them and
 * the caller. Reading a crash state this way costs a fraction of what the simulated disk takes,
 * and any attempt to change something fails.
 */
import type { DirectoryLock, FileHandle, FileIo, FileStat } from '../../src/base/file-io.ts';
import { osError } from '../../src/base/file-calls.ts';
import type { DiskImage } from '../../src/testing/sim-image.ts';

export const DIRECTORY = '/db';
const PREFIX = `${DIRECTORY}/`;

/** Files of the directory by path, as they lie in an image: not to be changed. */
export function filesOf(image: DiskImage): Map<string, Uint8Array> | undefined {
  if (!image.directories.has(DIRECTORY)) return undefined;
  const files = new Map<string, Uint8Array>();
  for (const [path, file] of image.names)
    if (path.startsWith(PREFIX)) files.set(path, image.content(file).view());
  return files;
}

export class FrozenIo implements FileIo {
  readonly kind = 'frozen';
  readonly hasSyncedWrites = true;
  /** undefined: there is no directory. */
  files: ReadonlyMap<string, Uint8Array> | undefined;

  constructor(files?: ReadonlyMap<string, Uint8Array>) {
    this.files = files;
  }

  open(path: string): Promise<FileHandle> {
    const bytes = this.files?.get(path);
    return bytes === undefined ? absent(path) : Promise.resolve(new FrozenHandle(path, bytes));
  }

  stat(path: string): Promise<FileStat | undefined> {
    const bytes = this.files?.get(path);
    if (bytes !== undefined)
      return Promise.resolve({ kind: 'file', sizeBytes: bytes.length, identity: path });
    if (path !== DIRECTORY || this.files === undefined) return NOTHING;
    return Promise.resolve({ kind: 'directory', sizeBytes: 0, identity: path });
  }

  list(directory: string): Promise<string[]> {
    if (directory !== DIRECTORY || this.files === undefined) return absent(directory);
    const names: string[] = [];
    for (const path of this.files.keys()) {
      const name = path.slice(PREFIX.length);
      const slash = name.indexOf('/');
      const top = slash < 0 ? name : name.slice(0, slash);
      if (!names.includes(top)) names.push(top);
    }
    return Promise.resolve(names.sort());
  }

  resolve(path: string): Promise<string> {
    return Promise.resolve(path);
  }
  makeDirectory(path: string): Promise<boolean> {
    return refused(path);
  }
  rename(path: string): Promise<void> {
    return refused(path);
  }
  remove(path: string): Promise<void> {
    return refused(path);
  }
  syncDirectory(path: string): Promise<void> {
    return refused(path);
  }
  lockDirectory(path: string): Promise<DirectoryLock> {
    return refused(path);
  }
}

class FrozenHandle implements FileHandle {
  readonly path: string;
  private readonly bytes: Uint8Array;

  constructor(path: string, bytes: Uint8Array) {
    this.path = path;
    this.bytes = bytes;
  }

  readSync(into: Uint8Array, start: number, length: number, position: number): number {
    const { bytes } = this;
    const count = Math.max(0, Math.min(length, bytes.length - position));
    if (count > 0) into.set(bytes.subarray(position, position + count), start);
    return count;
  }
  read(into: Uint8Array, start: number, length: number, position: number): Promise<number> {
    return Promise.resolve(this.readSync(into, start, length, position));
  }
  stat(): Promise<FileStat> {
    return Promise.resolve({ kind: 'file', sizeBytes: this.bytes.length, identity: this.path });
  }
  close(): Promise<void> {
    return DONE;
  }
  write(): void {
    throw readOnly(this.path);
  }
  writeSync(): void {
    throw readOnly(this.path);
  }
  datasync(): void {
    throw readOnly(this.path);
  }
  datasyncSync(): void {
    throw readOnly(this.path);
  }
  sync(): Promise<void> {
    return refused(this.path);
  }
  truncate(): Promise<void> {
    return refused(this.path);
  }
}

const DONE: Promise<void> = Promise.resolve();
const NOTHING: Promise<undefined> = Promise.resolve(undefined);

function readOnly(path: string): Error {
  return osError('EROFS', `a frozen disk is not to be changed: '${path}'`);
}

function refused(path: string): Promise<never> {
  return Promise.reject(readOnly(path));
}

function absent(path: string): Promise<never> {
  return Promise.reject(osError('ENOENT', path));
}
