/** Frames larger than the buffers they pass through when they are written again, salvaged, or copied aside. */
import { describe, expect, it } from 'vitest';
import { repairLog } from '../../../wal/repair.ts';
import type { LogWriter } from '../../../wal/writer.ts';
import { both, flip, missing } from './damages.ts';
import { framesIn } from './forge.ts';
import { type Ticket, openDriver, scanDriver } from './log-driver.ts';
import { SimDisk } from 'pawl/testing';

const DB = '/db';
const MiB = 1024 * 1024;
/** Buffers take 1 MiB: two that share one, one that needs its own, one that needs a larger one, and a small one behind. */
const SIZES = [400_000, 400_000, 900_000, MiB + 70_000, 40, 2 * MiB, 40] as const;
const options = { segmentBytes: 16 * MiB, durability: 'os' } as const;
/** A segment that takes all of them: only what lies in earlier ones is attested. */
const SEGMENT = 8 * MiB;

/** Ends with frames of those sizes in one segment. Gives the writer and the last offset. */
async function written(disk: SimDisk): Promise<{ last: number; writer: LogWriter<Ticket> }> {
  const { driver, writer } = await openDriver(disk.fileIo, DB, options);
  driver.recordBytes = 250_000;
  const current = (): number => writer.files.segments.held.at(-1)?.sizeBytes ?? 0;
  while (current() < SEGMENT) await driver.commit();
  for (const size of SIZES) {
    driver.recordBytes = size;
    await driver.commit();
  }
  expect(writer.files.segments.held.at(-1)?.sizeBytes).toBe(SEGMENT);
  return { last: writer.acceptedOffset, writer };
}

describe('frames larger than a buffer', () => {
  it('F-15 left in doubt by a kill are all written again, and survive a power cut then', async () => {
    const disk = SimDisk.of();
    const { last } = await written(disk);
    disk.nextProcess();
    const { writer, replayed } = await openDriver(disk.fileIo, DB, options);
    expect([replayed, writer.durableOffset]).toEqual([last, last]);
    expect(writer.recovery.recordsRewritten).toBeGreaterThan(SIZES.length);
    const cut = disk.crash(disk.journal.length, () => false);
    expect((await scanDriver(cut.fileIo, DB, { strict: true })).records).toBe(last);
    await writer.close();
  });

  it('F-31 are salvaged by a repair, and what it takes out is copied aside whole', async () => {
    const disk = SimDisk.of();
    const { last, writer } = await written(disk);
    await writer.close();
    const files = disk.files();
    const segments = [...files].filter(([path]) => path.endsWith('.wal'));
    const [first] = segments.map(([path]) => path).sort() as [string];
    expect(Math.max(...segments.map(([, bytes]) => bytes.length))).toBeGreaterThan(MiB);
    // No record is hit: the link of the first segment, and the manifest.
    const [link] = framesIn(files.get(first) as Uint8Array) as [number];
    const damaged = SimDisk.of(both(missing('/db/manifest'), flip(first, link + 8))(files));
    const before = damaged.files();
    const report = await repairLog(DB, { fileIo: damaged.fileIo });
    expect(report).toMatchObject({ lastOffset: last, lost: undefined });
    for (const name of report.saved) {
      const copy = damaged.files().get(`${report.savedTo}/${name}`);
      expect([name, copy && Buffer.compare(copy, before.get(`/db/${name}`) as Uint8Array)]).toEqual(
        [name, 0],
      );
    }
    expect((await scanDriver(damaged.fileIo, DB, { strict: true })).records).toBe(last);
  });
});
