/**
 * The longest time the event loop is kept busy at a time: under load that waits for the disk, and while
 * a store grows. The peers do the same work in rounds of as many events; the median over rounds of the
 * longest turn of each round. One lone caller is left out: there ours may block for one short write.
 */
import { LoopProbe } from './lib/loop-probe.mjs';
import { runIfMain } from './lib/bench.mjs';
import { PawlStore } from './lib/pawl.mjs';
import { costRow } from './lib/result.mjs';
import { concurrently, inSequence } from './lib/rounds.mjs';
import { Latencies, median } from './lib/stats.mjs';
import { openStores } from './lib/stores.mjs';
import { orderContext, orderId } from './lib/workload.mjs';

const LIMIT_MS = 5;
const CALLERS = [64, 1024];
const CREATING_CALLERS = 256;

/** @param {import('./lib/bench.mjs').Means} means */
export async function loop(means) {
  const { options } = means;
  const instances = options.instances ?? (options.quick ? 20_000 : 200_000);
  const stores = await openStores(means, { instances, durable: true });
  const rows = [];
  for (const callers of CALLERS) {
    const longest = await alternate(contestants(stores, callers), options);
    rows.push(row(`${callers} durable callers`, longest));
  }
  await stores.verifyAndClose();
  if (stores.pawl !== undefined)
    rows.push(row('a store that grows, 256 callers', await growing(means)));
  return rows;
}

function contestants({ pawl, peers }, callers) {
  const list = peers.map(({ store, stream }) => ({
    name: store.name,
    work: inSequence(callers, () => store.applyBatch(stream.take(callers))),
  }));
  if (pawl === undefined) return list;
  return [
    { name: 'pawl', work: concurrently(callers, () => pawl.store.applyEach(pawl.stream.next())) },
    ...list,
  ];
}

async function growing(means) {
  const store = await PawlStore.open(means.directory('growing'), { durable: false });
  let created = 0;
  const create = () =>
    store.orders.create({ id: orderId(created), context: orderContext(created++) });
  const longest = await alternate(
    [{ name: 'pawl', work: concurrently(CREATING_CALLERS, create) }],
    means.options,
  );
  await store.close();
  return longest;
}

/** @returns {Promise<Map<string, number[]>>} longest busy time of each round, in ms, by contestant */
async function alternate(list, { rounds, ms }) {
  const longest = new Map(list.map(({ name }) => [name, []]));
  for (const { work } of list) await work(performance.now() + ms, new Latencies());
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < list.length; turn++) {
      const { name, work } = list[(turn + round) % list.length];
      globalThis.gc?.({ type: 'minor' });
      const probe = new LoopProbe();
      await work(performance.now() + ms, new Latencies());
      longest.get(name).push(probe.stop());
    }
  }
  return longest;
}

function row(name, longest) {
  const values = Object.fromEntries([...longest].map(([who, each]) => [who, median(each)]));
  const worst = Math.max(...(longest.get('pawl') ?? [NaN]));
  const about = {
    bench: 'loop',
    row: `${name}, longest turn`,
    unit: 'ms',
    floor: LIMIT_MS,
    isLimit: true,
  };
  return costRow(
    { ...about, note: Number.isFinite(worst) ? `worst round ${worst.toFixed(2)} ms` : undefined },
    values,
  );
}

await runIfMain(import.meta.url, loop);
