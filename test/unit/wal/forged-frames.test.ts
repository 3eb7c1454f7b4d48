/**
 * Bytes whose checksums hold and that no log of this version ever wrote. No disk does that; a bug
 * would, or a newer version. They are refused at their place: never believed, never passed over.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { isStoreError } from '../../../src/base/errors.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { FRAME, FRAME_KIND, SEGMENT_HEADER } from '../../../wal/format.ts';
import { FrameHeader } from '../../../wal/frame.ts';
import { scan } from '../../../wal/index.ts';
import { RecordCursor } from '../../../wal/payload.ts';
import { repairLog } from '../../../wal/repair.ts';
import { verifyLog } from '../../../wal/verify.ts';
import { type Damage, type Files, both, flip, missing, zero } from './damages.ts';
import { type Change, framesIn, reframe, reheader, relink, remanifest, reslot } from './forge.ts';
import { openDriver, scanDriver } from './log-driver.ts';
import { SimDisk } from 'pawl/testing';

const DB = '/db';
const [ONE, TWO, THREE] = ['/db/00000001.wal', '/db/00000002.wal', '/db/00000003.wal'] as const;

/** Three segments, cleanly closed: records 1 to 15, each in a frame of its own. */
async function closedLog(): Promise<Files> {
  const disk = SimDisk.of();
  const { driver, writer } = await openDriver(disk.fileIo, DB);
  driver.recordBytes = 500;
  for (let i = 0; i < 15; i++) await driver.commit();
  await writer.close();
  return disk.files();
}

/** What opening and scanning say, which is the same; both leave the files as they are. */
async function refusal(
  files: Files,
): Promise<{ code: string; file: unknown; byteOffset: unknown }> {
  const disk = SimDisk.of(files);
  const [opening, scanning] = await Promise.allSettled([
    openDriver(disk.fileIo, DB),
    scanDriver(SimDisk.of(files).fileIo, DB),
  ]);
  expect([disk.journal, disk.isLocked]).toEqual([[], false]);
  if (opening.status === 'fulfilled' || scanning.status === 'fulfilled')
    throw new Error('it was opened, or scanned, as if nothing were wrong');
  const error: unknown = opening.reason;
  if (!isStoreError(error)) throw error;
  expect(scanning.reason).toMatchObject({ code: error.code, details: error.details });
  const { file, byteOffset } = error.details as { file?: unknown; byteOffset?: unknown };
  return { code: error.code, file, byteOffset };
}

/** The damage is in the report, and a repair gives a log that opens with the records the report promised. */
async function repairable(files: Files): Promise<number> {
  const report = await verifyLog(DB, { fileIo: SimDisk.of(files).fileIo });
  expect([report.ok, report.problems.length > 0]).toEqual([false, true]);
  const disk = SimDisk.of(files);
  const { lastOffset } = await repairLog(DB, { fileIo: disk.fileIo });
  expect(lastOffset).toBe(report.lastOffset);
  expect((await scanDriver(disk.fileIo, DB, { strict: true })).records).toBe(lastOffset);
  return lastOffset;
}

let files: Files;
let starts: number[];
beforeAll(async () => {
  files = await closedLog();
  starts = framesIn(files.get(ONE) as Uint8Array);
});

describe('a sealed frame that makes no sense', () => {
  const forgeries: Record<string, readonly [number, Change]> = {
    'data without records': [3, (header) => (header.recordCount = 0)],
    'data without a payload': [3, (header) => (header.payloadLength = 0)],
    'a mark with records': [
      3,
      (header) => Object.assign(header, { kind: FRAME_KIND.mark, payloadLength: 0 }),
    ],
    'a mark with a payload': [
      3,
      (header) => Object.assign(header, { kind: FRAME_KIND.mark, recordCount: 0 }),
    ],
    'a link in the middle, with records': [3, (header) => (header.kind = FRAME_KIND.link)],
    'a link in the middle, of another length': [
      3,
      (header) => Object.assign(header, { kind: FRAME_KIND.link, recordCount: 0 }),
    ],
    'a first frame with records': [0, (header) => (header.recordCount = 1)],
  };
  it.each(Object.entries(forgeries))('F-20 F-24 is CORRUPT: %s', async (_, [n, change]) => {
    const forged = reframe(ONE, n, change)(files);
    expect(await refusal(forged)).toEqual({
      code: 'CORRUPT',
      file: '00000001.wal',
      byteOffset: starts[n],
    });
    // Every frame behind it is chained to it: what is kept ends before it, and begins with the log.
    expect(await repairable(forged)).toBe(n === 0 ? 15 : n - 1);
  });

  it('F-9 a first frame that is no link makes a segment void where nothing attests it', async () => {
    const disk = SimDisk.of();
    const { driver } = await openDriver(disk.fileIo, DB, { durability: 'os' });
    await driver.commit();
    const toRecord: Change = (header, payload) => {
      Object.assign(header, { kind: FRAME_KIND.data, recordCount: 1 });
      payload.setUint8(0, 15 * 2 + 1);
    };
    const { fileIo: io } = SimDisk.of(reframe(ONE, 0, toRecord)(disk.files()));
    const { records, report } = await scanDriver(io, DB);
    expect([records, report?.chain.voids.includes(1)]).toEqual([0, true]);
  });

  it('F-20 numbers that cannot be counted on are no frame', () => {
    const sound = { kind: FRAME_KIND.data, recordCount: 1, payloadLength: 1 };
    const most = Number.MAX_SAFE_INTEGER;
    const isPlausible = (fields: Partial<FrameHeader>): boolean =>
      Object.assign(new FrameHeader(), sound, fields).isPlausible;
    expect(isPlausible({ firstOffset: most - 1, attestedOffset: most })).toBe(true);
    expect(isPlausible({ firstOffset: most })).toBe(false);
    expect(isPlausible({ attestedOffset: most + 1 })).toBe(false);
  });

  it.each([
    ['offset', { firstOffset: 2 ** 53 }],
    ['attested offset', { attestedOffset: 2 ** 53 }],
  ])('F-20 is CORRUPT: a link with an %s no number can hold', async (_, fields) => {
    const forged = reframe(ONE, 0, (header) => Object.assign(header, fields))(files);
    const [byteOffset] = starts;
    expect(await refusal(forged)).toEqual({ code: 'CORRUPT', file: '00000001.wal', byteOffset });
    expect(await repairable(forged)).toBe(15);
  });

  it('F-9 F-22 a first frame that is no link is CORRUPT in a segment that something attests', async () => {
    const toData: Change = (header) =>
      Object.assign(header, { kind: FRAME_KIND.data, recordCount: 1 });
    const [byteOffset] = starts;
    expect(await refusal(reframe(ONE, 0, toData)(files))).toEqual({
      code: 'CORRUPT',
      file: '00000001.wal',
      byteOffset,
    });
  });
});

describe('a payload that is not what its header says', () => {
  let oneSegment: Files;
  beforeAll(async () => {
    const disk = SimDisk.of();
    const { driver } = await openDriver(disk.fileIo, DB);
    for (let i = 0; i < 2; i++) await driver.commit(2);
    // Two commits in one frame.
    await Promise.all([driver.commit(), driver.commit()]);
    oneSegment = disk.files();
  });

  const payloads: Record<string, Change> = {
    'a record longer than its frame': (_, payload) => payload.setUint8(0, 0x7f),
    'a length without an end': (_, payload) => payload.setUint32(0, 0xffffffff),
    'fewer records than it counts': (header) => (header.recordCount = 3),
    'more records than it counts': (header) => (header.recordCount = 1),
    'a commit without an end': (_, payload) => payload.setUint8(41, 80),
  };

  it.each(Object.entries(payloads))(
    'F-0b is CORRUPT, and gives no record of it: %s',
    async (_, change) => {
      const forged = reframe(ONE, 3, change)(oneSegment);
      const byteOffset = framesIn(oneSegment.get(ONE) as Uint8Array)[3];
      expect(await refusal(forged)).toEqual({ code: 'CORRUPT', file: '00000001.wal', byteOffset });
      const offsets: number[] = [];
      const scanning = scan(DB, {
        fileIo: SimDisk.of(forged).fileIo,
        onRecord: ({ offset }) => offsets.push(offset),
      });
      await expect(scanning).rejects.toMatchObject({ code: 'CORRUPT', details: { offset: 5 } });
      expect(offsets).toEqual([1, 2, 3, 4]);
    },
  );

  it('a cursor never steps outside the bytes it was given', () => {
    const cursor = new RecordCursor();
    for (const bytes of [[5, 1], [0x80], [255, 255, 255, 255, 255], [3]]) {
      cursor.reset(Uint8Array.from(bytes), 0, bytes.length, 1);
      expect(() => cursor.advance()).toThrow(RangeError);
    }
    cursor.reset(Uint8Array.from([5, 1, 2]), 0, 3, 7);
    expect([cursor.advance(), cursor.offset, cursor.end]).toEqual([true, 7, 3]);
    expect(cursor.advance()).toBe(false);
  });
});

describe('a link that does not fit', () => {
  // Where it is told: in the segment with the link, or in the one it names.
  const links: Record<string, readonly [Damage, string, number]> = {
    'names its own segment': [relink(TWO, { segment: 2 }), '00000002.wal', SEGMENT_HEADER.size],
    'names a later segment': [relink(TWO, { segment: 9 }), '00000002.wal', SEGMENT_HEADER.size],
    'continues behind the end of a file': [relink(THREE, { bytes: 8192 }), '00000002.wal', 4096],
    'continues another frame': [relink(THREE, { chain: 1 }), '00000003.wal', SEGMENT_HEADER.size],
    'begins with another record': [
      relink(THREE, { firstOffset: 14 }),
      '00000003.wal',
      SEGMENT_HEADER.size,
    ],
    'begins the log with another record than the first': [
      relink(ONE, { firstOffset: 2 }),
      '00000001.wal',
      SEGMENT_HEADER.size,
    ],
    'begins the log and continues something': [
      relink(ONE, { bytes: 64 }),
      '00000001.wal',
      SEGMENT_HEADER.size,
    ],
  };
  it.each(Object.entries(links))('F-25 is CORRUPT: one that %s', async (_, [damage, ...place]) => {
    const forged = damage(files);
    const [file, byteOffset] = place;
    expect(await refusal(forged)).toEqual({ code: 'CORRUPT', file, byteOffset });
    const { ok, problems } = await verifyLog(DB, { fileIo: SimDisk.of(forged).fileIo });
    expect(ok).toBe(false);
    expect(new Set(problems.map((problem) => problem.code))).toEqual(new Set(['CORRUPT']));
  });

  it('F-15 F-24 a frame that belongs elsewhere among those written again is CORRUPT', async () => {
    const killed = SimDisk.of();
    const first = await openDriver(killed.fileIo, DB, { durability: 'os' });
    for (let i = 0; i < 4; i++) await first.driver.commit();
    killed.nextProcess();
    const second = await openDriver(killed.fileIo, DB);
    expect(second.writer.recovery.recordsRewritten).toBe(4);
    const rewritten = killed.files();
    const path = [...rewritten.keys()].findLast((name) => name.endsWith('.wal')) as string;
    // As if the mark behind them were not written yet: nothing attests them.
    const mark = framesIn(rewritten.get(path) as Uint8Array).at(-1) as number;
    const doubtful = zero(path, mark, mark + FRAME.size)(rewritten);
    expect((await scanDriver(SimDisk.of(doubtful).fileIo, DB)).records).toBe(4);
    const forged = reframe(path, 3, (header) => (header.firstOffset += 1))(doubtful);
    const file = path.slice(DB.length + 1);
    expect(await refusal(forged)).toMatchObject({ code: 'CORRUPT', file });
  });
});

describe('a later version', () => {
  it('F-56 of one slot of the manifest is FORMAT_UNSUPPORTED, whichever it is', async () => {
    for (const slot of [0, 1] as const) {
      const forged = reslot(slot, 'version', 2)(files);
      expect(await refusal(forged)).toMatchObject({ code: 'FORMAT_UNSUPPORTED', file: 'manifest' });
    }
  });

  it('F-28 a slot that claims more bytes of the layer above than fit is not valid', async () => {
    for (const slot of [0, 1] as const) {
      const forged = reslot(slot, 'extraLength', 4033)(files);
      expect((await scanDriver(SimDisk.of(forged).fileIo, DB)).records).toBe(15);
    }
    const neither = both(reslot(0, 'extraLength', 4033), reslot(1, 'extraLength', 4033))(files);
    expect(await refusal(neither)).toEqual({ code: 'CORRUPT', file: 'manifest', byteOffset: 0 });
  });

  it('F-28 a slot with numbers that cannot be counted on is not valid', async () => {
    const late = remanifest(() => ({ sequence: 2 ** 53 }));
    const high = remanifest((state) => ({ attested: { ...state.attested, offset: 2 ** 53 } }));
    for (const forgery of [late, high]) {
      expect(await refusal(forgery(files))).toMatchObject({ code: 'CORRUPT', file: 'manifest' });
      expect(await repairable(forgery(files))).toBe(15);
    }
  });

  it('F-25 F-31 segments a manifest names without end are missing, and counted to an end', async () => {
    const forged = remanifest(() => ({ highestSegment: 2 ** 32 - 1 }))(files);
    expect(await refusal(forged)).toEqual({
      code: 'CORRUPT',
      file: '00000004.wal',
      byteOffset: 0,
    });
    const { problems, lastOffset } = await verifyLog(DB, { fileIo: SimDisk.of(forged).fileIo });
    expect([problems.length, lastOffset]).toEqual([1000, 15]);
  });

  const beside: Record<string, Damage> = {
    'damage elsewhere': both(reheader(ONE, 'version', 2), flip(THREE, 30)),
    'a lost manifest': both(reheader(THREE, 'version', 2), missing('/db/manifest')),
  };
  it.each(Object.entries(beside))(
    'F-56 beside %s is what verification says, and is not repaired',
    async (_, damage) => {
      const forged = damage(files);
      const disk = SimDisk.of(forged);
      const report = await verifyLog(DB, { fileIo: disk.fileIo });
      expect(report).toMatchObject({ ok: false, problems: [{ code: 'FORMAT_UNSUPPORTED' }] });
      await expect(repairLog(DB, { fileIo: disk.fileIo })).rejects.toMatchObject({
        code: 'FORMAT_UNSUPPORTED',
      });
      expect(disk.files()).toEqual(forged);
    },
  );
});

describe('a segment of another store', () => {
  it('F-24 F-31 is put aside by a repair, which keeps what lies before it', async () => {
    const foreign = SimDisk.of();
    const { driver, writer } = await openDriver(foreign.fileIo, DB, { random: seededRandom(8) });
    driver.recordBytes = 500;
    for (let i = 0; i < 15; i++) await driver.commit();
    await writer.close();
    const stranger = foreign.files().get(TWO) as Uint8Array;
    const mixed = new Map(files).set(TWO, stranger);
    expect(await refusal(mixed)).toMatchObject({ code: 'CORRUPT', file: '00000002.wal' });
    const disk = SimDisk.of(mixed);
    const report = await repairLog(DB, { fileIo: disk.fileIo });
    expect(report).toMatchObject({ lastOffset: 7, lost: { first: 8, last: 15 } });
    expect(disk.files().get(`${report.savedTo}/00000002.wal`)).toEqual(stranger);
    expect((await scanDriver(disk.fileIo, DB, { strict: true })).records).toBe(7);
  });
});

describe('what is left of a log without its manifest', () => {
  it('F-31 is told by the headers that are whole', async () => {
    expect(await repairable(both(missing('/db/manifest'), flip(ONE, 30))(files))).toBe(15);
  });
});
