/**
 * The system calls under an open file, and how their outcomes are read: what is worth another
 * try, how far one call reaches, what a stat says. The only file that knows node:fs's shapes.
 */
import type { FileStat } from './file-io.ts';
import { GiB } from './units.ts';

export type Done = (error: Error | null) => void;
export type Counted = (error: Error | null, count: number) => void;

/** What of node's BigIntStats is looked at. */
export interface RawStat {
  isFile(): boolean;
  isDirectory(): boolean;
  readonly size: bigint;
  readonly dev: bigint;
  readonly ino: bigint;
}

/** The system calls made on an open file, as node:fs has them; a simulated disk puts its own here. */
export interface FileCalls {
  read(
    fd: number,
    into: Uint8Array,
    start: number,
    length: number,
    position: number,
    done: Counted,
  ): void;
  readSync(fd: number, into: Uint8Array, start: number, length: number, position: number): number;
  write(
    fd: number,
    from: Uint8Array,
    start: number,
    length: number,
    position: number,
    done: Counted,
  ): void;
  writeSync(fd: number, from: Uint8Array, start: number, length: number, position: number): number;
  fsync(fd: number, done: Done): void;
  fsyncSync(fd: number): void;
  fdatasync(fd: number, done: Done): void;
  fdatasyncSync(fd: number): void;
  ftruncate(fd: number, length: number, done: Done): void;
  fstat(
    fd: number,
    options: { bigint: true },
    done: (error: Error | null, stats: RawStat) => void,
  ): void;
  close(fd: number, done: Done): void;
}

/** Node takes at most 2^31-1 bytes in one call; longer requests are continued like short ones. */
export const MAX_CALL_BYTES: number = GiB;
/** Calls in a row that may end without progress before the request fails. */
export const MAX_STALLS = 16;
/** Only fsync reaches the platters on macOS: libuv makes F_FULLFSYNC of it. */
export const needsFullSync: boolean = process.platform === 'darwin';

/** An error in the shape the operating system's own have. */
export function osError(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}

export function statOf(stats: RawStat): FileStat {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other';
  return { kind, sizeBytes: Number(stats.size), identity: `${stats.dev}:${stats.ino}` };
}

export function isInterruption(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EINTR' || code === 'EAGAIN';
}
