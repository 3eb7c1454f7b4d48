/**
 * Bulk load into an empty store, durable at the end, with both indexes. Two questions: rows and indexes
 * kept together, so that a crash on the way leaves a store that works (what ours does); and a store
 * made from scratch, where the peers may leave indexes for the end and a crash means starting over.
 * The time ends when all is synced and both indexes have answered. Every round makes new stores;
 * their opening is not counted.
 */
import fs from 'node:fs';
import { runIfMain } from './lib/bench.mjs';
import { PawlStore } from './lib/pawl.mjs';
import { PEERS } from './lib/peers.mjs';
import { columns, rateRow } from './lib/result.mjs';
import { median } from './lib/stats.mjs';
import { orderContext, orderIds } from './lib/workload.mjs';

const FLOOR = 6;
/** A round of a million instances takes more than a minute. */
const MOST_ROUNDS = 3;
const TOGETHER = { pawl: 'pawl', sqlite: 'sqlite', leveldb: 'leveldb', lmdb: 'lmdb' };
/** LevelDB has one way only. */
const FROM_SCRATCH = {
  pawl: 'pawl',
  'sqlite from scratch': 'sqlite',
  leveldb: 'leveldb',
  'lmdb from scratch': 'lmdb',
};

/** @param {import('./lib/bench.mjs').Means} means */
export async function load(means) {
  const { options } = means;
  const instances = options.instances ?? (options.quick ? 20_000 : 1_000_000);
  const ids = orderIds(instances);
  const contestants = contestantsOf(options);
  /** @type {Map<string, number[]>} */
  const rates = new Map(contestants.map(({ name }) => [name, []]));
  const rounds = Math.min(MOST_ROUNDS, options.rounds);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const contestant = contestants[(turn + round) % contestants.length];
      const rate = await loadOnce(means, contestant, ids);
      rates.get(contestant.name)?.push(rate);
      means.progress(`${contestant.name}: ${Math.round(rate).toLocaleString('en-US')}/s`);
    }
  }
  const outcomes = [...rates].map(([name, each]) => ({
    name,
    rates: each,
    rate: median(each),
    p50: NaN,
    p99: NaN,
  }));
  const size = instances.toLocaleString('en-US');
  const about = { bench: 'load', unit: 'creates/s' };
  return [
    rateRow(
      { ...about, row: `bulk load of ${size}, indexes kept, durable at the end`, floor: FLOOR },
      columns(outcomes, TOGETHER),
    ),
    rateRow(
      { ...about, row: 'the same, peers from scratch, their indexes last' },
      columns(outcomes, FROM_SCRATCH),
    ),
  ];
}

function contestantsOf({ peersOnly }) {
  const inSteps = async (store, ids) => {
    await store.load(ids);
    await store.sync();
  };
  const fromScratch = (store, ids) => store.bulkLoad(ids);
  const [Sqlite, Level, Lmdb] = PEERS;
  const list = [
    { name: 'sqlite', Adapter: Sqlite, work: inSteps },
    { name: 'leveldb', Adapter: Level, work: inSteps },
    { name: 'lmdb', Adapter: Lmdb, work: inSteps },
    { name: 'sqlite from scratch', Adapter: Sqlite, work: fromScratch },
    { name: 'lmdb from scratch', Adapter: Lmdb, work: fromScratch },
  ];
  return peersOnly ? list : [{ name: 'pawl', Adapter: PawlStore, work: fromScratch }, ...list];
}

/** @returns {Promise<number>} creates per second */
async function loadOnce(means, { Adapter, work }, ids) {
  const directory = means.directory('load');
  const { indexes } = means.options;
  const store = await Adapter.open(directory, { durable: false, indexes });
  globalThis.gc?.();
  const start = performance.now();
  await work(store, ids);
  if (indexes) await checkIndexes(store, ids);
  const seconds = (performance.now() - start) / 1000;
  const last = ids.length - 1;
  const expected = JSON.stringify(orderContext(last));
  if (JSON.stringify(store.get(ids[last])?.context) !== expected)
    throw new Error(`${store.name} lost ${ids[last]}`);
  await store.close();
  fs.rmSync(directory, { recursive: true });
  return ids.length / seconds;
}

/** One query each, too few to matter. */
async function checkIndexes(store, ids) {
  const ofCustomer = await store.byCustomer(orderContext(0).customer);
  const { items } = await store.newestInState(0, 1);
  if (ofCustomer[0]?.id !== ids[0] || items.length !== 1)
    throw new Error(`${store.name}: an index does not answer`);
}

await runIfMain(import.meta.url, load);
