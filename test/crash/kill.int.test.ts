/**
 * Real processes on a real disk, killed with SIGKILL: at random moments, and before, in the middle
 * of and after the n-th call that changes the disk, opening included; then the next one goes on
 * where the dead one was. PAWL_CRASH_ROUNDS makes it as long as one likes.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Durability, openStore } from 'pawl';
import { seededRandom } from '../../src/base/random.ts';
import { Generations } from './generations.ts';
import { compileWorker } from './worker-process.ts';
import { CALLERS, findProgress } from './workload.ts';

const ROUNDS = Number(process.env['PAWL_CRASH_ROUNDS'] ?? '1');
const HOW = ['before', 'half', 'after'] as const;
/** Ends what hangs; a busy machine is no failure. */
const LIMIT_MS = 120_000 * ROUNDS;
const NOTHING: readonly number[] = Array.from({ length: CALLERS }, () => 0);

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

describe('SIGKILL', () => {
  test(
    'F-1 F-6 F-13 at each of the first calls on a new directory',
    { timeout: LIMIT_MS },
    async () => {
      const plans = Array.from({ length: 18 * ROUNDS }, (_, i) => ({
        call: 1 + Math.floor(i / ROUNDS),
        how: HOW[i % HOW.length]!,
      }));
      await inParallel(plans, async (kill, i) => {
        const generations = new Generations(compiled.program, join(directory, `${i}`));
        const worker = generations.start(kill, 2);
        expect(await worker.gone).toBe('SIGKILL');
        await generations.check(worker, `${kill.how} call ${kill.call}`);
        // What a dead attempt left behind is no obstacle and does not pile up.
        const names = await readdir(join(directory, `${i}`));
        expect(names.length).toBeLessThanOrEqual(4);
      });
    },
  );

  test(
    'F-1 F-8 F-13 F-14 at any call, and the next process goes on',
    { timeout: LIMIT_MS },
    async () => {
      await inParallel(
        Array.from({ length: 2 * ROUNDS }, (_, i) => i),
        async (seed) => {
          const random = seededRandom(100 + seed);
          const generations = new Generations(compiled.program, join(directory, `${seed}`));
          for (let n = 0; n < 16; n++) {
            const isOpening = random.next() < 0.4;
            const call = 1 + Math.floor(random.next() * (isOpening ? 14 : 90));
            const how = HOW[Math.floor(random.next() * 3)]!;
            const worker = generations.start({ call, how }, 40);
            const signal = await worker.gone;
            const what = `seed ${seed}, process ${n}, ${how} call ${call}, ended by ${signal}`;
            expect([what, worker.failure]).toEqual([what, undefined]);
            await generations.check(worker, what);
          }
          expect(Math.min(...generations.known)).toBeGreaterThan(10);
        },
      );
    },
  );

  test.each<Durability>(['always', 'os'])(
    'F-1 F-15 at any moment, and the next process goes on, level %j',
    { timeout: LIMIT_MS },
    async (durability) => {
      const random = seededRandom(7);
      const generations = new Generations(compiled.program, directory, durability);
      for (let n = 0; n < 6 * ROUNDS; n++) {
        const worker = generations.start(undefined, 1_000_000);
        const enough = worker.ackedTotal + Math.floor(random.next() * 400);
        await worker.until((one) => one.isPrepared && one.ackedTotal >= enough);
        await worker.kill();
        await generations.check(worker, `process ${n}`);
      }
      expect(Math.min(...generations.known)).toBeGreaterThan(50);
    },
  );

  test('F-17 WAL-5 a process that closes leaves nothing to drop', async () => {
    const generations = new Generations(compiled.program, directory);
    const worker = generations.start(undefined, 30);
    expect(await worker.gone).toBe(null);
    expect([worker.isClosed, worker.acked]).toEqual([true, NOTHING.map(() => 30)]);
    const store = await openStore(directory, { strict: true });
    expect(store.recovery.bytesTruncated).toBe(0);
    expect(findProgress(store, worker.acked, worker.acked)).toEqual(worker.acked);
    await store.close();
  });
});

/** Two at a time, as many as there are processors to expect. */
async function inParallel<T>(
  items: readonly T[],
  run: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = [...items.entries()];
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      await run(next[1], next[0]);
  };
  await Promise.all([lane(), lane()]);
}
