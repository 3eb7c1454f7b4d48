/** The time of events: F-50, stored times never decrease within an instance. */
import { describe, expect, test } from 'vitest';
import { manualClock, type Open, seen, withOneDoor } from './contract.ts';

export function eventTimeCases(open: Open): void {
  describe('times of events', () => {
    test('F-50 updatedAt does not go back when the clock does, or when history says so', async () => {
      const clock = manualClock(5000);
      const store = await withOneDoor(open, 'd', { clock });
      clock.time = 1000;
      await store.instances.apply('d', 'PUSH');
      expect(seen(store, 'd')).toMatchObject({ createdAt: 5000, updatedAt: 5000 });
      await store.instances.apply('d', 'PULL', {}, { at: 6000 });
      await store.instances.apply('d', 'PULL', {}, { at: 10 });
      expect(seen(store, 'd').updatedAt).toBe(6000);
      clock.time = 2 ** 42;
      await store.instances.apply('d', 'PULL');
      expect(seen(store, 'd').updatedAt).toBe(2 ** 42);
      clock.time = 1;
      await store.instances.delete('d');
      expect(seen(store, 'd')).toMatchObject({
        createdAt: 5000,
        updatedAt: 2 ** 42,
        deleted: true,
      });
    });

    test('F-50 the time of an event is not before that of the one before it', async () => {
      const clock = manualClock(5000);
      const store = await withOneDoor(open, 'd', { clock });
      clock.time = 1000;
      expect((await store.instances.apply('d', 'PUSH')).at).toBe(5000);
      const both = [7000, 6000].map((at) => store.instances.apply('d', 'PUSH', {}, { at }));
      expect((await Promise.all(both)).map((one) => one.at)).toEqual([7000, 7000]);
    });
  });
}
