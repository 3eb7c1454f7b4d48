/**
 * The main job of Pawl on real input: a log of real events replayed by many concurrent callers, a
 * SIGKILL half way, recovery, and a comparison with an independent fold. This file is the frame
 * around it: options, the store's directory, what is left behind, the exit code.
 */
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deriveMachine } from './derive-machine.ts';
import { type Case, readLogFile } from './log-file.ts';
import { type DemoOptions, parseOptions, USAGE } from './options.ts';
import { formatCount, formatDay, plural } from './report.ts';
import { countWrites, type Scene, tellStory } from './story.ts';
import { openTerminal, type Terminal } from './terminal.ts';
import type { WorkerProcess } from './worker-process.ts';

const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

function defaultLog(): string {
  return fileURLToPath(new URL('../data/traffic-fines.events.ndjson.gz', import.meta.url));
}

async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  const parsed = parseOptions(args, defaultLog());
  if (parsed.kind === 'help') {
    process.stdout.write(USAGE);
    return EXIT_OK;
  }
  if (parsed.kind === 'wrong') {
    process.stderr.write(`${parsed.reason}\n\n${USAGE}`);
    return EXIT_USAGE;
  }
  return runDemo(parsed.options, terminal);
}

async function runDemo(options: DemoOptions, terminal: Terminal): Promise<number> {
  const cases = await readLogFile(options.logFile, options.caseLimit);
  const directory = await prepareDirectory(options.directory);
  if (directory === undefined) {
    process.stderr.write(`${options.directory}: not empty; the demo starts with an empty one\n`);
    return EXIT_USAGE;
  }

  let worker: WorkerProcess | undefined;
  const cleanUp = (): void => {
    worker?.abandon();
    if (!options.isKept) rmSync(directory, { recursive: true, force: true });
  };
  const interrupted = (): void => {
    cleanUp();
    process.exit(EXIT_INTERRUPTED);
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    const { definition, steps } = deriveMachine(machineName(options.logFile), cases);
    const scene: Scene = {
      terminal,
      options,
      directory,
      definition,
      cases,
      writes: countWrites(cases),
      onWorker: (started) => {
        worker = started;
      },
    };
    introduce(scene, steps);
    const isTrue = await tellStory(scene);
    conclude(scene, isTrue);
    return isTrue ? EXIT_OK : EXIT_FAILED;
  } finally {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
    cleanUp();
  }
}

/** A fresh temporary directory, or the one asked for; undefined if that holds something already. */
async function prepareDirectory(asked: string | undefined): Promise<string | undefined> {
  if (asked === undefined) return mkdtemp(join(tmpdir(), 'pawl-demo-'));
  const directory = resolve(asked);
  await mkdir(directory, { recursive: true });
  return (await readdir(directory)).length === 0 ? directory : undefined;
}

function machineName(logFile: string): string {
  return basename(logFile).replace(/(\.events)?(\.ndjson|\.jsonl)?(\.gz)?$/, '') || 'log';
}

function introduce(scene: Scene, steps: number): void {
  const { terminal, definition, cases, directory, writes } = scene;
  const events = cases.reduce((total, item) => total + item.events.length, 0);
  const { first, last } = timeSpan(cases);
  terminal.line(terminal.paint('bold', 'Pawl: a real event log, a SIGKILL, and nothing lost'));
  terminal.line();
  terminal.line(
    `   log      ${definition.name}: ${plural(cases.length, 'case')}, ` +
      `${plural(events, 'event')}, ${formatDay(first)} to ${formatDay(last)}`,
  );
  terminal.line(
    `   machine  ${plural(definition.states.length, 'state')}, ` +
      `${plural(definition.transitions.length, 'event')}, ` +
      `${plural(steps, 'step')} somebody took, derived from the log`,
  );
  terminal.line(
    `   work     ${plural(writes, 'write')}: ` +
      `${formatCount(cases.length)} to open the cases, one for each event`,
  );
  terminal.line(`   store    ${directory}`);
}

function conclude({ terminal, options, directory }: Scene, isTrue: boolean): void {
  terminal.line();
  terminal.line(
    isTrue
      ? terminal.paint('good', 'Everything is where it should be.')
      : terminal.paint('bad', 'The store does not hold what it should.'),
  );
  if (options.isKept) terminal.line(`Look inside: npx pawl inspect ${directory}`);
}

function timeSpan(cases: readonly Case[]): { first: number; last: number } {
  let first = Infinity;
  let last = -Infinity;
  for (const { events } of cases) {
    for (const { at } of events) {
      first = Math.min(first, at);
      last = Math.max(last, at);
    }
  }
  return { first, last };
}

try {
  process.exitCode = await main(process.argv.slice(2), openTerminal(process.stdout, process.env));
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = EXIT_FAILED;
}
