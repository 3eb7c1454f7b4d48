/** Dropping old segments: whole ones only, oldest first, and whatever dies on the way. */
import { describe, expect, it } from 'vitest';
import { type Log, type LogOptions, openLog } from '../../../wal/index.ts';
import { segmentName } from '../../../wal/segment-name.ts';
import {
  codeOf,
  content,
  failureOf,
  fill,
  ones,
  openSim,
  readAll,
  SimDisk,
  turns,
} from './public-fixture.ts';
import { undecided } from '../../../src/testing/sim-disk.ts';
import { changedIo, lastTold, osError } from './sim-fixture.ts';

async function filled(
  options: LogOptions = {},
  commits = 40,
): Promise<{ log: Log; disk: SimDisk }> {
  const disk = SimDisk.of();
  const log = await openSim(disk.fileIo, options);
  for (let i = 0; i < commits; i++) await fill(log, ones(3));
  await turns();
  return { log, disk };
}

const segmentsOf = (disk: SimDisk): string[] =>
  [...disk.image.names.keys()].filter((name) => name.endsWith('.wal')).sort();

function sizeOf(disk: SimDisk): number {
  let bytes = 0;
  for (const [name, file] of disk.image.names)
    if (!name.endsWith('/lock')) bytes += disk.image.content(file).length;
  return bytes;
}

describe('truncateBefore', () => {
  it('drops the files that lie wholly before the offset, and no other', async () => {
    const { log, disk } = await filled();
    const before = segmentsOf(disk);
    expect(before.length).toBeGreaterThan(4);
    for (let offset = 1; offset <= log.lastOffset; offset += 7) {
      const had = sizeOf(disk);
      const files = segmentsOf(disk).length;
      const { segments, bytesFreed } = await log.truncateBefore(offset);
      expect(bytesFreed).toBe(had - sizeOf(disk));
      expect(segments).toBe(files - segmentsOf(disk).length);
      expect(log.firstOffset).toBeLessThanOrEqual(offset);
      expect(segmentsOf(disk)).toEqual(before.slice(before.length - segmentsOf(disk).length));
      await readAll(log, 50);
    }
    // As much as could go has gone: the next file begins behind the last offset asked for.
    expect(log.firstOffset).toBeGreaterThan(log.lastOffset - 60);
    const stats = log.stats();
    expect(stats).toMatchObject({
      firstOffset: log.firstOffset,
      records: 120 - log.firstOffset + 1,
      bytesOnDisk: sizeOf(disk),
    });
    expect(stats.segments + stats.segmentsReady).toBe(segmentsOf(disk).length);
    await log.close();
  });

  it('WAL-7 what was dropped is OFFSET_TOO_OLD, with the oldest that is there', async () => {
    const { log } = await filled();
    await log.truncateBefore(100);
    const { firstOffset } = log;
    expect(firstOffset).toBeGreaterThan(1);
    const details = { requested: firstOffset - 1, oldest: firstOffset };
    expect(await failureOf(log.read({ from: firstOffset - 1 }))).toMatchObject({
      code: 'OFFSET_TOO_OLD',
      details,
    });
    expect((await log.read()).records[0]?.offset).toBe(firstOffset);
    await log.close();
  });

  it('keeps the newest file, however far the offset, and the log goes on', async () => {
    const { log, disk } = await filled();
    await log.truncateBefore(2 ** 50);
    expect(log.firstOffset).toBeLessThanOrEqual(log.lastOffset);
    await fill(log, ones(3));
    await log.close();
    for (let i = 0; i < 3; i++) {
      const again = await openSim(disk.fileIo);
      expect(again.lastOffset).toBe(123 + i);
      await again.truncateBefore(2 ** 50);
      expect(again.firstOffset).toBeLessThanOrEqual(again.lastOffset);
      await fill(again, ones(1));
      await readAll(again);
      await again.close();
    }
    expect(segmentsOf(disk).length).toBeLessThanOrEqual(2);
  });

  it('of nothing, or before the first record, does nothing', async () => {
    const disk = SimDisk.of();
    const log = await openSim(disk.fileIo);
    await turns();
    const entries = disk.journal.length;
    for (const offset of [1, 2, 2 ** 50])
      expect(await log.truncateBefore(offset)).toEqual({ segments: 0, bytesFreed: 0 });
    expect(disk.journal.length).toBe(entries);
    expect(log).toMatchObject({ firstOffset: 1, lastOffset: 0 });
    await log.close();
  });

  it.each([0, -1, 1.5, NaN, Infinity, '3', undefined])('refuses %s', async (offset) => {
    const { log } = await filled();
    expect(await codeOf(log.truncateBefore(offset as number))).toBe('BAD_REQUEST');
    expect(log.firstOffset).toBe(1);
    await log.close();
  });

  it('F-11 names the oldest file in both slots of the manifest first, then removes the oldest first, then syncs the names', async () => {
    const { log, disk } = await filled();
    const from = disk.journal.length;
    const { segments } = await log.truncateBefore(100);
    expect(segments).toBeGreaterThan(1);
    const kinds = disk.journal
      .slice(from)
      .flatMap((entry) =>
        entry.kind === 'remove' ? [entry.path] : entry.kind === 'told' ? [] : [entry.kind],
      );
    const removed = Array.from({ length: segments }, (_, i) => `/db/${segmentName(i + 1)}`);
    // Each slot is written and synced by itself; the slot in force may be written once more before.
    expect(kinds.join(' ')).toMatch(new RegExp(`^(write sync ){2,3}${removed.join(' ')} syncdir$`));
    await log.close();
  });

  it('takes calls that overlap, one after the other', async () => {
    const { log, disk } = await filled();
    const had = sizeOf(disk);
    const results = await Promise.all([
      log.truncateBefore(30),
      log.truncateBefore(90),
      log.truncateBefore(40),
    ]);
    expect(results.reduce((sum, result) => sum + result.bytesFreed, 0)).toBe(had - sizeOf(disk));
    expect(results[2]).toEqual({ segments: 0, bytesFreed: 0 });
    await readAll(log);
    const last = log.truncateBefore(100);
    await log.close();
    expect((await last).segments).toBeGreaterThanOrEqual(0);
    const again = await openSim(disk.fileIo);
    expect(again.lastOffset).toBe(120);
    await again.close();
  });

  it('is over when close() resolves, and so are its removals', async () => {
    const disk = SimDisk.of();
    const remove = async (path: string): Promise<void> => {
      await turns(3);
      await disk.fileIo.remove(path);
    };
    const log = await openSim(changedIo(disk.fileIo, { remove }));
    for (let i = 0; i < 40; i++) await fill(log, ones(3));
    let isOver = false;
    const dropping = log.truncateBefore(100).finally(() => {
      isOver = true;
    });
    await log.close();
    expect(isOver).toBe(true);
    expect((await dropping).segments).toBeGreaterThan(1);
  });

  it('F-39 a file that cannot be removed is reported; it is no part of the log, and goes with the next call or opening', async () => {
    const { log, disk } = await filled();
    disk.fault = (call) => (call === 'remove' ? osError('EACCES') : undefined);
    expect(await failureOf(log.truncateBefore(100))).toMatchObject({
      code: 'WAL_IO_ERROR',
      retryable: true,
      details: { errno: 'EACCES' },
    });
    const { firstOffset } = log;
    expect(firstOffset).toBeGreaterThan(20);
    expect(segmentsOf(disk)[0]).toBe(`/db/${segmentName(1)}`);
    await fill(log, ones(1));
    const killed = disk.crash(disk.journal.length, () => true);
    disk.fault = undefined;
    expect((await log.truncateBefore(100)).segments).toBeGreaterThan(1);
    expect(segmentsOf(disk)[0]).not.toBe(`/db/${segmentName(1)}`);
    await log.close();
    const again = await openSim(killed.fileIo);
    expect(again.firstOffset).toBe(firstOffset);
    await fill(again, ones(1));
    await turns();
    expect(segmentsOf(killed)[0]).not.toBe(`/db/${segmentName(1)}`);
    await again.close();
  });

  it('F-39 a manifest that cannot be written leaves everything as it was', async () => {
    const { log, disk } = await filled();
    const files = segmentsOf(disk);
    disk.fault = (call, path) =>
      call === 'write' && path.endsWith('manifest') ? osError('EIO') : undefined;
    expect(await codeOf(log.truncateBefore(100))).toBe('WAL_IO_ERROR');
    disk.fault = undefined;
    expect([log.firstOffset, segmentsOf(disk)]).toEqual([1, files]);
    await readAll(log);
    expect((await log.truncateBefore(100)).segments).toBeGreaterThan(1);
    await fill(log, ones(1));
    await log.close();
  });

  it('F-36 works on a full disk', async () => {
    const { log, disk } = await filled();
    const used = sizeOf(disk);
    disk.fault = (call, path) =>
      call === 'create' && path.endsWith('.new') ? osError('ENOSPC') : undefined;
    for (
      let code = '';
      code !== 'WAL_IO_ERROR';
      code = await codeOf(log.append(content(log.lastOffset + 1)))
    );
    const { bytesFreed } = await log.truncateBefore(100);
    expect(bytesFreed).toBeGreaterThan(4096);
    expect(sizeOf(disk)).toBeLessThan(used);
    await readAll(log);
    await log.close();
  });

  it('below always drops nothing that what is synced still needs', async () => {
    const disk = SimDisk.of();
    const log = await openSim(disk.fileIo, { durability: 'os' });
    for (let i = 0; i < 60; i++) await fill(log, ones(2));
    const { durableOffset } = log;
    expect(durableOffset).toBeLessThan(log.lastOffset);
    await log.truncateBefore(log.lastOffset);
    expect(log.firstOffset).toBeLessThanOrEqual(durableOffset);
    const cut = disk.crash(disk.journal.length, () => false);
    const again = await openSim(cut.fileIo);
    expect(again.lastOffset).toBeGreaterThanOrEqual(durableOffset);
    await readAll(again);
    await again.close();
    await log.close();
  });
});

describe('a reader beside the process that drops', () => {
  it('is told OFFSET_TOO_OLD, not that a segment is missing', async () => {
    const { log, disk } = await filled();
    const reader = await openLog('/db', { fileIo: disk.fileIo, readOnly: true });
    await log.truncateBefore(100);
    expect(await failureOf(reader.read({ from: 1 }))).toMatchObject({
      code: 'OFFSET_TOO_OLD',
      details: { requested: 1, oldest: log.firstOffset },
    });
    expect(reader.firstOffset).toBe(log.firstOffset);
    await readAll(reader);
    await log.close();
    await reader.close();
  });
});

describe('F-11 a crash at any point of dropping', () => {
  /** Opens what a crash left: all that was acknowledged and not dropped is there, and it goes on. */
  async function survive(disk: SimDisk, acked: number, asked: number, what: string): Promise<void> {
    try {
      const log = await openSim(disk.fileIo);
      if (log.lastOffset < acked) throw new Error(`${acked} acknowledged, ${log.lastOffset} found`);
      if (log.firstOffset > asked)
        throw new Error(`begins with ${log.firstOffset}, dropped before ${asked}`);
      await readAll(log);
      await fill(log, [2]);
      await log.truncateBefore(asked);
      await readAll(log);
      await log.close();
      const again = await openSim(disk.fileIo, { strict: true });
      await readAll(again);
      await again.close();
    } catch (error) {
      throw new Error(`${what}: ${String(error)}`, { cause: error });
    }
  }

  it.each(['always', 'os'] as const)(
    'at level %s leaves a log that opens with everything it must hold',
    { timeout: 120_000 },
    async (durability) => {
      const disk = SimDisk.of();
      const log = await openSim(disk.fileIo, { durability });
      const acknowledge = async (): Promise<void> => disk.tell(await log.flush());
      for (let i = 0; i < 14; i++) await fill(log, ones(3));
      await acknowledge();
      const start = disk.journal.length;
      const asked = 30;
      await log.truncateBefore(15);
      await fill(log, ones(3));
      await log.truncateBefore(asked);
      for (let i = 0; i < 5; i++) await fill(log, ones(3));
      await acknowledge();
      await log.close();
      let states = 0;
      for (let length = start; length <= disk.journal.length; length++) {
        const acked = lastTold(disk, length);
        const open = undecided(disk, length);
        await survive(
          disk.crash(length, () => true),
          acked,
          asked,
          `kill after ${length}`,
        );
        const masks =
          open.length <= 5
            ? Array.from({ length: 2 ** open.length }, (_, i) => i)
            : [
                0,
                ...open.map((_, i) => 2 ** i),
                ...open.map((_, i) => 2 ** open.length - 1 - 2 ** i),
              ];
        for (const mask of masks) {
          const kept = new Set(open.filter((_, i) => Math.floor(mask / 2 ** i) % 2 === 1));
          await survive(
            disk.crash(length, (i) => kept.has(i)),
            acked,
            asked,
            `cut after ${length}, kept ${[...kept].join(' ')}`,
          );
          states++;
        }
      }
      expect(states).toBeGreaterThan(25);
    },
  );
});
