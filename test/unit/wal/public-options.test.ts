/** Options of openLog(), scan(), and what the statistics say. */
import { describe, expect, it } from 'vitest';
import { type LogOptions, type LogRecord, openLog, scan } from '../../../wal/index.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { check, codeOf, failureOf, fill, ones, openSim, SimDisk, turns } from './public-fixture.ts';
import { flipAt } from './sim-fixture.ts';

describe('openLog', () => {
  it.each([
    [{ durability: 'never' }, 'durability'],
    [{ durability: { everyMs: 0 } }, 'durability'],
    [{ durability: null }, 'durability'],
    [{ segmentBytes: 4095 }, 'segmentBytes'],
    [{ segmentBytes: 2 ** 31 }, 'segmentBytes'],
    [{ segmentBytes: '4096' }, 'segmentBytes'],
    [{ maxPending: 0 }, 'maxPending'],
    [{ maxPending: -1 }, 'maxPending'],
    [{ strict: 1 }, 'options.strict'],
    [{ readOnly: 'yes' }, 'options.readOnly'],
    [{ blockingSync: null }, 'options.blockingSync'],
    [{ durabilty: 'os' }, 'options.durabilty'],
    [{ clock: null }, 'options.clock'],
    [{ logger: 'console' }, 'options.logger'],
  ])('refuses %j and creates nothing', async (options, path) => {
    const disk = SimDisk.of(new Map(), ['/']);
    const call = openLog('/db', { fileIo: disk.fileIo, ...(options as LogOptions) });
    expect(await failureOf(call)).toMatchObject({ code: 'BAD_REQUEST', details: { path } });
    expect([disk.journal, disk.isLocked]).toEqual([[], false]);
  });

  it.each(['', 'a\0b', 5, undefined, null])('refuses %j as a directory', async (directory) => {
    expect(await codeOf(openLog(directory as string))).toBe('BAD_REQUEST');
  });

  it('refuses options that are none', async () => {
    for (const options of [null, 5, 'x', []])
      expect(await codeOf(openLog('/db', options as object))).toBe('BAD_REQUEST');
  });

  it('takes undefined for every option as its default', async () => {
    const disk = SimDisk.of();
    const log = await openLog('/db', {
      fileIo: disk.fileIo,
      readOnly: undefined,
      durability: undefined,
      segmentBytes: undefined,
      maxPending: undefined,
      strict: undefined,
      blockingSync: undefined,
      clock: undefined,
      random: undefined,
      logger: undefined,
    });
    await fill(log, ones(1));
    expect(log.durableOffset).toBe(1);
    await log.close();
  });

  it('F-52 a second opener is STORE_LOCKED, and the lock goes with close', async () => {
    const disk = SimDisk.of();
    const log = await openSim(disk.fileIo);
    expect(await failureOf(openSim(disk.fileIo))).toMatchObject({
      code: 'STORE_LOCKED',
      details: { pid: 4242 },
    });
    await log.close();
    await (await openSim(disk.fileIo)).close();
  });

  it('takes time and randomness from its ports: the same calls, the same bytes', async () => {
    const files: Map<string, Uint8Array>[] = [];
    for (let i = 0; i < 2; i++) {
      const disk = SimDisk.of();
      const clock = { now: () => 5_000, setTimer: () => () => undefined };
      const log = await openSim(disk.fileIo, { clock, random: seededRandom(3) });
      await fill(log, [1, 2]);
      await log.close();
      files.push(disk.files());
    }
    expect(files[0]).toEqual(files[1]);
  });

  it('WAL-8 counts what there is and what was done', async () => {
    const disk = SimDisk.of();
    const log = await openSim(disk.fileIo);
    await fill(log, [1]);
    await fill(log, [3]);
    const follower = log.follow();
    expect(log.stats()).toMatchObject({
      firstOffset: 1,
      lastOffset: 4,
      durableOffset: 4,
      records: 4,
      segments: 1,
      pendingCommits: 0,
      followers: 1,
      recordsWritten: 4,
      commitsWritten: 2,
      framesWritten: 2,
      syncs: 2,
    });
    await follower.return?.();
    await log.close();
    const again = await openSim(disk.fileIo);
    await turns();
    expect(again.stats()).toMatchObject({
      records: 4,
      recordsWritten: 0,
      segments: 1,
      followers: 0,
    });
    const bytes = [...disk.files()].reduce(
      (sum, [name, file]) => sum + (name === '/db/lock' ? 0 : file.length),
      0,
    );
    expect(again.stats().bytesOnDisk).toBe(bytes);
    await again.close();
  });
});

describe('scan', () => {
  it('gives every record once and says what there is', async () => {
    const disk = SimDisk.of();
    const log = await openSim(disk.fileIo);
    for (let i = 0; i < 20; i++) await fill(log, [1, 3]);
    await log.truncateBefore(30);
    const { firstOffset, storeId } = log;
    await log.close();
    const records: LogRecord[] = [];
    const summary = await scan('/db', {
      fileIo: disk.fileIo,
      onRecord: (record) => records.push(record),
      strict: true,
    });
    records.forEach(check);
    expect(records.map((record) => record.offset)).toEqual(
      Array.from({ length: 80 - firstOffset + 1 }, (_, i) => firstOffset + i),
    );
    expect(summary).toMatchObject({
      storeId,
      firstOffset,
      lastOffset: 80,
      records: records.length,
      recordsUnattested: 0,
      bytesTruncated: 0,
      strayFiles: [],
    });
    expect(summary.segments[0]?.firstOffset).toBe(firstOffset);
    expect(summary.segments.at(-1)?.lastOffset).toBe(80);
    expect(await scan('/db', { fileIo: disk.fileIo })).toEqual(summary);
  });

  it('passes on what the callback throws', async () => {
    const disk = SimDisk.of();
    const log = await openSim(disk.fileIo);
    await fill(log, [5]);
    await log.close();
    const enough = new RangeError('enough');
    let seen = 0;
    const call = scan('/db', {
      fileIo: disk.fileIo,
      onRecord: () => {
        if (++seen === 3) throw enough;
      },
    });
    expect(await failureOf(call)).toBe(enough);
    expect(seen).toBe(3);
  });

  it('is NOT_FOUND where there is no log', async () => {
    expect(await codeOf(scan('/db', { fileIo: SimDisk.of().fileIo }))).toBe('NOT_FOUND');
    expect(await codeOf(scan('/db', { on: 1 } as object))).toBe('BAD_REQUEST');
  });

  it('WAL-5 says what a crash left behind, and is CORRUPT about it when strict', async () => {
    const disk = SimDisk.of();
    const log = await openSim(disk.fileIo);
    await fill(log, [1]);
    await fill(log, [4]);
    const torn = disk.crash(disk.journal.length, () => true);
    const end = log.stats().bytesUsed;
    flipAt(torn, '/db/00000001.wal', end - 9);
    const summary = await scan('/db', { fileIo: torn.fileIo });
    expect(summary).toMatchObject({ lastOffset: 1, records: 1 });
    expect(summary.bytesTruncated).toBeGreaterThan(0);
    expect(await codeOf(scan('/db', { fileIo: torn.fileIo, strict: true }))).toBe('CORRUPT');
    await log.close();
  });
});
