/**
 * Damage, given as a function, is found at its place, repaired without touching a record that can
 * be proved, copied aside first, and the log takes commits again.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { isStoreError } from '../../../src/base/errors.ts';
import { FRAME } from '../../../wal/format.ts';
import { type RepairReport, repairLog } from '../../../wal/repair.ts';
import { scanLog } from '../../../wal/scan.ts';
import { type LogReport, verifyLog } from '../../../wal/verify.ts';
import {
  type Damage,
  type Files,
  both,
  cut,
  duplicate,
  flip,
  grow,
  misdirect,
  missing,
  swap,
  zero,
} from './damages.ts';
import { ManualThread, openDriver, scanDriver, turns } from './log-driver.ts';
import { SimDisk } from 'pawl/testing';

const DB = '/db';
const [ONE, TWO, THREE] = ['/db/00000001.wal', '/db/00000002.wal', '/db/00000003.wal'];
const MANIFEST = '/db/manifest';
/** Of one record in a frame of its own: payload of 502 bytes, padded. */
const FRAME_BYTES = FRAME.size + 504;
const FIRST_FRAME = 128;

/** Three segments, cleanly closed: records 1 to 15, most in frames of their own. */
async function closedLog(): Promise<Files> {
  const disk = SimDisk.of();
  const { driver, writer } = await openDriver(disk.fileIo, DB);
  driver.recordBytes = 500;
  for (let i = 0; i < 15; i++) await driver.commit();
  await writer.close();
  return disk.files();
}

/** One segment of three frames with a mark behind each, left by a kill. */
async function markedLog(): Promise<Files> {
  const disk = SimDisk.of();
  const thread = new ManualThread();
  const { driver } = await openDriver(disk.fileIo, DB, { thread });
  for (let i = 0; i < 3; i++) {
    await driver.commit();
    thread.fire();
    await turns();
  }
  return disk.files();
}

/** Three commits and a kill before any mark. */
async function killedLog(): Promise<Files> {
  const disk = SimDisk.of();
  const { driver } = await openDriver(disk.fileIo, DB);
  for (let i = 0; i < 3; i++) await driver.commit();
  return disk.files();
}

async function opens(files: Files): Promise<boolean> {
  try {
    return (await scanLog(SimDisk.of(files).fileIo, DB)) !== undefined;
  } catch (error) {
    if (isStoreError(error, 'CORRUPT')) return false;
    throw error;
  }
}

async function verified(files: Files): Promise<LogReport> {
  const disk = SimDisk.of(files);
  const report = await verifyLog(DB, { fileIo: disk.fileIo });
  expect(disk.files()).toEqual(files);
  expect(report.ok).toBe(await opens(files));
  return report;
}

/** Repairs, proves every promise, and gives the report. */
async function repaired(files: Files, segmentBytes?: number): Promise<RepairReport> {
  const found = await verified(files);
  const disk = SimDisk.of(files);
  const dry = await repairLog(DB, { fileIo: disk.fileIo, dryRun: true });
  expect(disk.files()).toEqual(files);
  const report = await repairLog(DB, { fileIo: disk.fileIo, segmentBytes });
  expect(disk.isLocked).toBe(false);
  expect(report).toEqual({ ...dry, savedTo: found.ok ? '' : '/db/damaged-1' });
  expect(report.lastOffset).toBe(found.lastOffset);
  expect(report.problems).toEqual(found.problems);
  for (const name of report.saved) {
    expect([name, disk.files().get(`${report.savedTo}/${name}`)]).toEqual([
      name,
      files.get(`/db/${name}`),
    ]);
  }
  await isWhole(disk, report.lastOffset);
  return report;
}

/** The log opens, holds exactly these records, and takes another. */
async function isWhole(disk: SimDisk, records: number): Promise<void> {
  expect((await scanDriver(disk.fileIo, DB, { strict: true })).records).toBe(records);
  const { writer, driver, replayed } = await openDriver(disk.fileIo, DB);
  expect(replayed).toBe(records);
  await driver.commit(2);
  await writer.close();
  expect((await scanDriver(disk.fileIo, DB, { strict: true })).records).toBe(records + 2);
  expect((await verifyLog(DB, { fileIo: disk.fileIo })).ok).toBe(true);
}

describe('verifying', () => {
  let files: Files;
  beforeAll(async () => {
    files = await closedLog();
  });

  it('WAL-5 a sound log is ok, and the report counts what is there', async () => {
    expect([...files.keys()].sort()).toEqual([ONE, TWO, THREE, MANIFEST]);
    const report = await verified(files);
    expect(report).toMatchObject({
      ok: true,
      problems: [],
      firstOffset: 1,
      lastOffset: 15,
      knownOffset: 15,
      bytesTruncated: 0,
      framesRead: 15,
    });
    expect(report.segments.map((segment) => segment.number)).toEqual([1, 2, 3]);
  });

  it('WAL-5 every damaged place is named, with file, byte and record', async () => {
    const second = FIRST_FRAME + FRAME_BYTES;
    const damaged = both(
      flip(ONE, second + 60),
      flip(TWO, FIRST_FRAME + 60),
      flip(THREE, FIRST_FRAME + 60),
    )(files);
    const report = await verified(damaged);
    expect(report.ok).toBe(false);
    const places = report.problems.map((problem) => ({
      code: problem.code,
      ...problem.details,
    }));
    expect(places).toEqual([
      { code: 'CORRUPT', file: '00000001.wal', byteOffset: second, offset: 2 },
      { code: 'CORRUPT', file: '00000002.wal', byteOffset: FIRST_FRAME, offset: 8 },
      { code: 'CORRUPT', file: '00000003.wal', byteOffset: FIRST_FRAME, offset: 15 },
    ]);
    expect(report).toMatchObject({ lastOffset: 1, knownOffset: 15 });
  });

  it('WAL-5 two damaged places in one segment are both named', async () => {
    const second = FIRST_FRAME + FRAME_BYTES;
    const damaged = both(flip(ONE, second + 60), flip(ONE, second + 3 * FRAME_BYTES + 60))(files);
    const { problems } = await verified(damaged);
    const places = problems.map(({ details }) => (details as { byteOffset: number }).byteOffset);
    expect(places).toEqual([second, second + 3 * FRAME_BYTES]);
  });

  it('what a live writer moved under the reader is not believed at once', async () => {
    const disk = SimDisk.of(files);
    let failures = 1;
    const gone = Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    disk.fault = (call, path) =>
      call === 'open' && path === TWO && failures-- > 0 ? gone : undefined;
    expect((await verifyLog(DB, { fileIo: disk.fileIo })).ok).toBe(true);
  });

  it('WAL-5 gives every record that can be kept, in order', async () => {
    const offsets: number[] = [];
    const damaged = flip(TWO, FIRST_FRAME + FRAME_BYTES + 60)(files);
    await verifyLog(DB, {
      fileIo: SimDisk.of(damaged).fileIo,
      begin: () => {
        offsets.length = 0;
        return (_bytes, _start, _end, firstOffset) => void offsets.push(firstOffset);
      },
    });
    expect(offsets).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('F-21 a torn tail is no damage: it is reported, and left alone', async () => {
    const torn = await killedLog();
    const bytes = torn.get(ONE) as Uint8Array;
    const last = bytes.findLastIndex((byte) => byte !== 0);
    const report = await verified(flip(ONE, last)(torn));
    expect(report).toMatchObject({ ok: true, problems: [], lastOffset: 2, firstBadOffset: 3 });
    expect(report.bytesTruncated).toBeGreaterThan(FRAME.size);
  });

  it('counts what nothing vouches for yet as attested by nothing', async () => {
    expect(await verified(await killedLog())).toMatchObject({ lastOffset: 3, attestedOffset: 2 });
  });

  it('is NOT_FOUND where there is no log, BAD_REQUEST where there is a file', async () => {
    const io = SimDisk.of(new Map([['/db/notes.txt', Uint8Array.of(1)]])).fileIo;
    await expect(verifyLog('/nowhere', { fileIo: io })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(verifyLog(DB, { fileIo: io })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(verifyLog('/db/notes.txt', { fileIo: io })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    });
    await expect(repairLog(DB, { fileIo: io })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('F-40 a disk that gives errors is reported, and not repaired', async () => {
    const disk = SimDisk.of(files);
    disk.fault = (call, path) =>
      call === 'read' && path === TWO
        ? Object.assign(new Error('EIO'), { code: 'EIO' })
        : undefined;
    const report = await verifyLog(DB, { fileIo: disk.fileIo });
    expect(report.ok).toBe(false);
    expect(report.problems).toMatchObject([{ code: 'WAL_IO_ERROR', details: { errno: 'EIO' } }]);
    await expect(repairLog(DB, { fileIo: disk.fileIo })).rejects.toMatchObject({
      code: 'WAL_IO_ERROR',
    });
    expect(disk.files()).toEqual(files);
  });
});

describe('repairing', () => {
  let files: Files;
  beforeAll(async () => {
    files = await closedLog();
  });

  const frame = (n: number): number => FIRST_FRAME + n * FRAME_BYTES;
  const LOSSLESS: Record<string, Damage> = {
    'the header of the first segment': flip(ONE, 30),
    'the header of a later segment': flip(TWO, 30),
    'two segments swapped': swap(TWO, THREE),
    'a segment grown': grow(TWO, 512),
    'a duplicated segment': duplicate(ONE, '/db/00000009.wal'),
    'a missing manifest': missing(MANIFEST),
    'a manifest cut short': cut(MANIFEST, 100),
    'both slots of the manifest': both(flip(MANIFEST, 40), flip(MANIFEST, 4096 + 40)),
    'the link of a segment': flip(TWO, 70),
    'the link of the first segment': flip(ONE, 70),
    'the link of the last segment': flip(THREE, 70),
    'header and link of a segment': zero(TWO, 0, FIRST_FRAME),
  };
  it.each(Object.entries(LOSSLESS))('F-31 keeps every record: %s', async (_, damage) => {
    const report = await repaired(damage(files));
    expect(report.problems.length).toBeGreaterThan(0);
    expect(report).toMatchObject({ lastOffset: 15, lost: undefined });
  });

  const LOSSES: Record<string, readonly [Damage, number, number]> = {
    'a flip in the first record': [flip(ONE, frame(0) + 60), 0, 15],
    'a flip in the header of a frame': [flip(ONE, frame(3) + 20), 3, 15],
    'a flip in a payload': [flip(TWO, frame(2) + 100), 9, 15],
    'a length that claims too much': [flip(ONE, frame(4) + 10, 255), 4, 15],
    'a zeroed page': [zero(TWO, frame(1), frame(3)), 8, 15],
    'a segment cut short': [cut(TWO, frame(3) + 10), 10, 15],
    'an empty segment': [cut(TWO, 0), 7, 15],
    'a missing segment in the middle': [missing(TWO), 7, 15],
    'the last segment missing': [missing(THREE), 14, 15],
    'a frame copied over another': [misdirect(ONE, frame(1), FRAME_BYTES, frame(4)), 4, 15],
    'the end of the last segment': [zero(THREE, frame(0), 4096), 14, 15],
    'two damages': [both(flip(TWO, frame(2) + 100), flip(ONE, frame(5) + 100)), 5, 15],
  };
  it.each(Object.entries(LOSSES))(
    'F-31 says what is lost: %s',
    async (_, [damage, kept, known]) => {
      const report = await repaired(damage(files));
      expect(report).toMatchObject({ lastOffset: kept, lost: { first: kept + 1, last: known } });
      expect(report.bytesRemoved).toBeGreaterThanOrEqual(0);
    },
  );

  it('F-31 a damaged mark costs no record', async () => {
    const marked = await markedLog();
    const bytes = marked.get(ONE) as Uint8Array;
    const magic = (at: number): boolean =>
      bytes[at + 4] === 0x46 && bytes[at + 5] === 0x50 && bytes[at + 6] === 3;
    const marks = Array.from({ length: bytes.length / 8 - 6 }, (_, i) => i * 8).filter(magic);
    expect(marks.length).toBeGreaterThan(1);
    const report = await repaired(flip(ONE, marks[0] as number)(marked));
    expect(report).toMatchObject({ lastOffset: 3, lost: undefined });
  });

  it('F-31 a segment prepared ahead whose header broke costs nothing', async () => {
    const killed = await killedLog();
    expect([...killed.keys()]).toContain(TWO);
    expect(await repaired(flip(TWO, 30)(killed))).toMatchObject({ lastOffset: 3, lost: undefined });
    expect(await repaired(missing(TWO)(killed))).toMatchObject({ lastOffset: 3, lost: undefined });
  });

  it('F-31 records that were written again count once', async () => {
    const disk = SimDisk.of(await killedLog());
    const { driver, writer } = await openDriver(disk.fileIo, DB);
    await driver.commit();
    await writer.close();
    // Segment 1 holds records 1 to 3, segment 2 record 3 again and 4.
    const report = await repaired(flip(TWO, 70)(disk.files()));
    expect(report).toMatchObject({ lastOffset: 4, lost: undefined });
  });

  it('F-15 F-31 what may not be synced is written again before anything builds on it', async () => {
    const killed = await killedLog();
    const bytes = killed.get(ONE) as Uint8Array;
    const end = Math.ceil((bytes.findLastIndex((byte) => byte !== 0) + 1) / 8) * 8;
    // Frames of 40-byte records: the copy of an older one behind the end is no torn write.
    const frameBytes = (end - FIRST_FRAME) / 3;
    const broken = misdirect(ONE, FIRST_FRAME, frameBytes, end)(killed);
    const disk = SimDisk.of(broken);
    expect(await verifyLog(DB, { fileIo: disk.fileIo })).toMatchObject({
      ok: false,
      attestedOffset: 2,
    });
    expect((await repairLog(DB, { fileIo: disk.fileIo })).lastOffset).toBe(3);
    const withoutDoubts = zero(ONE, FIRST_FRAME + 2 * frameBytes, bytes.length)(disk.files());
    await isWhole(SimDisk.of(withoutDoubts), 3);
  });

  it('F-31 the repaired log stands on either slot of the manifest', async () => {
    const disk = SimDisk.of(flip(TWO, frame(2) + 100)(files));
    expect((await repairLog(DB, { fileIo: disk.fileIo })).lastOffset).toBe(9);
    for (const slot of [0, 4096])
      await isWhole(SimDisk.of(flip(MANIFEST, slot + 40)(disk.files())), 9);
  });

  it('F-31 what is rewritten is split over segments when it must be', async () => {
    const report = await repaired(flip(ONE, 30)(files), 2048);
    expect(report).toMatchObject({ lastOffset: 15, lost: undefined });
  });

  it('F-31 nothing is done where nothing is wrong', async () => {
    const disk = SimDisk.of(files);
    const report = await repairLog(DB, { fileIo: disk.fileIo });
    expect(report).toEqual({
      problems: [],
      bytesRemoved: 0,
      lastOffset: 15,
      lost: undefined,
      saved: [],
      savedTo: '',
    });
    expect(disk.files()).toEqual(files);
  });

  it(
    'F-31 every single flip is repaired without losing a record before it',
    { timeout: 120_000 },
    async () => {
      let damaged = 0;
      for (const [path, bytes] of files) {
        for (let at = 0; at < bytes.length; at += 37) {
          const broken = flip(path, at, 1 << (at & 7))(files);
          const found = await verifyLog(DB, { fileIo: SimDisk.of(broken).fileIo });
          if (found.ok) continue;
          damaged++;
          const disk = SimDisk.of(broken);
          const { lastOffset } = await repairLog(DB, { fileIo: disk.fileIo });
          const { records } = await scanDriver(disk.fileIo, DB, { strict: true });
          // Only the record hit, and with it those behind, may be gone.
          const atLeast =
            path === ONE
              ? Math.floor((at - FIRST_FRAME) / FRAME_BYTES)
              : path === TWO
                ? 7
                : path === THREE
                  ? 14
                  : 15;
          if (records !== lastOffset || records < atLeast)
            throw new Error(`${path} at ${at}: ${records} kept, ${atLeast} were sound`);
        }
      }
      expect(damaged).toBeGreaterThan(100);
    },
  );

  it('WAL-5 a live writer is STORE_LOCKED and nothing is touched; a dry run needs no lock', async () => {
    const disk = SimDisk.of(flip(ONE, 30)(files));
    disk.isLocked = true;
    const before = disk.files();
    await expect(repairLog(DB, { fileIo: disk.fileIo })).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      details: { pid: 4242 },
    });
    expect((await repairLog(DB, { fileIo: disk.fileIo, dryRun: true })).problems).toHaveLength(1);
    expect(disk.files()).toEqual(before);
  });

  it('WAL-5 says in the directory what was wrong and what is lost', async () => {
    const disk = SimDisk.of(flip(TWO, frame(2) + 100)(files));
    const report = await repairLog(DB, { fileIo: disk.fileIo });
    const text = Buffer.from(
      disk.files().get(`${report.savedTo}/report.json`) as Uint8Array,
    ).toString();
    expect(JSON.parse(text)).toMatchObject({
      lastOffset: 9,
      lost: { first: 10, last: 15 },
      problems: [{ code: 'CORRUPT' }],
    });
    const again = flip('/db/00000004.wal', 140)(disk.files());
    const second = SimDisk.of(again, ['/', DB, '/db/damaged-1']);
    expect((await repairLog(DB, { fileIo: second.fileIo })).savedTo).toBe('/db/damaged-2');
  });
});

describe('a repair that dies', () => {
  /** Each damaged file is where it was, or a copy of it is aside. */
  function hasEverything(disk: SimDisk, before: Files): void {
    const after = disk.files();
    for (const [path, bytes] of before) {
      const copy = after.get(path.replace(DB, `${DB}/damaged-1`));
      const isKept = [after.get(path), copy].some(
        (one) => one !== undefined && Buffer.compare(one, bytes) === 0,
      );
      expect([path, isKept]).toEqual([path, true]);
    }
  }

  it(
    'F-16 F-31 at any call leaves a log that a second repair brings to the same records',
    { timeout: 120_000 },
    async () => {
      const files = await closedLog();
      const damages: readonly Damage[] = [
        flip(ONE, 30),
        flip(TWO, FIRST_FRAME + 70),
        missing(MANIFEST),
        swap(TWO, THREE),
        zero(TWO, 640, 700),
      ];
      let states = 0;
      for (const damage of damages) {
        const disk = SimDisk.of(damage(files));
        const { lastOffset } = await repairLog(DB, { fileIo: disk.fileIo, segmentBytes: 3000 });
        for (let length = 0; length <= disk.journal.length; length++) {
          // Once with everything that was written, once with what was synced alone.
          for (const keep of [true, false]) {
            const crashed = disk.crash(length, () => keep);
            hasEverything(crashed, damage(files));
            const again = await repairLog(DB, { fileIo: crashed.fileIo }).catch(
              (error: unknown) => {
                throw new Error(`after ${length}, kept ${keep}`, { cause: error });
              },
            );
            expect([length, keep, again.lastOffset]).toEqual([length, keep, lastOffset]);
            await isWhole(crashed, lastOffset);
            states++;
          }
        }
      }
      expect(states).toBeGreaterThan(100);
    },
  );

  it('F-39 a call that fails is WAL_IO_ERROR, and the repair can be run again', async () => {
    const files = flip(TWO, 30)(await closedLog());
    for (const call of ['write', 'sync', 'rename', 'syncdir', 'mkdir', 'remove'] as const) {
      for (let nth = 1; nth < 4; nth++) {
        const disk = SimDisk.of(files);
        let count = 0;
        disk.fault = (made) =>
          made === call && ++count === nth
            ? Object.assign(new Error('EIO'), { code: 'EIO' })
            : undefined;
        try {
          await repairLog(DB, { fileIo: disk.fileIo });
        } catch (error) {
          expect(error).toMatchObject({ code: 'WAL_IO_ERROR' });
        }
        disk.fault = undefined;
        expect(disk.isLocked).toBe(false);
        expect((await repairLog(DB, { fileIo: disk.fileIo })).lastOffset).toBe(15);
        await isWhole(disk, 15);
      }
    }
  });
});
