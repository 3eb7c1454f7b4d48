/**
 * Opening a store whose log holds a gibibyte of events and no snapshot: how long it takes, and how
 * much memory beyond what the store needs anyway. Twice: with small events, of which there are most
 * to the byte, and with larger ones. Takes a minute and two gigabytes, so `run.mjs` leaves it out.
 */
import fs from 'node:fs';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runIfMain } from './lib/bench.mjs';
import { median } from './lib/stats.mjs';

const GiB = 1024 ** 3;
const LIMIT_MS = 5000;
const SEGMENT_MIB = 64;
const CHILD_LIMIT_MS = 600_000;
const PAYLOADS = [
  ['events of the workload', 0],
  ['with 200 B more in each', 200],
];

/** @param {import('./lib/bench.mjs').Means} means */
export async function recover(means) {
  const { options } = means;
  const instances = options.instances ?? (options.quick ? 10_000 : 100_000);
  const bytes = options.quick ? GiB >> 4 : GiB;
  const rows = [];
  for (const [name, extraBytes] of PAYLOADS) {
    const directory = means.directory(`recover-${extraBytes}`);
    const args = [directory, String(instances)];
    const { events } = await runChild('fill', ...args, String(bytes), String(extraBytes));
    means.progress(`${events.toLocaleString('en-US')} events written`);
    const opened = [];
    for (let round = 0; round <= Math.min(options.rounds, 3); round++)
      opened.push(await runChild('open', ...args, String(events)));
    for (const { life } of opened) means.noteChild(life);
    fs.rmSync(directory, { recursive: true });
    const warm = opened.slice(1);
    const figure = (/** @type {string} */ field) => median(warm.map((one) => one[field]));
    const about = { bench: 'recover', isLimit: true };
    const limits = options.quick ? [undefined, undefined] : [LIMIT_MS, SEGMENT_MIB];
    rows.push(
      {
        ...about,
        row: `${bytes / GiB} GiB of log, ${name}`,
        unit: 'ms',
        values: { pawl: figure('durationMs') },
        floor: limits[0],
        note: `${Math.round((events / figure('durationMs')) * 1000).toLocaleString('en-US')} events/s`,
      },
      {
        ...about,
        row: `the same: most memory on the way, beyond what stays`,
        unit: 'MiB',
        values: { pawl: figure('beyondMiB') },
        floor: limits[1],
      },
    );
  }
  return rows;
}

async function runChild(...args) {
  const program = `${import.meta.dirname}/lib/recover-child.mjs`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--expose-gc', program, ...args], {
    timeout: CHILD_LIMIT_MS,
  });
  return JSON.parse(stdout);
}

await runIfMain(import.meta.url, recover);
