/**
 * Child process of the bench of large stores: loads instances, asks, takes a snapshot, closes, and
 * tells what each took. Arguments: directory, instances, indexes|plain.
 */
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { lifeSoFar } from './environment.mjs';
import { PawlStore } from './pawl.mjs';
import { median } from './stats.mjs';
import { STATES, orderContext, orderId } from './workload.mjs';

const [directory, instancesText, kept] = process.argv.slice(2);
const instances = Number(instancesText);
const LOAD_AT_ONCE = 20_000;
const EVENTS = Math.min(100_000, instances);
const EVENTS_AT_ONCE = 1000;
const QUERIES = 1000;
/** Visits all instances in an order of its own. */
const STEP = 2_654_435_761;

async function main() {
  fs.mkdirSync(directory, { recursive: true });
  const store = await PawlStore.open(directory, { durable: false, indexes: kept === 'indexes' });
  const before = await resident();
  const loadMs = await timed(() => load(store));
  const residentBytes = ((await resident()) - before) / instances;
  const applyMs = await timed(() => applyEvents(store));
  const place = (/** @type {number} */ i) => (i * STEP) % instances;
  const newest = queryUs((i) => store.newestInState(i & 1, 100).items);
  const equal =
    kept === 'indexes'
      ? queryUs((i) => store.byCustomer(orderContext(place(i)).customer))
      : undefined;
  const read = queryUs((i) => [store.get(orderId(place(i)))]);
  const start = performance.now();
  const { bytes } = await store.store.snapshot();
  const snapshotMs = performance.now() - start;
  await store.close();
  return {
    loadRate: (instances / loadMs) * 1000,
    applyRate: (EVENTS / applyMs) * 1000,
    residentBytes,
    newestUs: newest,
    ...(equal !== undefined && { equalUs: equal }),
    readUs: read,
    snapshotMs,
    snapshotBytes: bytes / instances,
  };
}

async function load(store) {
  for (let from = 0; from < instances; from += LOAD_AT_ONCE) {
    const ids = [];
    const end = Math.min(instances, from + LOAD_AT_ONCE);
    for (let index = from; index < end; index++) ids.push(orderId(index));
    await store.load(ids, from);
  }
  await store.flush();
}

/** First events of instances all over the store, each of another one. */
async function applyEvents(store) {
  const stride = Math.max(1, Math.floor(instances / EVENTS));
  for (let issued = 0; issued < EVENTS; issued += EVENTS_AT_ONCE) {
    const events = [];
    for (let i = issued; i < Math.min(EVENTS, issued + EVENTS_AT_ONCE); i++)
      events.push({ id: orderId(i * stride), event: 0, payload: { attempts: 1 } });
    await store.applyBatch(events);
  }
}

/** Median of single queries, after as many that are not counted. */
function queryUs(query) {
  const times = [];
  for (let i = 0; i < 2 * QUERIES; i++) {
    const start = performance.now();
    for (const { state, context } of query(i))
      if (!STATES.includes(state) || context.items.length !== 2) throw new Error('a wrong answer');
    if (i >= QUERIES) times.push((performance.now() - start) * 1000);
  }
  return median(times);
}

async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function resident() {
  for (let time = 0; time < 3; time++) {
    globalThis.gc?.();
    await sleep(50);
  }
  return process.memoryUsage.rss();
}

const measured = await main();
process.stdout.write(JSON.stringify({ ...measured, life: lifeSoFar() }));
