/**
 * Queries, what they find decoded, on stores whose lists by state were mixed by random events: the
 * newest of a state, a page far behind them, the orders of a customer, how many are in a state. Times
 * come from a clock that ticks at the same places for all, so all must give the same ids: checked first.
 */
import { runIfMain } from './lib/bench.mjs';
import { seededRandom } from './lib/random.mjs';
import { columns, costRow, rateRow } from './lib/result.mjs';
import { alternate, inSequence } from './lib/rounds.mjs';
import { openStores } from './lib/stores.mjs';
import { STATES, orderContext } from './lib/workload.mjs';

const SEED = 17;
const FLOOR = 3;
const COUNT_LIMIT_US = 1;
const PAGE = 100;
const FAR_PAGE = 500;
/** States with many orders when a quarter as many events as orders have been. */
const ASKED_STATES = [0, 1, 2];
const EVENTS_PER_TICK = 200;
/** Counts between two looks at the clock, where one takes less than a look. */
const COUNTS = 256;
const SAMPLE = 1 << 12;
const NAMES = { pawl: 'pawl', sqlite: 'sqlite', leveldb: 'leveldb', lmdb: 'lmdb' };

/** @param {import('./lib/bench.mjs').Means} means */
export async function find(means) {
  const { options } = means;
  if (!options.indexes) {
    means.progress('nothing to ask: the peers find nothing without indexes');
    return [];
  }
  const instances = options.instances ?? (options.quick ? 20_000 : 1_000_000);
  const stores = await openStores(means, { instances, durable: false, isTicking: true });
  const all = stores.pawl === undefined ? stores.peers : [stores.pawl, ...stores.peers];
  for (const entrant of all) await mix(entrant, instances >> 2);
  means.progress(`${(instances >> 2).toLocaleString('en-US')} events each`);
  const random = seededRandom(SEED);
  const customers = Array.from(
    { length: SAMPLE },
    () => orderContext(random() % instances).customer,
  );
  const farPage = Math.min(FAR_PAGE, Math.max(2, instances / (2 * PAGE)) | 0);
  const places = new Map();
  for (const { store } of all) places.set(store, await placeBehind(store, farPage - 1));
  const found = await checkSame(all, customers, places);
  const questions = { customers, places, farPage, found, size: instances.toLocaleString('en-US') };
  const rows = await ask(all, questions, options);
  await stores.verifyAndClose();
  return rows;
}

async function mix({ store, stream, clock }, events) {
  for (let issued = 0; issued < events; issued += EVENTS_PER_TICK) {
    clock.tick();
    await store.applyBatch(stream.take(EVENTS_PER_TICK));
  }
}

/** Where a page of the first state begins, after so many pages of it. */
async function placeBehind(store, pages) {
  let place;
  for (let page = 0; page < pages; page++)
    ({ place } = await store.newestInState(ASKED_STATES[0], PAGE, place));
  return place;
}

/** @returns {Promise<number>} how many orders one of the customers has, about */
async function checkSame(all, customers, places) {
  /** @type {Map<string, string>} */
  const expected = new Map();
  const expect = (/** @type {string} */ what, /** @type {string} */ answer, store) => {
    const first = expected.get(what);
    if (first === undefined) expected.set(what, answer);
    else if (first !== answer) throw new Error(`${store.name} gives another answer: ${what}`);
  };
  const idsOf = (items) => items.map(({ id, state }) => `${id} ${state}`).join();
  let orders = 0;
  const some = customers.slice(0, 50);
  for (const { store } of all) {
    for (let state = 0; state < STATES.length; state++) {
      const { items } = await store.newestInState(state, PAGE);
      expect(`newest ${state}`, idsOf(items), store);
      expect(`count ${state}`, String(await store.countState(state)), store);
    }
    const far = await store.newestInState(ASKED_STATES[0], PAGE, places.get(store));
    if (far.items.length !== PAGE) throw new Error(`${store.name}: the far page is not full`);
    expect('far page', idsOf(far.items), store);
    for (const customer of some) {
      const items = await store.byCustomer(customer);
      expect(customer, idsOf(items), store);
      orders += items.length;
    }
  }
  return Math.round(orders / some.length / all.length);
}

/** @returns {Promise<import('./lib/result.mjs').Row[]>} */
async function ask(all, { customers, places, farPage, found, size }, options) {
  const about = { bench: 'find', unit: 'queries/s' };
  // `any`: the adapters share names, not a type.
  const inTurns = (/** @type {(store: any) => any} */ question) =>
    alternate(
      all.map(({ store }) => question(store)),
      options,
    );
  const newest = await inTurns((store) =>
    reading(store, (i) => store.newestInState(ASKED_STATES[i % ASKED_STATES.length], PAGE)),
  );
  const equal = await inTurns((store) => reading(store, (i) => store.byCustomer(customers[i])));
  const far = await inTurns((store) =>
    reading(store, () => store.newestInState(ASKED_STATES[0], PAGE, places.get(store))),
  );
  const near = await inTurns((store) =>
    reading(store, () => store.newestInState(ASKED_STATES[0], PAGE)),
  );
  const counts = await inTurns((store) => counting(store));
  const microseconds = Object.fromEntries(counts.map(({ name, rate }) => [name, 1e6 / rate]));
  const rates = (outcomes) => columns(outcomes, NAMES);
  return [
    rateRow(
      { ...about, row: `${PAGE} newest in a state, decoded, of ${size}`, floor: FLOOR },
      rates(newest),
    ),
    rateRow(
      { ...about, row: `metadata equality, ${found} rows, decoded, of ${size}`, floor: FLOOR },
      rates(equal),
    ),
    rateRow(
      {
        ...about,
        row: `page ${farPage} of ${PAGE} in state order, behind a cursor`,
        note: overFirstPage(near, far),
      },
      rates(far),
    ),
    costRow(
      {
        bench: 'find',
        row: 'count by state',
        unit: 'us',
        floor: COUNT_LIMIT_US,
        isLimit: true,
        note: 'ours is a counter; the peers count entries of their index',
      },
      microseconds,
    ),
  ];
}

function overFirstPage(near, far) {
  const ours = (outcomes) => outcomes.find(({ name }) => name === 'pawl')?.rate;
  const [first, behind] = [ours(near), ours(far)];
  if (first === undefined || behind === undefined) return undefined;
  return `our time over that of page 1: ${(first / behind).toFixed(2)} x`;
}

/**
 * @param {{ name: string }} store
 * @param {(place: number) => any} query gives items, or a page with items
 * @returns {import('./lib/rounds.mjs').Contestant}
 */
function reading(store, query) {
  let place = 0;
  let seen = 0;
  const look = (/** @type {any} */ answer) => {
    for (const { context } of answer.items ?? answer) seen += context.items.length;
    if (seen === 0) throw new Error('nothing was found');
  };
  const operation = () => {
    const answer = query(place);
    place = (place + 1) % SAMPLE;
    return answer instanceof Promise ? answer.then(look) : look(answer);
  };
  return { name: store.name, work: inSequence(1, operation) };
}

/** @returns {import('./lib/rounds.mjs').Contestant} */
function counting(store) {
  const { name } = store;
  let state = 0;
  let seen = 0;
  const one = () => {
    state = (state + 1) % ASKED_STATES.length;
    return store.countState(ASKED_STATES[state]);
  };
  if (name !== 'pawl') return { name, work: inSequence(1, () => one()?.then?.(() => undefined)) };
  const many = () => {
    for (let i = 0; i < COUNTS; i++) seen += one();
    if (seen === 0) throw new Error('nothing was counted');
  };
  return { name, work: inSequence(COUNTS, many) };
}

await runIfMain(import.meta.url, find);
