/** References and posts: one instance addressed without its id, and writes without promises (D-2, D-5). */
import { describe, expect, test } from 'vitest';
import { StoreError } from 'pawl';
import {
  DOOR,
  expectRefused,
  manualClock,
  type Open,
  refusalOf,
  seen,
  settled,
  withOneDoor,
} from './contract.ts';

export function refCases(open: Open): void {
  describe('references', () => {
    referenceCases(open);
    postCases(open);
  });
}

function referenceCases(open: Open): void {
  test('D-5 a reference reads and writes its instance', async () => {
    const store = await withOneDoor(open);
    const doors = await store.machine(DOOR as never);
    const ref = doors.ref('d');
    const done = await ref.apply('PUSH' as never, { n: 1 } as never, {
      expectedState: 'open',
    });
    expect(done).toMatchObject({ id: 'd', to: 'shut', context: { n: 1 } });
    expect([ref.id, ref.state, ref.get()]).toEqual(['d', 'shut', store.instances.get('d')]);
  });

  test('D-5 of what is not there: INSTANCE_NOT_FOUND', async () => {
    const store = await withOneDoor(open);
    const doors = await store.machine(DOOR as never);
    const error = await expectRefused(store, 'INSTANCE_NOT_FOUND', () => doors.ref('e'));
    expect(error.details).toEqual({ id: 'e', deleted: false });
    await expectRefused(store, 'BAD_REQUEST', () => doors.ref(''));
    await expectRefused(store, 'BAD_REQUEST', () => doors.ref(5 as never));
  });

  test('D-5 of a deleted instance: reads nothing, refuses events, is over once purged', async () => {
    const clock = manualClock();
    const store = await withOneDoor(open, 'd', { clock, deletedRetentionMs: 10 });
    const doors = await store.machine(DOOR as never);
    const ref = doors.ref('d');
    await store.instances.delete('d');
    expect(ref.get()).toBeUndefined();
    const deleted = await expectRefused(store, 'INSTANCE_NOT_FOUND', () =>
      ref.apply('PUSH' as never),
    );
    expect(deleted.details).toEqual({ id: 'd', deleted: true });
    clock.time += 11;
    await store.instances.create({ machine: 'door', id: 'e' });
    await store.instances.create({ machine: 'door', id: 'd' });
    for (const call of [
      (): unknown => ref.state,
      (): unknown => ref.get(),
      (): unknown => ref.apply('PUSH' as never),
      (): unknown => ref.post('PUSH' as never),
    ]) {
      await expectRefused(store, 'INSTANCE_NOT_FOUND', call);
    }
    expect(doors.ref('d').state).toBe('open');
  });

  test('D-5 a row given to another instance in the same millisecond does not answer for the first', async () => {
    const clock = manualClock();
    const store = await withOneDoor(open, 'd', { clock, deletedRetentionMs: 0 });
    const doors = await store.machine(DOOR as never);
    const ref = doors.ref('d');
    await store.instances.delete('d');
    clock.time += 1;
    await store.instances.create({ machine: 'door', id: 'filler' });
    await store.instances.create({ machine: 'door', id: 'other', at: clock.time - 1 });
    for (const call of [(): unknown => ref.get(), (): unknown => ref.apply('PUSH' as never)]) {
      const error = await expectRefused(store, 'INSTANCE_NOT_FOUND', call);
      expect(error.details).toEqual({ id: 'd', deleted: false });
    }
  });
}

function postCases(open: Open): void {
  test('D-2 posts are settled by flush', async () => {
    const store = await withOneDoor(open);
    const ref = (await store.machine(DOOR as never)).ref('d');
    for (let n = 0; n < 1000; n++)
      expect(ref.post('PUSH' as never, { n } as never)).toBeUndefined();
    expect(seen(store, 'd').context).toEqual({});
    const offset = await store.flush();
    expect(offset).toBe(1002);
    expect(seen(store, 'd')).toMatchObject({ context: { n: 999 }, offset });
    expect(await store.flush()).toBe(1002);
  });

  test('D-2 what arguments or visible state refuse is thrown at once', async () => {
    const store = await withOneDoor(open);
    const ref = (await store.machine(DOOR as never)).ref('d') as unknown as {
      post(...args: unknown[]): void;
    };
    const calls: readonly (readonly [string, () => unknown])[] = [
      ['BAD_REQUEST', () => ref.post('PUSH', { no: NaN })],
      ['BAD_REQUEST', () => ref.post(5)],
      ['BAD_REQUEST', () => ref.post('PUSH', {}, { idempotencyKey: '' })],
      ['INVALID_TRANSITION', () => ref.post('BANG')],
      ['INVALID_TRANSITION', () => ref.post('LOCK')],
      ['CONFLICT', () => ref.post('PUSH', {}, { expectedState: 'shut' })],
    ];
    for (const [code, call] of calls) {
      expect(call).toThrow(StoreError);
      await expectRefused(store, code as never, call);
    }
    await store.flush();
  });

  test('D-2 what rests on something that waits is refused by flush: the first refusal, once', async () => {
    const store = await withOneDoor(open);
    const ref = (await store.machine(DOOR as never)).ref('d') as unknown as {
      post(...args: unknown[]): void;
    };
    ref.post('PUSH', { n: 1 });
    ref.post('LOCK');
    ref.post('BANG');
    ref.post('PULL', { n: 2 });
    expect(await refusalOf(() => store.flush())).toMatchObject({ code: 'GUARD_FAILED' });
    expect(seen(store, 'd')).toMatchObject({ state: 'open', context: { n: 2 }, offset: 4 });
    expect(await store.flush()).toBe(4);
  });

  test('INS-4 a post with a key is done once', async () => {
    const store = await withOneDoor(open);
    const ref = (await store.machine(DOOR as never)).ref('d') as unknown as {
      post(...args: unknown[]): void;
    };
    for (let i = 0; i < 3; i++) ref.post('PUSH', { n: 1 }, { idempotencyKey: 'k' });
    await store.flush();
    ref.post('PUSH', { n: 1 }, { idempotencyKey: 'k' });
    await store.flush();
    expect(seen(store, 'd').offset).toBe(3);
    const call = (): void => ref.post('PUSH', { n: 2 }, { idempotencyKey: 'k' });
    await expectRefused(store, 'CONFLICT', call);
  });

  test('flush waits for all that was accepted, posts or not', async () => {
    const store = await withOneDoor(open);
    const order: string[] = [];
    const write = store.instances.apply('d', 'PUSH').then(() => order.push('write'));
    const flush = store.flush().then((offset) => order.push(`flush ${offset}`));
    await settled(Promise.all([write, flush]));
    expect(order.toSorted()).toEqual(['flush 3', 'write']);
    expect(seen(store, 'd').state).toBe('shut');
  });
}
