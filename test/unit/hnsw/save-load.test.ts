/** The graph itself is saved: loading builds nothing, and what is not sound is refused, never walked. */
import { describe, expect, it } from 'vitest';
import { isStoreError } from '../../../src/base/errors.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { layoutOf } from '../../../src/hnsw/layout.ts';
import { levelOf } from '../../../src/hnsw/levels.ts';
import { METRICS, QUANTIZATIONS, settingsOf } from '../../../src/hnsw/options.ts';
import { regionsOf } from '../../../src/hnsw/saved.ts';
import { type VectorIndex, createVectorIndex, loadVectorIndex } from '../../../src/hnsw/index.ts';
import { clusters } from './vectors.ts';

function bytesOf(index: VectorIndex): Uint8Array {
  const bytes = Buffer.concat([...index.save()]);
  expect(bytes.length).toBe(index.savedBytes);
  return new Uint8Array(bytes);
}

function* cut(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

const cases = METRICS.flatMap((metric) =>
  QUANTIZATIONS.map((quantization) => [metric, quantization] as const),
);
const source = clusters(20, 20, 3);
const all = source.many(5000);
const queries = source.many(10);

it.each(cases)(
  '%s, %s: answers, bytes and all that follows are the same',
  (metric, quantization) => {
    const options = { dimensions: 20, metric, quantization, efConstruction: 30, m: 6, seed: 3 };
    const index = createVectorIndex(options);
    for (const vector of all) index.add(vector);
    for (let slot = 0; slot < 5000; slot += 3) index.markDeleted(slot);
    const bytes = bytesOf(index);
    for (const length of [bytes.length, 1 << 20, 4097]) {
      const loaded = loadVectorIndex(cut(bytes, length));
      expect(Buffer.compare(bytesOf(loaded), bytes)).toBe(0);
      for (const query of queries)
        expect(loaded.search(query, 10, { ef: 30 })).toEqual(index.search(query, 10, { ef: 30 }));
    }
    // The other kernel reads it too, and goes on alike.
    const scalar = loadVectorIndex([bytes], { kernel: 'scalar' });
    for (const vector of queries) expect(scalar.add(vector)).toBe(index.add(vector));
    expect(Buffer.compare(bytesOf(scalar), bytesOf(index))).toBe(0);
  },
);

it('an empty index, one of one vector, and one of deleted vectors', () => {
  const index = createVectorIndex({ dimensions: 3, metric: 'dot' });
  expect(loadVectorIndex([bytesOf(index)]).size).toBe(0);
  index.add([1, 2, 3]);
  expect([...loadVectorIndex(index.save()).search([1, 1, 1], 5).slots]).toEqual([0]);
  index.markDeleted(0);
  const loaded = loadVectorIndex(cut(bytesOf(index), 1));
  expect([loaded.size, loaded.slots, loaded.add([4, 5, 6])]).toEqual([0, 1, 1]);
});

it('an index that changes while it is saved: CONFLICT', () => {
  const index = createVectorIndex({ dimensions: 3, metric: 'dot' });
  for (let i = 0; i < 10; i++) index.add([1, 2, i]);
  const chunks = index.save()[Symbol.iterator]();
  chunks.next();
  index.add([1, 2, 3]);
  expect(() => chunks.next()).toThrow(expect.objectContaining({ code: 'CONFLICT' }));
});

describe('damage', () => {
  const index = createVectorIndex({ dimensions: 8, metric: 'cosine', m: 4, efConstruction: 20 });
  for (const vector of clusters(8, 5, 1).many(400)) index.add(vector);
  const good = Buffer.concat([...index.save()]);
  const codeOf = (bytes: Uint8Array): string => {
    try {
      const loaded = loadVectorIndex([bytes]);
      for (let i = 0; i < 4; i++) loaded.search([1, i, 3, 4, 5, 6, 7, 8], 400, { ef: 50 });
      return 'loaded';
    } catch (error) {
      if (isStoreError(error)) return error.code;
      throw error;
    }
  };

  it('missing bytes and bytes too many are CORRUPT', () => {
    for (const length of [0, 1, 63, 64, 65, 1000, good.length - 1])
      expect(codeOf(good.subarray(0, length))).toBe('CORRUPT');
    expect(codeOf(Buffer.concat([good, Buffer.from([0])]))).toBe('CORRUPT');
    expect(codeOf(good)).toBe('loaded');
  });

  it('a later version is FORMAT_UNSUPPORTED', () => {
    const later = Buffer.from(good);
    later.writeUInt32LE(2, 4);
    expect(codeOf(later)).toBe('FORMAT_UNSUPPORTED');
  });

  it('a link to a node that is not there is CORRUPT, on every level', () => {
    const layout = layoutOf(settingsOf({ dimensions: 8, metric: 'cosine', m: 4 }));
    const { groupShift, hierarchyTop: topLevel } = layout;
    const grounded = Array.from({ length: 400 }, (_, slot) => slot).findIndex(
      (slot) => levelOf({ seed: 0, groupShift, topLevel }, slot) === 0,
    );
    let at = 64;
    for (const [address, bytes] of regionsOf(layout, 400)) {
      const level = layout.upperOffsets.findIndex((offset) => layout.extents + offset === address);
      const stride = level === 0 ? layout.blockBytes : layout.upperStride;
      const nodes = level < 0 ? 0 : bytes / stride;
      for (let node = 0; node < nodes; node++) {
        const first = at + node * stride;
        // Of the highest level only some groups are there, and the first node has nobody to link to.
        if (good.readUInt32LE(first) >= 400 || good.readBigUInt64LE(first) === 0n) continue;
        const bad = Buffer.from(good);
        bad.writeUInt32LE(400, first);
        expect([level, node, codeOf(bad)]).toEqual([level, node, 'CORRUPT']);
        if (level === 0) continue;
        // It is there, but not on this level.
        bad.writeUInt32LE(grounded, first);
        expect([level, node, codeOf(bad)]).toEqual([level, node, 'CORRUPT']);
      }
      at += bytes;
    }
    expect(at).toBe(good.length);
  });

  it('bits of live nodes that do not add up are CORRUPT', () => {
    const layout = layoutOf(settingsOf({ dimensions: 8, metric: 'cosine', m: 4 }));
    const place = 64 + layout.paddedDimensions * (3 * 4 + 2);
    for (const byte of [0, 10, 49, 51]) {
      const bad = Buffer.from(good);
      bad[place + byte]! ^= 0x10;
      expect(codeOf(bad)).toBe('CORRUPT');
    }
  });

  it('whatever byte is wrong, it is refused or a graph that can be walked', () => {
    const random = seededRandom(6);
    const seen = new Set<string>();
    for (let i = 0; i < 600; i++) {
      const bad = Buffer.from(good);
      const place = random.next() < 0.4 ? random.next() * 64 : random.next() * bad.length;
      bad[Math.floor(place)]! ^= 1 << Math.floor(random.next() * 8);
      seen.add(codeOf(bad));
    }
    expect([...seen].sort()).toEqual(
      expect.arrayContaining(['CORRUPT', 'FORMAT_UNSUPPORTED', 'loaded']),
    );
  });
});
