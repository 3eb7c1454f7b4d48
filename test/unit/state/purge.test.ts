/** A purge gives everything back: row, id, slots, key entries and handle; and a handle given again is nobody's old reference. */
import { describe, expect, test } from 'vitest';
import { openStore, type Store } from 'pawl';
import { DOOR, manualClock, refusalOf } from '../engine/cases/contract.ts';
import { imageOf, stateOf } from '../engine/store-state.ts';

const RETENTION_MS = 1000;

interface Held {
  readonly rows: number;
  readonly inUse: number;
  readonly heapBytes: number;
  readonly keys: number;
}

function heldBy(store: Store): Held {
  const { instances, keys } = stateOf(store);
  return {
    rows: instances.total,
    inUse: instances.free.fresh - instances.free.freeCount,
    heapBytes: instances.heap.usedBytes,
    keys: keys.size,
  };
}

async function open(clock = manualClock()) {
  const store = await openStore(':memory:', {
    clock,
    deletedRetentionMs: RETENTION_MS,
    idempotency: { retentionMs: RETENTION_MS },
  });
  const doors = await store.machine(DOOR as never);
  return { clock, store, doors };
}

describe('a purge', () => {
  test('INS-3 INS-4 frees row, id, context, event id, keys and handle, for all sizes', async () => {
    const { clock, store } = await open();
    await store.instances.create({ machine: 'door', id: 'stays', context: { n: 1 } });
    const before = heldBy(store);
    const sizes = [0, 1, 30, 200, 5000, 70_000, 200_000];
    const peaks: Held[] = [];
    for (let round = 0; round < 4; round++) {
      await Promise.all(
        sizes.map(async (length, n) => {
          const id = `${'i'.repeat(1 + n * 100)}${n}`;
          const idempotencyKey = `${'k'.repeat(n * 150)}${n}`;
          const context = { text: 'x'.repeat(length) };
          await store.instances.create({ machine: 'door', id, context, idempotencyKey });
          const payload = { more: 'y'.repeat(length / 2) };
          await store.instances.apply(id, 'PUSH', payload, { idempotencyKey, eventId: `e${n}` });
          await store.instances.delete(id, { idempotencyKey });
        }),
      );
      const held = heldBy(store);
      expect(held).toMatchObject({ rows: 8, inUse: 8, keys: 21 });
      expect(held.heapBytes).toBeGreaterThan(before.heapBytes + 270_000);
      peaks.push(held);
      clock.time += RETENTION_MS + 1;
      // Whoever writes next brings the purge along.
      await store.instances.apply('stays', 'PUSH');
      expect(heldBy(store)).toEqual(before);
    }
    // The same again takes the same: nothing was left behind.
    expect(new Set(peaks.map((held) => JSON.stringify(held))).size).toBe(1);
    expect(stateOf(store).instances.rows.rows).toBe(8);
    await store.close();
  });

  test('D-3 handles come back lowest first, and an old reference never meets the new instance', async () => {
    const { clock, store, doors } = await open();
    const ids = ['a', 'b', 'c', 'd'];
    for (const id of ids) await doors.create({ id, context: {} });
    const old = ids.map((id) => doors.ref(id));
    for (const id of ['c', 'a']) await doors.delete(id);
    expect(old[0]!.get()).toBeUndefined();
    clock.time += RETENTION_MS + 1;
    await doors.apply('b', 'PUSH' as never);
    const { instances } = stateOf(store);
    expect([instances.free.peekNext(), instances.total]).toEqual([0, 2]);
    // Other ids, and one that was there before, on the handles of the dead.
    await doors.create({ id: 'new', context: { mine: 1 } });
    await doors.create({ id: 'a', context: { mine: 2 } });
    expect([instances.idText(0), instances.idText(2), instances.generation(0)]).toEqual([
      'new',
      'a',
      1,
    ]);
    const before = imageOf(stateOf(store));
    for (const ref of [old[0]!, old[2]!]) {
      for (const call of [
        (): unknown => ref.get(),
        (): unknown => ref.state,
        (): unknown => ref.apply('PUSH' as never),
        (): unknown => ref.post('PUSH' as never),
      ])
        expect((await refusalOf(call)).code).toBe('INSTANCE_NOT_FOUND');
    }
    await store.flush();
    expect(imageOf(stateOf(store))).toEqual(before);
    expect([old[1]!.state, old[3]!.state]).toEqual(['shut', 'open']);
    expect(await doors.ref('a').apply('PUSH' as never)).toMatchObject({ context: { mine: 2 } });
    await store.close();
  });

  test('INS-3 purges of thousands, in slices, leave what is not due', async () => {
    const { clock, store } = await open();
    const create = (id: string): Promise<unknown> =>
      store.instances.create({ machine: 'door', id, context: { id } });
    await Promise.all(Array.from({ length: 3500 }, (_, n) => create(`${n}`)));
    await Promise.all(Array.from({ length: 3000 }, (_, n) => store.instances.delete(`${n}`)));
    clock.time += RETENTION_MS / 2;
    await Promise.all(Array.from({ length: 100 }, (_, n) => store.instances.delete(`${3000 + n}`)));
    clock.time += RETENTION_MS / 2 + 1;
    for (let n = 0; n < 4; n++) await store.instances.apply('3400', 'PUSH');
    expect(heldBy(store)).toMatchObject({ rows: 500, inUse: 500 });
    expect(store.instances.get('2999', { deleted: true })).toBeUndefined();
    expect(store.instances.get('3000', { deleted: true })).toMatchObject({ deleted: true });
    expect(store.instances.count()).toBe(400);
    await store.close();
  });
});
