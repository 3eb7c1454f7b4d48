/** Caller code that runs inside a call (getters, transaction callbacks) and calls the store again. */
import { describe, expect, test } from 'vitest';
import type { Store } from 'pawl';
import { LAMP, type Open, refusalOf, seen, settled, withOneDoor } from './contract.ts';

/** Commands that caller code may try from where it should not. */
const COMMANDS: readonly (readonly [string, (store: Store) => Promise<unknown>])[] = [
  [
    'create',
    (store) =>
      store.instances.create({ machine: 'door', id: 'inner', context: { long: 'x'.repeat(50) } }),
  ],
  [
    'apply',
    (store) =>
      store.instances.apply('other', 'PUSH', { inner: 'xxxxxxxx' }, { idempotencyKey: 'inner' }),
  ],
  ['delete', (store) => store.instances.delete('other')],
  [
    'transaction',
    (store) => store.transaction((tx) => void tx.instances.apply('other', 'PUSH', { inner: 1 })),
  ],
  [
    'batch',
    (store) => store.batch([{ op: 'apply', id: 'other', event: 'PUSH', payload: { inner: 1 } }]),
  ],
  ['put', (store) => store.machines.put(LAMP)],
];

async function withTwoDoors(open: Open): Promise<Store> {
  const store = await withOneDoor(open, 'outer');
  await store.instances.create({ machine: 'door', id: 'other' });
  return store;
}

/** An object that throws at whatever is asked of it. */
function trap(): Record<string, unknown> {
  const boom = (): never => {
    throw new Error('boom');
  };
  return new Proxy({}, { ownKeys: boom, get: boom });
}

/** A command and what became of it; it must become something. */
function tried(call: () => Promise<unknown>): Promise<string> {
  return settled(
    call().then(
      () => 'done',
      (error: { code?: string; message: string }) => error.code ?? error.message,
    ),
  );
}

export function reEntryCases(open: Open): void {
  describe('calls from inside a call', () => {
    test.each(COMMANDS)(
      'F-79 a getter of a payload that calls %s harms neither',
      async (_, inner) => {
        const store = await withTwoDoors(open);
        let within: Promise<string> | undefined;
        const payload = {
          before: 'aaaa',
          get trap(): number {
            within ??= tried(() => inner(store));
            return 5;
          },
          after: [1, 2],
        };
        const outer = await tried(() =>
          store.instances.apply('outer', 'PUSH', payload, { idempotencyKey: 'k', eventId: 'e' }),
        );
        expect(['done', 'BAD_REQUEST']).toContain(outer);
        expect(['done', 'BAD_REQUEST']).toContain(await within);
        const { context, state, lastEventId } = seen(store, 'outer');
        if (outer === 'done')
          expect([context, state, lastEventId]).toEqual([
            { before: 'aaaa', trap: 5, after: [1, 2] },
            'shut',
            'e',
          ]);
        else expect([context, state]).toEqual([{}, 'open']);
        expect(
          (await store.instances.apply('outer', 'PULL', { alive: true })).context,
        ).toMatchObject({ alive: true });
        expect(Object.keys(seen(store, 'other').context)).not.toContain('after');
      },
    );

    test('F-79 a getter of the options that calls apply harms neither', async () => {
      const store = await withTwoDoors(open);
      let within: Promise<string> | undefined;
      const options = {
        actor: 'ada',
        eventId: 'outer',
        get correlationId(): string {
          within ??= tried(() =>
            store.instances.apply('other', 'PUSH', { n: 1 }, { eventId: 'inner' }),
          );
          return 'c';
        },
      };
      await tried(() => store.instances.apply('outer', 'PUSH', { n: 2 }, options));
      await within;
      await store.instances.apply('other', 'PULL');
      expect(seen(store, 'outer').lastEventId ?? 'outer').toBe('outer');
      expect(seen(store, 'other').lastEventId ?? 'inner').toBe('inner');
      expect(seen(store, 'outer').context).not.toEqual({ n: 1 });
    });

    test.each(COMMANDS)(
      'INS-5 %s on the store inside a transaction is refused or done, never lost',
      async (_, inner) => {
        const store = await withTwoDoors(open);
        let within: Promise<string> | undefined;
        const done = await settled(
          store.transaction((tx) => {
            tx.instances.apply('outer', 'PUSH', { n: 1 });
            within = tried(() => inner(store));
            tx.instances.apply('outer', 'PUSH', { m: 2 });
            return 'value';
          }),
        );
        expect(['done', 'BAD_REQUEST']).toContain(await within);
        expect(done).toMatchObject({ value: 'value', applied: true });
        expect(seen(store, 'outer').context).toEqual({ n: 1, m: 2 });
        await store.instances.create({ machine: 'door', id: 'alive' });
      },
    );

    test.each(COMMANDS)(
      'INS-5 a transaction that throws takes no %s on the store with it',
      async (_, inner) => {
        const store = await withTwoDoors(open);
        const before = store.offset;
        let within: Promise<string> | undefined;
        await expect(
          store.transaction((tx) => {
            tx.instances.apply('outer', 'PUSH');
            within = tried(() => inner(store));
            throw new Error('mine');
          }),
        ).rejects.toThrow('mine');
        const outcome = await within;
        expect(['done', 'BAD_REQUEST']).toContain(outcome);
        await store.flush();
        expect(store.offset > before).toBe(outcome === 'done');
        expect(seen(store, 'outer').state).toBe('open');
      },
    );

    test('a write rejects, it never throws, whatever it is given', async () => {
      const store = await withTwoDoors(open);
      const doors = await store.machine({ ...store.machines.get('door') } as never);
      const loose = doors as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
      const calls: readonly (() => Promise<unknown> | undefined)[] = [
        () => loose['create']?.(trap()),
        () => loose['create']?.(null),
        () => loose['create']?.(5),
        () => loose['apply']?.('outer', 'PUSH', {}, trap()),
        () => loose['apply']?.('outer', 'PUSH', {}, null),
        () => loose['delete']?.('outer', trap()),
        () => store.instances.create(trap() as never),
        () => store.transaction(() => 1, trap()),
        () => store.batch([trap() as never]),
        () => store.batch([], trap() as never),
        () => store.machines.put(trap()),
        () => store.machines.put(LAMP, trap()),
      ];
      const promises = calls.map((call) => {
        const promise = call();
        expect(promise).toBeInstanceOf(Promise);
        return refusalOf(() => promise);
      });
      for (const error of await Promise.all(promises)) expect(error.code).toBe('BAD_REQUEST');
      expect(store.offset).toBe(3);
    });
  });
}
