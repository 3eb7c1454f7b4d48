/**
 * Command line of every bench: `--quick`, `--json`, `--dir DIR`, `--rounds N`, `--ms N`, `--instances N`,
 * `--peers-only`, `--no-indexes`.
 */
import os from 'node:os';
import { parseArgs } from 'node:util';

/**
 * @typedef {object} BenchOptions
 * @property {boolean} quick three short rounds over small stores
 * @property {boolean} json one JSON document instead of a table
 * @property {string} dir where the temporary directories are made: the disk under test
 * @property {number} rounds
 * @property {number} ms time one contestant works in one round
 * @property {number | undefined} instances stored before measuring; each bench has its own default
 * @property {boolean} indexes every store keeps two secondary indexes: state and time of update; customer
 * @property {boolean} peersOnly leaves Pawl out, to look at the peers alone
 */

/**
 * @param {string[]} argv
 * @returns {BenchOptions}
 */
export function readArguments(argv = process.argv.slice(2)) {
  const { values } = parseArgs({
    args: argv,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      dir: { type: 'string', default: os.tmpdir() },
      rounds: { type: 'string' },
      ms: { type: 'string' },
      instances: { type: 'string' },
      'peers-only': { type: 'boolean', default: false },
      'no-indexes': { type: 'boolean', default: false },
    },
  });
  return {
    quick: values.quick,
    json: values.json,
    dir: values.dir,
    rounds: positive('rounds', values.rounds) ?? (values.quick ? 3 : 7),
    ms: positive('ms', values.ms) ?? (values.quick ? 60 : 300),
    instances: positive('instances', values.instances),
    peersOnly: values['peers-only'],
    indexes: !values['no-indexes'],
  };
}

/** The same options as arguments for a child process. */
export function toArguments(/** @type {BenchOptions} */ options) {
  const list = [
    '--dir',
    options.dir,
    '--rounds',
    String(options.rounds),
    '--ms',
    String(options.ms),
  ];
  if (options.quick) list.push('--quick');
  if (options.peersOnly) list.push('--peers-only');
  if (!options.indexes) list.push('--no-indexes');
  if (options.instances !== undefined) list.push('--instances', String(options.instances));
  return list;
}

function positive(name, text) {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${name} must be a positive integer, got ${text}`);
  return value;
}
