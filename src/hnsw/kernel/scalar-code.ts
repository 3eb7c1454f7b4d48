/** Codes of rows and queries, as assembly/code.ts makes them. */
import type { ScalarView } from './scalar-memory.ts';

const { fround } = Math;
const CODE_LIMIT = 127;
/** Adding and taking off 1.5 * 2^23 rounds a small f32 to the nearest integer, ties to even. */
const ROUNDER = 12_582_912;

function rounded(x: number, limit: number): number {
  const above = -limit < x ? x : -limit;
  return fround((above < limit ? above : limit) + ROUNDER) - ROUNDER;
}

/** Component i of the row at index `row`, in steps from its offset. */
function inSteps(view: ScalarView, row: number, i: number): number {
  const offset = view.f32[(view.of(20) >> 2) + i] ?? 0;
  const inverse = view.f32[(view.of(21) >> 2) + i] ?? 0;
  return fround(fround((view.f32[row + i] ?? 0) - offset) * inverse);
}

/** The same, weighted by its step: what a component of the query counts in a product. */
function weighted(view: ScalarView, row: number, i: number): number {
  return fround((view.f32[row + i] ?? 0) * (view.f32[(view.of(22) >> 2) + i] ?? 0));
}

export function encodeRow(view: ScalarView, slot: number): void {
  const code = view.code(slot);
  const row = view.row(slot) >>> 2;
  for (let i = 0; i < view.of(7); i++)
    view.i8[code + i] = rounded(inSteps(view, row, i), CODE_LIMIT);
}

/** Makes the i16 query of the f32 query in place; returns its byte address. */
export function encodeQuery(view: ScalarView, isDot: boolean): number {
  const limit = view.of(24);
  const row = view.at(3) >> 2;
  const to = view.at(4) >> 1;
  const factor = isDot ? factorOf(view, row, limit) : 1;
  for (let i = 0; i < view.of(7); i++) {
    const x = isDot ? fround(weighted(view, row, i) * factor) : inSteps(view, row, i);
    view.i16[to + i] = rounded(x, limit);
  }
  return view.at(4);
}

/** What makes the largest component the limit. */
function factorOf(view: ScalarView, row: number, limit: number): number {
  let max = 0;
  for (let i = 0; i < view.of(7); i++) max = Math.max(max, Math.abs(weighted(view, row, i)));
  return max > 0 ? fround(limit / max) : 0;
}

/** A stored code as an i16 query for other codes, made at byte address `buffer`, which it returns. */
export function pairQuery(view: ScalarView, slot: number, buffer: number, isDot: boolean): number {
  const { i16, i8 } = view;
  const code = view.code(slot);
  const weights = view.of(23) >> 1;
  for (let i = 0; i < view.of(7); i++) {
    const c = i8[code + i] ?? 0;
    i16[(buffer >> 1) + i] = isDot ? ((c << 8) * (i16[weights + i] ?? 0) + 0x4000) >> 15 : c;
  }
  return buffer;
}
