/** What collections promise beyond the model: names, keys, scoped handles, expiry in the log, room, other readers. */
import { describe, expect, test } from 'vitest';
import { type Collection, openStore, restoreStore, type Store, verifyStore } from 'pawl';
import { SimDisk } from 'pawl/testing';
import { seededRandom } from '../../../../src/base/random.ts';
import { manualClock, refusalOf } from '../cases/contract.ts';
import { exported } from './model.ts';

const CONFIG = { dimensions: 2, metric: 'euclidean' } as const;

async function withDocs(): Promise<{
  store: Store;
  docs: Collection;
  clock: ReturnType<typeof manualClock>;
  disk: SimDisk;
  open: (readOnly?: boolean) => Promise<Store>;
}> {
  const disk = SimDisk.of();
  const clock = manualClock(1000);
  const open = (readOnly = false): Promise<Store> => {
    const ports = { fileIo: disk.fileIo, clock };
    const options = readOnly ? { ...ports, readOnly } : { ...ports, random: seededRandom(3) };
    return openStore('/db', options as never);
  };
  const store = await open();
  return { store, docs: await store.collections.create('docs', CONFIG), clock, disk, open };
}

describe('collections', () => {
  test('VEC-1 are created once, opened again, listed by prefix and dropped with all in them', async () => {
    const { store, docs, open } = await withDocs();
    const again = await store.collections.open('docs', { ...CONFIG, m: 16 });
    await again.insert([{ id: 'a', vector: [1, 2] }]);
    expect(docs.get('a')?.vector).toEqual(Float32Array.of(1, 2));
    await Promise.all([
      store.collections.create('do', CONFIG),
      store.collections.create('x', { dimensions: 65_536, metric: 'dot', indexes: ['b', 'a'] }),
      store.collections.delete('docs'),
      store.collections.open('docs', { dimensions: 1, metric: 'dot' }),
    ]);
    expect(store.collections.list()).toEqual(['do', 'docs', 'x']);
    expect(store.collections.list('do')).toEqual(['do', 'docs']);
    expect(store.collection('docs').count({ scope: 'all' })).toBe(0);
    await store.collection('docs').insert([{ id: 'a', vector: [5] }]);
    const { digest } = await store.verify();
    await store.close();
    const reopened = await open();
    expect(reopened.collection('docs').get('a')?.vector).toEqual(Float32Array.of(5));
    expect((await reopened.verify()).digest).toBe(digest);
    await reopened.collections.open('x', {
      dimensions: 65_536,
      metric: 'dot',
      indexes: ['a', 'b'],
    });
    await reopened.close();
  });

  test('VEC-3 ids are made where there are none, in the order of the entries', async () => {
    const { store, docs } = await withDocs();
    const ids = await docs.insert([
      { vector: [1, 1] },
      { id: 'b', vector: [2, 2] },
      { vector: [3, 3] },
    ]);
    expect(ids[1]).toBe('b');
    expect(ids.map((id) => docs.get(id)?.vector[0])).toEqual([1, 2, 3]);
    expect(await docs.insert([])).toEqual([]);
    await store.close();
  });

  test('D-2 what waits for the disk is decided over and not shown', async () => {
    const { store, docs } = await withDocs();
    const first = docs.insert([{ id: 'a', vector: [1, 1] }]);
    expect(docs.get('a')).toBeUndefined();
    const second = refusalOf(() => docs.insert([{ id: 'a', vector: [1, 1] }]));
    const created = store.collections.create('late', CONFIG);
    // Known to commands, not yet to readers.
    const late = store.collection('late');
    const third = late.insert([{ id: 'z', vector: [0, 0] }]);
    expect((await refusalOf(() => late.get('z'))).code).toBe('COLLECTION_NOT_FOUND');
    await Promise.all([first, created, third]);
    expect((await second).code).toBe('VECTOR_EXISTS');
    expect(late.get('z')?.id).toBe('z');
    await store.close();
  });

  test('a key gives the first answer again, also after reopening, and refuses other arguments', async () => {
    const { store, docs, open } = await withDocs();
    const key = { idempotencyKey: 'k' };
    const entries = [{ vector: [1, 1], metadata: { a: 1, b: 2 } }];
    const ids = await docs.insert(entries, key);
    const { offset } = store;
    expect(await docs.insert([{ vector: [1, 1], metadata: { b: 2, a: 1 } }], key)).toEqual(ids);
    expect(store.offset).toBe(offset);
    for (const other of [{ vector: [1, 2], metadata: { a: 1, b: 2 } }, { vector: [1, 1] }])
      expect((await refusalOf(() => docs.insert([other], key))).code).toBe('CONFLICT');
    expect((await refusalOf(() => docs.upsert(entries, key))).code).toBe('CONFLICT');
    expect(await docs.delete(['none'], { idempotencyKey: 'd' })).toEqual({
      deleted: [],
      missing: ['none'],
    });
    await store.snapshot();
    await store.close();
    const again = await open();
    expect(await again.collection('docs').insert(entries, key)).toEqual(ids);
    expect(again.collection('docs').count()).toBe(1);
    await again.close();
  });

  test('VEC-9 a scoped handle reaches its scope and nothing else', async () => {
    const { store, docs } = await withDocs();
    const ada = docs.scoped({ kind: 'user', id: 'ada' });
    await docs.insert([{ id: 'g', vector: [0, 0] }]);
    await ada.insert([{ id: 'a', vector: [0, 0] }]);
    const ids = (all: readonly { readonly id: string }[]): string[] => all.map(({ id }) => id);
    const query = { vector: [0, 0], k: 9 };
    expect(ids(docs.search(query))).toEqual(['g']);
    expect(ids(ada.search(query))).toEqual(['a']);
    expect(ids(docs.search({ ...query, scope: 'all' }))).toEqual(['a', 'g']);
    expect(docs.search({ ...query, scope: { kind: 'tool', id: 'none' } })).toEqual([]);
    expect([ada.get('g'), docs.get('a')?.scope]).toEqual([undefined, { kind: 'user', id: 'ada' }]);
    expect(await ada.delete(['g', 'a', 'a'])).toEqual({ deleted: ['a'], missing: ['g'] });
    expect(ids(await exported(ada))).toEqual([]);
    expect(await docs.deleteScope('global')).toBe(1);
    expect(await docs.deleteScope('global')).toBe(0);
    await store.close();
  });

  test('VEC-10 what is over is invisible from that instant on, dropped by a record, and its id is free', async () => {
    const { store, docs, clock, open } = await withDocs();
    await docs.insert([
      { id: 'a', vector: [1, 1], ttlMs: 50 },
      { id: 'b', vector: [1, 1], expiresAt: 1060 },
      { id: 'c', vector: [1, 1] },
    ]);
    clock.time = 1049;
    expect(docs.count()).toBe(3);
    clock.time = 1050;
    expect([docs.count(), docs.get('a')]).toEqual([2, undefined]);
    await docs.insert([{ id: 'a', vector: [9, 9] }]);
    expect(docs.get('a')).toMatchObject({ createdAt: 1050 });
    expect(docs.get('a')).not.toHaveProperty('expiresAt');
    clock.time = 2000;
    const { offset } = store;
    await docs.upsert([{ id: 'd', vector: [1, 1] }]);
    // One record drops b, one puts d.
    expect(store.offset).toBe(offset + 2);
    expect(docs.stats()['entries']).toBe(3);
    const { digest } = await store.verify();
    await store.close();
    clock.time = 0;
    const again = await open();
    // A clock that went back brings nothing back.
    expect(again.collection('docs').get('b')).toBeUndefined();
    expect((await again.verify()).digest).toBe(digest);
    await again.close();
  });

  test('VEC-10 an entry may be over before it is on the disk: its id is free all the same', async () => {
    const { store, docs, clock, open } = await withDocs();
    const first = docs.insert([{ id: 'a', vector: [1, 1], ttlMs: 10 }]);
    clock.time += 10;
    const second = docs.insert([{ id: 'a', vector: [2, 2], ttlMs: 10 }]);
    const updated = docs.updateMetadata('a', { n: 1 });
    clock.time += 10;
    const missing = refusalOf(() => docs.updateMetadata('a', { n: 2 }));
    const third = docs.upsert([{ id: 'a', vector: [3, 3] }]);
    await Promise.all([first, second, updated, third]);
    expect((await missing).code).toBe('VECTOR_NOT_FOUND');
    expect(docs.get('a')).toMatchObject({ createdAt: 1020, updatedAt: 1020 });
    expect(docs.get('a')?.metadata).toBeUndefined();
    const { digest } = await store.verify();
    await store.close();
    const again = await open();
    expect((await again.verify()).digest).toBe(digest);
    await again.close();
  });

  test('VEC-5 entries that are over leave room for others', async () => {
    const { store, clock } = await withDocs();
    const small = await store.collections.create('small', { ...CONFIG, maxElements: 2 });
    await small.insert([
      { id: 'a', vector: [1, 1], ttlMs: 10 },
      { id: 'b', vector: [1, 1] },
    ]);
    const waiting = small.delete(['b']);
    await small.insert([{ id: 'c', vector: [1, 1] }]);
    await waiting;
    expect((await refusalOf(() => small.insert([{ vector: [1, 1] }]))).code).toBe('QUOTA_EXCEEDED');
    await small.upsert([{ id: 'c', vector: [2, 1] }]);
    clock.time += 10;
    await small.insert([{ id: 'd', vector: [1, 1] }]);
    expect(small.count()).toBe(2);
    await store.close();
  });

  test('VEC-18 an export has vectors bit by bit', async () => {
    const { store, docs, open } = await withDocs();
    const odd = Float32Array.of(-0, 1.1754942e-38);
    await docs.insert([{ id: 'a', vector: odd, eventTime: -5, metadata: { big: 2n ** 60n } }]);
    await store.snapshot();
    await store.close();
    const again = await open();
    const [entry] = await exported(again.collection('docs'));
    expect(Buffer.from(entry!.vector.buffer)).toEqual(Buffer.from(odd.buffer));
    expect(entry).toMatchObject({ eventTime: -5, metadata: { big: 2n ** 60n }, createdAt: 1000 });
    await again.close();
  });

  test('VEC-6 searchAsync gives what search gives; answers are copies', async () => {
    const { store, docs } = await withDocs();
    const vector = Float32Array.of(1, 1);
    await docs.insert([{ id: 'a', vector, metadata: { n: 1 } }]);
    vector[0] = 7;
    const query = { vector: [1, 1], k: 3, includeVector: true };
    const found = docs.search(query);
    expect(found).toEqual([
      { id: 'a', score: 1, distance: 0, metadata: { n: 1 }, vector: Float32Array.of(1, 1) },
    ]);
    found[0]!.vector![0] = 5;
    expect(await docs.searchAsync(query)).not.toEqual(found);
    expect(docs.search({ ...query, includeMetadata: false, includeVector: false })).toEqual([
      { id: 'a', score: 1, distance: 0 },
    ]);
    await store.close();
  });

  test('other readers: read-only, restored, looked back at, verified', async () => {
    const { store, docs, disk, open } = await withDocs();
    await docs.insert([{ id: 'a', vector: [1, 2], metadata: { n: 1 } }]);
    const { offset } = store;
    await docs.upsert([{ id: 'a', vector: [3, 4] }]);
    const view = await store.asOf({ offset });
    await view.close();
    await store.snapshot();
    await store.close();
    const report = await verifyStore('/db', { fileIo: disk.fileIo });
    expect(report.problems).toEqual([]);
    const frozen = await open(true);
    expect(frozen.collections.list()).toEqual(['docs']);
    expect(frozen.collection('docs').get('a')?.vector).toEqual(Float32Array.of(3, 4));
    expect((await frozen.verify()).digest).toBe(report.digest);
    await frozen.close();
    await restoreStore('/db', '/then', { offset }, { fileIo: disk.fileIo });
    const then = await openStore('/then', { fileIo: disk.fileIo });
    expect(then.collection('docs').get('a')).toMatchObject({ metadata: { n: 1 } });
    expect(then.collection('docs').get('a')?.vector).toEqual(Float32Array.of(1, 2));
    await then.close();
  });

  test('VEC-4 many vectors over blocks, handles reused lowest first, the same from a snapshot', async () => {
    const { store, docs, open } = await withDocs();
    const vectors = Array.from({ length: 3000 }, (_, i) => [i, i % 7]);
    await docs.insert(vectors.map((vector, i) => ({ id: `v${i}`, vector, metadata: { i } })));
    await docs.delete(Array.from({ length: 1000 }, (_, i) => `v${3 * i}`));
    await docs.insert(vectors.slice(0, 500).map((vector, i) => ({ id: `w${i}`, vector })));
    const nearest = docs.search({ vector: [1501, 3], k: 20 });
    const { digest } = await store.verify();
    await store.snapshot();
    await store.close();
    const again = await open();
    expect(again.recovery.recordsReplayed).toBe(0);
    expect(again.collection('docs').search({ vector: [1501, 3], k: 20 })).toEqual(nearest);
    expect((await again.verify()).digest).toBe(digest);
    await again.collection('docs').insert([{ id: 'next', vector: [0, 0] }]);
    const snapshot = await again.verify();
    await again.close();
    const third = await open();
    expect((await third.verify()).digest).toBe(snapshot.digest);
    await third.close();
  });
});
