/**
 * Damage at rest: every single byte, every truncation, and files that are missing, swapped or from
 * elsewhere. After a clean close each is CORRUPT or harmless; never another history, never an
 * empty one.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { isStoreError } from '../../../src/base/errors.ts';
import { seededRandom } from '../../../src/base/random.ts';
import {
  type ManifestState,
  decodeManifestSlot,
  encodeManifestSlot,
} from '../../../wal/manifest.ts';
import { NOTHING_ATTESTED } from '../../../wal/position.ts';
import { openDriver, scanDriver, turns } from './log-driver.ts';
import { SimDisk } from 'pawl/testing';

type Files = Map<string, Uint8Array>;

async function closedStore(seed = 7, commits = 12): Promise<Files> {
  const disk = SimDisk.of();
  const first = await openDriver(disk.fileIo, '/db', { random: seededRandom(seed) });
  first.driver.recordBytes = 500;
  await first.driver.commit(2);
  for (let i = 0; i < commits; i++) await first.driver.commit();
  await first.writer.close();
  const second = await openDriver(disk.fileIo, '/db');
  await second.driver.commit();
  await second.writer.close();
  return disk.files();
}

/** 'corrupt', or the number of records found. Anything else throws. */
async function verdict(files: Files): Promise<'corrupt' | number> {
  try {
    return (await scanDriver(SimDisk.of(files).fileIo, '/db')).records;
  } catch (error) {
    if (isStoreError(error, 'CORRUPT')) {
      expect(error.details.file).toBeTypeOf('string');
      expect(error.details.byteOffset).toBeTypeOf('number');
      return 'corrupt';
    }
    throw error;
  }
}

function changed(files: Files, change: (files: Files) => void): Files {
  const copy = new Map([...files].map(([path, bytes]) => [path, bytes.slice()]));
  change(copy);
  return copy;
}

const SEGMENTS = ['/db/00000001.wal', '/db/00000002.wal', '/db/00000003.wal'];

describe('damage after a clean close', () => {
  let files: Files;
  let used: Map<string, number>;
  const RECORDS = 15;

  beforeAll(async () => {
    files = await closedStore();
    const { report } = await scanDriver(SimDisk.of(files).fileIo, '/db');
    used = new Map(report?.segments.map((segment) => [segment.path, segment.usedBytes]));
  });

  it('the store it is done to is whole, and has several segments', async () => {
    expect(await verdict(files)).toBe(RECORDS);
    expect([...files.keys()]).toEqual(expect.arrayContaining(SEGMENTS));
  });

  it(
    'F-20 F-22 every flipped byte of header and frames is found, anything else is harmless',
    { timeout: 120_000 },
    async () => {
      const wrong: string[] = [];
      for (const [path, bytes] of files) {
        const flip = new Uint8Array(bytes);
        const copy = new Map(files).set(path, flip);
        for (let at = 0; at < bytes.length; at++) {
          const mask = 1 << (at & 7);
          flip[at] = (flip[at] as number) ^ mask;
          const result = await verdict(copy);
          flip[at] = (flip[at] as number) ^ mask;
          const mustBeFound = path.endsWith('.wal') && at < (used.get(path) ?? 0);
          if (result !== (mustBeFound ? 'corrupt' : RECORDS))
            wrong.push(`${path} at ${at}: ${result}`);
        }
      }
      expect(wrong).toEqual([]);
    },
  );

  it('F-5 F-25 a segment cut short or grown is CORRUPT, a manifest cut short is CORRUPT or harmless', async () => {
    const wrong: string[] = [];
    for (const [path, bytes] of files) {
      for (let length = 0; length < bytes.length; length += 61) {
        const result = await verdict(new Map(files).set(path, bytes.slice(0, length)));
        const isHarmless = path.endsWith('manifest') && result === RECORDS;
        if (result !== 'corrupt' && !isHarmless) wrong.push(`${path} cut to ${length}: ${result}`);
      }
      const grown = new Map(files).set(path, new Uint8Array(bytes.length + 4096));
      if ((await verdict(grown)) !== 'corrupt') wrong.push(`${path} grown`);
    }
    expect(wrong).toEqual([]);
  });

  it('F-25 a missing segment, or manifest, is CORRUPT', async () => {
    for (const path of files.keys())
      expect([path, await verdict(changed(files, (copy) => copy.delete(path)))]).toEqual([
        path,
        'corrupt',
      ]);
  });

  it('F-24 F-25 swapped, renamed and duplicated segments are CORRUPT', async () => {
    const [one, two] = SEGMENTS as [string, string];
    const swapped = changed(files, (copy) =>
      copy.set(one, files.get(two) as Uint8Array).set(two, files.get(one) as Uint8Array),
    );
    expect(await verdict(swapped)).toBe('corrupt');
    const duplicated = changed(files, (copy) =>
      copy.set('/db/00000009.wal', files.get(one) as Uint8Array),
    );
    expect(await verdict(duplicated)).toBe('corrupt');
  });

  it('F-24 a segment of another store is CORRUPT', async () => {
    const foreign = await closedStore(8);
    for (const path of SEGMENTS)
      expect(await verdict(new Map(files).set(path, foreign.get(path) as Uint8Array))).toBe(
        'corrupt',
      );
  });

  it('F-24 a whole frame copied over another place, or from another segment, is CORRUPT', async () => {
    const { report } = await scanDriver(SimDisk.of(files).fileIo, '/db');
    const last = report?.segments.at(-1);
    for (const path of SEGMENTS) {
      const bytes = files.get(path) as Uint8Array;
      for (const to of [128, 128 + 560]) {
        const copy = changed(files, (all) =>
          (all.get(path) as Uint8Array).copyWithin(to, 128 + 1120, 128 + 1680),
        );
        if (to + 560 <= (used.get(path) ?? 0)) expect(await verdict(copy)).toBe('corrupt');
      }
      expect(bytes.length).toBeGreaterThan(0);
    }
    // Behind the end: a frame of this very segment that does not continue the log.
    const path = last?.path as string;
    const copy = changed(files, (all) =>
      (all.get(path) as Uint8Array).copyWithin(last?.usedBytes as number, 128, 240),
    );
    expect(await verdict(copy)).toBe('corrupt');
  });

  it('F-22 closing mark and manifest vouch for the last frame each by itself', async () => {
    const { report } = await scanDriver(SimDisk.of(files).fileIo, '/db');
    const last = report?.segments.at(-1);
    const path = last?.path as string;
    const frame = (last?.usedBytes as number) - 48 - 8;
    const manifest = files.get('/db/manifest') as Uint8Array;
    const state = decodeManifestSlot(manifest.subarray(0, 4096)) as ManifestState;
    const silent = new Uint8Array(8192);
    silent.set(encodeManifestSlot({ ...state, attested: NOTHING_ATTESTED }));
    const byMark = changed(
      files,
      (copy) => ((copy.set('/db/manifest', silent).get(path) as Uint8Array)[frame] = 99),
    );
    expect(await verdict(byMark)).toBe('corrupt');
    const byManifest = changed(files, (copy) =>
      (copy.get(path) as Uint8Array).fill(0, frame, frame + 56),
    );
    expect(await verdict(byManifest)).toBe('corrupt');
    const emptied = changed(files, (copy) => (copy.get(path) as Uint8Array).fill(0, 64));
    expect(await verdict(emptied)).toBe('corrupt');
  });

  it('F-26 unknown files are listed and left alone', async () => {
    const disk = SimDisk.of(
      new Map(files).set('/db/notes.txt', Uint8Array.of(1)).set('/db/1.wal', Uint8Array.of(2)),
    );
    const { writer, driver } = await openDriver(disk.fileIo, '/db');
    expect(writer.recovery.strayFiles).toEqual(['1.wal', 'notes.txt']);
    await driver.commit();
    await writer.close();
    expect(disk.files().get('/db/notes.txt')).toEqual(Uint8Array.of(1));
    expect(disk.files().get('/db/1.wal')).toEqual(Uint8Array.of(2));
  });

  it('WAL-5 opening what is CORRUPT changes nothing', async () => {
    const broken = changed(
      files,
      (copy) => ((copy.get(SEGMENTS[0] as string) as Uint8Array)[300] = 77),
    );
    const disk = SimDisk.of(broken);
    await expect(openDriver(disk.fileIo, '/db')).rejects.toMatchObject({
      code: 'CORRUPT',
      details: { file: '00000001.wal' },
    });
    expect(disk.files()).toEqual(broken);
    expect(disk.isLocked).toBe(false);
  });
});

describe('damage behind a kill', () => {
  async function killed(withMark: boolean): Promise<SimDisk> {
    const disk = SimDisk.of();
    const { ManualThread } = await import('./log-driver.ts');
    const thread = new ManualThread();
    const { driver } = await openDriver(disk.fileIo, '/db', { thread });
    for (let i = 0; i < 3; i++) await driver.commit();
    if (withMark) {
      thread.fire();
      await turns();
    }
    return disk;
  }

  it('F-21 in the last frame, attested by nothing, it is cut and reported', async () => {
    const files = (await killed(false)).files();
    const bytes = files.get('/db/00000001.wal') as Uint8Array;
    const last = bytes.findLastIndex((byte) => byte !== 0);
    bytes[last] = (bytes[last] as number) ^ 1;
    const { report, records } = await scanDriver(SimDisk.of(files).fileIo, '/db');
    expect(records).toBe(2);
    expect(report?.firstBadOffset).toBe(3);
    expect(report?.bytesTruncated).toBeGreaterThan(48);
    await expect(
      scanDriver(SimDisk.of(files).fileIo, '/db', { strict: true }),
    ).rejects.toMatchObject({
      code: 'CORRUPT',
    });
    const { writer, replayed } = await openDriver(SimDisk.of(files).fileIo, '/db');
    expect(replayed).toBe(2);
    expect(writer.recovery).toMatchObject({
      bytesTruncated: report?.bytesTruncated,
      firstBadOffset: 3,
      // The header of the torn frame is whole, and vouches for those before it.
      recordsRewritten: 0,
    });
  });

  it('F-21 F-22 once a mark stands behind it, it is CORRUPT', async () => {
    const files = (await killed(true)).files();
    const bytes = files.get('/db/00000001.wal') as Uint8Array;
    for (let at = 0; at < 360; at++) {
      const copy = new Map(files).set('/db/00000001.wal', bytes.slice());
      const flip = copy.get('/db/00000001.wal') as Uint8Array;
      flip[at] = (flip[at] as number) ^ 16;
      expect([at, await verdict(copy)]).toEqual([at, 'corrupt']);
    }
  });

  it('F-25 a segment that was prepared and is missing is CORRUPT, used or not', async () => {
    const disk = await killed(false);
    await turns();
    const files = disk.files();
    expect([...files.keys()]).toContain('/db/00000002.wal');
    files.delete('/db/00000002.wal');
    expect(await verdict(files)).toBe('corrupt');
  });

  it('a reader of a live writer is given attested frames only', async () => {
    const disk = await killed(false);
    expect((await scanDriver(disk.fileIo, '/db')).records).toBe(3);
    const { report, records } = await scanDriver(disk.fileIo, '/db', { deliver: 'attested' });
    expect(records).toBe(2);
    expect(report?.attestedEnd.offset).toBe(2);
    expect(report?.end.offset).toBe(3);
  });
});

describe('a store of a later version', () => {
  it('F-56 is FORMAT_UNSUPPORTED and left alone', async () => {
    const { encodeSegmentHeader } = await import('../../../wal/segment-header.ts');
    const { crc32c } = await import('../../../src/base/crc32c.ts');
    const files = await closedStore();
    const path = '/db/00000001.wal';
    const bytes = files.get(path) as Uint8Array;
    expect(
      encodeSegmentHeader({ number: 1, sizeBytes: 4096, createdAt: 1, storeId: new Uint8Array(16) })
        .length,
    ).toBe(64);
    bytes[8] = 2;
    new DataView(bytes.buffer).setUint32(0, crc32c(bytes, 4, 64), true);
    const disk = SimDisk.of(files);
    await expect(openDriver(disk.fileIo, '/db')).rejects.toMatchObject({
      code: 'FORMAT_UNSUPPORTED',
    });
    expect(disk.files()).toEqual(files);
  });
});
