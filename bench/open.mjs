/**
 * Opening a store of a million instances after a clean close, each time in a new process, with the
 * files in the page cache: time from the call to the first instance read and decoded, and for ours
 * until everything is in memory and both indexes have answered. The peers read the rest when it is
 * asked for, so for them only the first read is told. Code is loaded before, but not yet compiled.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runIfMain } from './lib/bench.mjs';
import { seededRandom } from './lib/random.mjs';
import { costRow } from './lib/result.mjs';
import { median } from './lib/stats.mjs';

const SEED = 23;
const FIRST_READ_LIMIT_MS = 50;
const ALL_LOADED_LIMIT_MS = 250;
/** With two indexes, and without any. */
const RESIDENT_LIMIT_BYTES = { indexes: 200, plain: 160 };
const DISK_LIMIT_BYTES = 120;
const PEERS = ['sqlite', 'leveldb', 'lmdb'];
const CHILD_LIMIT_MS = 180_000;

/** @param {import('./lib/bench.mjs').Means} means */
export async function open(means) {
  const { options } = means;
  const instances = options.instances ?? (options.quick ? 50_000 : 1_000_000);
  const names = options.peersOnly ? PEERS : ['pawl', ...PEERS];
  const child = async (/** @type {string} */ action, /** @type {string} */ name, first = 0) => {
    const told = await runChild([
      action,
      name,
      means.directory(`open-${name}`),
      String(instances),
      options.indexes ? 'indexes' : 'plain',
      String(first),
    ]);
    means.noteChild(told.life);
    return told;
  };
  const loaded = new Map();
  for (const name of names) {
    loaded.set(name, await child('load', name));
    means.progress(`${name} loaded`);
  }
  const random = seededRandom(SEED);
  /** @type {Map<string, any[]>} */
  const opened = new Map(names.map((name) => [name, []]));
  // The first opening of each is to bring its files into the page cache.
  for (let round = 0; round <= options.rounds; round++) {
    const first = random() % instances;
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round) % names.length];
      const times = await child('open', name, first);
      if (round > 0) opened.get(name).push(times);
    }
  }
  return rowsOf(loaded, opened, instances, options.indexes);
}

async function runChild(args) {
  const program = `${import.meta.dirname}/lib/open-child.mjs`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--expose-gc', program, ...args], {
    timeout: CHILD_LIMIT_MS,
  });
  return JSON.parse(stdout);
}

/** @returns {import('./lib/result.mjs').Row[]} */
function rowsOf(loaded, opened, instances, hasIndexes) {
  const about = { bench: 'open' };
  const size = instances.toLocaleString('en-US');
  const medians = (/** @type {string} */ field) =>
    Object.fromEntries(
      [...opened].map(([name, each]) => [name, median(each.map((times) => times[field]))]),
    );
  const firstRead = costRow(
    { ...about, row: `${size}: first read`, unit: 'ms', floor: FIRST_READ_LIMIT_MS, isLimit: true },
    medians('firstReadMs'),
  );
  const directory = costRow(
    { ...about, row: 'on disk, the whole directory', unit: 'B/instance' },
    Object.fromEntries(
      [...loaded].map(([name, { directoryBytes }]) => [name, directoryBytes / instances]),
    ),
  );
  const ours = loaded.get('pawl');
  if (ours === undefined) return [firstRead, directory];
  const limit = (
    /** @type {string} */ row,
    /** @type {string} */ unit,
    /** @type {number} */ floor,
    /** @type {number} */ value,
  ) => ({ ...about, row, unit, values: { pawl: value }, floor, isLimit: true });
  const resident = RESIDENT_LIMIT_BYTES[hasIndexes ? 'indexes' : 'plain'];
  const own = (/** @type {string} */ field) => medians(field)['pawl'];
  const disk = (ours.snapshotBytes + ours.uncoveredBytes) / instances;
  const replayed = own('recordsReplayed');
  return [
    { ...firstRead, note: `${replayed} records of the log were replayed behind the snapshot` },
    limit(`${size}: all loaded, indexes built`, 'ms', ALL_LOADED_LIMIT_MS, own('allLoadedMs')),
    { ...about, row: 'longest turn meanwhile', unit: 'ms', values: { pawl: own('longestTurnMs') } },
    limit('resident when all is loaded', 'B/instance', resident, own('residentBytes')),
    limit('on disk, snapshot and log behind it', 'B/instance', DISK_LIMIT_BYTES, disk),
    directory,
    {
      ...about,
      row: 'the snapshot, from the log',
      unit: 's',
      values: { pawl: ours.snapshotMs / 1000 },
    },
  ];
}

await runIfMain(import.meta.url, open);
