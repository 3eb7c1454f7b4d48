/**
 * A real process whose system calls fail one after the other, by a preloaded library: every kind of
 * call with every answer it may give, once, a few times, from then on. Whatever fails, callers get
 * coded errors that are true, nothing hangs, and the store opens again: acknowledged is there,
 * 'not-done' is not, 'unknown' may be. This process, where nothing fails, looks.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from 'pawl';
import { type FailingPlan, type Failure, plausibleFailures, type Told } from './failing-calls.ts';
import { Generations } from './generations.ts';
import { inParallel } from './in-parallel.ts';
import { compileShim, type Shim, shimEnvironment } from './kill-shim.ts';
import { compileWorker } from './worker-process.ts';
import { CALLERS, checkStore, NOTHING, perform, PREPARED, prepare } from './workload.ts';

const IS_EXHAUSTIVE = process.env['PAWL_CRASH_EXHAUSTIVE'] === '1';
const LIMIT_MS = IS_EXHAUSTIVE ? 3_600_000 : 180_000;
/** Calls between two that fail, where not all do. */
const THIN = 41;
const COMMANDS = 6;
/** What a failing disk may make of a call. */
const CODES = /^(?:open|prepare|command|flush|close) WAL_IO_ERROR (?:not-done|unknown)$/;

const shim = compileShim();
const whyNot = typeof shim === 'string' ? `, skipped: ${shim}` : '';

let worker: ReturnType<typeof compileWorker>;
let failing: ReturnType<typeof compileWorker>;
let directory: string;
beforeAll(() => {
  worker = compileWorker();
  failing = compileWorker('failing-worker');
});
afterAll(() => {
  for (const { output } of [worker, failing]) rmSync(output, { recursive: true, force: true });
  if (typeof shim !== 'string') rmSync(shim.output, { recursive: true, force: true });
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pawl-inject-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Where nothing fails any more: what was told is true, and the store can be worked with. */
async function check({ directory: location, ...told }: Told): Promise<void> {
  assert.deepEqual(
    told.codes.filter((code) => !CODES.test(code)),
    [],
  );
  const store = await openStore(location, { segmentBytes: 4096 });
  const { isPrepared, made, acked: atLeast, sent: atMost } = told;
  const most = Math.max(made[1], isPrepared ? PREPARED : 0);
  const found = await checkStore(store, { isPrepared, made: [made[0], most], atLeast, atMost });
  await prepare(store);
  await perform(store, 0, found[0]!);
  await store.close();
  const again = await openStore(location, { strict: true });
  const one = found.map((count, caller) => (caller === 0 ? count + 1 : count));
  await checkStore(again, { isPrepared: true, made, atLeast: one, atMost: one });
  await again.close();
}

interface Line {
  readonly failure: Failure;
  readonly n: number;
  readonly root: string;
  readonly told?: Told;
}

function named({ failure, n }: Line): string {
  const { stage, kind, name, times, durability } = failure;
  return `${stage}, ${kind} ${n}: ${name} ${times === 0 ? 'from then on' : `x ${times}`}, ${JSON.stringify(durability)}`;
}

/** Puts a process through these failures; gives what callers were told, each with how often. */
async function run(plan: FailingPlan, seen: Map<string, number>): Promise<number> {
  const child = spawn(process.execPath, [failing.program, JSON.stringify(plan)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...shimEnvironment(shim as Shim, {}) },
  });
  const closed = once(child, 'close');
  let current = 'before the first';
  let runs = 0;
  try {
    for await (const text of createInterface(child.stdout)) {
      const line = JSON.parse(text) as Line;
      current = named(line);
      if (line.told === undefined) continue;
      runs++;
      for (const code of line.told.codes) seen.set(code, (seen.get(code) ?? 0) + 1);
      await check(line.told).catch((cause: unknown) => {
        throw new Error(`${current}; told ${JSON.stringify(line.told)}`, { cause });
      });
      await rm(line.root, { recursive: true, force: true });
    }
    // An error nobody caught, or a death: not what a failing disk may do.
    expect([current, ...(await closed)]).toEqual([current, 0, null]);
  } finally {
    child.kill('SIGKILL');
  }
  return runs;
}

/** A store whose last process died in the middle of a frame: opening has to write. */
async function tornStore(): Promise<Generations> {
  const { program } = worker;
  const one = new Generations({ program, location: join(directory, 'torn') });
  await one.finish(2, 'before');
  const dying = one.start(50, { killOn: { place: 'half write N.wal', afterCommands: 20 } });
  await dying.gone;
  one.learn(dying, 'before');
  expect(dying.death).toBe('half write N.wal');
  return one;
}

describe.skipIf(typeof shim === 'string')(`real calls that fail${whyNot}`, () => {
  test(
    'F-32 F-33 F-34 F-35 F-36 F-37 F-38 F-39 F-40 F-44 F-104 what callers are told is true, nothing hangs, the store opens again',
    { timeout: LIMIT_MS },
    async () => {
      const torn = await tornStore();
      const { atLeast: acked, atMost: sent } = torn.expected;
      const from = {
        create: { made: 0, acked: NOTHING, sent: NOTHING },
        reopen: { made: PREPARED, acked, sent },
      };
      const failures = plausibleFailures(IS_EXHAUSTIVE ? 1 : THIN);
      const seen = new Map<string, number>();
      let runs = 0;
      await inParallel([0, 1], async (half) => {
        const mine = failures.filter((_, index) => index % 2 === half);
        const root = await mkdtemp(join(directory, 'runs-'));
        const template = torn.location;
        runs += await run({ root, template, from, commands: COMMANDS, failures: mine }, seen);
      });
      expect(acked.length).toBe(CALLERS);
      // Each way a call may end was come by.
      for (const what of ['open', 'command', 'close'])
        expect([...seen.keys()].some((code) => code.startsWith(what))).toBe(true);
      expect(seen.has('command WAL_IO_ERROR unknown')).toBe(true);
      expect(seen.has('command WAL_IO_ERROR not-done')).toBe(true);
      if (IS_EXHAUSTIVE)
        process.stderr.write(
          `${runs} runs, ${failures.length} failures: ${JSON.stringify([...seen])}\n`,
        );
    },
  );
});
