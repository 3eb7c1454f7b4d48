/** What differs from one place to the next: writes that sync, who holds the lock, how full the disk is. */
import { describe, expect, it } from 'vitest';
import type { FileIo } from '../../../src/base/file-io.ts';
import { type Log, openLog, scan } from '../../../wal/index.ts';
import { openDriver, scanDriver, turns } from './log-driver.ts';
import { WatchedIo, content, failureOf, fill, ones, openSim } from './public-fixture.ts';
import { SimDisk } from 'pawl/testing';
import { changedIo, lastTold, osError } from './sim-fixture.ts';

const DB = '/db';

describe('a lone caller on a fast disk', () => {
  it.each([true, false])(
    'WAL-2 is served without leaving the thread, and what it was told survives a power cut; synced writes: %s',
    async (hasSyncedWrites) => {
      const disk = SimDisk.of(new Map(), ['/', DB], { hasSyncedWrites });
      const { driver, writer } = await openDriver(disk.fileIo, DB);
      driver.onAck = (offset) => disk.tell(offset);
      for (let i = 0; i < 120; i++) await driver.commit();
      expect(writer.stats()['blockingWrites']).toBeGreaterThan(20);
      for (const [i, entry] of disk.journal.entries()) {
        if (entry.kind !== 'told') continue;
        const told = lastTold(disk, i + 1);
        if (told < 90) continue;
        const cut = disk.crash(i + 1, () => false);
        expect((await scanDriver(cut.fileIo, DB)).records).toBeGreaterThanOrEqual(told);
      }
      await writer.close();
    },
  );

  it.each(['write', 'sync'] as const)(
    'F-32 F-33 a %s that fails in the thread is told like any other',
    async (call) => {
      const disk = SimDisk.of(new Map(), ['/', DB], { hasSyncedWrites: false });
      const { driver, writer } = await openDriver(disk.fileIo, DB);
      for (let i = 0; i < 80; i++) await driver.commit();
      const { blockingWrites } = writer.stats();
      expect(blockingWrites).toBeGreaterThan(0);
      disk.fault = (made) => (made === call ? osError('EIO') : undefined);
      await expect(driver.commit()).rejects.toMatchObject({
        code: 'WAL_IO_ERROR',
        details: { outcome: 'unknown', errno: 'EIO' },
      });
      disk.fault = undefined;
      await expect(driver.commit()).rejects.toMatchObject({ details: { outcome: 'not-done' } });
      await writer.close();
    },
  );
});

describe('a log that somebody has open', () => {
  it.each([
    [undefined, 'another process', {}],
    [process.pid, 'this process', { pid: process.pid }],
    [4711, 'process 4711', { pid: 4711 }],
  ])('F-51 F-52 is STORE_LOCKED, and says who it is: %s', async (heldBy, who, details) => {
    const disk = SimDisk.of();
    const io: FileIo = changedIo(disk.fileIo, { lockDirectory: async () => ({ heldBy }) });
    const error = await failureOf(openSim(io));
    expect(error).toMatchObject({ code: 'STORE_LOCKED', details });
    expect((error as { details: object }).details).toStrictEqual(details);
    expect((error as Error).message).toContain(`is open for writing by ${who}`);
  });
});

describe('durable appends below always', () => {
  it('WAL-2 each waits for the sync that covers it, not for one that began before it', async () => {
    const watched = new WatchedIo();
    const log = await openSim(watched.io, { durability: 'os' });
    watched.hold();
    const answered: number[] = [];
    const append = (offset: number): Promise<unknown> =>
      log.append(content(offset), { durable: true }).then((given) => answered.push(given));
    const first = append(1);
    await turns();
    // The sync of the first is on its way; these two are accepted behind it.
    const rest = [append(2), append(3)];
    await turns();
    expect([log.lastOffset, log.durableOffset, answered]).toEqual([3, 0, []]);
    const { disk } = watched;
    disk.fault = (call) => {
      if (call === 'sync') watched.hold();
      return undefined;
    };
    watched.letGo();
    await first;
    await turns();
    expect([log.durableOffset, answered]).toEqual([1, [1]]);
    disk.fault = undefined;
    watched.letGo();
    await Promise.all(rest);
    expect([log.durableOffset, answered]).toEqual([3, [1, 2, 3]]);
    await log.close();
  });
});

describe('appends to a full disk', () => {
  it('F-36 taken in before it was known are refused as not-done; their offsets are given again', async () => {
    const disk = SimDisk.of();
    const log: Log = await openSim(disk.fileIo);
    await fill(log, ones(1));
    await turns();
    disk.fault = (call, path) =>
      call === 'write' && path.endsWith('.new') ? osError('ENOSPC') : undefined;
    const record = new Uint8Array(600);
    const results = await Promise.allSettled(Array.from({ length: 30 }, () => log.append(record)));
    const done = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(done).toEqual(Array.from({ length: done.length }, (_, i) => i + 2));
    for (const result of results)
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({
          code: 'WAL_IO_ERROR',
          retryable: true,
          details: { outcome: 'not-done', errno: 'ENOSPC' },
        });
    expect([done.length > 2, done.length < 30, log.lastOffset]).toEqual([
      true,
      true,
      done.length + 1,
    ]);
    disk.fault = undefined;
    await log.close();
    expect((await scan(DB, { fileIo: disk.fileIo, strict: true })).lastOffset).toBe(
      done.length + 1,
    );
  });
});

describe('an option', () => {
  it('that is undefined is one that is not there, known or not', async () => {
    const disk = SimDisk.of();
    const log = await openLog(DB, { fileIo: disk.fileIo, shards: undefined } as object);
    await fill(log, [1]);
    await log.close();
    expect((await scan(DB, { fileIo: disk.fileIo, depth: undefined } as object)).records).toBe(1);
  });
});
