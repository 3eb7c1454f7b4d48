/** How large a commit, a record and a context may be: RECORD_TOO_LARGE before anything is written (WAL-4, D-4). */
import { describe, expect, test } from 'vitest';
import { StoreError } from 'pawl';
import { expectRefused, type Open, seen, withOneDoor } from './contract.ts';

const MiB = 1 << 20;
const text = (mib: number): string => 'x'.repeat(mib * MiB);

export function commitLimitCases(open: Open): void {
  describe('limits of a commit', () => {
    test(
      'WAL-4 GEN-1 100,000 records are one commit, one more is none',
      { timeout: 120_000 },
      async () => {
        const store = await withOneDoor(open);
        const rowBytes = (): unknown =>
          (store.stats()['instances'] as { rowBytes: number }).rowBytes;
        const many = (count: number) => (): Promise<unknown> =>
          store.transaction((tx) => {
            for (let i = 0; i < count; i++) tx.instances.create({ machine: 'door', id: `${i}` });
          });
        const before = rowBytes();
        const error = await expectRefused(store, 'RECORD_TOO_LARGE', many(100_001));
        expect(error.details).toMatchObject({ limit: 100_000, actual: 100_001 });
        await store.instances.create({ machine: 'door', id: 'next' });
        expect(rowBytes()).toBe(before);
        await many(100_000)();
        expect([store.offset, store.instances.count()]).toEqual([100_003, 100_002]);
      },
    );

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

    test('WAL-4 GEN-1 a record that its header makes too large leaves the rest of its commit as it was', async () => {
      const store = await withOneDoor(open);
      // One map, one key and one length take 8 bytes: the value alone is just small enough.
      const payload = { t: 'x'.repeat(16 * MiB - 8) };
      const alone = await expectRefused(store, 'RECORD_TOO_LARGE', () =>
        store.instances.apply('d', 'PUSH', payload),
      );
      expect(alone.details).toMatchObject({ limit: 16 * MiB });
      await store.transaction((tx) => {
        tx.instances.apply('d', 'PUSH', { before: 1 });
        expect(() => tx.instances.apply('d', 'PUSH', payload)).toThrow(StoreError);
        expect(() => tx.instances.create({ machine: 'door', id: 'e', context: payload })).toThrow(
          StoreError,
        );
        tx.instances.apply('d', 'PUSH', { after: 2 });
        tx.instances.create({ machine: 'door', id: 'e', context: { small: true } });
      });
      expect(seen(store, 'd')).toMatchObject({ context: { before: 1, after: 2 }, offset: 4 });
      expect(seen(store, 'e')).toMatchObject({ context: { small: true }, offset: 5 });
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
