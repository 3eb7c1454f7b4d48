/**
 * One snapshot file, open for reading: what its header says, the state in it, its verification.
 * Header, directory and footer are verified on opening; a chunk whenever it is read.
 */
import { basename } from 'node:path';
import { invariant } from '../base/assert.ts';
import { crc32c } from '../base/crc32c.ts';
import { StoreError, isStoreError } from '../base/errors.ts';
import type { FileHandle, FileIo } from '../base/file-io.ts';
import type { ArenaSource } from '../base/slab.ts';
import type { State } from '../state/state.ts';
import { corrupt, ioError, unsupportedFormat } from '../../wal/log-error.ts';
import { ChunkReads } from './chunk-reads.ts';
import {
  type ChunkEntry,
  type SnapshotHeader,
  decodeFooter,
  decodeHeader,
  footerChecksum,
  headerCrcOf,
  hasAnnounced,
} from './file-layout.ts';
import {
  CHUNK,
  CHUNK_ALIGNMENT,
  CHUNK_ENTRY,
  SNAPSHOT_FOOTER,
  SNAPSHOT_HEADER,
  SNAPSHOT_VERSION,
} from './format.ts';
import { StateLoader, isLate } from './load-state.ts';
import { isOfIndexes } from './snapshot-seed.ts';
import { snapshotOffset } from './snapshot-name.ts';

export interface SnapshotFile {
  readonly name: string;
  readonly path: string;
  readonly offset: number;
  readonly time: number;
  /** Latest commit time up to the offset: the snapshot may serve times from here on. */
  readonly maxTime: number;
  readonly storeId: Uint8Array;
  readonly sizeBytes: number;
  /** Of the footer, which covers all the others. */
  readonly checksum: number;
  /** Deleted ones included. */
  readonly instances: number;
  /**
   * Into a fresh State; one that this failed on must not be used. 'lazy' keeps the file open and
   * reads contexts on first touch; 'now' reads and verifies all. Everything else is read and verified
   * here, and unpacked when it is touched. What is told of indexes may be damaged, see `indexFailure`.
   * @throws {StoreError} CORRUPT, WAL_IO_ERROR
   */
  load(state: State, contexts: 'lazy' | 'now'): Promise<void>;
  /** Unpacks a slice of the rows and tables that nobody touched yet; false when all are there. */
  unpackMore(): boolean;
  /** Reads the contexts that nobody touched yet, in pieces that leave the thread to others. @throws as load() */
  loadContexts(): Promise<void>;
  /** Why nothing is told of indexes any more, if so: they are built from the contexts. */
  readonly indexFailure: StoreError | undefined;
  /** Reads every chunk; `pause` is awaited after each. @throws {StoreError} CORRUPT at the first bad one */
  verify(pause?: () => Promise<void>): Promise<void>;
  /** Contexts of a lazily loaded state that nobody touched yet cannot be read any more. */
  close(): Promise<void>;
}

/**
 * Header, directory and footer are verified. `storeId` undefined: of any store.
 * @throws {StoreError} CORRUPT, FORMAT_UNSUPPORTED, NOT_FOUND, WAL_IO_ERROR
 */
export async function openSnapshot(
  fileIo: FileIo,
  path: string,
  storeId: Uint8Array | undefined,
): Promise<SnapshotFile> {
  let handle: FileHandle;
  try {
    handle = await fileIo.open(path, 'read');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT')
      throw new StoreError('NOT_FOUND', `there is no snapshot '${path}'`, {
        details: { path },
        cause: error,
      });
    throw ioError(error, 'opening a snapshot', path);
  }
  try {
    return await readFrame(handle, path, storeId);
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw ioError(error, 'reading a snapshot', path);
  }
}

async function readFrame(
  handle: FileHandle,
  path: string,
  storeId: Uint8Array | undefined,
): Promise<SnapshotFile> {
  const name = basename(path);
  const { sizeBytes } = await handle.stat();
  const head = await readAt(handle, 0, SNAPSHOT_HEADER.size);
  const header = decodeHeader(head);
  if (header === undefined) throw corrupt(name, 0, 'the header of the snapshot does not verify');
  if (typeof header === 'number') throw unsupportedFormat(name, header, SNAPSHOT_VERSION);
  if (storeId !== undefined && Buffer.compare(storeId, header.storeId) !== 0)
    throw corrupt(name, SNAPSHOT_HEADER.storeId, 'it is a snapshot of another store');
  const named = snapshotOffset(name);
  if (named !== undefined && named !== header.offset)
    throw corrupt(name, SNAPSHOT_HEADER.offset, `it is the snapshot of offset ${header.offset}`);

  const seed = headerCrcOf(head);
  const footerAt = sizeBytes - SNAPSHOT_FOOTER.size;
  const end = await readAt(handle, Math.max(0, footerAt), SNAPSHOT_FOOTER.size);
  const footer = end.length < SNAPSHOT_FOOTER.size ? undefined : decodeFooter(end, seed);
  if (footer === undefined || footer.sizeBytes !== sizeBytes)
    throw corrupt(name, Math.max(0, footerAt), 'the footer of the snapshot does not verify');
  const directoryAt = footerAt - footer.chunks * CHUNK_ENTRY.size;
  const directory =
    directoryAt < SNAPSHOT_HEADER.size
      ? Buffer.alloc(0)
      : await readAt(handle, directoryAt, footerAt - directoryAt);
  const isWhole = directory.length === footer.chunks * CHUNK_ENTRY.size;
  if (!isWhole || crc32c(directory, 0, directory.length, seed) !== footer.directoryCrc)
    throw corrupt(name, Math.max(0, directoryAt), 'the directory of the snapshot does not verify');
  const entries = entriesOf(directory, name, directoryAt);
  if (!hasAnnounced(header, entries))
    throw corrupt(name, SNAPSHOT_HEADER.rows, 'the header announces other chunks than there are');
  const reads = new ChunkReads(handle, name, seed, entries);
  return new OpenSnapshot(path, header, reads, { sizeBytes, checksum: footerChecksum(end) });
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const count = await handle.read(bytes, 0, length, position);
  return bytes.subarray(0, count);
}

/** The chunks fill the file from the header to the directory. */
function entriesOf(directory: Buffer, name: string, directoryAt: number): ChunkEntry[] {
  const kinds = new Set<number>(Object.values(CHUNK));
  const entries: ChunkEntry[] = [];
  let position: number = SNAPSHOT_HEADER.size;
  for (let at = 0; at < directory.length; at += CHUNK_ENTRY.size) {
    const entry = {
      crc: directory.readUInt32LE(at + CHUNK_ENTRY.crc),
      length: directory.readUInt32LE(at + CHUNK_ENTRY.length),
      kind: directory.readUInt32LE(at + CHUNK_ENTRY.kind),
      count: directory.readUInt32LE(at + CHUNK_ENTRY.count),
    };
    if (!kinds.has(entry.kind))
      throw new StoreError(
        'FORMAT_UNSUPPORTED',
        `${name} holds a chunk of kind ${entry.kind}, which this package does not know; nothing was changed`,
        { details: { file: name, what: 'chunk kind', value: entry.kind } },
      );
    if (entry.length % CHUNK_ALIGNMENT !== 0)
      throw corrupt(name, directoryAt + at, 'a chunk has an impossible length');
    entries.push(entry);
    position += entry.length;
  }
  if (position !== directoryAt)
    throw corrupt(name, directoryAt, 'the chunks of the snapshot do not fill it');
  return entries;
}

class OpenSnapshot implements SnapshotFile, ArenaSource {
  readonly name: string;
  readonly path: string;
  readonly offset: number;
  readonly time: number;
  readonly maxTime: number;
  readonly storeId: Uint8Array;
  readonly sizeBytes: number;
  readonly checksum: number;
  readonly instances: number;
  private readonly header: SnapshotHeader;
  private readonly reads: ChunkReads;
  private loader: StateLoader | undefined;

  constructor(
    path: string,
    header: SnapshotHeader,
    reads: ChunkReads,
    end: { readonly sizeBytes: number; readonly checksum: number },
  ) {
    this.name = basename(path);
    this.path = path;
    this.offset = header.offset;
    this.time = header.time;
    this.maxTime = header.maxTime;
    this.storeId = header.storeId;
    this.instances = header.instances;
    this.sizeBytes = end.sizeBytes;
    this.checksum = end.checksum;
    this.header = header;
    this.reads = reads;
  }

  async load(state: State, contexts: 'lazy' | 'now'): Promise<void> {
    const isFresh = state.offset === 0 && state.instances.rows.rows === 0;
    invariant(
      isFresh && this.loader === undefined,
      'a snapshot is loaded once, into a fresh state',
    );
    const loader = new StateLoader(state, this.header, this.reads.entries, this);
    await this.reads.each(
      ({ kind }) => !isLate(kind),
      (chunk, entry, bytes) => this.takeChunk(loader, chunk, entry, bytes),
    );
    if (!loader.finish()) throw this.senseless(0);
    this.loader = loader;
    if (contexts === 'lazy') return;
    await this.reads.each(
      ({ kind }) => isLate(kind) && !isOfIndexes(kind),
      (chunk, entry, bytes) => this.takeChunk(loader, chunk, entry, bytes),
    );
    loader.seed.loadAll();
  }

  private takeChunk(loader: StateLoader, chunk: number, entry: ChunkEntry, bytes: Buffer): void {
    let isTaken: boolean;
    try {
      isTaken = loader.take(chunk, entry, bytes);
    } catch (error) {
      if (isStoreError(error) && error.code !== 'INTERNAL_ERROR') throw error;
      throw this.senseless(chunk, error);
    }
    if (!isTaken) throw this.senseless(chunk);
  }

  /** It verified, and yet it is no state: only a bug writes that. */
  private senseless(chunk: number, cause?: unknown): StoreError {
    const at = this.reads.entries.length === 0 ? 0 : this.reads.positionOf(chunk);
    const why = cause instanceof Error ? `: ${cause.message}` : '';
    return corrupt(this.name, at, `what the snapshot holds makes no sense${why}`);
  }

  /** @internal the heap asks for what was touched */
  loadArena(block: number): Buffer {
    return this.reads.readNow(block);
  }

  get indexFailure(): StoreError | undefined {
    return this.loader?.seed.failure;
  }

  unpackMore(): boolean {
    return this.loader?.unpackMore() ?? false;
  }

  async loadContexts(): Promise<void> {
    const { loader } = this;
    if (loader === undefined) return;
    await this.reads.each(
      (entry, chunk) => loader.isWaiting(chunk, entry),
      (chunk, entry, bytes) => this.takeChunk(loader, chunk, entry, bytes),
    );
  }

  async verify(pause?: () => Promise<void>): Promise<void> {
    await this.reads.each(
      () => true,
      () => pause?.(),
      { isReused: true },
    );
  }

  async close(): Promise<void> {
    try {
      await this.reads.close();
    } catch (error) {
      throw ioError(error, 'closing a snapshot', this.path);
    }
  }
}
