/** The system clock's timers, on a time of day that is not to be trusted. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

it('F-50 a timer waits for its time of day when the clock is set back meanwhile', () => {
  const fired: number[] = [];
  systemClock.setTimer(1_001_000, () => void fired.push(systemClock.now()));
  vi.setSystemTime(900_000);
  vi.advanceTimersByTime(1000);
  expect(fired).toEqual([]);
  vi.advanceTimersByTime(100_000);
  expect(fired).toEqual([1_001_000]);
});

it('a timer further away than one wait reaches comes at its time, and a disarmed one never', () => {
  const fired: string[] = [];
  const farMs = 1_000_000 + 2 ** 31 + 5000;
  systemClock.setTimer(farMs, () => void fired.push('far'));
  const disarm = systemClock.setTimer(farMs, () => void fired.push('disarmed'));
  vi.advanceTimersByTime(2 ** 31 + 1000);
  disarm();
  expect(fired).toEqual([]);
  vi.advanceTimersByTime(4000);
  expect(fired).toEqual(['far']);
});

it('a time that is past comes at once', () => {
  const fired: string[] = [];
  systemClock.setTimer(5, () => void fired.push('past'));
  vi.advanceTimersByTime(0);
  expect(fired).toEqual(['past']);
});
