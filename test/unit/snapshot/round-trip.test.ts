/** A state that was written and loaded is the state it was, and goes on as it would have. */
import { describe, expect, it } from 'vitest';
import { SimDisk } from 'pawl/testing';
import { digestOf } from '../../../src/state/digest.ts';
import type { SnapshotFile } from '../../../src/snapshot/snapshot-file.ts';
import type { State } from '../../../src/state/state.ts';
import { seededChoices } from '../../sim/choices.ts';
import { type HistoryOptions, RecordHistory, foldInto, freshState } from './record-history.ts';
import { loaded, written } from './snapshot-fixture.ts';

const KINDS: readonly HistoryOptions[] = [{}, { hasWildTimes: true }, { largeBytes: 70_000 }];

function checkSame(state: State, expected: State): void {
  expect(digestOf(state)).toBe(digestOf(expected));
  expect(state.maxTime).toBe(expected.maxTime);
  expect(state.instances.total).toBe(expected.instances.total);
  expect(state.instances.ids.size).toBe(expected.instances.ids.size);
  const { fresh, freeCount } = state.instances.free;
  expect([fresh, freeCount]).toEqual([
    expected.instances.free.fresh,
    expected.instances.free.freeCount,
  ]);
  expect(state.instances.free.peekNext()).toBe(expected.instances.free.peekNext());
}

/** Gives how many slices there were. */
async function loadAll(file: SnapshotFile): Promise<number> {
  let slices = 0;
  while (file.unpackMore()) slices++;
  await file.loadContexts();
  return slices;
}

describe('SNP-1, SNP-3 the state after writing and loading', () => {
  it.each(KINDS)('is the same, and stays so under the records that follow: %j', async (kind) => {
    for (let seed = 1; seed <= 12; seed++) {
      const disk = SimDisk.of();
      const history = new RecordHistory(seededChoices(seed), kind).run(200 + seed * 60);
      const path = await written(disk, history.state);
      const before = digestOf(history.state);
      const count = history.records.length;
      history.run(400);
      for (const contexts of ['lazy', 'now'] as const) {
        const { file, state } = await loaded(disk, path, contexts);
        if (contexts === 'now') await file.close();
        // Odd seeds go on before anything was touched.
        if (seed % 2 === 0) expect(digestOf(state)).toBe(before);
        foldInto(state, history.records.slice(count));
        checkSame(state, history.state);
        if (contexts === 'lazy') await file.close();
      }
    }
  });

  it.each([9_000, 110_000])(
    'holds many chunks, arenas and segments of rows: %i records',
    async (count) => {
      const disk = SimDisk.of();
      const history = new RecordHistory(seededChoices(31), { isGrowing: true }).run(count);
      const path = await written(disk, history.state);
      const from = history.records.length;
      history.run(500);
      for (const isLoadedAhead of [true, false]) {
        const { file, state } = await loaded(disk, path, 'lazy');
        const slices = isLoadedAhead ? await loadAll(file) : 0;
        foldInto(state, history.records.slice(from));
        checkSame(state, history.state);
        expect(state.instances.rows.rows).toBeGreaterThan(count * 0.6);
        if (isLoadedAhead) expect(slices).toBeGreaterThanOrEqual(Math.floor(count / 50_000));
        expect(file.indexFailure).toBeUndefined();
        await file.close();
      }
    },
  );

  it('the histories have everything in them that a snapshot holds', () => {
    const { state, records } = new RecordHistory(seededChoices(5)).run(900);
    const { instances, machines, keys } = state;
    expect(new Set(records.map((record) => record[0])).size).toBeGreaterThanOrEqual(8);
    expect(instances.deleted.length).toBeGreaterThan(0);
    expect(instances.free.freeCount).toBeGreaterThan(0);
    expect(keys.size).toBeGreaterThan(0);
    expect(machines.all().some((one) => one.isHidden)).toBe(true);
    expect(machines.all().some((one) => one.version > 1)).toBe(true);
    const handles = Array.from({ length: instances.rows.rows }, (_, handle) => handle);
    expect(handles.some((handle) => instances.generation(handle) > 0)).toBe(true);
    expect(handles.some((handle) => instances.contexts.lastEventId(handle))).toBe(true);
  });

  it('a snapshot of a snapshot, records folded between, is the same state again', async () => {
    const disk = SimDisk.of();
    const history = new RecordHistory(seededChoices(21), { largeBytes: 70_000 }).run(500);
    let path = await written(disk, history.state);
    for (let round = 0; round < 6; round++) {
      const { file, state } = await loaded(disk, path, 'lazy');
      const from = history.records.length;
      history.run(150);
      foldInto(state, history.records.slice(from));
      path = await written(disk, state);
      await file.close();
    }
    const { file, state } = await loaded(disk, path, 'now');
    checkSame(state, history.state);
    await file.close();
  });

  it('an empty state is one too', async () => {
    const disk = SimDisk.of();
    const path = await written(disk, freshState());
    const { file, state } = await loaded(disk, path, 'lazy');
    expect(await loadAll(file)).toBeLessThan(3);
    checkSame(state, freshState());
    await file.close();
  });

  it('the same state gives the same bytes (D-12)', async () => {
    const { state } = new RecordHistory(seededChoices(3)).run(300);
    const [one, other] = [SimDisk.of(), SimDisk.of()];
    const path = await written(one, state);
    await written(other, state);
    const [a, b] = [one.files().get(path), other.files().get(path)];
    expect(Buffer.compare(a!, b!)).toBe(0);
  });
});

describe('D-13 what is loaded later', () => {
  it('is the same whatever is touched first, and whatever was loaded ahead', async () => {
    const history = new RecordHistory(seededChoices(8), { largeBytes: 70_000 }).run(1500);
    const disk = SimDisk.of();
    const path = await written(disk, history.state);
    for (let seed = 1; seed <= 6; seed++) {
      const choose = seededChoices(seed);
      const { file, state } = await loaded(disk, path, 'lazy');
      const { instances } = state;
      let isMore = true;
      for (let step = 0; step < 40; step++) {
        const handle = choose(instances.rows.rows);
        if (choose(9) === 8) isMore = file.unpackMore();
        if (choose(30) === 29) await file.loadContexts();
        if (!instances.isLive(handle)) continue;
        const id = history.state.instances.idText(handle);
        expect(instances.ids.get(id)).toBe(handle);
        expect(instances.contexts.lastEventId(handle)).toBe(
          history.state.instances.contexts.lastEventId(handle),
        );
      }
      while (isMore) isMore = file.unpackMore();
      await file.loadContexts();
      // Nothing is read any more.
      await file.close();
      expect(digestOf(state)).toBe(digestOf(history.state));
    }
  });

  it('writing a snapshot of it leaves it as it was: contexts are read, copied and let go', async () => {
    const { state: original } = new RecordHistory(seededChoices(8)).run(1500);
    const disk = SimDisk.of();
    const path = await written(disk, original);
    const { file, state } = await loaded(disk, path, 'lazy');
    const before = state.instances.heap.reservedBytes;
    expect(await written(disk, state)).toBe(path);
    expect(state.instances.heap.reservedBytes).toBe(before);
    expect(before).toBeLessThan(original.instances.heap.usedBytes);
    expect(digestOf(state)).toBe(digestOf(original));
    expect(state.instances.heap.reservedBytes).toBeGreaterThan(before);
    await file.close();
  });
});
