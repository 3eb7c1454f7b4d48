import { expect, it } from 'vitest';
import { levelOf } from '../../../src/hnsw/levels.ts';

it.each([2, 3, 4])('of 2^%d nodes of a level exactly one is on the next', (groupShift) => {
  const group = 2 ** groupShift;
  for (const seed of [0, 1, 0xffffffff]) {
    const levels = Array.from({ length: group ** 3 }, (_, slot) =>
      levelOf({ seed, groupShift, topLevel: 3 }, slot),
    );
    for (let level = 1; level <= 3; level++) {
      const size = group ** level;
      for (let from = 0; from < levels.length; from += size)
        expect(levels.slice(from, from + size).filter((l) => l >= level)).toHaveLength(1);
    }
  }
});

it('which one differs from group to group and from seed to seed', () => {
  const places = (seed: number): number[] =>
    Array.from({ length: 16_000 }, (_, slot) => slot).filter(
      (slot) => levelOf({ seed, groupShift: 4, topLevel: 3 }, slot) > 0,
    );
  const counts = new Array<number>(16).fill(0);
  for (const slot of places(1)) counts[slot % 16]!++;
  expect(Math.min(...counts)).toBeGreaterThan(35);
  expect(Math.max(...counts)).toBeLessThan(95);
  expect(places(1)).not.toEqual(places(2));
});
