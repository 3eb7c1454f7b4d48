/** The Clock port and the system clock. Nothing else in the package reads the time of day. */

export interface Clock {
  /** Milliseconds since the epoch, an integer. May jump in either direction. */
  now(): number;
  /** Calls back once at or after `atMs`; a clock under test waits for the promise. Returns the way to disarm it. */
  setTimer(atMs: number, run: () => void | Promise<void>): () => void;
}

/** Longest delay `setTimeout` takes without wrapping to 1 ms. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(atMs, run) {
    let handle: ReturnType<typeof setTimeout>;
    const arm = (): void => {
      const delay = atMs - Date.now();
      handle =
        delay > MAX_DELAY_MS
          ? setTimeout(arm, MAX_DELAY_MS)
          : setTimeout(() => void run(), Math.max(0, delay));
      handle.unref();
    };
    arm();
    return () => clearTimeout(handle);
  },
};
