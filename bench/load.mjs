/**
 * Bulk load into an empty store, durable at the end, with both indexes. Two questions: rows and indexes
 * kept together, so that a crash on the way leaves a store that works (what ours does, a create or a
 * batch at a time); and a store made from scratch, where the peers may leave indexes for the end and a
 * crash means starting over. The first is asked twice: ids in ascending order are the best case of a
 * tree, which grows at its right edge; random ones are what applications have.
 * The time ends when all is synced and both indexes have answered. Every round makes new stores;
 * their opening is not counted.
 */
import fs from 'node:fs';
import { runIfMain } from './lib/bench.mjs';
import { PawlStore } from './lib/pawl.mjs';
import { PEERS } from './lib/peers.mjs';
import { columns, rateRow } from './lib/result.mjs';
import { median } from './lib/stats.mjs';
import { orderContext, orderIds, randomIds } from './lib/workload.mjs';

const FLOOR = 6;
/** A round of a million instances takes more than a minute. */
const MOST_ROUNDS = 3;
const SEED = 11;
const PEERS_TOGETHER = { sqlite: 'sqlite', leveldb: 'leveldb', lmdb: 'lmdb' };
const PEERS_RANDOM = {
  'sqlite random ids': 'sqlite',
  'leveldb random ids': 'leveldb',
  'lmdb random ids': 'lmdb',
};
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
  const ids = { ascending: orderIds(instances), random: randomIds(instances, SEED) };
  const contestants = contestantsOf(options);
  /** @type {Map<string, number[]>} */
  const rates = new Map(contestants.map(({ name }) => [name, []]));
  const rounds = Math.min(MOST_ROUNDS, options.rounds);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const contestant = contestants[(turn + round) % contestants.length];
      const rate = await loadOnce(means, contestant, ids[contestant.ids]);
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
  const row = (/** @type {string} */ how, /** @type {Record<string, string>} */ names) =>
    rateRow({ ...about, row: how, floor: FLOOR }, columns(outcomes, names));
  const inOrder = `bulk load of ${size}, indexes kept, durable at the end, ids ascending`;
  const atRandom = 'the same, random ids';
  return [
    row(`${inOrder}, a promise each`, { pawl: 'pawl', ...PEERS_TOGETHER }),
    row('the same, batches of 1,000, atomic', { 'pawl batches': 'pawl', ...PEERS_TOGETHER }),
    row(`${atRandom}, a promise each`, { 'pawl random ids': 'pawl', ...PEERS_RANDOM }),
    row(`${atRandom}, batches of 1,000, atomic`, {
      'pawl batches, random ids': 'pawl',
      ...PEERS_RANDOM,
    }),
    rateRow(
      { ...about, row: 'ids ascending, a promise each, peers from scratch, their indexes last' },
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
  const inBatches = (store, ids) => store.bulkLoadInBatches(ids);
  const [Sqlite, Level, Lmdb] = PEERS;
  const ascending = { ids: 'ascending' };
  const random = { ids: 'random' };
  const list = [
    { name: 'sqlite', Adapter: Sqlite, work: inSteps, ...ascending },
    { name: 'leveldb', Adapter: Level, work: inSteps, ...ascending },
    { name: 'lmdb', Adapter: Lmdb, work: inSteps, ...ascending },
    { name: 'sqlite random ids', Adapter: Sqlite, work: inSteps, ...random },
    { name: 'leveldb random ids', Adapter: Level, work: inSteps, ...random },
    { name: 'lmdb random ids', Adapter: Lmdb, work: inSteps, ...random },
    { name: 'sqlite from scratch', Adapter: Sqlite, work: fromScratch, ...ascending },
    { name: 'lmdb from scratch', Adapter: Lmdb, work: fromScratch, ...ascending },
  ];
  if (peersOnly) return list;
  return [
    { name: 'pawl', Adapter: PawlStore, work: fromScratch, ...ascending },
    { name: 'pawl batches', Adapter: PawlStore, work: inBatches, ...ascending },
    { name: 'pawl random ids', Adapter: PawlStore, work: fromScratch, ...random },
    { name: 'pawl batches, random ids', Adapter: PawlStore, work: inBatches, ...random },
    ...list,
  ];
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
  if (!ofCustomer.some(({ id }) => id === ids[0]) || items.length !== 1)
    throw new Error(`${store.name}: an index does not answer`);
}

await runIfMain(import.meta.url, load);
