/**
 * All contestants side by side, each with the same instances and an event stream of its own.
 */
import { TickingClock } from './clock.mjs';
import { PawlStore } from './pawl.mjs';
import { PEERS } from './peers.mjs';
import { EventStream, orderIds } from './workload.mjs';

const SEED = 20_261_120;
/** Instances a ticking clock lets come in one millisecond: about what a store takes. */
const CREATES_PER_TICK = 1000;

/**
 * @typedef {object} Entrant
 * @property {any} store an adapter
 * @property {EventStream} stream
 * @property {TickingClock} clock not read by the store unless it was asked for
 */

/**
 * @param {import('./bench.mjs').Means} means
 * @param {{ instances: number, durable: boolean, isTicking?: boolean }} options isTicking: all stores hold the same times
 */
export async function openStores(means, { instances, durable, isTicking = false }) {
  const ids = orderIds(instances);
  const options = { durable, isTicking };
  /** @type {Entrant[]} */
  const peers = [];
  for (const Peer of PEERS) peers.push(await openLoaded(means, Peer, ids, options));
  const pawl = means.options.peersOnly
    ? undefined
    : await openLoaded(means, PawlStore, ids, options);
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
async function openLoaded(means, Adapter, ids, { durable, isTicking }) {
  const clock = new TickingClock();
  const { indexes } = means.options;
  const store = await Adapter.open(means.directory('stores'), {
    durable,
    indexes,
    ...(isTicking && { clock }),
  });
  const start = performance.now();
  if (isTicking) await loadTicking(store, ids, clock);
  else await store.load(ids);
  const seconds = (performance.now() - start) / 1000;
  means.progress(
    `${store.name}: ${ids.length.toLocaleString('en-US')} instances in ${seconds.toFixed(1)} s`,
  );
  return { store, stream: new EventStream(ids, SEED), clock };
}

async function loadTicking(store, ids, clock) {
  for (let from = 0; from < ids.length; from += CREATES_PER_TICK) {
    clock.tick();
    await store.load(ids.slice(from, from + CREATES_PER_TICK), from);
  }
}
