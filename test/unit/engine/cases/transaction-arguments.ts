/** What a transaction's calls refuse of their arguments, as the calls outside do. */
import { describe, expect, test } from 'vitest';
import type { Transaction } from 'pawl';
import { expectRefused, type Open, seen, withOneDoor } from './contract.ts';

const BAD: readonly (readonly [string, (tx: Transaction) => unknown])[] = [
  ['get without an id', (tx) => tx.instances.get(undefined as never)],
  ['get of null', (tx) => tx.instances.get(null as never)],
  ['get of a number', (tx) => tx.instances.get(5 as never)],
  ['can of an object', (tx) => tx.instances.can({} as never, 'PUSH')],
  ['machine of null', (tx) => tx.machine(null as never)],
  ['machine of text', (tx) => tx.machine('door' as never)],
  ['machine of nothing much', (tx) => tx.machine({} as never)],
  ['create without an input', (tx) => tx.instances.create(undefined as never)],
  ['apply of an event that is no text', (tx) => tx.instances.apply('d', 5 as never)],
  ['find with an unknown field', (tx) => tx.instances.find({ colour: 'red' } as never)],
  ['find with a bad limit', (tx) => tx.instances.find({ limit: 0 })],
  ['count with a page', (tx) => tx.instances.count({ limit: 5 } as never)],
];

export function transactionArgumentCases(open: Open): void {
  describe('arguments inside a transaction', () => {
    test.each(BAD)('GEN-1 %s is BAD_REQUEST', async (_, call) => {
      const store = await withOneDoor(open);
      const run = (): unknown => store.transaction((tx) => void call(tx));
      expect((await expectRefused(store, 'BAD_REQUEST', run)).details).toHaveProperty('path');
    });

    test('INS-4 a key of a single write cannot slip in', async () => {
      const store = await withOneDoor(open);
      for (const id of ['a', 'b']) {
        const input = { machine: 'door', id, idempotencyKey: 'k' };
        await store
          .transaction((tx) => void tx.instances.create(input as never))
          .catch(() => undefined);
      }
      await store.instances.apply('d', 'PUSH', { n: 1 });
      expect(seen(store, 'd').context).toEqual({ n: 1 });
      const outside = await store.instances.create({
        machine: 'door',
        id: 'c',
        idempotencyKey: 'k',
      });
      expect(outside.applied).toBe(true);
    });
  });
}
