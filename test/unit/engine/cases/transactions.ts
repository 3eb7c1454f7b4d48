/** Transactions: all or nothing, one commit, reads that see their own writes (INS-5, D-2, GEN-1). */
import { describe, expect, test } from 'vitest';
import { defineMachine, type Instance, StoreError, type Transaction } from 'pawl';
import {
  contentOf,
  DOOR,
  expectRefused,
  LAMP,
  manualClock,
  type Open,
  refusalOf,
  seen,
  withDoor,
  withOneDoor,
} from './contract.ts';

export function transactionCases(open: Open): void {
  describe('transactions', () => {
    commitCases(open);
    readCases(open);
    abortCases(open);
    misuseCases(open);
  });
}

function commitCases(open: Open): void {
  test('INS-5 several machines, consecutive offsets, one time, one answer', async () => {
    const clock = manualClock();
    const store = await withOneDoor(open, 'd', { clock });
    await store.machines.put(LAMP);
    clock.time += 5;
    const done = await store.transaction(
      (tx) => {
        tx.instances.apply('d', 'PUSH', { key: 'iron' });
        const lamp = tx.instances.create({ machine: 'lamp', id: 'l', context: { by: 'd' } });
        tx.instances.apply('l', 'PRESS', undefined, { eventId: 'e' });
        tx.instances.apply('d', 'LOCK');
        tx.instances.delete('d');
        clock.time += 100;
        return [tx.now, lamp.id];
      },
      { actor: 'ada' },
    );
    expect(done).toEqual({ value: [1_000_005, 'l'], offset: 8, applied: true });
    expect(store.offset).toBe(8);
    expect(seen(store, 'd')).toMatchObject({
      state: 'gone',
      deleted: true,
      offset: 8,
      updatedAt: 1_000_005,
    });
    expect(seen(store, 'l')).toMatchObject({
      state: 'on',
      offset: 6,
      lastEventId: 'e',
      createdAt: 1_000_005,
    });
  });

  test('INS-5 what is inside becomes visible at once, and only when the promise resolves', async () => {
    const store = await withOneDoor(open);
    const pending = store.transaction((tx) => {
      tx.instances.create({ machine: 'door', id: 'e' });
      tx.instances.delete('d');
    });
    expect([store.instances.get('e'), store.instances.count()]).toEqual([undefined, 1]);
    await pending;
    expect([store.instances.get('d'), store.instances.count()]).toEqual([undefined, 1]);
  });

  test('without a write there is no record', async () => {
    const store = await withOneDoor(open);
    const done = await store.transaction((tx) => tx.instances.get('d')?.state);
    expect(done).toEqual({ value: 'open', offset: 2, applied: true });
    expect(store.offset).toBe(2);
  });

  test('a typed handle works inside, by definition or by handle, and creates its own version', async () => {
    const store = await withDoor(open);
    const machine = defineMachine({
      name: 'door',
      version: 2,
      states: ['open', 'shut'],
      initial: 'open',
      transitions: [{ from: 'open', event: 'PUSH', to: 'shut' }],
    });
    const doors = await store.machine(machine);
    await store.transaction((tx) => {
      tx.machine(doors).create({ id: 'a' });
      tx.machine(machine).create({ id: 'b' });
      expect(tx.machine(doors).count({ version: 2 })).toBe(2);
      expect(tx.machine(doors).can('b', 'PUSH')).toBe(true);
      tx.machine(doors).apply('b', 'PUSH');
    });
    expect(doors.get('b')).toMatchObject({ version: 2, state: 'shut' });
  });
}

function readCases(open: Open): void {
  test('D-2 reads see what waits and what was written before, find and count too', async () => {
    const store = await withOneDoor(open, 'b');
    const first = store.instances.create({ machine: 'door', id: 'a', context: { n: 1 } });
    const second = store.instances.apply('b', 'PUSH', { n: 2 });
    const third = store.transaction((tx) => {
      expect(tx.instances.get('a')).toMatchObject({ state: 'open', context: { n: 1 }, offset: 3 });
      expect(tx.instances.get('b')).toMatchObject({ state: 'shut', context: { n: 2 }, offset: 4 });
      tx.instances.create({ machine: 'door', id: 'c' });
      const moved = tx.instances.apply('a', 'PUSH', { m: 3 });
      expect(moved).toMatchObject({ from: 'open', to: 'shut', context: { n: 1, m: 3 } });
      expect(tx.instances.get('a')).toMatchObject({
        state: 'shut',
        context: { n: 1, m: 3 },
        offset: 6,
      });
      expect(tx.instances.can('a', 'LOCK')).toBe(false);
      tx.instances.apply('a', 'PUSH', { key: 'iron' });
      expect(tx.instances.can('a', 'LOCK')).toBe(true);
      tx.instances.delete('b');
      expect(tx.instances.get('b')).toBeUndefined();
      expect([tx.instances.count(), tx.instances.count({ state: 'shut' })]).toEqual([2, 1]);
      expect(store.instances.count()).toBe(1);
      const page = tx.instances.find({ limit: 1, total: true });
      expect([page.items.map((one) => one.id), page.total]).toEqual([['a'], 2]);
      const rest = tx.instances.find({ limit: 1, cursor: page.cursor });
      expect([rest.items.map((one) => one.id), rest.cursor]).toEqual([['c'], undefined]);
      const down = tx.instances.find({ direction: 'desc' });
      expect(down.items.map((one) => one.id)).toEqual(['c', 'a']);
    });
    await Promise.all([first, second, third]);
    expect(store.instances.find().items.map((one) => one.id)).toEqual(['a', 'c']);
  });

  test('D-2 a context handed out inside is a copy', async () => {
    const store = await withOneDoor(open);
    await store.transaction((tx) => {
      const moved = tx.instances.apply('d', 'PUSH', { list: [1] });
      (moved.context['list'] as number[]).push(2);
      const read = tx.instances.get('d') as Instance;
      (read.context['list'] as number[]).push(3);
      expect(tx.instances.get('d')?.context).toEqual({ list: [1] });
    });
    expect(seen(store, 'd').context).toEqual({ list: [1] });
  });

  test('INS-2 expectations hold against what was written before', async () => {
    const store = await withOneDoor(open);
    await store.transaction((tx) => {
      tx.instances.apply('d', 'PUSH', {}, { expectedState: 'open', expectedOffset: 2 });
      const offset = tx.instances.get('d')?.offset;
      tx.instances.apply('d', 'PULL', {}, { expectedState: 'shut', expectedOffset: offset });
    });
    expect(seen(store, 'd').offset).toBe(4);
  });
}

function abortCases(open: Open): void {
  test('GEN-1 a throw leaves nothing and rejects with that very error', async () => {
    const store = await withOneDoor(open);
    const before = contentOf(store);
    for (const thrown of [new RangeError('mine'), 'text', undefined, 0] as Error[]) {
      const call = store.transaction((tx) => {
        tx.instances.apply('d', 'PUSH', { key: 'iron' });
        tx.instances.create({ machine: 'door', id: 'e' });
        tx.instances.delete('d');
        throw thrown;
      });
      expect(
        await call.then(
          () => 'resolved',
          (error: unknown) => [error],
        ),
      ).toEqual([thrown]);
    }
    expect(contentOf(store, ['e'])).toEqual({ ...(before as object), looked: [undefined] });
    const next = await store.instances.create({ machine: 'door', id: 'e', context: { n: 1 } });
    expect(next.offset).toBe(3);
    expect((await store.instances.apply('d', 'PUSH')).offset).toBe(4);
  });

  test('GEN-1 a throw over what waits takes back only its own', async () => {
    const store = await withOneDoor(open);
    const first = store.instances.apply('d', 'PUSH', { n: 1 });
    const fresh = store.instances.create({ machine: 'door', id: 'e', context: { n: 1 } });
    const failed = refusalOf(() =>
      store.transaction((tx) => {
        tx.instances.apply('d', 'PULL', { n: 2 });
        tx.instances.apply('e', 'PUSH', { n: 2 });
        tx.instances.create({ machine: 'door', id: 'f' });
        tx.instances.apply('nobody', 'PUSH');
      }),
    );
    const last = store.instances.apply('e', 'PUSH', { m: 3 });
    expect((await failed).code).toBe('INSTANCE_NOT_FOUND');
    await Promise.all([first, fresh]);
    expect((await last).context).toEqual({ n: 1, m: 3 });
    expect(seen(store, 'd')).toMatchObject({ state: 'shut', context: { n: 1 }, offset: 3 });
    expect([store.offset, store.instances.count()]).toEqual([5, 2]);
  });

  test('GEN-1 a refusal that the callback catches leaves the rest as it was', async () => {
    const store = await withOneDoor(open);
    await store.transaction((tx) => {
      tx.instances.apply('d', 'PUSH', { n: 1 });
      for (const call of [
        (): unknown => tx.instances.apply('d', 'LOCK'),
        (): unknown => tx.instances.apply('d', 'PUSH', { text: 'x'.repeat(17 << 20) }),
        (): unknown => tx.instances.create({ machine: 'door', id: 'e', context: { no: NaN } }),
        (): unknown => tx.instances.create({ machine: 'nobody', id: 'e' }),
      ]) {
        expect(call).toThrow(StoreError);
      }
      expect(tx.instances.get('e')).toBeUndefined();
      tx.instances.apply('d', 'PUSH', { m: 2 });
    });
    expect(seen(store, 'd')).toMatchObject({ context: { n: 1, m: 2 }, offset: 4 });
    expect(store.instances.get('e')).toBeUndefined();
  });

  test('INS-4 a transaction that throws leaves its key unused', async () => {
    const store = await withOneDoor(open);
    const options = { idempotencyKey: 'k' };
    await expect(
      store.transaction(() => {
        throw new Error('no');
      }, options),
    ).rejects.toThrow('no');
    expect(await store.transaction(() => 2, options)).toMatchObject({ value: 2, applied: true });
  });
}

function misuseCases(open: Open): void {
  test('an async callback is BAD_REQUEST and nothing is written', async () => {
    const store = await withOneDoor(open);
    const asynchronous: (tx: Transaction) => unknown = async (tx) =>
      void tx.instances.apply('d', 'PUSH');
    const error = await expectRefused(store, 'BAD_REQUEST', () => store.transaction(asynchronous));
    expect(error.details).toMatchObject({ path: 'run' });
    const thenable = (tx: Transaction): unknown => {
      tx.instances.apply('d', 'PUSH');
      // oxlint-disable-next-line unicorn/no-thenable -- the very thing that is refused
      return { then: () => undefined };
    };
    await expectRefused(store, 'BAD_REQUEST', () => store.transaction(thenable));
    for (const run of [undefined, null, 5, {}]) {
      await expectRefused(store, 'BAD_REQUEST', () => store.transaction(run as never));
    }
  });

  test('a transaction or batch inside a transaction is BAD_REQUEST, the outer one goes on', async () => {
    const store = await withOneDoor(open);
    const inner: Promise<unknown>[] = [];
    await store.transaction((tx) => {
      tx.instances.apply('d', 'PUSH', { n: 1 });
      inner.push(
        refusalOf(() => store.transaction((again) => void again.instances.apply('d', 'PULL'))),
      );
      inner.push(refusalOf(() => store.batch([{ op: 'apply', id: 'd', event: 'PULL' }])));
    });
    expect(await Promise.all(inner)).toMatchObject([
      { code: 'BAD_REQUEST' },
      { code: 'BAD_REQUEST' },
    ]);
    expect(seen(store, 'd')).toMatchObject({ state: 'shut', context: { n: 1 }, offset: 3 });
  });

  test('using tx after the callback is STORE_CLOSED', async () => {
    const store = await withOneDoor(open);
    const doors = await store.machine(DOOR as never);
    const kept: Transaction[] = [];
    const machines: { get(id: string): unknown; create(input: object): unknown }[] = [];
    await store.transaction(
      (tx) => void (kept.push(tx), machines.push(tx.machine(doors) as never)),
    );
    await store
      .transaction((tx) => {
        kept.push(tx);
        throw new Error('no');
      })
      .catch(() => undefined);
    expect(kept).toHaveLength(2);
    for (const tx of kept) {
      for (const call of [
        (): unknown => tx.instances.get('d'),
        (): unknown => tx.instances.find(),
        (): unknown => tx.instances.count(),
        (): unknown => tx.instances.can('d', 'PUSH'),
        (): unknown => tx.instances.create({ machine: 'door' }),
        (): unknown => tx.instances.apply('d', 'PUSH'),
        (): unknown => tx.instances.delete('d'),
        (): unknown => tx.machine(doors),
      ]) {
        await expectRefused(store, 'STORE_CLOSED', call);
      }
    }
    await expectRefused(store, 'STORE_CLOSED', () => machines[0]?.get('d'));
    await expectRefused(store, 'STORE_CLOSED', () => machines[0]?.create({}));
  });
}
