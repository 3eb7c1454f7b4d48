/**
 * The snapshot job in a worker thread: started with a job, kept for the next one if that comes
 * soon, and stopped otherwise, for it holds memory of the size of the store until then. A worker that dies fails its job, and the next job starts another one; where none can be
 * started at all (code that was bundled into one file) the job runs on this thread.
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

/** Starting one takes some 50 ms, so jobs that follow each other share one. */
const IDLE_MS = 2000;

interface Waiting {
  readonly worker: WorkerThread;
  readonly resolve: (made: CatalogueEntry) => void;
  readonly reject: (error: unknown) => void;
}

export class WorkerRunner implements SnapshotRunner {
  private readonly thread: Thread;
  private readonly entry: URL;
  private readonly shared = new Int32Array(new SharedArrayBuffer(SHARED.bytes));
  private readonly fallback: SnapshotRunner;
  private worker: WorkerThread | undefined;
  /** One has run once. */
  private isProven = false;
  private waiting: Waiting | undefined;
  private disarm = (): void => undefined;

  constructor(thread: Thread, fallback: SnapshotRunner, entry: URL = ENTRY) {
    this.thread = thread;
    this.fallback = fallback;
    this.entry = entry;
  }

  /** Commits go on: the worker rests between its slices. */
  noteFrame(): void {
    if (this.waiting !== undefined) Atomics.add(this.shared, SHARED.frames, 1);
  }

  async run(task: SnapshotTask, signal: AbortSignal): Promise<CatalogueEntry> {
    try {
      return await this.runThere(task, signal);
    } catch (error) {
      if (this.isProven || signal.aborted) throw error;
      return this.fallback.run(task, signal);
    }
  }

  private async runThere(task: SnapshotTask, signal: AbortSignal): Promise<CatalogueEntry> {
    signal.throwIfAborted();
    this.disarm();
    const stop = (): void => void this.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await new Promise<CatalogueEntry>((resolve, reject) => {
        const worker = (this.worker ??= this.start());
        this.waiting = { worker, resolve, reject };
        worker.hold(true);
        worker.post({ task, shared: this.shared });
      });
    } finally {
      this.waiting = undefined;
      this.worker?.hold(false);
      this.disarm = this.thread.delay(IDLE_MS, () => void this.stop());
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
    if ('isReady' in answer) this.isProven = true;
    else if ('made' in answer) this.waiting?.resolve(answer.made);
    else this.waiting?.reject(errorOf(answer.error));
  }

  private gone(worker: WorkerThread | undefined, cause: Error | undefined): void {
    if (this.worker === worker) this.worker = undefined;
    // One that was stopped may be gone only when the next one is at work.
    const { waiting } = this;
    if (waiting === undefined || waiting.worker !== worker) return;
    waiting.reject(
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
    this.disarm();
    return this.stop();
  }
}
