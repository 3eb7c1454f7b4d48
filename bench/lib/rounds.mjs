/**
 * Alternation: in each round every contestant works for the same time, in an order that shifts from
 * round to round; rates are medians over rounds, and ratios are also taken within each round. What the
 * machine does to one contestant it so does to the others a moment later.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Latencies, median } from './stats.mjs';

/**
 * @typedef {object} Contestant
 * @property {string} name
 * @property {(deadline: number, latencies: Latencies) => number | Promise<number>} work
 *   works until `performance.now()` passes the deadline and returns how many operations it finished
 *
 * @typedef {object} Outcome
 * @property {string} name
 * @property {number} rate median operations per second
 * @property {number[]} rates one per round
 * @property {number} p50 of one operation or round, in ms; NaN if the contestant recorded none
 * @property {number} p99
 */

/**
 * @param {Contestant[]} contestants
 * @param {{ rounds: number, ms: number }} options
 * @returns {Promise<Outcome[]>}
 */
export async function alternate(contestants, { rounds, ms }) {
  const outcomes = contestants.map(({ name }) => ({
    name,
    rates: /** @type {number[]} */ ([]),
    latencies: new Latencies(),
  }));
  for (const contestant of contestants) await work(contestant, ms / 2, new Latencies());
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const place = (turn + round) % contestants.length;
      const outcome = outcomes[place];
      outcome.rates.push(await work(contestants[place], ms, outcome.latencies));
    }
  }
  return outcomes.map(({ name, rates, latencies }) => ({
    name,
    rates,
    rate: median(rates),
    p50: latencies.percentile(0.5),
    p99: latencies.percentile(0.99),
  }));
}

/** @returns {Promise<number>} operations per second of one contestant in one round */
async function work(contestant, ms, latencies) {
  // Nobody pays for the garbage of the one before.
  globalThis.gc?.({ type: 'minor' });
  await nextTurn();
  const start = performance.now();
  const count = await contestant.work(start + ms, latencies);
  return (count / (performance.now() - start)) * 1000;
}

/**
 * One operation or round after the other.
 * @param {number} size operations done by one call
 * @param {() => unknown} operation
 * @returns {Contestant['work']}
 */
export function inSequence(size, operation) {
  return async (deadline, latencies) => {
    let count = 0;
    let start = performance.now();
    while (start < deadline) {
      const pending = operation();
      // A synchronous contestant must not pay for a promise.
      if (pending !== undefined) await pending;
      count += size;
      const end = performance.now();
      latencies.add(end - start);
      start = end;
    }
    return count;
  };
}

/**
 * Callers that each wait for their own promise before they ask again.
 * @param {number} callers
 * @param {() => Promise<unknown>} operation
 * @returns {Contestant['work']}
 */
export function concurrently(callers, operation) {
  return async (deadline, latencies) => {
    let count = 0;
    const call = async () => {
      let start = performance.now();
      while (start < deadline) {
        await operation();
        count++;
        const end = performance.now();
        latencies.add(end - start);
        start = end;
      }
    };
    await Promise.all(Array.from({ length: callers }, call));
    return count;
  };
}
