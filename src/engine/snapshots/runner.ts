/**
 * Where the snapshot job runs: in a worker thread on the real disk, or among everything else on
 * this thread, in short pieces, where there is no worker to be had (a simulation, sources that
 * were not compiled). Both do the same work and fail the same way.
 */
import type { FileIo } from '../../base/file-io.ts';
import type { Thread } from '../../base/thread.ts';
import type { CatalogueEntry } from '../../snapshot/catalogue.ts';
import { LIMITS } from '../limits.ts';
import { makeSnapshot, type SnapshotTask } from './make-snapshot.ts';

export interface SnapshotRunner {
  /** One at a time. @throws {StoreError} as the job does; INTERNAL_ERROR - a worker died */
  run(task: SnapshotTask, signal: AbortSignal): Promise<CatalogueEntry>;
  /** The log accepted a frame. */
  noteFrame(): void;
  /** Nothing runs any more. */
  close(): Promise<void>;
}

export function inlineRunner(fileIo: FileIo, thread: Thread): SnapshotRunner {
  return {
    run: (task, signal) => makeSnapshot(fileIo, task, { pause: turns(thread, signal), signal }),
    noteFrame: () => undefined,
    close: async () => undefined,
  };
}

/** A pause that gives the thread away when a slice is over. */
function turns(thread: Thread, signal: AbortSignal): () => Promise<void> {
  let sliceEnd = thread.monotonicMs() + LIMITS.sliceMs;
  return async () => {
    signal.throwIfAborted();
    if (thread.monotonicMs() < sliceEnd) return;
    await new Promise<void>((resolve) => thread.nextTurn(resolve));
    sliceEnd = thread.monotonicMs() + LIMITS.sliceMs;
  };
}
