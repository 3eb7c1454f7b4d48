/** Writing, closing, killing and opening again, on a simulated disk. */
import { describe, expect, it } from 'vitest';
import { ManualThread, openDriver, scanDriver, turns } from './log-driver.ts';
import { SimDisk } from 'pawl/testing';

describe('a log', () => {
  it('gives back after a clean close what was committed, in order', async () => {
    const disk = SimDisk.of();
    const { driver, writer } = await openDriver(disk.fileIo, '/db');
    await driver.commit();
    await Promise.all([driver.commit(3), driver.commit(), driver.commit(2)]);
    for (let i = 0; i < 200; i++) await driver.commit();
    await writer.close();
    const { records, report } = await scanDriver(disk.fileIo, '/db', { strict: true });
    expect(records).toBe(207);
    expect(report?.bytesTruncated).toBe(0);
    expect(report?.segments.length).toBeGreaterThan(2);
    const again = await openDriver(disk.fileIo, '/db');
    expect(again.replayed).toBe(207);
    expect(again.writer.recovery).toMatchObject({
      recordsReplayed: 207,
      bytesTruncated: 0,
      recordsRewritten: 0,
    });
    expect(await again.driver.commit()).toBe(208);
    await again.writer.close();
    expect((await scanDriver(disk.fileIo, '/db', { strict: true })).records).toBe(208);
  });

  it('opened and closed without a commit leaves the same files', async () => {
    const disk = SimDisk.of();
    const first = await openDriver(disk.fileIo, '/db');
    await first.driver.commit(2);
    await first.writer.close();
    const before = [...disk.files().keys()];
    for (let i = 0; i < 3; i++) await (await openDriver(disk.fileIo, '/db')).writer.close();
    expect([...disk.files().keys()].sort()).toEqual(before.sort());
  });

  it('WAL-2 a commit that asks for it is synced at once below always, others are not', async () => {
    const disk = SimDisk.of();
    const { driver, writer } = await openDriver(disk.fileIo, '/db', { durability: 'os' });
    await driver.commit();
    await turns();
    expect(writer.durableOffset).toBe(0);
    await driver.commit(1, true);
    await turns();
    expect([writer.durableOffset, driver.synced$]).toEqual([2, 2]);
    await driver.commit();
    expect(await writer.flush()).toBe(3);
    await writer.close();
  });

  it('WAL-2 everyRecords syncs when so many wait, everyMs when its time has come', async () => {
    const disk = SimDisk.of();
    const byCount = await openDriver(disk.fileIo, '/db', { durability: { everyRecords: 3 } });
    await byCount.driver.commit(2);
    await turns();
    expect(byCount.writer.durableOffset).toBe(0);
    await byCount.driver.commit();
    await turns();
    expect(byCount.writer.durableOffset).toBe(3);
    await byCount.writer.close();
    const thread = new ManualThread();
    const byTime = await openDriver(disk.fileIo, '/db', { durability: { everyMs: 10 }, thread });
    await byTime.driver.commit();
    await turns();
    expect(byTime.writer.durableOffset).toBe(3);
    thread.fire();
    await turns();
    expect(byTime.writer.durableOffset).toBe(4);
    await byTime.writer.close();
  });

  it('D-4 below always a long queue is written in slices, with turns between', async () => {
    const disk = SimDisk.of();
    const thread = new ManualThread();
    thread.monotonicMs = () => (thread.now += 1);
    const { driver, writer } = await openDriver(disk.fileIo, '/db', {
      durability: 'os',
      thread,
      segmentBytes: 1 << 20,
    });
    driver.recordBytes = 3000;
    let turnsSeen = 0;
    const count = (): void => {
      turnsSeen++;
      if (writer.acceptedOffset < 800) setImmediate(count);
    };
    setImmediate(count);
    await Promise.all(Array.from({ length: 800 }, () => driver.commit()));
    expect(turnsSeen).toBeGreaterThan(3);
    await writer.close();
    expect((await scanDriver(disk.fileIo, '/db', { strict: true })).records).toBe(800);
  });
});
