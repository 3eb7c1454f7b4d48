/**
 * All contestants side by side, each with the same instances and an event stream of its own.
 */
import { PawlStore } from './pawl.mjs';
import { PEERS } from './peers.mjs';
import { EventStream, orderIds } from './workload.mjs';

const SEED = 20_261_120;

/**
 * @typedef {object} Entrant
 * @property {any} store an adapter
 * @property {EventStream} stream
 */

/**
 * @param {import('./bench.mjs').Means} means
 * @param {{ instances: number, durable: boolean }} options
 */
export async function openStores(means, { instances, durable }) {
  const ids = orderIds(instances);
  /** @type {Entrant[]} */
  const peers = [];
  for (const Peer of PEERS) peers.push(await openLoaded(means, Peer, ids, durable));
  const pawl = means.options.peersOnly
    ? undefined
    : await openLoaded(means, PawlStore, ids, durable);
  const all = pawl === undefined ? peers : [pawl, ...peers];
  return {
    ids,
    pawl,
    peers,
    /** Every store must hold what its stream says; then all are closed. */
    async verifyAndClose() {
      for (const { store, stream } of all) {
        stream.verify(store.name, (id) => store.get(id));
        await store.close();
      }
    },
  };
}

/** @returns {Promise<Entrant>} */
async function openLoaded(means, Adapter, ids, durable) {
  const store = await Adapter.open(means.directory('stores'), {
    durable,
    indexes: means.options.peerIndexes,
  });
  const start = performance.now();
  await store.load(ids);
  const seconds = (performance.now() - start) / 1000;
  means.progress(
    `${store.name}: ${ids.length.toLocaleString('en-US')} instances in ${seconds.toFixed(1)} s`,
  );
  return { store, stream: new EventStream(ids, SEED) };
}
