/**
 * A disk that knows written from durable, small on purpose: it keeps a journal of every effect and
 * of every sync, and rebuilds what a kill or a power cut after any entry would leave. More
 * pessimistic than a real one: a synced write makes durable only its own bytes, names survive in
 * any subset unless their directory was synced.
 */
import { dirname } from 'node:path';
import type {
  DirectoryLock,
  FileHandle,
  FileIo,
  FileStat,
  OpenMode,
} from '../../../src/base/file-io.ts';

export type Entry =
  | { k: 'mkdir' | 'remove' | 'syncdir'; path: string }
  | { k: 'create'; path: string; inode: number }
  | { k: 'rename'; path: string; to: string; inode: number }
  | { k: 'write'; inode: number; at: number; bytes: Uint8Array }
  | { k: 'durable'; write: number }
  | { k: 'sync'; inode: number }
  | { k: 'ack'; offset: number };

export type Call =
  | 'open'
  | 'write'
  | 'sync'
  | 'rename'
  | 'remove'
  | 'syncdir'
  | 'mkdir'
  | 'read'
  | 'list'
  | 'stat';
type Files = Map<string, Uint8Array>;

export function osError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

export class SimDisk {
  readonly journal: Entry[] = [];
  readonly start: Map<string, Uint8Array>;
  readonly dirs: Set<string>;
  readonly names = new Map<string, number>();
  readonly inodes: Uint8Array[] = [];
  isLocked = false;
  isHeld = true;
  /** Throws or not, before a call takes effect. */
  fault: (call: Call, path: string) => Error | undefined = () => undefined;
  /** What the current process uses. */
  io: FileIo;
  /** The process dies when the journal has this length: none of its calls does anything or returns after that. */
  dieAt = Number.POSITIVE_INFINITY;
  generation = 0;

  constructor(
    files: Files = new Map(),
    dirs: Iterable<string> = ['/', '/db'],
    hasSyncedWrites = true,
  ) {
    this.start = new Map([...files].map(([path, bytes]) => [path, bytes.slice()]));
    this.dirs = new Set(dirs);
    for (const [path, bytes] of files) {
      this.names.set(path, this.inodes.length);
      this.inodes.push(bytes.slice());
    }
    this.io = mortal(this, fileIo(this, hasSyncedWrites));
  }

  isDead(generation: number): boolean {
    return generation !== this.generation || this.journal.length >= this.dieAt;
  }

  /** The process is gone, the system and what it has in its cache are not: a new process may come. */
  nextProcess(): void {
    this.generation++;
    this.dieAt = Number.POSITIVE_INFINITY;
    this.isLocked = false;
    this.io = mortal(this, fileIo(this, this.io.hasSyncedWrites));
  }

  check(call: Call, path: string): void {
    const error = this.fault(call, path);
    if (error !== undefined) throw error;
  }

  ack(offset: number): void {
    this.journal.push({ k: 'ack', offset });
  }

  /** Files as the running system sees them. */
  files(): Files {
    return new Map(
      [...this.names].map(([path, inode]) => [path, (this.inodes[inode] as Uint8Array).slice()]),
    );
  }

  acked(length: number): number {
    let offset = 0;
    for (const entry of this.journal.slice(0, length)) if (entry.k === 'ack') offset = entry.offset;
    return offset;
  }

  /** The disk after the first `length` entries. `keep` decides about each effect that was not synced. */
  crash(length: number, keep: (index: number, entry: Entry) => boolean | 'torn'): SimDisk {
    const entries = this.journal.slice(0, length);
    const isDurable = durableEntries(entries);
    const names = new Map([...this.start.keys()].map((path, inode) => [path, inode]));
    const inodes: Uint8Array[] = [...this.start.values()].map((bytes) => bytes.slice());
    const dirs = new Set(this.startDirs());
    for (const [i, entry] of entries.entries()) {
      const kept = isDurable.has(i) || keep(i, entry);
      if (entry.k === 'create') inodes[entry.inode] = new Uint8Array(0);
      if (kept === false) continue;
      if (entry.k === 'mkdir') dirs.add(entry.path);
      else if (entry.k === 'create') names.set(entry.path, entry.inode);
      else if (entry.k === 'remove') names.delete(entry.path);
      else if (entry.k === 'rename') {
        if (names.get(entry.path) === entry.inode) names.delete(entry.path);
        names.set(entry.to, entry.inode);
      } else if (entry.k === 'write') {
        const bytes =
          kept === 'torn'
            ? entry.bytes.subarray(0, tearAt(entry.at, entry.bytes.length))
            : entry.bytes;
        inodes[entry.inode] = put(inodes[entry.inode] as Uint8Array, entry.at, bytes);
      }
    }
    const files: Files = new Map();
    for (const [path, inode] of names)
      if (dirs.has(dirname(path))) files.set(path, inodes[inode] as Uint8Array);
    return new SimDisk(files, dirs, this.io.hasSyncedWrites);
  }

  private startDirs(): string[] {
    const made = new Set(
      this.journal.flatMap((entry) => (entry.k === 'mkdir' ? [entry.path] : [])),
    );
    return [...this.dirs].filter((path) => !made.has(path));
  }
}

/** At the first sector boundary inside the write; one that lies in a sector is torn in its middle, which no disk does. */
function tearAt(at: number, length: number): number {
  const sector = (Math.floor(at / 512) + 1) * 512 - at;
  return sector < length && at % 4096 !== 0 ? sector : length >> 7 || length >> 1;
}

function put(content: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  const grown = content.length >= at + bytes.length ? content : new Uint8Array(at + bytes.length);
  if (grown !== content) grown.set(content);
  grown.set(bytes, at);
  return grown;
}

function durableEntries(entries: readonly Entry[]): Set<number> {
  const durable = new Set<number>();
  for (const [i, entry] of entries.entries()) {
    if (entry.k === 'durable') durable.add(entry.write);
    if (entry.k === 'sync')
      for (let j = 0; j < i; j++) if (isWriteTo(entries[j] as Entry, entry.inode)) durable.add(j);
    if (entry.k === 'syncdir')
      for (let j = 0; j < i; j++) if (isNameIn(entries[j] as Entry, entry.path)) durable.add(j);
  }
  return durable;
}

function isWriteTo(entry: Entry, inode: number): boolean {
  return entry.k === 'write' && entry.inode === inode;
}

function isNameIn(entry: Entry, directory: string): boolean {
  const isName =
    entry.k === 'mkdir' || entry.k === 'create' || entry.k === 'remove' || entry.k === 'rename';
  return isName && dirname(entry.path) === directory;
}

/** Indices of entries a power cut after `length` entries may or may not keep. */
export function undecided(disk: SimDisk, length: number): number[] {
  const entries = disk.journal.slice(0, length);
  const durable = durableEntries(entries);
  const effects = new Set(['mkdir', 'create', 'remove', 'rename', 'write']);
  return entries.flatMap((entry, i) => (effects.has(entry.k) && !durable.has(i) ? [i] : []));
}

/** The same, until its process dies: then calls do nothing and promises stay open. */
function mortal(disk: SimDisk, io: FileIo): FileIo {
  const { generation } = disk;
  const isDead = (): boolean => disk.isDead(generation);
  const never = new Promise<never>(() => undefined);
  const alive = <R>(run: () => Promise<R>): Promise<R> => (isDead() ? never : run());
  const file = (handle: FileHandle): FileHandle => ({
    ...handle,
    read: (into, start, length, at) => alive(() => handle.read(into, start, length, at)),
    write: (from, start, length, at, done) => {
      if (!isDead())
        handle.write(from, start, length, at, (error) => void (isDead() || done(error)));
    },
    writeSync: (from, start, length, at) => {
      if (isDead()) throw osError('DEAD');
      handle.writeSync(from, start, length, at);
    },
    datasync: (done) => {
      if (!isDead()) handle.datasync((error) => void (isDead() || done(error)));
    },
    datasyncSync: () => {
      if (isDead()) throw osError('DEAD');
      handle.datasyncSync();
    },
    sync: () => alive(() => handle.sync()),
    truncate: (length) => alive(() => handle.truncate(length)),
    stat: () => alive(() => handle.stat()),
    close: () => alive(() => handle.close()),
  });
  return {
    kind: io.kind,
    hasSyncedWrites: io.hasSyncedWrites,
    open: (path, mode) => alive(async () => file(await io.open(path, mode))),
    stat: (path) => alive(() => io.stat(path)),
    list: (path) => alive(() => io.list(path)),
    makeDirectory: (path) => alive(() => io.makeDirectory(path)),
    rename: (from, to) => alive(() => io.rename(from, to)),
    remove: (path) => alive(() => io.remove(path)),
    syncDirectory: (path) => alive(() => io.syncDirectory(path)),
    resolve: (path) => alive(() => io.resolve(path)),
    lockDirectory: (path) => alive(() => io.lockDirectory(path)),
  };
}

function fileIo(disk: SimDisk, hasSyncedWrites: boolean): FileIo {
  return {
    kind: 'sim',
    hasSyncedWrites,
    async open(path, mode) {
      disk.check('open', path);
      let inode = disk.names.get(path);
      if (mode === 'create') {
        if (inode !== undefined) throw osError('EEXIST');
        if (!disk.dirs.has(dirname(path))) throw osError('ENOENT');
        inode = disk.inodes.push(new Uint8Array(0)) - 1;
        disk.names.set(path, inode);
        disk.journal.push({ k: 'create', path, inode });
      }
      if (inode === undefined) throw osError('ENOENT');
      return openHandle(disk, path, inode, mode);
    },
    async stat(path): Promise<FileStat | undefined> {
      disk.check('stat', path);
      if (disk.dirs.has(path)) return { kind: 'directory', sizeBytes: 0, identity: path };
      const inode = disk.names.get(path);
      if (inode === undefined) return undefined;
      return {
        kind: 'file',
        sizeBytes: (disk.inodes[inode] as Uint8Array).length,
        identity: String(inode),
      };
    },
    async list(directory) {
      disk.check('list', directory);
      return [...disk.names.keys()]
        .filter((path) => dirname(path) === directory)
        .map((path) => path.slice(directory.length + 1))
        .sort();
    },
    async makeDirectory(path) {
      disk.check('mkdir', path);
      if (disk.dirs.has(path)) return false;
      disk.dirs.add(path);
      disk.journal.push({ k: 'mkdir', path });
      return true;
    },
    async rename(from, to) {
      disk.check('rename', from);
      const inode = disk.names.get(from);
      if (inode === undefined) throw osError('ENOENT');
      disk.names.delete(from);
      disk.names.set(to, inode);
      disk.journal.push({ k: 'rename', path: from, to, inode });
    },
    async remove(path) {
      disk.check('remove', path);
      if (!disk.names.delete(path)) throw osError('ENOENT');
      disk.journal.push({ k: 'remove', path });
    },
    async syncDirectory(path) {
      disk.check('syncdir', path);
      disk.journal.push({ k: 'syncdir', path });
    },
    resolve: async (path) => path,
    async lockDirectory(): Promise<DirectoryLock | { heldBy: number }> {
      if (disk.isLocked) return { heldBy: 4242 };
      disk.isLocked = true;
      return {
        isHeld: async () => disk.isHeld,
        release: async () => {
          disk.isLocked = false;
        },
      };
    },
  };
}

function openHandle(disk: SimDisk, opened: string, inode: number, mode: OpenMode): FileHandle {
  const current = (): string =>
    [...disk.names].find(([, number]) => number === inode)?.[0] ?? opened;
  const content = (): Uint8Array => disk.inodes[inode] as Uint8Array;
  const readSync = (
    into: Uint8Array,
    intoStart: number,
    length: number,
    position: number,
  ): number => {
    disk.check('read', current());
    const part = content().subarray(position, position + length);
    into.set(part, intoStart);
    return part.length;
  };
  const begin = (from: Uint8Array, start: number, length: number, at: number): number => {
    if (mode === 'read') throw osError('EBADF');
    const bytes = Uint8Array.from(from.subarray(start, start + length));
    disk.inodes[inode] = put(content(), at, bytes);
    return disk.journal.push({ k: 'write', inode, at, bytes }) - 1;
  };
  const end = (write: number): void => {
    if (mode === 'update-synced') disk.journal.push({ k: 'durable', write });
  };
  const sync = (): void => {
    disk.check('sync', current());
    disk.journal.push({ k: 'sync', inode });
  };
  const answer = (run: () => void, done: (error: Error | null) => void): void => {
    const { generation } = disk;
    queueMicrotask(() => {
      let error: Error | null = null;
      try {
        // A sync that its process did not live to see is none.
        if (!disk.isDead(generation)) run();
      } catch (caught) {
        error = caught as Error;
      }
      done(error);
    });
  };
  return {
    path: opened,
    read: async (into, intoStart, length, position) => readSync(into, intoStart, length, position),
    readSync,
    write(from, start, length, at, done) {
      let write = -1;
      try {
        disk.check('write', current());
        write = begin(from, start, length, at);
      } catch (error) {
        queueMicrotask(() => done(error as Error));
        return;
      }
      answer(() => end(write), done);
    },
    writeSync(from, start, length, at) {
      disk.check('write', current());
      end(begin(from, start, length, at));
    },
    datasync: (done) => answer(sync, done),
    datasyncSync: sync,
    sync: async () => sync(),
    async truncate() {
      throw osError('ENOTSUP');
    },
    stat: async () => ({ kind: 'file', sizeBytes: content().length, identity: String(inode) }),
    close: async () => undefined,
  };
}
