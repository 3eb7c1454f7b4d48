/** Definitions through the store: MAC-1, MAC-2, MAC-4, MAC-6 and what they leave behind. */
import { describe, expect, test } from 'vitest';
import { defineMachine } from 'pawl';
import {
  DOOR,
  expectRefused,
  LAMP,
  type Open,
  refusalOf,
  withDoor,
  withOneDoor,
} from './contract.ts';

const DATA = { ...DOOR, meta: { owner: 'ada', size: 2n ** 63n, tags: ['a'] }, indexes: ['key'] };

export function machineCases(open: Open): void {
  describe('machines', () => {
    identityCases(open);
    indexCases(open);
    capCases(open);
    removalCases(open);
    handleCases(open);
  });
}

function identityCases(open: Open): void {
  test('MAC-1 what is read back is the normalised definition', async () => {
    const store = await open();
    const put = await store.machines.put({
      ...DATA,
      states: ['open', 'shut', 'open', 'gone'],
      timeouts: [{ state: 'open', after: '30m', event: 'PUSH' }],
    });
    expect(put).toMatchObject({ name: 'door', version: 1, created: true });
    expect(put.checksum).toMatch(/^[0-9a-f]{64}$/);
    expect(store.machines.get('door', 1)).toEqual({
      ...DATA,
      transitions: [
        DOOR.transitions[0],
        DOOR.transitions[1],
        { ...DOOR.transitions[2], from: ['shut'] },
      ],
      timeouts: [{ state: 'open', after: 1_800_000, event: 'PUSH' }],
    });
    expect(store.offset).toBe(1);
  });

  test('MAC-2 the same content in another key order is the same definition', async () => {
    const store = await open();
    const first = await store.machines.put(DATA);
    const offset = store.offset;
    const { name, meta, ...rest } = DATA;
    const turned = { meta: { tags: meta.tags, size: meta.size, owner: meta.owner }, ...rest, name };
    const again = await store.machines.put(turned);
    expect(again).toEqual({ ...first, created: false });
    expect(store.offset).toBe(offset);
  });

  test('MAC-2 two puts in one turn make one definition', async () => {
    const store = await open();
    const [first, second] = await Promise.all([store.machines.put(DATA), store.machines.put(DATA)]);
    expect([first.created, second.created]).toEqual([true, false]);
    expect(second.checksum).toBe(first.checksum);
    expect(store.machines.list()).toEqual([{ name: 'door', versions: [1] }]);
  });

  test.each([
    ['an initial state', { ...DATA, initial: 'shut' }],
    [
      'a guard',
      { ...DATA, transitions: DATA.transitions.map((rule) => ({ ...rule, guard: 'ctx.x' })) },
    ],
    ['meta', { ...DATA, meta: { ...DATA.meta, owner: 'bob' } }],
    ['a timeout', { ...DATA, timeouts: [{ state: 'open', after: 1, event: 'PUSH' }] }],
    ['the order of rules', { ...DATA, transitions: DATA.transitions.toReversed() }],
  ])('MAC-2 other content (%s) under a version that is taken is refused', async (_, other) => {
    const store = await open();
    await store.machines.put(DATA);
    await expectRefused(store, 'MACHINE_VERSION_EXISTS', () => store.machines.put(other));
    const both = await Promise.allSettled([
      store.machines.put({ ...DATA, version: 2 }),
      store.machines.put({ ...other, version: 2 }),
    ]);
    expect(both.map((one) => one.status)).toEqual(['fulfilled', 'rejected']);
  });

  test('MAC-2 an expected checksum must be the one of the content', async () => {
    const store = await open();
    const { checksum } = await store.machines.put(DATA);
    const next = { ...DATA, version: 2 };
    const put = (): unknown => store.machines.put(next, { expectedChecksum: checksum });
    const error = await expectRefused(store, 'BAD_REQUEST', put);
    expect(error.details).toMatchObject({ path: 'options.expectedChecksum' });
    expect(await store.machines.put(DATA, { expectedChecksum: checksum })).toMatchObject({
      created: false,
    });
  });

  test('MAC-1 F-73 meta keeps a field called __proto__ and 64-bit integers', async () => {
    const store = await open();
    const meta = JSON.parse('{"__proto__":{"polluted":1},"constructor":2}') as Record<
      string,
      unknown
    >;
    await store.machines.put({ ...DOOR, meta: { ...meta, big: -(2n ** 63n) } });
    const own = store.machines.get('door')?.meta ?? {};
    expect(new Map(Object.entries(own))).toEqual(
      new Map<string, unknown>([
        ['__proto__', { polluted: 1 }],
        ['constructor', 2],
        ['big', -(2n ** 63n)],
      ]),
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('MAC-2 changing what was put, or what was read, changes nothing', async () => {
    const store = await open();
    const mine = structuredClone(DATA) as unknown as { meta: { tags: string[] }; states: string[] };
    await store.machines.put(mine);
    mine.meta.tags.push('b');
    mine.states.push('lost');
    const read = store.machines.get('door') as unknown as { states: string[] };
    expect(() => read.states.push('lost')).toThrow(TypeError);
    expect(store.machines.get('door')).toMatchObject({
      states: DATA.states,
      meta: { tags: ['a'] },
    });
  });
}

function indexCases(open: Open): void {
  test('MAC-6 putting again with other indexes changes them, for all versions', async () => {
    const store = await open();
    const first = await store.machines.put(DATA);
    await store.machines.put({ ...DATA, version: 2 });
    const offset = store.offset;
    const again = await store.machines.put({ ...DATA, indexes: ['key', 'size'] });
    expect(again).toEqual({ ...first, created: false });
    expect(store.offset).toBe(offset + 1);
    expect(store.machines.get('door', 1)?.indexes).toEqual(['key', 'size']);
    expect(store.machines.get('door', 2)?.indexes).toEqual(['key', 'size']);
    await store.machines.put({ ...DATA, indexes: undefined });
    expect(store.machines.get('door', 1)).not.toHaveProperty('indexes');
  });
}

function capCases(open: Open): void {
  test('MAC-4 versions beyond the cap are refused; the same again is not', async () => {
    const store = await open({ maxMachineVersions: 2 });
    await store.machines.put({ ...DOOR, version: 7 });
    const both = [3, 5].map((version) => store.machines.put({ ...DOOR, version }));
    expect((await Promise.allSettled(both)).map((one) => one.status)).toEqual([
      'fulfilled',
      'rejected',
    ]);
    const put = (): unknown => store.machines.put({ ...DOOR, version: 8 });
    await expectRefused(store, 'MACHINE_VERSION_LIMIT_EXCEEDED', put);
    expect(await store.machines.put({ ...DOOR, version: 7 })).toMatchObject({ created: false });
    await store.machines.put(LAMP);
    await store.machines.remove('door', 3);
    await store.machines.put({ ...DOOR, version: 8 });
    expect(store.machines.versions('door')).toEqual([7, 8]);
  });

  test('MAC-4 names and versions are listed in order', async () => {
    const store = await open();
    const versions = [10, 2, 0, 2 ** 32 - 1, 1];
    for (const version of versions) await store.machines.put({ ...DOOR, version });
    await store.machines.put(LAMP);
    await store.machines.put({ ...LAMP, name: '__proto__' });
    expect(store.machines.list()).toEqual([
      { name: '__proto__', versions: [1] },
      { name: 'door', versions: [0, 1, 2, 10, 2 ** 32 - 1] },
      { name: 'lamp', versions: [1] },
    ]);
    expect(store.machines.get('door')?.version).toBe(2 ** 32 - 1);
    expect(store.machines.versions('nobody')).toEqual([]);
    expect(store.machines.get('door', 3)).toBeUndefined();
  });
}

function removalCases(open: Open): void {
  test('MAC-6 a version with living instances cannot be removed', async () => {
    const store = await withOneDoor(open);
    const error = await expectRefused(store, 'CONFLICT', () => store.machines.remove('door', 1));
    expect(error.details).toEqual({ reason: 'in-use', count: 1 });
  });

  test('MAC-6 instances that wait count as they will be', async () => {
    const store = await withOneDoor(open);
    const deleted = store.instances.delete('d');
    const removed = store.machines.remove('door', 1);
    await Promise.all([deleted, removed]);
    expect(store.machines.list()).toEqual([]);
    await store.machines.put(DOOR);
    const created = store.instances.create({ machine: 'door' });
    const error = await refusalOf(() => store.machines.remove('door', 1));
    expect(error.details).toMatchObject({ reason: 'in-use', count: 1 });
    await created;
  });

  test('MAC-6 a removed version is hidden, its deleted instances stay readable, and it can come back', async () => {
    const store = await withOneDoor(open);
    await store.instances.delete('d');
    await store.machines.remove('door', 1);
    expect(store.machines.get('door', 1)).toBeUndefined();
    expect(store.machines.versions('door')).toEqual([]);
    expect(store.instances.get('d', { deleted: true })?.machine).toBe('door');
    for (const call of [
      (): unknown => store.instances.create({ machine: 'door' }),
      (): unknown => store.instances.create({ machine: 'door', version: 1 }),
      (): unknown => store.machines.remove('door', 1),
    ]) {
      await expectRefused(store, 'MACHINE_NOT_FOUND', call);
    }
    await expectRefused(store, 'MACHINE_VERSION_EXISTS', () =>
      store.machines.put({ ...DOOR, initial: 'shut' }),
    );
    await store.machines.put(DOOR);
    expect((await store.instances.create({ machine: 'door' })).version).toBe(1);
  });

  test('MAC-6 without a version, create takes the highest that is not removed', async () => {
    const store = await withDoor(open);
    await store.machines.put({ ...DOOR, version: 2 });
    expect((await store.instances.create({ machine: 'door' })).version).toBe(2);
    const pending = store.machines.put({ ...DOOR, version: 3 });
    expect((await store.instances.create({ machine: 'door' })).version).toBe(3);
    await pending;
  });
}

function handleCases(open: Open): void {
  test('store.machine registers once and gives a handle that creates its own version', async () => {
    const store = await open();
    const door = defineMachine({
      name: 'door',
      version: 4,
      states: ['open', 'shut'],
      initial: 'open',
      transitions: [{ from: 'open', event: 'PUSH', to: 'shut' }],
    });
    const doors = await store.machine(door);
    await store.machines.put({ ...DOOR, version: 9 });
    expect(store.offset).toBe(2);
    await store.machine(door);
    expect(store.offset).toBe(2);
    expect(doors.definition).toMatchObject({ name: 'door', version: 4 });
    await doors.create({ id: 'old' });
    await store.instances.create({ machine: 'door', id: 'new' });
    expect(doors.get('old')?.version).toBe(4);
    expect(doors.get('new')?.version).toBe(9);
    expect(doors.count()).toBe(2);
    expect(await refusalOf(() => store.machine(null as never))).toMatchObject({
      code: 'BAD_REQUEST',
    });
  });
}
