/**
 * F-36 the reserve: a full disk does not keep a log from being opened and closed, and nothing else
 * ever notices that there is one.
 */
import { describe, expect, it } from 'vitest';
import type { FileHandle, FileIo } from '../../../src/base/file-io.ts';
import type { Logger } from '../../../src/base/logger.ts';
import { KiB, MiB } from '../../../src/base/units.ts';
import { RESERVE_BYTES } from '../../../wal/format.ts';
import { reserveBytesFor } from '../../../wal/reserve.ts';
import { ManualThread, type Opened, openDriver, scanDriver, turns } from './log-driver.ts';
import { type Call, SimDisk } from 'pawl/testing';
import { undecided } from '../../../src/testing/sim-disk.ts';
import { changedHandle, changedIo, osError } from './sim-fixture.ts';

const RESERVE = '/db/reserve';
const UNFINISHED = '/db/reserve.new';
const SIZES = { segmentBytes: 256 * KiB };

const sizeOf = (disk: SimDisk, path: string): number | undefined => disk.files().get(path)?.length;
const used = (disk: SimDisk): number =>
  [...disk.files().values()].reduce((sum, bytes) => sum + bytes.length, 0);

/** New files get no more than this; what is in place already can be written. */
function limit(disk: SimDisk, capacity: () => number): void {
  disk.fault = (call, path) =>
    call === 'write' && path.endsWith('.new') && used(disk) > capacity()
      ? osError('ENOSPC')
      : undefined;
}

/** Puts another `write` into every file opened from now on. */
function writesOf(disk: SimDisk, write: (handle: FileHandle) => FileHandle['write']): void {
  const { fileIo } = disk;
  disk.fileIo = changedIo(fileIo, {
    open: async (path, mode) => {
      const handle = await fileIo.open(path, mode);
      return changedHandle(handle, { write: write(handle) });
    },
  });
}

/** Writes of an unfinished reserve come back only when told to. */
function haltReserve(disk: SimDisk): (() => void)[] {
  const halted: (() => void)[] = [];
  writesOf(disk, (handle) => (from, start, length, at, done) => {
    handle.write(from, start, length, at, (error) => {
      if (handle.path === UNFINISHED) halted.push(() => done(error));
      else done(error);
    });
  });
  return halted;
}

type Options = Parameters<typeof openDriver>[2];

/** A log of 12 records over three segments, in which a reserve has been made. */
async function withReserve(disk: SimDisk, options: Options = {}): Promise<Opened> {
  const opened = await openDriver(disk.fileIo, '/db', { ...SIZES, ...options });
  opened.driver.recordBytes = 60_000;
  for (let i = 0; i < 12; i++) await opened.driver.commit();
  await turns();
  return opened;
}

/** That log, killed with its last record in doubt. */
async function killed(hasReserve = true): Promise<SimDisk> {
  const disk = SimDisk.of();
  await withReserve(disk);
  disk.nextProcess();
  if (!hasReserve) await disk.fileIo.remove(RESERVE);
  return disk;
}

async function expectWhole(disk: SimDisk, records: number): Promise<void> {
  const found = await scanDriver(disk.fileIo, '/db', { strict: true });
  expect(found.records).toBe(records);
  expect(found.report?.files).toMatchObject({ unfinished: [], strayFiles: [] });
}

describe('making it', () => {
  it('F-36 is an eighth of the log, in steps of 4 KiB, from 64 KiB to 64 MiB', () => {
    expect(reserveBytesFor(0)).toBe(0);
    expect(reserveBytesFor(512 * KiB - 1)).toBe(0);
    expect(reserveBytesFor(512 * KiB)).toBe(64 * KiB);
    expect(reserveBytesFor(512 * KiB + 32 * KiB - 1)).toBe(64 * KiB);
    expect(reserveBytesFor(512 * KiB + 32 * KiB)).toBe(68 * KiB);
    expect(reserveBytesFor(512 * MiB)).toBe(64 * MiB);
    expect(reserveBytesFor(2 ** 40)).toBe(64 * MiB);
  });

  it('F-36 a small log has none; later it is made, counted apart, and grows by doubling', async () => {
    const disk = SimDisk.of();
    const { driver, writer } = await openDriver(disk.fileIo, '/db', SIZES);
    await driver.commit();
    await turns();
    expect(sizeOf(disk, RESERVE)).toBeUndefined();
    driver.recordBytes = 60_000;
    const seen = new Set<number>();
    for (let i = 0; i < 40; i++) {
      await driver.commit();
      await turns();
      const { bytesOnDisk, reserveBytes } = writer.stats();
      expect(sizeOf(disk, RESERVE) ?? 0).toBe(reserveBytes);
      expect(bytesOnDisk).toBe(used(disk) - reserveBytes);
      seen.add(reserveBytes);
    }
    expect([...seen]).toEqual([0, 64 * KiB, 128 * KiB, 256 * KiB]);
    expect((disk.files().get(RESERVE) as Uint8Array).every((byte) => byte === 0)).toBe(true);
    await writer.close();
    expect(sizeOf(disk, RESERVE)).toBe(256 * KiB);
    await expectWhole(disk, 41);
    const again = await openDriver(disk.fileIo, '/db', SIZES);
    expect(again.writer.recovery.strayFiles).toEqual([]);
    expect(again.writer.stats()['reserveBytes']).toBe(256 * KiB);
    await again.writer.close();
  });

  const CALLS: readonly Call[] = ['create', 'write', 'sync', 'rename', 'remove', 'stat'];
  it.each(CALLS)('F-36 a failing %s of it fails nothing else', async (call) => {
    const disk = SimDisk.of();
    const logged: string[] = [];
    const logger: Logger = { log: (level, message) => void logged.push(`${level} ${message}`) };
    disk.fault = (name, path) =>
      name === call && path.startsWith(RESERVE) ? osError('EIO') : undefined;
    const { driver, writer } = await withReserve(disk, { logger });
    expect(writer.poison).toBeUndefined();
    await driver.commit();
    await writer.close();
    if (call !== 'remove') {
      expect(sizeOf(disk, RESERVE)).toBeUndefined();
      expect(logged.length).toBeGreaterThan(0);
    }
    expect(logged.filter((line) => !line.startsWith('debug'))).toEqual([]);
    await expectWhole(disk, 13);
  });

  it('F-36 where there is no room for it there is none; with room it comes with the next segment', async () => {
    const disk = SimDisk.of();
    disk.fault = (call, path) =>
      call === 'write' && path === UNFINISHED ? osError('ENOSPC') : undefined;
    const { driver, writer } = await withReserve(disk);
    expect(writer.stats()['reserveBytes']).toBe(0);
    expect(sizeOf(disk, UNFINISHED)).toBeUndefined();
    disk.fault = undefined;
    for (let i = 0; i < 5; i++) await driver.commit();
    await turns();
    expect(writer.stats()['reserveBytes']).toBeGreaterThan(0);
    await writer.close();
    await expectWhole(disk, 17);
  });

  it('F-36 one that is being made makes way for the next segment', async () => {
    const disk = SimDisk.of();
    const halted = haltReserve(disk);
    const { driver, writer } = await openDriver(disk.fileIo, '/db', SIZES);
    driver.recordBytes = 60_000;
    while (halted.length === 0) {
      await driver.commit();
      await turns();
    }
    const half = used(disk);
    expect(sizeOf(disk, UNFINISHED)).toBeGreaterThan(0);
    // The segment after the ready one fits only without it.
    limit(disk, () => half + 64 * KiB);
    let refused = 0;
    const commits = Array.from({ length: 6 }, () => driver.commit().catch(() => void refused++));
    await turns();
    limit(disk, () => half + 192 * KiB);
    halted.shift()?.();
    await Promise.all(commits);
    expect([refused, writer.stats()['segmentsEntered']]).toEqual([0, 4]);
    await turns();
    for (const go of halted) go();
    await writer.close();
    await expectWhole(disk, writer.nextOffset - 1);
  });

  it('F-36 one that replaces what a dead process left is not tidied away with the rest', async () => {
    const disk = SimDisk.of();
    const { writer } = await withReserve(disk);
    await writer.close();
    await disk.fileIo.remove(RESERVE);
    await disk.fileIo.open(UNFINISHED, 'create');
    const halted = haltReserve(disk);
    const again = await openDriver(disk.fileIo, '/db', SIZES);
    await turns();
    expect(halted).toHaveLength(1);
    await again.driver.commit();
    await turns();
    halted.shift()?.();
    await turns();
    expect(sizeOf(disk, RESERVE)).toBe(again.writer.stats()['reserveBytes']);
    expect(sizeOf(disk, RESERVE)).toBeGreaterThan(0);
    await again.writer.close();
    await expectWhole(disk, 13);
  });

  it('F-36 close() does not wait until one is whole, and leaves nothing of it', async () => {
    const disk = SimDisk.of();
    const halted = haltReserve(disk);
    const { driver, writer } = await openDriver(disk.fileIo, '/db', { segmentBytes: 8 * MiB });
    driver.recordBytes = 500_000;
    while (halted.length === 0 || (sizeOf(disk, RESERVE) ?? 0) < 128 * KiB) {
      halted.shift()?.();
      await driver.commit();
      await turns();
    }
    const before = sizeOf(disk, RESERVE);
    const closed = writer.close();
    await turns();
    expect(halted).toHaveLength(1);
    halted.shift()?.();
    await closed;
    expect(sizeOf(disk, RESERVE)).toBe(before);
    await expectWhole(disk, writer.nextOffset - 1);
  });
});

describe('a crash while it is made', () => {
  it('F-36 leaves a whole one or none, and a log that opens', { timeout: 60_000 }, async () => {
    const disk = SimDisk.of();
    const { writer } = await withReserve(disk);
    await writer.close();
    const first = disk.journal.findIndex((e) => e.kind === 'create' && e.path === UNFINISHED);
    const last = disk.journal.findIndex((e) => e.kind === 'rename' && e.to === RESERVE);
    expect(first).toBeGreaterThan(0);
    expect(last).toBeGreaterThan(first);
    let leftovers = 0;
    for (let length = first; length <= last + 3; length++) {
      const open = undecided(disk, length);
      for (const kept of [[], open, open.slice(0, -1), open.slice(-1)]) {
        const crashed = disk.crash(length, (i) => kept.includes(i));
        expect([undefined, 64 * KiB, 96 * KiB]).toContain(sizeOf(crashed, RESERVE));
        if (sizeOf(crashed, UNFINISHED) !== undefined) leftovers++;
        const { driver, writer: next, replayed } = await openDriver(crashed.fileIo, '/db', SIZES);
        await driver.commit();
        await turns();
        await next.close();
        expect(sizeOf(crashed, RESERVE)).toBeGreaterThan(0);
        await expectWhole(crashed, replayed + 1);
      }
    }
    expect(leftovers).toBeGreaterThan(4);
  });
});

describe('a full disk', () => {
  it('F-36 a tail in doubt is written again in the room of the reserve', async () => {
    const disk = await killed();
    const before = used(disk) - (sizeOf(disk, RESERVE) as number);
    limit(disk, () => before);
    const thread = new ManualThread();
    const { driver, writer, replayed } = await openDriver(disk.fileIo, '/db', { ...SIZES, thread });
    expect(replayed).toBe(12);
    expect(writer.recovery.recordsRewritten).toBe(1);
    expect(sizeOf(disk, RESERVE)).toBeUndefined();
    expect(writer.stats()['reserveBytes']).toBe(0);
    // Its removal is on the disk before the room is used.
    const removed = disk.journal.findIndex((e) => e.kind === 'remove' && e.path === RESERVE);
    expect(disk.journal[removed + 1]).toEqual({
      kind: 'syncdir',
      path: '/db',
      before: removed + 1,
    });
    // The segment behind it was tried too, and did not fit.
    await turns();
    disk.fault = undefined;
    thread.fire();
    await turns();
    driver.recordBytes = 60_000;
    await driver.commit();
    await turns();
    expect(sizeOf(disk, RESERVE)).toBeGreaterThanOrEqual(RESERVE_BYTES.min);
    await writer.close();
    await expectWhole(disk, 13);
  });

  it('F-36 so is one that takes a segment larger than the reserve by its usual size', async () => {
    const disk = await killed();
    const reserve = sizeOf(disk, RESERVE) as number;
    expect(reserve).toBeLessThan(SIZES.segmentBytes);
    // The size of a write is what counts: the segment's zeros come in one.
    writesOf(disk, (handle) => (from, start, length, at, done) => {
      const room = disk.image.names.has(RESERVE) ? 0 : reserve;
      if (handle.path.endsWith('.new') && at + length > room) {
        queueMicrotask(() => done(osError('EDQUOT')));
      } else handle.write(from, start, length, at, done);
    });
    const { writer, replayed } = await openDriver(disk.fileIo, '/db', SIZES);
    expect([replayed, writer.recovery.recordsRewritten]).toEqual([12, 1]);
    await writer.close();
    await expectWhole(disk, 12);
  });

  it.each(['write', 'sync'] as const)(
    'F-36 a %s of the frames written again is repeated in a new file',
    async (call) => {
      for (let n = 1; n <= 2; n++) {
        const disk = await killed();
        let count = 0;
        disk.fault = (name, path) =>
          name === call &&
          path.endsWith('00000004.wal') &&
          disk.image.names.has(RESERVE) &&
          ++count >= n
            ? osError('ENOSPC')
            : undefined;
        const { driver, writer, replayed } = await openDriver(disk.fileIo, '/db', SIZES);
        expect(count).toBe(n);
        expect(replayed).toBe(12);
        await driver.commit();
        const { bytesOnDisk, reserveBytes } = writer.stats();
        await writer.close();
        await expectWhole(disk, 13);
        expect([bytesOnDisk % 4096, reserveBytes]).toEqual([0, 0]);
      }
    },
  );

  it('F-36 without a reserve it is a coded error, nothing is changed and nothing lost', async () => {
    const disk = await killed(false);
    const full = used(disk);
    const before = disk.files();
    limit(disk, () => full - 1);
    for (let i = 0; i < 2; i++) {
      await expect(openDriver(disk.fileIo, '/db', SIZES)).rejects.toMatchObject({
        code: 'WAL_IO_ERROR',
        details: { outcome: 'not-done', errno: 'ENOSPC' },
      });
      expect(disk.isLocked).toBe(false);
    }
    const blank = '/db/00000004.wal';
    const after = disk.files();
    expect([...before.keys()].filter((path) => !after.has(path))).toEqual([blank]);
    for (const [path, bytes] of after) {
      if (path.endsWith('.wal')) expect(Buffer.compare(bytes, before.get(path)!)).toBe(0);
    }
    disk.fault = undefined;
    const { writer, replayed } = await openDriver(disk.fileIo, '/db', SIZES);
    expect(replayed).toBe(12);
    await writer.close();
    await expectWhole(disk, 12);
  });

  it('F-36 the room of an unfinished reserve is as good', async () => {
    const disk = await killed(false);
    const full = used(disk);
    await disk.fileIo.open(UNFINISHED, 'create');
    limit(disk, () => (disk.image.names.has(UNFINISHED) ? 0 : full + 256 * KiB));
    const { writer, replayed } = await openDriver(disk.fileIo, '/db', SIZES);
    expect(replayed).toBe(12);
    await writer.close();
    await expectWhole(disk, 12);
  });

  it('F-36 the lock is taken in its room, unless a living process owns the log', async () => {
    const disk = await killed();
    const onFullDisk = (): FileIo =>
      changedIo(disk.fileIo, {
        lockDirectory: async (path) => {
          if (disk.image.names.has(RESERVE)) throw osError('ENOSPC');
          return disk.fileIo.lockDirectory(path);
        },
      });
    const owner = JSON.stringify({ token: 'ab', pid: process.pid, method: 'record', host: 'h' });
    const handle = await disk.fileIo.open('/db/lock', 'create');
    handle.writeSync(Buffer.from(owner), 0, owner.length, 0);
    await expect(openDriver(onFullDisk(), '/db', SIZES)).rejects.toMatchObject({
      code: 'WAL_IO_ERROR',
      details: { errno: 'ENOSPC' },
    });
    expect(sizeOf(disk, RESERVE)).toBeGreaterThan(0);
    await disk.fileIo.remove('/db/lock');
    const { writer, replayed } = await openDriver(onFullDisk(), '/db', SIZES);
    expect(replayed).toBe(12);
    await writer.close();
    await expectWhole(disk, 12);
  });
});

describe('closing on a full disk', () => {
  const STEPS: readonly [Call, string][] = [
    ['write', '.wal'],
    ['sync', '.wal'],
    ['write', 'manifest'],
    ['sync', 'manifest'],
    ['remove', '.wal'],
    ['syncdir', '/db'],
  ];

  it.each(STEPS)('F-36 a %s of %s that finds no room is repeated', async (call, name) => {
    for (let n = 1; n <= (name === 'manifest' ? 2 : 1); n++) {
      const disk = SimDisk.of();
      const { writer } = await withReserve(disk);
      let count = 0;
      let failed = 0;
      disk.fault = (now, path) => {
        if (now !== call || !path.endsWith(name) || !disk.image.names.has(RESERVE))
          return undefined;
        if (++count < n) return undefined;
        failed++;
        return osError('ENOSPC');
      };
      await writer.close();
      expect(sizeOf(disk, RESERVE)).toBeUndefined();
      expect(failed).toBe(1);
      disk.fault = undefined;
      await expectWhole(disk, 12);
      const { report } = await scanDriver(disk.fileIo, '/db');
      expect(report?.attestedEnd).toEqual(report?.end);
      expect(report?.chain.voids).toEqual([]);
      // Both slots say the same: the older one asks for nothing that is gone.
      const slots = disk.files().get('/db/manifest') as Uint8Array;
      const words = new Uint32Array(slots.slice().buffer);
      expect(words.slice(10, 16)).toEqual(words.slice(1034, 1040));
    }
  });

  it('F-36 without a reserve it is a coded error; the lock is free, and nothing is lost', async () => {
    const disk = SimDisk.of();
    const { writer } = await withReserve(disk);
    await disk.fileIo.remove(RESERVE);
    disk.fault = (call) => (call === 'write' ? osError('ENOSPC') : undefined);
    await expect(writer.close()).rejects.toMatchObject({
      code: 'WAL_IO_ERROR',
      details: { errno: 'ENOSPC' },
    });
    expect(disk.isLocked).toBe(false);
    disk.fault = undefined;
    const again = await openDriver(disk.fileIo, '/db', SIZES);
    expect(again.replayed).toBe(12);
    await again.writer.close();
    await expectWhole(disk, 12);
  });

  it('F-32 a failed sync of records is not repeated, whatever is in reserve', async () => {
    const disk = SimDisk.of();
    const { writer, driver } = await withReserve(disk, { durability: 'os' });
    await driver.commit();
    let syncs = 0;
    disk.fault = (call, path) =>
      call === 'sync' && path.endsWith('.wal') && ++syncs > 0 ? osError('ENOSPC') : undefined;
    await expect(writer.close()).rejects.toMatchObject({ code: 'WAL_IO_ERROR' });
    expect(syncs).toBe(1);
    expect(sizeOf(disk, RESERVE)).toBeGreaterThan(0);
    expect(disk.isLocked).toBe(false);
  });
});
