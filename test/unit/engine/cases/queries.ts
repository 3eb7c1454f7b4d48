/** find, iterate and count: by machine, version and state, in id order, page by page (IDX-2, issue's build 5). */
import { describe, expect, test } from 'vitest';
import type { Store } from 'pawl';
import { DOOR, expectRefused, manualClock, type Open, refusalOf, withDoor } from './contract.ts';
import { furnished } from './furnished.ts';

const IDS = [
  'b',
  'a',
  'é',
  'z',
  '\uffff',
  '😀',
  '\u{10000}',
  'Z',
  'aa',
  'a\0',
  '\ufeff',
  '0',
  '10',
  '9',
  'ß',
];
const inBytes = (ids: readonly string[]): string[] =>
  ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
const idsOf = (rows: Iterable<{ readonly id: string }>): string[] =>
  Array.from(rows, (one) => one.id);

/** All ids, page by page. */
function paged(
  store: Store,
  limit: number,
  query: object = {},
  between: () => void = () => undefined,
): string[][] {
  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = store.instances.find({ ...query, limit, cursor });
    pages.push(idsOf(page.items));
    cursor = page.cursor;
    between();
  } while (cursor !== undefined);
  return pages;
}

export function queryCases(open: Open): void {
  describe('queries', () => {
    selectionCases(open);
    pageCases(open);
    writingCases(open);
  });
}

function selectionCases(open: Open): void {
  test('IDX-2 ids are ordered by their UTF-8 bytes, both ways', async () => {
    const store = await withDoor(open);
    await Promise.all(IDS.map((id) => store.instances.create({ machine: 'door', id })));
    const expected = inBytes(IDS);
    expect(idsOf(store.instances.find().items)).toEqual(expected);
    expect(idsOf(store.instances.find({ orderBy: 'id', direction: 'asc' }).items)).toEqual(
      expected,
    );
    expect(idsOf(store.instances.find({ direction: 'desc' }).items)).toEqual(expected.toReversed());
    expect(idsOf(store.instances.iterate({ direction: 'desc' }))).toEqual(expected.toReversed());
    for (const limit of [1, 2, 7, IDS.length - 1, IDS.length, IDS.length + 1]) {
      expect(paged(store, limit).flat()).toEqual(expected);
      expect(paged(store, limit, { direction: 'desc' }).flat()).toEqual(expected.toReversed());
    }
  });

  test.each([
    {},
    { machine: 'door' },
    { machine: 'lamp' },
    { machine: 'nobody' },
    { version: 1 },
    { version: 2 },
    { version: 3 },
    { version: -1 },
    { state: 'shut' },
    { state: ['shut', 'on'] },
    { state: [] },
    { state: 'nowhere' },
    { state: ['on', 'on', 'nowhere'] },
    { machine: 'door', version: 2, state: 'shut' },
    { machine: 'lamp', state: 'shut' },
    { machine: 'toString', state: '__proto__' },
  ])(
    'find, iterate and count agree with a scan by hand: %o',
    async (query: { machine?: string; version?: number; state?: string | string[] }) => {
      const store = await furnished(open);
      const states = query.state === undefined ? undefined : [query.state].flat();
      const expected = [...store.instances.iterate()]
        .filter((one) => query.machine === undefined || one.machine === query.machine)
        .filter((one) => query.version === undefined || one.version === query.version)
        .filter((one) => states === undefined || states.includes(one.state));
      expect([...store.instances.iterate(query)]).toEqual(expected);
      expect(store.instances.count(query)).toBe(expected.length);
      expect(store.instances.find({ ...query, total: true })).toMatchObject({
        items: expected,
        total: expected.length,
      });
      expect(paged(store, 4, query).flat()).toEqual(idsOf(expected));
      await store.transaction((tx) => {
        expect(tx.instances.count(query)).toBe(expected.length);
        expect(tx.instances.find(query).items).toEqual(expected);
      });
    },
  );

  test('a typed handle sees its machine, all versions of it', async () => {
    const store = await furnished(open);
    const doors = await store.machine(DOOR as never);
    expect([...doors.iterate()]).toEqual([...store.instances.iterate({ machine: 'door' })]);
    expect(doors.count({ version: 2 })).toBe(
      store.instances.count({ machine: 'door', version: 2 }),
    );
    const of = (query: object): unknown => doors.find(query);
    expect(await refusalOf(() => of({ machine: 'lamp' }))).toMatchObject({
      code: 'BAD_REQUEST',
      details: { path: 'machine' },
    });
  });
}

function pageCases(open: Open): void {
  test('IDX-2 a cursor is there exactly when there is more; the total does not depend on the page', async () => {
    const store = await furnished(open);
    const total = store.instances.count();
    for (const limit of [1, 7, total - 1, total, total + 1, 100_000]) {
      const pages = paged(store, limit);
      expect(pages.map((page) => page.length)).toEqual([
        ...Array.from({ length: Math.ceil(total / limit) - 1 }, () => limit),
        total % limit === 0 ? limit : total % limit,
      ]);
    }
    const first = store.instances.find({ limit: 5, total: true });
    const second = store.instances.find({ limit: 5, total: true, cursor: first.cursor });
    expect([first.total, second.total]).toEqual([total, total]);
    expect(first).not.toHaveProperty('total', undefined);
    expect(store.instances.find()).not.toHaveProperty('total');
    expect(typeof first.plan).toBe('string');
  });

  test('IDX-2 100 rows unless asked otherwise', async () => {
    const store = await withDoor(open);
    await Promise.all(
      Array.from({ length: 101 }, () => store.instances.create({ machine: 'door' })),
    );
    const page = store.instances.find();
    expect([page.items.length, store.instances.find({ cursor: page.cursor }).items.length]).toEqual(
      [100, 1],
    );
    expect([...store.instances.iterate()]).toHaveLength(101);
  });

  test('IDX-2 a cursor belongs to its query and its store', async () => {
    const store = await furnished(open);
    const other = await furnished(open);
    const { cursor } = store.instances.find({ limit: 2, state: 'shut' });
    for (const query of [
      {},
      { state: 'open' },
      { state: 'shut', direction: 'desc' },
      { state: 'shut', machine: 'door' },
      { state: 'shut', version: 1 },
    ] as const) {
      await expectRefused(store, 'BAD_REQUEST', () => store.instances.find({ ...query, cursor }));
    }
    await expectRefused(other, 'BAD_REQUEST', () =>
      other.instances.find({ state: 'shut', cursor }),
    );
    expect(
      store.instances.find({ state: ['shut'], limit: 7, cursor }).items.length,
    ).toBeGreaterThan(0);
  });

  test.each([
    '',
    'x',
    '1.abc.d',
    'MS4',
    '*',
    'MS4wLmE',
    5,
    null,
    {},
    '\ud800',
    'x'.repeat(100_000),
  ])('IDX-2 a cursor nobody gave is BAD_REQUEST: %s', async (cursor) => {
    const store = await furnished(open);
    const error = await expectRefused(store, 'BAD_REQUEST', () =>
      store.instances.find({ cursor: cursor as string }),
    );
    expect(error.details).toMatchObject({ path: 'cursor' });
  });
}

function writingCases(open: Open): void {
  test('IDX-2 writes between pages: what did not change comes once, what is deleted not again', async () => {
    const store = await withDoor(open);
    const ids = Array.from({ length: 40 }, (_, i) => `${i}`.padStart(2, '0'));
    await Promise.all(ids.map((id) => store.instances.create({ machine: 'door', id })));
    const seenIds: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page === 0 || cursor !== undefined; page++) {
      const found = store.instances.find({ limit: 6, cursor });
      seenIds.push(...idsOf(found.items));
      cursor = found.cursor;
      const last = found.items.at(-1)?.id ?? '';
      // The last of the page goes, one before it comes, one behind it comes.
      await store.instances.delete(last);
      await store.instances.create({ machine: 'door', id: `${last}!` });
      await store.instances.create({ machine: 'door', id: `0${page}-` });
      await store.instances.apply(ids[39] as string, 'PUSH').catch(() => undefined);
    }
    expect(new Set(seenIds).size).toBe(seenIds.length);
    expect(seenIds.filter((id) => ids.includes(id))).toEqual(ids);
    expect(seenIds).toEqual(inBytes(seenIds));
  });

  test('D-2 iterate neither skips nor repeats while rows come, go and change', async () => {
    const store = await withDoor(open);
    const ids = Array.from({ length: 30 }, (_, i) => `${i}`.padStart(2, '0'));
    await Promise.all(ids.map((id) => store.instances.create({ machine: 'door', id })));
    const got: string[] = [];
    const rows = store.instances.iterate({ state: 'open' });
    for (const { id, state } of rows) {
      got.push(id);
      expect(state).toBe('open');
      const number = Number(id);
      if (Number.isNaN(number)) continue;
      await store.instances.create({ machine: 'door', id: `${id}+` });
      if (number % 5 === 0) await store.instances.delete(`${number + 1}`.padStart(2, '0'));
      if (number % 5 === 2) await store.instances.apply(`${number + 1}`.padStart(2, '0'), 'PUSH');
    }
    expect(new Set(got).size).toBe(got.length);
    const untouched = ids.filter((id) => ![1, 3].includes(Number(id) % 5));
    expect(got.filter((id) => ids.includes(id))).toEqual(untouched);
  });

  test('D-2 iterate does not show an instance that took the row of another', async () => {
    const clock = manualClock();
    const store = await withDoor(open, { clock, deletedRetentionMs: 0 });
    for (const id of ['a', 'b', 'c']) await store.instances.create({ machine: 'door', id });
    const rows = store.instances.iterate();
    expect(rows.next().value).toMatchObject({ id: 'a' });
    await store.instances.delete('b');
    clock.time += 1;
    for (const id of ['x', 'y']) await store.instances.create({ machine: 'door', id });
    expect(idsOf(rows)).toEqual(['c']);
  });

  test('a row that was iterated is a copy, and an iterator may be left half way', async () => {
    const store = await furnished(open);
    for (const one of store.instances.iterate()) {
      (one.context as Record<string, unknown>)['mine'] = 1;
      break;
    }
    expect([...store.instances.iterate()].every((one) => !('mine' in one.context))).toBe(true);
  });
}
