/** What is malformed is refused with its code before anything is stored. */
import { describe, expect, it } from 'vitest';
import { isStoreError } from '../../../src/base/errors.ts';
import { type VectorIndexOptions, createVectorIndex } from '../../../src/hnsw/index.ts';

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return isStoreError(error) ? error.code : String(error);
  }
  return 'none';
}

const GOOD: VectorIndexOptions = { dimensions: 3, metric: 'cosine' };

describe('options', () => {
  it.each([
    [undefined],
    [null],
    [{ metric: 'cosine' }],
    [{ ...GOOD, dimensions: 0 }],
    [{ ...GOOD, dimensions: 65_537 }],
    [{ ...GOOD, dimensions: 1.5 }],
    [{ ...GOOD, dimensions: '3' }],
    [{ ...GOOD, metric: 'l2' }],
    [{ ...GOOD, metric: 'toString' }],
    [{ ...GOOD, m: 1 }],
    [{ ...GOOD, m: 129 }],
    [{ ...GOOD, efConstruction: 0 }],
    [{ ...GOOD, efSearch: 5000 }],
    [{ ...GOOD, maxElements: 0 }],
    [{ ...GOOD, seed: -1 }],
    [{ ...GOOD, quantization: 'int4' }],
  ])('%o is BAD_REQUEST', (options) => {
    expect(codeOf(() => createVectorIndex(options as never))).toBe('BAD_REQUEST');
  });

  it('what is not there yet is UNSUPPORTED', () => {
    expect(codeOf(() => createVectorIndex({ ...GOOD, quantization: 'binary' }))).toBe(
      'UNSUPPORTED',
    );
  });

  it('the bounds themselves are taken', () => {
    for (const options of [
      { dimensions: 1, m: 2, efConstruction: 1, efSearch: 1, maxElements: 1 },
      { dimensions: 65_536, m: 128, efConstruction: 4096, efSearch: 4096, seed: 2 ** 32 - 1 },
    ]) {
      const index = createVectorIndex({ ...GOOD, ...options });
      expect(index.add(new Float32Array(options.dimensions).fill(1))).toBe(0);
      expect([...index.search(new Float32Array(options.dimensions).fill(2), 3).slots]).toEqual([0]);
    }
  });
});

describe('vectors', () => {
  it.each([
    ['DIMENSION_MISMATCH', [1, 2]],
    ['DIMENSION_MISMATCH', new Float32Array(4).fill(1)],
    ['INVALID_VECTOR', []],
    ['INVALID_VECTOR', [1, Number.NaN, 2]],
    ['INVALID_VECTOR', [1, 2, Infinity]],
    ['INVALID_VECTOR', [1, 2, 1e39]],
    ['INVALID_VECTOR', new Float32Array([1, -Infinity, Infinity])],
    ['INVALID_VECTOR', [0, 0, 0]],
    ['INVALID_VECTOR', ['1', 2, 3]],
    ['INVALID_VECTOR', Object.assign([1, 2, 3], { 1: undefined })],
    ['INVALID_VECTOR', 'abc'],
    ['INVALID_VECTOR', undefined],
    ['INVALID_VECTOR', new Float64Array(3).fill(1)],
  ])('%s: %o, added or searched for', (code, vector) => {
    const index = createVectorIndex(GOOD);
    index.add([1, 2, 3]);
    expect(codeOf(() => index.add(vector as never))).toBe(code);
    expect(codeOf(() => index.search(vector as never, 1))).toBe(code);
    expect([index.size, index.slots]).toEqual([1, 1]);
    expect([...index.search([1, 2, 3], 5).slots]).toEqual([0]);
  });

  it('zeros are a vector for every other metric, also as the only one', () => {
    for (const metric of ['dot', 'euclidean', 'manhattan'] as const) {
      const index = createVectorIndex({ dimensions: 3, metric });
      for (let i = 0; i < 5; i++) index.add([0, 0, 0]);
      expect([...index.search([0, 0, 0], 3).slots]).toEqual([0, 1, 2]);
    }
  });

  it('what overflows 32 bits is far away, not an error', () => {
    for (const metric of ['dot', 'euclidean', 'manhattan'] as const) {
      const index = createVectorIndex({ dimensions: 4, metric });
      index.add([3e38, -3e38, 3e38, 3e38]);
      index.add([1, 1, 1, 1]);
      index.add([-3e38, 3e38, 3e38, -3e38]);
      const { slots, distances } = index.search([3e38, 3e38, 3e38, 3e38], 3);
      expect([...slots].sort((a, b) => a - b)).toEqual([0, 1, 2]);
      expect(distances.some((distance) => Number.isNaN(distance))).toBe(false);
    }
  });
});

describe('searches', () => {
  it.each([0, -1, 1.5, Number.NaN, Infinity, '3', undefined])('k of %s is BAD_REQUEST', (k) => {
    const index = createVectorIndex(GOOD);
    expect(codeOf(() => index.search([1, 2, 3], k as never))).toBe('BAD_REQUEST');
  });

  it.each([{ ef: 0 }, { ef: -1 }, { ef: 4097 }, { ef: 1.5 }, { filter: [1] }])(
    '%o is BAD_REQUEST',
    (options) => {
      const index = createVectorIndex(GOOD);
      expect(codeOf(() => index.search([1, 2, 3], 1, options as never))).toBe('BAD_REQUEST');
    },
  );

  it('a vector that never was is VECTOR_NOT_FOUND', () => {
    const index = createVectorIndex(GOOD);
    for (const slot of [0, -1, 0.5, Number.NaN])
      expect(codeOf(() => index.vector(slot))).toBe('VECTOR_NOT_FOUND');
  });

  it('maxElements is the end: QUOTA_EXCEEDED, and what is there stays', () => {
    const index = createVectorIndex({ ...GOOD, maxElements: 3 });
    for (let i = 0; i < 3; i++) index.add([1, i, 0]);
    expect(codeOf(() => index.add([1, 2, 3]))).toBe('QUOTA_EXCEEDED');
    expect(index.markDeleted(0)).toBe(true);
    expect(codeOf(() => index.add([1, 2, 3]))).toBe('QUOTA_EXCEEDED');
    expect([...index.search([1, 2, 0], 5).slots]).toEqual([2, 1]);
  });
});
