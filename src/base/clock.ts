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
    // Not yet: the wait was longer than a timer takes, or the clock was set back meanwhile.
    const onTime = (): void => {
      if (Date.now() < atMs) arm();
      else void run();
    };
    const arm = (): void => {
      const delay = atMs - Date.now();
      handle = setTimeout(onTime, Math.min(Math.max(0, delay), MAX_DELAY_MS));
      handle.unref();
    };
    arm();
    return () => clearTimeout(handle);
  },
};
