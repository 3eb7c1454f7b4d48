/**
 * The FileIo port: every byte the package reads from or writes to a disk passes through it.
 * `node-file-io.ts` is the real one; tests put a simulated disk here. Failures are the operating
 * system's own errors (with `code`, e.g. 'ENOSPC'); the layers above give them meaning.
 */

/** How a file is opened. The log never opens an existing file of an earlier process for writing. */
export type OpenMode =
  /** Existing file, reading only. */
  | 'read'
  /** Existing file, reading and writing. */
  | 'update'
  /** As update, and every write returns only when its bytes are on the disk (O_DSYNC). UNSUPPORTED platforms reject with code 'ENOTSUP'. */
  | 'update-synced'
  /** Reading and writing; must not exist yet (O_EXCL). */
  | 'create';

export interface FileStat {
  readonly kind: 'file' | 'directory' | 'other';
  readonly sizeBytes: number;
  /** Device and inode, as one text: equal exactly for the same file. */
  readonly identity: string;
}

/** One open file. Positions are bytes from its start; there is no cursor. */
export interface FileHandle {
  readonly path: string;
  /** Bytes read; less than asked only at the end of the file (short reads are continued inside). */
  read(into: Uint8Array, intoStart: number, length: number, position: number): Promise<number>;
  readSync(into: Uint8Array, intoStart: number, length: number, position: number): number;
  /**
   * Writes all bytes (short writes are continued, EINTR and EAGAIN retried within bounds) and calls back once.
   * A callback, not a promise: this is the commit path. The bytes must not change until then.
   */
  write(
    from: Uint8Array,
    fromStart: number,
    length: number,
    position: number,
    done: (error: Error | null) => void,
  ): void;
  /** The same, blocking. */
  writeSync(from: Uint8Array, fromStart: number, length: number, position: number): void;
  /** Content and what is needed to read it back are on the disk (fdatasync; F_FULLFSYNC on macOS). */
  datasync(done: (error: Error | null) => void): void;
  datasyncSync(): void;
  /** Content and all metadata are on the disk (fsync). */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  stat(): Promise<FileStat>;
  close(): Promise<void>;
}

export interface FileIo {
  /** 'node' for the real disk. */
  readonly kind: string;
  /** Do files opened 'update-synced' exist here? Otherwise the log writes and syncs in two calls. */
  readonly hasSyncedWrites: boolean;
  open(path: string, mode: OpenMode): Promise<FileHandle>;
  /** undefined when there is nothing at that path. Follows symbolic links. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Names in a directory, sorted. */
  list(directory: string): Promise<string[]>;
  /** Creates one directory (not its parents); false if it was there already. */
  makeDirectory(path: string): Promise<boolean>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Names created, renamed or removed in this directory so far are on the disk. */
  syncDirectory(path: string): Promise<void>;
  /** The path without symbolic links; the directory must exist. */
  resolve(path: string): Promise<string>;
  /**
   * Takes the exclusive lock of a directory, or says who holds it.
   * Released by `release()` and by the death of the process.
   */
  lockDirectory(path: string): Promise<DirectoryLock | { readonly heldBy: number | undefined }>;
}

export interface DirectoryLock {
  /** Is the lock file still the one that was taken? False once the directory was deleted or replaced. */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}
