/** What a query must not be: every fault named, nothing ignored (GEN-1, IDX-2). */
import { describe, expect, test } from 'vitest';
import { expectRefused, type Open } from './contract.ts';
import { furnished } from './furnished.ts';

export function refusedQueryCases(open: Open): void {
  describe('queries that are refused', () => {
    test.each([0, -1, 1.5, NaN, Infinity, 100_001, 1e9, '5', null, 5n])(
      'IDX-2 a limit of %s is BAD_REQUEST',
      async (limit) => {
        const store = await furnished(open);
        const find = (): unknown => store.instances.find({ limit: limit as number });
        expect((await expectRefused(store, 'BAD_REQUEST', find)).details).toMatchObject({
          path: 'limit',
        });
      },
    );

    test.each([
      [{ colour: 'red' }, 'BAD_REQUEST', 'colour'],
      [{ __proto__: null, constructor: 1 }, 'BAD_REQUEST', 'constructor'],
      [{ machine: '' }, 'BAD_REQUEST', 'machine'],
      [{ machine: 5 }, 'BAD_REQUEST', 'machine'],
      [{ version: 1.5 }, 'BAD_REQUEST', 'version'],
      [{ version: '1' }, 'BAD_REQUEST', 'version'],
      [{ state: 5 }, 'BAD_REQUEST', 'state'],
      [{ state: ['open', null] }, 'BAD_REQUEST', 'state[1]'],
      [{ where: { key: 'iron' } }, 'BAD_REQUEST', 'where.key'],
      [{ where: { key: { gt: 1, colour: 2 } } }, 'BAD_REQUEST', 'where.key.colour'],
      [{ where: 'key' }, 'BAD_REQUEST', 'where'],
      [{ where: { 'a..b': 1 } }, 'BAD_REQUEST', 'where["a..b"]'],
      [{ createdAt: { gte: 2, lt: 1 } }, 'BAD_REQUEST', 'createdAt.lt'],
      [{ updatedAt: { lt: 0.5 } }, 'BAD_REQUEST', 'updatedAt.lt'],
      [{ updatedAt: new Date(0) }, 'BAD_REQUEST', 'updatedAt'],
      [{ allowScan: 1 }, 'BAD_REQUEST', 'allowScan'],
    ] as const)('GEN-1 %o is refused by find, iterate and count', async (query, code, path) => {
      const store = await furnished(open);
      for (const call of [
        (): unknown => store.instances.find(query as object),
        (): unknown => store.instances.iterate(query as object),
        (): unknown => store.instances.count(query as object),
        (): unknown => store.transaction((tx) => void tx.instances.find(query as object)),
      ]) {
        const error = await expectRefused(store, code, call);
        expect(error.details).toMatchObject({ path });
      }
    });

    test('GEN-1 a query that throws while it is read, or is no plain object, is BAD_REQUEST', async () => {
      const store = await furnished(open);
      const thrower = (name: string): object =>
        Object.defineProperty({}, name, {
          enumerable: true,
          get: () => {
            throw new Error('from the caller');
          },
        });
      const revoked = Proxy.revocable({}, {});
      revoked.revoke();
      const queries: readonly unknown[] = [
        thrower('where'),
        thrower('limit'),
        { state: [thrower('x')] },
        { state: Object.defineProperty(['a'], 0, { get: () => thrower('x') }) },
        { where: thrower('key'), allowScan: true },
        { orderBy: null },
        { allowScan: null },
        new Map(),
        new Date(),
        revoked.proxy,
      ];
      for (const query of queries) {
        await expectRefused(store, 'BAD_REQUEST', () => store.instances.find(query as object));
        await expectRefused(store, 'BAD_REQUEST', () =>
          store.transaction((tx) => void tx.instances.find(query as object)),
        );
      }
      await expectRefused(store, 'BAD_REQUEST', () => store.instances.count(revoked.proxy));
      await expectRefused(store, 'BAD_REQUEST', () => store.instances.iterate(thrower('state')));
      expect(store.instances.count()).toBeGreaterThan(0);
    });

    test('a query is read once, and only its own fields count', async () => {
      const store = await furnished(open);
      let reads = 0;
      const query = {
        get limit() {
          return ++reads === 1 ? 2 : -1;
        },
      };
      expect(store.instances.find(query).items).toHaveLength(2);
      expect(
        store.instances.find(Object.create({ limit: -1 }) as object).items.length,
      ).toBeGreaterThan(2);
    });

    test('GEN-1 order and direction are checked', async () => {
      const store = await furnished(open);
      const find = (query: object) => (): unknown => store.instances.find(query);
      for (const [query, code, path] of [
        [{ orderBy: 'key' }, 'BAD_REQUEST', 'orderBy'],
        [{ orderBy: '' }, 'BAD_REQUEST', 'orderBy'],
        [{ total: 1 }, 'BAD_REQUEST', 'total'],
        [{ orderBy: 5 }, 'BAD_REQUEST', 'orderBy'],
        [{ direction: 'up' }, 'BAD_REQUEST', 'direction'],
      ] as const) {
        expect((await expectRefused(store, code, find(query))).details).toMatchObject({ path });
      }
      for (const query of [null, 5, 'door', []])
        await expectRefused(store, 'BAD_REQUEST', find(query as never));
      await expectRefused(store, 'BAD_REQUEST', () => store.instances.count({ limit: 1 } as never));
      await expectRefused(store, 'BAD_REQUEST', () =>
        store.instances.iterate({ cursor: 'x' } as never),
      );
    });
  });
}
