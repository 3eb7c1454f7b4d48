/** Where in its file a record lies: for messages about one that is whole and still impossible. */
import { describe, expect, it } from 'vitest';
import { SEGMENT_HEADER, STORE_ID_BYTES } from '../../../wal/format.ts';
import { locateFrame } from '../../../wal/locate.ts';
import { verifyLog } from '../../../wal/verify.ts';
import { zero } from './damages.ts';
import { framesIn } from './forge.ts';
import { openDriver } from './log-driver.ts';
import { WatchedIo } from './public-fixture.ts';
import { SimDisk } from 'pawl/testing';

async function twoSegments(): Promise<SimDisk> {
  const disk = SimDisk.of();
  const { driver, writer } = await openDriver(disk.fileIo, '/db');
  driver.recordBytes = 500;
  for (let i = 0; i < 6; i++) await driver.commit(2);
  await writer.close();
  return disk;
}

describe('the place of a record', () => {
  it('F-22 is that of its frame: file and first byte', async () => {
    const disk = await twoSegments();
    const { segments } = await verifyLog('/db', { fileIo: disk.fileIo });
    expect(segments.length).toBeGreaterThan(1);
    let offset = 1;
    for (const { path, number } of segments) {
      const bytes = disk.files().get(path) as Uint8Array;
      const storeId = bytes.slice(SEGMENT_HEADER.storeId, SEGMENT_HEADER.storeId + STORE_ID_BYTES);
      // The link has no record, and behind the last frame of the last segment stands a mark.
      const frames = framesIn(bytes).slice(1, number === segments.length ? -1 : undefined);
      for (const byteOffset of frames) {
        const file = path.slice('/db/'.length);
        for (const one of [offset, offset + 1])
          expect(await locateFrame(disk.fileIo, segments, storeId, one)).toEqual({
            file,
            byteOffset,
          });
        offset += 2;
      }
    }
    expect(offset).toBe(13);
  });

  it('is none where its frame reaches beyond the end of what counts', async () => {
    const disk = await twoSegments();
    const { segments, storeId } = await verifyLog('/db', { fileIo: disk.fileIo });
    const [first] = segments;
    if (first === undefined || storeId === undefined) throw new Error('there is no segment');
    const { lastOffset } = first;
    const find = (usedBytes: number): Promise<unknown> =>
      locateFrame(disk.fileIo, [{ ...first, usedBytes }], storeId, lastOffset);
    expect(await find(first.usedBytes)).toMatchObject({ file: '00000001.wal' });
    expect(await find(first.usedBytes - 8)).toBeUndefined();
  });

  it('is none for a record no segment has, and for one whose frame is gone; no file stays open', async () => {
    const disk = await twoSegments();
    const { segments, storeId } = await verifyLog('/db', { fileIo: disk.fileIo });
    const watched = new WatchedIo(SimDisk.of(zero('/db/00000001.wal', 64, 4096)(disk.files())));
    const find = (offset: number): Promise<unknown> =>
      locateFrame(watched.io, segments, storeId as Uint8Array, offset);
    expect(await find(99)).toBeUndefined();
    expect([await find(1), watched.opened]).toEqual([undefined, 1]);
    expect(watched.openForReading.size).toBe(0);
  });
});
