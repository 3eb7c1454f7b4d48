/**
 * Events per second without waiting for the disk: ours at durability 'os' (handed to the operating
 * system at the end of each turn), 256 events a turn; the peers 256 events a transaction, unsynced.
 */
import { runIfMain } from './lib/bench.mjs';
import { columns, rateRow } from './lib/result.mjs';
import { alternate, inSequence } from './lib/rounds.mjs';
import { openStores } from './lib/stores.mjs';

const AT_ONCE = 256;
const FLOOR = 6;
const PEERS = { sqlite: 'sqlite', leveldb: 'leveldb', lmdb: 'lmdb' };

/** @param {import('./lib/bench.mjs').Means} means */
export async function apply(means) {
  const { options } = means;
  const instances = options.instances ?? (options.quick ? 20_000 : 1_000_000);
  const stores = await openStores(means, { instances, durable: false });
  stores.pawl?.store.holdRefs(stores.ids);
  const outcomes = await alternate(contestants(stores), options);
  await stores.verifyAndClose();
  const about = { bench: 'apply', unit: 'events/s' };
  const size = instances.toLocaleString('en-US');
  const row = (/** @type {string} */ how, /** @type {string} */ ours) =>
    rateRow(
      {
        ...about,
        row: `not durable, of ${size}, ${how}`,
        ...(ours === 'by id' && { floor: FLOOR }),
      },
      columns(outcomes, { [ours]: 'pawl', ...PEERS }),
    );
  return [
    row('by id, a promise each', 'by id'),
    row('ref.apply, a promise each', 'by ref'),
    row('ref.post', 'post'),
  ];
}

/** @returns {import('./lib/rounds.mjs').Contestant[]} */
function contestants({ pawl, peers }) {
  const list = peers.map(({ store, stream }) => ({
    name: store.name,
    work: inSequence(AT_ONCE, () => store.applyBatch(stream.take(AT_ONCE))),
  }));
  if (pawl === undefined) return list;
  const { store, stream } = pawl;
  const each = (/** @type {(event: object) => Promise<unknown>} */ ask) => () =>
    Promise.all(stream.take(AT_ONCE).map(ask));
  const post = () => {
    store.postAllByRef(stream.take(AT_ONCE));
    return store.endOfTurn();
  };
  return [
    {
      name: 'by id',
      work: inSequence(
        AT_ONCE,
        each((event) => store.applyEach(event)),
      ),
    },
    {
      name: 'by ref',
      work: inSequence(
        AT_ONCE,
        each((event) => store.applyByRef(event)),
      ),
    },
    { name: 'post', work: inSequence(AT_ONCE, post) },
    ...list,
  ];
}

await runIfMain(import.meta.url, apply);
