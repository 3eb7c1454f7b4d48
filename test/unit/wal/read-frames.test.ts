/** Frames by range from files: what a worker and a reader of the past are given of a log. */
import { describe, expect, it } from 'vitest';
import { FRAME } from '../../../wal/format.ts';
import { RecordCursor } from '../../../wal/payload.ts';
import {
  type FrameFiles,
  type OnFrameAwaited,
  framesOf,
  readFrames,
} from '../../../wal/read-frames.ts';
import { scanLive } from '../../../wal/scan-live.ts';
import type { LogWriter } from '../../../wal/writer.ts';
import { framesIn } from './forge.ts';
import { type Driver, openDriver, recordOf, turns } from './log-driver.ts';
import { SimDisk, codeOf, failureOf } from './public-fixture.ts';
import { flipAt, viewOf } from './sim-fixture.ts';

const RECORD_BYTES = 40;

/** 120 commits of one to four records in small segments. */
async function filled(): Promise<{ disk: SimDisk; driver: Driver; writer: LogWriter<unknown> }> {
  const disk = SimDisk.of();
  const { driver, writer } = await openDriver(disk.fileIo, '/db');
  for (let i = 0; i < 120; i++) await driver.commit(1 + (i % 4));
  await turns();
  expect(writer.stats().segments).toBeGreaterThan(4);
  return { disk, driver, writer };
}

interface Given {
  readonly offsets: number[];
  /** First and last record of each frame. */
  readonly frames: [number, number][];
}

/** Checks content and order on the way. */
function collecting(): Given & { onFrame: OnFrameAwaited } {
  const cursor = new RecordCursor();
  const offsets: number[] = [];
  const frames: [number, number][] = [];
  const onFrame: OnFrameAwaited = (bytes, start, end, first, count) => {
    cursor.reset(bytes, start, end, first);
    while (cursor.advance()) {
      const found = bytes.subarray(cursor.start, cursor.end);
      if (Buffer.compare(found, recordOf(cursor.offset, RECORD_BYTES)) !== 0)
        throw new Error(`record ${cursor.offset} has other content`);
      offsets.push(cursor.offset);
    }
    frames.push([first, first + count - 1]);
  };
  return { offsets, frames, onFrame };
}

async function read(
  disk: SimDisk,
  files: FrameFiles,
  after: number,
  through: number,
): Promise<Given> {
  const { onFrame, ...given } = collecting();
  await readFrames(disk.fileIo, files, after, through, onFrame);
  return given;
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe('readFrames', () => {
  it('gives exactly the frames with a record of the range, for any range', async () => {
    const { disk, writer } = await filled();
    const last = writer.durableOffset;
    const all = await read(disk, framesOf(writer.files, 0), 0, last);
    expect(all.offsets).toEqual(range(1, last));
    for (let after = 0; after < last; after += 17) {
      for (const through of [after + 1, after + 20, last]) {
        if (through > last) continue;
        const { frames } = await read(disk, framesOf(writer.files, after), after, through);
        const wanted = all.frames.filter(([a, b]) => b > after && a <= through);
        expect([after, through, frames]).toEqual([after, through, wanted]);
      }
    }
    await writer.close();
  });

  it('a list made once is plain data, and reads any later part as well', async () => {
    const { disk, writer } = await filled();
    const files = structuredClone(framesOf(writer.files, 0));
    const { offsets } = await read(disk, files, 200, 210);
    expect([offsets[0], offsets.at(-1)]).toEqual([expect.any(Number), expect.any(Number)]);
    expect(offsets).toEqual(range(offsets[0] as number, offsets.at(-1) as number));
    expect(offsets).toEqual(expect.arrayContaining(range(201, 210)));
    await writer.close();
  });

  it('reads nothing when there is nothing behind', async () => {
    const { disk, writer } = await filled();
    const last = writer.durableOffset;
    expect((await read(disk, framesOf(writer.files, last), last, last)).frames).toEqual([]);
    await writer.close();
    const empty = SimDisk.of();
    const { writer: fresh } = await openDriver(empty.fileIo, '/db');
    expect(framesOf(fresh.files, 0).files).toEqual([]);
    expect((await read(empty, framesOf(fresh.files, 0), 0, 0)).frames).toEqual([]);
    await fresh.close();
  });

  it('asked for more than the files hold fails, and says which record is not there', async () => {
    const { disk, writer } = await filled();
    const { files, storeId } = framesOf(writer.files, 0);
    const some = { storeId, files: files.slice(0, 2) };
    const next = (files[1]?.lastOffset as number) + 1;
    expect(await failureOf(read(disk, some, 0, next))).toMatchObject({
      code: 'CORRUPT',
      details: { offset: next },
    });
    const later = { storeId, files: files.slice(1) };
    expect(await failureOf(read(disk, later, 0, next))).toMatchObject({
      code: 'CORRUPT',
      details: { offset: 1 },
    });
    await writer.close();
  });

  it('waits for what the callback returns, and pauses between chunks', async () => {
    const { disk, writer } = await filled();
    let busy = 0;
    let frames = 0;
    let pauses = 0;
    const onFrame = async (): Promise<void> => {
      expect(++busy).toBe(1);
      await turns(1);
      busy--;
      frames++;
    };
    const pause = async (): Promise<void> => void pauses++;
    await readFrames(disk.fileIo, framesOf(writer.files, 0), 0, 200, onFrame, pause);
    expect(frames).toBeGreaterThan(50);
    expect(pauses).toBeGreaterThan(3);
    const failing = async (): Promise<void> => Promise.reject(new Error('enough'));
    const failure = readFrames(disk.fileIo, framesOf(writer.files, 0), 0, 50, failing);
    expect(await codeOf(failure)).toBe('Error: enough');
    await writer.close();
  });

  it('works while the writer appends behind the last record asked for', async () => {
    const { disk, driver, writer } = await filled();
    for (let round = 0; round < 5; round++) {
      const through = writer.durableOffset;
      const files = framesOf(writer.files, through - 60);
      const reading = read(disk, files, through - 60, through);
      for (let i = 0; i < 20; i++) void driver.commit(2);
      const { offsets } = await reading;
      expect(offsets.at(-1)).toBe(through);
      await turns();
    }
    await writer.close();
  });

  it('is made of what a reader without the lock found, too', async () => {
    const { disk, writer } = await filled();
    await writer.close();
    const { files, lastOffset } = await scanLive(disk.fileIo, '/db');
    const { offsets } = await read(disk, framesOf(files, 100), 100, lastOffset);
    expect(offsets).toEqual(expect.arrayContaining(range(101, lastOffset)));
  });

  it('F-20 damage anywhere in the range is CORRUPT, with its place; outside of it none is met', async () => {
    const { disk, writer } = await filled();
    const files = framesOf(writer.files, 0);
    const hit = files.files[1]?.path as string;
    const [, , third] = framesIn(viewOf(disk, hit)) as [number, number, number];
    flipAt(disk, hit, third + FRAME.size + 5);
    const last = writer.durableOffset;
    expect(await failureOf(read(disk, files, 0, last))).toMatchObject({
      code: 'CORRUPT',
      details: { byteOffset: third },
    });
    const behind = files.files[1]?.lastOffset as number;
    const sound = await read(disk, framesOf(writer.files, behind), behind, last);
    expect(sound.offsets).toEqual(range(behind + 1, last));
    await writer.close();
  });

  it('what a callback calls impossible is CORRUPT, at the frame it was given', async () => {
    const { disk, writer } = await filled();
    const impossible = (): void => {
      throw new RangeError('no such thing');
    };
    const reading = readFrames(disk.fileIo, framesOf(writer.files, 0), 0, 10, impossible);
    expect(await failureOf(reading)).toMatchObject({ code: 'CORRUPT', details: { offset: 1 } });
    const later = async (): Promise<void> => impossible();
    const waiting = readFrames(disk.fileIo, framesOf(writer.files, 0), 0, 10, later);
    expect(await codeOf(waiting)).toBe('CORRUPT');
    await writer.close();
  });

  it('WAL-7 what was dropped is OFFSET_TOO_OLD: before the list is made, and behind it', async () => {
    const { disk, writer } = await filled();
    const before = framesOf(writer.files, 0);
    await writer.truncateBefore(150);
    expect(await codeOf((async () => framesOf(writer.files, 0))())).toBe('OFFSET_TOO_OLD');
    const { firstOffset } = writer.files.segments;
    expect(framesOf(writer.files, firstOffset - 1).files[0]?.firstOffset).toBe(firstOffset);
    expect(await codeOf(read(disk, before, 0, 150))).toBe('OFFSET_TOO_OLD');
    await writer.close();
  });

  it('F-25 a file that is lost is CORRUPT', async () => {
    const { disk, writer } = await filled();
    const files = framesOf(writer.files, 0);
    await disk.fileIo.remove(files.files[1]?.path as string);
    expect(await codeOf(read(disk, files, 0, 150))).toBe('CORRUPT');
    await writer.close();
  });
});
