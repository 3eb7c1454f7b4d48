/**
 * Replay: reopening a store whose log holds nothing but creates and applies, no snapshot. Applies
 * alone are what is left after the time for the creates, measured on the same store before the first
 * apply. Every reopening after the first runs warm; the first is shown beside them.
 * The contrast is a program that keeps JSON lines and folds them into a Map of objects.
 */
import fs from 'node:fs';
import path from 'node:path';
import { runIfMain } from './lib/bench.mjs';
import { PawlStore, importPawl } from './lib/pawl.mjs';
import { median } from './lib/stats.mjs';
import { EVENTS, EventStream, STATES, nextState, orderContext, orderIds } from './lib/workload.mjs';

const SEED = 11;
const AT_ONCE = 1000;
const FLOOR = 3_000_000;

/** @param {import('./lib/bench.mjs').Means} means */
export async function replay(means) {
  const { options } = means;
  const instances = options.instances ?? (options.quick ? 20_000 : 100_000);
  const applies = options.quick ? 100_000 : 3_000_000;
  const baseline = jsonLines(means, instances, options.quick ? 20_000 : 300_000, options.rounds);
  if (options.peersOnly) return [row('contrast alone', baseline, undefined)];
  const unkeyed = await measureStore(means, 'unkeyed', { instances, applies, isKeyed: false });
  const keyed = await measureStore(means, 'keyed', {
    instances,
    applies: applies / 4,
    isKeyed: true,
  });
  const thousands = (/** @type {number} */ n) => `${(n / 1000).toLocaleString('en-US')} k`;
  return [
    row(`${thousands(applies)} applies, unkeyed, warm`, baseline, unkeyed.applies, {
      floor: FLOOR,
    }),
    row(`the same, first reopening`, baseline, unkeyed.cold),
    row(`${thousands(applies / 4)} applies, with idempotency keys`, baseline, keyed.applies),
    row(`${thousands(instances)} creates`, baseline, unkeyed.creates),
  ];
}

function row(name, baseline, rate, extra = {}) {
  const values = { ...(rate !== undefined && { pawl: rate }), other: baseline };
  return { bench: 'replay', row: name, unit: 'events/s', values, note: undefined, ...extra };
}

/** @returns {Promise<{ creates: number, applies: number, cold: number }>} events per second */
async function measureStore(means, name, { instances, applies, isKeyed }) {
  const directory = means.directory(`replay-${name}`);
  const ids = orderIds(instances);
  await fill(directory, (store) => store.load(ids));
  const creating = await reopen(means, directory);
  const stream = new EventStream(ids, SEED);
  await fill(directory, (store) => postEvents(store, stream, applies, isKeyed));
  const all = await reopen(means, directory);
  await fill(directory, (store) => stream.verify('pawl', (id) => store.get(id)));
  fs.rmSync(directory, { recursive: true });
  const expected = creating.records + applies;
  if (all.records !== expected)
    throw new Error(`replayed ${all.records} records instead of ${expected}`);
  const rate = (/** @type {number} */ records, /** @type {number} */ ms) => (records / ms) * 1000;
  return {
    creates: rate(creating.records, creating.warmMs),
    applies: rate(applies, all.warmMs - creating.warmMs),
    cold: rate(applies, all.coldMs - creating.warmMs),
  };
}

/** @param {(store: PawlStore) => unknown} write */
async function fill(directory, write) {
  const store = await PawlStore.open(directory, { durable: false });
  await write(store);
  await store.flush();
  await store.close();
}

async function postEvents(store, stream, count, isKeyed) {
  store.holdRefs(stream.ids);
  for (let posted = 0; posted < count; posted += AT_ONCE) {
    for (const { index, event, payload } of stream.take(Math.min(AT_ONCE, count - posted))) {
      const options = isKeyed
        ? { idempotencyKey: `order-event-${stream.attempts[index]}-${index}` }
        : undefined;
      store.refs[index].post(EVENTS[event], payload, options);
    }
    // Now and then wait for the disk: posts that outrun it would be refused.
    if ((posted / AT_ONCE) % 32 === 31) await store.flush();
    else await store.endOfTurn();
  }
}

/** Reopens several times; the durations are those of the recovery report. */
async function reopen(means, directory) {
  const { openStore } = await importPawl();
  const durations = [];
  let records = 0;
  for (let time = 0; time <= means.options.rounds; time++) {
    const store = await openStore(path.join(directory, 'pawl'), { snapshotInterval: 0 });
    durations.push(store.recovery.durationMs);
    records = store.recovery.recordsReplayed;
    await store.close();
    globalThis.gc?.();
  }
  return { records, coldMs: durations[0], warmMs: median(durations.slice(1)) };
}

/** @returns {number} events per second */
function jsonLines(means, instances, count, rounds) {
  const stream = new EventStream(orderIds(instances), SEED);
  const lines = [];
  for (let i = 0; i < count; i++) {
    const { id, event, payload } = stream.next();
    lines.push(
      JSON.stringify({ id, event: EVENTS[event], from: STATES[event], at: 1.7e12 + i, payload }),
    );
  }
  const file = path.join(means.directory('json'), 'events.ndjson');
  fs.writeFileSync(file, lines.join('\n'));
  const rates = [];
  for (let round = 0; round <= rounds; round++) {
    const orders = new Map();
    for (let i = 0; i < instances; i++) {
      orders.set(stream.ids[i], { state: 'created', updatedAt: 0, context: orderContext(i) });
    }
    globalThis.gc?.();
    const start = performance.now();
    foldLines(orders, fs.readFileSync(file, 'utf8'));
    rates.push((count / (performance.now() - start)) * 1000);
  }
  return median(rates.slice(1));
}

function foldLines(orders, text) {
  for (const line of text.split('\n')) {
    const { id, event, at, payload } = JSON.parse(line);
    const order = orders.get(id);
    order.state = STATES[nextState(STATES.indexOf(order.state), EVENTS.indexOf(event))];
    order.updatedAt = at;
    Object.assign(order.context, payload);
  }
}

await runIfMain(import.meta.url, replay);
