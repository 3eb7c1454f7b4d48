/** Verifying and repairing a store with snapshots: damage in either, a log that was shortened, a manifest that is lost. */
import { describe, expect, test } from 'vitest';
import { openStore, repairStore, verifyStore, type StoreOptions } from 'pawl';
import { SimDisk } from 'pawl/testing';
import { snapshotName, snapshotOffset } from '../../../src/snapshot/snapshot-name.ts';
import { DOOR, manualClock, refusalOf } from './cases/contract.ts';
import { imageOf, stateOf } from './store-state.ts';

/** Time stands still: the same commands make the same records. */
const clock = manualClock();
const OPTIONS: StoreOptions = { snapshotInterval: 0, segmentBytes: 4096, clock };

interface Made {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly image: unknown;
  readonly digest: string | undefined;
  /** Offsets. */
  readonly snapshots: readonly number[];
  readonly wals: readonly string[];
}

/** Snapshots at 21 and 41, log behind them up to 46; shortened: the log before record 21 is gone. */
async function made(isShortened: boolean): Promise<Made> {
  const disk = SimDisk.of();
  const store = await openStore('/db', {
    ...OPTIONS,
    compaction: isShortened,
    fileIo: disk.fileIo,
  });
  await store.machines.put(DOOR);
  for (let i = 0; i < 45; i++) {
    await store.instances.create({
      machine: 'door',
      id: `d${i}`,
      context: { text: 'x'.repeat(200) },
    });
    if (i === 19 || i === 39) await store.snapshot();
  }
  const image = imageOf(stateOf(store));
  await store.close();
  const { digest, ok } = await verifyStore('/db', { fileIo: disk.fileIo });
  expect(ok).toBe(true);
  const files = disk.files();
  const names = [...files.keys()].map((path) => path.slice('/db/'.length)).sort();
  return {
    files,
    image,
    digest,
    snapshots: names.flatMap((name) => snapshotOffset(name) ?? []),
    wals: names.filter((name) => name.endsWith('.wal')),
  };
}

function changed(
  files: Made['files'],
  changes: Record<string, ((bytes: Uint8Array) => void) | undefined>,
): SimDisk {
  const copy = new Map([...files].map(([path, bytes]) => [path, bytes.slice()]));
  for (const [name, change] of Object.entries(changes)) {
    const bytes = copy.get(`/db/${name}`) as Uint8Array;
    if (change === undefined) copy.delete(`/db/${name}`);
    else change(bytes);
  }
  return SimDisk.of(copy);
}

/** One bit, in the middle. */
function flip(bytes: Uint8Array): void {
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] as number) ^ 4;
}

async function imageIn(disk: SimDisk): Promise<unknown> {
  const store = await openStore('/db', { ...OPTIONS, fileIo: disk.fileIo });
  try {
    return imageOf(stateOf(store));
  } finally {
    await store.close();
  }
}

describe.each([false, true])('a store whose log was shortened: %s', (isShortened) => {
  test('is whole for verification, and its digest is that of all its records', async () => {
    const { files, digest, snapshots, wals } = await made(isShortened);
    expect(snapshots).toEqual([21, 41]);
    expect(wals[0] === '00000001.wal').toBe(!isShortened);
    const { fileIo } = SimDisk.of(files);
    expect(await repairStore('/db', { fileIo })).toEqual({
      bytesRemoved: 0,
      lastOffset: 46,
      savedTo: '',
    });
    expect(digest).toHaveLength(64);
    // Of the same records, whether the log still has them or not.
    expect(digest).toBe((await made(!isShortened)).digest);
  });

  test.each([21, 41])(
    'F-27 F-31 snapshot %d damaged: told, taken out, nothing lost',
    async (offset) => {
      const { files, image } = await made(isShortened);
      const disk = changed(files, { [snapshotName(offset)]: flip });
      const { fileIo } = disk;
      const report = await verifyStore('/db', { fileIo });
      expect(report.problems).toMatchObject([
        { code: 'CORRUPT', details: { file: snapshotName(offset) } },
      ]);
      expect(report.lastOffset).toBe(46);
      const repaired = await repairStore('/db', { fileIo });
      expect(repaired).toMatchObject({ bytesRemoved: 0, lastOffset: 46, savedTo: '/db/damaged-1' });
      expect(disk.files().has(`/db/damaged-1/${snapshotName(offset)}`)).toBe(true);
      expect(disk.files().has(`/db/${snapshotName(offset)}`)).toBe(false);
      expect(await verifyStore('/db', { fileIo })).toMatchObject({ ok: true, lastOffset: 46 });
      expect(await imageIn(disk)).toEqual(image);
    },
  );

  test('F-28 the manifest lost: a repair finds the snapshots by themselves', async () => {
    const { files, image } = await made(isShortened);
    const disk = changed(files, { manifest: undefined });
    const { fileIo } = disk;
    expect(await refusalOf(() => openStore('/db', { fileIo }))).toMatchObject({ code: 'CORRUPT' });
    expect(await verifyStore('/db', { fileIo })).toMatchObject({ ok: false });
    expect(await repairStore('/db', { fileIo })).toMatchObject({ lastOffset: 46 });
    expect(await verifyStore('/db', { fileIo })).toMatchObject({ ok: true });
    expect(await imageIn(disk)).toEqual(image);
    expect([...disk.files().keys()].flatMap((path) => snapshotOffset(path.slice(4)) ?? [])).toEqual(
      [21, 41],
    );
  });

  test('F-31 log damaged behind the newest snapshot: what lies before is kept', async () => {
    const { files, wals } = await made(isShortened);
    const last = wals.findLast((name) =>
      (files.get(`/db/${name}`) as Uint8Array).subarray(2000, 4096).some((byte) => byte !== 0),
    ) as string;
    const disk = changed(files, {
      [last]: (bytes) => void (bytes[300] = (bytes[300] as number) ^ 1),
    });
    const { fileIo } = disk;
    expect(await verifyStore('/db', { fileIo })).toMatchObject({ ok: false });
    const { lastOffset } = await repairStore('/db', { fileIo });
    expect(lastOffset).toBeGreaterThanOrEqual(41);
    expect(await verifyStore('/db', { fileIo })).toMatchObject({ ok: true, lastOffset });
    const store = await openStore('/db', { ...OPTIONS, fileIo });
    expect(store.offset).toBe(lastOffset);
    for (let i = 0; i < lastOffset - 1; i++)
      expect(store.instances.get(`d${i}`)?.state).toBe('open');
    await store.close();
  });

  test('F-31 log lost before the newest snapshot: nothing is lost', async () => {
    const { files, image, wals } = await made(isShortened);
    const disk = changed(files, { [wals[0] as string]: undefined });
    const { fileIo } = disk;
    expect(await verifyStore('/db', { fileIo })).toMatchObject({ ok: false });
    await repairStore('/db', { fileIo });
    expect(await verifyStore('/db', { fileIo })).toMatchObject({ ok: true, lastOffset: 46 });
    expect(await imageIn(disk)).toEqual(image);
  });

  test('F-31 all log lost: the newest snapshot is the store', async () => {
    const { files, wals } = await made(isShortened);
    const disk = changed(files, Object.fromEntries(wals.map((name) => [name, undefined])));
    const { fileIo } = disk;
    expect(await verifyStore('/db', { fileIo })).toMatchObject({ ok: false });
    expect(await repairStore('/db', { fileIo })).toMatchObject({ lastOffset: 41 });
    const store = await openStore('/db', { ...OPTIONS, fileIo });
    expect([store.offset, store.instances.count()]).toEqual([41, 40]);
    await store.instances.create({ machine: 'door', id: 'more' });
    await store.close();
    expect(await verifyStore('/db', { fileIo })).toMatchObject({ ok: true, lastOffset: 42 });
  });
});

test('SNP-3 a snapshot that is whole and says something else than the log is CORRUPT', async () => {
  // Two stores of one id, of which one went on differently: its snapshot under the other's list.
  const disk = SimDisk.of();
  const open = (on: SimDisk) =>
    openStore('/db', { ...OPTIONS, compaction: false, fileIo: on.fileIo });
  const store = await open(disk);
  await store.machines.put(DOOR);
  await store.close();
  const [one, other] = [SimDisk.of(disk.files()), SimDisk.of(disk.files())];
  for (const [on, id] of [
    [one, 'a'],
    [other, 'b'],
  ] as const) {
    const branch = await open(on);
    await branch.instances.create({ machine: 'door', id });
    await branch.snapshot();
    await branch.close();
  }
  const files = new Map(one.files());
  for (const name of ['manifest', snapshotName(2)])
    files.set(`/db/${name}`, other.files().get(`/db/${name}`) as Uint8Array);
  const { problems } = await verifyStore('/db', { fileIo: SimDisk.of(files).fileIo });
  expect(problems.some(({ message }) => message.includes('not what the log says'))).toBe(true);
});
