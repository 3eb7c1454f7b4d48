/**
 * The log alone (`pawl/wal`): durable records of 70 bytes per second, beside the raw disk and beside the
 * peers' plainest append: one transaction of as many rows.
 */
import path from 'node:path';
import { runIfMain } from './lib/bench.mjs';
import { importLog } from './lib/pawl.mjs';
import { PEERS } from './lib/peers.mjs';
import { RawDisk } from './lib/raw-disk.mjs';
import { columns, costRow, rateRow } from './lib/result.mjs';
import { alternate, concurrently, inSequence } from './lib/rounds.mjs';

const CALLERS = [1, 64, 1024];
const RECORD_BYTES = 70;
const OTHERS = { sqlite: 'sqlite', leveldb: 'leveldb', lmdb: 'lmdb', raw: 'raw' };

/** @param {import('./lib/bench.mjs').Means} means */
export async function append(means) {
  const { options } = means;
  const disk = new RawDisk(means.directory('raw'));
  const peers = [];
  for (const Peer of PEERS) peers.push(await Peer.open(means.directory('stores')));
  const log = options.peersOnly ? undefined : await openLog(means.directory('log'));
  const rows = [];
  for (const callers of CALLERS) {
    const outcomes = await alternate(contestants(log, peers, disk, callers), options);
    rows.push(...rowsOf(callers, outcomes));
  }
  for (const closing of [log, ...peers, disk]) await closing?.close();
  return rows;
}

async function openLog(directory) {
  const { openLog: open } = await importLog();
  return open(path.join(directory, 'wal'), { durability: 'always' });
}

/** @returns {import('./lib/rounds.mjs').Contestant[]} */
function contestants(log, peers, disk, callers) {
  const record = Buffer.alloc(RECORD_BYTES, 1);
  const records = new Array(callers).fill(record);
  const joined = Buffer.concat(records);
  const list = peers.map((peer) => ({
    name: peer.name,
    work: inSequence(callers, () => peer.appendBatch(records)),
  }));
  list.push({ name: 'raw', work: inSequence(callers, () => disk.write(joined)) });
  if (log === undefined) return list;
  return [
    { name: 'each', work: concurrently(callers, () => log.append(record)) },
    { name: 'many', work: inSequence(callers, () => log.appendMany(records)) },
    ...list,
  ];
}

function rowsOf(callers, outcomes) {
  const about = { bench: 'append', unit: 'records/s' };
  const pick = (/** @type {string} */ ours) => columns(outcomes, { [ours]: 'pawl', ...OTHERS });
  const name = callers === 1 ? '1 caller' : `${callers} callers`;
  const rows = [rateRow({ ...about, row: `${name}, a promise each` }, pick('each'))];
  if (callers > 1)
    rows.push(rateRow({ ...about, row: `${callers} records, appendMany` }, pick('many')));
  if (callers === 1) {
    const p50 = Object.fromEntries(
      pick('each').map((outcome) => [outcome.name, outcome.p50 * 1000]),
    );
    rows.push(costRow({ bench: 'append', row: '1 caller, latency p50', unit: 'us' }, p50));
  }
  return rows;
}

await runIfMain(import.meta.url, append);
