/**
 * The whole store on a disk that forgets what was not synced: killed before any call, cut off from
 * power with any part of the unsynced effects kept, several times in a row. What was acknowledged
 * is there, of what was under way whole commands are, and nothing else is.
 */
import { describe, expect, test } from 'vitest';
import { openStore, type Durability, type Store } from 'pawl';
import { seededRandom } from '../../src/base/random.ts';
import { type Effect, SimDisk, type Survival } from 'pawl/testing';
import { tear } from '../unit/wal/sim-fixture.ts';
import { CALLERS, findProgress, perform, prepare, PREPARED, type Told, work } from './workload.ts';

const SEEDS = Number(process.env['PAWL_CRASH_ROUNDS'] ?? '1');

/** What callers were told, with the length of the disk's journal when they were told. */
class Ledger {
  readonly acks: { caller: number; serial: number; at: number }[] = [];
  readonly sends: { caller: number; serial: number; at: number }[] = [];
  preparedAt = Infinity;
  private readonly from: readonly number[];

  constructor(from: readonly number[]) {
    this.from = from;
  }

  told(disk: SimDisk): Told {
    return {
      sent: (caller, serial) => void this.sends.push({ caller, serial, at: disk.journal.length }),
      done: (caller, serial) => void this.acks.push({ caller, serial, at: disk.journal.length }),
    };
  }

  /** Commands acknowledged, and sent, before entry number `at` was made. */
  counts(at: number): { acked: number[]; sent: number[] } {
    const count = (list: readonly { caller: number; serial: number; at: number }[]): number[] =>
      this.from.map((from, caller) =>
        list.reduce(
          (most, one) =>
            one.caller === caller && one.at <= at ? Math.max(most, one.serial + 1) : most,
          from,
        ),
      );
    return { acked: count(this.acks), sent: count(this.sends) };
  }
}

const NOTHING: readonly number[] = Array.from({ length: CALLERS }, () => 0);

function open(disk: SimDisk, durability: Durability): Promise<Store> {
  return openStore('/db', { fileIo: disk.fileIo, durability, segmentBytes: 4096 });
}

async function run(
  disk: SimDisk,
  durability: Durability,
  from: readonly number[],
  commands: number,
): Promise<Ledger> {
  const ledger = new Ledger(from);
  const store = await open(disk, durability);
  await prepare(store);
  ledger.preparedAt = disk.journal.length;
  const told = ledger.told(disk);
  await Promise.all(
    from.map((first, caller) => work(store, caller, first, first + commands, told)),
  );
  await store.close();
  return ledger;
}

/** Opens what a crash left, checks it, lets every caller repeat what it does not know about, and goes on. */
async function checkCrash(
  disk: SimDisk,
  acked: readonly number[],
  sent: readonly number[],
  isPrepared: boolean,
): Promise<number[]> {
  const store = await open(disk, 'always');
  if (!isPrepared) {
    expect(store.offset).toBeLessThanOrEqual(PREPARED);
    await prepare(store);
  }
  const found = findProgress(store, acked, sent);
  for (const [caller, count] of found.entries()) {
    const serial = acked[caller] as number;
    const { applied } = await perform(store, caller, serial);
    expect([caller, serial, applied]).toEqual([caller, serial, count === serial]);
  }
  const repeated = acked.map((count, caller) => Math.max(count + 1, found[caller] as number));
  expect(findProgress(store, repeated, repeated)).toEqual(repeated);
  await store.close();
  return repeated;
}

describe('a power cut', () => {
  test.each([
    [true, 'synced writes'],
    [false, 'writes and syncs'],
  ])('F-1 F-2 F-3 F-8 after any call, any unsynced effects kept (%s: %s)', async (isSynced) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = seededRandom(seed);
      const disk = SimDisk.of(new Map(), ['/', '/db'], { hasSyncedWrites: isSynced });
      const ledger = await run(disk, 'always', NOTHING, 6);
      for (let at = 0; at <= disk.journal.length; at++) {
        const { acked, sent } = ledger.counts(at);
        const chance = random.next();
        const keep = (_: number, effect: Effect): boolean | Survival =>
          chance < 0.2 ||
          (random.next() < chance ? true : random.next() < 0.3 ? tear(effect) : false);
        const crashed = disk.crash(at, chance > 0.9 ? () => false : keep);
        await checkCrash(crashed, acked, sent, at >= ledger.preparedAt).catch((cause: unknown) => {
          throw new Error(`seed ${seed}, cut after ${at} of ${disk.journal.length}`, { cause });
        });
      }
    }
  });

  test('F-13 F-14 F-15 several in a row on one store, opening included', async () => {
    for (let seed = 1; seed <= 4 * SEEDS; seed++) {
      const random = seededRandom(seed);
      let disk = SimDisk.of(new Map(), ['/', '/db'], { hasSyncedWrites: seed % 2 === 0 });
      let progress = NOTHING;
      for (let generation = 0; generation < 8; generation++) {
        const start = disk.journal.length;
        const ledger = await run(disk, 'always', progress, 3);
        const at = start + Math.floor(random.next() * (disk.journal.length - start + 1));
        const { acked, sent } = ledger.counts(at);
        const isPrepared = generation > 0 || at >= ledger.preparedAt;
        const crashed = disk.crash(at, () => random.next() < 0.5);
        // A second cut while the next process opens, and once more.
        let again = crashed;
        for (let n = 0; n < 3; n++) {
          again.dieAt = again.journal.length + Math.floor(random.next() * 12);
          void open(again, 'always').catch(() => undefined);
          await turns();
          again = again.crash(again.journal.length, () => random.next() < 0.5);
        }
        progress = await checkCrash(again, acked, sent, isPrepared).catch((cause: unknown) => {
          throw new Error(`seed ${seed}, generation ${generation}, cut at ${at}`, { cause });
        });
        disk = again;
        disk.nextProcess();
      }
    }
  });

  test.each<Durability>(['os', { everyMs: 1 }, { everyRecords: 3 }])(
    'F-17 WAL-2 right after a clean close nothing is lost, level %j',
    async (durability) => {
      for (const isSynced of [true, false]) {
        const disk = SimDisk.of(new Map(), ['/', '/db'], { hasSyncedWrites: isSynced });
        const ledger = await run(disk, durability, NOTHING, 6);
        const end = disk.journal.length;
        const { acked } = ledger.counts(end);
        expect(acked).toEqual(NOTHING.map(() => 6));
        const store = await openStore('/db', { fileIo: disk.crash(end, () => false).fileIo });
        expect(findProgress(store, acked, acked)).toEqual(acked);
        expect(store.recovery.bytesTruncated).toBe(0);
      }
    },
  );

  test.each<Durability>(['os', { everyRecords: 3 }])(
    'F-0a below always, what survives is whole commands, those flushed among them, level %j',
    async (durability) => {
      const disk = SimDisk.of();
      const store = await open(disk, durability);
      await prepare(store);
      const told = new Ledger(NOTHING).told(disk);
      const flushed: number[] = [0];
      for (let round = 1; round <= 4; round++) {
        for (let caller = 0; caller < CALLERS; caller++)
          await work(store, caller, round * 2 - 2, round * 2, told);
        await store.flush();
        flushed[round] = disk.journal.length;
      }
      const isPrepared = flushed[1] as number;
      for (let at = isPrepared; at < disk.journal.length; at++) {
        const round = flushed.findLastIndex((length) => length <= at);
        const found = await openStore('/db', { fileIo: disk.crash(at, () => at % 3 > 0).fileIo });
        const least = NOTHING.map(() => round * 2);
        const most = least.map((count) => count + 2);
        expect(findProgress(found, least, most)).toHaveLength(CALLERS);
      }
      await store.close();
    },
  );
});

async function turns(): Promise<void> {
  for (let i = 0; i < 40; i++) await new Promise((resolve) => setImmediate(resolve));
}
