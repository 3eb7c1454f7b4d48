/**
 * Reads the chunks of a snapshot file and verifies each: in long runs ahead of whoever takes them,
 * or a single one, blocking, when a context is touched that is not in memory.
 */
import { StoreError } from '../base/errors.ts';
import { crc32c } from '../base/crc32c.ts';
import type { FileHandle } from '../base/file-io.ts';
import { corrupt, ioError } from '../../wal/log-error.ts';
import type { ChunkEntry } from './file-layout.ts';
import { RUN_BYTES, SNAPSHOT_HEADER } from './format.ts';

/** Runs read at the same time where each has bytes of its own: much of a read is the kernel finding fresh memory. */
const RUNS_AHEAD = 3;

/** Consecutive chunks, by their numbers. */
interface Run {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

export class ChunkReads {
  readonly entries: readonly ChunkEntry[];
  private readonly handle: FileHandle;
  private readonly name: string;
  private readonly seed: number;
  private readonly positions: Float64Array;
  private isClosed = false;

  constructor(handle: FileHandle, name: string, seed: number, entries: readonly ChunkEntry[]) {
    this.handle = handle;
    this.name = name;
    this.seed = seed;
    this.entries = entries;
    this.positions = new Float64Array(entries.length);
    let position: number = SNAPSHOT_HEADER.size;
    entries.forEach(({ length }, chunk) => {
      this.positions[chunk] = position;
      position += length;
    });
  }

  /** Where a chunk starts in the file. */
  positionOf(chunk: number): number {
    return this.positions[chunk] as number;
  }

  /**
   * Gives every wanted chunk, verified, in the order of the file. The bytes are the caller's for good;
   * with `isReused` they hold until the promise that `take` may give resolves.
   */
  async each(
    isWanted: (entry: ChunkEntry, chunk: number) => boolean,
    take: (chunk: number, entry: ChunkEntry, bytes: Buffer) => Promise<void> | void,
    { isReused = false }: { readonly isReused?: boolean } = {},
  ): Promise<void> {
    const runs = this.runs(isWanted);
    const spares: Buffer[] = [];
    const ahead: Promise<Buffer>[] = [];
    const readAhead = (): void => {
      const run = runs[started];
      if (run === undefined) return;
      started++;
      const reading = this.startRead(run, spares.pop());
      // It may fail before anybody waits for it.
      reading.catch(() => undefined);
      ahead.push(reading);
    };
    let started = 0;
    for (let i = 0; i < (isReused ? 1 : RUNS_AHEAD); i++) readAhead();
    try {
      for (const run of runs) {
        const bytes = (await ahead.shift()) as Buffer;
        // The next one is read while this one is taken.
        readAhead();
        let at = 0;
        for (let chunk = run.from; chunk < run.to; chunk++) {
          const entry = this.entries[chunk] as ChunkEntry;
          this.check(chunk, bytes, at, at + entry.length);
          const view = bytes.subarray(at, at + entry.length);
          // What is kept holds no more than itself: chunks of a run may be let go one by one.
          const taken = take(chunk, entry, isReused ? view : copyOf(view));
          if (taken !== undefined) await taken;
          at += entry.length;
        }
        spares.push(bytes);
      }
    } catch (error) {
      await Promise.allSettled(ahead);
      throw error;
    }
  }

  private runs(isWanted: (entry: ChunkEntry, chunk: number) => boolean): Run[] {
    const runs: Run[] = [];
    for (let from = 0; from < this.entries.length;) {
      const kind = this.entries[from]?.kind;
      let bytes = 0;
      let to = from;
      for (; to < this.entries.length; to++) {
        const entry = this.entries[to] as ChunkEntry;
        // One kind per run: they live and die together.
        if (!isWanted(entry, to) || (to > from && entry.kind !== kind)) break;
        if (bytes > 0 && bytes + entry.length > RUN_BYTES) break;
        bytes += entry.length;
      }
      if (to > from) runs.push({ from, to, bytes });
      else to++;
      from = to;
    }
    return runs;
  }

  private async startRead(run: Run, spare: Buffer | undefined): Promise<Buffer> {
    const isFit = spare !== undefined && spare.length >= run.bytes;
    const bytes = isFit ? spare : Buffer.allocUnsafeSlow(run.bytes);
    let count: number;
    try {
      count = await this.handle.read(bytes, 0, run.bytes, this.positionOf(run.from));
    } catch (error) {
      throw ioError(error, 'reading a snapshot', this.handle.path);
    }
    if (count < run.bytes) throw corrupt(this.name, this.positionOf(run.from), 'it ends too early');
    return bytes;
  }

  /** One chunk, in a buffer of its own. Blocks. @throws {StoreError} CORRUPT, WAL_IO_ERROR, STORE_CLOSED */
  readNow(chunk: number): Buffer {
    if (this.isClosed) throw new StoreError('STORE_CLOSED', `${this.name} was closed`);
    const { length } = this.entries[chunk] as ChunkEntry;
    const bytes = Buffer.allocUnsafeSlow(length);
    let count: number;
    try {
      count = this.handle.readSync(bytes, 0, length, this.positionOf(chunk));
    } catch (error) {
      throw ioError(error, 'reading a snapshot', this.handle.path);
    }
    if (count < length) throw corrupt(this.name, this.positionOf(chunk), 'it ends too early');
    this.check(chunk, bytes, 0, length);
    return bytes;
  }

  private check(chunk: number, bytes: Buffer, start: number, end: number): void {
    const { crc } = this.entries[chunk] as ChunkEntry;
    if (crc32c(bytes, start, end, this.seed) === crc) return;
    throw corrupt(this.name, this.positionOf(chunk), 'a chunk of the snapshot does not verify');
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.handle.close();
  }
}

function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
