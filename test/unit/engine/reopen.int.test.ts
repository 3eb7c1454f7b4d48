/**
 * Whatever happened, the state after closing and opening again is the state before: for the next
 * writer, for a reader without the lock, and for somebody who folds the log on his own.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore, type Store, type StoreOptions } from 'pawl';
import { foldLog } from '../../../src/engine/fold-log.ts';
import { contentOf, manualClock } from './cases/contract.ts';
import { type Choices, choicesFrom, seededChoices } from '../../sim/choices.ts';
import { History, RETENTION } from './histories.ts';
import { imageOf, stateOf } from './store-state.ts';

const LEVELS = ['always', 'os', { everyMs: 3 }, { everyRecords: 20 }] as const;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pawl-reopen-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Runs a history through several openings of one store; every way to look at it shows the same. */
async function checkHistory(
  location: string,
  choose: Choices,
  rounds: readonly number[],
  options: StoreOptions,
): Promise<History> {
  const clock = manualClock();
  const history = new History(choose, clock);
  let before: unknown;
  for (const commands of rounds) {
    const store = await openStore(location, {
      ...RETENTION,
      segmentBytes: 4096,
      ...options,
      clock,
    });
    if (before !== undefined) expect(imageOf(stateOf(store))).toEqual(before);
    expect(store.recovery.bytesTruncated).toBe(0);
    await history.run(store, commands);
    before = imageOf(stateOf(store));
    const shown = contentOf(store);
    const { offset } = store;
    await store.close();
    const frozen = await openStore(location, { readOnly: true, clock });
    expect(imageOf(stateOf(frozen))).toEqual(before);
    expect(contentOf(frozen as never)).toEqual(shown);
    expect(frozen.recovery).toMatchObject({ recordsReplayed: offset, bytesTruncated: 0 });
    await frozen.close();
    const foreign = await foldLog(location);
    expect(foreign.problems).toEqual([]);
    expect(imageOf(foreign.state)).toEqual(before);
  }
  return history;
}

describe('state after reopening', () => {
  test.each(LEVELS)(
    'INS-6 F-0d equals the state before, in every field, long histories, level %j',
    async (durability) => {
      for (const seed of [1, 3]) {
        const location = join(directory, `${seed}`);
        const { outcomes } = await checkHistory(location, seededChoices(seed), [500, 40, 0, 700], {
          durability,
        });
        // The history did what it is for.
        expect([...outcomes.keys()]).toEqual(
          expect.arrayContaining([
            'done',
            'thrown',
            'CONFLICT',
            'GUARD_FAILED',
            'INSTANCE_EXISTS',
            'INSTANCE_NOT_FOUND',
            'INVALID_TRANSITION',
            'MACHINE_NOT_FOUND',
            'MACHINE_VERSION_EXISTS',
          ]),
        );
        expect(outcomes.get('done')).toBeGreaterThan(400);
      }
    },
  );

  test('INS-6 F-0d equals the state before, short histories that shrink', async () => {
    let run = 0;
    const property = fc.asyncProperty(
      fc.array(fc.nat(1000), { maxLength: 400 }),
      fc.constantFrom(...LEVELS),
      async (tape, durability) => {
        const location = join(directory, `short-${run++}`);
        await checkHistory(location, choicesFrom(tape), [25, 15], { durability });
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  test('INS-4 keys used before are known after reopening, with their first results', async () => {
    const context = { n: 1, big: 2n ** 62n, list: [{ a: null }] };
    const idempotencyKey = 'k';
    const first: object[] = [];
    for (const applied of [true, false]) {
      const store = await openStore(directory, { segmentBytes: 4096 });
      if (applied) await store.machines.put(RING);
      const { offset } = store;
      const results = [
        await store.instances.create({ machine: 'ring', id: 'a', context, idempotencyKey }),
        // A deleted instance is not found before its keys are looked at (INS-2): one that lives.
        await store.instances.create({ machine: 'ring', id: 'b', idempotencyKey: 'l' }),
        await store.instances.apply('b', 'GO', { n: 2 }, { idempotencyKey, eventId: 'e' }),
        await store.transaction((tx) => tx.instances.apply('b', 'GO', { n: 3 }).context, {
          idempotencyKey,
        }),
        ...(await store.batch([{ op: 'apply', id: 'b', event: 'GO' }], { idempotencyKey })),
        await store.instances.delete('a', { idempotencyKey }),
      ];
      for (const [i, result] of results.entries()) {
        expect(result.applied).toBe(applied);
        // As data: contexts of first results are getters.
        const data = { ...(JSON.parse(toText(result)) as object), applied: true };
        first[i] ??= data;
        expect(data).toEqual(first[i]);
      }
      if (!applied) expect(store.offset).toBe(offset);
      await store.close();
    }
  });

  test('D-1 purges are part of the history: keys and instances end in every fold alike', async () => {
    const clock = manualClock();
    const history = new History(seededChoices(5), clock);
    const open = (): Promise<Store> => openStore(directory, { ...RETENTION, clock });
    const store = await open();
    await history.run(store, 1500);
    const state = stateOf(store);
    const generations = Array.from({ length: state.instances.rows.rows }, (_, handle) =>
      state.instances.generation(handle),
    );
    expect(Math.max(...generations)).toBeGreaterThan(3);
    expect(state.keys.size).toBeLessThanOrEqual(40);
    const before = imageOf(state);
    await store.close();
    // Far later nothing is gone that no record says is gone.
    clock.time += 1e9;
    const later = await open();
    expect(imageOf(stateOf(later))).toEqual(before);
    await later.close();
  });
});

const RING = {
  name: 'ring',
  version: 1,
  states: ['on'],
  initial: 'on',
  transitions: [{ from: 'on', event: 'GO', to: 'on' }],
};

function toText(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one));
}
