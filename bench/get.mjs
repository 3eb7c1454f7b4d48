/**
 * Point reads per second, context decoded, from stores with a million instances. All contestants read
 * the same ids in the same random order. "State only" is what a ref answers without the context.
 */
import { runIfMain } from './lib/bench.mjs';
import { seededRandom } from './lib/random.mjs';
import { columns, rateRow } from './lib/result.mjs';
import { alternate } from './lib/rounds.mjs';
import { openStores } from './lib/stores.mjs';

const SEED = 7;
/** Reads between two looks at the clock. */
const STRIDE = 256;
const SAMPLE = 1 << 17;
const PEERS = { sqlite: 'sqlite', leveldb: 'leveldb', lmdb: 'lmdb' };

/** @param {import('./lib/bench.mjs').Means} means */
export async function get(means) {
  const { options } = means;
  const instances = options.instances ?? (options.quick ? 20_000 : 1_000_000);
  const stores = await openStores(means, { instances, durable: false });
  const random = seededRandom(SEED);
  const ids = Array.from({ length: SAMPLE }, () => stores.ids[random() % instances]);
  stores.pawl?.store.holdRefs(ids);
  const outcomes = await alternate(contestants(stores, ids), options);
  await stores.verifyAndClose();
  const about = { bench: 'get', unit: 'reads/s' };
  const size = instances.toLocaleString('en-US');
  return [
    rateRow(
      { ...about, row: `decoded, of ${size}, by id` },
      columns(outcomes, { 'by id': 'pawl', ...PEERS }),
    ),
    rateRow(
      { ...about, row: `decoded, of ${size}, by ref` },
      columns(outcomes, { 'by ref': 'pawl', ...PEERS }),
    ),
    rateRow(
      { ...about, row: `state only, of ${size}, by ref` },
      columns(outcomes, { state: 'pawl', ...PEERS }),
    ),
  ];
}

/** @returns {import('./lib/rounds.mjs').Contestant[]} */
function contestants({ pawl, peers }, ids) {
  const list = peers.map(({ store }) => ({
    name: store.name,
    work: reading((place) => store.get(ids[place]).context.items.length),
  }));
  if (pawl === undefined) return list;
  const { store } = pawl;
  return [
    { name: 'by id', work: reading((place) => store.get(ids[place]).context.items.length) },
    { name: 'by ref', work: reading((place) => store.refs[place].get().context.items.length) },
    { name: 'state', work: reading((place) => store.refs[place].state.length) },
    ...list,
  ];
}

/**
 * @param {(place: number) => number} read returns something of what was read, so that nothing is optimised away
 * @returns {import('./lib/rounds.mjs').Contestant['work']}
 */
function reading(read) {
  let place = 0;
  return (deadline) => {
    let count = 0;
    let seen = 0;
    while (performance.now() < deadline) {
      for (let i = 0; i < STRIDE; i++) {
        seen += read(place);
        place = (place + 1) % SAMPLE;
      }
      count += STRIDE;
    }
    if (seen === 0) throw new Error('nothing was read');
    return count;
  };
}

await runIfMain(import.meta.url, get);
