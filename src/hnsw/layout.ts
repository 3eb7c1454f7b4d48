/**
 * The memory of an index: every address in it, as a function of the settings alone. Nothing moves
 * when it grows: nodes come in extents of a fixed number of nodes, one behind the other to the end.
 *
 *     0    header (for the kernel), working space of a thread: lists, pools, query
 *          bitmap of live nodes, bitmap of passing nodes, a byte per node: when it was last visited
 *          extent 0: blocks (links of level 0, code) | links of levels 1.. | rows of f32
 *          extent 1 ...
 *
 * The per-node arrays in front have room for as many nodes as fit at all: untouched memory costs nothing.
 * With codes a block is links and code and a row lies apart, read only to rank the last candidates;
 * without codes ('none') the row is what the walk reads, and stands in the block in place of a code.
 */
import { MAX_WIDTH, type Settings } from './options.ts';

/** Places of the header's numbers, u32 at HEADER + 4 * place; kernel/assembly/fields.ts has the same. */
export const NO_LINK = 0xffffffff;
export const HEADER = 64;
export const ENTRY = 0;
export const TOP_LEVEL = 1;
const FIRST_UPPER = 14;
/** Places of the working space's numbers, at SCRATCH + 4 * place. */
export const SCRATCH = 512;
export const PASSING_FIELD = 17;
export const DISTANCES_FIELD = 19;
const DATA = 1024;

const MAX_LEVEL = 5;
/** Just under 4 GiB, so that the end of a region is still an address. */
const MAX_BYTES: number = 2 ** 32 - 2 ** 16;
const MAX_EXTENT_BYTES = 2 ** 25;
const MAX_EXTENT_SHIFT = 12;
const LINE = 64;
const MAX_TOUCHED_LINES = 3;

export interface Layout {
  readonly settings: Settings;
  readonly isQuantized: boolean;
  /** Room of `dimensions` rounded up to 16: components of query and quantiser arrays. */
  readonly paddedDimensions: number;
  readonly offsets: number;
  readonly inverses: number;
  readonly steps: number;
  readonly weights: number;
  readonly queryLimit: number;
  readonly scratch: readonly number[];
  readonly query: number;
  readonly list: number;
  readonly listKeys: number;
  readonly poolKeys: number;
  readonly poolMarks: number;
  readonly resultKeys: number;
  readonly resultMarks: number;
  readonly live: number;
  readonly passing: number;
  readonly bitmapBytes: number;
  /** The most nodes there can be. */
  readonly capacity: number;
  readonly extents: number;
  readonly extentBytes: number;
  readonly extentShift: number;
  readonly blockBytes: number;
  readonly linkBytes: number;
  readonly codeBytes: number;
  readonly upperOffsets: readonly number[];
  readonly upperStride: number;
  readonly groupShift: number;
  readonly rowsOffset: number;
  readonly rowStride: number;
  readonly rowBytes: number;
  readonly hierarchyTop: number;
}

/** Slots a list of the working space holds. */
const LIST_SLOTS = MAX_WIDTH + 160;

export function layoutOf(settings: Settings): Layout {
  const extent = extentOf(settings);
  const perExtent = 2 ** extent.extentShift;
  const mostExtents = Math.floor(MAX_BYTES / extent.extentBytes);
  const most = Math.min(mostExtents * perExtent, roundUp(settings.maxElements, perExtent));
  const space = workingSpace(settings, most);
  const extents = roundUp(space.end, 4096);
  const fitting = Math.floor((MAX_BYTES - extents) / extent.extentBytes) * perExtent;
  const capacity = Math.min(fitting, settings.maxElements);
  return { settings, ...extent, ...space, extents, capacity };
}

/** Sizes within a node and an extent. */
function extentOf({ dimensions, m, quantization, maxElements }: Settings) {
  const isQuantized = quantization === 'int8';
  const rowBytes = roundUp(dimensions * 4, 16);
  const codeBytes = isQuantized ? roundUp(dimensions, 16) : rowBytes;
  const linkBytes = roundUp(2 * m * 4, 16);
  const blockBytes = roundUp(linkBytes + codeBytes, LINE);
  const upperStride = roundUp(m * 4, 16);
  const groupShift = Math.max(2, Math.floor(Math.log2(m)));
  const nodeBytes = blockBytes + (isQuantized ? rowBytes : 0);
  const fitting = Math.floor(Math.log2(MAX_EXTENT_BYTES / nodeBytes));
  const wanted = Math.ceil(Math.log2(maxElements));
  const extentShift = Math.max(0, Math.min(MAX_EXTENT_SHIFT, fitting, wanted));
  const hierarchyTop = Math.min(MAX_LEVEL, Math.floor(extentShift / groupShift));
  const nodes = 2 ** extentShift;
  const upperOffsets = [0];
  let end = nodes * blockBytes;
  for (let level = 1; level <= hierarchyTop; level++) {
    upperOffsets.push(end);
    end += 2 ** (extentShift - level * groupShift) * upperStride;
  }
  const rowsOffset = isQuantized ? roundUp(end, LINE) : linkBytes;
  const rowStride = isQuantized ? rowBytes : blockBytes;
  // The coder reads sixteen components at a time, so up to 48 bytes behind the last row.
  const extentBytes = roundUp((isQuantized ? rowsOffset + nodes * rowStride : end) + LINE, 4096);
  return {
    isQuantized,
    rowBytes,
    codeBytes,
    linkBytes,
    blockBytes,
    upperStride,
    groupShift,
    extentShift,
    hierarchyTop,
    upperOffsets,
    rowsOffset,
    rowStride,
    extentBytes,
  };
}

/** Everything in front of the extents. */
function workingSpace({ dimensions, m }: Settings, most: number) {
  let end = DATA;
  /** Every region begins on a cache line, and the first sixteen bytes before and behind it are spare. */
  const take = (bytes: number): number => {
    const at = roundUp(end + 16, LINE);
    end = at + bytes + 16;
    return at;
  };
  const paddedDimensions = roundUp(dimensions, 16);
  const [offsets, inverses, steps] = [0, 0, 0].map(() => take(paddedDimensions * 4)) as Three;
  const weights = take(paddedDimensions * 2);
  const query = take(paddedDimensions * 4);
  const [queryCode, centreCode, pairCode] = [0, 0, 0].map(() =>
    take(paddedDimensions * 2),
  ) as Three;
  const list = take(LIST_SLOTS * 4);
  const listKeys = take(LIST_SLOTS * 4);
  const [poolKeys, poolMarks, resultKeys] = [0, 0, 0].map(() => take(LIST_SLOTS * 4)) as Three;
  const resultMarks = take(LIST_SLOTS * 4);
  const choice = (3 * m + 8) * 4;
  const [chosen, chosenKeys, sortedKeys] = [0, 0, 0].map(() => take(choice)) as Three;
  const sortedMarks = take(choice);
  const bitmapBytes = roundUp(most, 32) / 8;
  const live = take(bitmapBytes);
  const passing = take(bitmapBytes);
  const visited = take(most);
  const scratch = [visited, most, 0, query, queryCode, centreCode, pairCode, list, listKeys];
  scratch.push(poolKeys, poolMarks, resultKeys, resultMarks, chosen, chosenKeys, sortedKeys);
  scratch.push(sortedMarks, passing);
  return {
    end,
    paddedDimensions,
    offsets,
    inverses,
    steps,
    weights,
    queryLimit: queryLimitOf(paddedDimensions),
    scratch,
    query,
    list,
    listKeys,
    poolKeys,
    poolMarks,
    resultKeys,
    resultMarks,
    live,
    passing,
    bitmapBytes,
  };
}

type Three = [number, number, number];

/**
 * Largest component of a quantised query. Products with codes up to 127 must add up within i32 (Dot);
 * squares of differences up to limit + 128 within u32, two of them within i32 (Squared).
 */
function queryLimitOf(dimensions: number): number {
  const dot = Math.floor(2 ** 31 / (128 * dimensions));
  const squared = Math.floor(2 ** 16 / Math.sqrt(dimensions)) - 128;
  return Math.min(16_383, dot, squared);
}

/** The header's numbers, for the kernel. */
export function headerOf(layout: Layout): Uint32Array {
  const numbers = [0, 0, layout.extents, layout.extentBytes, layout.extentShift];
  numbers.push(layout.blockBytes, layout.linkBytes, layout.codeBytes);
  numbers.push(layout.rowsOffset, layout.rowStride, layout.rowBytes);
  numbers.push(layout.settings.m, layout.groupShift, layout.upperStride);
  const header = new Uint32Array(25);
  header.set(numbers);
  layout.upperOffsets.slice(1).forEach((offset, i) => (header[FIRST_UPPER + i] = offset));
  const lines = Math.ceil(layout.codeBytes / LINE);
  const { offsets, inverses, steps, weights, queryLimit } = layout;
  header.set(
    [Math.min(MAX_TOUCHED_LINES, lines), offsets, inverses, steps, weights, queryLimit],
    FIRST_UPPER + MAX_LEVEL,
  );
  return header;
}

/** Bytes of memory for so many nodes. */
export function bytesFor(layout: Layout, nodes: number): number {
  return layout.extents + Math.ceil(nodes / 2 ** layout.extentShift) * layout.extentBytes;
}

function blockAt(layout: Layout, slot: number): number {
  return extentAt(layout, slot) + indexOf(layout, slot) * layout.blockBytes;
}

export function rowAt(layout: Layout, slot: number): number {
  return extentAt(layout, slot) + layout.rowsOffset + indexOf(layout, slot) * layout.rowStride;
}

export function linksAt(layout: Layout, slot: number, level: number): number {
  if (level === 0) return blockAt(layout, slot);
  const place = indexOf(layout, slot) >>> (level * layout.groupShift);
  const offset = layout.upperOffsets[level] ?? 0;
  return extentAt(layout, slot) + offset + place * layout.upperStride;
}

export function linkCapacity(layout: Layout, level: number): number {
  return level === 0 ? 2 * layout.settings.m : layout.settings.m;
}

function extentAt(layout: Layout, slot: number): number {
  return layout.extents + (slot >>> layout.extentShift) * layout.extentBytes;
}

function indexOf(layout: Layout, slot: number): number {
  return slot & (2 ** layout.extentShift - 1);
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
