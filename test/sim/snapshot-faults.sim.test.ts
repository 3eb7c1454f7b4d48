/**
 * A snapshot on a disk that gives errors for a while, three stories. Closing the one behind a view
 * failed, and the caller was handed a raw system error. One read failed while compact() made sure of
 * the only snapshot: it counted as damaged for good, and every later snapshot was refused as CORRUPT.
 * And where the next part of a file was read ahead, its failure was nobody's: it ended the process.
 */
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/index.ts';
import type { Store } from '../../src/engine/api/store.ts';
import { SimDisk } from '../../src/testing/sim-disk.ts';
import { FaultPlan, type FaultRule } from '../../src/testing/sim-faults.ts';

const ROWS = 40;

function open(disk: SimDisk): Promise<Store> {
  return openStore('/db', {
    fileIo: disk.fileIo,
    snapshotInterval: 0,
    segmentBytes: 4096,
    keepSnapshots: 1,
    verifyOnOpen: 'full',
  });
}

/** Its only snapshot is all there is of its beginning; opened again, so that nobody has verified it for long. */
async function compacted(disk: SimDisk): Promise<Store> {
  const store = await open(disk);
  await store.machines.put({
    name: 'm',
    version: 1,
    states: ['on'],
    initial: 'on',
    transitions: [],
  });
  for (let n = 0; n < ROWS; n++) {
    const context = { text: 'x'.repeat(300) };
    await store.instances.create({ machine: 'm', id: `i${n}`, context });
  }
  await store.compact();
  await store.close();
  expect(disk.files().has('/db/00000001.wal')).toBe(false);
  return open(disk);
}

function failing(disk: SimDisk, rule: FaultRule): FaultPlan {
  const plan = new FaultPlan([{ path: 'snapshot-', ...rule }]);
  disk.fault = (call, path) => plan.decide(call, path);
  return plan;
}

describe('a disk that gives errors for a while', () => {
  it('F-39 a view whose snapshot cannot be closed says WAL_IO_ERROR', async () => {
    const disk = SimDisk.of();
    const store = await compacted(disk);
    const view = await store.asOf({ offset: store.offset });
    const plan = failing(disk, { call: 'close', error: 'ENOSPC' });
    await expect(view.close()).rejects.toMatchObject({ code: 'WAL_IO_ERROR' });
    expect(plan.met).toEqual([1]);
    disk.fault = undefined;
    await store.close();
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'F-40 F-12 read %i of the only snapshot fails: nothing is dropped, and it is as good as before',
    async (nth) => {
      const disk = SimDisk.of();
      const store = await compacted(disk);
      const plan = failing(disk, { call: ['open', 'read'], error: 'EIO', nth });
      await expect(store.compact()).rejects.toMatchObject({ code: 'WAL_IO_ERROR' });
      expect(plan.met).toEqual([1]);
      disk.fault = undefined;
      await store.instances.create({ machine: 'm', id: 'late' });
      await store.compact();
      expect((await store.snapshot()).offset).toBe(store.offset);
      await store.close();
      const next = await open(disk);
      expect(next.instances.count()).toBe(ROWS + 1);
      await next.close();
    },
  );
});
