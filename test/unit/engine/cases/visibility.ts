/** Nobody learns what a power cut could take back: D-2, WAL-1, F-43, order of answers. */
import { describe, expect, test } from 'vitest';
import type { Store } from 'pawl';
import {
  contentOf,
  DOOR,
  LAMP,
  type Open,
  refusalOf,
  settled,
  settlingOrder,
  withDoor,
  withOneDoor,
} from './contract.ts';

export function visibilityCases(open: Open): void {
  describe('visibility', () => {
    pendingCases(open);
    orderCases(open);
  });
}

function pendingCases(open: Open): void {
  test('D-2 nothing that waits is shown, whatever wrote it', async () => {
    const store = await withOneDoor(open);
    const before = contentOf(store, ['e']);
    const doors = await store.machine(DOOR as never);
    const ref = doors.ref('d');
    const writes = [
      store.machines.put(LAMP),
      store.machines.put({ ...DOOR, indexes: ['key'] }),
      store.instances.create({ machine: 'door', id: 'e' }),
      store.instances.apply('d', 'PUSH', { n: 1 }, { eventId: 'x' }),
      store.transaction((tx) => void tx.instances.create({ machine: 'lamp', id: 'l' })),
      store.batch([{ op: 'apply', id: 'e', event: 'PUSH' }]),
      store.instances.delete('d'),
      store.machines.remove('lamp', 1).catch(() => undefined),
    ];
    expect(contentOf(store, ['e'])).toEqual(before);
    expect(store.machines.get('lamp')).toBeUndefined();
    expect([ref.state, ref.get()?.context, doors.can('d', 'PULL')]).toEqual(['open', {}, true]);
    expect(store.instances.find({ total: true })).toMatchObject({ total: 1, items: [{ id: 'd' }] });
    expect(await refusalOf(() => doors.ref('e'))).toMatchObject({ code: 'INSTANCE_NOT_FOUND' });
    await Promise.all(writes);
    expect(store.instances.count()).toBe(2);
    expect(store.machines.get('door')?.indexes).toEqual(['key']);
  });

  test('WAL-1 what a promise answered is shown when it resolves', async () => {
    const store = await withDoor(open);
    for (let i = 0; i < 20; i++) {
      const burst = Array.from({ length: 10 }, async (_, n) => {
        const created = await store.instances.create({ machine: 'door', id: `${i}-${n}` });
        expect(store.instances.get(created.id)?.offset).toBe(created.offset);
        expect(store.offset).toBeGreaterThanOrEqual(created.offset);
        const moved = await store.instances.apply(created.id, 'PUSH');
        expect(store.instances.get(created.id)).toMatchObject({
          state: 'shut',
          offset: moved.offset,
        });
      });
      await Promise.all(burst);
    }
    expect(store.instances.count({ state: 'shut' })).toBe(200);
  });

  test('INS-2 several events of one instance in one turn: each result is as its event left it', async () => {
    const store = await withOneDoor(open);
    const payloads = [{ a: 1 }, { b: { c: [1] } }, undefined, { a: 'text' }, 5, { b: null, d: 2n }];
    const results = await Promise.all(
      payloads.map((one) => store.instances.apply('d', 'PUSH', one)),
    );
    expect(results.map((one) => one.context)).toEqual([
      { a: 1 },
      { a: 1, b: { c: [1] } },
      { a: 1, b: { c: [1] } },
      { a: 'text', b: { c: [1] } },
      { a: 'text', b: { c: [1] } },
      { a: 'text', b: null, d: 2n },
    ]);
    expect(results.map((one) => one.from)).toEqual([
      'open',
      'shut',
      'shut',
      'shut',
      'shut',
      'shut',
    ]);
    expect(results.map((one) => one.offset)).toEqual([3, 4, 5, 6, 7, 8]);
  });
}

function orderCases(open: Open): void {
  test('D-2 answers come in log order', async () => {
    const store = await withOneDoor(open);
    const { order, note } = settlingOrder();
    await Promise.all([
      note('1', store.instances.apply('d', 'PUSH')),
      note(
        '2',
        store.transaction((tx) => void tx.instances.apply('d', 'PULL')),
      ),
      note('3', store.instances.create({ machine: 'door', id: 'e' })),
      note('4', store.machines.put(LAMP)),
      note('5', store.instances.delete('d')),
    ]);
    expect(order).toEqual(['1', '2', '3', '4', '5']);
  });

  test('D-2 a batch is answered in its turn', async () => {
    const store = await withOneDoor(open);
    const { order, note } = settlingOrder();
    await Promise.all([
      note('1', store.batch([{ op: 'apply', id: 'd', event: 'PUSH' }])),
      note('2', store.instances.apply('d', 'PUSH')),
      note('3', store.batch([{ op: 'apply', id: 'd', event: 'PUSH' }], { mode: 'best_effort' })),
      note('4', store.instances.delete('d')),
    ]);
    expect(order).toEqual(['1', '2', '3', '4']);
  });

  const overPending: readonly (readonly [
    string,
    (store: Store) => Promise<unknown>,
    (store: Store) => Promise<unknown>,
  ])[] = [
    [
      'a taken id',
      (s) => s.instances.create({ machine: 'door', id: 'e' }),
      (s) => s.instances.create({ machine: 'door', id: 'e' }),
    ],
    [
      'a wrong state',
      (s) => s.instances.apply('d', 'PUSH'),
      (s) => s.instances.apply('d', 'PULL', {}, { expectedState: 'open' }),
    ],
    [
      'a failing guard',
      (s) => s.instances.apply('d', 'PUSH'),
      (s) => s.instances.apply('d', 'LOCK'),
    ],
    ['a deleted instance', (s) => s.instances.delete('d'), (s) => s.instances.apply('d', 'PUSH')],
    ['deleting again', (s) => s.instances.delete('d'), (s) => s.instances.delete('d')],
    [
      'a key seen before',
      (s) => s.instances.apply('d', 'PUSH', {}, { idempotencyKey: 'k' }),
      (s) => s.instances.apply('d', 'PUSH', {}, { idempotencyKey: 'k' }),
    ],
    [
      'a key with other arguments',
      (s) => s.instances.apply('d', 'PUSH', {}, { idempotencyKey: 'k' }),
      (s) => s.instances.apply('d', 'PULL', {}, { idempotencyKey: 'k' }),
    ],
    [
      'a failed transaction',
      (s) => s.instances.delete('d'),
      (s) => s.transaction((tx) => void tx.instances.apply('d', 'PUSH')),
    ],
    [
      'what a transaction read',
      (s) => s.instances.delete('d'),
      (s) => s.transaction((tx) => tx.instances.get('d')),
    ],
    [
      'a failed batch',
      (s) => s.instances.delete('d'),
      (s) => s.batch([{ op: 'apply', id: 'd', event: 'PUSH' }]),
    ],
    [
      'a batch of refusals',
      (s) => s.instances.delete('d'),
      (s) => s.batch([{ op: 'apply', id: 'd', event: 'PUSH' }], { mode: 'best_effort' }),
    ],
    [
      'other content of a version',
      (s) => s.machines.put(LAMP),
      (s) => s.machines.put({ ...LAMP, initial: 'on' }),
    ],
    ['the same definition', (s) => s.machines.put(LAMP), (s) => s.machines.put(LAMP)],
    [
      'a version in use',
      (s) => s.instances.create({ machine: 'door', version: 2 }),
      (s) => s.machines.remove('door', 2),
    ],
    [
      'a machine removed twice',
      (s) => s.machines.remove('door', 2),
      (s) => s.machines.remove('door', 2),
    ],
  ];

  test.each(overPending)(
    'D-2 an answer that rests on what waits comes after it: %s',
    async (_, basis, rests) => {
      const store = await withOneDoor(open);
      await store.machines.put({ ...DOOR, version: 2 });
      const { order, note } = settlingOrder();
      await settled(Promise.all([note('basis', basis(store)), note('answer', rests(store))]));
      expect(order).toEqual(['basis', 'answer']);
    },
  );

  test('D-2 an answer that rests on what waits comes after it: a machine that is removed', async () => {
    const store = await withOneDoor(open);
    await store.machines.put({ ...DOOR, version: 2 });
    const { order, note } = settlingOrder();
    const create = { machine: 'door', version: 2 };
    await Promise.all([
      note('basis', store.machines.remove('door', 2)),
      note('answer', store.instances.create(create)),
    ]);
    expect(order).toEqual(['basis', 'answer']);
  });
}
