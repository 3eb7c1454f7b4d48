/** The heap of what expires next, against a list that is sorted anew each time. */
import { describe, expect, test } from 'vitest';
import { ExpiryHeap } from '../../../src/vector/expiry-heap.ts';
import { seededChoices } from '../../sim/choices.ts';

const HANDLES = 40;

function trial(seed: number): number {
  const choose = seededChoices(seed);
  const times = new Map<number, number>();
  const heap = new ExpiryHeap((handle) => times.get(handle) ?? Infinity);
  let looked = 0;
  for (let step = 0; step < 600; step++) {
    const handle = choose(HANDLES);
    const had = times.has(handle);
    const kind = choose(4);
    if (kind === 0 && had) {
      times.delete(handle);
      heap.forget();
    } else if (kind < 3) {
      if (had) heap.forget();
      const time = choose(100);
      times.set(handle, time);
      heap.push(time, handle);
    }
    const sorted = [...times].sort(([, a], [, b]) => a - b);
    expect(heap.next()).toBe(sorted[0]?.[1] ?? Infinity);
    const now = choose(100);
    const due = sorted.filter(([one, time]) => time <= now && one % 3 !== 0).map(([one]) => one);
    const max = 1 + choose(HANDLES);
    const found = heap.due(now, max, (one) => one % 3 !== 0);
    expect(found).toHaveLength(Math.min(max, due.length));
    expect(due).toEqual(expect.arrayContaining(found));
    looked += found.length;
  }
  return looked;
}

describe('the expiry heap', () => {
  test('VEC-10 gives the earliest time and exactly what is due, whatever was changed or deleted', () => {
    for (let seed = 1; seed <= 20; seed++) expect(trial(seed)).toBeGreaterThan(100);
  });
});
