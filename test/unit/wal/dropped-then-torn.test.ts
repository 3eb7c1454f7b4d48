/**
 * Found by review. Records were dropped on purpose, so that the oldest segment kept was the last one;
 * its only frame was torn, and cut at the next opening. What was acknowledged after that went to a
 * segment that passed over it, and the opening after that called the oldest segment missing.
 */
import { expect, it } from 'vitest';
import { openLog, verifyLog } from 'pawl/wal';
import { SimDisk } from 'pawl/testing';

const text = new TextEncoder();

it('F-0a F-21 WAL-7 what is acknowledged after the oldest segment kept was cut is there', async () => {
  const disk = SimDisk.of();
  const options = { fileIo: disk.fileIo, segmentBytes: 4096 };
  const log = await openLog('/db', options);
  for (let i = 0; i < 3; i++) await log.append(text.encode('x'.repeat(1500)));
  const segments = [...disk.files().keys()].filter((path) => path.endsWith('.wal'));
  expect(segments.length).toBeGreaterThan(1);
  await log.truncateBefore(3);
  // Killed, and the frame of record 3, which nothing vouches for, is damaged.
  const damaged = disk.damaged((files) => {
    const bytes = files.get('/db/00000002.wal') as Uint8Array;
    bytes[200] = (bytes[200] as number) ^ 1;
    return files;
  });
  const io = { fileIo: damaged.fileIo, segmentBytes: 4096 };
  const second = await openLog('/db', io);
  expect(second.recovery.bytesTruncated).toBeGreaterThan(0);
  const offset = await second.append(text.encode('after'));
  await second.close();
  const third = await openLog('/db', io);
  const { records } = await third.read({ from: offset });
  expect(records.map((record) => Buffer.from(record.bytes).toString())).toEqual(['after']);
  await third.close();
  const report = await verifyLog('/db', { fileIo: damaged.fileIo });
  expect([report.ok, report.problems]).toEqual([true, []]);
});
