/** Every way a call to a collection is refused: the code, the place of the fault, and that nothing was stored. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Collection,
  type CollectionConfig,
  type ErrorCode,
  openStore,
  type Store,
  type VectorInput,
} from 'pawl';
import { manualClock, refusalOf } from '../cases/contract.ts';

const CONFIG: CollectionConfig = { dimensions: 3, metric: 'cosine', maxElements: 5 };
const V = [1, 2, 3];
let store: Store;
let docs: Collection;

beforeEach(async () => {
  store = await openStore(':memory:', { clock: manualClock(1000) });
  docs = await store.collections.create('docs', CONFIG);
  await docs.insert([
    { id: 'a', vector: V },
    { id: 'b', vector: V, scope: { kind: 'user', id: 'ada' } },
  ]);
});
afterEach(() => store.close());

type Case = readonly [
  what: string,
  code: ErrorCode,
  path: string | undefined,
  call: (s: Store) => unknown,
];

async function refused(
  code: ErrorCode,
  path: string | undefined,
  call: () => unknown,
): Promise<ErrorCode> {
  const before = { offset: store.offset, digest: contentOf() };
  const error = await refusalOf(call);
  expect([error.code, (error.details as { path?: string }).path]).toEqual([code, path]);
  expect({ offset: store.offset, digest: contentOf() }).toEqual(before);
  return error.code;
}

function contentOf(): unknown {
  return [store.collections.list(), docs.count({ scope: 'all' }), docs.get('a'), docs.get('b')];
}

const any = (value: unknown): never => value as never;
const config = (more: object): CollectionConfig =>
  any({ dimensions: 3, metric: 'cosine', ...more });
const create = (more: object) => (s: Store) => s.collections.create('new', config(more));
const put =
  (...entries: readonly unknown[]) =>
  (s: Store) =>
    s.collection('docs').insert(any(entries));
const one = (more: object): VectorInput => any({ id: 'new', vector: V, ...more });
const search = (more: object) => (s: Store) =>
  s.collection('docs').search(any({ vector: V, k: 1, ...more }));

const CONFIGS: readonly Case[] = [
  ['no configuration', 'BAD_REQUEST', 'config', (s) => s.collections.create('new', any(undefined))],
  ['no name', 'BAD_REQUEST', 'name', (s) => s.collections.create('', CONFIG)],
  ['an unknown field', 'BAD_REQUEST', 'config.metrics', create({ metrics: 'dot' })],
  ['no dimension', 'BAD_REQUEST', 'config.dimensions', create({ dimensions: 0 })],
  ['too many', 'BAD_REQUEST', 'config.dimensions', create({ dimensions: 65_537 })],
  ['half a dimension', 'BAD_REQUEST', 'config.dimensions', create({ dimensions: 1.5 })],
  ['another metric', 'BAD_REQUEST', 'config.metric', create({ metric: 'hamming' })],
  ['m', 'BAD_REQUEST', 'config.m', create({ m: 1 })],
  ['efConstruction', 'BAD_REQUEST', 'config.efConstruction', create({ efConstruction: 0 })],
  ['efSearch', 'BAD_REQUEST', 'config.efSearch', create({ efSearch: '5' })],
  ['maxElements', 'BAD_REQUEST', 'config.maxElements', create({ maxElements: 0 })],
  ['seed', 'BAD_REQUEST', 'config.seed', create({ seed: -1 })],
  ['quantization', 'BAD_REQUEST', 'config.quantization', create({ quantization: 'int4' })],
  ['float16', 'UNSUPPORTED', 'config.quantization', create({ quantization: 'float16' })],
  ['binary', 'UNSUPPORTED', 'config.quantization', create({ quantization: 'binary' })],
  ['residentVectors', 'UNSUPPORTED', 'config.residentVectors', create({ residentVectors: false })],
  ['residentVectors 1', 'BAD_REQUEST', 'config.residentVectors', create({ residentVectors: 1 })],
  ['matryoshka', 'UNSUPPORTED', 'config.matryoshka', create({ matryoshka: { dimensions: 1 } })],
  ['quotas', 'UNSUPPORTED', 'config.quotas', create({ quotas: { vectors: 5 } })],
  ['indexes', 'BAD_REQUEST', 'config.indexes', create({ indexes: ['a', 'a'] })],
  ['a path', 'BAD_REQUEST', 'config.indexes[0]', create({ indexes: ['a..b'] })],
  [
    'a name that is taken',
    'COLLECTION_EXISTS',
    undefined,
    (s) => s.collections.create('docs', CONFIG),
  ],
  [
    'another configuration',
    'CONFLICT',
    'config.m',
    (s) => s.collections.open('docs', { ...CONFIG, m: 8 }),
  ],
  ['none', 'COLLECTION_NOT_FOUND', undefined, (s) => s.collection('none')],
];

const ENTRIES: readonly Case[] = [
  ['no list', 'BAD_REQUEST', 'entries', (s) => s.collection('docs').insert(any({}))],
  ['no object', 'BAD_REQUEST', 'entries[0]', put(5)],
  ['an unknown field', 'BAD_REQUEST', 'entries[1].meta', put(one({}), one({ meta: {} }))],
  ['an empty id', 'BAD_REQUEST', 'entries[0].id', put(one({ id: '' }))],
  ['no vector', 'BAD_REQUEST', 'entries[0].vector', put({ id: 'x' })],
  ['doubles', 'BAD_REQUEST', 'entries[0].vector', put(one({ vector: Float64Array.of(1, 2, 3) }))],
  ['an empty vector', 'INVALID_VECTOR', 'entries[0].vector', put(one({ vector: [] }))],
  ['NaN', 'INVALID_VECTOR', 'entries[0].vector[1]', put(one({ vector: [1, Number.NaN, 1] }))],
  [
    'Infinity',
    'INVALID_VECTOR',
    'entries[0].vector[0]',
    put(one({ vector: Float32Array.of(Infinity, 1, 1) })),
  ],
  ['beyond 32 bits', 'INVALID_VECTOR', 'entries[0].vector[2]', put(one({ vector: [1, 1, 1e39] }))],
  ['a text in it', 'INVALID_VECTOR', 'entries[0].vector[0]', put(one({ vector: ['1', 1, 1] }))],
  ['zero under cosine', 'INVALID_VECTOR', 'entries[0].vector', put(one({ vector: [0, -0, 0] }))],
  [
    'too small for 32 bits, so zero',
    'INVALID_VECTOR',
    'entries[0].vector',
    put(one({ vector: [1e-60, 0, 0] })),
  ],
  [
    'another length',
    'DIMENSION_MISMATCH',
    'entries[1].vector',
    put(one({}), one({ id: 'y', vector: [1, 2] })),
  ],
  ['metadata that is a list', 'BAD_REQUEST', 'entries[0].metadata', put(one({ metadata: [] }))],
  [
    'a date in it',
    'BAD_REQUEST',
    'entries[0].metadata.at',
    put(one({ metadata: { at: new Date(0) } })),
  ],
  ['scope', 'BAD_REQUEST', 'entries[0].scope', put(one({ scope: 'user' }))],
  ['kind', 'BAD_REQUEST', 'entries[0].scope.kind', put(one({ scope: { kind: 'team', id: 'x' } }))],
  ['scope id', 'BAD_REQUEST', 'entries[0].scope.id', put(one({ scope: { kind: 'user', id: '' } }))],
  ['event time', 'BAD_REQUEST', 'entries[0].eventTime', put(one({ eventTime: 1.5 }))],
  ['ttl', 'BAD_REQUEST', 'entries[0].ttlMs', put(one({ ttlMs: 0 }))],
  ['both', 'BAD_REQUEST', 'entries[0].expiresAt', put(one({ ttlMs: 5, expiresAt: 5 }))],
  ['an id that exists', 'VECTOR_EXISTS', 'entries[1].id', put(one({}), one({ id: 'a' }))],
  ['an id twice', 'VECTOR_EXISTS', 'entries[1].id', put(one({}), one({}))],
  [
    'twice in upsert',
    'VECTOR_EXISTS',
    'entries[1].id',
    (s) => s.collection('docs').upsert([one({}), one({})]),
  ],
  ['too many', 'QUOTA_EXCEEDED', undefined, put(...['v', 'w', 'x', 'y'].map((id) => one({ id })))],
  [
    'a getter that throws',
    'BAD_REQUEST',
    'entries[0]',
    put({
      get id(): never {
        throw new Error('no');
      },
      vector: V,
    }),
  ],
  [
    'an option',
    'BAD_REQUEST',
    'options.idempotentKey',
    (s) => s.collection('docs').insert([one({})], any({ idempotentKey: 'k' })),
  ],
  [
    'metadata of none',
    'VECTOR_NOT_FOUND',
    undefined,
    (s) => s.collection('docs').updateMetadata('x', {}),
  ],
  [
    'a mode',
    'BAD_REQUEST',
    'options.mode',
    (s) => s.collection('docs').updateMetadata('a', {}, any({ mode: 'deep' })),
  ],
  ['ids', 'BAD_REQUEST', 'ids[0]', (s) => s.collection('docs').delete(any([5]))],
  [
    'all as a scope to delete',
    'BAD_REQUEST',
    'scope',
    (s) => s.collection('docs').deleteScope(any('all')),
  ],
  [
    'a foreign scope',
    'BAD_REQUEST',
    'scope',
    (s) => s.collection('docs').scoped('global').deleteScope({ kind: 'user', id: 'ada' }),
  ],
  [
    'a foreign entry',
    'VECTOR_EXISTS',
    'entries[0].id',
    (s) =>
      s
        .collection('docs')
        .scoped('global')
        .upsert([one({ id: 'b' })]),
  ],
  [
    'metadata of a foreign entry',
    'VECTOR_NOT_FOUND',
    undefined,
    (s) => s.collection('docs').scoped('global').updateMetadata('b', {}),
  ],
];

const QUERIES: readonly Case[] = [
  ['no query', 'BAD_REQUEST', 'query', (s) => s.collection('docs').search(any(undefined))],
  ['k', 'BAD_REQUEST', 'query.k', search({ k: 0 })],
  ['a field', 'BAD_REQUEST', 'query.where', search({ where: {} })],
  [
    'an operator',
    'BAD_REQUEST',
    'query.filter.n.near',
    search({ filter: { n: { near: 5, gt: 1 } } }),
  ],
  ['a threshold', 'BAD_REQUEST', 'query.threshold', search({ threshold: Number.NaN })],
  ['efSearch', 'BAD_REQUEST', 'query.efSearch', search({ efSearch: 0 })],
  ['a flag', 'BAD_REQUEST', 'query.includeVector', search({ includeVector: 'yes' })],
  [
    'a range turned round',
    'BAD_REQUEST',
    'query.eventTime.lte',
    search({ eventTime: { gte: 5, lte: 4 } }),
  ],
  [
    'all of a scoped handle',
    'BAD_REQUEST',
    'query.scope',
    (s) => s.collection('docs').scoped('global').search({ vector: V, k: 1, scope: 'all' }),
  ],
  ['length', 'DIMENSION_MISMATCH', 'query.vector', search({ vector: [1] })],
  ['zero', 'INVALID_VECTOR', 'query.vector', search({ vector: [0, 0, 0] })],
];

describe('refused, and nothing stored', () => {
  test.each(CONFIGS)('VEC-1 configuration: %s', async (_, code, path, call) => {
    expect(await refused(code, path, () => call(store))).toBe(code);
  });
  test.each(ENTRIES)('VEC-3 entries: %s', async (_, code, path, call) => {
    expect(await refused(code, path, () => call(store))).toBe(code);
  });
  test.each(QUERIES)('VEC-6 queries: %s', async (_, code, path, call) => {
    expect(await refused(code, path, () => call(store))).toBe(code);
  });

  test('VEC-3 in a transaction it takes everything back, and the error says which write it was', async () => {
    await refused('VECTOR_EXISTS', 'entries[0].id', () =>
      store.transaction((tx) => {
        tx.collection('docs').upsert([one({})]);
        tx.collection('docs').insert([one({ id: 'a' })]);
      }),
    );
    expect(docs.get('new')).toBeUndefined();
  });

  test('VEC-3 a write that failed half way cannot be kept by catching its error', async () => {
    const large = 'x'.repeat(15 << 20);
    const entries = ['p', 'q'].map((id) => one({ id, metadata: { large } }));
    const call = (): unknown =>
      store.transaction((tx) => {
        for (let i = 0; i < 5; i++) {
          try {
            tx.collection('docs').upsert(entries);
          } catch {
            // Goes on, as if nothing had happened.
          }
        }
      });
    await refused('RECORD_TOO_LARGE', undefined, call);
    expect(docs.get('p')).toBeUndefined();
  });

  test('VEC-1 a closed store, and a dropped collection', async () => {
    const handle = store.collection('docs');
    expect(await store.collections.delete('docs')).toBe(true);
    expect(await store.collections.delete('docs')).toBe(false);
    expect((await refusalOf(() => handle.count())).code).toBe('COLLECTION_NOT_FOUND');
    expect((await refusalOf(() => handle.insert([one({})]))).code).toBe('COLLECTION_NOT_FOUND');
    await store.close();
    expect((await refusalOf(() => handle.count())).code).toBe('STORE_CLOSED');
    expect((await refusalOf(() => handle.insert([one({})]))).code).toBe('STORE_CLOSED');
  });
});
