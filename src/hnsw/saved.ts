/**
 * A graph as bytes. What is saved is what memory holds, region by region, so that loading copies:
 *
 *     header: 16 numbers u32 | quantiser: offsets, inverses, steps f32, weights i16 | bits of live nodes
 *     then of each extent what is used: blocks | links of each upper level | rows (with codes only)
 *
 * Little-endian throughout; nothing in it depends on the machine or on how the index came about.
 */
import { StoreError } from '../base/errors.ts';
import type { Graph } from './graph.ts';
import type { Layout } from './layout.ts';
import { METRICS, QUANTIZATIONS } from './options.ts';

export const SAVED_MAGIC = 0x564c5750;
export const SAVED_VERSION = 1;
export const SAVED_NUMBERS = 16;
const CHUNK_BYTES = 2 ** 20;

/** Bytes of memory: address and length. */
type Region = readonly [at: number, bytes: number];

/** Everything behind the header, in the order it is saved. */
export function regionsOf(layout: Layout, count: number): Region[] {
  const regions: Region[] = [];
  const floats = layout.paddedDimensions * 4;
  if (layout.isQuantized) {
    for (const at of [layout.offsets, layout.inverses, layout.steps]) regions.push([at, floats]);
    regions.push([layout.weights, floats / 2]);
  }
  regions.push([layout.live, Math.ceil(count / 32) * 4]);
  const perExtent = 2 ** layout.extentShift;
  for (let from = 0; from < count; from += perExtent) {
    const extent = layout.extents + (from / perExtent) * layout.extentBytes;
    const nodes = Math.min(perExtent, count - from);
    regions.push([extent, nodes * layout.blockBytes]);
    layout.upperOffsets.forEach((offset, level) => {
      const groups = Math.ceil(nodes / 2 ** (level * layout.groupShift));
      if (level > 0) regions.push([extent + offset, groups * layout.upperStride]);
    });
    if (layout.isQuantized) regions.push([extent + layout.rowsOffset, nodes * layout.rowStride]);
  }
  return regions;
}

export function savedBytes({ layout, count }: Graph): number {
  const sum = regionsOf(layout, count).reduce((bytes, region) => bytes + region[1], 0);
  return SAVED_NUMBERS * 4 + sum;
}

export function* savedChunks(graph: Graph): Generator<Uint8Array> {
  const { layout, count, deleted, loaded } = graph;
  yield headerBytes(graph);
  for (const [at, bytes] of regionsOf(layout, count))
    for (let done = 0; done < bytes; done += CHUNK_BYTES) {
      if (graph.count !== count || graph.deleted !== deleted)
        throw new StoreError('CONFLICT', 'the index changed while it was being saved', {
          details: { reason: 'in-use', count: graph.count },
        });
      const length = Math.min(CHUNK_BYTES, bytes - done);
      const chunk = new Uint8Array(length);
      chunk.set(new Uint8Array(loaded.memory.buffer, at + done, length));
      yield chunk;
    }
}

function headerBytes({ layout, count, deleted, entry, topLevel }: Graph): Uint8Array {
  const { settings } = layout;
  const numbers = [
    SAVED_MAGIC,
    SAVED_VERSION,
    settings.dimensions,
    METRICS.indexOf(settings.metric),
  ];
  numbers.push(QUANTIZATIONS.indexOf(settings.quantization), settings.m, settings.efConstruction);
  numbers.push(settings.efSearch, settings.maxElements, settings.seed);
  numbers.push(count, deleted, entry, topLevel);
  const bytes = new DataView(new ArrayBuffer(SAVED_NUMBERS * 4));
  numbers.forEach((number, i) => bytes.setUint32(4 * i, number, true));
  return new Uint8Array(bytes.buffer);
}
