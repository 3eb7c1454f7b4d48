/**
 * Bulk load into an empty store, durable at the end, with both indexes: each contestant its fastest
 * sane way. The time ends when all is synced and both indexes have answered, so that none is left for
 * later. Every round makes new stores; their opening is not counted.
 */
import fs from 'node:fs';
import { runIfMain } from './lib/bench.mjs';
import { PawlStore } from './lib/pawl.mjs';
import { PEERS } from './lib/peers.mjs';
import { rateRow } from './lib/result.mjs';
import { median } from './lib/stats.mjs';
import { orderContext, orderIds } from './lib/workload.mjs';

const FLOOR = 6;
/** A round of a million instances takes most of a minute. */
const MOST_ROUNDS = 3;

/** @param {import('./lib/bench.mjs').Means} means */
export async function load(means) {
  const { options } = means;
  const instances = options.instances ?? (options.quick ? 20_000 : 1_000_000);
  const ids = orderIds(instances);
  const adapters = options.peersOnly ? PEERS : [PawlStore, ...PEERS];
  /** @type {Map<string, number[]>} */
  const rates = new Map();
  const rounds = Math.min(MOST_ROUNDS, options.rounds);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < adapters.length; turn++) {
      const Adapter = adapters[(turn + round) % adapters.length];
      const { name, rate } = await loadOnce(means, Adapter, ids);
      rates.set(name, [...(rates.get(name) ?? []), rate]);
      means.progress(`${name}: ${Math.round(rate).toLocaleString('en-US')}/s`);
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
  const about = { bench: 'load', row: `bulk load of ${size}, durable at the end` };
  return [rateRow({ ...about, unit: 'creates/s', floor: FLOOR }, outcomes)];
}

async function loadOnce(means, Adapter, ids) {
  const directory = means.directory('load');
  const { indexes } = means.options;
  const store = await Adapter.open(directory, { durable: false, indexes });
  globalThis.gc?.();
  const start = performance.now();
  await store.bulkLoad(ids);
  if (indexes) await checkIndexes(store, ids);
  const seconds = (performance.now() - start) / 1000;
  const last = ids.length - 1;
  const expected = JSON.stringify(orderContext(last));
  if (JSON.stringify(store.get(ids[last])?.context) !== expected)
    throw new Error(`${store.name} lost ${ids[last]}`);
  await store.close();
  fs.rmSync(directory, { recursive: true });
  return { name: store.name, rate: ids.length / seconds };
}

/** One query each, too few to matter. */
async function checkIndexes(store, ids) {
  const ofCustomer = await store.byCustomer(orderContext(0).customer);
  const { items } = await store.newestInState(0, 1);
  if (ofCustomer[0]?.id !== ids[0] || items.length !== 1)
    throw new Error(`${store.name}: an index does not answer`);
}

await runIfMain(import.meta.url, load);
