/**
 * Pages through rows of one time: a run of them is sorted once and kept while others write (IDX-2,
 * IDX-3). Few times, many rows, rows that leave a run anywhere and join the newest one.
 */
import { openStore, type Query, type Store } from 'pawl';
import { manualClock } from 'pawl/testing';
import { expect, it } from 'vitest';
import { compareUtf8 } from '../../../src/query/order.ts';
import { pick, seededChoices } from '../../sim/choices.ts';
import { STATES, definition } from './query-trial.ts';

type Asked = Query & { state: string | string[]; direction: 'asc' | 'desc' };

/** What a full scan says: `iterate` by id goes another way. */
function expected(store: Store, { state, direction, where }: Asked): string[] {
  const sign = direction === 'desc' ? -1 : 1;
  const all = [...store.instances.iterate({ state, where, allowScan: true })];
  return all
    .sort((a, b) => sign * (a.updatedAt - b.updatedAt || compareUtf8(a.id, b.id)))
    .map(({ id }) => id);
}

function paged(store: Store, query: Asked, limit: number): string[] {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = store.instances.find({
      orderBy: 'updatedAt',
      allowScan: true,
      ...query,
      limit,
      cursor,
    });
    ids.push(...page.items.map(({ id }) => id));
    ({ cursor } = page);
  } while (cursor !== undefined);
  return ids;
}

it('every page through tied rows is that of a full scan', { timeout: 60_000 }, async () => {
  let plans = '';
  for (let seed = 1; seed <= 4; seed++) {
    const below = seededChoices(seed);
    const clock = manualClock(1_000_000);
    const store = await openStore(':memory:', { clock });
    await store.machines.put(definition([], 1));
    const ids: string[] = [];
    let made = 0;
    for (let round = 0; round < 60; round++) {
      if (below(4) === 0) await clock.advance(1);
      const writes: Promise<unknown>[] = [];
      // Now and then a page and its slack are far fewer than the rows that tie.
      for (let left = round === 3 ? 400 : below(12); left > 0; left--) {
        if (ids.length < 20 || below(2) === 0) {
          const id = seed % 2 === 0 ? `id-${1000 + made}` : `${below(10)}-é-${made}`;
          made++;
          ids.push(id);
          writes.push(store.instances.create({ machine: 'thing', id, context: { n: below(3) } }));
        } else if (below(8) === 0) {
          const [id] = ids.splice(below(ids.length), 1);
          writes.push(store.instances.delete(id as string));
        } else {
          const event = pick(below, ['GO', 'END', 'BACK']);
          writes.push(store.instances.apply(pick(below, ids), event));
        }
      }
      await Promise.all(writes);
      for (let asked = 0; asked < 4; asked++) {
        const query: Asked = {
          state: below(4) === 0 ? ['new', 'done'] : pick(below, STATES),
          direction: pick(below, ['asc', 'desc']),
          where: below(4) === 0 ? { n: 1 } : undefined,
        };
        expect(paged(store, query, pick(below, [1, 3, 7, 50]))).toEqual(expected(store, query));
        plans += store.instances.find({
          ...query,
          orderBy: 'updatedAt',
          allowScan: true,
          limit: 3,
        }).plan;
      }
    }
    await store.close();
  }
  expect(plans).toMatch(/1 state list, (?:newest|oldest) first/);
  expect(plans).toMatch(/2 state lists, (?:newest|oldest) first/);
});
