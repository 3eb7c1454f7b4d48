/**
 * The Thread port: how work is placed on the JavaScript thread, and a clock for measuring it.
 * The engine and the log never call setImmediate, nextTick or performance.now themselves, so a
 * simulation can run every turn in an order it chose. Worker threads join this port with the
 * first background job.
 */

export interface Thread {
  /** Runs after the microtasks that are queued now and those they queue, before any I/O callback. */
  afterMicrotasks(run: () => void): void;
  /** Runs in the next turn of the event loop, after pending I/O callbacks had their chance. */
  nextTurn(run: () => void): void;
  /** Milliseconds from an arbitrary start, never going back; for durations only. */
  monotonicMs(): number;
  /** Calls back once after `delayMs`; never keeps the process alive. Returns the way to disarm it. */
  delay(delayMs: number, run: () => void): () => void;
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
};
