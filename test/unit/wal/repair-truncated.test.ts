/**
 * Logs of which the beginning was dropped, and damage to what says so: the manifest, the oldest
 * link, a slot of another store. And what the layer above has in files of its own: records up to
 * one offset are not needed then, and a gap before it costs nothing.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { undecided } from '../../../src/testing/sim-disk.ts';
import { MANIFEST_SLOT, SEGMENT_HEADER } from '../../../wal/format.ts';
import { openLog, repairLog, scan, verifyLog } from '../../../wal/index.ts';
import type { RepairReport } from '../../../wal/repair.ts';
import type { OnFrame } from '../../../wal/scan-report.ts';
import { createLogAt } from '../../../wal/create-log-at.ts';
import { type Damage, type Files, cut, flip, missing } from './damages.ts';
import { framesIn } from './forge.ts';
import { SimDisk, codeOf, fill, ones, openSim, readAll } from './public-fixture.ts';

const DB = '/db';
const MANIFEST = '/db/manifest';
const RECORDS = 90;

let files: Files;
let first: number;
let paths: string[];
/** Of another store that has seen more changes. */
let foreign: Uint8Array;
beforeAll(async () => {
  const disk = SimDisk.of();
  const log = await openSim(disk.fileIo);
  for (let i = 0; i < RECORDS; i++) await fill(log, ones(1));
  await log.truncateBefore(RECORDS / 2);
  first = log.firstOffset;
  await log.close();
  files = disk.files();
  paths = [...files.keys()].filter((path) => path.endsWith('.wal')).sort();
  const other = SimDisk.of();
  for (let i = 0; i < 30; i++) await (await openSim(other.fileIo)).close();
  foreign = other.files().get(MANIFEST) as Uint8Array;
});

const oldest = (): string => paths[0] as string;

interface Repaired {
  readonly report: RepairReport;
  readonly disk: SimDisk;
  readonly firstOffset: number;
}

/** What is left opens, holds every record it says, takes more, and opens strictly. */
async function repaired(damage: Damage, coveredThrough?: number): Promise<Repaired> {
  const disk = SimDisk.of(damage(files));
  const options = { fileIo: disk.fileIo, coveredThrough };
  const found = await verifyLog(DB, options);
  expect(found.ok).toBe(false);
  const planned = await repairLog(DB, { ...options, dryRun: true });
  const report = await repairLog(DB, options);
  expect(planned).toEqual({ ...report, savedTo: '' });
  expect([found.lastOffset, found.problems.length]).toEqual([
    report.lastOffset,
    report.problems.length,
  ]);
  const log = await openSim(disk.fileIo);
  const { firstOffset } = log;
  expect([firstOffset, log.lastOffset]).toEqual([found.firstOffset, report.lastOffset]);
  await readAll(log);
  await fill(log, [2]);
  await log.close();
  const { records } = await scan(DB, { fileIo: disk.fileIo, strict: true });
  expect(records).toBe(report.lastOffset + 2 - firstOffset + 1);
  expect((await verifyLog(DB, options)).ok).toBe(true);
  return { report, disk, firstOffset };
}

function both(...damages: Damage[]): Damage {
  return (before) => damages.reduce((changed, damage) => damage(changed), before);
}

/** The middle of the frame with the n-th frame of a file, the link being the first. */
function frame(path: string, n: number): Damage {
  return (before) => {
    const [...starts] = framesIn(before.get(path) as Uint8Array);
    return flip(path, (starts[n] as number) + 50)(before);
  };
}

const link: Damage = (before) => flip(oldest(), SEGMENT_HEADER.size + 20)(before);

function slotOfAnother(...slots: number[]): Damage {
  return (before) => {
    const copy = new Map(before);
    const bytes = (copy.get(MANIFEST) as Uint8Array).slice();
    for (const slot of slots) {
      const at = slot * MANIFEST_SLOT.size;
      bytes.set(foreign.subarray(at, at + MANIFEST_SLOT.size), at);
    }
    return copy.set(MANIFEST, bytes);
  };
}

const wholes: Record<string, Damage> = {
  'the manifest missing': missing(MANIFEST),
  'both slots of the manifest damaged': both(
    flip(MANIFEST, 100),
    flip(MANIFEST, MANIFEST_SLOT.size + 100),
  ),
  'the manifest empty': cut(MANIFEST, 0),
  'the oldest link damaged': link,
  'the oldest header damaged': (before) => flip(oldest(), 30)(before),
  'the manifest missing and the oldest link damaged': both(missing(MANIFEST), link),
  'one slot of another store': slotOfAnother(0),
  'the other slot of another store': slotOfAnother(1),
  'the manifest of another store': slotOfAnother(0, 1),
};

describe('F-28 F-31 a log whose beginning was dropped, with damage to what says so', () => {
  it.each(Object.entries(wholes))('keeps every record: %s', async (_, damage) => {
    for (const coveredThrough of [undefined, first - 1, first + 10, RECORDS]) {
      const { report, firstOffset } = await repaired(damage, coveredThrough);
      expect([firstOffset, report.lastOffset, report.lost]).toEqual([first, RECORDS, undefined]);
    }
  });

  it.each(Object.entries(wholes))(
    'F-16 also when the repair dies at any call, and is run again: %s',
    async (_, damage) => {
      const disk = SimDisk.of(damage(files));
      await repairLog(DB, { fileIo: disk.fileIo });
      for (let length = 0; length <= disk.journal.length; length++) {
        for (const keep of [true, false]) {
          if (!keep && undecided(disk, length).length === 0) continue;
          const crashed = disk.crash(length, () => keep);
          await repairLog(DB, { fileIo: crashed.fileIo });
          const found = await scan(DB, { fileIo: crashed.fileIo, strict: true });
          expect([length, found.firstOffset, found.lastOffset]).toEqual([length, first, RECORDS]);
        }
      }
    },
  );

  it('keeps what follows from the first record that can be proved', async () => {
    const lost = await repaired(both(frame(oldest(), 1), link));
    expect([lost.firstOffset, lost.report.lastOffset]).toEqual([first + 1, RECORDS]);
    const gone = await repaired(missing(oldest()));
    expect(gone.firstOffset).toBeGreaterThan(first + 5);
    expect(gone.report.lastOffset).toBe(RECORDS);
    const middle = await repaired(both(missing(MANIFEST), frame(paths[1] as string, 2)));
    expect([middle.firstOffset, middle.report.lastOffset]).toEqual([
      first,
      middle.report.lost && middle.report.lost.first - 1,
    ]);
    expect(middle.report.lost?.last).toBe(RECORDS);
  });

  it('names one place where one is damaged', async () => {
    for (const damage of [missing(MANIFEST), cut(MANIFEST, 0), slotOfAnother(0, 1), link]) {
      const { report } = await repaired(damage);
      expect(report.problems.map(({ code }) => code)).toEqual(['CORRUPT']);
    }
  });

  it('never lets a log that had its beginning begin later', async () => {
    const disk = SimDisk.of();
    const log = await openSim(disk.fileIo);
    for (let i = 0; i < RECORDS; i++) await fill(log, ones(1));
    await log.close();
    const one = '/db/00000001.wal';
    for (const hit of [
      both(frame(one, 1), missing(MANIFEST)),
      both(frame(one, 1), flip(one, 84)),
    ]) {
      const { fileIo } = SimDisk.of(hit(disk.files()));
      expect(await repairLog(DB, { fileIo })).toMatchObject({
        lastOffset: 0,
        lost: { first: 1, last: RECORDS },
      });
    }
  });

  it('F-24 the slot of another store does not bring its segments in', async () => {
    const { disk } = await repaired(slotOfAnother(0));
    const log = await openLog(DB, { fileIo: disk.fileIo, readOnly: true });
    const sound = await openLog(DB, { fileIo: SimDisk.of(files).fileIo, readOnly: true });
    expect(log.storeId).toBe(sound.storeId);
    await log.close();
    await sound.close();
  });
});

describe('F-31 a log of which the layer above has the beginning', () => {
  /** First and last record of a segment, as it was. */
  async function recordsIn(n: number): Promise<[number, number]> {
    const { segments } = await verifyLog(DB, { fileIo: SimDisk.of(files).fileIo });
    const { firstOffset = 0, lastOffset = 0 } = segments[n] ?? {};
    return [firstOffset, lastOffset];
  }

  it('begins behind a gap that is covered, and nothing is lost', async () => {
    const [from, to] = await recordsIn(1);
    const damage = missing(paths[1] as string);
    const { report, firstOffset, disk } = await repaired(damage, to);
    expect([firstOffset, report.lastOffset, report.lost]).toEqual([to + 1, RECORDS, undefined]);
    // What lay before the gap is no part of the log any more; it was saved.
    expect(disk.files().has(oldest())).toBe(false);
    expect(report.saved).toContain(oldest().slice(DB.length + 1));
    const uncovered = await repaired(damage, to - 1);
    expect([uncovered.firstOffset, uncovered.report.lastOffset]).toEqual([to, to - 1]);
    expect(uncovered.report.lost).toEqual({ first: to, last: RECORDS });
    const nobody = await repaired(damage);
    expect([nobody.firstOffset, nobody.report.lastOffset]).toEqual([first, from - 1]);
  });

  it('leaves the files behind a gap at the end of a segment as they are', async () => {
    const [, to] = await recordsIn(1);
    const { disk } = await repaired(missing(paths[1] as string), to);
    expect(disk.files().get(paths[2] as string)).toEqual(files.get(paths[2] as string));
  });

  it('leaves files as they are also when what was damaged lies before them', async () => {
    const [from, to] = await recordsIn(1);
    const { disk, firstOffset } = await repaired(frame(paths[1] as string, to - from + 1), to);
    expect(firstOffset).toBe(to + 1);
    expect(disk.files().get(paths[2] as string)).toEqual(files.get(paths[2] as string));
  });

  it('shows whoever reads on only what is kept', async () => {
    const [, to] = await recordsIn(1);
    const { fileIo } = SimDisk.of(missing(paths[1] as string)(files));
    let offsets: number[] = [];
    const begin = (): OnFrame => {
      offsets = [];
      return (_bytes, _start, _end, from, count) => {
        for (let i = 0; i < count; i++) offsets.push(from + i);
      };
    };
    const { firstOffset, lastOffset } = await verifyLog(DB, { fileIo, coveredThrough: to, begin });
    expect([firstOffset, lastOffset]).toEqual([to + 1, RECORDS]);
    expect(offsets).toEqual(Array.from({ length: RECORDS - to }, (_, i) => to + 1 + i));
    await verifyLog(DB, { fileIo, coveredThrough: RECORDS + 1, begin });
    expect(offsets).toEqual([]);
  });

  it('begins in the middle of a segment when the damage is there', async () => {
    const [from] = await recordsIn(1);
    const damage = frame(paths[1] as string, 3);
    const { report, firstOffset } = await repaired(damage, from + 30);
    expect([firstOffset, report.lastOffset, report.lost]).toEqual([from + 3, RECORDS, undefined]);
    const exact = await repaired(damage, from + 2);
    expect([exact.firstOffset, exact.report.lastOffset]).toEqual([from + 3, RECORDS]);
    const disk = SimDisk.of(damage(files));
    await repairLog(DB, { fileIo: disk.fileIo, coveredThrough: from + 2 });
    for (const path of paths) expect([path, disk.files().has(path)]).toEqual([path, false]);
    // Record from + 2 is the one that was hit.
    const less = await repaired(damage, from + 1);
    expect([less.firstOffset, less.report.lastOffset]).toEqual([first, from + 1]);
    expect(less.report.lost).toEqual({ first: from + 2, last: RECORDS });
  });

  it('of several gaps begins behind the last one that is covered', async () => {
    const [from] = await recordsIn(2);
    const damage = both(
      frame(oldest(), 2),
      missing(paths[1] as string),
      frame(paths[2] as string, 2),
    );
    const { report, firstOffset } = await repaired(damage, from + 1);
    expect([firstOffset, report.lastOffset, report.lost]).toEqual([from + 2, RECORDS, undefined]);
    const before = await repaired(damage, from - 1);
    expect([before.firstOffset, before.report.lastOffset]).toEqual([from, from]);
  });

  it.each([
    ['begins too late', (): number => first - 2],
    ['ends too early', (): number => RECORDS + 5],
  ])('that %s is empty behind what there is', async (_, covered) => {
    const { report, firstOffset } = await repaired((whole) => whole, covered());
    expect([firstOffset, report.lastOffset]).toEqual([covered() + 1, covered()]);
    const last = covered() < RECORDS ? { first: covered() + 1, last: RECORDS } : undefined;
    expect(report.lost).toEqual(last);
    expect(report.saved.length).toBe(paths.length + 1);
  });

  it('that lost all its files is empty behind what there is', async () => {
    const { report, firstOffset } = await repaired(both(...paths.map(missing)), 70);
    expect([firstOffset, report.lastOffset]).toEqual([71, 70]);
    const nothing = await repaired(both(missing(MANIFEST), ...paths.slice(1).map(missing)), 70);
    expect([nothing.firstOffset, nothing.report.lastOffset]).toEqual([71, 70]);
  });

  it('F-27 nothing is done where nobody has the beginning: an empty log is no repair', async () => {
    const all = both(...paths.map(missing));
    for (const damage of [(whole: Files) => whole, missing(MANIFEST), link, all]) {
      const disk = SimDisk.of(damage(files));
      const before = disk.files();
      const options = { fileIo: disk.fileIo, coveredThrough: 0 };
      expect((await verifyLog(DB, options)).ok).toBe(false);
      expect(await codeOf(repairLog(DB, options))).toBe('CORRUPT');
      expect(disk.files()).toEqual(before);
    }
  });

  it('F-16 also when the repair dies at any call, and is run again', async () => {
    const [from] = await recordsIn(2);
    const damages: [Damage, number, number, number][] = [
      [frame(paths[2] as string, 2), from + 5, from + 2, RECORDS],
      [both(missing(MANIFEST), frame(paths[2] as string, 2)), from + 5, from + 2, RECORDS],
      [missing(paths[1] as string), from, from, RECORDS],
      [(whole) => whole, RECORDS + 5, RECORDS + 6, RECORDS + 5],
    ];
    for (const [damage, coveredThrough, firstOffset, lastOffset] of damages) {
      const disk = SimDisk.of(damage(files));
      await repairLog(DB, { fileIo: disk.fileIo, coveredThrough });
      for (let length = 0; length <= disk.journal.length; length++) {
        for (const keep of [true, false]) {
          if (!keep && undecided(disk, length).length === 0) continue;
          const { fileIo } = disk.crash(length, () => keep);
          await repairLog(DB, { fileIo, coveredThrough });
          expect([length, await scan(DB, { fileIo, strict: true })]).toMatchObject([
            length,
            { firstOffset, lastOffset },
          ]);
        }
      }
    }
  });

  it('keeps, or takes, the bytes of the layer above', async () => {
    const disk = SimDisk.of(link(files));
    const extra = Uint8Array.of(5, 6, 7);
    await repairLog(DB, { fileIo: disk.fileIo, manifestExtra: extra });
    const bytes = disk.files().get(MANIFEST) as Uint8Array;
    for (const at of [0, MANIFEST_SLOT.size])
      expect(bytes.subarray(at + MANIFEST_SLOT.extra, at + MANIFEST_SLOT.extra + 3)).toEqual(extra);
  });

  it('SNP-5 a log that never had a beginning is repaired like any other', async () => {
    const disk = SimDisk.of();
    const { fileIo } = disk;
    const storeId = Uint8Array.from({ length: 16 }, (_, i) => i);
    const empty = async (): Promise<Uint8Array> => new Uint8Array(0);
    await createLogAt(DB, { fileIo, storeId, lastOffset: 500, fill: empty });
    await fileIo.remove(MANIFEST);
    expect(await codeOf(openLog(DB, { fileIo }))).toBe('CORRUPT');
    await repairLog(DB, { fileIo, coveredThrough: 500 });
    const log = await openLog(DB, { fileIo });
    expect([log.firstOffset, log.lastOffset]).toEqual([501, 500]);
    expect(await log.append(Uint8Array.of(1))).toBe(501);
    await log.close();
  });
});
