/** Idempotency keys of transactions and batches: INS-4, the whole is done once. */
import { describe, expect, test } from 'vitest';
import { expectRefused, type Open, seen, withOneDoor } from './contract.ts';

export function groupKeyCases(open: Open): void {
  describe('idempotency keys of groups', () => {
    test('INS-4 transaction: the callback does not run again, the first value returns', async () => {
      const store = await withOneDoor(open);
      let runs = 0;
      const call = (): Promise<unknown> =>
        store.transaction(
          (tx) => {
            tx.instances.apply('d', 'PUSH', { n: ++runs });
            return { runs, big: 2n ** 60n };
          },
          { idempotencyKey: 'k' },
        );
      const all = await Promise.all([call(), call()]);
      all.push(await call());
      const first = { value: { runs: 1, big: 2n ** 60n }, offset: expect.any(Number) as number };
      expect(all).toEqual([
        { ...first, applied: true },
        { ...first, applied: false },
        { ...first, applied: false },
      ]);
      expect(runs).toBe(1);
      expect(seen(store, 'd').context).toEqual({ n: 1 });
    });

    test('INS-4 transaction: a value that cannot be kept is refused, and without a value none comes back', async () => {
      const store = await withOneDoor(open);
      for (const value of [() => 1, new Date(0), NaN, { a: undefined }]) {
        await expectRefused(store, 'BAD_REQUEST', () =>
          store.transaction(
            (tx) => {
              tx.instances.apply('d', 'PUSH');
              return value as never;
            },
            { idempotencyKey: 'k' },
          ),
        );
      }
      const none = (): Promise<unknown> =>
        store.transaction((tx) => void tx.instances.apply('d', 'PUSH'), { idempotencyKey: 'k' });
      await none();
      expect(await none()).toMatchObject({ value: undefined, applied: false });
    });

    test('INS-4 batch: as a whole, or per operation', async () => {
      const store = await withOneDoor(open);
      const operations = [
        { op: 'create', machine: 'door', id: 'e', context: { n: 1 } },
        { op: 'apply', id: 'e', event: 'PUSH', payload: { n: 2 }, eventId: 'x' },
        { op: 'delete', id: 'd' },
      ] as const;
      const first = await store.batch(operations, { idempotencyKey: 'k' });
      const offset = store.offset;
      const again = await store.batch(operations, { idempotencyKey: 'k' });
      expect(again).toEqual(
        first.map((one) => ({
          ...one,
          ...('context' in one && { context: one.context }),
          applied: false,
        })),
      );
      expect(store.offset).toBe(offset);
      const other = await expectRefused(store, 'CONFLICT', () =>
        store.batch(operations.slice(0, 2), { idempotencyKey: 'k' }),
      );
      expect(other.details).toMatchObject({ reason: 'idempotency-key', key: 'k' });

      const keyed = [{ op: 'apply', id: 'e', event: 'PUSH', idempotencyKey: 'one' }] as const;
      const [done] = await store.batch(keyed);
      const [redone] = await store.batch(keyed);
      const single = await store.instances.apply('e', 'PUSH', undefined, { idempotencyKey: 'one' });
      expect([done.applied, redone.applied, single.applied]).toEqual([true, false, false]);
      expect([redone.offset, single.offset]).toEqual([done.offset, done.offset]);
      const both = (): unknown => store.batch(keyed, { idempotencyKey: 'k' });
      expect((await expectRefused(store, 'BAD_REQUEST', both)).details).toMatchObject({
        path: 'operations[0].idempotencyKey',
      });
    });
  });
}
