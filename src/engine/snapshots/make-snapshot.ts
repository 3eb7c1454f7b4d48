/**
 * The job: the previous snapshot, the log up to a durable record, and the next snapshot from the
 * two. A function from files to a file: it never sees the memory of a running store, and does the
 * same work in a worker thread, in a simulation and in a tool that works on a closed store.
 */
import type { FileIo } from '../../base/file-io.ts';
import { invariant } from '../../base/assert.ts';
import type { CatalogueEntry } from '../../snapshot/catalogue.ts';
import type { SnapshotFile } from '../../snapshot/snapshot-file.ts';
import { writeSnapshot } from '../../snapshot/write-snapshot.ts';
import { Fold } from '../../state/fold.ts';
import { State } from '../../state/state.ts';
import { RecordCursor } from '../../../wal/payload.ts';
import { type FrameFiles, readFrames } from '../../../wal/read-frames.ts';
import { openNamed } from './load-newest.ts';

/** Plain data: goes to a worker as it is. */
export interface SnapshotTask {
  readonly directory: string;
  readonly storeId: Uint8Array;
  /** Where to begin; undefined: before the first record. */
  readonly base: CatalogueEntry | undefined;
  /** The log behind the base. */
  readonly frames: FrameFiles;
  /** Last record of the snapshot: the end of a commit, and durable. */
  readonly through: number;
  /** Ids are hashed with this where there is no base. */
  readonly hashKey: Uint8Array;
}

export interface JobControl {
  /** Awaited often: lets others have the thread, and the disk. */
  readonly pause: () => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * The new snapshot is on the disk and verified; it counts when the catalogue names it.
 * @throws {StoreError} CORRUPT - base or log; WAL_IO_ERROR
 */
export async function makeSnapshot(
  fileIo: FileIo,
  task: SnapshotTask,
  { pause, signal }: JobControl,
): Promise<CatalogueEntry> {
  const { directory, storeId, base, frames, through, hashKey } = task;
  const state = new State(hashKey);
  let snapshot: SnapshotFile | undefined;
  try {
    if (base !== undefined) {
      snapshot = await openNamed({ fileIo, directory, storeId }, base);
      await snapshot.load(state, 'lazy');
    }
    await foldThrough(state, fileIo, frames, through, { pause, signal });
    invariant(state.offset === through, 'a snapshot ends with the record it was asked for');
    return await writeSnapshot(state, { fileIo, directory, storeId, pause, signal });
  } finally {
    await snapshot?.close();
  }
}

/** Everything behind what the state has, up to `through`, which must end a commit. @throws {StoreError} CORRUPT, WAL_IO_ERROR */
async function foldThrough(
  state: State,
  fileIo: FileIo,
  frames: FrameFiles,
  through: number,
  { pause, signal }: JobControl,
): Promise<void> {
  const fold = new Fold(state);
  const cursor = new RecordCursor();
  const onFrame = (bytes: Uint8Array, start: number, end: number, firstOffset: number): void => {
    signal.throwIfAborted();
    cursor.reset(bytes, start, end, firstOffset);
    while (state.offset < through && cursor.advance()) {
      if (cursor.offset > state.offset) fold.apply(bytes, cursor.start, cursor.end, cursor.offset);
    }
  };
  await readFrames(fileIo, frames, state.offset, through, onFrame, pause);
}
