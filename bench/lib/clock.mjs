/**
 * A clock that stands still until somebody ticks: contestants that tick at the same places store the
 * same times, so that all of them must give the same rows in the same order.
 */
const START_MS = Date.UTC(2026, 0, 1);

export class TickingClock {
  constructor() {
    this.ms = START_MS;
  }

  now() {
    return this.ms;
  }

  tick() {
    this.ms++;
  }

  /** Nothing in a bench waits for the time of day. */
  setTimer() {
    return () => undefined;
  }
}
