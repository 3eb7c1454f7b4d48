/** Segments that are moved aside instead of removed, and reading them before the log itself. */
import { describe, expect, it } from 'vitest';
import { undecided } from '../../../src/testing/sim-disk.ts';
import { framesWithArchive } from '../../../wal/archived-frames.ts';
import { RecordCursor } from '../../../wal/payload.ts';
import { readFrames } from '../../../wal/read-frames.ts';
import { scanLive } from '../../../wal/scan-live.ts';
import type { LogWriter } from '../../../wal/writer.ts';
import { type Driver, openDriver, recordOf, turns } from './log-driver.ts';
import { SimDisk, codeOf, failureOf } from './public-fixture.ts';
import { changedIo, flipAt, lastTold, osError, viewOf } from './sim-fixture.ts';

const ARCHIVE = 'archive';

interface Archiving {
  readonly driver: Driver;
  readonly writer: LogWriter<unknown>;
}

async function openArchiving(
  fileIo: SimDisk['fileIo'],
  directory: string | undefined = ARCHIVE,
): Promise<Archiving> {
  const onFrame = (): void => undefined;
  const options = { onFrame, archiveDirectory: directory };
  const { driver, writer } = await openDriver(fileIo, '/db', options);
  driver.accepted$ = writer.acceptedOffset;
  driver.recordBytes = 120;
  return { driver, writer };
}

async function filled(): Promise<Archiving & { disk: SimDisk }> {
  const disk = SimDisk.of();
  const opened = await openArchiving(disk.fileIo);
  for (let i = 0; i < 120; i++) await opened.driver.commit(2);
  await turns();
  return { ...opened, disk };
}

const namesIn = (disk: SimDisk, directory: string): string[] =>
  [...disk.files().keys()].filter((path) => path.startsWith(directory) && path.endsWith('.wal'));

/** Records behind `after`, from the archive and the log. */
async function readBehind(
  fileIo: SimDisk['fileIo'],
  after: number,
  archive: string = ARCHIVE,
): Promise<number[]> {
  const { files, lastOffset } = await scanLive(fileIo, '/db');
  const offsets: number[] = [];
  const cursor = new RecordCursor();
  const frames = structuredClone(await framesWithArchive(files, archive, after));
  await readFrames(fileIo, frames, after, lastOffset, (bytes, start, end, first) => {
    cursor.reset(bytes, start, end, first);
    while (cursor.advance()) {
      const found = bytes.subarray(cursor.start, cursor.end);
      if (Buffer.compare(found, recordOf(cursor.offset, found.length)) !== 0)
        throw new Error(`record ${cursor.offset} has other content`);
      if (cursor.offset > after) offsets.push(cursor.offset);
    }
  });
  return offsets;
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);

describe('an archive', () => {
  it('gets what is dropped, byte for byte, and nothing else', async () => {
    const { disk, writer } = await filled();
    const before = disk.files();
    const had = namesIn(disk, '/db/').length;
    const { segments } = await writer.truncateBefore(150);
    expect(segments).toBeGreaterThan(3);
    const archived = namesIn(disk, '/db/archive/');
    expect(archived.length).toBe(segments);
    expect(namesIn(disk, '/db/').length).toBe(had);
    for (const path of archived)
      expect(disk.files().get(path)).toEqual(before.get(path.replace('archive/', '')));
    // It is there for sure, and so is the room.
    const cut = disk.crash(disk.journal.length, () => false);
    expect(namesIn(cut, '/db/archive/')).toEqual(archived);
    expect(namesIn(cut, '/db/').length).toBe(had);
    const { segmentsArchived, oldestSegment, firstOffset } = writer.stats();
    expect([segmentsArchived, oldestSegment]).toEqual([segments, segments + 1]);
    expect(firstOffset > 100 && firstOffset <= 150).toBe(true);
    await writer.close();
  });

  it('SNP-5 gives the past again from any record on, while the log goes on and after it was closed', async () => {
    const { disk, driver, writer } = await filled();
    for (const offset of [60, 110, 180]) {
      await writer.truncateBefore(offset);
      for (let i = 0; i < 10; i++) await driver.commit();
    }
    for (const after of [0, 1, 59, 100, 150, 200, 269])
      expect(await readBehind(disk.fileIo, after)).toEqual(range(after + 1, writer.acceptedOffset));
    await writer.close();
    const again = await openArchiving(disk.fileIo);
    await again.driver.commit();
    await again.writer.truncateBefore(250);
    await again.writer.close();
    expect(await readBehind(disk.fileIo, 0)).toEqual(range(1, 271));
  });

  it('may lie elsewhere on the disk', async () => {
    const disk = SimDisk.of();
    await disk.fileIo.makeDirectory('/old');
    const { driver, writer } = await openArchiving(disk.fileIo, '/old/log');
    for (let i = 0; i < 120; i++) await driver.commit(2);
    await turns();
    expect((await writer.truncateBefore(150)).segments).toBeGreaterThan(3);
    await writer.close();
    expect(await readBehind(disk.fileIo, 0, '/old/log')).toEqual(range(1, 240));
  });

  it('WAL-7 what was dropped before there was one is OFFSET_TOO_OLD, and the oldest record is named', async () => {
    const disk = SimDisk.of();
    const plain = await openDriver(disk.fileIo, '/db');
    plain.driver.recordBytes = 120;
    for (let i = 0; i < 120; i++) await plain.driver.commit(2);
    await turns();
    await plain.writer.truncateBefore(80);
    const { firstOffset } = plain.writer.files.segments;
    await plain.writer.close();
    const { writer } = await openArchiving(disk.fileIo);
    await writer.truncateBefore(160);
    await writer.close();
    expect(await readBehind(disk.fileIo, firstOffset - 1)).toEqual(range(firstOffset, 240));
    expect(await failureOf(readBehind(disk.fileIo, 10))).toMatchObject({
      code: 'OFFSET_TOO_OLD',
      details: { requested: 11, oldest: firstOffset },
    });
  });

  it('passes over what else lies there', async () => {
    const { disk, writer } = await filled();
    await writer.truncateBefore(150);
    await writer.close();
    const other = SimDisk.of();
    const { driver, writer: stranger } = await openDriver(other.fileIo, '/db');
    await driver.commit();
    await stranger.close();
    const files = disk.files();
    files.set('/db/archive/00004711.wal', other.files().get('/db/00000001.wal') as Uint8Array);
    files.set('/db/archive/notes.txt', Uint8Array.of(1));
    expect(await readBehind(SimDisk.of(files).fileIo, 0)).toEqual(range(1, 240));
  });

  it('F-22 F-25 damage there is CORRUPT; what is lost there is OFFSET_TOO_OLD from the hole back', async () => {
    const { disk, writer } = await filled();
    await writer.truncateBefore(150);
    await writer.close();
    const [, second] = namesIn(disk, '/db/archive/') as [string, string];
    const sound = viewOf(disk, second).slice();
    flipAt(disk, second, 400);
    expect(await codeOf(readBehind(disk.fileIo, 0))).toBe('CORRUPT');
    flipAt(disk, second, 400);
    flipAt(disk, second, 20);
    expect(await codeOf(readBehind(disk.fileIo, 0))).toBe('CORRUPT');
    flipAt(disk, second, 20);
    expect(viewOf(disk, second)).toEqual(sound);
    await disk.fileIo.remove(second);
    const failure = await failureOf(readBehind(disk.fileIo, 0));
    expect(failure).toMatchObject({ code: 'OFFSET_TOO_OLD' });
    const { oldest } = (failure as { details: { oldest: number } }).details;
    expect(await readBehind(disk.fileIo, oldest - 1)).toEqual(range(oldest, 240));
  });

  it('what moves there while it is read is read there', async () => {
    const { disk, writer } = await filled();
    const { files, lastOffset } = await scanLive(disk.fileIo, '/db');
    const frames = await framesWithArchive(files, ARCHIVE, 0);
    await writer.truncateBefore(200);
    let count = 0;
    await readFrames(
      disk.fileIo,
      frames,
      0,
      lastOffset,
      (_bytes, _start, _end, _first, records) => {
        count += records;
      },
    );
    expect(count).toBe(240);
    await writer.close();
  });

  it('F-39 that cannot be written to is reported, nothing is lost, and the next call goes on', async () => {
    const { disk, writer } = await filled();
    let renames = 0;
    disk.fault = (call) => (call === 'rename' && ++renames === 3 ? osError('EACCES') : undefined);
    expect(await failureOf(writer.truncateBefore(150))).toMatchObject({
      code: 'WAL_IO_ERROR',
      retryable: true,
    });
    expect(await readBehind(disk.fileIo, 0)).toEqual(range(1, 240));
    disk.fault = undefined;
    const { segments } = await writer.truncateBefore(150);
    expect(segments).toBeGreaterThan(0);
    expect(await readBehind(disk.fileIo, 0)).toEqual(range(1, 240));
    await writer.close();
    const io = changedIo(disk.fileIo, { rename: () => Promise.reject(osError('EXDEV')) });
    const again = await openArchiving(io);
    expect(await codeOf(again.writer.truncateBefore(220))).toBe('WAL_IO_ERROR');
    await again.writer.close();
  });

  it('F-11 after a power cut at any call every record is still in one of the places, and the next truncation finishes the job', async () => {
    const disk = SimDisk.of();
    const { driver, writer } = await openArchiving(disk.fileIo);
    driver.onAck = (offset) => disk.tell(offset);
    for (let i = 0; i < 50; i++) await driver.commit(2);
    await turns();
    const from = disk.journal.length;
    await writer.truncateBefore(50);
    for (let i = 0; i < 5; i++) await driver.commit(2);
    await writer.truncateBefore(90);
    for (let i = 0; i < 5; i++) await driver.commit(2);
    await writer.close();
    let states = 0;
    for (let length = from; length <= disk.journal.length; length++) {
      const told = lastTold(disk, length);
      const doubts = undecided(disk, length);
      const keeps = [
        () => true,
        () => false,
        ...doubts.map((one) => (index: number) => index === one),
        ...doubts.map((one) => (index: number) => index !== one),
      ];
      for (const keep of keeps) {
        states++;
        const crashed = disk.crash(length, keep);
        const next = await openArchiving(crashed.fileIo);
        expect(next.writer.acceptedOffset).toBeGreaterThanOrEqual(told);
        await next.driver.commit();
        await next.writer.truncateBefore(90);
        const last = next.writer.acceptedOffset;
        await next.writer.close();
        expect(await readBehind(crashed.fileIo, 0)).toEqual(range(1, last));
        const doubled = namesIn(crashed, '/db/archive/')
          .map((path) => path.replace('archive/', ''))
          .filter((path) => crashed.files().has(path));
        expect(doubled).toEqual([]);
      }
    }
    expect(states).toBeGreaterThan(150);
  }, 60_000);
});
