/**
 * The Thread port: how work is placed on the JavaScript thread, and a clock for measuring it.
 * The engine and the log never call setImmediate, nextTick or performance.now themselves, so a
 * simulation can run every turn in an order it chose. A port without `startWorker` has no other
 * threads: what would run there runs on this one, in pieces.
 */
import { Worker } from 'node:worker_threads';

export interface Thread {
  /** Runs after the microtasks that are queued now and those they queue, before any I/O callback. */
  afterMicrotasks(run: () => void): void;
  /** Runs in the next turn of the event loop, after pending I/O callbacks had their chance. */
  nextTurn(run: () => void): void;
  /** Milliseconds from an arbitrary start, never going back; for durations only. */
  monotonicMs(): number;
  /** Calls back once after `delayMs`; never keeps the process alive. Returns the way to disarm it. */
  delay(delayMs: number, run: () => void): () => void;
  /** Another thread that runs the module at `entry`; keeps the process alive only while it is held. */
  startWorker?(entry: URL, listener: WorkerListener): WorkerThread;
}

export interface WorkerListener {
  readonly message: (message: unknown) => void;
  /** It is gone: it failed, or was stopped. Called once, and nothing after it. */
  readonly gone: (error: Error | undefined) => void;
}

export interface WorkerThread {
  post(message: unknown): void;
  /** Somebody waits for it: the process may not end now. Not held at first. */
  hold(isHeld: boolean): void;
  /** Ends it wherever it is; resolves when it is gone. */
  stop(): Promise<void>;
}

export const nodeThread: Thread = {
  // A tick queued from inside a microtask runs when the microtask queue is empty; one queued from
  // plain code would run before it, hence the hop through a microtask first.
  afterMicrotasks: (run) => queueMicrotask(() => process.nextTick(run)),
  nextTurn: (run) => void setImmediate(run),
  monotonicMs: () => performance.now(),
  delay(delayMs, run) {
    const handle = setTimeout(run, delayMs);
    handle.unref();
    return () => clearTimeout(handle);
  },
  startWorker(entry, listener) {
    // Not with the flags of this process: some name what only its main thread has.
    const worker = new Worker(entry, { execArgv: [] });
    let failure: Error | undefined;
    worker.on('message', listener.message);
    worker.on('error', (error) => {
      failure = error instanceof Error ? error : new Error(String(error));
    });
    worker.on('exit', () => listener.gone(failure));
    // After the listeners: a listener for messages would hold the process again.
    worker.unref();
    return {
      post: (message) => worker.postMessage(message, []),
      hold(isHeld) {
        if (isHeld) worker.ref();
        else worker.unref();
      },
      stop: async () => void (await worker.terminate()),
    };
  },
};
