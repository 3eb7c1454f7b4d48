/** Closing: what was accepted finishes, what comes later is STORE_CLOSED (GEN-8); and what is not there yet. */
import { describe, expect, test } from 'vitest';
import type { Store } from 'pawl';
import { DOOR, LAMP, type Open, refusalOf, settled, withOneDoor } from './contract.ts';

export function closingCases(open: Open): void {
  describe('closing', () => {
    finishingCases(open);
    afterwardsCases(open);
    laterCases(open);
  });
}

function finishingCases(open: Open): void {
  test('GEN-8 writes that were accepted finish, later ones are refused', async () => {
    const store = await withOneDoor(open);
    const writes = Array.from({ length: 500 }, (_, n) => store.instances.apply('d', 'PUSH', { n }));
    const ref = (await store.machine(DOOR as never)).ref('d');
    ref.post('PULL' as never);
    const rejected = refusalOf(() => store.instances.apply('d', 'LOCK'));
    const closing = store.close();
    const late = refusalOf(() => store.instances.apply('d', 'PUSH'));
    const all = await settled(Promise.all(writes));
    expect(all.at(-1)?.offset).toBe(502);
    expect((await settled(rejected)).code).not.toBe('STORE_CLOSED');
    expect((await late).code).toBe('STORE_CLOSED');
    await settled(closing);
    expect([store.closed, store.offset]).toEqual([true, 503]);
  });

  test('GEN-8 close may be called again, and together', async () => {
    const store = await withOneDoor(open);
    expect(store.closed).toBe(false);
    await Promise.all([store.close(), store.close()]);
    await store.close();
    await store[Symbol.asyncDispose]();
    expect(store.closed).toBe(true);
  });

  test('GEN-8 close inside a transaction is refused; outside it works afterwards', async () => {
    const store = await withOneDoor(open);
    let inside: Promise<unknown> | undefined;
    await store.transaction((tx) => {
      inside = refusalOf(() => store.close());
      tx.instances.apply('d', 'PUSH');
    });
    expect(await settled(inside as Promise<unknown>)).toMatchObject({ code: 'BAD_REQUEST' });
    expect(store.instances.get('d')?.state).toBe('shut');
    await settled(store.close());
    expect(store.closed).toBe(true);
  });
}

function afterwardsCases(open: Open): void {
  const rejects: readonly (readonly [string, (store: Store) => Promise<unknown>])[] = [
    ['machine', (store) => store.machine(LAMP as never)],
    ['put', (store) => store.machines.put(LAMP)],
    ['remove', (store) => store.machines.remove('door', 1)],
    ['create', (store) => store.instances.create({ machine: 'door' })],
    ['create with nonsense', (store) => store.instances.create(5 as never)],
    ['apply', (store) => store.instances.apply('d', 'PUSH')],
    ['delete', (store) => store.instances.delete('d')],
    ['transaction', (store) => store.transaction(() => 1)],
    ['batch', (store) => store.batch([])],
    ['flush', (store) => store.flush()],
    ['reached', (store) => store.reached(1)],
    ['verify', (store) => store.verify()],
  ];
  const throws: readonly (readonly [string, (store: Store) => unknown])[] = [
    ['get', (store) => store.instances.get('d')],
    ['get of nonsense', (store) => store.instances.get(5 as never)],
    ['can', (store) => store.instances.can('d', 'PUSH')],
    ['permitted', (store) => store.instances.permitted('d')],
    ['explain', (store) => store.instances.explain('d', 'PUSH')],
    ['find', (store) => store.instances.find()],
    ['iterate', (store) => store.instances.iterate()],
    ['count', (store) => store.instances.count()],
    ['machines.get', (store) => store.machines.get('door')],
    ['machines.list', (store) => store.machines.list()],
    ['machines.versions', (store) => store.machines.versions('door')],
    ['stats', (store) => store.stats()],
  ];

  test.each(rejects)(
    'GEN-8 afterwards %s rejects with STORE_CLOSED, and does not throw',
    async (_, call) => {
      const store = await withOneDoor(open);
      await store.close();
      const promise = call(store);
      expect((await settled(refusalOf(() => promise))).code).toBe('STORE_CLOSED');
    },
  );

  test.each(throws)('GEN-8 afterwards %s throws STORE_CLOSED', async (_, call) => {
    const store = await withOneDoor(open);
    await store.close();
    expect(() => call(store)).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }));
  });

  test('GEN-8 what was taken before it, handles, references, iterators, is closed too', async () => {
    const store = await withOneDoor(open);
    const doors = await store.machine(DOOR as never);
    const ref = doors.ref('d');
    const done = await ref.apply('PUSH' as never, { n: 1 } as never);
    await store.instances.create({ machine: 'door', id: 'e' });
    const rows = store.instances.iterate();
    rows.next();
    await store.close();
    for (const call of [
      (): unknown => doors.get('d'),
      (): unknown => doors.find(),
      (): unknown => doors.create({}),
      (): unknown => doors.ref('d'),
      (): unknown => ref.state,
      (): unknown => ref.get(),
      (): unknown => ref.apply('PULL' as never),
      (): unknown => ref.post('PULL' as never),
      (): unknown => rows.next(),
    ]) {
      expect((await refusalOf(call)).code).toBe('STORE_CLOSED');
    }
    expect(done.context).toEqual({ n: 1 });
    expect([store.location.length > 0, store.offset, store.recovery.recordsReplayed]).toEqual([
      true,
      4,
      0,
    ]);
  });
}

function laterCases(open: Open): void {
  test('D-14 what later issues bring is absent or UNSUPPORTED, never a stub', async () => {
    const store = await withOneDoor(open);
    const doors = await store.machine(DOOR as never);
    const places: readonly (readonly [object, readonly string[]])[] = [
      [store, ['namespace', 'namespaces', 'subscriptions', 'timers', 'watch', 'backup']],
      [store.instances, ['history', 'watch']],
      [doors, ['history', 'watch']],
    ];
    for (const [place, names] of places) {
      for (const name of names) {
        const found = (place as Record<string, unknown>)[name];
        if (found === undefined) continue;
        const call =
          typeof found === 'function'
            ? (): unknown => Reflect.apply(found, place, ['x', {}])
            : (): unknown => found;
        expect(await refusalOf(call)).toMatchObject({ code: 'UNSUPPORTED' });
      }
    }
    await store.transaction((tx) => {
      for (const name of ['namespace', 'namespaces'])
        expect((tx as unknown as Record<string, unknown>)[name]).toBeUndefined();
    });
  });
}
