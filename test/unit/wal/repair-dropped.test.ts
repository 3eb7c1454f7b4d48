/** Damage to logs of which the beginning was dropped on purpose, and to logs with nothing left in them. */
import { beforeAll, describe, expect, it } from 'vitest';
import { repairLog } from '../../../wal/repair.ts';
import { openLog, scan } from '../../../wal/index.ts';
import { verifyLog } from '../../../wal/verify.ts';
import { type Damage, type Files, cut, flip, missing, zero } from './damages.ts';
import { framesIn } from './forge.ts';
import { openDriver } from './log-driver.ts';
import { fill, ones, openSim, readAll } from './public-fixture.ts';
import { SimDisk } from 'pawl/testing';

const DB = '/db';
const RECORDS = 90;

let files: Files;
let first: number;
/** Segments that are left, oldest first. */
let paths: string[];
beforeAll(async () => {
  const disk = SimDisk.of();
  const log = await openSim(disk.fileIo);
  for (let i = 0; i < RECORDS; i++) await fill(log, ones(1));
  await log.truncateBefore(RECORDS / 2);
  first = log.firstOffset;
  await log.close();
  files = disk.files();
  paths = [...files.keys()].filter((path) => path.endsWith('.wal')).sort();
});

/** Repairs; what is left opens, begins where it began, and takes more. Gives the last record kept. */
async function repaired(damage: Damage): Promise<number> {
  const disk = SimDisk.of(damage(files));
  const found = await verifyLog(DB, { fileIo: disk.fileIo });
  expect([found.ok, found.firstOffset]).toEqual([false, first]);
  const { lastOffset } = await repairLog(DB, { fileIo: disk.fileIo });
  expect(lastOffset).toBe(found.lastOffset);
  const log = await openSim(disk.fileIo);
  expect([log.firstOffset, log.lastOffset]).toEqual([first, lastOffset]);
  await readAll(log);
  await fill(log, [2]);
  await log.close();
  return lastOffset;
}

describe('a log whose beginning was dropped', () => {
  it('WAL-5 WAL-7 is whole, and begins behind what was dropped', async () => {
    expect([first > 20, paths.length > 2]).toEqual([true, true]);
    expect(paths).not.toContain('/db/00000001.wal');
    const report = await verifyLog(DB, { fileIo: SimDisk.of(files).fileIo });
    expect(report).toMatchObject({ ok: true, firstOffset: first, lastOffset: RECORDS });
  });

  it('F-31 keeps every record when only a header or a slot of the manifest is hit', async () => {
    expect(await repaired(flip(paths[0] as string, 30))).toBe(RECORDS);
    expect(await repaired(flip(paths[1] as string, 30))).toBe(RECORDS);
    expect(await repaired(flip(paths.at(-1) as string, 30))).toBe(RECORDS);
  });

  // The manifest once went on asking for the oldest file, which had been replaced: no log any more, after any number of repairs.
  it('F-16 F-31 keeps every record also when the repair dies at any call, and is run again', async () => {
    const disk = SimDisk.of(flip(paths[0] as string, 30)(files));
    await repairLog(DB, { fileIo: disk.fileIo });
    for (let length = 0; length <= disk.journal.length; length++) {
      for (const keep of [true, false]) {
        const crashed = disk.crash(length, () => keep);
        const { lastOffset } = await repairLog(DB, { fileIo: crashed.fileIo });
        const { firstOffset, records } = await scan(DB, { fileIo: crashed.fileIo, strict: true });
        expect([length, lastOffset, firstOffset]).toEqual([length, RECORDS, first]);
        expect(records).toBe(RECORDS - first + 1);
      }
    }
  });

  it('F-31 keeps what lies before the damage, from its own first record on', async () => {
    const path = paths[1] as string;
    const starts = framesIn(files.get(path) as Uint8Array);
    const before = (await verifyLog(DB, { fileIo: SimDisk.of(files).fileIo })).segments[0]
      ?.lastOffset;
    expect(await repaired(flip(path, (starts[3] as number) + 50))).toBe((before as number) + 2);
    expect(await repaired(missing(path))).toBe(before);
    expect(await repaired(zero(path, starts[1] as number, starts[4] as number))).toBe(before);
  });

  it('F-31 leaves the files before the damage as they are', async () => {
    const [before, hit] = paths as [string, string];
    const [, , second] = framesIn(files.get(hit) as Uint8Array) as [number, number, number];
    const disk = SimDisk.of(flip(hit, second + 50)(files));
    const { saved } = await repairLog(DB, { fileIo: disk.fileIo });
    expect(saved).not.toContain(before.slice(DB.length + 1));
    expect(disk.files().get(before)).toEqual(files.get(before));
  });

  it('F-31 keeps nothing when its first record is hit, and goes on behind', async () => {
    const path = paths[0] as string;
    const [, second] = framesIn(files.get(path) as Uint8Array) as [number, number];
    expect(await repaired(flip(path, second + 50))).toBe(first - 1);
  });

  it('F-25 F-31 is CORRUPT without its oldest segment', async () => {
    const disk = SimDisk.of(missing(paths[0] as string)(files));
    const { ok, problems } = await verifyLog(DB, { fileIo: disk.fileIo });
    expect(ok).toBe(false);
    expect(problems[0]?.details).toMatchObject({ file: (paths[0] as string).slice(DB.length + 1) });
  });
});

describe('a log of which nothing is left', () => {
  async function oneRecord(): Promise<Files> {
    const disk = SimDisk.of();
    const { driver, writer } = await openDriver(disk.fileIo, DB);
    await driver.commit();
    await writer.close();
    return disk.files();
  }

  const losses: Record<string, Damage> = {
    'its only segment missing': missing('/db/00000001.wal'),
    'its only segment empty': cut('/db/00000001.wal', 0),
    'its only segment zeros': zero('/db/00000001.wal', 0, 4096),
  };
  it.each(Object.entries(losses))(
    'F-31 F-25 is an empty log after a repair: %s',
    async (_, loss) => {
      const disk = SimDisk.of(loss(await oneRecord()));
      const report = await repairLog(DB, { fileIo: disk.fileIo });
      expect(report).toMatchObject({ lastOffset: 0, lost: { first: 1, last: 1 } });
      const log = await openLog(DB, { fileIo: disk.fileIo });
      expect(log.lastOffset).toBe(0);
      await fill(log, [1]);
      await log.close();
    },
  );

  it('F-31 a segment cut inside a payload loses that record, and those behind it', async () => {
    const disk = SimDisk.of();
    const { driver, writer } = await openDriver(disk.fileIo, DB);
    driver.recordBytes = 500;
    for (let i = 0; i < 15; i++) await driver.commit();
    await writer.close();
    const path = '/db/00000002.wal';
    const [, , , third] = framesIn(disk.files().get(path) as Uint8Array);
    const damaged = SimDisk.of(cut(path, (third as number) + 100)(disk.files()));
    expect(await repairLog(DB, { fileIo: damaged.fileIo })).toMatchObject({
      lastOffset: 9,
      lost: { first: 10, last: 15 },
    });
  });
});
