/**
 * Looking back: asOf, diff and restoreStore against what the store was after each commit, for random
 * histories, with snapshots, dropped log and archives in between.
 */
import { describe, expect, test } from 'vitest';
import { openStore, restoreStore, verifyStore, type Instance } from 'pawl';
import type { Difference, ReadStore, StoreOptions } from 'pawl';
import { SimDisk } from 'pawl/testing';
import { seededRandom } from '../../../src/base/random.ts';
import { digestOf } from '../../../src/state/digest.ts';
import { seededChoices } from '../../sim/choices.ts';
import { DOOR, manualClock, refusalOf } from './cases/contract.ts';
import { History, RETENTION } from './histories.ts';
import { digestOfView, openFilesOf, PastRecorder } from './past-recorder.ts';
import { stateOf } from './store-state.ts';

interface Made {
  readonly disk: SimDisk;
  readonly options: StoreOptions;
  readonly recorder: PastRecorder;
  /** First offset that can be shown again. */
  readonly oldest: number;
}

/** What happens at the end of each life of the store. */
type Ending = 'nothing' | 'snapshot' | 'compact' | 'force';

async function makeHistory(
  seed: number,
  endings: readonly Ending[],
  more: StoreOptions = {},
): Promise<Made> {
  const disk = SimDisk.of();
  const clock = manualClock();
  const choose = seededChoices(seed);
  const history = new History(choose, clock);
  const recorder = new PastRecorder();
  const options = {
    ...RETENTION,
    fileIo: disk.fileIo,
    clock,
    random: seededRandom(seed),
    segmentBytes: 4096,
    snapshotInterval: 0,
    ...more,
  };
  let oldest = 0;
  let snapshots: number[] = [];
  for (const ending of endings) {
    const store = await openStore('/db', options);
    await history.run(store, 70);
    await recorder.read(disk, '/db');
    if (ending !== 'nothing') {
      const { offset } = await store.snapshot();
      snapshots = [...new Set([...snapshots, offset])].slice(-2);
    }
    if (ending === 'compact' || ending === 'force')
      await store.compact({ force: ending === 'force' });
    if (ending === 'force') snapshots = snapshots.slice(-1);
    const isAsked = ending === 'compact' || ending === 'force';
    const isDropped = isAsked || (snapshots.length === 2 && more.compaction !== false);
    if (isDropped && more.archive !== true) oldest = snapshots[0]!;
    await store.close();
  }
  return { disk, options, recorder, oldest };
}

const PLANS: readonly (readonly [string, readonly Ending[], StoreOptions])[] = [
  ['a log alone', ['nothing', 'nothing'], {}],
  ['snapshots and all of the log', ['snapshot', 'snapshot', 'snapshot'], { compaction: false }],
  ['snapshots and what they need', ['snapshot', 'compact', 'nothing', 'snapshot', 'nothing'], {}],
  ['one snapshot', ['snapshot', 'nothing', 'force', 'nothing'], {}],
  ['an archive', ['snapshot', 'compact', 'force', 'snapshot', 'nothing'], { archive: true }],
];

describe.each(PLANS)('the past, from %s', (_, endings, more) => {
  test.each([1, 2])('D-11 asOf any offset is the store as it was: seed %i', async (seed) => {
    const { disk, options, recorder, oldest } = await makeHistory(seed, endings, more);
    const last = recorder.commits.at(-1)!.offset;
    let shown = 0;
    await withBoth(options, async (store) => {
      for (let offset = 0; offset <= last; offset++) {
        const expected = recorder.at(offset);
        if (offset < oldest) {
          // Only whole segments are dropped, but nothing before the oldest snapshot can be folded.
          const error = await refusalOf(() => store.asOf({ offset }));
          expect([error.code, error.details]).toEqual([
            'OFFSET_TOO_OLD',
            { requested: offset, oldest },
          ]);
          continue;
        }
        const view = await store.asOf({ offset });
        expect([offset, view.offset, digestOfView(view)]).toEqual([
          offset,
          expected.offset,
          expected.digest,
        ]);
        expect([...view.instances.iterate()]).toEqual(expected.instances);
        expect(view.instances.count()).toBe(expected.instances.length);
        await view.close();
        shown++;
      }
    });
    expect(shown).toBeGreaterThan(40);
    // A view or an attempt that keeps its files open would be seen here.
    expect(openFilesOf(disk)).toBe(0);
  });

  test('D-11 asOf any time is the store before the first commit that came later', async () => {
    const { options, recorder, oldest } = await makeHistory(3, endings, more);
    const times = [...new Set(recorder.commits.slice(1).map(({ time }) => time))];
    let refused = 0;
    await withBoth(options, async (store) => {
      for (const time of [0, ...times.flatMap((one) => [one - 1, one]), 2 ** 45]) {
        const expected = recorder.before(time);
        if (expected.offset < oldest) {
          const error = await refusalOf(() => store.asOf({ time }));
          expect([error.code, error.details]).toMatchObject(['OFFSET_TOO_OLD', { oldest }]);
          refused++;
          continue;
        }
        const view = await store.asOf({ time });
        expect([time, view.offset, digestOfView(view)]).toEqual([
          time,
          expected.offset,
          expected.digest,
        ]);
        await view.close();
      }
    });
    expect(refused > 0).toBe(oldest > 0);
  });

  test('D-11 diff of any two moments names what is not the same', async () => {
    const { disk, options, recorder, oldest } = await makeHistory(4, endings, more);
    const choose = seededChoices(9);
    const commits = recorder.commits.filter(({ offset }) => offset >= oldest);
    const kinds = new Set<string>();
    await withBoth(options, async (store) => {
      for (let i = 0; i < 30; i++) {
        const [before, after] = [
          commits[choose(commits.length)]!,
          commits[choose(commits.length)]!,
        ];
        const found: Difference[] = [];
        for await (const one of store.diff({ offset: before.offset }, { offset: after.offset }))
          found.push(one);
        expect(found.map(plain)).toEqual(differencesOf(before.instances, after.instances));
        for (const { kind } of found) kinds.add(kind);
      }
    });
    expect([...kinds].sort()).toEqual(['added', 'changed', 'removed']);
    const [first, last] = [commits[0]!, commits.at(-1)!];
    await withBoth(options, async (store) => {
      // Whoever leaves the loop leaves nothing open.
      for await (const { id } of store.diff({ offset: first.offset }, { offset: last.offset }))
        if (id !== undefined) break;
    });
    expect(openFilesOf(disk)).toBe(0);
  });

  test('D-11 a restored store is what the source was, and goes on', async () => {
    const { disk, options, recorder, oldest } = await makeHistory(5, endings, more);
    const commits = recorder.commits.filter(({ offset }) => offset >= oldest);
    const before = new Map(disk.files());
    const chosen = [commits[0]!, commits[Math.floor(commits.length / 2)]!, commits.at(-1)!];
    for (const [i, commit] of chosen.entries()) {
      const target = `/restored-${i}`;
      const { fileIo } = disk;
      const random = seededRandom(i);
      const moment = i === 2 ? undefined : { offset: commit.offset };
      const restored = await restoreStore('/db', target, moment, { fileIo, random });
      expect(restored).toEqual({ offset: commit.offset });
      expect(await verifyStore(target, { fileIo })).toMatchObject({
        ok: true,
        lastOffset: commit.offset,
        digest: commit.digest,
      });
      const store = await openStore(target, options);
      expect(digestOf(stateOf(store))).toBe(commit.digest);
      expect([...store.instances.iterate()]).toEqual(commit.instances);
      await store.machines.put(DOOR);
      await store.instances.create({ machine: 'door', id: 'new in the restored one' });
      const { offset } = store;
      expect(offset).toBeGreaterThan(commit.offset + 1);
      const view = await store.asOf({ offset: commit.offset });
      expect(digestOfView(view)).toBe(commit.digest);
      if (commit.offset > 0)
        expect((await refusalOf(() => store.asOf({ offset: commit.offset - 1 }))).code).toBe(
          'OFFSET_TOO_OLD',
        );
      await store.close();
      const again = await openStore(target, { fileIo, readOnly: true });
      expect(again.offset).toBe(offset);
      await again.close();
    }
    // The source was only read.
    const isOfSource = (path: string): boolean => path.startsWith('/db/');
    expect(new Map([...disk.files()].filter(([path]) => isOfSource(path)))).toEqual(
      new Map([...before].filter(([path]) => isOfSource(path))),
    );
  });
});

/** Once opened to write, once to read. */
async function withBoth(
  options: StoreOptions,
  run: (store: ReadStore) => Promise<void>,
): Promise<void> {
  const { fileIo, clock } = options;
  const writable = await openStore('/db', { ...options, archive: false, snapshotInterval: 0 });
  await run(writable);
  await writable.close();
  const readable = await openStore('/db', { fileIo, clock, readOnly: true });
  await run(readable);
  await readable.close();
}

function plain(one: Difference): unknown {
  const { kind, id } = one;
  if (kind === 'added') return { kind, id, after: one.after };
  if (kind === 'removed') return { kind, id, before: one.before };
  return { kind, id, before: one.before, after: one.after };
}

/** The same, from two lists, in the plainest way; what says only that something happened does not count. */
function differencesOf(before: readonly Instance[], after: readonly Instance[]): unknown[] {
  const shown = (one: Instance): string =>
    JSON.stringify({ ...one, offset: 0, updatedAt: 0, context: sorted(one.context) });
  const [was, is] = [before, after].map((all) => new Map(all.map((one) => [one.id, one])));
  const ids = [...new Set([...was!.keys(), ...is!.keys()])].sort((a, b) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  return ids.flatMap((id): unknown[] => {
    const [old, young] = [was!.get(id), is!.get(id)];
    if (old === undefined) return [{ kind: 'added', id, after: young }];
    if (young === undefined) return [{ kind: 'removed', id, before: old }];
    return shown(old) === shown(young) ? [] : [{ kind: 'changed', id, before: old, after: young }];
  });
}

function sorted(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, one]) => [name, sorted(one)]);
}
