/** Deleting: INS-3, soft, repeatable, and over after its retention. */
import { describe, expect, test } from 'vitest';
import {
  expectRefused,
  manualClock,
  type Open,
  refusalOf,
  seen,
  withDoor,
  withOneDoor,
} from './contract.ts';

export function deleteCases(open: Open): void {
  describe('delete', () => {
    softCases(open);
    retentionCases(open);
  });
}

function softCases(open: Open): void {
  test('INS-3 a deleted instance is shown only on request, and listed nowhere', async () => {
    const store = await withOneDoor(open);
    const deleted = await store.instances.delete('d');
    expect(deleted).toEqual({ id: 'd', offset: 3, applied: true });
    expect(store.instances.get('d')).toBeUndefined();
    expect(store.instances.get('d', {})).toBeUndefined();
    expect(store.instances.get('d', { deleted: true })).toMatchObject({
      deleted: true,
      offset: 3,
      state: 'open',
    });
    expect(store.instances.can('d', 'PUSH')).toBe(false);
    expect(store.instances.permitted('d')).toEqual([]);
    expect(store.instances.explain('d', 'PUSH')).toEqual({ outcome: 'not-found', deleted: true });
    expect(store.instances.find({ total: true })).toMatchObject({ items: [], total: 0 });
    expect([...store.instances.iterate()]).toEqual([]);
    expect(store.instances.count()).toBe(0);
  });

  test('INS-3 again gives the first offset, applied = false, and logs nothing', async () => {
    const store = await withOneDoor(open);
    const [first, second] = await Promise.all([
      store.instances.delete('d'),
      store.instances.delete('d'),
    ]);
    expect(second).toEqual({ ...first, applied: false });
    const offset = store.offset;
    expect(await store.instances.delete('d')).toEqual({ ...first, applied: false });
    expect(store.offset).toBe(offset);
  });

  test('INS-3 one that never was is INSTANCE_NOT_FOUND', async () => {
    const store = await withOneDoor(open);
    const error = await expectRefused(store, 'INSTANCE_NOT_FOUND', () =>
      store.instances.delete('e'),
    );
    expect(error.details).toEqual({ id: 'e', deleted: false });
  });

  test('INS-2 an event on a deleted one says that it was deleted', async () => {
    const store = await withOneDoor(open);
    const pending = store.instances.delete('d');
    const early = await refusalOf(() => store.instances.apply('d', 'PUSH'));
    await pending;
    const late = await expectRefused(
      store,
      'INSTANCE_NOT_FOUND',
      () => store.instances.apply('d', 'PUSH'),
      ['d'],
    );
    expect([early.details, late.details]).toEqual([
      { id: 'd', deleted: true },
      { id: 'd', deleted: true },
    ]);
  });
}

function retentionCases(open: Open): void {
  test('INS-3 after its retention the next write purges it, and the id is free', async () => {
    const clock = manualClock();
    const store = await withOneDoor(open, 'd', { clock, deletedRetentionMs: 100 });
    await store.instances.delete('d');
    clock.time += 100;
    await store.instances.create({ machine: 'door', id: 'early' });
    expect(seen(store, 'd').deleted).toBe(true);
    clock.time += 1;
    const offset = store.offset;
    await store.instances.create({ machine: 'door', id: 'late' });
    expect(store.offset).toBe(offset + 2);
    expect(store.instances.get('d', { deleted: true })).toBeUndefined();
    await expectRefused(store, 'INSTANCE_NOT_FOUND', () => store.instances.delete('d'));
    const again = await store.instances.create({ machine: 'door', id: 'd' });
    expect(again).toMatchObject({ applied: true, createdAt: clock.time, context: {} });
  });

  test('INS-3 F-50 a clock that goes back purges nothing early', async () => {
    const clock = manualClock();
    const store = await withOneDoor(open, 'd', { clock, deletedRetentionMs: 100 });
    await store.instances.delete('d');
    clock.time -= 1_000_000;
    for (const id of ['a', 'b']) await store.instances.create({ machine: 'door', id });
    clock.time += 1_000_050;
    await store.instances.create({ machine: 'door', id: 'c' });
    expect(seen(store, 'd').deleted).toBe(true);
  });

  test('INS-3 Infinity keeps them, 0 drops them at the next write', async () => {
    const clock = manualClock();
    for (const [deletedRetentionMs, kept] of [
      [Infinity, true],
      [0, false],
    ] as const) {
      const store = await withOneDoor(open, 'd', { clock, deletedRetentionMs });
      await store.instances.delete('d');
      clock.time += 2 ** 40;
      await store.instances.create({ machine: 'door' });
      expect(store.instances.get('d', { deleted: true }) !== undefined).toBe(kept);
    }
  });

  test('INS-3 many purged and created again: ids, handles and counts stay right', async () => {
    const clock = manualClock();
    const store = await withDoor(open, { clock, deletedRetentionMs: 10 });
    for (let round = 0; round < 5; round++) {
      const ids = Array.from({ length: 300 }, (_, i) => `${round}-${i}`);
      await Promise.all(
        ids.map((id, i) => store.instances.create({ machine: 'door', id, context: { round, i } })),
      );
      await Promise.all(ids.filter((_, i) => i % 3 !== 0).map((id) => store.instances.delete(id)));
      clock.time += 11;
    }
    expect(store.instances.count()).toBe(500);
    for (const { id, context } of store.instances.iterate()) {
      expect(`${String(context['round'])}-${String(context['i'])}`).toBe(id);
    }
  });
}
