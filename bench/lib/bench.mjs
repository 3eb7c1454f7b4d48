/**
 * Frame of every bench: its options, a temporary directory that is gone afterwards, the machine in
 * front, a table or JSON at the end. A bench is a function from its means to rows.
 */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { readArguments } from './arguments.mjs';
import { describeMachine, measureDisk, watchScheduler } from './environment.mjs';
import { formatDisk, formatMachine, formatTable } from './table.mjs';

/**
 * @typedef {object} Means
 * @property {import('./arguments.mjs').BenchOptions} options
 * @property {(name: string) => string} directory makes an empty directory on the disk under test
 * @property {(text: string) => void} progress
 * @property {(life: { waitedMs: number, elapsedMs: number }) => void} noteChild how a child process fared
 *
 * @typedef {object} Report
 * @property {import('./environment.mjs').Environment} machine
 * @property {ReturnType<typeof measureDisk>} disk
 * @property {number} cpuWaitShare
 * @property {number} seconds
 * @property {import('./result.mjs').Row[]} rows
 */

/**
 * Runs the bench if its file is the program.
 * @param {string} moduleUrl `import.meta.url` of the bench
 * @param {(means: Means) => Promise<import('./result.mjs').Row[]>} bench
 */
export async function runIfMain(moduleUrl, bench) {
  if (
    process.argv[1] === undefined ||
    moduleUrl !== pathToFileURL(fs.realpathSync(process.argv[1])).href
  )
    return;
  const options = readArguments();
  const report = await measure(bench, options);
  process.stdout.write(options.json ? JSON.stringify(report) + '\n' : formatReport(report) + '\n');
}

/**
 * @param {(means: Means) => Promise<import('./result.mjs').Row[]>} bench
 * @param {import('./arguments.mjs').BenchOptions} options
 * @returns {Promise<Report>}
 */
async function measure(bench, options) {
  const start = performance.now();
  const root = temporaryDirectory(options.dir);
  const cpuWaitShare = watchScheduler();
  const disk = measureDisk(root, options.quick ? 100 : 500);
  const directory = (/** @type {string} */ name) => {
    const made = path.join(root, name);
    fs.mkdirSync(made, { recursive: true });
    return made;
  };
  const progress = (/** @type {string} */ text) => process.stderr.write(`  ${text}\n`);
  const children = { waitedMs: 0, elapsedMs: 0 };
  const noteChild = (/** @type {{ waitedMs: number, elapsedMs: number }} */ life) => {
    children.waitedMs += life.waitedMs;
    children.elapsedMs += life.elapsedMs;
  };
  const rows = await bench({ options, directory, progress, noteChild });
  const childShare = children.elapsedMs === 0 ? 0 : children.waitedMs / children.elapsedMs;
  const machine = describeMachine(options.dir);
  return {
    machine,
    disk,
    cpuWaitShare: Math.max(cpuWaitShare(), childShare),
    seconds: (performance.now() - start) / 1000,
    rows,
  };
}

/** Removed when the process ends, also by Ctrl-C. */
function temporaryDirectory(parent) {
  const root = fs.mkdtempSync(path.join(parent, 'pawl-bench-'));
  process.on('exit', () => fs.rmSync(root, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
  return root;
}

/** @param {Report} report */
export function formatReport(report) {
  const share = Number.isFinite(report.cpuWaitShare) ? report.cpuWaitShare.toFixed(3) : 'unknown';
  const notes = report.rows
    .filter(({ note }) => note !== undefined)
    .map(({ row, note }) => `- ${row}: ${note}`);
  return [
    formatMachine(report.machine),
    formatDisk(report.disk),
    `ready but without a CPU: ${share} of the time; ${report.seconds.toFixed(0)} s in all`,
    '',
    formatTable(report.rows),
    ...(notes.length === 0 ? [] : ['', ...notes]),
  ].join('\n');
}
