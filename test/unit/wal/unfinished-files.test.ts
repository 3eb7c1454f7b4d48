/**
 * What creations that died, and file systems that lost content, leave: blank segments, a segment
 * without a manifest. Nothing was ever acknowledged in them, so they are void; but only while that
 * is certain.
 */
import { describe, expect, it } from 'vitest';
import { openLog, scan } from '../../../wal/index.ts';
import { verifyLog } from '../../../wal/verify.ts';
import { type Files, flip } from './damages.ts';
import { ManualThread, openDriver, scanDriver, turns } from './log-driver.ts';
import { type Call, SimDisk } from 'pawl/testing';
import { osError } from './sim-fixture.ts';

const DB = '/db';
const BLANK = new Uint8Array(4096);

async function closedLog(): Promise<Files> {
  const disk = SimDisk.of();
  const { driver, writer } = await openDriver(disk.fileIo, DB);
  for (let i = 0; i < 3; i++) await driver.commit();
  await writer.close();
  return disk.files();
}

describe('a file of zeros', () => {
  it('F-5 F-9 above the highest segment is void, and its number is used again', async () => {
    const disk = SimDisk.of(new Map(await closedLog()).set('/db/00000002.wal', BLANK));
    const { report, records } = await scanDriver(disk.fileIo, DB, { strict: true });
    expect([records, report?.chain.voids, report?.chain.blanks]).toEqual([3, [2], [2]]);
    const { driver, writer, replayed } = await openDriver(disk.fileIo, DB);
    expect(replayed).toBe(3);
    await driver.commit();
    await writer.close();
    expect((await scanDriver(disk.fileIo, DB, { strict: true })).records).toBe(4);
  });

  it('F-11 F-39 that is gone by itself before it is removed is no failure', async () => {
    const disk = SimDisk.of(new Map(await closedLog()).set('/db/00000002.wal', BLANK));
    let isGone = false;
    disk.fault = (call, path) => {
      if (call === 'stat' && path === '/db/00000002.wal') isGone ||= disk.image.names.delete(path);
      return undefined;
    };
    const { driver, writer } = await openDriver(disk.fileIo, DB);
    expect([isGone, await driver.commit()]).toEqual([true, 4]);
    await writer.close();
  });

  it('F-9 F-25 in the place of a segment that was prepared is CORRUPT', async () => {
    const files = new Map(await closedLog()).set('/db/00000001.wal', BLANK);
    await expect(scanDriver(SimDisk.of(files).fileIo, DB)).rejects.toMatchObject({
      code: 'CORRUPT',
      details: { file: '00000001.wal', byteOffset: 0 },
    });
  });

  it('F-5 F-22 with one bit that is not is CORRUPT, wherever that is', async () => {
    const large = new Uint8Array(65_536 + 4096);
    const files = new Map(await closedLog()).set('/db/00000002.wal', large);
    expect((await scanDriver(SimDisk.of(files).fileIo, DB)).records).toBe(3);
    for (const at of [0, 63, 64, 65_535, 65_536, large.length - 1]) {
      const { fileIo: io } = SimDisk.of(flip('/db/00000002.wal', at)(files));
      await expect(scanDriver(io, DB)).rejects.toMatchObject({
        code: 'CORRUPT',
        details: { file: '00000002.wal', byteOffset: 0 },
      });
    }
  });

  it('F-1 F-5 left by a creation that died is no log, and is replaced by one', async () => {
    const disk = SimDisk.of(new Map([['/db/00000001.wal', BLANK]]));
    for (const look of [scan(DB, { fileIo: disk.fileIo }), verifyLog(DB, { fileIo: disk.fileIo })])
      await expect(look).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const { driver, writer } = await openDriver(disk.fileIo, DB);
    expect(await driver.commit()).toBe(1);
    await writer.close();
    expect((await scanDriver(disk.fileIo, DB, { strict: true })).records).toBe(1);
  });
});

describe('a segment that could not be finished', () => {
  it('F-36 F-39 and could not be removed either is replaced at the next attempt', async () => {
    const disk = SimDisk.of();
    const thread = new ManualThread();
    const { driver, writer } = await openDriver(disk.fileIo, DB, { thread });
    disk.fault = (call, path) =>
      path.endsWith('2.wal.new') && (call === 'write' || call === 'remove')
        ? osError('ENOSPC')
        : undefined;
    await driver.commit();
    await turns();
    expect([...disk.image.names.keys()]).toContain('/db/00000002.wal.new');
    disk.fault = undefined;
    thread.fire();
    await turns();
    expect([...disk.image.names.keys()]).toContain('/db/00000002.wal');
    expect([...disk.image.names.keys()]).not.toContain('/db/00000002.wal.new');
    await writer.close();
  });
});

describe('a segment without a manifest', () => {
  it('F-1 F-7 and without a frame is no log; reading creates none, opening does', async () => {
    const disk = SimDisk.of();
    await openDriver(disk.fileIo, DB);
    const named = disk.journal.findIndex((entry) => entry.kind === 'rename') + 1;
    const died = disk.crash(named, () => true);
    expect([...died.files().keys()]).toEqual(['/db/00000001.wal']);
    const before = died.files();
    const looks = [
      openLog(DB, { fileIo: died.fileIo, readOnly: true }),
      scan(DB, { fileIo: died.fileIo }),
      verifyLog(DB, { fileIo: died.fileIo }),
    ];
    for (const look of looks) await expect(look).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(died.files()).toEqual(before);
    const { driver, writer, replayed } = await openDriver(died.fileIo, DB);
    expect([replayed, await driver.commit()]).toEqual([0, 1]);
    await writer.close();
  });
});

describe('a creation', () => {
  it.each(['EACCES', 'EPERM', 'EROFS', 'EINVAL', 'ENOENT'])(
    'F-6 F-37 goes on where a directory above the log cannot be synced: %s',
    async (code) => {
      const disk = SimDisk.of();
      disk.fault = (call, path) => (call === 'syncdir' && path === '/' ? osError(code) : undefined);
      const { driver, writer } = await openDriver(disk.fileIo, DB);
      await driver.commit();
      await writer.close();
      expect((await scanDriver(disk.fileIo, DB, { strict: true })).records).toBe(1);
    },
  );

  it('F-6 F-39 fails where the disk says that the sync of a directory above failed', async () => {
    const disk = SimDisk.of();
    disk.fault = (call, path) => (call === 'syncdir' && path === '/' ? osError('EIO') : undefined);
    await expect(openDriver(disk.fileIo, DB)).rejects.toMatchObject({
      code: 'WAL_IO_ERROR',
      details: { errno: 'EIO' },
    });
    expect([[...disk.files().keys()], disk.isLocked]).toEqual([[], false]);
  });

  it('F-53 whose manifest is taken away, at whatever moment, fails and serves nothing', async () => {
    const calls: readonly Call[] = ['stat', 'open', 'create', 'list'];
    let failures = 0;
    for (const call of calls) {
      for (let n = 1; ; n++) {
        const disk = SimDisk.of();
        let count = 0;
        disk.fault = (made) => {
          if (made !== call || !disk.image.names.has('/db/manifest') || ++count !== n)
            return undefined;
          disk.image.names.delete('/db/manifest');
          return undefined;
        };
        const [opened] = await Promise.allSettled([openDriver(disk.fileIo, DB)]);
        if (count < n) break;
        // It may have been open by then, and hold the file that has no name any more.
        if (opened.status === 'fulfilled') continue;
        failures++;
        expect(opened.reason).toMatchObject({ details: { outcome: 'not-done' } });
        // Known for what it is, not stumbled over.
        expect(String(opened.reason)).toMatch(/is not there|ENOENT/);
        expect(disk.isLocked).toBe(false);
        disk.fault = undefined;
        const again = await openDriver(disk.fileIo, DB);
        expect([again.replayed, await again.driver.commit()]).toEqual([0, 1]);
        await again.writer.close();
      }
    }
    expect(failures).toBeGreaterThan(2);
  });
});
