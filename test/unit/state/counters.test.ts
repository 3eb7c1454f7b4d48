/** What is counted is what is there: counters against a scan, pages against the whole, also over what waits. */
import { describe, expect, test } from 'vitest';
import { openStore, type Instance, type Page, type Store } from 'pawl';
import { contentOf, manualClock } from '../engine/cases/contract.ts';
import { seededChoices } from '../../sim/choices.ts';
import { History, RETENTION } from '../engine/histories.ts';
import { stateOf } from '../engine/store-state.ts';

type Selection = { machine?: string; version?: number; state?: string | readonly string[] };

const MACHINES = [undefined, 'order', 'лампа', '__proto__', 'ghost'];
const SELECTIONS: readonly Selection[] = MACHINES.flatMap((machine) =>
  [undefined, 1, 2, 3].flatMap((version) =>
    [undefined, 'new', 'busy', 'done', 'extra', ['done', 'new']].map((state) => ({
      ...(machine !== undefined && { machine }),
      ...(version !== undefined && { version }),
      ...(state !== undefined && { state }),
    })),
  ),
);

/** The same by looking at every instance. */
function scanned(all: readonly Instance[], { machine, version, state }: Selection): Instance[] {
  const states = state === undefined || typeof state === 'string' ? [state] : state;
  return all.filter(
    (one) =>
      (machine === undefined || one.machine === machine) &&
      (version === undefined || one.version === version) &&
      (state === undefined || states.includes(one.state)),
  );
}

interface Queries {
  find(query: Selection & { limit: number; cursor?: string }): Page<Instance>;
  count(selection: Selection): number;
}

function checkAgainst(all: readonly Instance[], queries: Queries, limit: number): void {
  for (const selection of SELECTIONS) {
    const expected = scanned(all, selection);
    expect([selection, queries.count(selection)]).toEqual([selection, expected.length]);
    for (const direction of ['asc', 'desc'] as const) {
      const found: Instance[] = [];
      let cursor: string | undefined;
      do {
        const query = { ...selection, direction, limit, total: true };
        const page = queries.find(cursor === undefined ? query : { ...query, cursor });
        expect(page.items.length).toBeLessThanOrEqual(limit);
        expect(page.total).toBe(expected.length);
        found.push(...page.items);
        ({ cursor } = page);
      } while (cursor !== undefined);
      expect(found).toEqual(direction === 'asc' ? expected : expected.toReversed());
    }
  }
}

/** Counters of the definitions, and of the rows that name them, by looking at every row. */
function checkPopulations(store: Store): void {
  const { machines, instances } = stateOf(store);
  for (const definition of machines.all()) {
    const population = definition.population.map(() => 0);
    let rows = 0;
    for (let handle = 0; handle < instances.rows.rows; handle++) {
      if (!instances.isLive(handle) || instances.definition(handle) !== definition.index) continue;
      rows++;
      const shown = store.instances.get(instances.idText(handle));
      if (shown !== undefined) population[instances.state(handle)]!++;
    }
    expect([...definition.population]).toEqual([...population]);
    expect(definition.rows).toBe(rows);
  }
}

describe('counters and pages', () => {
  test('IDX-2 counters equal a scan, pages of find together are the scan, each instance once', async () => {
    for (const seed of [11, 12]) {
      const clock = manualClock();
      const history = new History(seededChoices(seed), clock);
      const store = await openStore(':memory:', { ...RETENTION, clock });
      for (let round = 0; round < 6; round++) {
        await history.run(store, 120);
        const all = [...store.instances.iterate()];
        expect(new Set(all.map((one) => one.id)).size).toBe(all.length);
        checkAgainst(all, store.instances, 1 + ((seed + round * 3) % 11));
        checkPopulations(store);
        const stats = store.stats() as { instances: { living: number; deleted: number } };
        expect(stats.instances).toMatchObject({
          living: all.length,
          deleted: stateOf(store).instances.total - all.length,
        });
      }
      await store.close();
    }
  });

  test('IDX-2 inside a transaction they count what waits and what it did itself', async () => {
    const clock = manualClock();
    const choose = seededChoices(21);
    const history = new History(choose, clock);
    const store = await openStore(':memory:', { ...RETENTION, clock });
    for (const version of [1, 2]) {
      await store.machines.put({
        name: 'order',
        version,
        states: ['new', 'busy', 'done', 'extra'].slice(0, 2 + version),
        initial: 'new',
        transitions: [{ from: 'new', event: 'GO', to: 'busy' }],
      });
    }
    for (let round = 0; round < 5; round++) {
      await history.run(store, 60);
      const before = contentOf(store);
      // Waits while the transaction looks.
      const waiting = Array.from({ length: 8 }, (_, n) =>
        store.instances.create({ machine: 'order', version: 1 + (n % 2), id: `w${round}-${n}` }),
      );
      for (const n of [0, 3]) waiting.push(store.instances.delete(`w${round}-${n}`) as never);
      for (const n of [1, 2]) waiting.push(store.instances.apply(`w${round}-${n}`, 'GO') as never);
      const looked = store.transaction((tx) => {
        tx.instances.create({ machine: 'order', id: `t${round}`, context: { n: round } });
        tx.instances.apply(`w${round}-4`, 'GO');
        tx.instances.delete(`w${round}-5`);
        const all = tx.instances.find({ limit: 100_000 }).items;
        expect(all.map((one) => one.id)).toEqual(
          expect.arrayContaining([`t${round}`, `w${round}-1`, `w${round}-4`]),
        );
        for (const one of all) expect(tx.instances.get(one.id)).toEqual(one);
        checkAgainst(all, tx.instances, 1 + choose(9));
        return all;
      });
      expect(contentOf(store)).toEqual(before);
      const { value } = await looked;
      await Promise.all(waiting);
      expect([...store.instances.iterate()]).toEqual(value);
      checkPopulations(store);
    }
    await store.close();
  });
});
