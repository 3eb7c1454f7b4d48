/** A log whose first record is not the first of all, as a store restored from a snapshot has. */
import { describe, expect, it } from 'vitest';
import { undecided } from '../../../src/testing/sim-disk.ts';
import { openLog, scan, verifyLog } from '../../../wal/index.ts';
import { createLogAt } from '../../../wal/create-log-at.ts';
import { framesOf, readFrames } from '../../../wal/read-frames.ts';
import { flip, missing, zero } from './damages.ts';
import { openDriver } from './log-driver.ts';
import { SimDisk, codeOf, failureOf } from './public-fixture.ts';
import { osError } from './sim-fixture.ts';

const LAST = 4711;
const STORE_ID = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
const EXTRA = Uint8Array.of(9, 8, 7);

async function create(disk: SimDisk, lastOffset = LAST, directory = '/db'): Promise<void> {
  const { fileIo } = disk;
  const fill = async (path: string): Promise<Uint8Array> => {
    const name = `${path}/snapshot`;
    if ((await fileIo.stat(name)) !== undefined) await fileIo.remove(name);
    const file = await fileIo.open(name, 'create');
    file.writeSync(Uint8Array.of(1, 2, 3), 0, 3, 0);
    await file.sync();
    await file.close();
    await fileIo.syncDirectory(path);
    return EXTRA;
  };
  await createLogAt(directory, { fileIo, storeId: STORE_ID, lastOffset, fill });
}

/** Opens as somebody who has everything before, and appends. */
async function goOn(disk: SimDisk, commits = 1, lastOffset = LAST): Promise<number> {
  let manifest: Uint8Array | undefined;
  const { driver, writer } = await openDriver(disk.fileIo, '/db', {
    onFrame: () => undefined,
    beforeScan: async (found) => {
      manifest = found.manifest.extra;
      expect(found.manifest.storeId).toEqual(STORE_ID);
      return lastOffset;
    },
  });
  expect(manifest).toEqual(EXTRA);
  driver.accepted$ = writer.acceptedOffset;
  expect(writer.stats().firstOffset).toBe(lastOffset + 1);
  let last = writer.acceptedOffset;
  for (let i = 0; i < commits; i++) last = await driver.commit();
  await writer.close();
  return last;
}

describe('createLogAt', () => {
  it('makes a log that is whole, empty, and goes on behind the given record', async () => {
    const disk = SimDisk.of();
    await create(disk);
    expect(await verifyLog('/db', { fileIo: disk.fileIo })).toMatchObject({
      ok: true,
      firstOffset: LAST + 1,
      lastOffset: LAST,
    });
    const log = await openLog('/db', { fileIo: disk.fileIo, readOnly: true });
    expect([log.firstOffset, log.lastOffset]).toEqual([LAST + 1, LAST]);
    await log.close();
    expect(await goOn(disk)).toBe(LAST + 1);
    expect(await goOn(disk, 90)).toBe(LAST + 91);
    expect(await goOn(disk)).toBe(LAST + 92);
    const { firstOffset, records } = await scan('/db', { fileIo: disk.fileIo, strict: true });
    expect([firstOffset, records]).toEqual([LAST + 1, 92]);
  });

  it('creates the directory, and may begin with the first record of all', async () => {
    const disk = SimDisk.of();
    await create(disk, 0, '/a/b');
    const log = await openLog('/a/b', { fileIo: disk.fileIo });
    expect(await log.append(Uint8Array.of(1))).toBe(1);
    await log.close();
    const far = SimDisk.of();
    await create(far, 2 ** 52);
    expect(await goOn(far, 1, 2 ** 52)).toBe(2 ** 52 + 1);
  });

  it('is read, and truncated, like any other', async () => {
    const disk = SimDisk.of();
    await create(disk);
    await goOn(disk, 100);
    const { driver, writer } = await openDriver(disk.fileIo, '/db', { onFrame: () => undefined });
    driver.accepted$ = writer.acceptedOffset;
    let count = 0;
    const through = writer.acceptedOffset;
    await readFrames(disk.fileIo, framesOf(writer.files, LAST), LAST, through, () => void count++);
    expect(count).toBe(100);
    expect(await codeOf((async () => framesOf(writer.files, LAST - 1))())).toBe('OFFSET_TOO_OLD');
    await driver.commit();
    expect((await writer.truncateBefore(LAST + 80)).segments).toBeGreaterThan(1);
    await writer.close();
  });

  it('refuses a directory with a log, and changes nothing there', async () => {
    const disk = SimDisk.of();
    const log = await openLog('/db', { fileIo: disk.fileIo });
    await log.append(Uint8Array.of(1));
    await log.close();
    const before = disk.files();
    expect(await codeOf(create(disk))).toBe('BAD_REQUEST');
    expect(disk.files()).toEqual(before);
    // Nor is one that lost its manifest taken for the trace of a crash.
    await disk.fileIo.remove('/db/manifest');
    expect(await codeOf(create(disk))).toBe('BAD_REQUEST');
    const other = SimDisk.of(new Map([['/db/00000002.wal', new Uint8Array(4096)]]));
    expect(await codeOf(create(other))).toBe('BAD_REQUEST');
    const again = SimDisk.of();
    await create(again);
    expect(await codeOf(create(again))).toBe('BAD_REQUEST');
    expect(await goOn(again)).toBe(LAST + 1);
  });

  it('refuses while somebody writes there', async () => {
    const disk = SimDisk.of();
    disk.isLocked = true;
    expect(await codeOf(create(disk))).toBe('STORE_LOCKED');
  });

  it('F-22 damage to its only link is CORRUPT: never a log that begins anew', async () => {
    const disk = SimDisk.of();
    await create(disk);
    for (const damage of [
      flip('/db/00000002.wal', 70),
      zero('/db/00000002.wal', 64, 200),
      missing('/db/00000002.wal'),
    ]) {
      const { fileIo } = disk.damaged(damage);
      expect(await codeOf(openLog('/db', { fileIo }))).toBe('CORRUPT');
    }
  });

  it('F-39 when it fails there is no log, the lock is free, and it can be repeated', async () => {
    for (let call = 0; call < 60; call++) {
      const disk = SimDisk.of();
      let calls = 0;
      disk.fault = () => (calls++ === call ? osError('EIO') : undefined);
      const failure = await failureOf(create(disk));
      disk.fault = undefined;
      if (calls <= call) {
        expect(call).toBeGreaterThan(15);
        return;
      }
      // What fails last, giving back the lock, leaves a log.
      const isMade = disk.files().has('/db/manifest');
      expect([call, failure]).toEqual([call, expect.objectContaining({ name: 'StoreError' })]);
      expect(disk.isLocked).toBe(isMade && disk.isLocked);
      disk.isLocked = false;
      if (!isMade) await create(disk);
      expect(await goOn(disk)).toBe(LAST + 1);
    }
    throw new Error('it never succeeded');
  });

  it('SNP-5 after a power cut at any call there is the log, or none and it can be made', async () => {
    const disk = SimDisk.of();
    await create(disk);
    let made = 0;
    for (let length = 0; length <= disk.journal.length; length++) {
      const doubts = undecided(disk, length);
      const keeps = [
        () => true,
        () => false,
        ...doubts.map((one) => (index: number) => index === one),
        ...doubts.map((one) => (index: number) => index !== one),
      ];
      for (const keep of keeps) {
        const crashed = disk.crash(length, keep);
        if (crashed.files().has('/db/manifest')) {
          made++;
          expect(crashed.files().get('/db/snapshot')).toEqual(Uint8Array.of(1, 2, 3));
        } else await create(crashed);
        expect(await goOn(crashed)).toBe(LAST + 1);
      }
    }
    expect(made).toBeGreaterThan(2);
  });

  it('F-6 a directory it creates is there for sure, also when an attempt before died', async () => {
    const disk = SimDisk.of();
    await create(disk, LAST, '/a/b');
    for (let length = 0; length <= disk.journal.length; length++) {
      for (const keep of [true, false]) {
        // Killed, not cut: what that attempt did may still be in the cache only.
        const again = keep ? disk.kill(length) : disk.crash(length, () => false);
        if (!again.files().has('/a/b/manifest')) await create(again, LAST, '/a/b');
        else if (keep) continue;
        const cut = again.crash(again.journal.length, () => false);
        expect([length, keep, cut.files().has('/a/b/manifest')]).toEqual([length, keep, true]);
      }
    }
  });
});
