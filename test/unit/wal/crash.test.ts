/**
 * Power cuts and kills at every point of small histories: what a crash leaves must open, hold
 * everything acknowledged, hold nothing else but a prefix, and take new commits. The full
 * simulator walks larger ones; here every state of the interesting places is visited.
 */
import { describe, expect, it } from 'vitest';
import { ManualThread, type Opened, openDriver, scanDriver, turns } from './log-driver.ts';
import { SimDisk } from 'pawl/testing';
import { undecided } from '../../../src/testing/sim-disk.ts';
import { lastTold, tear } from './sim-fixture.ts';

type History = (
  open: (options?: Parameters<typeof openDriver>[2]) => Promise<Opened>,
  thread: ManualThread,
) => Promise<void>;

async function record(
  history: History,
  hasSyncedWrites: boolean,
  from?: SimDisk,
): Promise<SimDisk> {
  const disk = from ?? SimDisk.of(new Map(), ['/', '/parent'], { hasSyncedWrites });
  const thread = new ManualThread();
  await history(async (options = {}) => {
    const opened = await openDriver(disk.fileIo, '/parent/db', { thread, ...options });
    const { durability = 'always' } = options;
    if (durability === 'always') opened.driver.onAck = (offset) => disk.tell(offset);
    const { driver } = opened;
    if (durability !== 'always') driver.onSynced = (offset) => disk.tell(offset);
    return opened;
  }, thread);
  return disk;
}

/** Subsets of the undecided effects worth trying: all of them when there are few, else the ends and samples. */
function subsets(count: number, seed: number): number[] {
  const all = 2 ** count;
  if (count <= 4) return Array.from({ length: all }, (_, i) => i);
  const picked = new Set([0, all - 1]);
  for (let i = 0; i < count; i++) {
    picked.add(2 ** i);
    picked.add(all - 1 - 2 ** i);
  }
  let state = seed;
  for (let i = 0; i < 4; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    picked.add(state % all);
  }
  return [...picked];
}

/** Opens what a crash left; gives the records found. */
async function survive(disk: SimDisk, atLeast: number, what: string): Promise<number> {
  let opened: Opened;
  try {
    opened = await openDriver(disk.fileIo, '/parent/db');
  } catch (error) {
    throw new Error(`${what}: does not open: ${String(error)}`, { cause: error });
  }
  const { replayed, writer, driver } = opened;
  if (replayed < atLeast) throw new Error(`${what}: ${atLeast} acknowledged, ${replayed} found`);
  await driver.commit();
  await writer.close();
  const { records, report } = await scanDriver(disk.fileIo, '/parent/db', { strict: true });
  if (records !== replayed + 1)
    throw new Error(`${what}: ${records} after ${replayed} and one more`);
  const left = [...(report?.chain.voids ?? []), ...(report?.files.unfinished ?? [])];
  if (left.length > 0) throw new Error(`${what}: left behind: ${left.join(', ')}`);
  return replayed;
}

async function everyCrash(
  disk: SimDisk,
  each: (crashed: SimDisk, acked: number, what: string) => Promise<void>,
  step = 1,
  from = 0,
): Promise<number> {
  let states = 0;
  for (let length = from; length <= disk.journal.length; length += step) {
    const open = undecided(disk, length);
    // The system goes on with everything that was written.
    await each(
      disk.crash(length, () => true),
      lastTold(disk, length),
      `kill after ${length}`,
    );
    for (const subset of subsets(open.length, length + 1)) {
      const kept = new Set(open.filter((_, i) => Math.floor(subset / 2 ** i) % 2 === 1));
      await each(
        disk.crash(length, (i) => kept.has(i)),
        lastTold(disk, length),
        `cut after ${length}, kept ${[...kept].join(' ')}`,
      );
      states++;
    }
    const last = open.at(-1);
    if (last === undefined) continue;
    await each(
      disk.crash(length, (_, effect) => tear(effect)),
      lastTold(disk, length),
      `all torn at ${length}`,
    );
    await each(
      disk.crash(length, (i, effect) => (i === last ? tear(effect) : i < last)),
      lastTold(disk, length),
      `torn at ${length}`,
    );
    states++;
  }
  return states;
}

const HISTORIES: Record<string, History> = {
  'creation, commits, rotation, close': async (open) => {
    const { driver, writer } = await open();
    driver.recordBytes = 600;
    await driver.commit();
    await Promise.all([driver.commit(2), driver.commit()]);
    for (let i = 0; i < 8; i++) await driver.commit();
    await writer.close();
  },
  'a mark, a commit behind it, another mark': async (open, thread) => {
    const { driver, writer } = await open();
    await driver.commit();
    thread.fire();
    await turns();
    expect(writer.stats()['marksWritten']).toBe(1);
    await driver.commit(2);
    thread.fire();
    await turns();
    await writer.close();
  },
  'two sessions with a clean close between them': async (open) => {
    const first = await open();
    await first.driver.commit(3);
    await first.writer.close();
    const second = await open();
    await second.driver.commit();
    await second.driver.commit();
    await second.writer.close();
  },
  'a killed session and its successor': async (open) => {
    const first = await open();
    first.driver.recordBytes = 500;
    for (let i = 0; i < 3; i++) await first.driver.commit(2);
    // Killed: no close, the lock dies with it.
  },
  'level os with flushes and rotation': async (open) => {
    const { driver, writer } = await open({ durability: 'os' });
    driver.recordBytes = 700;
    for (let i = 0; i < 4; i++) await driver.commit();
    await writer.flush();
    for (let i = 0; i < 7; i++) await driver.commit();
    await driver.commit(1, true);
    await writer.close();
  },
};

describe.each([true, false])('crashes, synced writes: %s', (hasSyncedWrites) => {
  it.each(Object.entries(HISTORIES))(
    'F-1 F-2 F-3 F-4 F-6 F-8 F-9 F-17 %s',
    { timeout: 120_000 },
    async (_, history) => {
      const disk = await record(history, hasSyncedWrites);
      const states = await everyCrash(
        disk,
        async (crashed, acked, what) => void (await survive(crashed, acked, what)),
      );
      expect(states).toBeGreaterThan(30);
    },
  );
});

describe('a process that dies, its successor, and then a power cut', () => {
  /** Runs until it dies, or to its end. */
  async function untilDeath(history: History, disk: SimDisk): Promise<void> {
    const run = { isOver: false };
    const end = (): void => void (run.isOver = true);
    void record(history, true, disk).then(end, end);
    let still = 0;
    while (still < 5 && !run.isOver) {
      const before = disk.journal.length;
      await turns(2);
      still = disk.journal.length === before ? still + 1 : 0;
    }
  }

  const short: Record<string, History> = {
    ...HISTORIES,
    'recovery of a doubtful tail': async (open) => {
      const { driver } = await open({ durability: 'os' });
      driver.recordBytes = 500;
      for (let i = 0; i < 3; i++) await driver.commit(2);
    },
  };

  it.each(Object.entries(short))(
    'F-1 F-6 F-13 F-15 %s',
    { timeout: 120_000 },
    async (_, history) => {
      const whole = (await record(history, true)).journal.length;
      let states = 0;
      for (let death = 1; death <= whole; death += whole > 45 ? 2 : 1) {
        const disk = SimDisk.of(new Map(), ['/', '/parent']);
        disk.dieAt = death;
        await untilDeath(history, disk);
        disk.nextProcess();
        const from = disk.journal.length;
        const { driver, writer, replayed } = await openDriver(disk.fileIo, '/parent/db', {
          thread: new ManualThread(),
        });
        expect(replayed).toBeGreaterThanOrEqual(lastTold(disk, from));
        disk.tell(replayed);
        driver.onAck = (offset) => disk.tell(offset);
        await driver.commit(2);
        await writer.close();
        states += await everyCrash(
          disk,
          async (crashed, acked, what) =>
            void (await survive(crashed, acked, `death at ${death}, ${what}`)),
          2,
          from,
        );
      }
      expect(states).toBeGreaterThan(200);
    },
  );

  it('F-28 a manifest slot that only the cache has is made sure of before the other is written', async () => {
    const history = HISTORIES['two sessions with a clean close between them'] as History;
    const whole = (await record(history, true)).journal;
    const slotWrites = whole.flatMap((entry, i) =>
      entry.kind === 'write' && entry.bytes.length === 4096 && entry.file === 1 ? [i] : [],
    );
    expect(slotWrites.length).toBeGreaterThan(4);
    for (const at of slotWrites) {
      const disk = SimDisk.of(new Map(), ['/', '/parent']);
      disk.dieAt = at + 1;
      await untilDeath(history, disk);
      disk.nextProcess();
      const { driver, writer, replayed } = await openDriver(disk.fileIo, '/parent/db');
      await driver.commit();
      await writer.close();
      for (let length = at; length <= disk.journal.length; length++) {
        const crashed = disk.crash(length, (_, effect) => tear(effect));
        await survive(
          crashed,
          Math.min(replayed, lastTold(disk, length)),
          `slot at ${at}, cut ${length}`,
        );
      }
    }
  });
});

describe('crashes while recovering', () => {
  const NESTED = Object.keys(HISTORIES).filter((name) => !name.startsWith('creation'));
  it.each(NESTED)('F-13 F-14 F-15 nested: %s', { timeout: 120_000 }, async (name) => {
    const disk = await record(HISTORIES[name] as History, true);
    let nested = 0;
    await everyCrash(
      disk,
      async (crashed, acked, what) => {
        const opened = await openDriver(crashed.fileIo, '/parent/db').catch((error: unknown) => {
          throw new Error(`${what}: ${String(error)}`, { cause: error });
        });
        // What the opening showed counts as told from the moment it resolves.
        crashed.tell(opened.replayed);
        await everyCrash(
          crashed,
          async (again, ackedAgain, whatAgain) => {
            nested++;
            await survive(again, Math.max(acked, ackedAgain), `${what}, then ${whatAgain}`);
          },
          3,
        );
      },
      11,
    );
    expect(nested).toBeGreaterThan(100);
  });

  it('F-13 a recovery that dies again and again lets no files grow', async () => {
    const disk = await record(HISTORIES['a killed session and its successor'] as History, true);
    let crashed = disk.crash(disk.journal.length, () => true);
    const before = crashed.files().size;
    for (let i = 0; i < 12; i++) {
      await openDriver(crashed.fileIo, '/parent/db');
      // Dies behind the link of the segment it writes the doubts to.
      const writes = crashed.journal.flatMap((entry, at) =>
        entry.kind === 'write' && entry.bytes.length > 64 && entry.bytes.length < 4096 ? [at] : [],
      );
      const at = writes.at(-1) ?? crashed.journal.length - 1;
      crashed = crashed.crash(at + 1, (index, effect) => (index === at ? tear(effect) : true));
    }
    expect(crashed.files().size).toBeLessThanOrEqual(before + 2);
    const { replayed, writer, driver } = await openDriver(crashed.fileIo, '/parent/db');
    expect(replayed).toBe(6);
    await driver.commit();
    await turns();
    await writer.close();
    // Log, manifest: everything void is gone.
    expect(
      [...crashed.files().keys()].filter((path) => path.endsWith('.wal')).length,
    ).toBeLessThanOrEqual(2);
    expect([...crashed.files().keys()].filter((path) => path.endsWith('.new'))).toEqual([]);
  });
});
