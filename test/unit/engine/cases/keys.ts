/** Idempotency keys: INS-4, what a replay answers and what it refuses. */
import { describe, expect, test } from 'vitest';
import {
  expectRefused,
  manualClock,
  nested,
  type Open,
  refusalOf,
  seen,
  withOneDoor,
} from './contract.ts';

export function keyCases(open: Open): void {
  describe('idempotency keys', () => {
    replayCases(open);
    mismatchCases(open);
    scopeCases(open);
    sizeCases(open);
  });
}

function replayCases(open: Open): void {
  test('INS-4 create: later and in the same turn, the first result with applied = false', async () => {
    const store = await withOneDoor(open);
    const input = { machine: 'door', context: { n: 1 }, idempotencyKey: 'k' };
    const [first, second] = await Promise.all([
      store.instances.create(input),
      store.instances.create(input),
    ]);
    await store.instances.apply(first.id, 'PUSH', { n: 2 });
    const offset = store.offset;
    const third = await store.instances.create(input);
    expect(second).toEqual({ ...first, applied: false });
    expect(third).toEqual({ ...first, applied: false });
    expect([store.offset, store.instances.count()]).toEqual([offset, 2]);
  });

  test('INS-4 apply: the first result, with the context as that event left it', async () => {
    const store = await withOneDoor(open);
    const call = (): ReturnType<typeof store.instances.apply> =>
      store.instances.apply(
        'd',
        'PUSH',
        { n: 1n },
        { idempotencyKey: 'k', eventId: 'e', at: 5, actor: 'ada' },
      );
    const [first, second] = await Promise.all([call(), call()]);
    await store.instances.apply('d', 'PULL', { n: 2 });
    const third = await call();
    expect(first.context).toEqual({ n: 1n });
    for (const again of [second, third]) {
      expect({ ...again, context: again.context }).toEqual({
        ...first,
        context: { n: 1n },
        applied: false,
      });
    }
    expect(seen(store, 'd')).toMatchObject({ context: { n: 2 }, offset: 4 });
  });

  test('INS-4 delete: the first result', async () => {
    const store = await withOneDoor(open);
    const first = await store.instances.delete('d', { idempotencyKey: 'k' });
    expect(await store.instances.delete('d', { idempotencyKey: 'k' })).toEqual({
      ...first,
      applied: false,
    });
    expect(store.offset).toBe(first.offset);
  });

  test('INS-4 a replay in the same turn is answered when the first is', async () => {
    const store = await withOneDoor(open);
    const order: string[] = [];
    const call = (name: string): Promise<unknown> =>
      store.instances.apply('d', 'PUSH', {}, { idempotencyKey: 'k' }).then(() => order.push(name));
    await Promise.all([
      call('first'),
      call('second'),
      store.instances.apply('d', 'PUSH').then(() => order.push('other')),
    ]);
    expect(order).toEqual(['first', 'second', 'other']);
  });

  test('INS-4 a refused command leaves its key unused', async () => {
    const store = await withOneDoor(open);
    const options = { idempotencyKey: 'k' };
    await store.instances.apply('d', 'PUSH');
    for (const [event, code] of [
      ['BANG', 'INVALID_TRANSITION'],
      ['LOCK', 'GUARD_FAILED'],
    ] as const) {
      await expectRefused(store, code, () => store.instances.apply('d', event, {}, options));
    }
    expect(await store.instances.apply('d', 'PUSH', { n: 1 }, options)).toMatchObject({
      applied: true,
    });
  });
}

function mismatchCases(open: Open): void {
  test('INS-4 other arguments under a key are a CONFLICT, in the same turn and later', async () => {
    const store = await withOneDoor(open);
    const options = { idempotencyKey: 'k' };
    const first = store.instances.apply('d', 'PUSH', { n: 1 }, options);
    const early = await refusalOf(() => store.instances.apply('d', 'PUSH', { n: 2 }, options));
    const { offset } = await first;
    const details = { reason: 'idempotency-key', key: 'k', offset };
    expect(early).toMatchObject({ code: 'CONFLICT', details });
    for (const [event, payload] of [
      ['PULL', { n: 1 }],
      ['PUSH', {}],
      ['PUSH', undefined],
      ['PUSH', { n: 1n }],
      ['PUSH', { n: '1' }],
    ] as const) {
      const error = await expectRefused(store, 'CONFLICT', () =>
        store.instances.apply('d', event, payload, options),
      );
      expect(error.details).toEqual(details);
    }
    await store.instances.create({ machine: 'door', id: 'e', ...options });
    for (const input of [
      {},
      { id: 'f' },
      { id: 'e', version: 1 },
      { id: 'e', context: { a: 1 } },
    ]) {
      await expectRefused(store, 'CONFLICT', () =>
        store.instances.create({ machine: 'door', ...input, ...options }),
      );
    }
  });

  test('INS-4 the order of fields and what is not part of the command make no difference', async () => {
    const store = await withOneDoor(open);
    await store.instances.apply(
      'd',
      'PUSH',
      { a: 1, b: { c: [2], d: 3n } },
      { idempotencyKey: 'k' },
    );
    const again = await store.instances.apply(
      'd',
      'PUSH',
      { b: { d: 3n, c: [2] }, a: 1 },
      {
        idempotencyKey: 'k',
        actor: 'bob',
        reason: 'again',
        at: 99,
      },
    );
    expect(again.applied).toBe(false);
    const none = { idempotencyKey: 'none' };
    await store.instances.apply('d', 'PUSH', undefined, none);
    expect((await store.instances.apply('d', 'PUSH', undefined, none)).applied).toBe(false);
  });

  test("INS-4 mismatch 'first' gives the first result whatever the arguments", async () => {
    const store = await withOneDoor(open, 'd', { idempotency: { mismatch: 'first' } });
    const first = await store.instances.apply('d', 'PUSH', { n: 1 }, { idempotencyKey: 'k' });
    const again = await store.instances.apply('d', 'BANG', { n: 2 }, { idempotencyKey: 'k' });
    expect(again).toMatchObject({ applied: false, offset: first.offset, event: 'PUSH' });
    expect(seen(store, 'd').context).toEqual({ n: 1 });
  });
}

function scopeCases(open: Open): void {
  test('INS-4 a key is scoped by operation and target', async () => {
    const store = await withOneDoor(open);
    const options = { idempotencyKey: 'k' };
    await store.instances.create({ machine: 'door', id: 'e', ...options });
    for (const id of ['d', 'e'])
      expect((await store.instances.apply(id, 'PUSH', {}, options)).applied).toBe(true);
    for (const id of ['d', 'e'])
      expect((await store.instances.delete(id, options)).applied).toBe(true);
    expect((await store.transaction(() => 1, options)).applied).toBe(true);
    expect(await store.batch([{ op: 'create', machine: 'door' }], options)).toMatchObject([
      { applied: true },
    ]);
  });

  test('INS-4 no two pairs of target and key meet', async () => {
    const store = await withOneDoor(open, 'a');
    const pairs = [
      ['a', 'bc'],
      ['ab', 'c'],
      ['a', ':bc'],
      ['1', '1:a'],
      ['11', ':a'],
    ] as const;
    for (const id of ['ab', '1', '11']) await store.instances.create({ machine: 'door', id });
    for (const [id, idempotencyKey] of pairs) {
      expect((await store.instances.apply(id, 'PUSH', {}, { idempotencyKey })).applied).toBe(true);
    }
  });

  test('INS-4 a key has 1 to 1,024 bytes; any of them works', async () => {
    const store = await withOneDoor(open, 'x'.repeat(1024));
    const target = 'x'.repeat(1024);
    for (const idempotencyKey of [
      '__proto__',
      '\0',
      '😀'.repeat(256),
      'y'.repeat(1024),
      `z${'y'.repeat(1023)}`,
    ]) {
      const call = (): ReturnType<typeof store.instances.apply> =>
        store.instances.apply(target, 'PUSH', {}, { idempotencyKey });
      expect([(await call()).applied, (await call()).applied]).toEqual([true, false]);
    }
    for (const idempotencyKey of ['', 'y'.repeat(1025), '\ud800', 5, null]) {
      const options = { idempotencyKey: idempotencyKey as string };
      const error = await expectRefused(store, 'BAD_REQUEST', () =>
        store.instances.apply(target, 'PUSH', {}, options),
      );
      expect(error.details).toMatchObject({ path: 'options.idempotencyKey' });
    }
  });
}

function sizeCases(open: Open): void {
  test('INS-4 a first result over 4 KiB is kept without its context, and says so', async () => {
    const store = await withOneDoor(open, 'd', { clock: manualClock() });
    const context = { text: 'x'.repeat(5000) };
    const options = { idempotencyKey: 'k' };
    const first = await store.instances.apply('d', 'PUSH', context, options);
    const again = await store.instances.apply('d', 'PUSH', context, options);
    expect(first.context).toEqual(context);
    expect(again).toMatchObject({ applied: false, offset: first.offset, to: 'shut' });
    expect(await refusalOf(() => again.context)).toMatchObject({ code: 'UNSUPPORTED' });
    const create = (): ReturnType<typeof store.instances.create> =>
      store.instances.create({ machine: 'door', context, ...options });
    const { context: _, ...created } = await create();
    const recreated = await create();
    expect(recreated).toMatchObject({ ...created, applied: false });
    expect(await refusalOf(() => recreated.context)).toMatchObject({ code: 'UNSUPPORTED' });
    await store.instances.apply('d', 'PUSH', { text: 'y' }, { idempotencyKey: 'small' });
    const small = await store.instances.apply(
      'd',
      'PUSH',
      { text: 'y' },
      { idempotencyKey: 'small' },
    );
    expect(small.context).toEqual({ text: 'y' });
  });

  test('INS-4 F-72 what may be stored may be stored under a key: 100 levels', async () => {
    const store = await withOneDoor(open);
    const options = { idempotencyKey: 'k' };
    await store.instances.apply('d', 'PUSH', nested(100), options);
    expect((await store.instances.apply('d', 'PUSH', nested(100), options)).context).toEqual(
      nested(100),
    );
    await store.instances.create({ machine: 'door', context: nested(100), ...options });
    await expectRefused(store, 'BAD_REQUEST', () =>
      store.instances.apply('d', 'PUSH', nested(101), { idempotencyKey: 'l' }),
    );
  });

  test('INS-4 F-72 the same for a batch with a key', async () => {
    const store = await withOneDoor(open);
    const operations = [{ op: 'create', machine: 'door', id: 'e', context: nested(100) }] as const;
    await store.batch(operations, { idempotencyKey: 'k' });
    expect(await store.batch(operations, { idempotencyKey: 'k' })).toMatchObject([
      { context: nested(100), applied: false },
    ]);
  });
}
