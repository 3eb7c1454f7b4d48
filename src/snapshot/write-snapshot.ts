/**
 * Writes a state as a snapshot file: aside, synced, renamed into place, directory synced, read
 * back and verified. It counts only once the catalogue names it, which is the caller's to do; a
 * file that did not get that far is removed, by this call or by the next opening.
 */
import { join } from 'node:path';
import type { FileHandle, FileIo } from '../base/file-io.ts';
import type { State } from '../state/state.ts';
import { writeAll } from '../../wal/file-write.ts';
import { corrupt, ioError } from '../../wal/log-error.ts';
import { ChunkSink } from './chunk-sink.ts';
import { encodeEnd, encodeHeader, headerCrcOf } from './file-layout.ts';
import { SNAPSHOT_HEADER } from './format.ts';
import { saveState } from './save-state.ts';
import { openSnapshot } from './snapshot-file.ts';
import { snapshotName, unfinishedSnapshotName } from './snapshot-name.ts';

export interface WriteSnapshotOptions {
  readonly fileIo: FileIo;
  readonly directory: string;
  readonly storeId: Uint8Array;
  /** Awaited between pieces of work of about a chunk (at most about a millisecond): lets others run, may wait. */
  readonly pause?: (() => Promise<void>) | undefined;
  /** In rows. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Ends the call with the signal's reason; nothing stays behind. */
  readonly signal?: AbortSignal | undefined;
}

export interface WrittenSnapshot {
  readonly offset: number;
  readonly sizeBytes: number;
  /** Of the footer, which covers all the others. */
  readonly checksum: number;
}

/**
 * The state must not change meanwhile. Contexts not in memory are streamed: read, copied, let go.
 * A file of the same name is replaced.
 * @throws {StoreError} WAL_IO_ERROR, CORRUPT - what was begun is removed, and the call may be repeated
 */
export async function writeSnapshot(
  state: State,
  options: WriteSnapshotOptions,
): Promise<WrittenSnapshot> {
  const { fileIo, directory } = options;
  const unfinished = join(directory, unfinishedSnapshotName(state.offset));
  const path = join(directory, snapshotName(state.offset));
  let written: WrittenSnapshot;
  try {
    if ((await fileIo.stat(unfinished)) !== undefined) await fileIo.remove(unfinished);
    written = await writeFile(state, unfinished, options);
    await fileIo.rename(unfinished, path);
  } catch (error) {
    await removeQuietly(fileIo, unfinished);
    throw endedBy(options, error, path);
  }
  try {
    await fileIo.syncDirectory(directory);
    await readBack(path, written, options);
    return written;
  } catch (error) {
    await removeQuietly(fileIo, path);
    throw endedBy(options, error, path);
  }
}

function endedBy({ signal }: WriteSnapshotOptions, error: unknown, path: string): unknown {
  const isAborted = signal?.aborted === true && error === signal.reason;
  return isAborted ? error : ioError(error, 'writing a snapshot', path);
}

async function writeFile(
  state: State,
  path: string,
  options: WriteSnapshotOptions,
): Promise<WrittenSnapshot> {
  const { rows } = state.instances.rows;
  const header = headerOf(state, options.storeId);
  const seed = headerCrcOf(header);
  const handle = await options.fileIo.open(path, 'create');
  try {
    await writeAll(handle, header, 0, header.length, 0);
    const sink = new ChunkSink(handle, SNAPSHOT_HEADER.size, seed);
    await saveState(state, sink, async (done) => {
      options.onProgress?.(done, rows);
      await takeBreath(options);
    });
    const position = await sink.finish();
    const { bytes, checksum } = encodeEnd(seed, sink.entries);
    await writeAll(handle, bytes, 0, bytes.length, position);
    await handle.sync();
    return { offset: state.offset, sizeBytes: position + bytes.length, checksum };
  } finally {
    await closeFile(handle);
  }
}

async function takeBreath({ pause, signal }: WriteSnapshotOptions): Promise<void> {
  signal?.throwIfAborted();
  await pause?.();
  signal?.throwIfAborted();
}

function headerOf(state: State, storeId: Uint8Array): Uint8Array {
  const { instances, machines, keys } = state;
  return encodeHeader({
    definitions: machines.all().filter((one) => one.isApplied).length,
    offset: state.offset,
    time: state.time,
    maxTime: state.maxTime,
    storeId,
    hashKey: instances.ids.hashKey,
    rows: instances.rows.rows,
    instances: instances.total,
    deleted: instances.deleted.length,
    keys: keys.size,
  });
}

/** What cannot be read now is not to be relied on later. */
async function readBack(
  path: string,
  written: WrittenSnapshot,
  options: WriteSnapshotOptions,
): Promise<void> {
  const file = await openSnapshot(options.fileIo, path, options.storeId);
  try {
    if (file.checksum !== written.checksum || file.sizeBytes !== written.sizeBytes)
      throw corrupt(file.name, 0, 'it is not the file that was written');
    await file.verify(() => takeBreath(options));
  } finally {
    await file.close();
  }
}

/** After a sync nothing is left that closing could lose. */
async function closeFile(handle: FileHandle): Promise<void> {
  await handle.close();
}

async function removeQuietly(fileIo: FileIo, path: string): Promise<void> {
  try {
    await fileIo.remove(path);
  } catch {
    // It may not be there; and the failure that led here is the one to report.
  }
}
