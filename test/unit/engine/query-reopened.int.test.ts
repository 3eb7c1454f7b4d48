/** IDX-3: queries answer the same from a store that was opened from a snapshot and the log behind it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from 'pawl';
import { describe, expect, it } from 'vitest';
import { Trial, definition } from './query-trial.ts';

const SMALL = { segmentBytes: 4096, snapshotInterval: 60, durability: 'os' } as const;

describe('IDX-3 SNP-3: indexes of a store that was opened again', () => {
  it.each([1, 3, 5])(
    'equal a full scan and the rows (seed %i)',
    async (seed) => {
      const directory = await mkdtemp(join(tmpdir(), 'pawl-query-'));
      const trial = new Trial(seed);
      try {
        await trial.open(directory, SMALL);
        let snapshots = 0;
        for (let round = 0; round < 5; round++) {
          await trial.write(trial.choose.one([10, 60, 120]));
          if (trial.choose.chance(0.5)) await trial.store.snapshot();
          // What the snapshot tells of indexes is of others by now.
          if (trial.choose.chance(0.5))
            await trial.store.machines.put(definition(trial.indexes(), 1));
          if (trial.choose.chance(0.5)) await trial.write(15);
          await trial.store.close();
          trial.store = await openStore(directory, { clock: trial.clock, ...SMALL });
          if (trial.store.recovery.snapshotOffset > 0) snapshots++;
          // The first query meets indexes that nobody has built yet.
          trial.check(trial.query());
          await trial.write(5);
          for (let i = 0; i < 12; i++) trial.check(trial.query());
          trial.checkIndexes();
        }
        expect(snapshots).toBeGreaterThan(2);
        await trial.store.close();
        trial.store = (await openStore(directory, { readOnly: true })) as Store;
        for (let i = 0; i < 12; i++) trial.check(trial.query());
        await trial.store.close();
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
    60_000,
  );

  it('find every row of many chunks at once, before anything was loaded behind', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'pawl-query-'));
    try {
      const count = 20_000;
      let store = await openStore(directory, { durability: 'os', snapshotInterval: 0 });
      await store.machines.put(definition(['n'], 1));
      const ids = Array.from({ length: count }, (_, i) => `id-${i}`);
      await Promise.all(
        ids.map((id, i) =>
          store.instances.create({ machine: 'thing', id, context: { n: i % 100 } }),
        ),
      );
      await store.snapshot();
      await store.close();
      store = await openStore(directory, { durability: 'os', snapshotInterval: 0 });
      expect(store.recovery.recordsReplayed).toBe(0);
      const newest = store.instances.find({ state: 'new', orderBy: 'updatedAt', limit: 7 });
      expect(newest.items.map((one) => one.id)).toHaveLength(7);
      expect([...store.instances.iterate({ machine: 'thing' })]).toHaveLength(count);
      const some = { machine: 'thing', where: { n: 42 } };
      expect([...store.instances.iterate(some)]).toHaveLength(count / 100);
      expect(store.instances.find({ ...some, state: 'new', total: true }).total).toBe(count / 100);
      expect((await store.verify()).ok).toBe(true);
      await store.close();
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
