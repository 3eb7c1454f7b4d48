/** restoreStore and asOf on the real disk, beside a store that is being written. */
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore, restoreStore, verifyStore } from 'pawl';
import { DOOR, refusalOf } from './cases/contract.ts';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'pawl-restore-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('D-11 beside a writer a restored store has all that was acknowledged before the call', async () => {
  const source = join(root, 'source');
  const store = await openStore(source);
  await store.machines.put(DOOR);
  for (let round = 0; round < 5; round++) {
    await store.instances.create({ machine: 'door', id: `d-${round}` });
    const target = join(root, `now-${round}`);
    const { offset } = store;
    // No time for anything to vouch for the last record; the writer does so a little later.
    const restored = await restoreStore(source, target, round % 2 === 0 ? { offset } : undefined);
    expect(restored).toEqual({ offset });
    const { ok, lastOffset } = await verifyStore(target);
    expect([ok, lastOffset]).toEqual([true, offset]);
  }
  await store.close();
});

test('D-11 writers go on while views and restored stores are made of a store with snapshots', async () => {
  const source = join(root, 'busy');
  // Log goes meanwhile, but not what a slow reader is still to ask for.
  const store = await openStore(source, {
    snapshotInterval: 500,
    keepSnapshots: 20,
    segmentBytes: 65_536,
  });
  await store.machines.put(DOOR);
  const done = new AbortController();
  let made = 0;
  const writing = (async (): Promise<void> => {
    for (; !done.signal.aborted; made += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          store.instances.create({
            machine: 'door',
            id: `d-${made + i}`,
            context: { n: made + i },
          }),
        ),
      );
  })();
  let shown = 0;
  for (let round = 0; round < 20; round++) {
    const { offset } = store;
    await using view = await store.asOf({ offset });
    expect([view.offset, view.instances.count()]).toEqual([offset, offset - 1]);
    if (round % 5 === 4) {
      const target = join(root, `busy-${round}`);
      await restoreStore(source, target, { offset });
      const restored = await openStore(target, { readOnly: true });
      expect([restored.offset, restored.instances.count()]).toEqual([offset, offset - 1]);
      await restored.close();
    }
    shown++;
    await store.reached(offset + 400);
  }
  done.abort();
  await writing;
  expect(shown).toBe(20);
  await store.compact({ force: true });
  const early = await refusalOf(() => store.asOf({ offset: 1 }));
  expect(early.code).toBe('OFFSET_TOO_OLD');
  await store.close();
});

test('GEN-1 a store is never restored into the one it comes from', async () => {
  const source = join(root, 'apart');
  const store = await openStore(source, { archive: true });
  await store.machines.put(DOOR);
  await store.close();
  await symlink(source, join(root, 'alias'));
  const inside = [
    source,
    join(source, 'archive'),
    join(source, 'a', 'b'),
    join(root, 'alias', 'c'),
  ];
  for (const target of inside) {
    const refused = await refusalOf(() => restoreStore(source, target));
    expect(refused).toMatchObject({ code: 'BAD_REQUEST', details: { path: 'target' } });
  }
  expect((await verifyStore(source)).ok).toBe(true);
  // Beside it is fine, also where the name begins alike.
  await restoreStore(source, `${source}-copy`);
});
