/**
 * Durable events per second at 1 to 1024 callers. Two questions at each number of callers:
 * a promise each against a peer's one transaction per round of as many events; and like with like,
 * where we too wait once for all of them. "By ref" holds its refs since before, "by id" hashes each id.
 */
import { runIfMain } from './lib/bench.mjs';
import { RawDisk } from './lib/raw-disk.mjs';
import { columns, costRow, rateRow } from './lib/result.mjs';
import { alternate, concurrently, inSequence } from './lib/rounds.mjs';
import { openStores } from './lib/stores.mjs';

const CALLERS = [1, 16, 64, 256, 1024];
const FLOORS = {
  each: { 1: 1.2, 64: 3, 1024: 4 },
  once: { 1: 1.2, 64: 3.5, 1024: 5 },
};
/** What our log writes for one event, about. */
const EVENT_BYTES = 70;
const PEERS = { sqlite: 'sqlite', leveldb: 'leveldb', lmdb: 'lmdb', raw: 'raw' };

/** @param {import('./lib/bench.mjs').Means} means */
export async function durable(means) {
  const { options } = means;
  const instances = options.instances ?? (options.quick ? 20_000 : 200_000);
  const stores = await openStores(means, { instances, durable: true });
  stores.pawl?.store.holdRefs(stores.ids);
  const disk = new RawDisk(means.directory('raw'));
  const rows = [];
  for (const callers of CALLERS) {
    const outcomes = await alternate(contestants(stores, disk, callers), options);
    rows.push(...rowsOf(callers, outcomes));
    means.progress(`${callers} callers done`);
  }
  disk.close();
  await stores.verifyAndClose();
  return rows;
}

/** @returns {import('./lib/rounds.mjs').Contestant[]} */
function contestants({ pawl, peers }, disk, callers) {
  const frame = Buffer.alloc(EVENT_BYTES * callers, 1);
  const list = peers.map(({ store, stream }) => ({
    name: store.name,
    work: inSequence(callers, () => store.applyBatch(stream.take(callers))),
  }));
  const lmdb = peers.find(({ store }) => store.name === 'lmdb');
  list.push({
    name: 'lmdb each',
    work: concurrently(callers, () => lmdb.store.applyEach(lmdb.stream.next())),
  });
  list.push({ name: 'raw', work: inSequence(callers, () => disk.write(frame)) });
  if (pawl === undefined) return list;
  const { store, stream } = pawl;
  const once = (/** @type {(events: object[]) => void} */ post) => () => {
    post(stream.take(callers));
    return store.flush();
  };
  return [
    { name: 'pawl each', work: concurrently(callers, () => store.applyEach(stream.next())) },
    {
      name: 'pawl once',
      work: inSequence(
        callers,
        once((events) => store.postAll(events)),
      ),
    },
    {
      name: 'pawl by ref',
      work: inSequence(
        callers,
        once((events) => store.postAllByRef(events)),
      ),
    },
    ...list,
  ];
}

function rowsOf(callers, outcomes) {
  const about = { bench: 'durable', unit: 'events/s' };
  const name = callers === 1 ? '1 caller' : `${callers} callers`;
  const pick = (/** @type {string} */ ours) => columns(outcomes, { [ours]: 'pawl', ...PEERS });
  const rows = [
    rateRow(
      { ...about, row: `${name}, a promise each vs one transaction`, floor: FLOORS.each[callers] },
      pick('pawl each'),
    ),
    rateRow(
      { ...about, row: `${name}, one await both, by id`, floor: FLOORS.once[callers] },
      pick('pawl once'),
    ),
    rateRow({ ...about, row: `${name}, one await both, by ref` }, pick('pawl by ref')),
    rateRow(
      { ...about, row: `${name}, a promise each on both sides` },
      columns(outcomes, { 'pawl each': 'pawl', 'lmdb each': 'lmdb' }),
    ),
  ];
  // The lone caller feels the latency of the disk, the many feel the queue.
  const percentile = callers === 1 ? 'p50' : 'p99';
  if (callers === 1 || callers === 1024) {
    const latencies = pick('pawl each').map((outcome) => [
      outcome.name,
      outcome[percentile] * 1000,
    ]);
    const values = Object.fromEntries(latencies);
    const row = `${name}, latency ${percentile}`;
    const limit = values['pawl'] / values['raw'];
    const note =
      callers === 1 && limit > 0 ? `${limit.toFixed(2)} times a raw synced write` : undefined;
    rows.push(costRow({ bench: 'durable', row, unit: 'us', note }, values));
  }
  return rows;
}

await runIfMain(import.meta.url, durable);
