/** The clock that stands still: timers run in the order of their times, and only when it goes forward. */
import { expect, it } from 'vitest';
import { manualClock } from 'pawl/testing';

it('TST-1 runs what becomes due, in order, with the time it was set for', async () => {
  const clock = manualClock(1000);
  const seen: [string, number][] = [];
  const note = (name: string) => (): void => void seen.push([name, clock.now()]);
  clock.setTimer(1300, note('late'));
  clock.setTimer(1100, note('early'));
  clock.setTimer(2000, note('never'));
  const disarm = clock.setTimer(1200, note('disarmed'));
  disarm();
  clock.setTimer(1150, async () => {
    note('chained')();
    clock.setTimer(1250, note('from a timer'));
  });
  await clock.advance(500);
  expect(seen).toEqual([
    ['early', 1100],
    ['chained', 1150],
    ['from a timer', 1250],
    ['late', 1300],
  ]);
  expect(clock.now()).toBe(1500);
});

it('F-50 can be set back, and waits for what a timer began', async () => {
  const clock = manualClock();
  clock.time = 50;
  let isDone = false;
  clock.setTimer(60, async () => {
    await Promise.resolve();
    isDone = true;
  });
  await clock.advance(10);
  expect([clock.now(), isDone]).toEqual([60, true]);
});
