/** Snapshots of an open store: what they hold, when they count, what opening does with them, what goes afterwards. */
import { describe, expect, test } from 'vitest';
import { openStore, type Store, type StoreOptions } from 'pawl';
import { SimDisk } from 'pawl/testing';
import { seededRandom } from '../../../src/base/random.ts';
import { snapshotName, snapshotOffset } from '../../../src/snapshot/snapshot-name.ts';
import { seededChoices } from '../../sim/choices.ts';
import { DOOR, manualClock, refusalOf } from './cases/contract.ts';
import { History, RETENTION } from './histories.ts';
import { imageOf, stateOf } from './store-state.ts';

const QUIET: StoreOptions = { snapshotInterval: 0, segmentBytes: 4096 };

function open(disk: SimDisk, options: StoreOptions = QUIET): Promise<Store> {
  return openStore('/db', { ...options, fileIo: disk.fileIo });
}

/** Doors `from` to below `to`, a record each. */
async function doors(store: Store, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++)
    await store.instances.create({
      machine: 'door',
      id: `d${i}`,
      context: { text: 'x'.repeat(200), i },
    });
}

function filesOf(disk: SimDisk): string[] {
  return [...disk.files().keys()].map((path) => path.slice('/db/'.length)).sort();
}

function snapshotsOf(disk: SimDisk): number[] {
  return filesOf(disk).flatMap((name) => snapshotOffset(name) ?? []);
}

/** The same files, one byte of one of them changed. */
function damaged(disk: SimDisk, name: string, at: (length: number) => number): SimDisk {
  const files = disk.files();
  const bytes = files.get(`/db/${name}`) as Uint8Array;
  const i = at(bytes.length);
  bytes[i] = (bytes[i] as number) ^ 1;
  return SimDisk.of(files);
}

/** Until it is so, however busy the machine is. */
async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 3000 && !isSo(); i++) await new Promise((resolve) => setTimeout(resolve, 1));
}

function snapshotStats(store: Store): { readonly taken: number } {
  return store.stats()['snapshots'] as { readonly taken: number };
}

describe('a snapshot', () => {
  test('SNP-1 holds everything accepted so far; the next opening starts from it', async () => {
    const disk = SimDisk.of();
    const store = await open(disk);
    await store.machines.put(DOOR);
    await doors(store, 0, 30);
    const { offset, bytes } = await store.snapshot();
    expect(offset).toBe(31);
    expect(disk.files().get(`/db/${snapshotName(31)}`)?.length).toBe(bytes);
    await doors(store, 30, 33);
    const before = imageOf(stateOf(store));
    await store.close();
    const again = await open(disk);
    expect(again.recovery).toMatchObject({ snapshotOffset: 31, recordsReplayed: 3 });
    expect(imageOf(stateOf(again))).toEqual(before);
    expect(again.instances.get('d7')?.context).toMatchObject({ i: 7 });
    await again.close();
    const reader = await openStore('/db', { readOnly: true, fileIo: disk.fileIo });
    expect(reader.recovery).toMatchObject({
      snapshotOffset: 31,
      recordsReplayed: 3,
      strayFiles: [],
    });
    expect(imageOf(stateOf(reader))).toEqual(before);
    await reader.close();
  });

  test('without anything new is the last one; of nothing it is nothing', async () => {
    const disk = SimDisk.of();
    const store = await open(disk);
    expect(await store.snapshot()).toEqual({ offset: 0, bytes: 0 });
    await store.machines.put(DOOR);
    const first = await store.snapshot();
    expect(await store.snapshot()).toEqual(first);
    const [second, same] = await Promise.all([store.snapshot(), store.snapshot()]);
    expect([second, same]).toEqual([first, first]);
    expect(store.stats()).toMatchObject({ snapshots: { taken: 1, count: 1, failed: 0 } });
    await store.close();
  });

  test('SNP-5 builds on the one before, and as many are kept as asked for', async () => {
    const disk = SimDisk.of();
    const store = await open(disk, { ...QUIET, keepSnapshots: 3 });
    await store.machines.put(DOOR);
    for (let i = 0; i < 6; i++) {
      await doors(store, i * 5, i * 5 + 5);
      await store.snapshot();
    }
    expect(snapshotsOf(disk)).toEqual([21, 26, 31]);
    await store.close();
  });

  test('a store in memory has none', async () => {
    const store = await openStore(':memory:');
    for (const call of [() => store.snapshot(), () => store.compact()])
      expect(await refusalOf(call)).toMatchObject({ code: 'UNSUPPORTED' });
    await store.close();
    expect(await refusalOf(() => store.snapshot())).toMatchObject({ code: 'STORE_CLOSED' });
  });

  test('SNP-3 the state after a snapshot and a restart is the one before, long histories', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const disk = SimDisk.of();
      const clock = manualClock();
      const history = new History(seededChoices(seed), clock);
      const options = { ...QUIET, ...RETENTION, clock, random: seededRandom(seed) };
      for (let life = 0; life < 6; life++) {
        const store = await open(disk, options);
        await history.run(store, 60);
        if (life % 3 < 2) await store.compact(life % 2 === 0 ? {} : { force: true });
        if (life % 2 === 0) await history.run(store, 40);
        const before = imageOf(stateOf(store));
        await store.close();
        const again = await open(disk, options);
        expect(imageOf(stateOf(again)), `seed ${seed} life ${life}`).toEqual(before);
        expect(await again.verify()).toMatchObject({ ok: true, problems: [] });
        await again.close();
      }
    }
  });
});

describe('what a snapshot makes superfluous', () => {
  test('SNP-3 log goes when as many snapshots as are kept cover it; compact() does not wait for that', async () => {
    const disk = SimDisk.of();
    const store = await open(disk);
    await store.machines.put(DOOR);
    await doors(store, 0, 60);
    const before = filesOf(disk).filter((name) => name.endsWith('.wal')).length;
    await store.snapshot();
    expect(store.stats()).toMatchObject({
      log: { firstOffset: 1 },
      retention: { oldestOffset: 1, heldBy: [{ what: 'keepSnapshots', after: 0 }] },
    });
    const { segments, bytesFreed } = await store.compact();
    expect(segments).toBeGreaterThan(1);
    expect(bytesFreed).toBeGreaterThan(segments * 4000);
    expect(filesOf(disk).filter((name) => name.endsWith('.wal')).length).toBeLessThan(before);
    expect(store.stats()).toMatchObject({ compaction: { segmentsDropped: segments } });
    const state = imageOf(stateOf(store));
    await store.close();
    const again = await open(disk);
    expect(imageOf(stateOf(again))).toEqual(state);
    await again.close();
  });

  test('D-11 without compaction no log goes by itself', async () => {
    const disk = SimDisk.of();
    const store = await open(disk, { ...QUIET, compaction: false });
    await store.machines.put(DOOR);
    for (let i = 0; i < 4; i++) {
      await doors(store, i * 30, i * 30 + 30);
      await store.snapshot();
    }
    expect(store.stats()).toMatchObject({ log: { firstOffset: 1 }, snapshots: { count: 2 } });
    expect((await store.compact({ force: true })).segments).toBeGreaterThan(3);
    expect(snapshotsOf(disk)).toEqual([121]);
    await store.close();
  });

  test('D-11 with archive dropped log is moved aside', async () => {
    const disk = SimDisk.of();
    const store = await open(disk, { ...QUIET, archive: true });
    await store.machines.put(DOOR);
    await doors(store, 0, 60);
    const { segments } = await store.compact();
    const aside = filesOf(disk).filter((name) => name.startsWith('archive/'));
    expect(aside.length).toBe(segments);
    expect(segments).toBeGreaterThan(1);
    await store.close();
    const again = await open(disk);
    expect(again.recovery.strayFiles ?? []).toEqual([]);
    await again.close();
  });
});

describe('a snapshot that is damaged', () => {
  async function twoSnapshots(
    options: StoreOptions = {},
  ): Promise<{ disk: SimDisk; before: unknown }> {
    const disk = SimDisk.of();
    const store = await open(disk, { ...QUIET, ...options });
    await store.machines.put(DOOR);
    await doors(store, 0, 20);
    await store.snapshot();
    await doors(store, 20, 40);
    await store.snapshot();
    await doors(store, 40, 45);
    const before = imageOf(stateOf(store));
    await store.close();
    expect(snapshotsOf(disk)).toEqual([21, 41]);
    return { disk, before };
  }

  test('F-27 SNP-2 is passed over: the one before it and more log stand in, with a warning', async () => {
    const { disk, before } = await twoSnapshots();
    const warnings: string[] = [];
    const logger = {
      log: (level: string, message: string) => void warnings.push(`${level} ${message}`),
    };
    // Its header: found when it is opened.
    const bad = damaged(disk, snapshotName(41), () => 9);
    const store = await open(bad, { ...QUIET, logger });
    const told: unknown[] = [];
    store.on('corruption', (what) => told.push(what));
    expect(store.recovery).toMatchObject({ snapshotOffset: 21, recordsReplayed: 25 });
    expect(imageOf(stateOf(store))).toEqual(before);
    expect(warnings.some((line) => line.startsWith('warn a snapshot cannot be used'))).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([expect.objectContaining({ file: snapshotName(41) })]);
    expect(await store.verify()).toMatchObject({ ok: false, problems: [{ code: 'CORRUPT' }] });
    // The next one is made from the sound one, and takes the place of the bad one.
    await store.snapshot();
    expect(snapshotsOf(bad)).toEqual([21, 46]);
    expect(await store.verify()).toMatchObject({ ok: true });
    await store.close();
  });

  test('F-27 with none usable the whole log stands in; with a part of it gone it is CORRUPT, never an empty store', async () => {
    const { disk, before } = await twoSnapshots({ compaction: false });
    const none = damaged(
      damaged(disk, snapshotName(41), () => 9),
      snapshotName(21),
      (n) => n - 1,
    );
    const store = await open(none);
    expect(store.recovery.snapshotOffset).toBe(0);
    expect(imageOf(stateOf(store))).toEqual(before);
    await store.close();
    const short = await open(disk);
    await short.compact({ force: true });
    await short.close();
    const lost = damaged(disk, snapshotName(46), () => 9);
    const files = lost.files();
    const { fileIo } = lost;
    for (const call of [
      () => openStore('/db', { fileIo }),
      () => openStore('/db', { fileIo, readOnly: true }),
    ])
      expect(await refusalOf(call)).toMatchObject({ code: 'CORRUPT' });
    for (const [path, bytes] of files)
      if (!path.endsWith('/lock')) expect([path, lost.files().get(path)]).toEqual([path, bytes]);
  });

  test('F-27 every byte: the store opens to the same state, or damage is told when it is read', async () => {
    const { disk, before } = await twoSnapshots();
    const length = disk.files().get(`/db/${snapshotName(41)}`)?.length as number;
    for (let at = 0; at < length; at += 37) {
      const bad = damaged(disk, snapshotName(41), () => at);
      const store = await open(bad, { ...QUIET, verifyOnOpen: 'full' });
      expect(imageOf(stateOf(store)), `byte ${at}`).toEqual(before);
      expect([at, store.recovery.snapshotOffset]).toEqual([at, 21]);
      await store.close();
    }
  });

  test('D-13 in its contexts, read lazily: reads are CORRUPT, writes stop, and it is told', async () => {
    const { disk, before } = await twoSnapshots();
    const length = disk.files().get(`/db/${snapshotName(41)}`)?.length as number;
    let lazily = 0;
    for (let at = 0; at < length; at += 53) {
      const bad = damaged(disk, snapshotName(41), () => at);
      const store = await open(bad);
      if (store.recovery.snapshotOffset === 21) {
        await store.close();
        continue;
      }
      lazily++;
      const told: unknown[] = [];
      store.on('corruption', (what) => told.push(what));
      const reads = Array.from({ length: 45 }, (_, i) => {
        try {
          return store.instances.get(`d${i}`)?.context['i'];
        } catch (error) {
          return (error as { code: string }).code;
        }
      });
      expect(reads).toContain('CORRUPT');
      for (const [i, read] of reads.entries()) expect([i, 'CORRUPT']).toContain(read);
      await until(() => told.length > 0);
      expect(told).toEqual([expect.objectContaining({ file: snapshotName(41) })]);
      const write = () => store.instances.create({ machine: 'door', id: 'late' });
      expect(await refusalOf(write)).toMatchObject({ code: 'CORRUPT' });
      // Another one was made from files, the one before and the log: the next opening has all of it.
      await until(() => snapshotStats(store).taken > 0);
      await store.close();
      const again = await open(bad);
      expect(again.recovery).toMatchObject({ snapshotOffset: 46, recordsReplayed: 0 });
      expect(imageOf(stateOf(again))).toEqual(before);
      expect(await again.verify()).toMatchObject({ ok: true });
      await again.close();
    }
    expect(lazily).toBeGreaterThan(3);
  });

  test('F-27 in its contexts, with nothing to stand in: nobody is told anything else', async () => {
    const disk = SimDisk.of();
    const first = await open(disk, { ...QUIET, keepSnapshots: 1 });
    await first.machines.put(DOOR);
    await doors(first, 0, 40);
    await first.snapshot();
    await first.close();
    const length = disk.files().get(`/db/${snapshotName(41)}`)?.length as number;
    const store = await open(damaged(disk, snapshotName(41), () => length >> 1));
    await until(() => store.stats()['contexts'] === 'damaged');
    expect(await refusalOf(() => store.snapshot())).toMatchObject({ code: 'CORRUPT' });
    expect(store.stats()).toMatchObject({ snapshots: { count: 1, taken: 0 } });
    await store.close();
  });
});
