import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SlabHeap } from '../../../src/base/slab-heap.ts';
import { KiB, MiB } from '../../../src/base/units.ts';

function slotOf(heap: SlabHeap, ref: number): Uint8Array {
  const start = heap.startOf(ref);
  return heap.bytesOf(ref).subarray(start, start + heap.capacityOf(ref));
}

const sizes = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 400 }) },
  { weight: 2, arbitrary: fc.integer({ min: 400, max: 20 * KiB }) },
  { weight: 1, arbitrary: fc.integer({ min: 60 * KiB, max: 200 * KiB }) },
);
const steps = fc.array(
  fc.oneof(
    fc.record({ size: sizes, times: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ freeAt: fc.nat(), times: fc.integer({ min: 1, max: 60 }) }),
  ),
  { maxLength: 40 },
);

test('whatever is allocated and freed, no slot overlaps another and the sums are right', () => {
  fc.assert(
    fc.property(steps, (commands) => {
      const heap = new SlabHeap();
      const living: { ref: number; size: number; fill: number }[] = [];
      let fill = 0;
      for (const command of commands) {
        for (let i = 0; i < command.times; i++) {
          if ('size' in command) {
            const ref = heap.allocate(command.size);
            fill = (fill + 1) & 255;
            slotOf(heap, ref).fill(fill);
            living.push({ ref, size: command.size, fill });
          } else if (living.length > 0) {
            const [gone] = living.splice((command.freeAt + i) % living.length, 1);
            if (gone !== undefined) heap.free(gone.ref);
          }
        }
      }
      let used = 0;
      for (const { ref, size, fill: expected } of living) {
        const slot = slotOf(heap, ref);
        expect(ref).toBeGreaterThan(0);
        expect(ref).toBeLessThan(2 ** 32);
        expect(slot.length).toBeGreaterThanOrEqual(size);
        expect(slot.every((byte) => byte === expected)).toBe(true);
        used += slot.length;
      }
      expect(new Set(living.map(({ ref }) => ref)).size).toBe(living.length);
      expect(heap.usedBytes).toBe(used);
      expect(heap.reservedBytes).toBeGreaterThanOrEqual(used);
      for (const { ref } of living) heap.free(ref);
      expect(heap.usedBytes).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test('a slot wastes under 4 bytes up to 128 and at most an eighth beyond', () => {
  for (let size = 0; size <= 64 * KiB; size += size < 2 * KiB ? 1 : 97) {
    const heap = new SlabHeap();
    const capacity = heap.capacityOf(heap.allocate(size));
    expect(capacity % (size > 128 ? 8 : 4)).toBe(0);
    expect(capacity).toBeGreaterThanOrEqual(size);
    expect(capacity).toBeLessThanOrEqual(size > 128 ? size * 1.125 : Math.max(16, size + 3));
  }
});

test('a slab of the smallest slots fills to the last bit of a ref', () => {
  const heap = new SlabHeap();
  const refs = Array.from({ length: 80_000 }, () => heap.allocate(16));
  expect(new Set(refs).size).toBe(refs.length);
  expect(heap.reservedBytes).toBe(Math.ceil((80_000 * 16) / (256 * KiB)) * 256 * KiB);
  for (const ref of refs) heap.free(ref);
  expect(heap.usedBytes).toBe(0);
});

test('the bits behind the last slot of a slab are never handed out', () => {
  const heap = new SlabHeap();
  const slots = Math.floor((16 * KiB) / 104);
  const refs = Array.from({ length: slots }, () => heap.allocate(104));
  const freed = [refs[0], refs[slots - 1]] as number[];
  for (const ref of freed) heap.free(ref);
  expect(freed.map(() => heap.allocate(104)).sort((a, b) => a - b)).toEqual(freed);
});

test('refs of slabs that were let go are used again', () => {
  const heap = new SlabHeap();
  let highest = 0;
  for (let round = 0; round < 50; round++) {
    const refs = Array.from({ length: 100 }, () => heap.allocate(64 * KiB));
    highest = Math.max(highest, ...refs);
    for (const ref of refs) heap.free(ref);
  }
  expect(highest).toBeLessThan(27 * 2 ** 14);
});

test('over 64 KiB a value has a buffer of its own, with some room, given back when freed', () => {
  const heap = new SlabHeap();
  const small = heap.allocate(64 * KiB);
  const before = heap.reservedBytes;
  const ref = heap.allocate(64 * KiB + 1);
  expect(heap.bytesOf(ref)).not.toBe(heap.bytesOf(small));
  expect(heap.startOf(ref)).toBe(0);
  expect(heap.capacityOf(ref)).toBe(68 * KiB);
  expect(heap.reservedBytes).toBe(before + 68 * KiB);
  heap.free(ref);
  expect(heap.reservedBytes).toBe(before);
  expect(heap.allocate(MiB)).toBe(ref);
});

test('ten small values hold kilobytes, not a slab of full size', () => {
  const heap = new SlabHeap();
  for (let i = 0; i < 10; i++) heap.allocate(200);
  expect(heap.reservedBytes).toBe(16 * KiB);
});

test('a class never holds more than twice what it uses, above the smallest slab', () => {
  const heap = new SlabHeap();
  for (let i = 0; i < 20_000; i++) {
    heap.allocate(216);
    const bound = Math.max(16 * KiB, Math.min(2 * heap.usedBytes, heap.usedBytes + 256 * KiB));
    expect(heap.reservedBytes).toBeLessThanOrEqual(bound * 1.02);
  }
});

test('slabs one class has emptied serve another, and beyond a bound they are let go', () => {
  const heap = new SlabHeap();
  const first = Array.from({ length: 8 * 1024 }, () => heap.allocate(1024));
  const peak = heap.reservedBytes;
  expect(peak).toBeGreaterThanOrEqual(8 * MiB);
  for (const ref of first) heap.free(ref);
  const pooled = heap.reservedBytes;
  expect(pooled).toBeLessThanOrEqual(2 * MiB + 256 * KiB);
  for (let i = 0; i < 24; i++) heap.allocate(64 * KiB);
  expect(heap.reservedBytes).toBe(pooled);
});

test('a value that comes and goes alone costs no slab each time', () => {
  const heap = new SlabHeap();
  const ref = heap.allocate(200);
  const slab = heap.bytesOf(ref);
  for (let i = 0; i < 10; i++) {
    heap.free(ref);
    expect(heap.allocate(200)).toBe(ref);
    expect(heap.bytesOf(ref)).toBe(slab);
  }
});

test('a ref freed twice or never handed out is refused', () => {
  const heap = new SlabHeap();
  const [kept, freed] = [heap.allocate(50), heap.allocate(50)];
  const alone = heap.allocate(100 * KiB);
  heap.free(freed);
  heap.free(alone);
  for (const ref of [freed, alone, 0, kept + 1000, 5 << 14]) {
    expect(() => heap.free(ref)).toThrow(
      expect.objectContaining({
        code: 'INTERNAL_ERROR',
        message: expect.stringContaining('is freed'),
      }),
    );
  }
  heap.free(kept);
  expect(heap.usedBytes).toBe(0);
});
