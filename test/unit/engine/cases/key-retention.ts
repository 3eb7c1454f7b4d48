/** How long keys are remembered: INS-4, F-50, F-76. */
import { describe, expect, test } from 'vitest';
import type { Store } from 'pawl';
import { manualClock, type Open, seen, settled, withOneDoor } from './contract.ts';

/** Was the key new? */
async function isNew(store: Store, idempotencyKey: string, id: string = 'd'): Promise<boolean> {
  return (await settled(store.instances.apply(id, 'PUSH', undefined, { idempotencyKey }))).applied;
}

export function keyRetentionCases(open: Open): void {
  describe('retention of keys', () => {
    timeCases(open);
    countCases(open);
  });
}

function timeCases(open: Open): void {
  test('INS-4 a key is remembered up to its retention and free after it', async () => {
    const clock = manualClock();
    const store = await withOneDoor(open, 'd', { clock, idempotency: { retentionMs: 100 } });
    expect(await isNew(store, 'k')).toBe(true);
    clock.time += 100;
    expect(await isNew(store, 'k')).toBe(false);
    clock.time += 1;
    expect(await isNew(store, 'k')).toBe(true);
    clock.time += 100;
    expect(await isNew(store, 'k')).toBe(false);
  });

  test('INS-4 an expired key may carry other arguments, and serves every operation', async () => {
    const clock = manualClock();
    const store = await withOneDoor(open, 'd', { clock, idempotency: { retentionMs: 100 } });
    const idempotencyKey = 'k';
    for (let round = 0; round < 3; round++) {
      const id = `${round}`;
      expect((await store.instances.create({ machine: 'door', id, idempotencyKey })).applied).toBe(
        true,
      );
      expect(
        (await store.instances.apply('d', 'PUSH', { round }, { idempotencyKey })).applied,
      ).toBe(true);
      expect((await store.transaction(() => round, { idempotencyKey })).value).toBe(round);
      const batch = await store.batch([{ op: 'apply', id, event: 'PUSH', payload: { round } }], {
        idempotencyKey,
      });
      expect(batch[0].applied).toBe(true);
      const keyed = await store.batch([{ op: 'apply', id, event: 'PUSH', idempotencyKey }]);
      expect(keyed[0].applied).toBe(true);
      clock.time += 101;
    }
    expect(seen(store, 'd').context).toEqual({ round: 2 });
  });

  test('INS-4 thousands that expired together are free together', async () => {
    const clock = manualClock();
    const store = await withOneDoor(open, 'd', { clock, idempotency: { retentionMs: 100 } });
    const keys = Array.from({ length: 2500 }, (_, i) => `k${i}`);
    await Promise.all(keys.map((key) => isNew(store, key)));
    clock.time += 101;
    const again = await Promise.all(keys.toReversed().map((key) => isNew(store, key)));
    expect(again.filter((isFree) => !isFree)).toEqual([]);
    expect((await Promise.all(keys.map((key) => isNew(store, key)))).filter(Boolean)).toEqual([]);
  });

  test('INS-4 a clock that moves on between two readings makes a batch no worse', async () => {
    const clock = manualClock();
    const store = await withOneDoor(open, 'd', { clock, idempotency: { retentionMs: 100 } });
    const keys = Array.from({ length: 2500 }, (_, i) => `k${i}`);
    await Promise.all(keys.map((key) => isNew(store, key)));
    clock.time += 100;
    // The first reading is the last instant of the keys, the second the first one after them.
    clock.now = (): number => clock.time++;
    await store.batch([{ op: 'apply', id: 'd', event: 'PUSH', idempotencyKey: 'k2400' }]);
    clock.now = (): number => clock.time;
    expect(await isNew(store, 'last')).toBe(true);
  });

  test('INS-4 F-50 a clock that goes back expires nothing early and breaks nothing', async () => {
    const clock = manualClock(10_000);
    const store = await withOneDoor(open, 'd', { clock, idempotency: { retentionMs: 100 } });
    expect(await isNew(store, 'early')).toBe(true);
    clock.time = 0;
    expect(await isNew(store, 'early')).toBe(false);
    expect(await isNew(store, 'back')).toBe(true);
    clock.time = 90;
    expect(await isNew(store, 'back')).toBe(false);
    clock.time = 500;
    // Over its retention by this clock: it may count as new or as seen, but must answer.
    await isNew(store, 'back');
    expect(await isNew(store, 'early')).toBe(false);
    clock.time = 10_101;
    expect(await isNew(store, 'early')).toBe(true);
    expect(await isNew(store, 'other')).toBe(true);
  });

  test('INS-4 Infinity never forgets', async () => {
    const clock = manualClock();
    const store = await withOneDoor(open, 'd', { clock, idempotency: { retentionMs: Infinity } });
    await isNew(store, 'k');
    clock.time += 2 ** 45;
    expect(await isNew(store, 'k')).toBe(false);
  });
}

function countCases(open: Open): void {
  test('INS-4 F-76 beyond maxKeys the oldest are forgotten first', async () => {
    const store = await withOneDoor(open, 'd', { idempotency: { maxKeys: 10 } });
    for (let i = 0; i < 40; i++) expect(await isNew(store, `k${i}`)).toBe(true);
    for (let i = 31; i < 40; i++) expect(await isNew(store, `k${i}`)).toBe(false);
    // One more than the limit may be there at a time, while the oldest is on its way out.
    expect(await isNew(store, 'k27')).toBe(true);
    expect(await isNew(store, 'k0')).toBe(true);
  });

  test('INS-4 F-76 also when they come in one turn', async () => {
    const store = await withOneDoor(open, 'd', { idempotency: { maxKeys: 10 } });
    const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
    for (let round = 0; round < 3; round++) {
      const burst = [...keys, ...keys].map((key) => isNew(store, `${round}${key}`));
      const answers = await Promise.all(burst);
      expect(answers.slice(0, 100)).toEqual(keys.map(() => true));
      expect(answers.slice(100)).toEqual(keys.map(() => false));
    }
    for (let i = 0; i < 20; i++) await isNew(store, `after${i}`);
    expect(await isNew(store, '2k99')).toBe(true);
  });
}
