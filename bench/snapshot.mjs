/**
 * What a snapshot costs those who write meanwhile: 64 durable callers on a store of a million
 * instances, in turns without a snapshot and with one. Throughput, latency and the longest turn of the
 * event loop; and how long the snapshot takes. No peer has anything like it, so ours is compared with
 * ours; and with turns beside a thread that keeps a processor busy for as much of the time and touches
 * neither memory nor disk, which is what anything at all beside the callers costs on this machine.
 */
import { Worker } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { runIfMain } from './lib/bench.mjs';
import { LoopProbe } from './lib/loop-probe.mjs';
import { PawlStore } from './lib/pawl.mjs';
import { Latencies, median } from './lib/stats.mjs';
import { EventStream, orderIds } from './lib/workload.mjs';

const SEED = 29;
const CALLERS = 64;
const THROUGHPUT_FLOOR = 0.85;
const P99_LIMIT = 1.5;
const PAUSE_LIMIT_MS = 5;
const DURATION_LIMIT_S = 10;
/** Without snapshots callers work for this long; with them one follows the other for as long. */
const LEAST_MS = { quick: 300, full: 3000 };
/** Each round is three turns of seconds. */
const MOST_ROUNDS = 5;
/** The pace of the worker that takes snapshots. */
const SPIN = { workMs: 1, restMs: 3 };
/** @typedef {'alone' | 'snapshot' | 'spinner'} Beside */
/** @type {Beside[][]} */
const ORDERS = [
  ['alone', 'snapshot', 'spinner'],
  ['spinner', 'alone', 'snapshot'],
  ['snapshot', 'spinner', 'alone'],
];

/** @param {import('./lib/bench.mjs').Means} means */
export async function snapshot(means) {
  const { options } = means;
  if (options.peersOnly) return [];
  const instances = options.instances ?? (options.quick ? 50_000 : 1_000_000);
  const store = await PawlStore.open(means.directory('snapshot'), {
    durable: true,
    indexes: options.indexes,
  });
  const ids = orderIds(instances);
  await store.load(ids);
  const stream = new EventStream(ids, SEED);
  means.progress(`${instances.toLocaleString('en-US')} instances`);
  const leastMs = options.quick ? LEAST_MS.quick : LEAST_MS.full;
  // Before the first snapshot there is only the log, all of it.
  const first = await turn(store, stream, leastMs, 'snapshot');
  const rounds = Math.min(MOST_ROUNDS, options.rounds);
  /** @type {Record<Beside, Turn[]>} */
  const turns = { alone: [], snapshot: [], spinner: [] };
  for (let round = 0; round < rounds; round++) {
    // In shifting order: the log grows, and the disk has moods.
    for (const beside of ORDERS[round % ORDERS.length])
      turns[beside].push(await turn(store, stream, leastMs, beside));
  }
  stream.verify(store.name, (id) => store.get(id));
  await store.close();
  return rowsOf(turns, first, instances.toLocaleString('en-US'));
}

/**
 * @typedef {object} Turn
 * @property {number} rate events per second
 * @property {number} p50 ms
 * @property {number} p99 ms
 * @property {number} longestMs
 * @property {number} seconds the slowest snapshot took; NaN without one
 */

/** @returns {Promise<Turn>} */
async function turn(store, stream, leastMs, beside) {
  globalThis.gc?.();
  const latencies = new Latencies();
  const spinner =
    beside === 'spinner'
      ? new Worker(new URL('lib/spinner.mjs', import.meta.url), { workerData: SPIN })
      : undefined;
  const start = performance.now();
  const probe = new LoopProbe();
  let isOver = false;
  const working = callUntil(store, stream, latencies, () => isOver);
  const seconds = beside === 'snapshot' ? await takeSnapshots(store, start + leastMs) : NaN;
  if (beside !== 'snapshot') await sleep(leastMs);
  isOver = true;
  const elapsed = performance.now() - start;
  const longestMs = probe.stop();
  const count = await working;
  await spinner?.terminate();
  return {
    rate: (count / elapsed) * 1000,
    p50: latencies.percentile(0.5),
    p99: latencies.percentile(0.99),
    longestMs,
    seconds,
  };
}

/** Callers that each wait for their own promise. @returns {Promise<number>} events answered in time */
async function callUntil(store, stream, latencies, isOver) {
  let count = 0;
  const call = async () => {
    for (let start = performance.now(); !isOver();) {
      await store.applyEach(stream.next());
      if (isOver()) return;
      count++;
      const end = performance.now();
      latencies.add(end - start);
      start = end;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
  return count;
}

/** One, and more of them while there is time. @returns {Promise<number>} seconds of the slowest */
async function takeSnapshots(store, until) {
  let slowest = 0;
  do {
    const start = performance.now();
    await store.store.snapshot();
    slowest = Math.max(slowest, (performance.now() - start) / 1000);
  } while (performance.now() < until);
  return slowest;
}

/**
 * @param {Record<Beside, Turn[]>} turns
 * @param {Turn} first
 * @param {string} size
 * @returns {import('./lib/result.mjs').Row[]}
 */
function rowsOf({ alone, snapshot: beside, spinner }, first, size) {
  const about = { bench: 'snapshot' };
  const of = (turns, /** @type {keyof Turn} */ field) => median(turns.map((one) => one[field]));
  const own = (/** @type {string} */ row, /** @type {string} */ unit, value, extra = {}) => ({
    ...about,
    row,
    unit,
    values: { pawl: value },
    ...extra,
  });
  const share = (/** @type {keyof Turn} */ field, turns = beside) =>
    of(turns, field) / of(alone, field);
  const atMost = (/** @type {number} */ floor) => ({ floor, isLimit: true });
  const slowest = Math.max(...beside.map(({ seconds }) => seconds));
  const worst = Math.max(...beside.map(({ longestMs }) => longestMs));
  const name = `${CALLERS} durable callers`;
  return [
    own(`${name}, no snapshot`, 'events/s', of(alone, 'rate')),
    own(`${name}, beside a snapshot of ${size}`, 'events/s', of(beside, 'rate')),
    own('throughput, beside over without', 'x', share('rate'), { floor: THROUGHPUT_FLOOR }),
    own('the same, beside a thread that spins a quarter of the time', 'x', share('rate', spinner)),
    own('latency p50, without', 'us', of(alone, 'p50') * 1000),
    own('latency p50, beside', 'us', of(beside, 'p50') * 1000),
    own('latency p99, without', 'us', of(alone, 'p99') * 1000),
    own('latency p99, beside', 'us', of(beside, 'p99') * 1000),
    own('latency p99, beside over without', 'x', share('p99'), atMost(P99_LIMIT)),
    own('the same, beside a thread that spins a quarter of the time', 'x', share('p99', spinner)),
    own('longest turn, without', 'ms', of(alone, 'longestMs')),
    own('longest turn, beside', 'ms', of(beside, 'longestMs'), {
      ...atMost(PAUSE_LIMIT_MS),
      note: `worst round ${worst.toFixed(2)} ms`,
    }),
    own('a snapshot takes', 's', of(beside, 'seconds'), {
      ...atMost(DURATION_LIMIT_S),
      note: `the slowest ${slowest.toFixed(2)} s; the first, from the log alone, ${first.seconds.toFixed(2)} s`,
    }),
  ];
}

await runIfMain(import.meta.url, snapshot);
