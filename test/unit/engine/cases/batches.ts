/** Batches: INS-5, atomic with the failing index, best effort with a result per operation. */
import { describe, expect, test } from 'vitest';
import type { BatchOperation } from 'pawl';
import {
  expectRefused,
  LAMP,
  type Open,
  refusalOf,
  seen,
  settled,
  withOneDoor,
} from './contract.ts';

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

export function batchCases(open: Open): void {
  describe('batches', () => {
    atomicCases(open);
    bestEffortCases(open);
    refusedCases(open);
  });
}

function atomicCases(open: Open): void {
  test('INS-5 atomic: results in order, one commit, each operation over those before it', async () => {
    const store = await withOneDoor(open);
    await store.machines.put(LAMP);
    const results = await store.batch([
      { op: 'create', machine: 'lamp', id: 'l', context: { n: 1 } },
      {
        op: 'apply',
        id: 'l',
        event: 'PRESS',
        payload: { m: 2 },
        expectedState: 'off',
        eventId: 'e',
      },
      { op: 'apply', id: 'l', event: 'PRESS', payload: { n: 3 }, expectedState: 'on' },
      { op: 'delete', id: 'd' },
      { op: 'delete', id: 'd' },
    ]);
    expect(results[0]).toMatchObject({
      id: 'l',
      state: 'off',
      context: { n: 1 },
      offset: 4,
      applied: true,
    });
    expect(results[1]).toMatchObject({
      from: 'off',
      to: 'on',
      offset: 5,
      eventId: 'e',
      applied: true,
    });
    expect([results[1].context, results[2].context]).toEqual([
      { n: 1, m: 2 },
      { n: 3, m: 2 },
    ]);
    expect(results.slice(3)).toEqual([
      { id: 'd', offset: 7, applied: true },
      { id: 'd', offset: 7, applied: false },
    ]);
    expect(seen(store, 'l')).toMatchObject({
      state: 'off',
      context: { n: 3, m: 2 },
      lastEventId: 'e',
      offset: 6,
    });
  });

  test.each([
    [0, { op: 'apply', id: 'nobody', event: 'PUSH' }, 'INSTANCE_NOT_FOUND'],
    [1, { op: 'create', machine: 'door', id: 'd' }, 'INSTANCE_EXISTS'],
    [2, { op: 'apply', id: 'd', event: 'BANG' }, 'INVALID_TRANSITION'],
    [3, { op: 'apply', id: 'd', event: 'PUSH', payload: { no: NaN } }, 'BAD_REQUEST'],
    [4, { op: 'create', machine: 'nobody' }, 'MACHINE_NOT_FOUND'],
    [2, { op: 'bogus' }, 'BAD_REQUEST'],
    [3, { op: 'set', namespace: 'n', key: 'k', value: Uint8Array.of(1) }, 'UNSUPPORTED'],
    [3, { op: 'unset', namespace: 'n', key: 'k' }, 'UNSUPPORTED'],
  ] as const)(
    'INS-5 atomic: number %d fails, all fail, and the error says so',
    async (index, bad, code) => {
      const store = await withOneDoor(open);
      const good = Array.from(
        { length: 5 },
        (_, i) => ({ op: 'create', machine: 'door', id: `n${i}` }) as const,
      );
      const operations = [...good.slice(0, index), bad as BatchOperation, ...good];
      const error = await expectRefused(store, code, () => store.batch(operations), ['n0']);
      expect(error.index).toBe(index);
      await store.batch(good);
      expect(store.instances.count()).toBe(6);
    },
  );

  test('INS-4 a key used twice in one atomic batch gives one result twice; aborted, it leaves nothing behind', async () => {
    const store = await withOneDoor(open);
    const keyed = { op: 'apply', id: 'd', event: 'PUSH', idempotencyKey: 'k' } as const;
    const stray: unknown[] = [];
    const note = (error: unknown): void => void stray.push(error);
    process.on('unhandledRejection', note);
    try {
      await refusalOf(() => store.batch([keyed, keyed, { op: 'delete', id: 'nobody' }]));
      for (let i = 0; i < 5; i++) await store.instances.apply('d', 'PUSH');
      await turn();
    } finally {
      process.off('unhandledRejection', note);
    }
    expect(stray).toEqual([]);
    const [first, second] = await store.batch([keyed, keyed]);
    expect([first.applied, second.applied]).toEqual([true, false]);
    expect(second.offset).toBe(first.offset);
  });

  test('INS-4 GEN-1 an atomic batch that fails leaves the keys of its operations unused', async () => {
    const store = await withOneDoor(open);
    const options = { idempotencyKey: 'k' };
    const failed = refusalOf(() =>
      store.batch([
        { op: 'apply', id: 'd', event: 'PUSH', ...options },
        { op: 'delete', id: 'nobody' },
      ]),
    );
    const other = { other: true };
    const done = await settled(store.instances.apply('d', 'PUSH', other, options));
    expect(await failed).toMatchObject({ code: 'INSTANCE_NOT_FOUND', index: 1 });
    expect(done).toMatchObject({ applied: true, context: other, offset: 3 });
    expect((await store.instances.apply('d', 'PUSH', other, options)).applied).toBe(false);
  });

  test('an empty batch is done, and logs nothing', async () => {
    const store = await withOneDoor(open);
    expect(await store.batch([])).toEqual([]);
    expect(await store.batch([], { mode: 'best_effort' })).toEqual([]);
    expect(store.offset).toBe(2);
  });
}

function bestEffortCases(open: Open): void {
  test('INS-5 best_effort: each operation by itself, a result for each', async () => {
    const store = await withOneDoor(open);
    const results = await store.batch(
      [
        { op: 'apply', id: 'nobody', event: 'PUSH' },
        { op: 'create', machine: 'door', id: 'e' },
        { op: 'create', machine: 'door', id: 'e' },
        { op: 'apply', id: 'e', event: 'PUSH', payload: { text: 'x'.repeat(17 << 20) } },
        { op: 'apply', id: 'e', event: 'PUSH', payload: { n: 1 } },
        { op: 'set', namespace: 'n', key: 'k', value: Uint8Array.of(1) } as never,
        { op: 'delete', id: 'd' },
        { op: 'apply', id: 'd', event: 'PUSH' },
        { op: 'delete', id: 'd' },
      ],
      { mode: 'best_effort' },
    );
    const told = results.map((one) =>
      one.ok ? (one.value as { applied: boolean }).applied : one.error.code,
    );
    expect(told).toEqual([
      'INSTANCE_NOT_FOUND',
      true,
      'INSTANCE_EXISTS',
      'RECORD_TOO_LARGE',
      true,
      'UNSUPPORTED',
      true,
      'INSTANCE_NOT_FOUND',
      false,
    ]);
    expect(seen(store, 'e')).toMatchObject({ state: 'shut', context: { n: 1 } });
    expect(store.offset).toBe(5);
  });

  test('INS-5 best_effort: when all fail, nothing is logged', async () => {
    const store = await withOneDoor(open);
    const bad = { op: 'apply', id: 'nobody', event: 'PUSH' } as const;
    const results = await store.batch([bad, bad], { mode: 'best_effort' });
    expect(results.map((one) => one.ok)).toEqual([false, false]);
    expect(store.offset).toBe(2);
  });

  test('INS-4 best_effort with a key: a replay tells the same, refusals included', async () => {
    const store = await withOneDoor(open);
    const operations = [
      { op: 'apply', id: 'nobody', event: 'PUSH' },
      { op: 'apply', id: 'd', event: 'PUSH', payload: { n: 1 } },
    ] as const;
    const options = { mode: 'best_effort', idempotencyKey: 'k' } as const;
    const first = await store.batch(operations, options);
    const again = await store.batch(operations, options);
    const [refused, done] = again;
    expect(refused).toMatchObject({
      ok: false,
      error: { code: 'INSTANCE_NOT_FOUND', details: { id: 'nobody', deleted: false } },
    });
    expect(done).toMatchObject({
      ok: true,
      value: { applied: false, to: 'shut', context: { n: 1 } },
    });
    expect(first[1]).toMatchObject({ ok: true, value: { applied: true } });
    const atomic = (): unknown => store.batch(operations, { idempotencyKey: 'k' });
    await expectRefused(store, 'CONFLICT', atomic);
  });
}

function refusedCases(open: Open): void {
  test.each([
    ['no list', null, undefined, 'operations'],
    ['text', 'abc', undefined, 'operations'],
    ['null inside', [null], undefined, 'operations[0]'],
    ['text inside', [{ op: 'delete', id: 'd' }, 'x'], undefined, 'operations[1]'],
    [
      'a hole',
      Object.assign([{ op: 'delete', id: 'd' }], { length: 2 }),
      undefined,
      'operations[1]',
    ],
    ['an unknown mode', [], { mode: 'some' }, 'options.mode'],
    ['options that are none', [], 5, 'options'],
  ])('INS-5 %s is BAD_REQUEST', async (_, operations, options, path) => {
    const store = await withOneDoor(open);
    const call = (): unknown => store.batch(operations as never, options as never);
    const error = await expectRefused(store, 'BAD_REQUEST', call);
    expect(error.details).toMatchObject({ path });
  });

  test('GEN-2 a bad value is named the same with and without a key', async () => {
    const store = await withOneDoor(open);
    const operations = [
      { op: 'delete', id: 'd' },
      { op: 'apply', id: 'd', event: 'PUSH', payload: { a: [NaN] } },
    ] as const;
    const plain = await expectRefused(store, 'BAD_REQUEST', () => store.batch([operations[1]]));
    const keyed = await expectRefused(store, 'BAD_REQUEST', () =>
      store.batch([operations[1]], { idempotencyKey: 'k' }),
    );
    expect(plain).toMatchObject({ index: 0, details: { path: 'payload.a[0]' } });
    expect(keyed).toMatchObject({ index: 0, details: { path: 'payload.a[0]' } });
  });
}
