/** Where the records are, as the scan and the appender tell it. */
import { describe, expect, it } from 'vitest';
import { SegmentList } from '../../../wal/segment-list.ts';

const KIB = 1024;
const segment = (number: number): { number: number; sizeBytes: number } => ({
  number,
  sizeBytes: 1024 * KIB,
});

describe('the list of segments', () => {
  it('finds the segment of a record: the last that begins at or before it', () => {
    const list = new SegmentList();
    expect(list.find(1)).toBeUndefined();
    for (const [number, first] of [
      [1, 1],
      [2, 11],
      [5, 21],
    ] as const)
      list.note(segment(number), 64, 0, first, 900);
    expect([1, 10, 11, 20, 21, 999].map((offset) => list.find(offset)?.number)).toEqual([
      1, 1, 2, 2, 5, 5,
    ]);
    expect(list.held.map((held) => list.lastOffsetOf(held))).toEqual([10, 20, Infinity]);
    expect(list.find(0)).toBeUndefined();
  });

  it('knows a place near every record, and not more of them than it may', () => {
    const list = new SegmentList();
    for (let i = 0; i < 1000; i++)
      list.note(segment(1), 64 + i * KIB, i, 1 + i * 3, 64 + (i + 1) * KIB);
    const held = list.find(1);
    for (let offset = 1; offset <= 3000; offset += 7) {
      const place = held?.placeOf(offset);
      expect(place?.nextOffset).toBeLessThanOrEqual(offset);
      expect(64 + Math.floor((offset - 1) / 3) * KIB - (place?.bytes ?? 0)).toBeLessThan(64 * KIB);
      expect(place?.chain).toBe(((place?.bytes ?? 0) - 64) / KIB);
    }
    expect(list.usedBytes).toBe(64 + 1000 * KIB);
  });

  it('a segment whose records were all written again elsewhere is no part of it, but still a file', () => {
    const list = new SegmentList();
    for (const [number, first] of [
      [1, 1],
      [2, 11],
      [3, 15],
    ] as const)
      list.note(segment(number), 64, 0, first, 900);
    list.note(segment(4), 64, 0, 11, 900);
    expect(list.held.map((held) => held.number)).toEqual([1, 4]);
    expect([list.sizeBytes, list.usedBytes]).toEqual([4 * 1024 * KIB, 1800]);
    expect([10, 11, 99].map((offset) => list.find(offset)?.number)).toEqual([1, 4, 4]);
    expect(list.firstOffset).toBe(1);
  });

  it('lets go of what lies before a segment, never of the last one', () => {
    const list = new SegmentList();
    expect(list.oldestNeeded(50)).toBeUndefined();
    for (const [number, first] of [
      [1, 1],
      [2, 11],
      [5, 21],
    ] as const)
      list.note(segment(number), 64, 0, first, 900);
    expect([1, 10, 11, 20, 21, 999].map((offset) => list.oldestNeeded(offset)?.number)).toEqual([
      undefined,
      undefined,
      2,
      2,
      5,
      5,
    ]);
    list.dropBelow(3, 30);
    expect([list.firstOffset, list.held.length, list.find(20)]).toEqual([21, 1, undefined]);
    expect(list.oldestNeeded(999)).toBeUndefined();
  });

  it('begins behind the last record once nothing of it is left', () => {
    const list = new SegmentList();
    list.note(segment(1), 64, 0, 1, 900);
    list.note(segment(2), 64, 0, 11, 900);
    list.dropBelow(9, 30);
    expect([list.firstOffset, list.held, list.find(12)]).toEqual([31, [], undefined]);
  });

  it('heeds nothing about a segment that has a successor', () => {
    const list = new SegmentList();
    list.note(segment(1), 64, 0, 1, 900);
    list.note(segment(2), 64, 0, 11, 900);
    list.note(segment(1), 900, 0, 21, 2000);
    expect([list.find(21)?.number, list.usedBytes, list.held.length]).toEqual([2, 1800, 2]);
  });
});
