/** A thread for what ends by itself: turns come at once, and timers never fire. */
import { nodeThread, type Thread } from '../../src/base/thread.ts';
import type { Clock } from '../../src/base/clock.ts';

/** Milliseconds each look at the clock takes. */
const TICK_MS = 0.01;

export function quickThread(): Thread {
  let now = 0;
  return {
    afterMicrotasks: (run) => nodeThread.afterMicrotasks(run),
    nextTurn: (run) => nodeThread.afterMicrotasks(run),
    monotonicMs: () => (now += TICK_MS),
    delay: () => () => undefined,
  };
}

/** Stands still. */
export const STILL_CLOCK: Clock = {
  now: () => 1_700_000_000_000,
  setTimer: () => () => undefined,
};
