/**
 * The log under simulated crashes, a small campaign of the one `npm run crash` does at length, and
 * what such campaigns found. A violation is printed with the token that has it again.
 */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { isStoreError } from '../../src/base/errors.ts';
import { SimDisk } from '../../src/testing/sim-disk.ts';
import { DiskImage } from '../../src/testing/sim-image.ts';
import type { Durability } from '../../wal/ordered-log.ts';
import { DigestSet } from './digest-set.ts';
import { replayLog, runLogCampaign } from './log-campaign.ts';
import { History } from './log-content.ts';
import { LogDriver } from './log-driver.ts';
import { readImage } from './log-recovery.ts';
import { quickThread, STILL_CLOCK } from './quick-thread.ts';

const STATES = 80_000;

describe('the log, crashed at every point of random lives', () => {
  it(
    'F-1 F-2 F-3 F-4 F-5 F-6 F-8 F-9 F-13 F-14 F-15 F-17 F-32 F-100 loses nothing acknowledged and gives whole commits, in order',
    { timeout: 600_000 },
    async () => {
      const result = await runLogCampaign({ seed: 20_000, states: STATES, openEvery: 50 });
      expect(result.violations).toEqual([]);
      expect(result.distinct).toBeGreaterThanOrEqual(STATES);
      expect(result.faults).toBeGreaterThan(20);
    },
  );

  it(
    'the same seed gives the same states, and a token one of them',
    { timeout: 120_000 },
    async () => {
      const [one, other] = [
        await runLogCampaign({ seed: 5, runs: 2 }),
        await runLogCampaign({ seed: 5, runs: 2 }),
      ];
      expect({ ...other, durationMs: 0 }).toEqual({ ...one, durationMs: 0 });
      expect(await replayLog('log/1/1/20/kill')).toBeUndefined();
      await expect(replayLog('log/1/1/20/cut:x')).rejects.toMatchObject({ code: 'BAD_REQUEST' });
      await expect(replayLog('log/1/1/999999/kill')).rejects.toMatchObject({ code: 'BAD_REQUEST' });
      await expect(replayLog('log/1/9/1/kill')).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    },
  );

  it(
    'no two runs have a state in common: what jobs count may be summed up',
    { timeout: 120_000 },
    async () => {
      const together = await runLogCampaign({ seed: 60, runs: 6, openEvery: 0 });
      let apart = 0;
      for (let seed = 60; seed < 66; seed++)
        apart += (await runLogCampaign({ seed, runs: 1, openEvery: 0 })).distinct;
      expect(apart).toBe(together.distinct);
    },
  );
});

describe('a set of digests', () => {
  it('holds each once, through growth', () => {
    const random = seededRandom(3);
    const values = Array.from({ length: 5000 }, () => Math.floor(random.next() * 2 ** 53));
    const set = new DigestSet(4);
    for (const value of [...values, ...values, 0, 0]) set.add(value);
    expect(set.size).toBe(new Set(values).size + 1);
  });
});

/** A log on a disk of its own, driven by hand. */
class Hand {
  disk: SimDisk;
  private history = new History(1, { least: 900, most: 1000 });
  private life = 0;
  constructor(disk: SimDisk = new SimDisk(new DiskImage(['/', '/db']))) {
    this.disk = disk;
  }

  async open(durability: Durability = 'always'): Promise<LogDriver> {
    const driver = await LogDriver.open({
      fileIo: this.disk.fileIo,
      clock: STILL_CLOCK,
      thread: quickThread(),
      random: seededRandom(9),
      durability,
      segmentBytes: 4096,
      history: this.history,
      life: ++this.life,
      tell: () => undefined,
    });
    this.history = driver.history;
    return driver;
  }

  /** The process dies; what it wrote is in the cache. */
  kill(): void {
    this.disk = this.disk.kill(this.disk.journal.length);
  }

  async found(strict: boolean = false): Promise<number> {
    return (await readImage(this.disk.image, this.history, strict)).last;
  }
}

describe('found by simulation', () => {
  /**
   * log/55/2/9: the first write to a segment was torn, so that its link was lost. The next process
   * prepared its segment in the place of that void one, was closed without a commit, and took the
   * file away; the manifest went on asking for it, and the store could not be opened any more.
   */
  it('a store that is opened after a torn first write, and closed, opens again', async () => {
    const hand = new Hand();
    const first = await hand.open();
    await first.commit(2);
    const { journal } = hand.disk;
    const write = journal.findLastIndex((entry) => entry.kind === 'write');
    const secondSector = { sectorBytes: 512, sectors: 2 };
    hand.disk = hand.disk.crash(write + 1, (index) => (index === write ? secondSector : true));
    await (await hand.open()).close();
    const again = await hand.open();
    expect(again.acceptedOffset).toBe(0);
    await again.commit();
    await again.close();
    expect(await hand.found(true)).toBe(1);
  });

  /**
   * log/1/1/60: a dead process left an unfinished segment. The next one wrote doubtful records
   * again, and removed that file at the moment it prepared another one under the same name: on a
   * healthy disk commits were refused with ENOENT.
   */
  it('files left unfinished are not removed under the process that makes them anew', async () => {
    const hand = new Hand();
    const first = await hand.open('os');
    await first.commit();
    hand.kill();
    const files = hand.disk.files();
    for (const number of [2, 3, 4]) files.set(`/db/0000000${number}.wal.new`, new Uint8Array(4096));
    hand.disk = SimDisk.of(files);
    const second = await hand.open();
    for (let i = 0; i < 6; i++) await second.commit();
    await second.close();
    expect(await hand.found(true)).toBe(7);
  });

  /**
   * log/9/1/132: the oldest segment kept held nothing that a frame attested. The next process wrote
   * its records again into a segment that continues what the oldest one continued, and the opening
   * after that missed the oldest segment.
   */
  it('the oldest segment kept may be one that is written again', async () => {
    const hand = new Hand();
    const first = await hand.open();
    while (first.writer.stats().segments < 2) await first.commit();
    const { acceptedOffset } = first;
    await first.truncateBefore(acceptedOffset);
    hand.kill();
    for (let i = 0; i < 3; i++) {
      const next = await hand.open();
      expect(next.acceptedOffset).toBe(acceptedOffset + i);
      await next.commit();
      if (i === 1) hand.kill();
      else await next.close();
    }
    expect(await hand.found(true)).toBe(acceptedOffset + 3);
  });

  /** log/17/4/18: below 'always' nothing may be synced before close(), and void segments stayed. */
  it('a clean close leaves no void segments at any level', async () => {
    const hand = new Hand();
    await (await hand.open('os')).commit();
    hand.kill();
    // Its record is written again in segment 2; the power fails before segment 1 is removed.
    await hand.open();
    const { journal } = hand.disk;
    const removal = journal.findIndex((entry) => entry.kind === 'remove');
    hand.disk = hand.disk.crash(removal < 0 ? journal.length : removal, () => true);
    const third = await hand.open('os');
    await third.commit();
    await third.close();
    expect(await hand.found(true)).toBe(2);
  });

  it('what a failed sync gave up stays given up: the log stops instead of syncing again', async () => {
    const hand = new Hand();
    const driver = await hand.open('os');
    await driver.commit();
    hand.disk.fault = (call) =>
      call === 'sync' ? Object.assign(new Error('EIO'), { code: 'EIO' }) : undefined;
    const refused = await driver.commit(1, true).catch((error: unknown) => error);
    expect(isStoreError(refused, 'WAL_IO_ERROR')).toBe(true);
    hand.disk.fault = undefined;
    const syncs = hand.disk.journal.filter((entry) => entry.kind === 'sync').length;
    await driver.close();
    expect(hand.disk.journal.filter((entry) => entry.kind === 'sync')).toHaveLength(syncs);
  });
});
