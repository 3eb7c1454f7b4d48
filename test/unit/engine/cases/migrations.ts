/** Moving instances to another version of their machine: `instances.migrate`. */
import { describe, expect, test } from 'vitest';
import type { MachineDefinition, MigrationPlan, Store } from 'pawl';
import { DOOR, expectRefused, LAMP, manualClock, type Open, refusalOf, seen } from './contract.ts';

/** Without the state `gone`, with another, and with an event more. */
const DOOR_2: MachineDefinition = {
  ...DOOR,
  version: 2,
  states: ['open', 'shut', 'locked'],
  transitions: [
    { from: 'open', event: 'PUSH', to: 'shut' },
    { from: 'shut', event: 'KNOCK', to: 'open' },
  ],
};
const PLAN: MigrationPlan = { machine: 'door', fromVersion: 1, toVersion: 2 };

/** `a` open, `b` shut, `c` gone, `d` deleted, all of version 1; `e` of version 2; a lamp. */
async function withDoors(open: Open): Promise<Store> {
  const store = await open({ clock: manualClock() });
  for (const definition of [DOOR, DOOR_2, LAMP]) await store.machines.put(definition);
  for (const id of ['a', 'b', 'c', 'd'])
    await store.instances.create({ machine: 'door', version: 1, id, context: { id, key: 'iron' } });
  await store.instances.create({ machine: 'door', version: 2, id: 'e' });
  await store.instances.create({ machine: 'lamp', id: 'l' });
  await store.instances.apply('b', 'PUSH', { by: 'ada' }, { eventId: 'e-1' });
  for (const event of ['PUSH', 'LOCK']) await store.instances.apply('c', event);
  await store.instances.delete('d');
  return store;
}

export function migrationCases(open: Open): void {
  describe('migrate', () => {
    plainCases(open);
    mapCases(open);
    concurrentCases(open);
    refusedCases(open);
  });
}

function plainCases(open: Open): void {
  test('keeps state and context where the new version has the state, and leaves the rest alone', async () => {
    const store = await withDoors(open);
    const before = ['a', 'b', 'c', 'd', 'e', 'l'].map((id) => seen(store, id));
    const [a, b, c, d, e, l] = before;
    const offset = store.offset;
    expect(await store.instances.migrate(PLAN)).toEqual({
      migrated: 2,
      byState: { open: 1, shut: 1 },
      failures: [{ id: 'c', reason: 'version 2 has no state "gone"' }],
      failed: 1,
    });
    expect(store.offset).toBe(offset + 2);
    expect(seen(store, 'a')).toEqual({ ...a, version: 2, offset: offset + 1 });
    expect(seen(store, 'b')).toEqual({ ...b, version: 2, offset: offset + 2, lastEventId: 'e-1' });
    expect(['c', 'd', 'e', 'l'].map((id) => seen(store, id))).toEqual([c, d, e, l]);
    expect(store.instances.permitted('b')).toEqual(['KNOCK']);
    expect(await store.instances.apply('b', 'KNOCK')).toMatchObject({ version: 2, to: 'open' });
  });

  test('counts, find and machines.remove follow the instances', async () => {
    const store = await withDoors(open);
    await store.instances.migrate(PLAN);
    const count = (version: number, state?: string): number =>
      store.instances.count({ machine: 'door', version, state });
    expect([count(1), count(2), count(1, 'gone'), count(2, 'open')]).toEqual([1, 3, 1, 2]);
    const { items } = store.instances.find({ machine: 'door', version: 2 });
    expect(items.map(({ id }) => id)).toEqual(['a', 'b', 'e']);
    await expectRefused(store, 'CONFLICT', () => store.machines.remove('door', 1));
    await store.instances.delete('c');
    await store.machines.remove('door', 1);
    expect(store.machines.versions('door')).toEqual([2]);
  });

  test('a dry run says the same and writes nothing', async () => {
    const store = await withDoors(open);
    const offset = store.offset;
    const dry = await store.instances.migrate({ ...PLAN, dryRun: true });
    expect(store.offset).toBe(offset);
    expect(store.instances.count({ machine: 'door', version: 1 })).toBe(3);
    expect(await store.instances.migrate(PLAN)).toEqual(dry);
  });

  test('again it finds only what failed; and it goes back as well', async () => {
    const store = await withDoors(open);
    const { failures } = await store.instances.migrate(PLAN);
    const offset = store.offset;
    expect(await store.instances.migrate(PLAN)).toMatchObject({ migrated: 0, failures });
    expect(store.offset).toBe(offset);
    const back = await store.instances.migrate({ ...PLAN, fromVersion: 2, toVersion: 1 });
    expect(back).toEqual({ migrated: 3, byState: { open: 2, shut: 1 }, failures: [], failed: 0 });
    expect(store.instances.count({ machine: 'door', version: 1 })).toBe(4);
  });

  test('many instances take more than one commit, and none is missed', async () => {
    const store = await open();
    await store.machines.put(DOOR);
    await store.machines.put(DOOR_2);
    const ids = Array.from({ length: 2500 }, (_, i) => `door-${i}`);
    await Promise.all(ids.map((id) => store.instances.create({ machine: 'door', version: 1, id })));
    const offset = store.offset;
    expect(await store.instances.migrate(PLAN)).toMatchObject({ migrated: 2500, failed: 0 });
    expect(store.offset).toBe(offset + 2500);
    expect(store.instances.count({ version: 2, state: 'open' })).toBe(2500);
  });

  test('a time never goes back, whatever the clock says', async () => {
    const clock = manualClock();
    const store = await open({ clock });
    await store.machines.put(DOOR);
    await store.machines.put(DOOR_2);
    await store.instances.create({ machine: 'door', version: 1, id: 'a' });
    const { updatedAt } = seen(store, 'a');
    clock.time -= 5000;
    await store.instances.migrate(PLAN);
    expect(seen(store, 'a')).toMatchObject({ version: 2, updatedAt });
    clock.time += 20_000;
    await store.instances.migrate({ ...PLAN, fromVersion: 2, toVersion: 1 });
    expect(seen(store, 'a').updatedAt).toBe(clock.time);
  });
}

function mapCases(open: Open): void {
  test('map gives the state and the whole context; fields it leaves out are gone', async () => {
    const store = await withDoors(open);
    const seenByMap: unknown[] = [];
    const report = await store.instances.migrate({
      ...PLAN,
      map: (instance) => {
        seenByMap.push(instance);
        return { state: 'locked', context: { was: instance.state } };
      },
    });
    expect(report).toMatchObject({ migrated: 3, byState: { locked: 3 }, failed: 0 });
    expect(seenByMap).toMatchObject([
      { id: 'a', version: 1, state: 'open', context: { id: 'a', key: 'iron' }, deleted: false },
      { id: 'b', state: 'shut', context: { by: 'ada' }, lastEventId: 'e-1' },
      { id: 'c', state: 'gone' },
    ]);
    expect(['a', 'b', 'c'].map((id) => seen(store, id).context)).toEqual([
      { was: 'open' },
      { was: 'shut' },
      { was: 'gone' },
    ]);
    expect(seen(store, 'b').lastEventId).toBe('e-1');
  });

  test('the instance may be changed and given back as it is', async () => {
    const store = await withDoors(open);
    const map: MigrationPlan['map'] = (instance) => {
      instance.context['moved'] = true;
      return { ...instance, state: 'locked' };
    };
    await store.instances.migrate({ ...PLAN, map });
    expect(seen(store, 'a').context).toEqual({ id: 'a', key: 'iron', moved: true });
  });

  const wrong: readonly (readonly [string, () => unknown, string])[] = [
    ['throws', () => { throw new Error('not this one'); }, 'not this one'], // prettier-ignore
    ['throws what is no error', () => { throw Object.create(null) as Error; }, 'map threw something that cannot be shown'], // prettier-ignore
    ['gives nothing', () => undefined, 'map must return { state, context }, not undefined'],
    ['gives a list', () => [], 'state must be a string, not undefined'],
    [
      'gives a promise',
      () => Promise.reject(new Error('late')),
      'map must return { state, context } at once, not a promise',
    ],
    ['names no state', () => ({ state: 'gone', context: {} }), 'version 2 has no state "gone"'],
    ['gives no context', () => ({ state: 'open' }), 'context is undefined'],
    ['gives a date', () => ({ state: 'open', context: { at: new Date(0) } }), 'context.at'],
    [
      'gives too much',
      () => ({ state: 'open', context: { x: 'x'.repeat(2 ** 24) } }),
      'is larger than',
    ],
    ['throws on the way out', () => ({ get state() { throw new Error('boom'); } }), 'boom'], // prettier-ignore
  ];
  test.each(wrong)('F-79 a map that %s fails for its instance alone', async (_, run, reason) => {
    const store = await withDoors(open);
    const before = seen(store, 'b');
    const report = await store.instances.migrate({
      ...PLAN,
      map: (instance) =>
        (instance.id === 'b' ? run() : { state: 'shut', context: {} }) as {
          state: string;
          context: object;
        },
    });
    expect(report).toMatchObject({ migrated: 2, byState: { shut: 2 }, failed: 1 });
    expect(report.failures[0]?.id).toBe('b');
    expect(report.failures[0]?.reason).toContain(reason);
    expect(seen(store, 'b')).toEqual(before);
  });

  test.each([false, true])('F-79 a map cannot write: it is refused, dry run %s', async (dryRun) => {
    const store = await withDoors(open);
    const { offset } = store;
    const tried: Promise<unknown>[] = [];
    const report = await store.instances.migrate({
      ...PLAN,
      dryRun,
      map: ({ id }) => {
        tried.push(
          ...[
            store.instances.apply(id, 'PUSH'),
            store.transaction((tx) => tx.instances.delete(id)),
            store.instances.migrate(PLAN),
            store.close(),
          ].map((promise) => refusalOf(() => promise)),
        );
        return { state: 'open', context: {} };
      },
    });
    expect(report.migrated).toBe(3);
    const codes = (await Promise.all(tried)).map((error) => (error as { code: string }).code);
    expect(codes).toEqual(Array.from({ length: 12 }, () => 'BAD_REQUEST'));
    expect(store.offset).toBe(offset + (dryRun ? 0 : 3));
  });
}

function concurrentCases(open: Open): void {
  test('what waits for the disk is migrated as it will be', async () => {
    const store = await open();
    await store.machines.put(DOOR);
    await store.machines.put(DOOR_2);
    await store.instances.create({
      machine: 'door',
      version: 1,
      id: 'a',
      context: { n: 1, old: 1 },
    });
    const waiting = [
      store.instances.apply('a', 'PUSH', { n: 2 }),
      store.instances.create({ machine: 'door', version: 1, id: 'b', context: { n: 3, old: 1 } }),
    ];
    const migrating = store.instances.migrate({
      ...PLAN,
      map: ({ state, context }) => ({ state, context: { n: context['n'] as number } }),
    });
    const barred = refusalOf(() => store.instances.apply('a', 'PUSH', { late: true }));
    const pushed = store.instances.apply('b', 'PUSH', { late: true });
    expect(await migrating).toMatchObject({ migrated: 2, byState: { shut: 1, open: 1 } });
    await Promise.all(waiting);
    // In version 2 a shut door cannot be pushed.
    expect((await barred).code).toBe('INVALID_TRANSITION');
    expect(await pushed).toMatchObject({ version: 2, to: 'shut', context: { n: 3, late: true } });
    expect(seen(store, 'a')).toMatchObject({ version: 2, state: 'shut', context: { n: 2 } });
    expect(seen(store, 'b').context).toEqual({ n: 3, late: true });
  });

  test('events that follow at once see the new version, its state and its context', async () => {
    const store = await withDoors(open);
    const migrating = store.instances.migrate({
      ...PLAN,
      map: () => ({ state: 'shut', context: { fresh: 1 } }),
    });
    const seenInside = await store.transaction((tx) => {
      const before = tx.instances.get('a');
      const { context, from } = tx.instances.apply('a', 'KNOCK', { n: 1 });
      return { version: before?.version, was: before?.context, from, context };
    });
    expect(seenInside.value).toEqual({
      version: 2,
      was: { fresh: 1 },
      from: 'shut',
      context: { fresh: 1, n: 1 },
    });
    await migrating;
    expect(seen(store, 'a').context).toEqual({ fresh: 1, n: 1 });
  });

  test('a transaction that is taken back behind it brings nothing of the old context up', async () => {
    const store = await withDoors(open);
    const migrating = store.instances.migrate({
      ...PLAN,
      map: () => ({ state: 'shut', context: { fresh: 1 } }),
    });
    const failing = store.transaction((tx) => {
      tx.instances.apply('a', 'KNOCK', { n: 1 });
      throw new Error('not that way');
    });
    const seenAfter = await store.transaction((tx) => tx.instances.get('a')?.context ?? {});
    expect(seenAfter.value).toEqual({ fresh: 1 });
    await expect(failing).rejects.toThrow('not that way');
    await migrating;
  });

  test('writers go on while it runs, and every one of their events counts', async () => {
    const store = await open();
    await store.machines.put(DOOR);
    await store.machines.put(DOOR_2);
    const ids = Array.from({ length: 3000 }, (_, i) => `door-${i}`);
    await Promise.all(ids.map((id) => store.instances.create({ machine: 'door', version: 1, id })));
    const done = new AbortController();
    const migrating = store.instances.migrate(PLAN).finally(() => done.abort());
    let pushes = 0;
    const writing = (async (): Promise<void> => {
      for (let i = ids.length - 1; i >= 0 && !done.signal.aborted; i--, pushes++)
        await store.instances.apply(ids[i] as string, 'PUSH', { pushed: i });
    })();
    const [report] = await Promise.all([migrating, writing]);
    expect(report).toMatchObject({ migrated: 3000, failed: 0 });
    expect(pushes).toBeGreaterThan(0);
    expect(store.instances.count({ version: 2, state: 'shut' })).toBe(pushes);
    expect(store.instances.count({ version: 2 })).toBe(3000);
  });

  test('a version that is to go is free as soon as its last instance was moved', async () => {
    const store = await open();
    await store.machines.put(DOOR);
    await store.machines.put(DOOR_2);
    await store.instances.create({ machine: 'door', version: 1, id: 'a' });
    const migrating = store.instances.migrate(PLAN);
    expect((await refusalOf(() => store.machines.remove('door', 2))).code).toBe('CONFLICT');
    await store.machines.remove('door', 1);
    expect((await migrating).migrated).toBe(1);
  });
}

function refusedCases(open: Open): void {
  const refused: readonly (readonly [string, unknown, string, string])[] = [
    ['no plan', undefined, 'BAD_REQUEST', 'plan'],
    ['no object', 7, 'BAD_REQUEST', 'plan'],
    ['a field nobody knows', { ...PLAN, dryrun: true }, 'BAD_REQUEST', 'dryrun'],
    ['no machine', { fromVersion: 1, toVersion: 2 }, 'BAD_REQUEST', 'machine'],
    ['no version', { machine: 'door', toVersion: 2 }, 'BAD_REQUEST', 'fromVersion'],
    ['a version that is none', { ...PLAN, toVersion: 1.5 }, 'BAD_REQUEST', 'toVersion'],
    ['the same version', { ...PLAN, toVersion: 1 }, 'BAD_REQUEST', 'toVersion'],
    ['a map that is none', { ...PLAN, map: {} }, 'BAD_REQUEST', 'map'],
    ['a dryRun that is none', { ...PLAN, dryRun: 'yes' }, 'BAD_REQUEST', 'dryRun'],
  ];
  test.each(refused)('GEN-1 %s is refused, and nothing is done', async (_, plan, code, path) => {
    const store = await withDoors(open);
    const migrate = (): unknown => store.instances.migrate(plan as MigrationPlan);
    const error = await expectRefused(store, code as 'BAD_REQUEST', migrate, ['a', 'd']);
    expect(error.details).toMatchObject({ path });
  });

  test('machines and versions that are not there are MACHINE_NOT_FOUND', async () => {
    const store = await withDoors(open);
    for (const change of [{ machine: 'gate' }, { fromVersion: 7 }, { toVersion: 7 }]) {
      const plan = { ...PLAN, ...change };
      const error = await expectRefused(store, 'MACHINE_NOT_FOUND', () =>
        store.instances.migrate(plan),
      );
      expect(error.details).toMatchObject({ machine: plan.machine });
    }
  });

  test('a closed store is STORE_CLOSED, also when it closes in the middle', async () => {
    const store = await open();
    await store.machines.put(DOOR);
    await store.machines.put(DOOR_2);
    const ids = Array.from({ length: 3000 }, (_, i) => `door-${i}`);
    await Promise.all(ids.map((id) => store.instances.create({ machine: 'door', version: 1, id })));
    const migrating = refusalOf(() => store.instances.migrate(PLAN));
    await store.close();
    expect((await migrating).code).toBe('STORE_CLOSED');
    expect((await refusalOf(() => store.instances.migrate(PLAN))).code).toBe('STORE_CLOSED');
  });
}
