/**
 * A large store beside one of a tenth: load, queries, snapshot, reopening. What grows with the store
 * should grow tenfold, what does not should stay; the note of each row says by how much it did. Takes
 * minutes and gigabytes, so `run.mjs` leaves it out.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runIfMain } from './lib/bench.mjs';

const CHILD_LIMIT_MS = 900_000;
const FIGURES = [
  ['load, two indexes, synced at the end', 'creates/s', 'loadRate'],
  ['apply, not durable, by id', 'events/s', 'applyRate'],
  ['resident after loading', 'B/instance', 'residentBytes'],
  ['100 newest in a state, decoded', 'us', 'newestUs'],
  ['metadata equality, decoded', 'us', 'equalUs'],
  ['read by id, decoded', 'us', 'readUs'],
  ['snapshot, from the log', 'ms', 'snapshotMs'],
  ['size of the snapshot', 'B/instance', 'snapshotBytes'],
  ['open: first read', 'ms', 'firstReadMs'],
  ['open: all loaded, indexes built', 'ms', 'allLoadedMs'],
  ['resident after opening', 'B/instance', 'reopenedBytes'],
];

/** @param {import('./lib/bench.mjs').Means} means */
export async function large(means) {
  const { options } = means;
  const instances = options.instances ?? (options.quick ? 200_000 : 10_000_000);
  const small = await measure(means, Math.floor(instances / 10));
  const big = await measure(means, instances);
  const size = instances.toLocaleString('en-US');
  return FIGURES.filter(([, , field]) => big[field] !== undefined).map(([row, unit, field]) => ({
    bench: 'large',
    row: `${size}: ${row}`,
    unit,
    values: { pawl: big[field] },
    note: `${(big[field] / small[field]).toFixed(2)} x that of a tenth as many`,
  }));
}

async function measure(means, instances) {
  const directory = means.directory(`large-${instances}`);
  const kept = means.options.indexes ? 'indexes' : 'plain';
  const built = await runChild('large-child.mjs', [directory, String(instances), kept]);
  means.noteChild(built.life);
  means.progress(`${instances.toLocaleString('en-US')} instances loaded`);
  const args = ['open', 'pawl', directory, String(instances), kept, String(instances >> 1)];
  // Once for the page cache.
  await runChild('open-child.mjs', args);
  const opened = await runChild('open-child.mjs', args);
  means.noteChild(opened.life);
  const { firstReadMs, allLoadedMs, residentBytes } = opened;
  return { ...built, firstReadMs, allLoadedMs, reopenedBytes: residentBytes };
}

async function runChild(file, args) {
  const program = `${import.meta.dirname}/lib/${file}`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--expose-gc', program, ...args], {
    timeout: CHILD_LIMIT_MS,
  });
  return JSON.parse(stdout);
}

await runIfMain(import.meta.url, large);
