/** An archive, a log that begins later, and frames read from files, on the real disk. */
import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nodeFileIo } from '../../../src/base/node-file-io.ts';
import { framesWithArchive } from '../../../wal/archived-frames.ts';
import { createLogAt } from '../../../wal/create-log-at.ts';
import { readFrames } from '../../../wal/read-frames.ts';
import { scanLive } from '../../../wal/scan-live.ts';
import { openDriver } from './log-driver.ts';

let directory: string;
beforeEach(async () => {
  directory = await fs.mkdtemp(join(os.tmpdir(), 'pawl-wal-'));
});
afterEach(() => fs.rm(directory, { recursive: true, force: true }));

async function countBehind(after: number): Promise<number> {
  const { files, lastOffset } = await scanLive(nodeFileIo, directory);
  const frames = await framesWithArchive(files, 'archive', after);
  let count = 0;
  await readFrames(
    nodeFileIo,
    frames,
    after,
    lastOffset,
    (_bytes, _start, _end, first, records) => {
      count += first + records - 1 - Math.max(after, first - 1);
    },
  );
  return count;
}

it('SNP-5 archived segments and the log give every record', async () => {
  const options = { archiveDirectory: 'archive' };
  const { driver, writer } = await openDriver(nodeFileIo, directory, options);
  driver.recordBytes = 200;
  for (let i = 0; i < 100; i++) await driver.commit(3);
  const { segments } = await writer.truncateBefore(250);
  expect(segments).toBeGreaterThan(2);
  expect((await fs.readdir(join(directory, 'archive'))).length).toBe(segments);
  await writer.close();
  for (const after of [0, 1, 100, 299]) expect(await countBehind(after)).toBe(300 - after);
});

it('SNP-5 a log may begin behind any record', async () => {
  const storeId = Uint8Array.from({ length: 16 }, (_, i) => i);
  const fill = async (): Promise<Uint8Array> => Uint8Array.of(1);
  await createLogAt(directory, { fileIo: nodeFileIo, storeId, lastOffset: 70, fill });
  const beforeScan = async (): Promise<number> => 70;
  const { driver, writer } = await openDriver(nodeFileIo, directory, { beforeScan });
  driver.accepted$ = 70;
  expect(await driver.commit()).toBe(71);
  await writer.close();
  expect(await countBehind(70)).toBe(1);
});
