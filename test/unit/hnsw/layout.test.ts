/** The memory of an index: regions never meet, and no sum in it overflows. */
import { describe, expect, it } from 'vitest';
import { type Layout, bytesFor, layoutOf, linksAt, rowAt } from '../../../src/hnsw/layout.ts';
import { settingsOf } from '../../../src/hnsw/options.ts';

const DIMENSIONS = [1, 3, 16, 17, 100, 128, 768, 1000, 1536, 4096, 33_000, 65_536];

function layoutsOf(dimensions: number): Layout[] {
  return [2, 5, 16, 128].flatMap((m) =>
    (['none', 'int8'] as const).flatMap((quantization) =>
      [1, 100, undefined].map((maxElements) =>
        layoutOf(settingsOf({ dimensions, metric: 'dot', m, quantization, maxElements })),
      ),
    ),
  );
}

describe.each(DIMENSIONS)('%s dimensions', (dimensions) => {
  const layouts = layoutsOf(dimensions);

  it('regions of an extent follow each other, and fit', () => {
    for (const layout of layouts) {
      const last = 2 ** layout.extentShift - 1;
      let end = linksAt(layout, last, 0) + layout.blockBytes;
      for (let level = 1; level <= layout.hierarchyTop; level++) {
        expect(linksAt(layout, 0, level)).toBeGreaterThanOrEqual(end);
        end = linksAt(layout, last, level) + layout.upperStride;
      }
      if (layout.isQuantized) {
        expect(rowAt(layout, 0)).toBeGreaterThanOrEqual(end);
        // The coder reads whole steps of sixteen components.
        end = rowAt(layout, last) + layout.paddedDimensions * 4;
      }
      expect(end).toBeLessThanOrEqual(layout.extents + layout.extentBytes);
      expect(linksAt(layout, last + 1, 0)).toBe(layout.extents + layout.extentBytes);
    }
  });

  it('everything it may hold lies below 4 GiB, behind all working space', () => {
    for (const layout of layouts) {
      const wanted = Math.min(layout.settings.maxElements, 8000);
      expect(layout.capacity).toBeGreaterThanOrEqual(wanted);
      expect(bytesFor(layout, layout.capacity)).toBeLessThan(2 ** 32);
      const regions = [...layout.scratch.slice(3), layout.scratch[0]!, layout.live, layout.offsets];
      for (const at of regions) expect(at % 64).toBe(0);
      expect(Math.max(...regions)).toBeLessThan(layout.extents);
      expect(layout.bitmapBytes * 8).toBeGreaterThanOrEqual(layout.capacity);
    }
  });

  it('no sum of products or squares overflows', () => {
    for (const { queryLimit, paddedDimensions } of layouts) {
      expect(queryLimit).toBeGreaterThanOrEqual(127);
      expect(queryLimit * 127 * paddedDimensions).toBeLessThan(2 ** 31);
      expect((queryLimit + 127) ** 2 * paddedDimensions).toBeLessThan(2 ** 32);
    }
  });
});
