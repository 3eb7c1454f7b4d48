/**
 * The snapshot job in a worker thread: started with the first job, kept, and stopped with the
 * store. A worker that dies fails its job, and the next job starts another one.
 *
 * What the two threads share is a few counters (see worker-messages.ts): the worker works in short
 * slices and rests in between while commits go on.
 */
import { isStoreError, StoreError } from '../../base/errors.ts';
import type { Thread, WorkerThread } from '../../base/thread.ts';
import type { CatalogueEntry } from '../../snapshot/catalogue.ts';
import type { SnapshotTask } from './make-snapshot.ts';
import type { SnapshotRunner } from './runner.ts';
import { errorOf, SHARED, type WorkerAnswer } from './worker-messages.ts';

/** Beside this file once compiled; sources that run as they are have no worker. */
const ENTRY: URL = new URL('./snapshot-worker.js', import.meta.url);

export function canStartWorker(thread: Thread): boolean {
  return thread.startWorker !== undefined && import.meta.url.endsWith('.js');
}

interface Waiting {
  readonly resolve: (made: CatalogueEntry) => void;
  readonly reject: (error: unknown) => void;
}

export class WorkerRunner implements SnapshotRunner {
  private readonly thread: Thread;
  private readonly entry: URL;
  private readonly shared = new Int32Array(new SharedArrayBuffer(SHARED.bytes));
  private worker: WorkerThread | undefined;
  private waiting: Waiting | undefined;

  constructor(thread: Thread, entry: URL = ENTRY) {
    this.thread = thread;
    this.entry = entry;
  }

  /** Commits go on: the worker rests between its slices. */
  noteFrame(): void {
    if (this.waiting !== undefined) Atomics.add(this.shared, SHARED.frames, 1);
  }

  async run(task: SnapshotTask, signal: AbortSignal): Promise<CatalogueEntry> {
    signal.throwIfAborted();
    const stop = (): void => void this.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await new Promise<CatalogueEntry>((resolve, reject) => {
        this.waiting = { resolve, reject };
        this.worker ??= this.start();
        this.worker.hold(true);
        this.worker.post({ task, shared: this.shared });
      });
    } finally {
      this.waiting = undefined;
      this.worker?.hold(false);
      signal.removeEventListener('abort', stop);
    }
  }

  private start(): WorkerThread {
    const worker = this.thread.startWorker?.(this.entry, {
      message: (message) => this.answered(message as WorkerAnswer),
      gone: (error) => this.gone(worker, error),
    });
    if (worker === undefined)
      throw new StoreError('INTERNAL_ERROR', 'there are no worker threads here', {
        details: { outcome: 'not-done' },
      });
    return worker;
  }

  private answered(answer: WorkerAnswer): void {
    if ('made' in answer) this.waiting?.resolve(answer.made);
    else this.waiting?.reject(errorOf(answer.error));
  }

  private gone(worker: WorkerThread | undefined, cause: Error | undefined): void {
    if (this.worker === worker) this.worker = undefined;
    this.waiting?.reject(
      isStoreError(cause)
        ? cause
        : new StoreError('INTERNAL_ERROR', 'the worker that took a snapshot ended early', {
            details: { outcome: 'not-done' },
            cause,
          }),
    );
  }

  private async stop(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    await worker?.stop();
  }

  close(): Promise<void> {
    return this.stop();
  }
}
