/** How large a commit, a record and a context may be: RECORD_TOO_LARGE before anything is written (WAL-4, D-4). */
import { describe, expect, test } from 'vitest';
import { expectRefused, type Open, seen, withOneDoor } from './contract.ts';

const MiB = 1 << 20;
const text = (mib: number): string => 'x'.repeat(mib * MiB);

export function commitLimitCases(open: Open): void {
  describe('limits of a commit', () => {
    test('WAL-4 100,000 records are one commit, one more is none', async () => {
      const store = await withOneDoor(open);
      const many = (count: number) => (): unknown =>
        store.transaction((tx) => {
          for (let i = 0; i < count; i++) tx.instances.apply('d', 'PUSH', { i });
        });
      const error = await expectRefused(store, 'RECORD_TOO_LARGE', many(100_001));
      expect(error.details).toMatchObject({ limit: 100_000, actual: 100_001 });
      await many(100_000)();
      expect(seen(store, 'd')).toMatchObject({ offset: 100_002, context: { i: 99_999 } });
    });

    test('WAL-4 64 MiB are the most a commit holds', async () => {
      const store = await withOneDoor(open);
      const context = { text: text(15) };
      await expectRefused(store, 'RECORD_TOO_LARGE', () =>
        store.transaction((tx) => {
          for (let i = 0; i < 5; i++) tx.instances.create({ machine: 'door', id: `${i}`, context });
        }),
      );
      const four = [0, 1, 2, 3].map(
        (i) => ({ op: 'create', machine: 'door', id: `${i}`, context }) as const,
      );
      await store.batch(four);
      expect(store.instances.count()).toBe(5);
    });

    test('WAL-4 a payload or context over 16 MiB is refused with its path', async () => {
      const store = await withOneDoor(open);
      const context = { text: text(17) };
      const create = await expectRefused(store, 'RECORD_TOO_LARGE', () =>
        store.instances.create({ machine: 'door', context }),
      );
      const apply = await expectRefused(store, 'RECORD_TOO_LARGE', () =>
        store.instances.apply('d', 'PUSH', context),
      );
      expect(create.details).toMatchObject({ path: 'context', limit: 16 * MiB });
      expect(apply.details).toMatchObject({ path: 'payload', limit: 16 * MiB });
    });

    test('F-76 a context cannot grow beyond 16 MiB by events', async () => {
      const store = await withOneDoor(open);
      await store.instances.apply('d', 'PUSH', { a: text(9) });
      const grow = (): unknown => store.instances.apply('d', 'PUSH', { b: text(9) });
      const error = await expectRefused(store, 'RECORD_TOO_LARGE', grow);
      expect(error.details).toMatchObject({ limit: 16 * MiB });
      await store.instances.apply('d', 'PUSH', { a: text(10) });
      await store.instances.apply('d', 'PUSH', { a: 'small' });
      const both = await Promise.allSettled([
        grow(),
        store.instances.apply('d', 'PUSH', { c: text(9) }),
      ]);
      expect(both.map((one) => one.status)).toEqual(['fulfilled', 'rejected']);
      expect(Object.keys(seen(store, 'd').context).toSorted()).toEqual(['a', 'b']);
    });
  });
}
