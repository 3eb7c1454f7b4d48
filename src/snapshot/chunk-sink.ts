/**
 * Takes chunks and writes them to a file in runs of about a megabyte, each of one kind, so that
 * every kind is read in long pieces. Chunks of a kind lie in the file in the order they were added.
 */
import { crc32c } from '../base/crc32c.ts';
import { ByteWriter } from '../base/bytes.ts';
import type { FileHandle } from '../base/file-io.ts';
import { MiB } from '../base/units.ts';
import { datasync, writeAll } from '../../wal/file-write.ts';
import type { ChunkEntry } from './file-layout.ts';
import { CHUNK_ALIGNMENT, type ChunkKind, RUN_BYTES } from './format.ts';

/** Dirty pages between two syncs: a sync of the log must not wait for much of ours. */
const SYNC_BYTES: number = 4 * MiB;

/** Chunks that were not written yet. */
class Run {
  readonly out: ByteWriter = new ByteWriter(4096);
  entries: ChunkEntry[] = [];
}

export class ChunkSink {
  /** Of the chunks that were written, in the order of the file. */
  readonly entries: ChunkEntry[] = [];
  private readonly handle: FileHandle;
  private readonly seed: number;
  private readonly runs = new Map<ChunkKind, Run>();
  private position: number;
  private unsynced = 0;

  constructor(handle: FileHandle, position: number, seed: number) {
    this.handle = handle;
    this.position = position;
    this.seed = seed;
  }

  /** Where a chunk is to be put together: write, then {@link end}. */
  begin(kind: ChunkKind): ByteWriter {
    return this.runOf(kind).out;
  }

  private runOf(kind: ChunkKind): Run {
    let run = this.runs.get(kind);
    if (run === undefined) {
      run = new Run();
      this.runs.set(kind, run);
    }
    return run;
  }

  /** The bytes from `start` on are a chunk of so many things. */
  end(kind: ChunkKind, start: number, count: number): void {
    const run = this.runOf(kind);
    const { out } = run;
    while ((out.position - start) % CHUNK_ALIGNMENT !== 0) out.u8(0);
    const crc = crc32c(out.bytes, start, out.position, this.seed);
    run.entries.push({ crc, length: out.position - start, kind, count });
  }

  add(kind: ChunkKind, count: number, bytes: Uint8Array, start: number, end: number): void {
    const out = this.begin(kind);
    const at = out.position;
    out.raw(bytes, start, end);
    this.end(kind, at, count);
  }

  /** Writes what has become a run. */
  async drain(): Promise<void> {
    for (const run of this.runs.values()) if (run.out.position >= RUN_BYTES) await this.write(run);
  }

  /** Writes what there is: it comes before whatever is added from now on. */
  async flush(): Promise<void> {
    for (const run of this.runs.values()) await this.write(run);
  }

  /** Writes the rest. Gives the end of the last chunk. */
  async finish(): Promise<number> {
    await this.flush();
    return this.position;
  }

  private async write(run: Run): Promise<void> {
    const { out } = run;
    const length = out.position;
    if (length === 0) return;
    await writeAll(this.handle, out.bytes, 0, length, this.position);
    this.entries.push(...run.entries);
    run.entries = [];
    this.position += length;
    this.unsynced += length;
    out.position = 0;
    out.trim(2 * RUN_BYTES);
    if (this.unsynced < SYNC_BYTES) return;
    this.unsynced = 0;
    await datasync(this.handle);
  }
}
