/** Looking back when something is wrong: arguments, damage, writers at work, a store that closes, a crash. */
import { describe, expect, test } from 'vitest';
import { openStore, restoreStore } from 'pawl';
import type { FileIo, Moment, Store, StoreOptions } from 'pawl';
import { checkCrashes, damage, SimDisk } from 'pawl/testing';
import { changedPaths } from '../../../src/engine/time-travel/differences.ts';
import { digestOf } from '../../../src/state/digest.ts';
import { MANIFEST_NAME } from '../../../wal/segment-name.ts';
import { DOOR, manualClock, refusalOf, seen } from './cases/contract.ts';
import { digestOfView, openFilesOf } from './past-recorder.ts';
import { stateOf } from './store-state.ts';

function optionsOf(disk: SimDisk, more: StoreOptions = {}): StoreOptions {
  const clock = manualClock();
  return { fileIo: disk.fileIo, clock, segmentBytes: 4096, snapshotInterval: 0, ...more };
}

/** Doors d-0, d-1 ... in commits of their own; gives the offset behind the last. */
async function addDoors(store: Store, from: number, count: number): Promise<number> {
  await store.machines.put(DOOR);
  for (let n = from; n < from + count; n++)
    await store.instances.create({ machine: 'door', id: `d-${n}`, context: { n } });
  return store.offset;
}

async function refusedDiff(store: Store, before: Moment, after: Moment): Promise<unknown> {
  const error = await refusalOf(async () => {
    for await (const one of store.diff(before, after)) return one;
    return undefined;
  });
  return [error.code, (error.details as { path?: string }).path];
}

describe('moments', () => {
  test.each<readonly [unknown, string]>([
    [undefined, 'moment'],
    [null, 'moment'],
    [7, 'moment'],
    [[], 'moment'],
    [{}, 'moment'],
    [{ offset: 1, time: 1 }, 'moment'],
    [{ when: 1 }, 'moment'],
    [{ offset: -1 }, 'moment.offset'],
    [{ offset: 0.5 }, 'moment.offset'],
    [{ offset: '1' }, 'moment.offset'],
    [{ offset: Infinity }, 'moment.offset'],
    [{ offset: 6 }, 'moment.offset'],
    [{ time: Number.NaN }, 'moment.time'],
    [{ time: new Date(0) }, 'moment.time'],
    [{ time: Infinity }, 'moment.time'],
  ])('GEN-1 %j is BAD_REQUEST', async (moment, path) => {
    const disk = SimDisk.of();
    const store = await openStore('/db', optionsOf(disk));
    expect(await addDoors(store, 0, 4)).toBe(5);
    const { fileIo } = disk;
    const restore = (): unknown => restoreStore('/db', '/other', moment as Moment, { fileIo });
    for (const call of [(): unknown => store.asOf(moment as Moment), restore]) {
      if (call === restore && moment === undefined) continue;
      expect(await refusalOf(call)).toMatchObject({ code: 'BAD_REQUEST', details: { path } });
    }
    const inDiff = path.replace('moment', 'after');
    expect(await refusedDiff(store, { offset: 1 }, moment as Moment)).toEqual([
      'BAD_REQUEST',
      inDiff,
    ]);
    expect(await fileIo.stat('/other')).toBeUndefined();
    await store.close();
  });

  test('a store in memory keeps no past: UNSUPPORTED', async () => {
    const store = await openStore(':memory:');
    await addDoors(store, 0, 2);
    expect((await refusalOf(() => store.asOf({ offset: 1 }))).code).toBe('UNSUPPORTED');
    expect(await refusedDiff(store, { offset: 1 }, { offset: 2 })).toEqual([
      'UNSUPPORTED',
      'moment',
    ]);
    await store.close();
  });

  test('a transaction is shown whole or not at all', async () => {
    const store = await openStore('/db', optionsOf(SimDisk.of()));
    await store.machines.put(DOOR);
    const { offset } = await store.transaction((tx) => {
      for (const id of ['a', 'b', 'c']) tx.instances.create({ machine: 'door', id });
    });
    for (let at = 1; at <= offset; at++) {
      await using view = await store.asOf({ offset: at });
      expect([view.offset, view.instances.count()]).toEqual(at < offset ? [1, 0] : [offset, 3]);
    }
    await store.close();
  });
});

describe('views', () => {
  test('show deleted instances as the log has them, whatever the clock says today', async () => {
    const clock = manualClock();
    const options = optionsOf(SimDisk.of(), { clock, deletedRetentionMs: 100 });
    const store = await openStore('/db', options);
    await addDoors(store, 0, 1);
    const { offset } = await store.instances.delete('d-0');
    clock.time += 1000;
    expect(store.instances.get('d-0', { deleted: true })).toBeUndefined();
    await using view = await store.asOf({ offset });
    expect(view.instances.get('d-0', { deleted: true })).toMatchObject({ deleted: true });
    expect(view.instances.get('d-0')).toBeUndefined();
    await store.close();
  });

  test('stay as they are while the store goes on, and page with cursors of their own', async () => {
    const store = await openStore('/db', optionsOf(SimDisk.of()));
    const offset = await addDoors(store, 0, 5);
    const view = await store.asOf({ offset });
    const page = view.instances.find({ limit: 2 });
    await addDoors(store, 5, 5);
    await store.instances.apply('d-4', 'PUSH', { pushed: true });
    await store.instances.delete('d-3');
    const rest = view.instances.find({ limit: 9, cursor: page.cursor, total: true });
    expect(rest.items.map(({ id, state }) => [id, state])).toEqual([
      ['d-2', 'open'],
      ['d-3', 'open'],
      ['d-4', 'open'],
    ]);
    expect(rest.total).toBe(5);
    const foreign = await refusalOf(() => store.instances.find({ limit: 9, cursor: page.cursor }));
    expect(foreign.code).toBe('BAD_REQUEST');
    await view.close();
    await view.close();
    expect(await refusalOf(() => view.instances.get('d-1'))).toMatchObject({
      code: 'STORE_CLOSED',
      message: 'the view is closed',
    });
    await store.close();
  });

  test('are closed with their store, and none is made of a closed one', async () => {
    const store = await openStore('/db', optionsOf(SimDisk.of()));
    await addDoors(store, 0, 5);
    const view = await store.asOf({ offset: 3 });
    const late = refusalOf(() => store.asOf({ offset: 2 }));
    await store.close();
    expect((await late).code).toBe('STORE_CLOSED');
    expect((await refusalOf(() => view.instances.count())).code).toBe('STORE_CLOSED');
    expect((await refusalOf(() => store.asOf({ offset: 1 }))).code).toBe('STORE_CLOSED');
    expect(await refusedDiff(store, { offset: 1 }, { offset: 2 })).toEqual([
      'STORE_CLOSED',
      undefined,
    ]);
  });

  test('a compaction in the middle of reading waits for nobody and takes nothing away', async () => {
    const store = await openStore('/db', optionsOf(SimDisk.of()));
    await addDoors(store, 0, 300);
    const asked = Array.from({ length: 6 }, (_, i) => store.asOf({ offset: 40 * (i + 1) }));
    const compacted = store.compact({ force: true });
    const views = await Promise.all(asked);
    expect(views.map((view) => view.instances.count())).toEqual([39, 79, 119, 159, 199, 239]);
    expect((await compacted).segments).toBe(0);
    // What was held back goes with the next one; views that are made do not need it.
    expect((await store.compact({ force: true })).segments).toBeGreaterThan(0);
    expect((await refusalOf(() => store.asOf({ offset: 40 }))).code).toBe('OFFSET_TOO_OLD');
    expect(views[0]?.instances.get('d-7')?.context).toEqual({ n: 7 });
    for (const view of views) await view.close();
    await store.close();
  });

  test('a read-only store follows a writer that drops what it was opened with', async () => {
    const disk = SimDisk.of();
    const options = optionsOf(disk);
    const store = await openStore('/db', options);
    const offset = await addDoors(store, 0, 100);
    await store.snapshot();
    const reader = await openStore('/db', { fileIo: disk.fileIo, readOnly: true });
    await using before = await reader.asOf({ offset: 30 });
    expect(before.instances.count()).toBe(29);
    await addDoors(store, 100, 100);
    await store.compact({ force: true });
    // Everything it could show lies before what is there now.
    const error = await refusalOf(() => reader.asOf({ offset: reader.offset }));
    expect([error.code, error.details]).toEqual([
      'OFFSET_TOO_OLD',
      { requested: reader.offset, oldest: store.offset },
    ]);
    expect(reader.offset).toBeLessThanOrEqual(offset);
    await reader.close();
    await store.close();
  });
});

describe('damage', () => {
  /** Two snapshots, all of the log. */
  async function withSnapshots(options: StoreOptions): Promise<readonly [number, number]> {
    const store = await openStore('/db', { ...options, compaction: false });
    await addDoors(store, 0, 50);
    const first = await store.snapshot();
    await addDoors(store, 50, 50);
    const second = await store.snapshot();
    await addDoors(store, 100, 10);
    await store.close();
    return [first.offset, second.offset];
  }

  const pathOf = (offset: number): string => `/db/snapshot-${String(offset).padStart(16, '0')}`;

  /** In the middle: rows, ids or contexts. */
  function withDamage(disk: SimDisk, offset: number): SimDisk {
    const path = pathOf(offset);
    return disk.damaged(damage.flip(path, (disk.files().get(path) as Uint8Array).length >> 1));
  }

  test('F-13 a damaged snapshot is passed over: an older one and more log give the same', async () => {
    const whole = SimDisk.of();
    const [first, second] = await withSnapshots(optionsOf(whole));
    const sound = await openStore('/db', optionsOf(whole, { compaction: false }));
    const expected = digestOfView(await sound.asOf({ offset: second + 5 }));
    await sound.close();
    for (const broken of [[second], [first, second]]) {
      const disk = broken.reduce(withDamage, whole);
      const store = await openStore('/db', { fileIo: disk.fileIo, readOnly: true });
      const view = await store.asOf({ offset: second + 5 });
      expect(digestOfView(view)).toBe(expected);
      await view.close();
      await store.close();
      expect(openFilesOf(disk)).toBe(0);
    }
  });

  test('F-11 without one that is sound the answer is CORRUPT and names it, not OFFSET_TOO_OLD', async () => {
    const whole = SimDisk.of();
    const [, second] = await withSnapshots(optionsOf(whole));
    const store = await openStore('/db', optionsOf(whole));
    await store.compact();
    await store.snapshot();
    // It was sound when the store was opened; the damage comes now.
    const file = await whole.fileIo.open(pathOf(second), 'update');
    file.writeSync(new Uint8Array(64).fill(0x5a), 0, 64, 0);
    await file.close();
    const error = await refusalOf(() => store.asOf({ offset: second + 1 }));
    expect(error).toMatchObject({ code: 'CORRUPT' });
    expect((error.details as { file: string }).file).toContain('snapshot-');
    await store.close();
  });
});

describe('paths', () => {
  test('name what is not the same, as deep as it goes; lists are one value', () => {
    const base = { id: 'a', machine: 'm', version: 1, state: 's', createdAt: 1, deleted: false };
    const of = (context: object, more: object = {}): never =>
      ({ ...base, updatedAt: 1, offset: 1, context, ...more }) as never;
    const context = { a: { b: 1, c: [1, { d: 2 }] }, n: 5n, z: null };
    expect(changedPaths(of(context), of(structuredClone(context), { offset: 2 }))).toEqual([]);
    const other = { a: { b: 2, c: [1, { d: 3 }] }, n: 5, y: 1, z: {} };
    const more = { version: 2, state: 't', lastEventId: 'e', updatedAt: 9 };
    expect(changedPaths(of(context), of(other, more))).toEqual([
      'version',
      'state',
      'lastEventId',
      'context.a.b',
      'context.a.c',
      'context.n',
      'context.z',
      'context.y',
    ]);
  });
});

describe('restoreStore', () => {
  test.each(['/db', '/full', '/file'])('GEN-1 a target that is not empty: %s', async (target) => {
    const disk = SimDisk.of();
    const options = optionsOf(disk);
    const { fileIo } = disk;
    const store = await openStore('/db', options);
    await addDoors(store, 0, 3);
    await store.close();
    await fileIo.makeDirectory('/full');
    for (const path of ['/full/mine', '/file']) {
      const file = await fileIo.open(path, 'create');
      await file.close();
    }
    const before = [...disk.files()];
    const error = await refusalOf(() => restoreStore('/db', target, undefined, { fileIo }));
    expect(error).toMatchObject({ code: 'BAD_REQUEST', details: { path: 'target' } });
    expect([...disk.files()]).toEqual(before);
  });

  test('of nothing is NOT_FOUND, of a moment before what was kept OFFSET_TOO_OLD; no store comes into being', async () => {
    const disk = SimDisk.of();
    const { fileIo } = disk;
    expect((await refusalOf(() => restoreStore('/no', '/new', undefined, { fileIo }))).code).toBe(
      'NOT_FOUND',
    );
    const store = await openStore('/db', optionsOf(disk));
    await addDoors(store, 0, 100);
    await store.compact({ force: true });
    const early = (): unknown => restoreStore('/db', '/new', { offset: 5 }, { fileIo });
    expect((await refusalOf(early)).code).toBe('OFFSET_TOO_OLD');
    expect(await fileIo.stat('/new')).toBeUndefined();
    // Beside the writer, everything it acknowledged.
    expect(await restoreStore('/db', '/new', undefined, { fileIo })).toEqual({
      offset: store.offset,
    });
    const restored = await openStore('/new', optionsOf(disk));
    expect(digestOf(stateOf(restored))).toBe(digestOf(stateOf(store)));
    expect(seen(restored, 'd-99')).toEqual(seen(store, 'd-99'));
    await restored.close();
    await store.close();
  });

  test('F-36 on a full disk it is WAL_IO_ERROR, leaves nothing that counts, and works when there is room', async () => {
    const whole = SimDisk.of();
    const store = await openStore('/db', optionsOf(whole));
    const offset = await addDoors(store, 0, 200);
    await store.close();
    const taken = [...whole.files().values()].reduce((sum, { length }) => sum + length, 0);
    const codes = new Set<string>();
    for (let spare = 1000; spare <= 64_000; spare += 3000) {
      const disk = SimDisk.of(whole.files());
      disk.capacityBytes = taken + spare;
      const { fileIo } = disk;
      const error = await restoreStore('/db', '/new', undefined, { fileIo }).catch(
        (reason: { code: string }) => reason,
      );
      codes.add('code' in error ? error.code : 'restored');
      expect(await isStore('/new', fileIo)).toBe(!('code' in error));
      if (!('code' in error)) continue;
      disk.capacityBytes = Infinity;
      expect(await restoreStore('/db', '/new', undefined, { fileIo })).toEqual({ offset });
    }
    expect([...codes].sort()).toEqual(['WAL_IO_ERROR', 'restored']);
  });

  test('F-10 F-12 cut off anywhere there is the whole store or none, and the same call may be made again', async () => {
    const target = '/application/restored';
    let [absent, there] = [0, 0];
    const report = await checkCrashes<string>({
      async workload({ open, directory, ports, tell, told, random }) {
        const store = await open({ snapshotInterval: 0 });
        await store.machines.put(DOOR);
        // Few calls of the disk: most crashes shall meet what follows.
        await store.transaction((tx) => {
          for (let n = 0; n < 30 && tx.instances.count() < 30; n++)
            tx.instances.create({ machine: 'door', id: `d-${n}`, context: { n } });
        });
        const digest = digestOf(stateOf(store));
        await store.close();
        if (await isStore(target, ports.fileIo)) return;
        if (told.includes('restored')) throw new Error('the restored store is lost');
        tell(digest);
        await restoreStore(directory, target, undefined, { ...ports, random });
        tell('restored');
        const restored = await openStore(target, { ...ports, segmentBytes: 4096 });
        for (let n = 0; n < 12; n++) {
          await restored.instances.create({ machine: 'door', id: `later-${n}` });
          tell(`later-${n}`);
        }
        await restored.close();
      },
      async oracle({ ports, told }) {
        const { fileIo } = ports;
        if (!(await isStore(target, fileIo))) {
          if (told.includes('restored')) throw new Error('the restored store is lost');
          absent++;
          return;
        }
        const store = await openStore(target, { ...ports });
        there++;
        const isAsItWas = told.includes(digestOf(stateOf(store)));
        const { offset } = store;
        if (offset === 31 && !isAsItWas) throw new Error('another store');
        for (let n = 0; n < 30; n++) expect(seen(store, `d-${n}`).context).toEqual({ n });
        for (const id of told.filter((one) => one.startsWith('later'))) seen(store, id);
        await store.close();
      },
      lives: 2,
      runs: 500,
      seed: 3,
    });
    expect(report.runs).toBe(500);
    expect([absent > 50, there > 50]).toEqual([true, true]);
  });
});

/** With a manifest it must open; without one, it is refused, or there is nothing. */
async function isStore(directory: string, fileIo: FileIo): Promise<boolean> {
  const isThere = (await fileIo.stat(`${directory}/${MANIFEST_NAME}`)) !== undefined;
  const opened = openStore(directory, { fileIo, readOnly: true });
  if (isThere) await (await opened).close();
  else expect(['NOT_FOUND', 'CORRUPT']).toContain((await refusalOf(() => opened)).code);
  return isThere;
}
