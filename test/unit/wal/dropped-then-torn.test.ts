/**
 * Found by review. Records were dropped on purpose, so that the oldest segment kept was the last one;
 * its only frame was torn, and cut at the next opening. What was acknowledged after that went to a
 * segment that passed over it, and the opening after that called the oldest segment missing.
 * Since then the manifest vouches for a record behind what it says was dropped, so that this damage
 * is found; a manifest of before says nothing of the kind.
 */
import { expect, it } from 'vitest';
import { openLog, verifyLog } from 'pawl/wal';
import { SimDisk } from 'pawl/testing';
import { MANIFEST_SLOT } from '../../../wal/format.ts';
import { decodeManifestSlot, encodeManifestSlot } from '../../../wal/manifest.ts';
import { NOTHING_ATTESTED } from '../../../wal/position.ts';
import { codeOf } from './public-fixture.ts';

const text = new TextEncoder();

const KEPT = '/db/00000002.wal';

/** Three records in as many segments, of which the last one stays; its frame is damaged. */
async function tornDisk(): Promise<SimDisk> {
  const disk = SimDisk.of();
  const options = { fileIo: disk.fileIo, segmentBytes: 4096 };
  const log = await openLog('/db', options);
  for (let i = 0; i < 3; i++) await log.append(text.encode('x'.repeat(1500)));
  const segments = [...disk.files().keys()].filter((path) => path.endsWith('.wal'));
  expect(segments.length).toBeGreaterThan(1);
  await log.truncateBefore(3);
  return disk.damaged((files) => {
    const bytes = files.get(KEPT) as Uint8Array;
    bytes[200] = (bytes[200] as number) ^ 1;
    return files;
  });
}

/** The manifest as it was once: it does not say what was synced when records were dropped. */
function ofBefore(disk: SimDisk): SimDisk {
  return disk.damaged((files) => {
    const bytes = files.get('/db/manifest') as Uint8Array;
    for (const at of [0, MANIFEST_SLOT.size]) {
      const state = decodeManifestSlot(bytes.subarray(at, at + MANIFEST_SLOT.size));
      if (typeof state !== 'object') throw new Error('both slots are there');
      bytes.set(encodeManifestSlot({ ...state, attested: NOTHING_ATTESTED }), at);
    }
    return files;
  });
}

it('F-20 WAL-7 a synced record behind what was dropped is vouched for at once: damage to it is CORRUPT', async () => {
  const { fileIo } = await tornDisk();
  expect(await codeOf(openLog('/db', { fileIo }))).toBe('CORRUPT');
});

it('F-0a F-21 WAL-7 what is acknowledged after the oldest segment kept was cut is there', async () => {
  const damaged = ofBefore(await tornDisk());
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
