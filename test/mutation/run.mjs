/**
 * Mutation testing of the log: one small wrong change at a time, and whether any test notices.
 * A mutant meets the crash campaigns first, which take a second; what survives them meets the unit
 * tests. What survives those is listed. `node test/mutation/run.mjs --help`.
 */
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { transformWithOxc } from 'vite';
import { mutantsOf } from './mutants.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OUTPUT = join(ROOT, '.tmp/mutation');
const USAGE = `node test/mutation/run.mjs [options]      after npm run build:sim

  --files PART   only files of wal/ whose name contains this
  --sample N     so many mutants, chosen at random (default: all)
  --seed S       of that choice (default 1)
  --jobs N       at a time (default: number of processors)
  --minutes M    stop after that
`;
const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '' },
    sample: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    minutes: { type: 'string', default: 'Infinity' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

/** Each is a program and how long it may take; the first that fails kills the mutant. */
const KILLERS = [
  {
    name: 'log campaign',
    limitMs: 40_000,
    args: [
      'dist/test/sim/main.js',
      '--only',
      'log',
      '--runs',
      '4000',
      '--seed',
      '5',
      '--jobs',
      '1',
    ],
  },
  {
    name: 'damage campaign',
    limitMs: 60_000,
    args: [
      'dist/test/sim/main.js',
      '--only',
      'damage',
      '--runs',
      '1500',
      '--seed',
      '5',
      '--jobs',
      '1',
    ],
  },
  {
    name: 'unit tests',
    limitMs: 240_000,
    args: [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config',
      'test/vitest.config.ts',
      '--bail',
      '1',
      'test/unit/wal',
    ],
  },
];

function shuffled(items, seed) {
  let state = Number(seed) >>> 0;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return items
    .map((item) => [next(), item])
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

/** A copy of the project for one lane to break. */
function prepareLane(number) {
  const directory = join(OUTPUT, `lane-${number}`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const name of ['src', 'wal', 'test', 'dist', 'package.json', 'tsconfig.json'])
    cpSync(join(ROOT, name), join(directory, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}

function runs({ args, limitMs }, cwd) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd, stdio: 'ignore', detached: true });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      process.kill(-Number(child.pid), 'SIGKILL');
    }, limitMs);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve(isLate ? 'late' : code === 0 ? 'green' : 'red');
    });
  });
}

async function tryMutant(mutant, directory) {
  const { path, source, start, end, text } = mutant;
  const changed = source.slice(0, start) + text + source.slice(end);
  const { code } = await transformWithOxc(changed, path, { sourcemap: false });
  const built = join(directory, 'dist', path.replace(/\.ts$/, '.js'));
  const before = readFileSync(join(ROOT, 'dist', path.replace(/\.ts$/, '.js')));
  writeFileSync(join(directory, path), changed);
  writeFileSync(built, code.replaceAll(/(from\s+["'][^"']+)\.ts(["'])/g, '$1.js$2'));
  try {
    for (const killer of KILLERS) {
      const outcome = await runs(killer, directory);
      if (outcome !== 'green') return `${killer.name}${outcome === 'late' ? ' (too long)' : ''}`;
    }
    return undefined;
  } finally {
    writeFileSync(join(directory, path), source);
    writeFileSync(built, before);
  }
}

const files = readdirSync(join(ROOT, 'wal')).filter(
  (name) => name.endsWith('.ts') && name.includes(values.files),
);
const all = files.flatMap((name) => {
  const path = `wal/${name}`;
  const source = readFileSync(join(ROOT, path), 'utf8');
  return mutantsOf(path, source).map((mutant) => ({ ...mutant, path, source }));
});
const queue = shuffled(all, values.seed).slice(0, Number(values.sample));
console.log(`${all.length} mutants in ${files.length} files; trying ${queue.length}`);
const until = Date.now() + Number(values.minutes) * 60_000;
const killed = new Map();
const survivors = [];
let tried = 0;

async function lane(number) {
  const directory = prepareLane(number);
  while (queue.length > 0 && Date.now() < until) {
    const mutant = queue.shift();
    const killer = await tryMutant(mutant, directory);
    tried++;
    const { path, line, kind, start, end, text, source } = mutant;
    const what = `${path}:${line} ${kind}: ${source.slice(start, end).replaceAll(/\s+/g, ' ').slice(0, 90)} -> ${text.replaceAll(/\s+/g, ' ').slice(0, 90)}`;
    if (killer === undefined) survivors.push(what);
    else killed.set(killer, (killed.get(killer) ?? 0) + 1);
    appendFileSync(join(OUTPUT, 'results.txt'), `${killer ?? 'SURVIVED'}\t${what}\n`);
    if (killer === undefined || tried % 20 === 0)
      console.log(
        `${tried} tried, ${survivors.length} survived${killer === undefined ? `: ${what}` : ''}`,
      );
  }
}

mkdirSync(OUTPUT, { recursive: true });
await Promise.all(Array.from({ length: Number(values.jobs) }, (_, number) => lane(number)));
console.log(
  `\n${tried} mutants tried, ${tried - survivors.length} killed (${((1 - survivors.length / tried) * 100).toFixed(1)} %):`,
);
for (const [killer, count] of killed) console.log(`  ${count} by ${killer}`);
console.log(`${survivors.length} survived:`);
for (const survivor of survivors.toSorted((a, b) => a.localeCompare(b)))
  console.log(`  ${survivor}`);
