/**
 * The machine a run was made on, and how much of it we had: the share of the time the main thread was
 * ready but without a CPU. Above 0.05 absolute numbers mean little.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { RawDisk } from './raw-disk.mjs';
import { Latencies } from './stats.mjs';

/**
 * @typedef {object} Environment
 * @property {string} cpu
 * @property {number} cores
 * @property {number} memoryGiB
 * @property {string} node
 * @property {string} kernel
 * @property {string} fileSystem
 * @property {string} commit of the sources that were measured
 * @property {string} date
 */

/**
 * @param {string} directory on the disk under test
 * @returns {Environment}
 */
export function describeMachine(directory) {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 1024 ** 3),
    node: process.version,
    kernel: `${os.type()} ${os.release()}`,
    fileSystem: ask('df', ['--output=fstype', directory]).split('\n').at(-1) ?? 'unknown',
    commit: ask('git', ['-C', import.meta.dirname, 'rev-parse', '--short', 'HEAD']),
    date: new Date().toISOString().slice(0, 16) + 'Z',
  };
}

function ask(command, args) {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown'; // Only a label; the measurement does not need it.
  }
}

/**
 * Latency of a synced write, in microseconds.
 * @param {string} directory
 * @param {number} ms
 */
export function measureDisk(directory, ms) {
  const disk = new RawDisk(directory);
  const measure = (/** @type {number} */ size) => {
    const bytes = Buffer.alloc(size, 1);
    const latencies = new Latencies();
    for (let start = performance.now(), end = start + ms; start < end;) {
      disk.write(bytes);
      const now = performance.now();
      latencies.add(now - start);
      start = now;
    }
    return { p50Us: latencies.percentile(0.5) * 1000, p99Us: latencies.percentile(0.99) * 1000 };
  };
  const result = { bytes70: measure(70), bytes4096: measure(4096) };
  disk.close();
  return result;
}

/** @returns {() => number} share of the time since this call that the main thread waited for a CPU */
export function watchScheduler() {
  // The clock first: being put aside between the two must not count as waiting outside the time.
  const start = performance.now();
  const startNs = waitedNs();
  return () => (waitedNs() - startNs) / 1e6 / (performance.now() - start);
}

/** Of a process from its start: milliseconds that it waited for a CPU, and all of them. */
export function lifeSoFar() {
  return { waitedMs: waitedNs() / 1e6, elapsedMs: performance.now() };
}

function waitedNs() {
  try {
    const fields = fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return Number(fields[1]);
  } catch {
    return NaN; // Not Linux: unknown.
  }
}
