/**
 * Real processes on a real disk, killed with SIGKILL before, in the middle of and after the n-th
 * call that changes the disk, for every n, opening, recovery and closing included; and from
 * outside, at any moment. Each time the next process opens the store, holds what it finds against
 * what the dead one was told, and goes on. A killed process loses nothing the system has: what a
 * missing sync loses, power-cut.test.ts finds. PAWL_CRASH_EXHAUSTIVE leaves no point out,
 * PAWL_CRASH_ROUNDS makes the rest as long as one likes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Durability, openStore } from 'pawl';
import { seededRandom } from '../../src/base/random.ts';
import { Deaths } from './deaths.ts';
import { type GenerationOptions, Generations } from './generations.ts';
import { inParallel } from './in-parallel.ts';
import { compileWorker } from './worker-process.ts';
import { NOTHING } from './workload.ts';

const IS_EXHAUSTIVE = process.env['PAWL_CRASH_EXHAUSTIVE'] === '1';
const ROUNDS = Number(process.env['PAWL_CRASH_ROUNDS'] ?? '1');
/** Ends what hangs; a busy machine is no failure. */
const LIMIT_MS = IS_EXHAUSTIVE ? 3_600_000 : 180_000 * ROUNDS;
/** Commands of each caller in a session: several segments are filled. */
const COMMANDS = 8;
/** Stores that are worked on side by side, each dying at other points. */
const LANES = 4;
/** Kinds of calls every session makes many of. */
const USUAL = ['create', 'write', 'sync', 'rename', 'syncdir'];

let compiled: ReturnType<typeof compileWorker>;
let directory: string;
beforeAll(() => {
  compiled = compileWorker();
});
afterAll(() => rmSync(compiled.output, { recursive: true, force: true }));
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pawl-kill-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function generations(name: string, options: Partial<GenerationOptions> = {}): Generations {
  return new Generations({
    program: compiled.program,
    location: join(directory, name),
    ...options,
  });
}

/** Of these kinds of calls, those nobody died at. */
function missing(deaths: Deaths, kinds: readonly string[]): string[] {
  if (IS_EXHAUSTIVE) deaths.report(expect.getState().currentTestName ?? '');
  return deaths.missing(kinds);
}

/** Kills a process at each of the points `first`, `first + step`, ... until one has come to its end; gives the last point. */
async function killEach(
  store: (point: number) => Promise<Generations>,
  commands: number,
  deaths: Deaths,
  [first, step]: readonly [number, number] = [1, 1],
): Promise<void> {
  for (let point = first; ; point += step) {
    const one = await store(point);
    const worker = one.start(commands, { killAt: point });
    const signal = await worker.gone;
    const what = `${one.location}, point ${point}, ${worker.death}`;
    one.learn(worker, what);
    if (signal === null) return one.check(what);
    deaths.note(worker.death);
  }
}

describe('F-1 SIGKILL at every file call', () => {
  test(
    'F-6 F-13 of an opening and closing that creates the store: what is left is no obstacle',
    { timeout: LIMIT_MS },
    async () => {
      const deaths = new Deaths();
      const stride = IS_EXHAUSTIVE ? 1 : 2;
      await inParallel([1, 1 + stride], async (first) => {
        let previous: Generations | undefined;
        await killEach(
          async (point) => {
            await previous?.check(`before point ${point}`);
            return (previous = generations(`new-${point}`));
          },
          0,
          deaths,
          [first, 2 * stride],
        );
      });
      expect(missing(deaths, IS_EXHAUSTIVE ? ['mkdir', 'lock', 'unlock', ...USUAL] : [])).toEqual(
        [],
      );
    },
  );

  test(
    'F-8 F-9 F-13 F-14 of a session: recovery, commands, rotation, closing, and the next goes on',
    { timeout: LIMIT_MS },
    async () => {
      const deaths = new Deaths();
      const stride = IS_EXHAUSTIVE ? 1 : 5;
      const lanes = Array.from({ length: LANES }, (_, lane) => lane);
      await inParallel(lanes, async (lane) => {
        const one = generations(`lane-${lane}`);
        await killEach(async () => one, COMMANDS, deaths, [1 + lane * stride, LANES * stride]);
        await one.finish(COMMANDS, `lane ${lane}`);
        expect(Math.min(...one.known)).toBeGreaterThan(20);
      });
      expect(missing(deaths, IS_EXHAUSTIVE ? ['lock', 'remove', ...USUAL] : [])).toEqual([]);
    },
  );

  test.runIf(IS_EXHAUSTIVE)(
    'F-8 F-9 F-14 the same at a level below always, where frames wait for their sync',
    { timeout: LIMIT_MS },
    async () => {
      const deaths = new Deaths();
      await inParallel([1, 2, 3, 4], async (first) => {
        const one = generations(`lane-${first}`, { durability: { everyRecords: 20 } });
        await killEach(async () => one, COMMANDS, deaths, [first, 4]);
        await one.finish(COMMANDS, `lane ${first}`);
      });
      expect(missing(deaths, ['lock', 'remove', ...USUAL])).toEqual([]);
    },
  );

  test.each([
    'before create snapshot-N.unfinished',
    'half write snapshot-N.unfinished',
    'after sync snapshot-N.unfinished',
    'before rename snapshot-N',
    'after rename snapshot-N',
    'before write manifest',
    'half write manifest',
    'before remove snapshot-N',
    'after remove snapshot-N',
    'before remove N.wal',
    'after remove N.wal',
  ])(
    'F-10 F-11 F-12 F-13 of a session that takes snapshots: %s, again and again',
    { timeout: LIMIT_MS },
    async (place) => {
      const one = generations('store', { snapshotInterval: 12 });
      for (let n = 0; n < (IS_EXHAUSTIVE ? 12 : 3); n++) {
        const worker = one.start(100, { killOn: { place, afterCommands: 30 + 7 * n } });
        await worker.gone;
        one.learn(worker, `process ${n}`);
        expect(worker.death).toBe(place);
      }
      await one.check('at the end');
      await one.finish(COMMANDS, 'and goes on');
    },
  );

  test.runIf(IS_EXHAUSTIVE)(
    'F-10 F-11 F-12 of a session that takes snapshots: all of them',
    { timeout: LIMIT_MS },
    async () => {
      const deaths = new Deaths();
      await inParallel([1, 2, 3, 4], async (first) => {
        const one = generations(`lane-${first}`, { snapshotInterval: 9 });
        await killEach(async () => one, COMMANDS, deaths, [first, 4]);
        await one.finish(COMMANDS, `lane ${first}`);
      });
      expect(missing(deaths, ['lock', 'remove', ...USUAL])).toEqual([]);
    },
  );

  test.runIf(IS_EXHAUSTIVE)(
    'F-36 of a session that makes its reserve',
    { timeout: LIMIT_MS },
    async () => {
      const deaths = new Deaths();
      const large = generations('large', { segmentBytes: 256 * 1024 });
      for (let n = 0; n < 3; n++) await large.finish(2, 'before');
      await inParallel([1, 2], async (first) => {
        for (let point = first; ; point += 2) {
          const one = await large.copyTo(join(directory, `${point}`));
          const worker = one.start(1, { killAt: point, waitsForReserve: true });
          const signal = await worker.gone;
          const what = `point ${point}, ${worker.death}`;
          one.learn(worker, what);
          await one.check(what);
          await one.finish(1, what);
          if (signal === null) break;
          deaths.note(worker.death);
        }
      });
      expect([...deaths.places.keys()]).toContain('half write reserve.new');
      expect(missing(deaths, USUAL)).toEqual([]);
    },
  );
});

describe('F-13 SIGKILL while recovering', () => {
  interface End {
    readonly what: string;
    readonly durability: Durability;
    /** Where the last process died. */
    readonly place: string;
    /** Points left out between two, where not all are tried. */
    readonly stride: number;
  }
  const torn: End = {
    what: 'a torn frame',
    durability: 'always',
    place: 'half write N.wal',
    stride: 3,
  };
  const ends: readonly End[] = [
    torn,
    {
      what: 'whole frames nothing attests',
      durability: 'os',
      place: 'after write N.wal',
      stride: 5,
    },
    {
      what: 'an unfinished segment',
      durability: 'always',
      place: 'half write N.wal.new',
      stride: 9,
    },
    { what: 'a torn manifest', durability: 'always', place: 'half write manifest', stride: 9 },
  ];

  /** A store whose last process died there, in the middle of its work. */
  async function deadStore({ durability, place }: End): Promise<Generations> {
    const one = generations('dead', { durability });
    await one.finish(COMMANDS, 'before');
    const worker = one.start(100, { killOn: { place, afterCommands: 40 } });
    await worker.gone;
    one.learn(worker, 'before');
    expect(worker.death).toBe(place);
    return one;
  }

  test.each(ends)(
    'F-14 F-15 $what: at every call of the opening, and of the openings after that',
    { timeout: LIMIT_MS },
    async (end) => {
      const deaths = new Deaths();
      const dead = await deadStore(end);
      const depth = IS_EXHAUSTIVE ? 4 : 2;
      const stride = IS_EXHAUSTIVE ? 1 : end.stride;
      await inParallel([1, 1 + stride], async (first) => {
        const random = seededRandom(first);
        for (let point = first, isThrough = false; !isThrough; point += 2 * stride) {
          const one = await dead.copyTo(join(directory, `${point}`));
          // Then a call the dead one came to, or one a little behind it.
          for (let level = 0, killAt = point; level < depth && !isThrough; level++) {
            const worker = one.start(0, { killAt });
            const signal = await worker.gone;
            const what = `point ${point}, level ${level}, ${killAt}: ${worker.death}`;
            one.learn(worker, what);
            if (signal !== null) deaths.note(worker.death);
            else if (level === 0) isThrough = true;
            else break;
            killAt = 1 + Math.floor(random.next() * (point + 3));
          }
          await one.check(`point ${point}`);
          if (IS_EXHAUSTIVE) await one.finish(1, `point ${point}, going on`);
          await rm(one.location, { recursive: true });
        }
      });
      expect(missing(deaths, IS_EXHAUSTIVE ? ['lock', 'unlock', ...USUAL] : [])).toEqual([]);
    },
  );

  test(
    'F-0d many deaths of one opening, one on top of the other: it comes to its end, and files do not pile up',
    { timeout: LIMIT_MS },
    async () => {
      const deaths = new Deaths();
      const one = await deadStore(torn);
      await killEach(async () => one, 0, deaths, [1, IS_EXHAUSTIVE ? 1 : 3]);
      await one.finish(1, 'after all of them');
      expect(deaths.total).toBeGreaterThan(10);
    },
  );
});

describe('SIGKILL from outside', () => {
  test.each<Durability>(['always', 'os'])(
    'F-1 F-15 at any moment, and the next process goes on, level %j',
    { timeout: LIMIT_MS },
    async (durability) => {
      const random = seededRandom(7);
      const one = generations('store', { durability });
      const rounds = 6 * (IS_EXHAUSTIVE ? 25 : ROUNDS);
      for (let n = 0; n < rounds; n++) {
        const worker = one.start(1_000_000);
        const enough = worker.ackedTotal + Math.floor(random.next() * 400);
        // Some while they open: what is asked for then is the first word, or none.
        if (n % 4 === 3) await worker.until((its) => its.found !== undefined);
        else await worker.until((its) => its.isPrepared && its.ackedTotal >= enough);
        await worker.kill();
        one.learn(worker, `process ${n}`);
        // Mostly the next worker is the one that looks.
        if (n % 4 === 0) await one.check(`process ${n}`);
      }
      await one.check('at the end');
      expect(Math.min(...one.known)).toBeGreaterThan(50);
    },
  );

  test('F-17 WAL-5 a process that closes leaves nothing to drop', async () => {
    const one = generations('store');
    await one.finish(30, 'the only process');
    expect(Math.min(...one.known)).toBe(30);
    expect(NOTHING.length).toBe(one.known.length);
    const store = await openStore(one.location, { strict: true });
    expect(store.recovery.bytesTruncated).toBe(0);
    await store.close();
  });
});
