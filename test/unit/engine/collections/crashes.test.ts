/**
 * VEC-4: crashes anywhere while collections are written, snapshots taken and log dropped. Afterwards
 * there are exactly the entries of the calls that were acknowledged, perhaps with the one that was
 * under way, and never a part of one.
 */
import { describe, expect, test } from 'vitest';
import type { Collection, StoreOptions } from 'pawl';
import { checkCrashes, type Found, type World } from 'pawl/testing';
import { exported } from './model.ts';

const SETTINGS: readonly (readonly [
  string,
  Omit<StoreOptions, 'fileIo' | 'clock' | 'thread' | 'random'>,
])[] = [
  ['log alone', { snapshotInterval: 0 }],
  ['snapshots each few records', { snapshotInterval: 5, keepSnapshots: 1 }],
  ['not synced', { snapshotInterval: 6, durability: 'os' }],
];

/** What the first `calls` calls leave, by id. */
function expected(calls: number): Map<string, number[]> {
  const entries = new Map<string, number[]>();
  for (let i = 0; i < calls; i++) {
    for (const [id, vector] of putsOf(i)) entries.set(id, vector);
    for (const id of deletesOf(i)) entries.delete(id);
  }
  return entries;
}

function putsOf(i: number): [string, number[]][] {
  return [
    [`v${i % 9}`, [i, 1]],
    [`w${i}`, [i, 2]],
  ];
}

function deletesOf(i: number): string[] {
  return i % 3 === 2 ? [`w${i - 1}`, `v${(i + 4) % 9}`] : [];
}

async function call(docs: Collection, i: number): Promise<void> {
  const entries = putsOf(i).map(([id, vector]) => ({
    id,
    vector,
    metadata: { text: 'x'.repeat(60) },
  }));
  await docs.upsert(entries, { idempotencyKey: `put-${i}` });
}

async function workload({ open, tell, told }: World<number>): Promise<void> {
  const store = await open();
  const docs = await store.collections.open('docs', { dimensions: 2, metric: 'euclidean' });
  const end = told.length + 12;
  for (let i = told.length; i < end; i++) {
    if (deletesOf(i).length === 0) await call(docs, i);
    else {
      await store.transaction((tx) => {
        const inside = tx.collection('docs');
        inside.upsert(putsOf(i).map(([id, vector]) => ({ id, vector })));
        inside.delete(deletesOf(i));
      });
    }
    await store.flush();
    tell(i);
    if (i % 7 === 6) await store.compact();
  }
  await store.close();
}

async function oracle({ open, told }: Found<number>): Promise<void> {
  const store = await open();
  if (told.length === 0) return store.close();
  const docs = store.collection('docs');
  const found = (await exported(docs)).map(({ id, vector }) => [id, [...vector]]);
  const candidates = [told.length, told.length + 1].map((calls) =>
    [...expected(calls)].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  expect(candidates).toContainEqual(found);
  const { digest, problems } = await store.verify();
  expect(problems).toEqual([]);
  const [id, vector] = found[0] as [string, number[]];
  expect(
    docs
      .search({ vector, k: found.length })
      .map((one) => one.id)
      .sort(),
  ).toEqual(found.map(([one]) => one));
  expect(docs.get(id)?.vector).toEqual(Float32Array.from(vector));
  await store.close();
  const again = await open();
  expect(await again.verify()).toMatchObject({ ok: true, digest });
  await again.close();
}

describe('crashes around collections', () => {
  test.each(SETTINGS)(
    'VEC-4 none lost, no ghosts, no revived deletions: %s',
    async (_, options) => {
      const report = await checkCrashes<number>({
        workload,
        oracle,
        options,
        runs: Number(process.env['PAWL_RUNS'] ?? 250),
        seed: 11,
        lives: 3,
      });
      expect(report.nested).toBeGreaterThan(0);
    },
  );
});
