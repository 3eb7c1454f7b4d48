/**
 * Files that change between two looks at them: because a process writes to the log, because one
 * tidies up in it, or because the disk answers differently from one time to the next.
 */
import { describe, expect, it } from 'vitest';
import { openLog } from '../../../wal/index.ts';
import { repairLog } from '../../../wal/repair.ts';
import type { FileIo } from '../../../src/base/file-io.ts';
import { verifyLog } from '../../../wal/verify.ts';
import { type Files, flip, misdirect } from './damages.ts';
import { framesIn } from './forge.ts';
import { ManualThread, openDriver, scanDriver, turns } from './log-driver.ts';
import { failureOf, fill, ones, openSim, readAll } from './public-fixture.ts';
import { type Call, SimDisk } from 'pawl/testing';
import { changedIo, osError, replace, viewOf } from './sim-fixture.ts';

const DB = '/db';
const ONE = '/db/00000001.wal';
const MANIFEST = '/db/manifest';

/** From the n-th such call on, before it takes effect, the file has this content. */
function becomes(
  disk: SimDisk,
  call: Call,
  path: string,
  n: number,
  bytes: Uint8Array,
): () => boolean {
  let count = 0;
  disk.fault = (made, at) => {
    if (made === call && at === path && ++count === n) replace(disk, path, bytes);
    return undefined;
  };
  return () => count >= n;
}

/** A log of one segment with a mark behind its frames, and the same before the last `missing` frames were written. */
async function growing(missing: number): Promise<{ before: Files; after: Files }> {
  const disk = SimDisk.of();
  const thread = new ManualThread();
  const { driver } = await openDriver(disk.fileIo, DB, { thread });
  for (let i = 0; i < 6; i++) await driver.commit();
  thread.fire();
  await turns();
  const after = disk.files();
  const bytes = (after.get(ONE) as Uint8Array).slice();
  bytes.fill(0, framesIn(bytes).at(-missing));
  return { before: new Map(after).set(ONE, bytes), after };
}

async function closedLog(commits = 15): Promise<Files> {
  const disk = SimDisk.of();
  const { driver, writer } = await openDriver(disk.fileIo, DB);
  driver.recordBytes = 500;
  for (let i = 0; i < commits; i++) await driver.commit();
  await writer.close();
  return disk.files();
}

describe('a log that is written while it is read', () => {
  it('F-22 shows what was there at one time or another, and never damage', async () => {
    for (let missing = 1; missing < 7; missing++) {
      const { before, after } = await growing(missing);
      for (let n = 1; ; n++) {
        const disk = SimDisk.of(before);
        const isDone = becomes(disk, 'read', ONE, n, after.get(ONE) as Uint8Array);
        const { records } = await scanDriver(disk.fileIo, DB);
        expect(records).toBeGreaterThanOrEqual(7 - missing);
        expect(records).toBeLessThanOrEqual(6);
        if (!isDone()) break;
      }
    }
  });

  it('F-22 is CORRUPT where a frame that was synced is not there at a second look either', async () => {
    const { after } = await growing(1);
    const bytes = (after.get(ONE) as Uint8Array).slice();
    const third = framesIn(bytes)[3] as number;
    bytes.fill(0, third, third + 8);
    await expect(
      scanDriver(SimDisk.of(new Map(after).set(ONE, bytes)).fileIo, DB),
    ).rejects.toMatchObject({
      code: 'CORRUPT',
      details: { file: '00000001.wal', byteOffset: third, offset: 3 },
    });
  });

  it('F-24 F-30 a frame that moves under an open reader is CORRUPT, and nothing of it is given', async () => {
    const disk = SimDisk.of();
    const log = await openSim(disk.fileIo, { segmentBytes: 65_536 });
    for (let i = 0; i < 20; i++) await fill(log, ones(1));
    const bytes = viewOf(disk, ONE).slice();
    const [, , , , five, six] = framesIn(bytes) as [number, number, number, number, number, number];
    bytes.copyWithin(five, six, six + 48);
    replace(disk, ONE, bytes);
    const { records } = await log.read({ limit: 3 });
    expect(records).toHaveLength(3);
    await expect(log.read({ from: 4 })).rejects.toMatchObject({
      code: 'CORRUPT',
      details: { file: '00000001.wal', byteOffset: five, offset: 4 },
    });
    await log.close();
  });

  it('WAL-7 all of it dropped under a reader is OFFSET_TOO_OLD, with where what is kept begins', async () => {
    const disk = SimDisk.of();
    const writer = await openSim(disk.fileIo);
    for (let i = 0; i < 60; i++) await fill(writer, ones(1));
    await writer.close();
    const again = await openSim(disk.fileIo);
    const reader = await openLog(DB, { fileIo: disk.fileIo, readOnly: true });
    const { lastOffset } = reader;
    for (let i = 0; i < 120; i++) await fill(again, ones(1));
    await again.truncateBefore(170);
    expect(again.firstOffset).toBeGreaterThan(lastOffset + 1);
    for (const from of [1, 30, lastOffset]) {
      expect(await failureOf(reader.read({ from }))).toMatchObject({
        code: 'OFFSET_TOO_OLD',
        details: { requested: from, oldest: lastOffset + 1 },
      });
    }
    expect(reader.firstOffset).toBe(lastOffset + 1);
    expect(await reader.read()).toEqual({ records: [], next: lastOffset + 1 });
    await reader.close();
    await again.close();
  });

  it('WAL-7 F-22 segments dropped behind each look at the manifest are no damage to who verifies', async () => {
    const disk = SimDisk.of();
    const writer = await openSim(disk.fileIo);
    for (let i = 0; i < 400; i++) await fill(writer, ones(1));
    let drops = 0;
    let isListed = false;
    const open: FileIo['open'] = async (path, mode) => {
      if (path === MANIFEST) isListed = true;
      else if (isListed && drops < 12) {
        isListed = false;
        drops++;
        await writer.truncateBefore(drops * 30);
        await fill(writer, ones(5));
      }
      return disk.fileIo.open(path, mode);
    };
    const { ok, problems, firstOffset, lastOffset } = await verifyLog(DB, {
      fileIo: changedIo(disk.fileIo, { open }),
    });
    expect([ok, problems]).toEqual([true, []]);
    expect([drops, firstOffset]).toEqual([12, writer.firstOffset]);
    expect(lastOffset).toBeGreaterThan(400);
    await writer.close();
  });

  it('F-25 F-53 all of it gone, and its manifest with it, is CORRUPT', async () => {
    const disk = SimDisk.of(await closedLog());
    const reader = await openLog(DB, { fileIo: disk.fileIo, readOnly: true });
    disk.image.names.clear();
    await expect(reader.read({ from: 3 })).rejects.toMatchObject({
      code: 'CORRUPT',
      details: { file: '00000001.wal', offset: 3 },
    });
    await reader[Symbol.asyncDispose]();
  });

  it('WAL-7 what was dropped before it was opened is OFFSET_TOO_OLD to a reader', async () => {
    const disk = SimDisk.of();
    const log = await openSim(disk.fileIo);
    for (let i = 0; i < 90; i++) await fill(log, ones(1));
    await log.truncateBefore(50);
    const reader = await openLog(DB, { fileIo: disk.fileIo, readOnly: true });
    const { firstOffset } = reader;
    expect(firstOffset).toBeGreaterThan(20);
    await expect(reader.read({ from: firstOffset - 1 })).rejects.toMatchObject({
      code: 'OFFSET_TOO_OLD',
      details: { requested: firstOffset - 1, oldest: firstOffset },
    });
    await readAll(reader);
    await reader.close();
    await log.close();
  });
});

describe('files that somebody else removes', () => {
  it.each(['stat', 'remove'] as const)(
    'F-11 before the %s of a segment that is to be dropped are no failure, and not counted',
    async (call) => {
      const disk = SimDisk.of();
      const log = await openSim(disk.fileIo);
      for (let i = 0; i < 90; i++) await fill(log, ones(1));
      disk.fault = (made, path) => {
        if (made === call && path === '/db/00000002.wal') disk.image.names.delete(path);
        return undefined;
      };
      const dropped = await log.truncateBefore(90);
      expect(dropped.segments).toBeGreaterThan(1);
      expect(dropped).toEqual({ segments: dropped.segments, bytesFreed: dropped.segments * 4096 });
      // Two went: the one that somebody took is not among those counted.
      expect([...disk.image.names.keys()].filter((path) => path < '/db/00000003.wal')).toEqual([]);
      await readAll(log);
      await log.close();
    },
  );

  it('WAL-5 between listing and looking cost nothing but their share of the progress', async () => {
    const disk = SimDisk.of(await closedLog());
    let isFirst = true;
    disk.fault = (call, path) => {
      if (call !== 'stat' || path !== '/db/00000003.wal' || !isFirst) return undefined;
      isFirst = false;
      disk.image.names.delete(path);
      return undefined;
    };
    const totals = new Set<number>();
    const onProgress = (_: number, total: number): void => void totals.add(total);
    const report = await verifyLog(DB, { fileIo: disk.fileIo, onProgress });
    expect([isFirst, report.ok, totals.size > 0]).toEqual([false, false, true]);
    expect(Math.max(...totals)).toBe(2 * 4096);
  });
});

describe('a disk that answers differently from one time to the next', () => {
  it('F-15 F-30 while a tail is written again: CORRUPT, and nothing is served or lost', async () => {
    const disk = SimDisk.of();
    const first = await openDriver(disk.fileIo, DB, { durability: 'os' });
    for (let i = 0; i < 4; i++) await first.driver.commit();
    disk.nextProcess();
    const whole = disk.files();
    const bytes = whole.get(ONE) as Uint8Array;
    const broken = flip(ONE, (framesIn(bytes)[3] as number) + 60)(whole).get(ONE) as Uint8Array;
    let refusals = 0;
    for (let n = 1; ; n++) {
      const again = SimDisk.of(whole);
      const isDone = becomes(again, 'open', ONE, n, broken);
      const [opened] = await Promise.allSettled([openDriver(again.fileIo, DB)]);
      if (!isDone()) break;
      if (opened.status === 'fulfilled') {
        // What is served is what is there after a power cut.
        const { replayed, writer } = opened.value;
        const cut = again.crash(again.journal.length, () => false);
        expect((await scanDriver(cut.fileIo, DB)).records).toBe(replayed);
        await writer.close();
        continue;
      }
      refusals++;
      expect(opened.reason).toMatchObject({ code: 'CORRUPT', details: { offset: 3 } });
      expect(again.isLocked).toBe(false);
      again.fault = undefined;
      replace(again, ONE, bytes);
      expect((await openDriver(again.fileIo, DB)).replayed).toBe(4);
    }
    expect(refusals).toBeGreaterThan(0);
  });

  it('F-30 damage met twice is reported though it is gone at the third look', async () => {
    const whole = await closedLog();
    const broken = flip(ONE, 200)(whole);
    const disk = SimDisk.of(broken);
    let n = 0;
    // Each look at the log begins with its manifest.
    disk.fault = (call, path) => {
      if (call === 'open' && path === MANIFEST && ++n === 3)
        replace(disk, ONE, whole.get(ONE) as Uint8Array);
      return undefined;
    };
    const report = await verifyLog(DB, { fileIo: disk.fileIo });
    expect(report).toMatchObject({ ok: false, lastOffset: 15, knownOffset: 15 });
    expect(report.problems).toMatchObject([{ code: 'CORRUPT', details: { file: '00000001.wal' } }]);
  });

  it('F-40 a manifest that cannot be read behind damage: the disk is reported, nothing is repaired', async () => {
    const broken = flip(ONE, 200)(await closedLog());
    const disk = SimDisk.of(broken);
    let n = 0;
    disk.fault = (call, path) =>
      call === 'read' && path === MANIFEST && ++n > 2 ? osError('EIO') : undefined;
    const report = await verifyLog(DB, { fileIo: disk.fileIo });
    expect(report).toMatchObject({ ok: false, problems: [{ code: 'WAL_IO_ERROR' }] });
    n = 0;
    await expect(repairLog(DB, { fileIo: disk.fileIo })).rejects.toMatchObject({
      code: 'WAL_IO_ERROR',
      details: { errno: 'EIO' },
    });
    expect(disk.files()).toEqual(broken);
  });

  it('F-40 a segment that cannot be opened behind damage: the same', async () => {
    const broken = flip(ONE, 200)(await closedLog());
    const disk = SimDisk.of(broken);
    let n = 0;
    disk.fault = (call, path) =>
      call === 'open' && path === '/db/00000002.wal' && ++n > 4 ? osError('EMFILE') : undefined;
    await verifyLog(DB, { fileIo: disk.fileIo });
    const opens = n;
    const found: string[] = [];
    for (let from = 1; from <= opens; from++) {
      n = 4 - from;
      const { ok, problems } = await verifyLog(DB, { fileIo: disk.fileIo });
      expect(ok).toBe(false);
      found.push(problems[0]?.code as string);
    }
    expect(new Set(found)).toEqual(new Set(['CORRUPT', 'WAL_IO_ERROR']));
    expect(disk.files()).toEqual(broken);
  });
});

describe('a function of the caller', () => {
  it('that throws while damage is looked for: what it threw, not a report', async () => {
    const broken = misdirect(ONE, 128, 200, 1000)(await closedLog());
    const enough = new TypeError('enough');
    let looks = 0;
    const verifying = verifyLog(DB, {
      fileIo: SimDisk.of(broken).fileIo,
      // Two looks meet the damage; the third one goes on behind it.
      begin: () => {
        looks++;
        return () => {
          if (looks === 3) throw enough;
        };
      },
    });
    expect(await failureOf(verifying)).toBe(enough);
  });
});
