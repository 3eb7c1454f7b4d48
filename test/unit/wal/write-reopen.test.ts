/** Writing, closing, killing and opening again, on a simulated disk. */
import { describe, expect, it } from 'vitest';
import { openDriver, scanDriver } from './log-driver.ts';
import { SimDisk } from './sim-disk.ts';

describe('a log', () => {
  it('gives back after a clean close what was committed, in order', async () => {
    const disk = new SimDisk();
    const { driver, writer } = await openDriver(disk.io, '/db');
    await driver.commit();
    await Promise.all([driver.commit(3), driver.commit(), driver.commit(2)]);
    for (let i = 0; i < 200; i++) await driver.commit();
    await writer.close();
    const { records, report } = await scanDriver(disk.io, '/db', { strict: true });
    expect(records).toBe(207);
    expect(report?.bytesTruncated).toBe(0);
    expect(report?.segments.length).toBeGreaterThan(2);
    const again = await openDriver(disk.io, '/db');
    expect(again.replayed).toBe(207);
    expect(again.writer.recovery).toMatchObject({
      recordsReplayed: 207,
      bytesTruncated: 0,
      recordsRewritten: 0,
    });
    expect(await again.driver.commit()).toBe(208);
    await again.writer.close();
    expect((await scanDriver(disk.io, '/db', { strict: true })).records).toBe(208);
  });

  it('opened and closed without a commit leaves the same files', async () => {
    const disk = new SimDisk();
    const first = await openDriver(disk.io, '/db');
    await first.driver.commit(2);
    await first.writer.close();
    const before = [...disk.files().keys()];
    for (let i = 0; i < 3; i++) await (await openDriver(disk.io, '/db')).writer.close();
    expect([...disk.files().keys()].sort()).toEqual(before.sort());
  });
});
