/**
 * Plain MessagePack to packed values and back, bytes to bytes. Packing writes a map as a shape
 * record wherever the table takes its keys; unpacking gives exactly the bytes that were packed.
 * Two equal maps may be packed differently (the table was full for one): compare unpacked bytes.
 */
import type { ByteWriter } from '../base/bytes.ts';
import { FIXMAP, MAP16, MAX_DEPTH, RECORD } from './format.ts';
import { MAX_SHAPE_KEYS, NONE, ROOT, type ShapeTable } from './shape-table.ts';
import { skipPacked, skipValue } from './skip.ts';
import { bodyAt, isMap, isStructure, putMapSize, putRecord, sizeAt } from './structure.ts';

/** Finding a map's shape walks over its values once more, so this also bounds the walks per byte. */
const MAX_SHAPED_DEPTH = 8;
/** Answer of a walk that met a map without a shape. */
const UNKNOWN = -1;

/** Appends the packed form of the MessagePack value in `start` to `end`. */
export function packValue(
  shapes: ShapeTable,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: ByteWriter,
): void {
  const before = out.position;
  let reached = packKnown(shapes, bytes, start, out, 0);
  if (reached === UNKNOWN) {
    out.position = before;
    reached = pack(shapes, bytes, start, out, 0);
  }
  if (reached !== end) throw new RangeError(`value at ${start} ends at ${reached}, not ${end}`);
}

/** Appends the MessagePack form of the packed value in `start` to `end`. */
export function unpackToMessagePack(
  shapes: ShapeTable,
  packed: Uint8Array,
  start: number,
  end: number,
  out: ByteWriter,
): void {
  const reached = unpack(shapes, packed, start, out, 0);
  if (reached !== end)
    throw new RangeError(`packed value at ${start} ends at ${reached}, not ${end}`);
}

/** Appends a value found one level below a root, as a merge does. */
export function packMember(
  shapes: ShapeTable,
  bytes: Uint8Array,
  start: number,
  end: number,
  out: ByteWriter,
): void {
  if (isStructure(bytes[start] as number)) pack(shapes, bytes, start, out, 1);
  else out.raw(bytes, start, end);
}

/**
 * Packs in one walk a value all of whose maps have shapes already, which is nearly every one; else
 * UNKNOWN, with the table as it was.
 */
function packKnown(
  shapes: ShapeTable,
  bytes: Uint8Array,
  start: number,
  out: ByteWriter,
  depth: number,
): number {
  const lead = bytes[start] as number;
  if (!isStructure(lead)) {
    const end = skipValue(bytes, start);
    out.raw(bytes, start, end);
    return end;
  }
  if (depth === MAX_DEPTH) return UNKNOWN;
  const size = sizeAt(bytes, start);
  let position = bodyAt(bytes, start);
  if (depth < MAX_SHAPED_DEPTH && isShapeable(lead, size)) {
    const head = out.position;
    putRecord(out, 0);
    let node = ROOT;
    for (let i = 0; i < size; i++) {
      const keyEnd = skipValue(bytes, position);
      node = shapes.knownChild(node, bytes, position, keyEnd);
      if (node === NONE) return UNKNOWN;
      position = packKnown(shapes, bytes, keyEnd, out, depth + 1);
      if (position === UNKNOWN) return UNKNOWN;
    }
    // Two bytes of id are rare enough for the way that knows it beforehand.
    const shape = shapes.knownShapeOf(node);
    if (shape === NONE || shape > 127) return UNKNOWN;
    out.bytes[head + 1] = shape;
    return position;
  }
  out.raw(bytes, start, position);
  for (let i = isMap(lead) ? 2 * size : size; i > 0; i--) {
    position = packKnown(shapes, bytes, position, out, depth + 1);
    if (position === UNKNOWN) return UNKNOWN;
  }
  return position;
}

function pack(
  shapes: ShapeTable,
  bytes: Uint8Array,
  start: number,
  out: ByteWriter,
  depth: number,
): number {
  const lead = bytes[start] as number;
  if (!isStructure(lead)) {
    const end = skipValue(bytes, start);
    out.raw(bytes, start, end);
    return end;
  }
  if (depth === MAX_DEPTH)
    throw new RangeError(`nested deeper than ${MAX_DEPTH} levels at ${start}`);
  const map = isMap(lead);
  const size = sizeAt(bytes, start);
  let position = bodyAt(bytes, start);
  const shape = map && depth < MAX_SHAPED_DEPTH ? shapeAt(shapes, bytes, start, size) : NONE;
  if (shape !== NONE) {
    putRecord(out, shape);
    for (let i = 0; i < size; i++)
      position = pack(shapes, bytes, skipValue(bytes, position), out, depth + 1);
    return position;
  }
  // Runs without a structure inside are copied in one piece.
  let copied = start;
  for (let i = map ? 2 * size : size; i > 0; i--) {
    if (!isStructure(bytes[position] as number)) {
      position = skipValue(bytes, position);
      continue;
    }
    out.raw(bytes, copied, position);
    position = copied = pack(shapes, bytes, position, out, depth + 1);
  }
  out.raw(bytes, copied, position);
  return position;
}

/** Unpacking writes the shortest lead bytes; an empty map is shorter plain. */
function isShapeable(lead: number, size: number): boolean {
  return size > 0 && size <= MAX_SHAPE_KEYS && lead === (size < 16 ? FIXMAP | size : MAP16);
}

/** The shape of a map with `size` entries, or NONE when it has to stay a plain map. */
function shapeAt(shapes: ShapeTable, bytes: Uint8Array, start: number, size: number): number {
  if (!isShapeable(bytes[start] as number, size)) return NONE;
  let node = ROOT;
  let position = bodyAt(bytes, start);
  for (let i = 0; i < size; i++) {
    const keyEnd = skipValue(bytes, position);
    node = shapes.child(node, bytes, position, keyEnd);
    if (node === NONE) return NONE;
    position = skipValue(bytes, keyEnd);
  }
  return shapes.shapeOf(node);
}

function unpack(
  shapes: ShapeTable,
  packed: Uint8Array,
  start: number,
  out: ByteWriter,
  depth: number,
): number {
  const lead = packed[start] as number;
  if (lead !== RECORD && !isStructure(lead)) {
    const end = skipPacked(shapes, packed, start);
    out.raw(packed, start, end);
    return end;
  }
  if (depth === MAX_DEPTH)
    throw new RangeError(`nested deeper than ${MAX_DEPTH} levels at ${start}`);
  let position = start;
  if (lead === RECORD) {
    const shape = shapes.idAt(packed, start + 1);
    position += shape < 128 ? 2 : 3;
    const count = shapes.countOf(shape);
    putMapSize(out, count);
    for (let i = 0; i < count; i++) {
      out.raw(shapes.keyBytes, shapes.keyStart(shape, i), shapes.keyEnd(shape, i));
      position = unpack(shapes, packed, position, out, depth + 1);
    }
    return position;
  }
  position = bodyAt(packed, start);
  let copied = start;
  for (let i = (isMap(lead) ? 2 : 1) * sizeAt(packed, start); i > 0; i--) {
    const next = packed[position] as number;
    if (next !== RECORD && !isStructure(next)) {
      position = skipPacked(shapes, packed, position);
      continue;
    }
    out.raw(packed, copied, position);
    position = copied = unpack(shapes, packed, position, out, depth + 1);
  }
  out.raw(packed, copied, position);
  return position;
}
