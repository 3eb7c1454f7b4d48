/** Arenas of a slab heap: what they hold comes when it is touched, and goes with its last entry. */
import { expect, test } from 'vitest';
import { SlabHeap, arenaRef } from '../../../src/base/slab-heap.ts';
import type { ArenaSource } from '../../../src/base/slab.ts';

class Blocks implements ArenaSource {
  readonly loads: number[] = [];

  loadArena(block: number): Buffer {
    this.loads.push(block);
    if (block === 13) throw new Error('damaged');
    return Buffer.alloc(64, block);
  }
}

function heapWith(...blocks: number[]) {
  const heap = new SlabHeap();
  const source = new Blocks();
  const arenas = blocks.map((block) => {
    const arena = heap.addArena(source, block);
    heap.setEntries(arena, 3, 60);
    return arena;
  });
  return { heap, source, arenas };
}

test('an arena is loaded once, by the first touch, and its entries lie where their refs say', () => {
  const { heap, source, arenas } = heapWith(4, 5);
  expect([heap.usedBytes, heap.reservedBytes]).toEqual([120, 0]);
  const ref = arenaRef(arenas[1]!, 40);
  expect(heap.startOf(ref)).toBe(40);
  expect(heap.capacityOf(ref)).toBe(0);
  expect(source.loads).toEqual([]);
  expect(heap.bytesOf(ref)[heap.startOf(ref)]).toBe(5);
  expect(heap.bytesOf(arenaRef(arenas[1]!, 0))).toBe(heap.bytesOf(ref));
  expect(source.loads).toEqual([5]);
  expect(heap.reservedBytes).toBe(64);
  expect(heap.isWaiting(arenas[0]!, source, 4)).toBe(true);
  expect(heap.isWaiting(arenas[1]!, source, 5)).toBe(false);
});

test('a block that cannot be loaded is tried again, and refused again', () => {
  const { heap, source, arenas } = heapWith(13);
  for (let i = 0; i < 2; i++)
    expect(() => heap.bytesOf(arenaRef(arenas[0]!, 0))).toThrow('damaged');
  expect(source.loads).toEqual([13, 13]);
  expect(heap.reservedBytes).toBe(0);
});

test('with its last entry an arena goes, loaded or not, and its place is used again', () => {
  const { heap, source, arenas } = heapWith(1, 2);
  heap.bytesOf(arenaRef(arenas[0]!, 0));
  for (const arena of arenas)
    for (const position of [0, 20, 40]) heap.free(arenaRef(arena, position));
  expect([heap.usedBytes, heap.reservedBytes]).toEqual([0, 0]);
  expect(source.loads).toEqual([1]);
  const slot = heap.allocate(100);
  expect(slot >>> 14).toBe(arenas[1]);
  // The place is another's by now: nothing of the source is loaded into it.
  expect(heap.isWaiting(arenas[1]!, source, 2)).toBe(false);
  heap.free(slot);
});

test('slots and arenas live side by side, and what is let go is loaded again', () => {
  const { heap, source, arenas } = heapWith(7);
  const slot = heap.allocate(30);
  heap.bytesOf(slot).fill(9, heap.startOf(slot), heap.startOf(slot) + 30);
  const ref = arenaRef(arenas[0]!, 8);
  const before = heap.reservedBytes;
  expect(heap.waitingArenaOf(ref)).toBe(arenas[0]);
  expect(heap.waitingArenaOf(slot)).toBe(-1);
  expect(heap.bytesOf(ref)[8]).toBe(7);
  heap.letGo(arenas[0]!);
  heap.letGo(slot >>> 14);
  expect(heap.reservedBytes).toBe(before);
  expect(heap.bytesOf(slot)[heap.startOf(slot)]).toBe(9);
  expect(heap.bytesOf(ref)[8]).toBe(7);
  expect(source.loads).toEqual([7, 7]);
});
