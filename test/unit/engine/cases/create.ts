/** Creating instances: INS-1, INS-6, generated ids, and the order in which create is refused (D-14). */
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  expectRefused,
  LAMP,
  manualClock,
  type Open,
  seen,
  withDoor,
  withOneDoor,
} from './contract.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export function createCases(open: Open): void {
  describe('create', () => {
    resultCases(open);
    timeCases(open);
    orderCases(open);
  });
}

function resultCases(open: Open): void {
  test('INS-1 the result is the instance, and get shows the same', async () => {
    const clock = manualClock();
    const store = await withDoor(open, { clock });
    const context = { key: 'iron', list: [1, { two: 2n }], none: null };
    const created = await store.instances.create({ machine: 'door', id: 'd', context });
    expect(created).toEqual({
      id: 'd',
      machine: 'door',
      version: 1,
      state: 'open',
      context,
      createdAt: clock.time,
      updatedAt: clock.time,
      offset: 2,
      deleted: false,
      applied: true,
    });
    const { applied: _, ...instance } = created;
    expect(store.instances.get('d')).toEqual(instance);
    expect(store.offset).toBe(2);
  });

  test('INS-1 without a context it is empty; changing what came out changes nothing', async () => {
    const store = await withDoor(open);
    const context = { list: [1] };
    const created = await store.instances.create({ machine: 'door', id: 'd', context });
    context.list.push(2);
    (created.context['list'] as number[]).push(3);
    (seen(store, 'd').context['list'] as number[]).push(4);
    expect(seen(store, 'd').context).toEqual({ list: [1] });
    expect((await store.instances.create({ machine: 'door', id: 'e' })).context).toEqual({});
  });

  test('INS-1 a result shows its create, whenever it is looked at, and is plain data to everyone', async () => {
    const store = await withDoor(open);
    const context = { n: 1, long: 'x'.repeat(200) };
    const creating = store.instances.create({ machine: 'door', id: 'd', context });
    const pushed = store.instances.apply('d', 'PUSH', { n: 2 });
    const [created, kept] = [await creating, await pushed.then(() => creating)];
    expect(seen(store, 'd').context).toEqual({ ...context, n: 2 });
    expect(created.context).toEqual(context);
    expect(created.context, 'the same object each time').toBe(kept.context);
    const plain = { ...created };
    expect(plain.context).toEqual(context);
    expect(Object.keys(created)).toContain('context');
    expect(JSON.parse(JSON.stringify(created))).toEqual(plain);
    expect(structuredClone(created)).toEqual(plain);
    expect(inspect(created)).toBe(inspect(plain));
  });

  test('INS-1 generated ids are UUIDv7 and sort by the time they were made', async () => {
    const clock = manualClock(0x0123_4567_89ab);
    const store = await withDoor(open, { clock });
    const ids: string[] = [];
    for (let i = 0; i < 50; i++) {
      ids.push((await store.instances.create({ machine: 'door' })).id);
      clock.time += 1;
    }
    expect(ids.filter((id) => !UUID_V7.test(id))).toEqual([]);
    expect(ids[0]?.startsWith('01234567-89ab-7')).toBe(true);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(50);
    expect(store.instances.find().items.map((one) => one.id)).toEqual(ids);
  });

  test('INS-1 ids generated within one millisecond differ', async () => {
    const store = await withDoor(open, { clock: manualClock() });
    const all = Array.from({ length: 1000 }, () => store.instances.create({ machine: 'door' }));
    expect(new Set((await Promise.all(all)).map((one) => one.id)).size).toBe(1000);
  });
}

function timeCases(open: Open): void {
  test('INS-6 createdAt and updatedAt are the time of the fact, if one is given', async () => {
    const clock = manualClock(5000);
    const store = await withDoor(open, { clock });
    const old = await store.instances.create({ machine: 'door', id: 'd', at: -1 });
    expect([old.createdAt, old.updatedAt]).toEqual([-1, -1]);
    const moved = await store.instances.apply('d', 'PUSH', {}, { at: 3 });
    expect(moved.at).toBe(3);
    expect(seen(store, 'd')).toMatchObject({ createdAt: -1, updatedAt: 3 });
    await store.instances.apply('d', 'PULL');
    expect(seen(store, 'd')).toMatchObject({ createdAt: -1, updatedAt: 5000 });
    await store.instances.delete('d', { at: 6000 });
    expect(seen(store, 'd')).toMatchObject({ createdAt: -1, updatedAt: 6000 });
  });

  test.each([1.5, NaN, Infinity, '5', new Date(0), 2 ** 53])(
    'GEN-5 a time of %s is refused',
    async (at) => {
      const store = await withOneDoor(open);
      const options = { at: at as never };
      for (const call of [
        (): unknown => store.instances.create({ machine: 'door', ...options }),
        (): unknown => store.instances.apply('d', 'PUSH', {}, options),
        (): unknown => store.instances.delete('d', options),
        (): unknown => store.transaction(() => 1, options),
        (): unknown => store.batch([], options),
        (): unknown => store.machines.put(LAMP, options),
      ]) {
        const error = await expectRefused(store, 'BAD_REQUEST', call);
        expect(error.details).toMatchObject({ path: 'options.at' });
      }
    },
  );
}

function orderCases(open: Open): void {
  test('INS-1 a taken id is refused, also one that is deleted, and says which', async () => {
    const store = await withOneDoor(open);
    const create = (): unknown => store.instances.create({ machine: 'door', id: 'd' });
    const living = await expectRefused(store, 'INSTANCE_EXISTS', create);
    expect(living.details).toEqual({ id: 'd', deleted: false });
    await store.instances.delete('d');
    const dead = await expectRefused(store, 'INSTANCE_EXISTS', create, ['d']);
    expect(dead.details).toEqual({ id: 'd', deleted: true });
  });

  test('INS-1 an unknown machine or version is refused', async () => {
    const store = await withOneDoor(open);
    for (const input of [
      { machine: 'nobody' },
      { machine: 'door', version: 2 },
      { machine: 'toString' },
    ]) {
      const create = (): unknown => store.instances.create(input);
      const error = await expectRefused(store, 'MACHINE_NOT_FOUND', create);
      expect(error.details).toMatchObject(input);
    }
  });

  // Each row has two faults; the code is that of the one that is checked first.
  test.each([
    ['malformed before taken', { machine: 'door', id: 'd', context: { no: NaN } }, 'BAD_REQUEST'],
    ['malformed before unknown', { machine: 'nobody', context: [] }, 'BAD_REQUEST'],
    ['malformed id before unknown', { machine: 'nobody', id: '' }, 'BAD_REQUEST'],
    ['malformed version before taken', { machine: 'door', version: 0.5, id: 'd' }, 'BAD_REQUEST'],
    ['malformed key before taken', { machine: 'door', id: 'd', idempotencyKey: '' }, 'BAD_REQUEST'],
    [
      'too large before taken',
      { machine: 'door', id: 'd', context: { text: 'x'.repeat(17 << 20) } },
      'RECORD_TOO_LARGE',
    ],
    ['key before taken', { machine: 'door', id: 'd', idempotencyKey: 'used' }, 'CONFLICT'],
    ['taken before unknown', { machine: 'nobody', id: 'd' }, 'INSTANCE_EXISTS'],
    ['taken before unknown version', { machine: 'door', version: 9, id: 'd' }, 'INSTANCE_EXISTS'],
  ] as const)('D-14 %s', async (_, input, code) => {
    const store = await withOneDoor(open);
    await store.instances.create({ machine: 'door', idempotencyKey: 'used' });
    const error = await expectRefused(store, code, () => store.instances.create(input));
    expect(error.retryable).toBe(false);
  });

  test('D-14 a full queue is the last thing a create is refused for', async () => {
    const store = await withOneDoor(open, 'd', { maxPending: 1 });
    const first = store.instances.create({ machine: 'door', id: 'first' });
    const codes = await Promise.all(
      [{ machine: 'door', id: 'd' }, { machine: 'nobody' }, { machine: 'door' }].map((input) =>
        store.instances.create(input).then(
          () => 'taken',
          (error: { code: string }) => error.code,
        ),
      ),
    );
    expect(codes).toEqual(['INSTANCE_EXISTS', 'MACHINE_NOT_FOUND', 'RATE_LIMITED']);
    await first;
    expect(store.instances.count()).toBe(2);
    await store.instances.create({ machine: 'door', id: 'second' });
  });

  test.each([[undefined], [null], [5], ['door'], [[]]])(
    'F-79 create(%s) is refused',
    async (input) => {
      const store = await withOneDoor(open);
      const create = (): unknown => store.instances.create(input as never);
      expect((await expectRefused(store, 'BAD_REQUEST', create)).details).toHaveProperty('path');
    },
  );
}
