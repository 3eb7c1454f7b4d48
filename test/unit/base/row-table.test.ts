import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type RowSegment, type RowSource, RowTable } from '../../../src/base/row-table.ts';

const WORDS = 12;

function write(table: RowTable, row: number, value: number): void {
  const { u32 } = table.segmentOf(row);
  const at = table.indexOf(row) * WORDS;
  for (let field = 0; field < WORDS; field++) u32[at + field] = value + field;
}

function read(table: RowTable, row: number): number[] {
  const at = table.indexOf(row) * WORDS;
  return [...table.segmentOf(row).u32.subarray(at, at + WORDS)];
}

test('rows keep what was written through every growth, and new rows are zero', () => {
  const rows = fc.oneof(fc.nat(200), fc.nat(5000), fc.nat(200_000));
  fc.assert(
    fc.property(fc.array(fc.tuple(rows, fc.nat()), { maxLength: 30 }), (writes) => {
      const table = new RowTable(48);
      const model = new Map<number, number>();
      for (const [row, value] of writes) {
        table.ensure(row);
        if (!model.has(row)) assert(read(table, row).every((word) => word === 0));
        write(table, row, value);
        model.set(row, value);
      }
      for (const [row, value] of model) {
        const expected = Array.from({ length: WORDS }, (_, field) => (value + field) >>> 0);
        expect(read(table, row)).toEqual(expected);
      }
      expect(table.rows).toBe(Math.max(0, ...[...model.keys()].map((row) => row + 1)));
    }),
    { numRuns: 50 },
  );
});

test.each([0, 1000, 70_000])('the four views of row %i see the same bytes', (last) => {
  const table = new RowTable(48);
  table.ensure(0);
  table.ensure(last);
  const { u8, u16, u32, f64 } = table.segmentOf(last);
  const row = table.indexOf(last);
  f64[row * 6 + 1] = 1.5;
  u16[row * 24 + 2] = 0x1234;
  expect(u32[row * 12 + 3]).toBe(0x3ff80000);
  expect(u8[row * 48 + 4]).toBe(0x34);
});

test('a segment object stays the same one when it grows, so only views go stale', () => {
  const table = new RowTable(8);
  table.ensure(0);
  const segment = table.segmentOf(0);
  const view = segment.u32;
  table.ensure(64);
  expect(table.segmentOf(0)).toBe(segment);
  expect(segment.u32).not.toBe(view);
});

test('memory starts at 64 rows, doubles to 65,536, and then grows by whole segments', () => {
  const table = new RowTable(48);
  const sizes = new Set<number>();
  for (let row = 0; row < 140_000; row++) {
    table.ensure(row);
    sizes.add(table.memoryBytes / 48);
  }
  expect([...sizes]).toEqual([
    64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 196_608,
  ]);
});

test('a row size that would misalign the views is refused', () => {
  for (const rowBytes of [0, 12, 44]) expect(() => new RowTable(rowBytes)).toThrow('multiple of 8');
});

class Source implements RowSource {
  readonly asked: number[] = [];
  private readonly filled = new Set<number>();
  private readonly rows: number;

  constructor(rows: number) {
    this.rows = rows;
  }

  /** 64 rows at a time. */
  fillRow(row: number, segment: RowSegment): boolean {
    const block = Math.floor(row / 64);
    if (!this.filled.has(block)) {
      this.filled.add(block);
      this.asked.push(block);
      for (let at = block * 64; at < Math.min(this.rows, block * 64 + 64); at++)
        segment.u32[(at & 0xffff) * WORDS] = at + 1;
    }
    return false;
  }

  fillSegment(number: number, segment: RowSegment): void {
    const end = Math.min(this.rows, (number + 1) * 65_536);
    for (let row = number * 65_536; row < end; row++) this.fillRow(row, segment);
  }
}

test.each([1, 63, 65, 5000, 65_536, 65_537, 150_000])(
  'a table restored with %i rows has them when they are asked for, and grows like any other',
  (rows) => {
    const table = new RowTable(48);
    const source = new Source(rows);
    table.restore(rows, source);
    expect([table.rows, table.memoryBytes]).toEqual([rows, 0]);
    const last = rows - 1;
    expect(read(table, last)[0]).toBe(rows);
    expect(read(table, 0)[0]).toBe(1);
    expect(source.asked.length).toBeLessThanOrEqual(2);
    expect(() => table.segmentOf(rows)).toThrow(`row ${rows} exists`);
    write(table, last, 77);
    for (const row of [rows, rows + 70_000]) {
      table.ensure(row);
      expect(read(table, row)).toEqual(Array<number>(WORDS).fill(0));
      write(table, row, row);
      expect(read(table, row)[0]).toBe(row);
    }
    expect(read(table, last)[0]).toBe(77);
    const whole = table.wholeSegmentOf(0);
    for (let row = 0; row < Math.min(last, 65_536); row++)
      if (whole.u32[row * WORDS] !== row + 1)
        expect([row, whole.u32[row * WORDS]]).toEqual([row, row + 1]);
    expect(table.wholeSegmentOf(0)).toBe(table.segmentOf(0));
  },
);
