/** Time of a simulation: what happens when, what decides between two things, and how it is stopped. */
import { describe, expect, test } from 'vitest';
import { SimScheduler } from '../../../src/testing/sim-scheduler.ts';

/** Real turns, until nothing happens by itself. */
async function through(scheduler: SimScheduler): Promise<void> {
  while (!scheduler.isIdle) await new Promise((resolve) => setImmediate(resolve));
}

async function orderOf(
  seed: number,
  plan: (after: (delayMs: number, name: string) => void, scheduler: SimScheduler) => void,
): Promise<string> {
  const scheduler = new SimScheduler(seed);
  const order: string[] = [];
  plan((delayMs, name) => void scheduler.after(delayMs, () => order.push(name)), scheduler);
  await through(scheduler);
  return order.join(' ');
}

const NAMES = ['a', 'b', 'c', 'd', 'e'];

describe('TST-2 a simulated scheduler', () => {
  test('lets things happen in the order of their time, and stands at that time then', async () => {
    const scheduler = new SimScheduler(1);
    const seen: [string, number][] = [];
    for (const [name, delayMs] of [
      ['late', 20],
      ['early', 1.5],
      ['now', 0],
      ['past', -5],
    ] as const)
      scheduler.after(delayMs, () => seen.push([name, scheduler.nowMs]));
    scheduler.after(1.5, () => scheduler.after(3, () => seen.push(['between', scheduler.nowMs])));
    expect(seen).toEqual([]);
    await through(scheduler);
    expect(seen.slice(2)).toEqual([
      ['early', 1.5],
      ['between', 4.5],
      ['late', 20],
    ]);
    expect(new Map(seen).get('past')).toBe(0);
    expect(scheduler.happened).toBe(6);
    expect(scheduler.thread.monotonicMs()).toBe(20);
  });

  test('keeps that order among thousands', async () => {
    const delays = Array.from({ length: 3000 }, (_, i) => (i * 7919) % 1009);
    const order = await orderOf(3, (after) => {
      for (const delayMs of delays) after(delayMs, String(delayMs));
    });
    expect(order).toBe(delays.toSorted((a, b) => a - b).join(' '));
  });

  test('decides by its seed between what happens at the same time', async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 400; seed++) {
      const run = (): Promise<string> =>
        orderOf(seed, (after) => {
          for (const name of NAMES) after(5, name);
        });
      const order = await run();
      expect(await run()).toBe(order);
      expect(order.split(' ').toSorted()).toEqual(NAMES);
      orders.add(order);
    }
    expect(orders.size).toBeGreaterThan(110);
  });

  test('gives turns a little time, so that a turn and an answer of the disk come in either order', async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 100; seed++)
      orders.add(
        await orderOf(seed, (after, { thread }) => {
          after(0.015, 'disk');
          thread.nextTurn(() => after(0, 'turn'));
        }),
      );
    expect(orders).toEqual(new Set(['disk turn', 'turn disk']));
  });

  test('does not do what was called off', async () => {
    const scheduler = new SimScheduler(1);
    const order: string[] = [];
    const cancel = NAMES.map((name) => scheduler.after(5, () => order.push(name)));
    cancel[1]?.();
    cancel[3]?.();
    scheduler.after(1, () => cancel[4]?.());
    const disarm = scheduler.thread.delay(2, () => order.push('delay'));
    disarm();
    disarm();
    await through(scheduler);
    expect(order.toSorted()).toEqual(['a', 'c']);
    cancel[0]?.();
  });

  test('runs what waits for the microtasks before the next thing happens', async () => {
    const scheduler = new SimScheduler(1);
    const order: string[] = [];
    scheduler.after(0, () => {
      order.push('first');
      scheduler.thread.afterMicrotasks(() => {
        order.push('after microtasks');
        scheduler.thread.afterMicrotasks(() => order.push('and again'));
      });
      void (async () => {
        for (let i = 0; i < 20; i++) await Promise.resolve();
        order.push('microtasks');
      })();
    });
    scheduler.after(0.001, () => order.push('second'));
    await through(scheduler);
    expect(order).toEqual(['first', 'microtasks', 'after microtasks', 'and again', 'second']);
  });

  test('lets the microtasks of one thing run before the next happens', async () => {
    const scheduler = new SimScheduler(1);
    const order: string[] = [];
    for (let at = 1; at <= 3; at++)
      scheduler.after(at, () => {
        order.push(`${at}`);
        void (async () => {
          for (let i = 0; i < 30; i++) await Promise.resolve();
          order.push(`${at}'`);
        })();
      });
    await through(scheduler);
    expect(order).toEqual(['1', "1'", '2', "2'", '3', "3'"]);
  });

  test('that never comes to an end can be stopped, and then does nothing more', async () => {
    const scheduler = new SimScheduler(1);
    let turns = 0;
    const again = (): void => {
      turns++;
      scheduler.thread.nextTurn(again);
      if (turns % 3 === 0) scheduler.thread.afterMicrotasks(() => turns++);
    };
    again();
    // A real timer gets its turn although there is always something to do.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(turns).toBeGreaterThan(100);
    scheduler.stop();
    const stoppedAt = turns;
    scheduler.after(0, () => turns++);
    scheduler.thread.afterMicrotasks(() => turns++);
    scheduler.thread.nextTurn(() => turns++);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(turns).toBe(stoppedAt);
    expect(scheduler.isIdle).toBe(true);
  });

  test('stopped from inside, does not finish what was waiting beside', async () => {
    const scheduler = new SimScheduler(1);
    const order: string[] = [];
    scheduler.thread.afterMicrotasks(() => {
      order.push('stops');
      scheduler.stop();
    });
    scheduler.thread.afterMicrotasks(() => order.push('too late'));
    scheduler.after(0, () => order.push('too late'));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(order).toEqual(['stops']);
  });
});

describe('TST-1 its clock', () => {
  const EPOCH_MS = 1_000_000;

  test('shows whole milliseconds, passes with the simulation and not by itself', async () => {
    const scheduler = new SimScheduler(1, EPOCH_MS);
    const { clock } = scheduler;
    expect(clock.now()).toBe(EPOCH_MS);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(clock.now()).toBe(EPOCH_MS);
    scheduler.after(2.75, () => undefined);
    await through(scheduler);
    expect(clock.now()).toBe(EPOCH_MS + 2);
  });

  test('F-50 jumps in either direction, and time since the start does not', async () => {
    const scheduler = new SimScheduler(1, EPOCH_MS);
    scheduler.clock.jump(5000);
    expect(scheduler.clock.now()).toBe(EPOCH_MS + 5000);
    scheduler.clock.jump(-8000);
    expect(scheduler.clock.now()).toBe(EPOCH_MS - 3000);
    expect(scheduler.thread.monotonicMs()).toBe(0);
  });

  test('a timer rings once, at its time or behind it, and not when disarmed', async () => {
    const scheduler = new SimScheduler(1, EPOCH_MS);
    const { clock } = scheduler;
    const rung: [string, number][] = [];
    const ring = (name: string) => (): void => void rung.push([name, clock.now() - EPOCH_MS]);
    clock.setTimer(EPOCH_MS + 10, ring('ten'));
    clock.setTimer(EPOCH_MS - 10, ring('past'));
    const disarm = clock.setTimer(EPOCH_MS + 5, ring('never'));
    scheduler.after(1, () => disarm());
    await through(scheduler);
    expect(rung).toEqual([
      ['past', 0],
      ['ten', 10],
    ]);
  });

  test('F-50 a timer waits on when the clock was set back, and can be disarmed then', async () => {
    const scheduler = new SimScheduler(1, EPOCH_MS);
    const { clock } = scheduler;
    const rung: number[] = [];
    clock.setTimer(EPOCH_MS + 10, () => void rung.push(scheduler.nowMs));
    const disarm = clock.setTimer(EPOCH_MS + 10, () => void rung.push(-1));
    scheduler.after(5, () => clock.jump(-100));
    scheduler.after(50, () => disarm());
    await through(scheduler);
    expect(rung).toEqual([110]);
  });

  test('F-50 a timer armed for a time the clock jumped over rings late, not never', async () => {
    const scheduler = new SimScheduler(1, EPOCH_MS);
    const { clock } = scheduler;
    const rung: number[] = [];
    clock.setTimer(EPOCH_MS + 10, () => void rung.push(clock.now() - EPOCH_MS));
    scheduler.after(5, () => clock.jump(1000));
    await through(scheduler);
    expect(rung).toEqual([1010]);
  });
});
