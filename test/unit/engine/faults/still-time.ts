/**
 * Time in the fault tests: timers run when they are told to, turns of the event loop are real.
 * Whatever does not settle within a bounded number of turns hangs.
 */
import { vi } from 'vitest';

/** Far more than anything here takes; timers have gone on by two thirds of a second by then. */
const MAX_TURNS = 520;
const STEP_MS = 5;

/** From now on setTimeout and performance.now stand still between the calls below. */
export function stopTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
}

export function releaseTime(): void {
  vi.useRealTimers();
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** How the promise ended. Throws when it does not. */
export async function settle<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const ended: PromiseSettledResult<T>[] = [];
  promise.then(
    (value) => void ended.push({ status: 'fulfilled', value }),
    (reason: unknown) => void ended.push({ status: 'rejected', reason }),
  );
  for (let count = 1; count <= MAX_TURNS; count++) {
    await turn();
    if (ended[0] !== undefined) return ended[0];
    if (count % 4 === 0) vi.advanceTimersByTime(STEP_MS);
  }
  throw new Error(`not settled after ${MAX_TURNS} turns`);
}

/** Timers go on; what they start has the turns it needs. */
export async function pause(ms: number): Promise<void> {
  const step = Math.max(STEP_MS, ms / 20);
  for (let at = 0; at < ms; at += step) {
    vi.advanceTimersByTime(step);
    await turn();
    await turn();
  }
}
