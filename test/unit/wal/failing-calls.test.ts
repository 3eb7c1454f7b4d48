/** File calls that fail: what callers are told, what is on the disk afterwards, and what heals. */
import { describe, expect, it } from 'vitest';
import { isStoreError, type StoreError } from '../../../src/base/errors.ts';
import { Driver, ManualThread, type Opened, openDriver, scanDriver, turns } from './log-driver.ts';
import { type Call, SimDisk } from 'pawl/testing';
import { osError } from './sim-fixture.ts';

interface Told {
  acked: number;
  unknown: number;
  notDone: number;
}

/** Opens, commits alone and together over several segments, closes. Counts what each caller was told, in records. */
async function workload(disk: SimDisk, durability: 'always' | 'os'): Promise<Told> {
  const told: Told = { acked: 0, unknown: 0, notDone: 0 };
  let opened: Opened;
  try {
    opened = await openDriver(disk.fileIo, '/db', { durability });
  } catch (error) {
    expect(isStoreError(error)).toBe(true);
    return told;
  }
  const { driver, writer } = opened;
  driver.recordBytes = 400;
  const one = async (count: number): Promise<void> => {
    try {
      await driver.commit(count, true);
      told.acked += count;
    } catch (error) {
      const { outcome } = (error as StoreError).details as { outcome?: string };
      expect(['unknown', 'not-done']).toContain(outcome);
      if (outcome === 'unknown') told.unknown += count;
      else told.notDone += count;
    }
  };
  for (let i = 0; i < 5; i++) await one(1);
  await Promise.all([one(2), one(1), one(3)]);
  for (let i = 0; i < 8; i++) await one(1);
  await Promise.all(Array.from({ length: 6 }, () => one(1)));
  const closed = await writer.close().then(
    () => true,
    (error: unknown) => isStoreError(error),
  );
  expect(closed).toBe(true);
  return told;
}

async function check(disk: SimDisk, told: Told, what: string): Promise<void> {
  disk.fault = undefined;
  expect([what, disk.isLocked]).toEqual([what, false]);
  const { replayed, driver, writer } = await openDriver(disk.fileIo, '/db').catch(
    (error: unknown) => {
      throw new Error(`${what}: ${String(error)}`, { cause: error });
    },
  );
  if (replayed < told.acked)
    throw new Error(`${what}: ${told.acked} acknowledged, ${replayed} found`);
  if (replayed > told.acked + told.unknown)
    throw new Error(
      `${what}: ${replayed} found, ${told.acked} acknowledged, ${told.unknown} unknown`,
    );
  await driver.commit();
  await writer.close();
  expect([what, (await scanDriver(disk.fileIo, '/db', { strict: true })).records]).toEqual([
    what,
    replayed + 1,
  ]);
}

const CALLS: readonly Call[] = [
  'open',
  'create',
  'write',
  'sync',
  'truncate',
  'close',
  'lock',
  'rename',
  'remove',
  'syncdir',
  'read',
  'list',
  'stat',
];

/** A lock that cannot be given back stays until its owner dies. */
function isRelease(call: Call, path: string): boolean {
  return call === 'close' && path === '/db';
}

describe.each(['always', 'os'] as const)(
  'F-32 F-33 F-39 F-40 F-44 a failing call, level %s',
  (durability) => {
    it.each(CALLS)('the n-th %s fails, for every n, once and for good', async (call) => {
      for (const isPersistent of [false, true]) {
        for (let n = 1; ; n++) {
          const disk = SimDisk.of(new Map(), ['/', '/db'], { hasSyncedWrites: n % 2 === 0 });
          let count = 0;
          disk.fault = (name, path) =>
            name === call &&
            !isRelease(name, path) &&
            (++count === n || (isPersistent && count > n))
              ? osError('EIO')
              : undefined;
          const told = await workload(disk, durability);
          if (count < n) break;
          await check(disk, told, `${call} ${n}${isPersistent ? ' and later' : ''}`);
        }
      }
    });
  },
);

describe('poison', () => {
  it('F-33 the write under way is unknown, what waits is not-done, nothing is retried, close writes nothing', async () => {
    const disk = SimDisk.of();
    const { driver, writer } = await openDriver(disk.fileIo, '/db');
    await driver.commit();
    let failed = 0;
    disk.fault = (call, path) =>
      call === 'write' && path.includes('00000001') && failed++ === 0 ? osError('EIO') : undefined;
    const first = driver.commit();
    await Promise.resolve();
    const rest: Promise<number>[] = [];
    const second = new Promise<void>((resolve) => {
      disk.fault = (call, path) => {
        if (call !== 'write' || !path.includes('00000001') || failed++ > 0) return undefined;
        // Arrives while the write is under way.
        rest.push(driver.commit(2));
        resolve();
        return osError('EIO');
      };
    });
    await second;
    const [one, two] = await Promise.allSettled([first, rest[0]]);
    expect(one).toMatchObject({
      status: 'rejected',
      reason: {
        code: 'WAL_IO_ERROR',
        retryable: false,
        details: { outcome: 'unknown', errno: 'EIO' },
      },
    });
    expect(two).toMatchObject({
      status: 'rejected',
      reason: { code: 'WAL_IO_ERROR', retryable: true, details: { outcome: 'not-done' } },
    });
    expect(() => writer.admit()).toThrowError(
      expect.objectContaining({ code: 'WAL_IO_ERROR' }) as Error,
    );
    await expect(writer.flush()).rejects.toMatchObject({ code: 'WAL_IO_ERROR' });
    const entries = disk.journal.length;
    await writer.close();
    expect(disk.journal.length).toBe(entries);
    expect(disk.isLocked).toBe(false);
    expect((await openDriver(disk.fileIo, '/db')).replayed).toBe(1);
  });
});

describe('no room for the next segment', () => {
  const fullDisk = (disk: SimDisk): void => {
    disk.fault = (call, path) =>
      call === 'write' && path.endsWith('.new') ? osError('ENOSPC') : undefined;
  };

  it('F-36 commands are refused untouched, and taken again by themselves when there is room', async () => {
    const disk = SimDisk.of();
    const thread = new ManualThread();
    const { driver, writer } = await openDriver(disk.fileIo, '/db', { thread });
    driver.recordBytes = 600;
    await driver.commit();
    await turns();
    fullDisk(disk);
    let done = 1;
    let refused: unknown;
    for (let i = 0; i < 40; i++) {
      const [result] = await Promise.allSettled([driver.commit()]);
      if (result.status === 'fulfilled') done++;
      else refused ??= result.reason;
      await turns(3);
    }
    expect(refused).toMatchObject({
      code: 'WAL_IO_ERROR',
      retryable: true,
      details: { outcome: 'not-done', errno: 'ENOSPC' },
    });
    // Current and ready segment were used up first.
    expect(done).toBeGreaterThan(8);
    expect(writer.poison).toBeUndefined();
    thread.fire();
    await turns();
    await expect(driver.commit()).rejects.toMatchObject({ details: { errno: 'ENOSPC' } });
    disk.fault = undefined;
    thread.fire();
    await turns();
    expect(await driver.commit()).toBe(done + 1);
    await writer.close();
    expect((await scanDriver(disk.fileIo, '/db', { strict: true })).records).toBe(done + 1);
  });

  it('F-36 commits taken in before it was known are given back, their offsets used again', async () => {
    const disk = SimDisk.of();
    const { driver, writer } = await openDriver(disk.fileIo, '/db');
    driver.recordBytes = 600;
    fullDisk(disk);
    const results = await Promise.allSettled(Array.from({ length: 30 }, () => driver.commit()));
    const done = results.filter((result) => result.status === 'fulfilled').length;
    expect(done).toBeGreaterThan(3);
    expect(done).toBeLessThan(30);
    expect(driver.refusals).toBeGreaterThan(0);
    expect(writer.nextOffset).toBe(done + 1);
    await writer.close();
    expect((await scanDriver(disk.fileIo, '/db', { strict: true })).records).toBe(done);
  });

  it('F-36 a sink that cannot take them back lets them wait; close ends the wait', async () => {
    const disk = SimDisk.of();
    const thread = new ManualThread();
    const driver = new Driver();
    (driver as { refused?: unknown }).refused = undefined;
    const opened = await openDriver(disk.fileIo, '/db', { thread, sink: driver });
    driver.writer = opened.writer;
    driver.recordBytes = 600;
    fullDisk(disk);
    const results = Array.from({ length: 12 }, () => driver.commit());
    const settled = Promise.allSettled(results);
    await turns();
    await opened.writer.close();
    const failed = (await settled).filter((result) => result.status === 'rejected');
    expect(failed.length).toBeGreaterThan(0);
    for (const result of failed)
      expect(result.reason).toMatchObject({ details: { outcome: 'not-done', errno: 'ENOSPC' } });
    expect((await scanDriver(disk.fileIo, '/db', { strict: true })).records).toBe(
      12 - failed.length,
    );
  });

  it('F-36 F-38 a log on a full disk opens for reading and refuses commands until there is room', async () => {
    const disk = SimDisk.of();
    const first = await openDriver(disk.fileIo, '/db');
    await first.driver.commit();
    await first.writer.close();
    fullDisk(disk);
    const thread = new ManualThread();
    const { driver, replayed, writer } = await openDriver(disk.fileIo, '/db', { thread });
    expect(replayed).toBe(1);
    await expect(driver.commit()).rejects.toMatchObject({
      code: 'WAL_IO_ERROR',
      details: { outcome: 'not-done', errno: 'ENOSPC' },
    });
    disk.fault = undefined;
    thread.fire();
    await turns();
    expect(await driver.commit()).toBe(2);
    await writer.close();
  });

  it('a commit larger than every segment gets one of its size', async () => {
    const disk = SimDisk.of();
    const { driver, writer } = await openDriver(disk.fileIo, '/db');
    driver.recordBytes = 50_000;
    await driver.commit();
    driver.recordBytes = 30;
    await Promise.all([driver.commit(), driver.commit()]);
    driver.recordBytes = 9000;
    await driver.commit(3);
    await writer.close();
    const { records, report } = await scanDriver(disk.fileIo, '/db', { strict: true });
    expect(records).toBe(6);
    expect(report?.chain.voids).toEqual([]);
  });
});

describe('opening what cannot be opened', () => {
  it('F-51 STORE_LOCKED with the process that has it', async () => {
    const disk = SimDisk.of();
    const { driver } = await openDriver(disk.fileIo, '/db');
    await expect(openDriver(disk.fileIo, '/db')).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      details: { pid: 4242 },
    });
    await driver.commit();
  });

  it('F-37 a read-only place: coded, and no partial store', async () => {
    for (const call of ['create', 'mkdir', 'rename', 'syncdir'] as const) {
      const disk = SimDisk.of(new Map(), ['/']);
      disk.fault = (name, path) =>
        name === call && path.includes('/db') ? osError('EROFS') : undefined;
      await expect(openDriver(disk.fileIo, '/db')).rejects.toMatchObject({
        code: 'WAL_IO_ERROR',
        details: { outcome: 'not-done', errno: 'EROFS' },
      });
      expect([...disk.files().keys()].filter((path) => !path.endsWith('lock'))).toEqual([]);
      expect(disk.isLocked).toBe(false);
    }
  });

  it('a path that is a file, and options that make no sense, are BAD_REQUEST', async () => {
    const disk = SimDisk.of(new Map([['/db/file', new Uint8Array(3)]]));
    await expect(openDriver(disk.fileIo, '/db/file')).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    });
    await expect(openDriver(disk.fileIo, '/db/file/deeper')).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    });
    for (const options of [
      { segmentBytes: 4095 },
      { segmentBytes: 2 ** 31 },
      { maxPending: 0 },
      { durability: 'sometimes' as never },
      { durability: { everyMs: 0 } },
    ]) {
      await expect(openDriver(disk.fileIo, '/db', options)).rejects.toMatchObject({
        code: 'BAD_REQUEST',
      });
    }
    expect(disk.files().size).toBe(1);
  });
});

describe('limits', () => {
  it('F-53 a directory replaced under a writer is noticed while writing', async () => {
    const disk = SimDisk.of();
    const thread = new ManualThread();
    const { driver, writer } = await openDriver(disk.fileIo, '/db', { thread });
    await driver.commit();
    disk.isHeld = false;
    await driver.commit();
    thread.fire();
    await turns();
    await expect(driver.commit()).rejects.toMatchObject({
      code: 'WAL_IO_ERROR',
      details: { outcome: 'not-done' },
    });
    await writer.close();
  });

  it('F-41 beyond maxPending commands are RATE_LIMITED, and nothing is lost', async () => {
    const disk = SimDisk.of();
    const { driver, writer } = await openDriver(disk.fileIo, '/db', { maxPending: 10 });
    const results = await Promise.allSettled(Array.from({ length: 25 }, () => driver.commit()));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    for (const result of refused)
      expect(result.reason).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect(writer.acceptedOffset).toBe(25 - refused.length);
    await writer.close();
  });

  it('after close everything is STORE_CLOSED, and closing again is the same', async () => {
    const disk = SimDisk.of();
    const { driver, writer } = await openDriver(disk.fileIo, '/db');
    const last = driver.commit();
    const closed = writer.close();
    await expect(driver.commit()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    expect(await last).toBe(1);
    expect(writer.close()).toBe(closed);
    await closed;
    await expect(writer.flush()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('WAL-8 statistics are what happened', async () => {
    const disk = SimDisk.of();
    const { driver, writer } = await openDriver(disk.fileIo, '/db');
    for (let i = 0; i < 30; i++) await driver.commit(2);
    await turns();
    const stats = writer.stats();
    expect(stats).toMatchObject({
      records: 60,
      recordsWritten: 60,
      commitsWritten: 30,
      framesWritten: 30,
      syncs: 30,
      pendingCommits: 0,
      nextOffset: 61,
    });
    const written = disk.journal.reduce(
      (sum, entry) =>
        sum +
        (entry.kind === 'write' && entry.at >= 64 && entry.bytes.length < 4096
          ? entry.bytes.length
          : 0),
      0,
    );
    expect(stats['bytesWritten']).toBe(written);
    const sizes = [...disk.files().values()].reduce((sum, bytes) => sum + bytes.length, 0);
    expect(stats['bytesOnDisk']).toBe(sizes);
    await writer.close();
  });
});
