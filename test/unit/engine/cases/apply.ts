/** Events: INS-2, the order of checks of D-14, results, expectations, payload kinds, time. */
import { describe, expect, test } from 'vitest';
import {
  expectRefused,
  LAMP,
  manualClock,
  nested,
  type Open,
  refusalOf,
  seen,
  withDoor,
  withOneDoor,
} from './contract.ts';

export function applyCases(open: Open): void {
  describe('apply', () => {
    resultCases(open);
    payloadCases(open);
    expectationCases(open);
    orderCases(open);
  });
}

function resultCases(open: Open): void {
  test('INS-2 the result is the fact that was logged', async () => {
    const clock = manualClock();
    const store = await withOneDoor(open, 'd', { clock });
    clock.time += 7;
    const done = await store.instances.apply('d', 'PUSH', { by: 'ada' }, { eventId: 'e-1' });
    expect({ ...done, context: done.context }).toEqual({
      id: 'd',
      machine: 'door',
      version: 1,
      event: 'PUSH',
      from: 'open',
      to: 'shut',
      context: { by: 'ada' },
      at: clock.time,
      offset: 3,
      applied: true,
      eventId: 'e-1',
    });
    expect(JSON.parse(JSON.stringify(done))).toMatchObject({ to: 'shut', context: { by: 'ada' } });
    expect(store.instances.get('d')).toMatchObject({
      state: 'shut',
      context: { by: 'ada' },
      updatedAt: clock.time,
      offset: 3,
      lastEventId: 'e-1',
    });
  });

  test('INS-2 lastEventId stays until another one comes, and deduplicates nothing', async () => {
    const store = await withOneDoor(open);
    await store.instances.apply('d', 'PUSH', {}, { eventId: 'e-1' });
    await store.instances.apply('d', 'PUSH');
    expect(seen(store, 'd').lastEventId).toBe('e-1');
    const again = await store.instances.apply('d', 'PULL', {}, { eventId: 'e-1' });
    expect(again.applied).toBe(true);
    await store.instances.apply('d', 'PULL', {}, { eventId: 'e-2' });
    expect(seen(store, 'd').lastEventId).toBe('e-2');
  });

  test('INS-2 a guard sees the context before the payload is merged', async () => {
    const store = await withOneDoor(open);
    await store.instances.apply('d', 'PUSH');
    const error = await expectRefused(store, 'GUARD_FAILED', () =>
      store.instances.apply('d', 'LOCK', { key: 'iron' }),
    );
    expect(error.details).toMatchObject({ id: 'd', state: 'shut', event: 'LOCK' });
    await store.instances.apply('d', 'PUSH', { key: 'iron' });
    expect((await store.instances.apply('d', 'LOCK', { key: 'tin' })).to).toBe('gone');
  });

  test('INS-2 what comes out as context is a copy', async () => {
    const store = await withOneDoor(open);
    const done = await store.instances.apply('d', 'PUSH', { list: [1] });
    (done.context['list'] as number[]).push(2);
    expect(seen(store, 'd').context).toEqual({ list: [1] });
  });
}

const NO_OBJECTS = [
  undefined,
  null,
  5,
  0,
  -0,
  'text',
  '',
  true,
  false,
  [],
  [1, { a: 2 }],
  2n ** 60n,
] as const;

function payloadCases(open: Open): void {
  test.each(NO_OBJECTS.map((one) => [one]))(
    'INS-2 a payload that is no object leaves the context: %s',
    async (payload) => {
      const store = await withDoor(open);
      await store.instances.create({ machine: 'door', id: 'd', context: { a: 1 } });
      const done = await store.instances.apply('d', 'PUSH', payload);
      expect(done.context).toEqual({ a: 1 });
      expect(seen(store, 'd')).toMatchObject({ state: 'shut', context: { a: 1 } });
    },
  );

  test('INS-2 the strict option refuses them, but not the absence of a payload', async () => {
    const store = await withOneDoor(open, 'd', { strict: true });
    for (const payload of NO_OBJECTS.filter((one) => one !== undefined)) {
      const call = (): unknown => store.instances.apply('d', 'PUSH', payload);
      const error = await expectRefused(store, 'BAD_REQUEST', call);
      expect(error.details).toMatchObject({ path: 'payload' });
    }
    await store.instances.apply('d', 'PUSH');
    await store.instances.apply('d', 'PUSH', {});
  });

  test('INS-2 the merge is shallow', async () => {
    const store = await withDoor(open);
    const context = { keep: 1, deep: { a: 1, b: 2 }, list: [1, 2] };
    await store.instances.create({ machine: 'door', id: 'd', context });
    await store.instances.apply('d', 'PUSH', { deep: { c: 3 }, list: [], keep: null });
    expect(seen(store, 'd').context).toEqual({ keep: null, deep: { c: 3 }, list: [] });
  });
}

function expectationCases(open: Open): void {
  test('INS-2 an expectation that does not hold is a CONFLICT that says what is', async () => {
    const store = await withOneDoor(open);
    const { offset } = seen(store, 'd');
    const state = await expectRefused(store, 'CONFLICT', () =>
      store.instances.apply('d', 'PUSH', {}, { expectedState: 'shut' }),
    );
    expect(state.details).toEqual({ reason: 'state', expected: 'shut', actual: 'open' });
    const changed = await expectRefused(store, 'CONFLICT', () =>
      store.instances.apply('d', 'PUSH', {}, { expectedOffset: offset - 1 }),
    );
    expect(changed.details).toEqual({ reason: 'offset', expected: offset - 1, actual: offset });
    const both = { expectedState: 'open', expectedOffset: offset };
    const done = await store.instances.apply('d', 'PUSH', {}, both);
    await store.instances.apply('d', 'PULL', {}, { expectedOffset: done.offset });
  });

  test('INS-2 of two that expect the same offset in one turn, the first wins', async () => {
    const store = await withOneDoor(open);
    const options = { expectedOffset: seen(store, 'd').offset };
    const both = [0, 1].map((n) => store.instances.apply('d', 'PUSH', { n }, options));
    expect((await Promise.allSettled(both)).map((one) => one.status)).toEqual([
      'fulfilled',
      'rejected',
    ]);
    expect(seen(store, 'd').context).toEqual({ n: 0 });
  });
}

/** Two faults each; the code is that of the one that is checked first. `d` is shut, `gone` deleted. */
const ORDER = [
  ['event no text before absent', 'nobody', 5, {}, {}, 'BAD_REQUEST'],
  ['payload before absent', 'nobody', 'PUSH', { no: NaN }, {}, 'BAD_REQUEST'],
  ['depth before absent', 'nobody', 'PUSH', nested(101), {}, 'BAD_REQUEST'],
  ['options before absent', 'nobody', 'PUSH', {}, { expectedOffset: -1 }, 'BAD_REQUEST'],
  [
    'expectedState no text before absent',
    'nobody',
    'PUSH',
    {},
    { expectedState: 5 },
    'BAD_REQUEST',
  ],
  ['key malformed before absent', 'nobody', 'PUSH', {}, { idempotencyKey: '' }, 'BAD_REQUEST'],
  ['eventId malformed before deleted', 'gone', 'PUSH', {}, { eventId: '' }, 'BAD_REQUEST'],
  [
    'too large before absent',
    'nobody',
    'PUSH',
    { text: 'x'.repeat(17 << 20) },
    {},
    'RECORD_TOO_LARGE',
  ],
  ['absent before conflict', 'nobody', 'PUSH', {}, { expectedState: 'open' }, 'INSTANCE_NOT_FOUND'],
  ['deleted before replay', 'gone', 'PUSH', {}, { idempotencyKey: 'used' }, 'INSTANCE_NOT_FOUND'],
  ['deleted before invalid', 'gone', 'BANG', {}, {}, 'INSTANCE_NOT_FOUND'],
  [
    'key mismatch before offset',
    'd',
    'PUSH',
    { other: 1 },
    { idempotencyKey: 'used', expectedOffset: 1 },
    'idempotency-key',
  ],
  ['offset before state', 'd', 'PUSH', {}, { expectedState: 'open', expectedOffset: 1 }, 'offset'],
  ['conflict before invalid', 'd', 'BANG', {}, { expectedState: 'open' }, 'state'],
  ['conflict before guard', 'd', 'LOCK', {}, { expectedState: 'open' }, 'state'],
  ['invalid before guard', 'd', 'BANG', {}, {}, 'INVALID_TRANSITION'],
] as const;

function orderCases(open: Open): void {
  test.each(ORDER)('D-14 %s', async (_, id, event, payload, options, expected) => {
    const store = await withOneDoor(open);
    await store.instances.create({ machine: 'door', id: 'gone' });
    await store.instances.apply('gone', 'PUSH', {}, { idempotencyKey: 'used' });
    await store.instances.delete('gone');
    await store.instances.apply('d', 'PUSH', {}, { idempotencyKey: 'used' });
    const code = expected === expected.toUpperCase() ? expected : 'CONFLICT';
    const call = (): unknown =>
      store.instances.apply(id, event as never, payload, options as never);
    const error = await expectRefused(store, code as never, call, ['gone']);
    expect(error.retryable).toBe(false);
    if (code === 'CONFLICT') expect(error.details).toMatchObject({ reason: expected });
    if (code === 'INSTANCE_NOT_FOUND')
      expect(error.details).toEqual({ id, deleted: id === 'gone' });
  });

  test('D-14 a key seen before answers before expectations and transitions are looked at', async () => {
    const store = await withOneDoor(open);
    await store.instances.apply('d', 'PUSH', { key: 'iron' });
    const options = { idempotencyKey: 'k', expectedState: 'shut' };
    const first = await store.instances.apply('d', 'LOCK', {}, options);
    const again = await store.instances.apply('d', 'LOCK', {}, options);
    expect(again).toMatchObject({ applied: false, offset: first.offset, from: 'shut', to: 'gone' });
  });

  test('D-14 a full queue is the last thing an event is refused for', async () => {
    const store = await withOneDoor(open, 'd', { maxPending: 1 });
    const first = store.instances.apply('d', 'PUSH');
    const codes = ['nobody:PUSH', 'd:BANG', 'd:LOCK', 'd:PUSH'].map(async (call) => {
      const [id, event] = call.split(':') as [string, string];
      const error = await refusalOf(() => store.instances.apply(id, event));
      return [error.code, error.retryable];
    });
    expect(await Promise.all(codes)).toEqual([
      ['INSTANCE_NOT_FOUND', false],
      ['INVALID_TRANSITION', false],
      ['GUARD_FAILED', false],
      ['RATE_LIMITED', true],
    ]);
    await first;
    expect(seen(store, 'd').offset).toBe(3);
  });

  test('INS-2 INVALID_TRANSITION names state, event and what would be taken', async () => {
    const store = await withOneDoor(open);
    await store.instances.apply('d', 'PUSH', { key: 'iron' });
    const error = await refusalOf(() => store.instances.apply('d', 'PRESS'));
    expect(error.details).toEqual({
      id: 'd',
      state: 'shut',
      event: 'PRESS',
      permitted: ['PUSH', 'PULL', 'LOCK'],
    });
  });

  test('an id of another machine reads as absent through a typed handle', async () => {
    const store = await withOneDoor(open);
    const lamps = await store.machine(LAMP as never);
    await store.instances.create({ machine: 'lamp', id: 'l' });
    expect(lamps.get('d')).toBeUndefined();
    expect(lamps.can('d', 'PUSH')).toBe(false);
    expect(lamps.permitted('d')).toEqual([]);
    expect(lamps.explain('d', 'PUSH')).toEqual({ outcome: 'not-found', deleted: false });
    const calls = [
      (): unknown => lamps.apply('d', 'PUSH' as never),
      (): unknown => lamps.delete('d'),
      (): unknown => lamps.ref('d'),
    ];
    for (const call of calls) {
      const error = await expectRefused(store, 'INSTANCE_NOT_FOUND', call);
      expect(error.details).toEqual({ id: 'd', deleted: false });
    }
    expect([...lamps.iterate()].map((one) => one.id)).toEqual(['l']);
  });
}
