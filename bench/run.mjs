/**
 * `npm run bench`: every bench in a process of its own, one after the other, one table at the end.
 * Options as for a single bench, and `--only durable,get`.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readArguments, toArguments } from './lib/arguments.mjs';
import { formatReport } from './lib/bench.mjs';
import { median } from './lib/stats.mjs';

const BENCHES = [
  'append',
  'durable',
  'apply',
  'get',
  'find',
  'load',
  'replay',
  'open',
  'snapshot',
  'memory',
  'loop',
  'vectors',
];
/** A bench that takes longer hangs. */
const LIMIT_MS = 600_000;

/**
 * @param {string} name
 * @param {string[]} options
 * @returns {Promise<import('./lib/bench.mjs').Report>}
 */
function runBench(name, options) {
  const program = path.join(import.meta.dirname, `${name}.mjs`);
  const child = spawn(process.execPath, ['--expose-gc', program, '--json', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: LIMIT_MS,
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(output));
      else reject(new Error(`bench ${name} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/** @param {import('./lib/bench.mjs').Report[]} reports */
function combine(reports) {
  const disk = (/** @type {'bytes70' | 'bytes4096'} */ size) => ({
    p50Us: median(reports.map((report) => report.disk[size].p50Us)),
    p99Us: median(reports.map((report) => report.disk[size].p99Us)),
  });
  return {
    machine: reports[0].machine,
    disk: { bytes70: disk('bytes70'), bytes4096: disk('bytes4096') },
    cpuWaitShare: Math.max(...reports.map((report) => report.cpuWaitShare)),
    seconds: reports.reduce((sum, report) => sum + report.seconds, 0),
    rows: reports.flatMap((report) => report.rows),
  };
}

async function main() {
  const { values } = parseArgs({ options: { only: { type: 'string' } }, strict: false });
  const rest = process.argv
    .slice(2)
    .filter((text, i, all) => text !== '--only' && all[i - 1] !== '--only');
  const options = readArguments(rest);
  const chosen = typeof values.only === 'string' ? values.only.split(',') : BENCHES;
  for (const name of chosen)
    if (!BENCHES.includes(name)) throw new Error(`no bench ${name}: ${BENCHES.join(', ')}`);
  const reports = [];
  for (const name of chosen) {
    process.stderr.write(`${name}\n`);
    try {
      reports.push(await runBench(name, toArguments(options)));
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  }
  if (reports.length === 0) return;
  const report = combine(reports);
  process.stdout.write((options.json ? JSON.stringify(report) : formatReport(report)) + '\n');
}

await main();
