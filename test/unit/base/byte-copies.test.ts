import { expect, test } from 'vitest';
import { ByteCopies } from '../../../src/base/byte-copies.ts';
import { ByteWriter } from '../../../src/base/bytes.ts';

function pattern(length: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 31 + seed) & 255));
}

test('a copy stays as it was, whatever is copied after it and however its source changes', () => {
  const copies = new ByteCopies(1024);
  const held: { bytes: Uint8Array; expected: Buffer }[] = [];
  const lengths = [0, 1, 3, 4, 79, 80, 81, 191, 192, 193, 255, 256, 257, 1000, 5000];
  for (const [index, length] of [...lengths, ...lengths, ...lengths].entries()) {
    const source = pattern(length + 10, index);
    const expected = Buffer.from(source.subarray(5, 5 + length));
    copies.copy(source, 5, 5 + length);
    held.push({ bytes: copies.bytes.subarray(copies.start, copies.end), expected });
    const writer = new ByteWriter(64);
    writer.raw(source, 5, 5 + length);
    copies.copyOf(writer);
    held.push({ bytes: copies.bytes.subarray(copies.start, copies.end), expected });
    source.fill(0);
    writer.bytes.fill(0);
    for (const one of held) expect(Buffer.compare(one.bytes, one.expected)).toBe(0);
  }
});

test('after reuse the chunk is filled from its start', () => {
  const copies = new ByteCopies(1024);
  copies.copy(pattern(100, 1), 0, 100);
  const { bytes } = copies;
  copies.reuse();
  copies.copy(pattern(50, 2), 0, 50);
  expect([copies.bytes === bytes, copies.start, copies.end]).toEqual([true, 0, 50]);
});

test('a writer appends what another holds, at any length and place', () => {
  for (const length of [0, 1, 5, 80, 192, 193, 4000]) {
    for (const before of [0, 1, 2, 3]) {
      const source = new ByteWriter(16);
      source.raw(pattern(length, 9));
      const target = new ByteWriter(16);
      for (let i = 0; i < before; i++) target.u8(i);
      target.append(source);
      expect(target.position).toBe(before + length);
      expect(target.bytes.subarray(before, target.position).equals(pattern(length, 9))).toBe(true);
    }
  }
});
