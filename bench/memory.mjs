/**
 * Memory and disk per instance: each contestant alone in a child process, resident set after loading
 * minus resident set after the first few, garbage collected both times. Of ours also what the
 * JavaScript heap got: its bytes and its objects per instance, counted in heap snapshots.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runIfMain } from './lib/bench.mjs';
import { costRow } from './lib/result.mjs';

/** Enough to see one object per instance, few enough for a heap snapshot in a moment. */
const COUNTED = 100_000;
/** With two indexes, and without any. */
const FLOOR_BYTES = { indexes: 200, plain: 160 };
const CONTESTANTS = ['sqlite', 'leveldb', 'lmdb'];
const CHILD_LIMIT_MS = 180_000;

/** @param {import('./lib/bench.mjs').Means} means */
export async function memory(means) {
  const { options } = means;
  const instances = options.instances ?? (options.quick ? 50_000 : 1_000_000);
  const names = options.peersOnly ? CONTESTANTS : ['pawl', ...CONTESTANTS];
  const found = new Map();
  for (const name of names) {
    found.set(name, await measureInChild(means, name, instances));
    means.progress(`${name} done`);
  }
  const values = (/** @type {string} */ field) =>
    Object.fromEntries([...found].map(([name, measured]) => [name, measured[field]]));
  const size = instances.toLocaleString('en-US');
  const about = { bench: 'memory' };
  const rows = [
    costRow(
      {
        ...about,
        row: `of ${size}, resident`,
        unit: 'B/instance',
        floor: options.indexes ? FLOOR_BYTES.indexes : FLOOR_BYTES.plain,
        isLimit: true,
      },
      values('residentBytes'),
    ),
    costRow(
      { ...about, row: `of ${size}, resident after reopening`, unit: 'B/instance' },
      values('reopenedBytes'),
    ),
    costRow({ ...about, row: `of ${size}, on disk`, unit: 'B/instance' }, values('diskBytes')),
  ];
  const ours = found.get('pawl');
  if (ours === undefined) return rows;
  const own = (
    /** @type {string} */ row,
    /** @type {string} */ unit,
    /** @type {number} */ value,
  ) => ({
    ...about,
    row,
    unit,
    values: { pawl: value },
  });
  return [
    ...rows,
    own('of it buffers outside the heap', 'B/instance', ours.bufferBytes),
    own('of it JavaScript heap', 'B/instance', ours.heapBytes),
    { ...own('objects on the heap', 'per instance', ours.heapObjects), floor: 0.01, isLimit: true },
  ];
}

async function measureInChild(means, name, instances) {
  const directory = means.directory(`memory-${name}`);
  const run = promisify(execFile);
  const child = `${import.meta.dirname}/lib/memory-child.mjs`;
  const ask = async (/** @type {string} */ action, place = directory, count = instances) => {
    const args = [
      '--expose-gc',
      child,
      action,
      name,
      place,
      String(count),
      means.options.indexes ? 'indexes' : 'plain',
    ];
    const { stdout } = await run(process.execPath, args, { timeout: CHILD_LIMIT_MS });
    const measured = JSON.parse(stdout);
    means.noteChild(measured.life);
    return measured;
  };
  const loaded = await ask('load');
  const reopened = await ask('reopen');
  const counted =
    name === 'pawl' ? await ask('count', `${directory}-counted`, Math.min(COUNTED, instances)) : {};
  return { ...loaded, ...counted, reopenedBytes: reopened.residentBytes };
}

await runIfMain(import.meta.url, memory);
