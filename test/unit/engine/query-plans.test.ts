/**
 * Every plan equals a full scan (IDX-1 to IDX-3): random stores and queries, compared with a list of
 * plain objects that was filtered and sorted; and that the plans were not all the same one.
 */
import type { Instance } from 'pawl';
import { describe, expect, it } from 'vitest';
import { Trial, definition } from './query-trial.ts';

describe('IDX-1 to IDX-3: every plan equals a full scan', () => {
  it(
    'for random stores and queries, also when indexes are declared later',
    { timeout: 60_000 },
    async () => {
      const plans = new Set<string>();
      for (let seed = 1; seed <= 12; seed++) {
        const trial = new Trial(seed);
        await trial.open();
        for (let round = 0; round < 8; round++) {
          await trial.write(trial.choose.one([5, 40, 150]));
          if (trial.choose.chance(0.3))
            await trial.store.machines.put(definition(trial.indexes(), 1));
          for (let i = 0; i < 25; i++) trial.check(trial.query());
          trial.checkIndexes();
        }
        for (const plan of trial.plans) plans.add(plan);
        await trial.store.close();
      }
      // The test means nothing if one way was always taken.
      expect([...plans].join('\n')).toMatch(/state lists?, about/);
      expect([...plans].join('\n')).toMatch(/state lists?, (?:newest|oldest) first/);
      expect([...plans].join('\n')).toMatch(/index P about/);
      expect([...plans].join('\n')).toMatch(/index P in order/);
      expect([...plans].join('\n')).toMatch(/all instances in order of id/);
      expect([...plans].join('\n')).toMatch(/all N instances/);
    },
  );

  it(
    'IDX-2: unchanged instances come exactly once and changed ones at most once while others write',
    { timeout: 60_000 },
    async () => {
      for (let seed = 100; seed <= 130; seed++) {
        const trial = new Trial(seed);
        await trial.open();
        await trial.write(120);
        const query = trial.query();
        const before = trial.expected(query).map((one) => one.id);
        const { offset } = trial.store;
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = trial.store.instances.find({ machine: 'thing', ...query, limit: 5, cursor });
          seen.push(...page.items.map((one) => one.id));
          ({ cursor } = page);
          await trial.write(6);
        } while (cursor !== undefined);
        expect(new Set(seen).size, 'none twice').toBe(seen.length);
        const unchanged = before.filter((id) => {
          const one = trial.store.instances.get(id);
          return one !== undefined && one.offset <= offset;
        });
        expect(seen.filter((id) => unchanged.includes(id))).toEqual(unchanged);
        await trial.store.close();
      }
    },
  );

  it('in a transaction, with what waits laid over', { timeout: 60_000 }, async () => {
    const trial = new Trial(7);
    await trial.open();
    await trial.write(80);
    const { store, choose } = trial;
    for (let round = 0; round < 30; round++) {
      const query = trial.query();
      await store.transaction((tx) => {
        for (let i = 0; i < 4; i++) {
          const id = `tx-${round}-${i}`;
          tx.instances.create({ machine: 'thing', id, context: trial.context() });
          trial.ids.add(id);
        }
        const changed = choose.one([...trial.ids]);
        tx.instances.apply(changed, 'GO', trial.context());
        const found = tx.instances.find({ machine: 'thing', ...query, limit: 1000, total: true });
        const all = [...trial.ids].map((one) => tx.instances.get(one) as Instance);
        const expected = trial.expected(query, all);
        expect(found.items.map((one) => one.id)).toEqual(expected.map((one) => one.id));
        expect(found.total).toBe(expected.length);
      });
    }
    await store.close();
  });
});
