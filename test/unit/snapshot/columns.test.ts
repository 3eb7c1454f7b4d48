/** Columns give back exactly the numbers they were given, in as few bytes as these need. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteWriter } from '../../../src/base/bytes.ts';
import { columnBytes, packingOf, readColumn, writeColumn } from '../../../src/snapshot/columns.ts';
import { RAW_WIDTH } from '../../../src/snapshot/format.ts';

function roundTrip(values: readonly number[]): { width: number; back: number[] } {
  const column = Float64Array.from(values);
  const packing = packingOf(column, values.length);
  const out = new ByteWriter(16);
  out.u32(0xffffffff);
  writeColumn(out, packing, column, values.length);
  expect(out.position).toBe(4 + columnBytes(packing.width, values.length));
  expect(out.position % 4).toBe(0);
  const back = new Float64Array(values.length).fill(-1);
  readColumn(out.bytes, 4, packing, values.length, back);
  return { width: packing.width, back: [...back] };
}

it('every width comes back, at its limits and with any base', () => {
  for (let width = 0; width <= 6; width++) {
    const most = width === 0 ? 0 : 256 ** width - 1;
    for (const base of [0, -5, 1_700_000_000_000, -(2 ** 52)]) {
      const values = [base, base + most, base + Math.floor(most / 3), base, base + most];
      expect(roundTrip(values)).toEqual({ width, back: values });
    }
  }
  const wide = [0, Number.MAX_SAFE_INTEGER];
  expect(roundTrip(wide)).toEqual({ width: 7, back: wide });
  expect(roundTrip([])).toEqual({ width: 0, back: [] });
});

it('numbers that are not whole, or too far apart, stay as they are', () => {
  for (const values of [
    [0.5, 1],
    [-8.64e15, 8.64e15],
    [2 ** 60, 1],
    [-0, 5],
    [Infinity, 1],
  ]) {
    const { width, back } = roundTrip(values);
    expect(width).toBe(RAW_WIDTH);
    expect(back.every((value, i) => Object.is(value, values[i]))).toBe(true);
  }
});

it('any numbers come back exactly', () => {
  const numbers = fc.oneof(fc.maxSafeInteger(), fc.nat(300), fc.double({ noNaN: true }));
  const lists = fc.oneof(
    fc.array(numbers),
    fc.array(fc.maxSafeInteger()),
    fc.array(fc.nat(70_000)),
  );
  fc.assert(
    fc.property(lists, (values) => {
      const { back } = roundTrip(values);
      expect(back.every((value, i) => Object.is(value, values[i]))).toBe(true);
    }),
  );
});
