/** pawl/wal on a real disk: several parts of it at once, and its limits. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KiB, MiB } from '../../../src/base/units.ts';
import { type Durability, openLog, scan, verifyLog } from '../../../wal/index.ts';
import { check, codeOf, content, fill, readAll } from './public-fixture.ts';

let directory = '';
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'pawl-log-')), 'log');
});
afterEach(async () => {
  await rm(join(directory, '..'), { recursive: true });
});

const LEVELS: readonly Durability[] = ['always', 'os', { everyMs: 2 }, { everyRecords: 50 }];

describe('pawl/wal on a real disk', () => {
  it.each(LEVELS)('appends, follows, reads and drops at once, at level %j', async (durability) => {
    const log = await openLog(directory, { durability, segmentBytes: 64 * KiB });
    const total = 6000;
    const followers = Array.from({ length: 3 }, async () => {
      let next = 1;
      for await (const record of log.follow({ after: 0 })) {
        if (record.offset !== next++) throw new Error(`${record.offset} instead of ${next - 1}`);
        check(record);
        if (record.offset === total) break;
      }
    });
    const reading = (async () => {
      while (log.lastOffset < total) {
        const from = log.firstOffset + Math.floor((log.lastOffset - log.firstOffset + 1) / 2);
        for (const record of (await log.read({ from, limit: 20 })).records) check(record);
      }
    })();
    for (let i = 0; i < total / 20; i++) await fill(log, [1, 5, 1, 1, 10, 1, 1]);
    await Promise.all([...followers, reading]);
    const { segments } = await log.truncateBefore(3000);
    expect(segments).toBeGreaterThan(2);
    expect(log.firstOffset).toBeLessThanOrEqual(3000);
    await readAll(log);
    const { firstOffset, storeId } = log;
    await log.close();
    expect(
      (await readdir(directory)).some((name) => name.endsWith('.new') || name === 'lock'),
    ).toBe(false);
    expect(await scan(directory, { strict: true })).toMatchObject({
      firstOffset,
      lastOffset: total,
      storeId,
      bytesTruncated: 0,
    });
    expect(await verifyLog(directory)).toMatchObject({ ok: true, firstOffset, lastOffset: total });
    const again = await openLog(directory);
    expect(again.recovery).toMatchObject({
      recordsRead: total - firstOffset + 1,
      recordsUnattested: 0,
    });
    await readAll(again);
    await again.close();
  });

  it('WAL-4 takes a record of 16 MiB and a commit of nearly 64 MiB, and gives them back', async () => {
    const log = await openLog(directory, { durability: 'os' });
    const large = new Uint8Array(16 * MiB).fill(7);
    expect(await log.append(large)).toBe(1);
    expect(await log.appendMany([large, large, large, large.subarray(100)])).toBe(5);
    expect(await codeOf(log.append(new Uint8Array(16 * MiB + 1)))).toBe('RECORD_TOO_LARGE');
    for (let from = 1; from <= 5; from++) {
      const { records } = await log.read({ from });
      expect(records).toHaveLength(1);
      const length = from === 5 ? 16 * MiB - 100 : 16 * MiB;
      expect(Buffer.compare(records[0]?.bytes as Uint8Array, large.subarray(0, length))).toBe(0);
    }
    await log.close();
  });

  it('is read by another process while it is written, and only what is attested', async () => {
    const log = await openLog(directory);
    for (let i = 0; i < 30; i++) await fill(log, [1, 2]);
    const reader = await openLog(directory, { readOnly: true });
    expect(reader.lastOffset).toBeGreaterThan(80);
    expect(reader.lastOffset).toBeLessThanOrEqual(log.lastOffset);
    await readAll(reader);
    await log.truncateBefore(log.lastOffset);
    await log.close();
    await readAll(reader);
    await reader.close();
    expect(await codeOf(openLog(join(directory, 'manifest'), { readOnly: true }))).toBe(
      'BAD_REQUEST',
    );
    expect(await codeOf(openLog(join(directory, 'none'), { readOnly: true }))).toBe('NOT_FOUND');
    expect(await readdir(directory)).not.toContain('none');
  });

  it('is scanned with nothing but its directory', async () => {
    const log = await openLog(directory);
    await fill(log, [1, 2, 3]);
    const { storeId } = log;
    await log.close();
    expect(await scan(directory)).toMatchObject({ storeId, records: 6, lastOffset: 6 });
    expect(await codeOf(scan(join(directory, 'none')))).toBe('NOT_FOUND');
  });

  it('a chain of lone appends lets a follower keep up, and both end', async () => {
    const log = await openLog(directory);
    const following = (async () => {
      const seen: number[] = [];
      for await (const { offset } of log.follow()) if (seen.push(offset) === 500) break;
      return seen;
    })();
    for (let i = 1; i <= 500; i++) await log.append(content(i));
    expect(await following).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
    await log.close();
  });
});
