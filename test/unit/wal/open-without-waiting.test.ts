/**
 * When nothing is in doubt, opening only reads: the first segment is prepared behind it, and the
 * first commit waits for that as it does for any other.
 */
import { describe, expect, it } from 'vitest';
import type { FileIo } from '../../../src/base/file-io.ts';
import { ManualThread, openDriver, scanDriver, turns } from './log-driver.ts';
import { type Call, SimDisk } from 'pawl/testing';
import { changedIo, osError } from './sim-fixture.ts';

async function closedLog(records = 3): Promise<SimDisk> {
  const disk = SimDisk.of();
  const { driver, writer } = await openDriver(disk.fileIo, '/db');
  for (let i = 0; i < records; i++) await driver.commit();
  await writer.close();
  return disk;
}

/** Files being prepared are not opened until told to. */
function halt(disk: SimDisk): () => void {
  const { fileIo } = disk;
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (go = resolve));
  disk.fileIo = changedIo(fileIo, {
    open: async (path, mode) => {
      if (path.endsWith('.new')) await gate;
      return fileIo.open(path, mode);
    },
  });
  return go;
}

describe('an opening after a clean close', () => {
  it('D-4 syncs nothing and waits for nothing; the first commits do', async () => {
    const disk = await closedLog();
    const before = disk.journal.length;
    const go = halt(disk);
    const { driver, writer, replayed } = await openDriver(disk.fileIo, '/db');
    expect(replayed).toBe(3);
    expect(writer.stats()['segmentsReady']).toBe(0);
    const commits = [driver.commit(), driver.commit(2)];
    let isDone = false;
    void Promise.all(commits).then(() => (isDone = true));
    await turns();
    expect(isDone).toBe(false);
    expect(disk.journal.slice(before)).toEqual([]);
    go();
    expect(await Promise.all(commits)).toEqual([6, 6]);
    await writer.close();
    expect((await scanDriver(disk.fileIo, '/db', { strict: true })).records).toBe(6);
  });

  it('D-4 may be closed before its segment is ready, with commits waiting or without', async () => {
    for (const commits of [0, 2]) {
      const disk = await closedLog();
      const go = halt(disk);
      const { driver, writer } = await openDriver(disk.fileIo, '/db');
      const waiting = Array.from({ length: commits }, () => driver.commit());
      const closed = writer.close();
      await turns();
      go();
      await closed;
      expect(await Promise.all(waiting)).toHaveLength(commits);
      const { records, report } = await scanDriver(disk.fileIo, '/db', { strict: true });
      expect(records).toBe(3 + commits);
      expect(report?.chain.voids).toEqual([]);
      expect(report?.files.unfinished).toEqual([]);
    }
  });

  it('F-37 says at once when the place is read-only', async () => {
    for (const code of ['EROFS', 'EACCES', 'EPERM']) {
      const disk = await closedLog();
      const before = disk.journal.length;
      const io: FileIo = changedIo(disk.fileIo, {
        open: async (path, mode) => {
          if (mode !== 'read') throw osError(code);
          return disk.fileIo.open(path, mode);
        },
      });
      await expect(openDriver(io, '/db')).rejects.toMatchObject({
        code: 'WAL_IO_ERROR',
        details: { outcome: 'not-done', errno: code },
      });
      expect(disk.journal.length).toBe(before);
      expect(disk.isLocked).toBe(false);
    }
  });

  it.each(['create', 'open', 'write', 'sync', 'rename', 'syncdir'] as readonly Call[])(
    'F-39 a failing %s of the segment refuses commands untouched until it succeeds',
    async (call) => {
      const disk = await closedLog();
      const thread = new ManualThread();
      disk.fault = (name, path) =>
        name === call && (path.endsWith('.new') || path === '/db') ? osError('EIO') : undefined;
      const { driver, writer, replayed } = await openDriver(disk.fileIo, '/db', { thread });
      expect(replayed).toBe(3);
      await expect(driver.commit()).rejects.toMatchObject({
        code: 'WAL_IO_ERROR',
        details: { outcome: 'not-done', errno: 'EIO' },
      });
      disk.fault = undefined;
      thread.fire();
      await turns();
      expect(await driver.commit()).toBe(4);
      await writer.close();
      expect((await scanDriver(disk.fileIo, '/db', { strict: true })).records).toBe(4);
    },
  );
});

describe('an opening with a tail in doubt', () => {
  it('D-4 serves nothing before that is synced in a new segment', async () => {
    const disk = SimDisk.of();
    const { driver } = await openDriver(disk.fileIo, '/db');
    await driver.commit();
    disk.nextProcess();
    const go = halt(disk);
    let isOpen = false;
    const opening = openDriver(disk.fileIo, '/db').then((opened) => {
      isOpen = true;
      return opened;
    });
    await turns();
    expect(isOpen).toBe(false);
    go();
    const { writer, replayed } = await opening;
    expect(replayed).toBe(1);
    expect((await scanDriver(disk.fileIo, '/db')).report?.attestedEnd.offset).toBe(1);
    await writer.close();
  });
});
