/** Records that follow from their offset, and a disk that counts what is open and read and can hold writes back. */
import { expect } from 'vitest';
import type { FileHandle, FileIo } from '../../../src/base/file-io.ts';
import { isStoreError } from '../../../src/base/errors.ts';
import { type Log, type LogOptions, type LogReader, openLog } from '../../../wal/index.ts';
import { recordOf, turns } from './log-driver.ts';
import { changedHandle, changedIo } from './sim-fixture.ts';
import { SimDisk } from 'pawl/testing';

/** Content of a record: its offset, and a length that varies with it. */
export function content(offset: number): Uint8Array {
  return recordOf(offset, 8 + ((offset * 37) % 200));
}

/** Is that what was appended there? expect() is too slow for so many. */
export function check(record: { readonly offset: number; readonly bytes: Uint8Array }): void {
  const isSame = Buffer.compare(record.bytes, content(record.offset)) === 0;
  if (!isSame) throw new Error(`record ${record.offset} has other content`);
}

export class WatchedIo {
  readonly disk: SimDisk;
  readonly io: FileIo;
  readonly openForReading = new Set<FileHandle>();
  opened = 0;
  bytesRead = 0;
  private held: (() => void)[] | undefined;

  constructor(disk: SimDisk = SimDisk.of()) {
    this.disk = disk;
    this.io = changedIo(disk.fileIo, {
      open: async (path, mode) => {
        const handle = await disk.fileIo.open(path, mode);
        return mode === 'read' ? this.watch(handle) : this.gate(handle);
      },
    });
  }

  private watch(handle: FileHandle): FileHandle {
    this.opened++;
    this.openForReading.add(handle);
    return changedHandle(handle, {
      read: async (...args) => {
        const length = await handle.read(...args);
        this.bytesRead += length;
        return length;
      },
      close: async () => {
        this.openForReading.delete(handle);
        await handle.close();
      },
    });
  }

  private gate(handle: FileHandle): FileHandle {
    const pass = (run: () => void): void => {
      if (this.held === undefined) run();
      else this.held.push(run);
    };
    return changedHandle(handle, {
      write: (from, start, length, at, done) =>
        pass(() => handle.write(from, start, length, at, done)),
      datasync: (done) => pass(() => handle.datasync(done)),
    });
  }

  /** Writes and syncs do not begin until let go. */
  hold(): void {
    this.held = [];
  }
  letGo(): void {
    const runs = this.held ?? [];
    this.held = undefined;
    for (const run of runs) run();
  }
}

/** A log of small segments on a simulated disk; a lone append never blocks, so writes can be held. */
export async function openSim(io: FileIo, options: LogOptions = {}): Promise<Log> {
  return openLog('/db', { fileIo: io, segmentBytes: 4096, blockingSync: false, ...options });
}

/** Appends commits of these sizes; checks that offsets follow. */
export async function fill(log: Log, sizes: readonly number[]): Promise<void> {
  let next = log.lastOffset + 1;
  const promises = sizes.map((size) => {
    const first = next;
    next += size;
    const records = Array.from({ length: size }, (_, i) => content(first + i));
    return size === 1 ? log.append(records[0] as Uint8Array) : log.appendMany(records);
  });
  const offsets = await Promise.all(promises);
  expect(offsets.at(-1)).toBe(next - 1);
}

export const ones = (count: number): number[] => new Array<number>(count).fill(1);

/** Everything a log gives, page by page; checks offsets and content. */
export async function readAll(log: LogReader, limit = 1000): Promise<number[]> {
  const offsets: number[] = [];
  for (let from = log.firstOffset; from <= log.lastOffset;) {
    const page = await log.read({ from, limit });
    for (const record of page.records) {
      check(record);
      offsets.push(record.offset);
    }
    if (page.next <= from) throw new Error(`no progress at ${from}`);
    from = page.next;
  }
  const count = log.lastOffset - log.firstOffset + 1;
  expect(offsets).toEqual(Array.from({ length: count }, (_, i) => log.firstOffset + i));
  return offsets;
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await failureOf(promise);
  return isStoreError(error) ? error.code : String(error);
}

export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => `resolved to ${String(value)}`,
    (error: unknown) => error,
  );
}

export { SimDisk, turns };
