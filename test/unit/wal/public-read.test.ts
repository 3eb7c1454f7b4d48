/** Reading by offset, from the files, beside the writer and without it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileIo } from '../../../src/base/file-io.ts';
import { KiB, MiB } from '../../../src/base/units.ts';
import { type Log, openLog } from '../../../wal/index.ts';
import { segmentName } from '../../../wal/segment-name.ts';
import {
  check,
  codeOf,
  content,
  failureOf,
  fill,
  ones,
  openSim,
  readAll,
  SimDisk,
  turns,
  WatchedIo,
} from './public-fixture.ts';
import { changedIo, flipAt, place, replace, viewOf } from './sim-fixture.ts';

const path = (number: number): string => `/db/${segmentName(number)}`;

async function filled(count: number): Promise<{ log: Log; watched: WatchedIo; disk: SimDisk }> {
  const watched = new WatchedIo();
  const log = await openSim(watched.io);
  for (let i = 0; i < count; i += 5) await fill(log, ones(Math.min(5, count - i)));
  return { log, watched, disk: watched.disk };
}

describe('read', () => {
  it('WAL-7 gives 100 records unless told otherwise, at most 1,000, and where to go on', async () => {
    const watched = new WatchedIo();
    const log = await openSim(watched.io, { segmentBytes: 1 * MiB });
    expect(await log.read()).toEqual({ records: [], next: 1 });
    await fill(log, [1100, 150, 1]);
    expect((await log.read()).records).toHaveLength(100);
    const page = await log.read({ from: 1001, limit: 1000 });
    expect(page.records.map((record) => record.offset)).toEqual(
      Array.from({ length: 251 }, (_, i) => 1001 + i),
    );
    expect(page.next).toBe(1252);
    expect(await log.read({ from: 1252 })).toEqual({ records: [], next: 1252 });
    expect(await log.read({ from: 9999 })).toEqual({ records: [], next: 9999 });
    expect((await log.read({ from: 2, limit: 1 })).records[0]?.bytes).toEqual(content(2));
    await log.close();
  });

  it.each([
    [{ limit: 0 }, 'range.limit'],
    [{ limit: 1001 }, 'range.limit'],
    [{ limit: 1.5 }, 'range.limit'],
    [{ limit: '5' }, 'range.limit'],
    [{ limit: NaN }, 'range.limit'],
    [{ from: 0 }, 'range.from'],
    [{ from: -1 }, 'range.from'],
    [{ from: 1.5 }, 'range.from'],
    [{ from: 2 ** 53 }, 'range.from'],
    [{ from: '1' }, 'range.from'],
    [{ after: 1 }, 'range.after'],
    [7, 'range'],
    [null, 'range'],
  ])('refuses %j', async (range, at) => {
    const log = await openSim(SimDisk.of().fileIo);
    const error = await failureOf(log.read(range as object));
    expect(error).toMatchObject({ code: 'BAD_REQUEST', details: { path: at } });
    await log.close();
  });

  it('ends a page with the record that brings it to 16 MiB', async () => {
    const log = await openSim(SimDisk.of().fileIo, { segmentBytes: 64 * MiB });
    for (let i = 0; i < 4; i++) await log.append(new Uint8Array(6 * MiB).fill(i));
    const page = await log.read();
    expect(page.records.map((record) => record.offset)).toEqual([1, 2, 3]);
    expect(page.next).toBe(4);
    expect((await log.read({ from: 4 })).records[0]?.bytes[0]).toBe(3);
    await log.close();
  });

  it('gives the same from every offset with every limit, before and after opening again', async () => {
    const sizes = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 })), {
      minLength: 1,
      maxLength: 30,
    });
    const reads = fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        limit: fc.integer({ min: 1, max: 60 }),
      }),
      { minLength: 5, maxLength: 20 },
    );
    const compare = async (
      log: Log,
      wanted: { at: number; limit: number }[],
      ends: Set<number>,
    ): Promise<void> => {
      await readAll(log, 7);
      for (const { at, limit } of wanted) {
        const from = 1 + Math.floor(at * log.lastOffset);
        const page = await log.read({ from, limit });
        const count = Math.min(limit, log.lastOffset - from + 1);
        expect(page.records.map((record) => record.offset)).toEqual(
          Array.from({ length: count }, (_, i) => from + i),
        );
        page.records.forEach(check);
        expect(page.records.map((record) => record.endsCommit)).toEqual(
          page.records.map((record) => ends.has(record.offset)),
        );
        expect(page.next).toBe(from + count);
      }
    };
    await fc.assert(
      fc.asyncProperty(
        sizes,
        reads,
        fc.constantFrom('always' as const, 'os' as const),
        async (commits, wanted, durability) => {
          const disk = SimDisk.of();
          const ends = new Set<number>();
          let last = 0;
          for (const size of commits) ends.add((last += size));
          const log = await openSim(disk.fileIo, { durability });
          const half = Math.ceil(commits.length / 2);
          await fill(log, commits.slice(0, half));
          await readAll(log);
          if (half < commits.length) await fill(log, commits.slice(half));
          await compare(log, wanted, ends);
          // Killed: what is in doubt is written again elsewhere.
          const killed = disk.crash(disk.journal.length, () => true);
          await log.close();
          for (const after of [disk, killed]) {
            const again = await openSim(after.fileIo);
            expect(again.lastOffset).toBe(log.lastOffset);
            await compare(again, wanted, ends);
            await fill(again, [3, 1]);
            await readAll(again);
            await again.close();
            const frozen = await openLog('/db', { fileIo: after.fileIo, readOnly: true });
            await readAll(frozen);
            await frozen.close();
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('reads while appends go on, many at once: never more than was accepted, nothing wrong', async () => {
    const watched = new WatchedIo();
    const log = await openSim(watched.io, { segmentBytes: 16 * KiB });
    const readers = Array.from({ length: 4 }, async (_, i) => {
      while (log.lastOffset < 600) {
        const from = 1 + ((i * 131) % (log.lastOffset + 1));
        const last = log.lastOffset;
        const page = await log.read({ from, limit: 50 + i });
        expect(page.next).toBe(Math.min(last + 1, from + 50 + i));
        page.records.forEach(check);
        await turns(1);
      }
    });
    for (let i = 0; i < 150; i++) await fill(log, [1, 2, 1]);
    await Promise.all(readers);
    await log.close();
    expect(watched.openForReading.size).toBe(0);
  });

  it('leaves the event loop a turn, also to those who ask again and again', async () => {
    const log = await openSim(SimDisk.of().fileIo);
    for (const count of [0, 5]) {
      if (count > 0) await fill(log, ones(count));
      const over = { isTrue: false };
      setImmediate(() => setImmediate(() => (over.isTrue = true)));
      let asked = 0;
      for (; !over.isTrue && asked < 1000; asked++) {
        expect((await log.read()).records).toHaveLength(count);
      }
      expect(asked).toBeLessThan(1000);
    }
    await log.close();
  });

  it('begun before close() is finished after it, and leaves no file open', async () => {
    const watched = new WatchedIo();
    const open: FileIo['open'] = async (file, mode) => {
      if (mode === 'read') await turns(50);
      return watched.io.open(file, mode);
    };
    const log = await openSim(changedIo(watched.io, { open }));
    await fill(log, ones(50));
    const reads = [log.read({ limit: 50 }), log.read({ from: 20 })];
    await log.close();
    expect((await Promise.all(reads)).map((page) => page.records.length)).toEqual([50, 31]);
    expect(watched.openForReading.size).toBe(0);
  });

  it('does not take for damage what was on its way when it was read ahead', async () => {
    const watched = new WatchedIo();
    const log = await openSim(watched.io);
    await fill(log, ones(1));
    for (let i = 2; i < 12; i++) {
      watched.hold();
      const append = log.append(content(i));
      await turns();
      expect((await log.read({ from: i - 1 })).records.map((record) => record.offset)).toEqual([
        i - 1,
      ]);
      watched.letGo();
      await append;
      const { records } = await log.read({ from: i });
      records.forEach(check);
      expect(records).toHaveLength(1);
    }
    await log.close();
  });

  it('begins near the record: one of many costs a small part of the file, and the next page nothing again', async () => {
    const watched = new WatchedIo();
    const log = await openSim(watched.io, { segmentBytes: 4 * MiB });
    while (log.stats().bytesUsed < 3 * MiB) await fill(log, ones(500));
    for (const opened of [log, undefined]) {
      if (opened === undefined) await log.close();
      const reading = opened ?? (await openSim(watched.io));
      const { lastOffset: last } = reading;
      for (const from of [last, 1, Math.floor(last * 0.65), last]) {
        watched.bytesRead = 0;
        expect((await reading.read({ from, limit: 1 })).records[0]?.bytes).toEqual(content(from));
        expect(watched.bytesRead).toBeLessThan(400 * KiB);
      }
      watched.bytesRead = 0;
      const files = watched.opened;
      await readAll(reading, 10);
      const { segments, bytesUsed } = reading.stats();
      // Chunks overlap by the frame that did not fit whole.
      expect(watched.bytesRead).toBeLessThan(4 * bytesUsed);
      expect(watched.opened - files).toBeLessThanOrEqual(segments);
      if (opened === undefined) await reading.close();
    }
  });
});

describe('damage met while reading', () => {
  it('F-30 a flipped byte is CORRUPT with its place; what lies before it is given, what lies elsewhere too', async () => {
    const { log, disk } = await filled(100);
    const file = path(2);
    const at = 2000;
    flipAt(disk, file, at, 4);
    const error = (await failureOf(readAll(log, 1))) as {
      code: string;
      details: { file: string; byteOffset: number; offset: number };
    };
    expect(error.code).toBe('CORRUPT');
    expect(error.details.file).toBe(segmentName(2));
    expect(error.details.byteOffset).toBeLessThanOrEqual(at);
    const bad = error.details.offset;
    expect((await log.read({ from: bad - 1, limit: 1 })).records[0]?.bytes).toEqual(
      content(bad - 1),
    );
    expect(await codeOf(log.read({ from: bad, limit: 1 }))).toBe('CORRUPT');
    expect((await log.read({ from: 100 })).records[0]?.bytes).toEqual(content(100));
    flipAt(disk, file, at, 4);
    await readAll(log);
    await log.append(content(101));
    await log.close();
  });

  it('F-30 every byte of every frame is looked at', async () => {
    const { log, disk } = await filled(24);
    const end = log.stats().bytesUsed;
    const missed: number[] = [];
    for (let at = 64; at < Math.min(end, 4000); at += 3) {
      flipAt(disk, path(1), at);
      if ((await codeOf(readAll(log))) !== 'CORRUPT') missed.push(at);
      flipAt(disk, path(1), at);
    }
    // Behind the last frame of the segment there are zeros nobody reads.
    const used = missed[0] ?? end;
    expect(missed).toEqual(Array.from({ length: missed.length }, (_, i) => used + i * 3));
    expect(used).toBeGreaterThan(2500);
    await log.close();
  });

  it('F-25 a segment that is missing, short, or another one is CORRUPT and named', async () => {
    const { log, disk } = await filled(100);
    const file = path(2);
    const id = disk.image.names.get(file) as number;
    disk.image.names.delete(file);
    expect(await failureOf(readAll(log))).toMatchObject({
      code: 'CORRUPT',
      details: { file: segmentName(2) },
    });
    disk.image.names.set(file, disk.image.names.get(path(3)) as number);
    expect(await failureOf(readAll(log))).toMatchObject({
      code: 'CORRUPT',
      details: { file: segmentName(2) },
    });
    disk.image.names.set(file, id);
    const whole = viewOf(disk, file).slice();
    replace(disk, file, whole.slice(0, 1000));
    expect(await failureOf(readAll(log))).toMatchObject({
      code: 'CORRUPT',
      details: { file: segmentName(2), byteOffset: 1000 },
    });
    replace(disk, file, whole);
    await readAll(log);
    await log.close();
  });

  it('F-38 a read the disk refuses fails alone', async () => {
    const { log, disk, watched } = await filled(20);
    disk.fault = (call) =>
      call === 'open' ? Object.assign(new Error('EMFILE'), { code: 'EMFILE' }) : undefined;
    expect(await failureOf(log.read())).toMatchObject({
      code: 'WAL_IO_ERROR',
      details: { errno: 'EMFILE' },
    });
    disk.fault = (call) =>
      call === 'read' ? Object.assign(new Error('EIO'), { code: 'EIO' }) : undefined;
    expect(await failureOf(log.read())).toMatchObject({
      code: 'WAL_IO_ERROR',
      details: { errno: 'EIO' },
    });
    disk.fault = undefined;
    await readAll(log);
    await log.close();
    expect(watched.openForReading.size).toBe(0);
  });
});

describe('a log opened for reading', () => {
  it('is NOT_FOUND where there is none, and creates nothing', async () => {
    const disk = SimDisk.of();
    expect(await codeOf(openLog('/db', { fileIo: disk.fileIo, readOnly: true }))).toBe('NOT_FOUND');
    expect(await codeOf(openLog('/nowhere', { fileIo: disk.fileIo, readOnly: true }))).toBe(
      'NOT_FOUND',
    );
    expect(disk.journal).toEqual([]);
  });

  it('takes no lock, changes nothing, and shows what was there when it was opened', async () => {
    const { log, disk } = await filled(30);
    const entries = disk.journal.length;
    const reader = await openLog('/db', { fileIo: disk.fileIo, readOnly: true });
    expect(disk.journal.length).toBe(entries);
    expect(reader).toMatchObject({
      firstOffset: 1,
      lastOffset: 30,
      storeId: log.storeId,
      closed: false,
    });
    expect('append' in reader).toBe(false);
    await fill(log, ones(20));
    expect(await readAll(reader)).toHaveLength(30);
    expect(await reader.read({ from: 31 })).toEqual({ records: [], next: 31 });
    await reader.close();
    await reader.close();
    expect(reader.closed).toBe(true);
    expect(await codeOf(reader.read())).toBe('STORE_CLOSED');
    await log.close();
  });

  it('of a dead writer shows records nothing vouches for, and says how many', async () => {
    const { disk } = await filled(10);
    const killed = disk.crash(disk.journal.length, () => true);
    const reader = await openLog('/db', { fileIo: killed.fileIo, readOnly: true });
    expect(reader.lastOffset).toBe(10);
    expect(reader.recovery.recordsUnattested).toBeGreaterThan(0);
    await readAll(reader);
    await reader.close();
  });

  it('of a living writer shows only what is attested', async () => {
    const { log, disk } = await filled(10);
    // A holder nobody can prove dead.
    const record = JSON.stringify({ pid: 1, host: 'elsewhere', token: 'ab', method: 'record' });
    place(disk, '/db/lock', new TextEncoder().encode(record));
    const reader = await openLog('/db', { fileIo: disk.fileIo, readOnly: true });
    disk.image.names.delete('/db/lock');
    const dead = await openLog('/db', { fileIo: disk.fileIo, readOnly: true });
    const { recordsUnattested } = dead.recovery;
    expect([dead.lastOffset, recordsUnattested > 0]).toEqual([10, true]);
    expect(reader.recovery.recordsUnattested).toBe(0);
    expect(reader.lastOffset).toBe(10 - recordsUnattested);
    await readAll(reader);
    const limit = { from: reader.lastOffset, limit: 5 };
    expect((await reader.read(limit)).records).toHaveLength(1);
    await log.close();
  });

  it('refuses options that only a writer has', async () => {
    const { log, disk } = await filled(1);
    const options = { fileIo: disk.fileIo, readOnly: true as const, segmentBytes: 4096 };
    expect(await failureOf(openLog('/db', options))).toMatchObject({
      code: 'BAD_REQUEST',
      details: { path: 'options.segmentBytes' },
    });
    await log.close();
  });
});
