/** A clock that stands still until it is told the time. */
import type { Clock } from '../base/clock.ts';

export interface ManualClock extends Clock {
  /** Milliseconds since the epoch. May be set in either direction; timers run only in advance(). */
  time: number;
  /** Goes forward and runs every timer that becomes due, in the order of their times; resolves when all they began is done. A timer that arms itself again for a time already reached never ends it. */
  advance(byMs: number): Promise<void>;
}

interface Timer {
  readonly atMs: number;
  readonly run: () => void | Promise<void>;
}

/**
 * @param time milliseconds since the epoch it begins with.
 * @example
 * const clock = manualClock(Date.UTC(2030, 0, 1));
 * const store = await openStore('./data', { clock });
 * await clock.advance(60_000);
 */
export function manualClock(time: number = 1_000_000): ManualClock {
  let timers: Timer[] = [];
  const clock: ManualClock = {
    time,
    now: () => clock.time,
    setTimer(atMs, run) {
      const timer = { atMs, run };
      timers.push(timer);
      return () => void (timers = timers.filter((one) => one !== timer));
    },
    async advance(byMs) {
      const end = clock.time + byMs;
      for (;;) {
        const due = timers.filter((one) => one.atMs <= end);
        if (due.length === 0) break;
        const next = due.reduce((first, one) => (one.atMs < first.atMs ? one : first));
        timers = timers.filter((one) => one !== next);
        clock.time = Math.max(clock.time, next.atMs);
        await next.run();
      }
      clock.time = end;
    },
  };
  return clock;
}
