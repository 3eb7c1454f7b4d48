/** Waiting for an offset, and giving up waiting: reached, flush, signals (D-2, F-41). */
import { describe, expect, test } from 'vitest';
import {
  DOOR,
  LAMP,
  type Open,
  refusalOf,
  seen,
  settled,
  settlingOrder,
  withOneDoor,
} from './contract.ts';

export function waitingCases(open: Open): void {
  describe('waiting', () => {
    test('reached resolves when reads can see the offset, at once if they do', async () => {
      const store = await withOneDoor(open);
      await store.reached(2);
      await store.reached(0);
      const { order, note } = settlingOrder();
      const waits = [note('reached 3', store.reached(3)), note('reached 4', store.reached(4))];
      const writes = ['a', 'b'].map((id) =>
        note(id, store.instances.create({ machine: 'door', id })),
      );
      await Promise.all([...waits, ...writes]);
      expect(order.indexOf('reached 3')).toBeLessThan(order.indexOf('reached 4'));
      expect(store.offset).toBe(4);
      for (const offset of [-1, 1.5, NaN, '3', undefined]) {
        expect(await refusalOf(() => store.reached(offset as never))).toMatchObject({
          code: 'BAD_REQUEST',
        });
      }
    });

    test('reached of a far offset holds up nobody', async () => {
      const store = await withOneDoor(open);
      const far = refusalOf(() => store.reached(1_000_000));
      expect(await settled(store.machines.put(DOOR))).toMatchObject({ created: false });
      const first = store.instances.create({ machine: 'door', id: 'e' });
      const again = refusalOf(() => store.instances.create({ machine: 'door', id: 'e' }));
      expect(await settled(again)).toMatchObject({ code: 'INSTANCE_EXISTS' });
      await settled(Promise.all([first, store.reached(2), store.reached(3)]));
      await store.close();
      expect(await settled(far)).toMatchObject({ code: 'STORE_CLOSED' });
    });

    test('reached ends with its signal', async () => {
      const store = await withOneDoor(open);
      const stop = new AbortController();
      const far = refusalOf(() => store.reached(1_000_000, { signal: stop.signal }));
      stop.abort();
      expect(await settled(far)).toMatchObject({ code: 'TIMEOUT' });
      expect(await refusalOf(() => store.reached(9, { signal: stop.signal }))).toMatchObject({
        code: 'TIMEOUT',
      });
    });

    test('F-41 a signal ends the wait, not the write', async () => {
      const store = await withOneDoor(open);
      const stop = new AbortController();
      const { signal } = stop;
      const waiting = [
        refusalOf(() => store.instances.apply('d', 'PUSH', { n: 1 }, { signal })),
        refusalOf(() => store.instances.create({ machine: 'door', id: 'e', signal })),
        refusalOf(() =>
          store.transaction((tx) => void tx.instances.create({ machine: 'door', id: 'f' }), {
            signal,
          }),
        ),
        refusalOf(() => store.batch([{ op: 'create', machine: 'door', id: 'g' }], { signal })),
        refusalOf(() => store.machines.put(LAMP, { signal })),
      ];
      stop.abort();
      for (const error of await Promise.all(waiting)) {
        expect(error).toMatchObject({
          code: 'TIMEOUT',
          retryable: false,
          details: { outcome: 'unknown' },
        });
      }
      await store.flush();
      expect(seen(store, 'd').context).toEqual({ n: 1 });
      expect(store.instances.count()).toBe(4);
      const early = await refusalOf(() => store.instances.apply('d', 'PULL', {}, { signal }));
      expect(early).toMatchObject({
        code: 'TIMEOUT',
        retryable: true,
        details: { outcome: 'not-done' },
      });
      expect(seen(store, 'd').state).toBe('shut');
    });
  });
}
