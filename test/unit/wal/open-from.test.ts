/** A log read by somebody who has its beginning already, as a store with a snapshot has. */
import { describe, expect, it } from 'vitest';
import { ownerText } from '../../../src/base/lock-owner.ts';
import { undecided } from '../../../src/testing/sim-disk.ts';
import { RecordCursor } from '../../../wal/payload.ts';
import { framesOf, readFrames } from '../../../wal/read-frames.ts';
import type { OnFrame } from '../../../wal/scan-report.ts';
import { scanLive } from '../../../wal/scan-live.ts';
import type { Files } from './damages.ts';
import { framesIn } from './forge.ts';
import { type Opened, openDriver, recordOf, scanDriver, turns } from './log-driver.ts';
import { SimDisk, WatchedIo, codeOf, failureOf } from './public-fixture.ts';
import { lastTold, place } from './sim-fixture.ts';

/** Records given, in order. */
function collecting(): { offsets: number[]; onFrame: OnFrame } {
  const cursor = new RecordCursor();
  const offsets: number[] = [];
  const onFrame: OnFrame = (bytes, start, end, first) => {
    cursor.reset(bytes, start, end, first);
    while (cursor.advance()) {
      const found = bytes.subarray(cursor.start, cursor.end);
      if (Buffer.compare(found, recordOf(cursor.offset, found.length)) !== 0)
        throw new Error(`record ${cursor.offset} has other content`);
      offsets.push(cursor.offset);
    }
  };
  return { offsets, onFrame };
}

type OpenedFrom = Omit<Opened, 'replayed'> & { readonly offsets: number[] };

async function openFrom(fileIo: SimDisk['fileIo'], has: number): Promise<OpenedFrom> {
  const { offsets, onFrame } = collecting();
  const beforeScan = async (): Promise<number> => has;
  const { driver, writer } = await openDriver(fileIo, '/db', { onFrame, beforeScan });
  driver.accepted$ = writer.acceptedOffset;
  return { driver, writer, offsets };
}

async function filled(commits = 120): Promise<Files> {
  const disk = SimDisk.of();
  const { driver, writer } = await openDriver(disk.fileIo, '/db');
  for (let i = 0; i < commits; i++) await driver.commit(1 + (i % 4));
  await turns();
  await writer.close();
  return disk.files();
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);

describe('opening a log of which the caller has the beginning', () => {
  it('WAL-10 delivers what is behind, whole frames, and counts only that', async () => {
    const files = await filled();
    for (let has = 0; has <= 300; has += 12) {
      const { writer, offsets } = await openFrom(SimDisk.of(files).fileIo, has);
      const { recordsReplayed } = writer.recovery;
      expect([has, writer.acceptedOffset, recordsReplayed]).toEqual([has, 300, 300 - has]);
      const [first = 301] = offsets;
      expect(offsets).toEqual(range(first, 300));
      expect(first <= has + 1 && first > has - 4).toBe(true);
      await writer.close();
    }
  });

  it('reads only the heads of segments that end before, and all of the others', async () => {
    const files = await filled();
    const whole = new WatchedIo(SimDisk.of(files));
    await (await openFrom(whole.io, 0)).writer.close();
    const half = new WatchedIo(SimDisk.of(files));
    const { writer } = await openFrom(half.io, 200);
    await writer.close();
    expect(half.bytesRead).toBeLessThan(whole.bytesRead * 0.7);
    const end = new WatchedIo(SimDisk.of(files));
    await (await openFrom(end.io, 300)).writer.close();
    expect(end.bytesRead).toBeLessThan(whole.bytesRead * 0.5);
  });

  it('records it did not read can be read, dropped, and followed by new ones', async () => {
    const disk = SimDisk.of(await filled());
    const { driver, writer } = await openFrom(disk.fileIo, 290);
    const { offsets, onFrame } = collecting();
    await readFrames(disk.fileIo, framesOf(writer.files, 0), 0, 300, onFrame);
    expect(offsets).toEqual(range(1, 300));
    expect(await driver.commit(3)).toBe(303);
    const { segments } = await writer.truncateBefore(200);
    expect(segments).toBeGreaterThan(2);
    const { firstOffset } = writer.files.segments;
    expect(firstOffset > 150 && firstOffset <= 200).toBe(true);
    await writer.close();
    const again = await openFrom(disk.fileIo, firstOffset - 1);
    expect(again.offsets).toEqual(range(firstOffset, 303));
    await again.writer.close();
  });

  it('is asked under the lock, after the manifest was read, and not when the log is new', async () => {
    const disk = SimDisk.of();
    const asked: unknown[] = [];
    const beforeScan: Parameters<typeof openDriver>[2] = {
      beforeScan: async ({ manifest, directory }) => {
        asked.push([disk.isLocked, directory, [...manifest.extra]]);
        return 0;
      },
    };
    const { writer } = await openDriver(disk.fileIo, '/db', beforeScan);
    await writer.setManifestExtra(Uint8Array.of(1, 2, 3), { both: true });
    await writer.close();
    expect(asked).toEqual([]);
    await (await openDriver(disk.fileIo, '/db', beforeScan)).writer.close();
    expect(asked).toEqual([[true, '/db', [1, 2, 3]]]);
  });

  it('F-27 records missing between are CORRUPT, and both ends are named', async () => {
    const disk = SimDisk.of(await filled());
    const { writer } = await openFrom(disk.fileIo, 0);
    await writer.truncateBefore(200);
    const { firstOffset } = writer.files.segments;
    await writer.close();
    for (const has of [0, 1, firstOffset - 2]) {
      const failure = await failureOf(openFrom(SimDisk.of(disk.files()).fileIo, has));
      expect(failure).toMatchObject({ code: 'CORRUPT', details: { offset: has + 1 } });
      expect(String(failure)).toContain(`begins with record ${firstOffset}`);
      expect(String(failure)).toContain(`ends with record ${has}`);
    }
    const { offsets, writer: sound } = await openFrom(disk.fileIo, firstOffset - 1);
    expect(offsets[0]).toBe(firstOffset);
    await sound.close();
  });

  it('F-24 a log that lost its end is CORRUPT: what the caller has was synced there', async () => {
    const files = await filled();
    const failure = await failureOf(openFrom(SimDisk.of(files).fileIo, 301));
    expect(failure).toMatchObject({ code: 'CORRUPT', details: { offset: 301 } });
    const empty = SimDisk.of();
    await (await openDriver(empty.fileIo, '/db')).writer.close();
    expect(await codeOf(openFrom(empty.fileIo, 1))).toBe('CORRUPT');
    const { writer } = await openFrom(empty.fileIo, 0);
    await writer.close();
  });

  it('F-20 what the caller has is vouched for: a frame of it that does not verify is damage, not a torn tail', async () => {
    const disk = SimDisk.of();
    const { driver } = await openDriver(disk.fileIo, '/db');
    for (let i = 0; i < 5; i++) await driver.commit();
    // Killed: nothing attests the last frame.
    const killed = disk.crash(disk.journal.length, () => true);
    const starts = framesIn(killed.files().get('/db/00000001.wal') as Uint8Array);
    const torn = killed.damaged((files) => {
      const bytes = files.get('/db/00000001.wal') as Uint8Array;
      bytes[(starts[5] as number) + 60] = 0xff;
      return files;
    });
    expect(await codeOf(openFrom(torn.fileIo, 5))).toBe('CORRUPT');
    const cut = await openFrom(torn.fileIo, 4);
    expect(cut.writer.acceptedOffset).toBe(4);
    expect(cut.writer.recovery.recordsRewritten).toBe(0);
    await cut.writer.close();
  });

  it('what the caller has is not written again, only what lies in doubt behind it', async () => {
    const disk = SimDisk.of();
    const { driver } = await openDriver(disk.fileIo, '/db', { durability: 'os' });
    for (let i = 0; i < 9; i++) await driver.commit();
    const killed = disk.crash(disk.journal.length, () => true);
    const files = killed.files();
    for (const [has, rewritten] of [
      [0, 9],
      [4, 5],
      [9, 0],
    ] as const) {
      const { writer, driver: next } = await openFrom(SimDisk.of(files).fileIo, has);
      expect([has, writer.recovery.recordsRewritten]).toEqual([has, rewritten]);
      expect(await next.commit()).toBe(10);
      await writer.close();
    }
  });

  it('F-0a F-13 survives power cuts at every call of an opening like that, again and again', async () => {
    const files = await filled(60);
    const disk = SimDisk.of(files);
    const { driver, writer } = await openFrom(disk.fileIo, 120);
    driver.onAck = (offset) => disk.tell(offset);
    for (let i = 0; i < 30; i++) await driver.commit(2);
    await writer.close();
    for (let length = 0; length <= disk.journal.length; length++) {
      const doubts = undecided(disk, length);
      for (const keep of [true, false]) {
        if (!keep && doubts.length === 0) continue;
        const told = Math.max(150, lastTold(disk, length));
        for (const has of [told, Math.min(told, 170)]) {
          const crashed = disk.crash(length, () => keep);
          const { driver: next, writer: opened, offsets } = await openFrom(crashed.fileIo, has);
          expect(opened.acceptedOffset).toBeGreaterThanOrEqual(told);
          if (offsets.length > 0) expect(offsets.at(-1)).toBe(opened.acceptedOffset);
          const last = await next.commit();
          await opened.close();
          const { records } = await scanDriver(crashed.fileIo, '/db', { strict: true });
          expect([length, has, records]).toEqual([length, has, last]);
        }
      }
    }
  });
});

describe('scanLive of which the caller has the beginning', () => {
  it('of a live log gives what is behind, and never ends before what the caller has', async () => {
    const disk = SimDisk.of();
    const { driver, writer } = await openDriver(disk.fileIo, '/db');
    for (let i = 0; i < 7; i++) await driver.commit();
    const owner = { token: 'ab', pid: 1, method: 'record', host: 'elsewhere' } as const;
    place(disk, '/db/lock', Buffer.from(ownerText(owner)));
    // No mark was written yet: of itself a reader shows what the next frame vouches for.
    expect((await scanLive(disk.fileIo, '/db')).lastOffset).toBe(6);
    const { offsets, onFrame } = collecting();
    const { lastOffset } = await scanLive(disk.fileIo, '/db', { onFrame, before: async () => 7 });
    expect([lastOffset, offsets]).toEqual([7, []]);
    const less = collecting();
    const found = await scanLive(disk.fileIo, '/db', { ...less, before: async () => 3 });
    expect([found.lastOffset, less.offsets]).toEqual([6, [4, 5, 6]]);
    await writer.close();
  });

  it('asks again when the writer dropped segments meanwhile, and gives what is behind the new answer', async () => {
    const disk = SimDisk.of();
    const { driver, writer } = await openDriver(disk.fileIo, '/db');
    for (let i = 0; i < 120; i++) await driver.commit(2);
    await turns();
    const { offsets, onFrame } = collecting();
    const answers = [0, 210];
    let asked = 0;
    const before = async (): Promise<number> => {
      if (asked === 0) await writer.truncateBefore(200);
      return answers[asked++] as number;
    };
    const found = await scanLive(disk.fileIo, '/db', { onFrame, before });
    expect(asked).toBe(2);
    expect(offsets).toEqual(range(211, found.lastOffset));
    await writer.close();
  });

  it('what the hook throws is what the caller hears', async () => {
    const disk = SimDisk.of(await filled(3));
    const before = async (): Promise<number> => Promise.reject(new Error('no'));
    expect(await codeOf(scanLive(disk.fileIo, '/db', { before }))).toBe('Error: no');
  });
});
