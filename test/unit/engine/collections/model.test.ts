/**
 * Random calls on a collection and on a plain Map: many in one turn, in transactions that may throw,
 * with entries that expire, with snapshots and reopenings in between. Every answer and every read must
 * be the same, and the digest must survive.
 */
import { describe, expect, test } from 'vitest';
import { openStore, type Collection, type Store } from 'pawl';
import { SimDisk } from 'pawl/testing';
import { seededRandom } from '../../../../src/base/random.ts';
import { seededChoices } from '../../../sim/choices.ts';
import { DOOR, manualClock } from '../cases/contract.ts';
import {
  ALL_IDS,
  CONFIG,
  exported,
  METRICS,
  Model,
  type Metric,
  type Outcome,
  outcomeNow,
  outcomeOf,
} from './model.ts';

const RUNS = Number(process.env['PAWL_RUNS'] ?? 24);
const STEPS = 60;

/** Gives how many entries were left at the end. */
async function trial(metric: Metric, seed: number): Promise<number> {
  const disk = SimDisk.of();
  const clock = manualClock();
  const choose = seededChoices(seed);
  const model = new Model(metric, choose, clock);
  const open = (): Promise<Store> =>
    openStore('/db', {
      fileIo: disk.fileIo,
      clock,
      random: seededRandom(seed),
      segmentBytes: 4096,
      snapshotInterval: 0,
    });
  let store = await open();
  await store.machines.put(DOOR);
  await store.collections.create('docs', { ...CONFIG, metric });
  for (let step = 0; step < STEPS; step++) {
    const docs = store.collection('docs');
    const kind = choose(12);
    if (kind < 8) await turn(docs, model, 1 + choose(5));
    else if (kind < 10) await transaction(store, model, choose(3) === 0, choose(4));
    else if (kind === 10) await store.snapshot();
    else {
      const { digest } = await store.verify();
      await store.close();
      store = await open();
      expect((await store.verify()).digest).toBe(digest);
    }
    clock.time += choose(400);
    await compare(store.collection('docs'), model, choose);
  }
  await store.close();
  return model.all().length;
}

/** Calls that wait together: each is decided over those before it. */
async function turn(docs: Collection, model: Model, calls: number): Promise<void> {
  const real: Promise<Outcome>[] = [];
  const expected: Outcome[] = [];
  for (let i = 0; i < calls; i++) {
    const call = model.next(false);
    real.push(outcomeOf(() => call.on(docs)));
    expected.push(outcomeNow(() => call.model()));
  }
  expect(await Promise.all(real)).toEqual(expected);
}

async function transaction(
  store: Store,
  model: Model,
  fails: boolean,
  calls: number,
): Promise<void> {
  const before = new Map(model.entries);
  const ran = store.transaction((tx) => {
    const docs = tx.collection('docs');
    tx.instances.create({ machine: 'door' });
    for (let i = 0; i < calls; i++) {
      const call = model.next(true);
      const real = outcomeNow(() => call.on(docs));
      const expected = outcomeNow(() => call.model());
      // Puts give nothing inside a transaction.
      if ('code' in expected || !Array.isArray(expected.value)) expect(real).toEqual(expected);
    }
    for (const id of ALL_IDS) expect(docs.get(id)).toEqual(model.entry(id));
    if (fails) throw new Error('taken back');
  });
  if (!fails) return void (await ran);
  model.entries = before;
  await expect(ran).rejects.toThrow('taken back');
}

async function compare(
  docs: Collection,
  model: Model,
  choose: ReturnType<typeof seededChoices>,
): Promise<void> {
  const ids = model.all().map(([id]) => id);
  expect(await exported(docs)).toEqual(ids.sort().map((id) => model.entry(id)));
  const id = ALL_IDS[choose(ALL_IDS.length)] as string;
  expect(docs.get(id)).toEqual(model.entry(id));
  for (let i = 0; i < 3; i++) {
    const { query, passes } = model.query();
    const expected = model.found(query, passes);
    expect(docs.search(query)).toEqual(expected);
    const { filter, scope } = query;
    if (query.eventTime === undefined && query.ingestedAt === undefined) {
      const count = model.all().filter(([, kept]) => passes(kept)).length;
      expect(docs.count({ filter, scope })).toBe(count);
    }
  }
}

describe('a collection is a Map', () => {
  test.each(METRICS)(
    'VEC-2 VEC-3 VEC-4 VEC-6 VEC-7 VEC-8 VEC-9 VEC-10 VEC-11 %s',
    async (metric) => {
      let entries = 0;
      for (let seed = 1; seed <= RUNS / 4; seed++) entries += await trial(metric, seed);
      expect(entries).toBeGreaterThan(0);
    },
  );
});
