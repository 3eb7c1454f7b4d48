/** The log on the real disk: levels, reopening, a killed process, the lock, a directory that goes away. */
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeFileIo } from '../../../src/base/node-file-io.ts';
import { nodeThread } from '../../../src/base/thread.ts';
import type { Durability } from '../../../wal/ordered-log.ts';
import { openDriver, scanDriver } from './log-driver.ts';

const LEVELS: readonly Durability[] = ['always', 'os', { everyMs: 5 }, { everyRecords: 10 }];
const real = { thread: nodeThread, segmentBytes: 64 * 1024 };

let directory: string;
beforeEach(async () => {
  directory = join(await fs.mkdtemp(join(os.tmpdir(), 'pawl-wal-')), 'a', 'b');
});
afterEach(() => fs.rm(join(directory, '..', '..'), { recursive: true, force: true }));

describe('on the real disk', () => {
  it.each(LEVELS)(
    'WAL-2 WAL-3 level %j: what was committed is there after a close',
    async (durability) => {
      let expected = 0;
      for (let round = 0; round < 3; round++) {
        const { driver, writer, replayed } = await openDriver(nodeFileIo, directory, {
          ...real,
          durability,
        });
        expect(replayed).toBe(expected);
        driver.recordBytes = 200;
        for (let i = 0; i < 20; i++) await driver.commit();
        await Promise.all(Array.from({ length: 700 }, () => driver.commit()));
        await driver.commit(50, true);
        expected += 770;
        expect(await writer.flush()).toBe(expected);
        expect(writer.durableOffset).toBe(expected);
        await writer.close();
      }
      const { records, report } = await scanDriver(nodeFileIo, directory, { strict: true });
      expect(records).toBe(expected);
      expect(report?.segments.length).toBeGreaterThan(5);
    },
  );

  it('WAL-2 everyMs syncs by itself', async () => {
    const { driver, writer } = await openDriver(nodeFileIo, directory, {
      ...real,
      durability: { everyMs: 5 },
    });
    await driver.commit();
    while (driver.synced$ < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(writer.durableOffset).toBe(1);
    await writer.close();
  });

  it('D-4 a synced frame gets a mark behind it when nothing follows', async () => {
    const { driver, writer } = await openDriver(nodeFileIo, directory, real);
    await driver.commit();
    while (writer.stats()['marksWritten'] !== 1)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const { report } = await scanDriver(nodeFileIo, directory, { deliver: 'attested' });
    expect(report?.recordsRead).toBe(1);
    await driver.commit();
    await writer.close();
    expect((await scanDriver(nodeFileIo, directory, { strict: true })).records).toBe(2);
  });

  it('a lone caller on a fast disk is served without leaving the thread, and gives turns', async () => {
    const { driver, writer } = await openDriver(nodeFileIo, directory, real);
    let turnsSeen = 0;
    let isOver = false;
    const count = (): void => {
      turnsSeen++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    for (let i = 0; i < 400; i++) await driver.commit();
    isOver = true;
    // At most 16 blocking frames lie between two turns.
    expect(turnsSeen).toBeGreaterThanOrEqual(400 / 17);
    await writer.close();
    const off = await openDriver(nodeFileIo, directory, { ...real, blockingPath: false });
    for (let i = 0; i < 100; i++) await off.driver.commit();
    expect(off.writer.stats()['blockingWrites']).toBe(0);
    await off.writer.close();
  });

  it('F-51 a second writer in this process is refused at once', async () => {
    const { writer } = await openDriver(nodeFileIo, directory, real);
    await expect(openDriver(nodeFileIo, directory, real)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      details: { pid: process.pid },
    });
    await writer.close();
    await (await openDriver(nodeFileIo, directory, real)).writer.close();
  });

  it('F-53 a directory moved away is noticed while writing', async () => {
    const { driver, writer } = await openDriver(nodeFileIo, directory, real);
    await driver.commit();
    await fs.rename(directory, `${directory}-moved`);
    const failure = await (async () => {
      for (;;) await driver.commit();
    })().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'WAL_IO_ERROR' });
    await writer.close().catch(() => undefined);
  });

  it('F-37 a directory nobody may write to is WAL_IO_ERROR with its errno', async () => {
    if (process.getuid?.() === 0) return;
    await fs.mkdir(directory, { recursive: true });
    await fs.chmod(directory, 0o555);
    await expect(openDriver(nodeFileIo, directory, real)).rejects.toMatchObject({
      code: 'WAL_IO_ERROR',
      details: { outcome: 'not-done', errno: 'EACCES' },
    });
    expect(await fs.readdir(directory)).toEqual([]);
  });
});
