/**
 * The kills of kill.int.test.ts once more, from below: a preloaded library counts the calls that
 * reach libc, whoever made them, and kills before, in the middle of or after the n-th. It knows
 * nothing of our ports, so it finds what passes by them, the lock's own calls among that.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Deaths } from './deaths.ts';
import { Generations } from './generations.ts';
import { inParallel } from './in-parallel.ts';
import { callsIn, compileShim, type SeenCall, type Shim, shimEnvironment } from './kill-shim.ts';
import { compileWorker } from './worker-process.ts';

const IS_EXHAUSTIVE = process.env['PAWL_CRASH_EXHAUSTIVE'] === '1';
const LIMIT_MS = IS_EXHAUSTIVE ? 3_600_000 : 180_000;
const COMMANDS = 6;
const LANES = 4;

const shim = compileShim();
const whyNot = typeof shim === 'string' ? `, skipped: ${shim}` : '';

let compiled: ReturnType<typeof compileWorker>;
let directory: string;
beforeAll(() => {
  compiled = compileWorker();
});
afterAll(() => {
  rmSync(compiled.output, { recursive: true, force: true });
  if (typeof shim !== 'string') rmSync(shim.output, { recursive: true, force: true });
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pawl-shim-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Below a root of its own, so that the making of the directory counts. */
function generations(name: string): Generations {
  return new Generations({ program: compiled.program, location: join(directory, name, 'store') });
}

function countOf(calls: readonly SeenCall[], kind: string): number {
  return calls.filter((call) => call.kind === kind).length;
}

describe.skipIf(typeof shim === 'string')(`the real calls of a process${whyNot}`, () => {
  /** Kills at the points `first`, `first + step`, ... of one store after the other, until a process has come to its end. Gives the kills by kind of call. */
  async function killEach(
    store: (point: number) => Promise<Generations>,
    commands: number,
    deaths: Deaths,
    [first, step]: readonly [number, number],
  ): Promise<void> {
    for (let killAt = first; ; killAt += step) {
      const one = await store(killAt);
      const root = join(one.location, '..');
      const log = `${root}-${killAt}.log`;
      const environment = shimEnvironment(shim as Shim, { root, log, killAt });
      const worker = one.start(commands, {}, environment);
      const signal = await worker.gone;
      const last = callsIn(log).findLast(({ point }) => point <= killAt);
      const what = `${root}, point ${killAt}, ${last?.kind} ${last?.path}`;
      one.learn(worker, what);
      if (signal === null) return one.check(what);
      expect([what, signal]).toEqual([what, 'SIGKILL']);
      const how = ['before', last?.kind === 'write' ? 'half' : 'after', 'after'];
      deaths.note(`${how[killAt - last!.point]} ${last!.kind} ${last!.path}`);
    }
  }

  /** Of all kinds of calls, those nobody died at. */
  function missing(deaths: Deaths): string[] {
    if (!IS_EXHAUSTIVE) return [];
    process.stderr.write(`${deaths.total} kills from below\n`);
    return deaths.missing(['create', 'open', 'write', 'sync', 'rename', 'link', 'unlink']);
  }

  test('F-0e F-101 our ports see every write, sync, rename and new file that libc sees', async () => {
    const one = generations('new');
    const root = join(one.location, '..');
    const log = join(directory, 'log');
    const worker = one.start(COMMANDS, {}, shimEnvironment(shim as Shim, { root: directory, log }));
    expect(await worker.gone).toBe(null);
    one.learn(worker, root);
    const calls = callsIn(log);
    const ours = worker.calls!;
    // The lock makes calls of its own: one claim created, written, synced, linked, unlinked; one lock unlinked.
    expect(countOf(calls, 'write')).toBe(ours['write']! + 1);
    expect(countOf(calls, 'create')).toBe(ours['create']! + 1);
    expect(countOf(calls, 'link')).toBe(1);
    expect(countOf(calls, 'unlink')).toBe((ours['remove'] ?? 0) + 2);
    expect(countOf(calls, 'rename')).toBe(ours['rename']);
    expect(countOf(calls, 'mkdir')).toBe(ours['mkdir']);
    expect(countOf(calls, 'truncate')).toBe(ours['truncate'] ?? 0);
    // Names above the directory are synced too; those above the root are not seen from here.
    const syncs = countOf(calls, 'sync') - 1;
    expect(syncs).toBeLessThanOrEqual(ours['sync']! + ours['syncdir']!);
    expect(syncs).toBeGreaterThan(ours['sync']!);
  });

  test(
    'F-1 F-6 F-13 SIGKILL at each of them while a store is created',
    { timeout: LIMIT_MS },
    async () => {
      const deaths = new Deaths();
      const stride = IS_EXHAUSTIVE ? 1 : 3;
      await inParallel([1, 1 + stride], async (first) => {
        let previous: Generations | undefined;
        await killEach(
          async (point) => {
            if (previous !== undefined && existsSync(previous.location))
              await previous.check(`before ${point}`);
            return (previous = generations(`new-${point}`));
          },
          0,
          deaths,
          [first, 2 * stride],
        );
      });
      expect(missing(deaths)).toEqual([]);
      if (IS_EXHAUSTIVE) expect(deaths.missing(['mkdir'])).toEqual([]);
    },
  );

  test(
    'F-1 F-8 F-9 F-13 F-14 SIGKILL at each of them in a session, and the next process goes on',
    { timeout: LIMIT_MS },
    async () => {
      const deaths = new Deaths();
      const stride = IS_EXHAUSTIVE ? 1 : 6;
      const lanes = Array.from({ length: LANES }, (_, lane) => lane);
      await inParallel(lanes, async (lane) => {
        const one = generations(`lane-${lane}`);
        const steps = [1 + lane * stride, LANES * stride] as const;
        await killEach(async () => one, COMMANDS, deaths, steps);
        await one.finish(COMMANDS, `lane ${lane}`);
      });
      expect(missing(deaths)).toEqual([]);
    },
  );
});
