/**
 * What an event does to a context: a shallow merge of a MessagePack payload into a packed context,
 * on bytes. As with Object.assign, keys that exist keep their place, new ones follow in the
 * payload's order, values are replaced whole. A payload that is no map changes nothing (INS-2).
 * This is the inner loop of replay: while the context is a shape record, neither way makes
 * JavaScript values.
 */
import type { ByteWriter } from '../base/bytes.ts';
import { FIXMAP, RECORD } from './format.ts';
import { packMember, packValue } from './pack.ts';
import { MAX_SHAPE_KEYS, NONE, type ShapeTable } from './shape-table.ts';
import { skipPacked, skipValue } from './skip.ts';
import { bodyAt, isMap, isStructure, isText, putMapSize, putRecord, sizeAt } from './structure.ts';

/** Appends the merged context. `out` must not be the buffer either argument lies in. */
export function mergePacked(
  shapes: ShapeTable,
  packed: Uint8Array,
  pStart: number,
  pEnd: number,
  payload: Uint8Array,
  start: number,
  end: number,
  out: ByteWriter,
): void {
  if (!isMap(payload[start] as number)) {
    checkEnd(skipValue(payload, start), end);
    return out.raw(packed, pStart, pEnd);
  }
  if (packed[pStart] === FIXMAP) {
    checkKeys(payload, start, end);
    return packValue(shapes, payload, start, end, out);
  }
  if (packed[pStart] !== RECORD || !mergeRecord(shapes, packed, pStart, payload, start, end, out)) {
    mergeMap(shapes, packed, pStart, payload, start, end, out);
  }
}

/** Of a payload that becomes the whole context. */
function checkKeys(payload: Uint8Array, start: number, end: number): void {
  let position = bodyAt(payload, start);
  for (let left = sizeAt(payload, start); left > 0; left--) {
    if (!isText(payload[position] as number)) throw new RangeError(`key at ${position} is no text`);
    position = skipValue(payload, skipValue(payload, position));
  }
  checkEnd(position, end);
}

/** What follows a payload belongs to somebody else. */
function checkEnd(reached: number, end: number): void {
  if (reached !== end) throw new RangeError(`a payload ends at ${reached}, not ${end}`);
}

/**
 * Overwrites the context where it lies, if every key is there already and every new value is a
 * scalar as long as the old value. Else returns false and has changed nothing.
 */
export function mergeInPlace(
  shapes: ShapeTable,
  packed: Uint8Array,
  pStart: number,
  pEnd: number,
  payload: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (!isMap(payload[start] as number)) {
    checkEnd(skipValue(payload, start), end);
    return true;
  }
  const size = sizeAt(payload, start);
  if (packed[pStart] !== RECORD || size > MAX_SHAPE_KEYS) return false;
  const shape = shapes.idAt(packed, pStart + 1);
  const node = shapes.nodeOf(shape);
  const { starts, newStarts, newEnds } = shapes;
  starts[0] = pStart + (shape < 128 ? 2 : 3);
  let known = 0;
  let position = bodyAt(payload, start);
  for (let i = 0; i < size; i++) {
    const valueAt = skipValue(payload, position);
    const index = shapes.indexOf(node, payload, position, valueAt);
    if (index === NONE || isStructure(payload[valueAt] as number)) return false;
    position = skipValue(payload, valueAt);
    for (; known <= index; known++)
      starts[known + 1] = skipPacked(shapes, packed, starts[known] as number);
    const oldEnd = starts[index + 1] as number;
    if (oldEnd > pEnd || position > end) throw new RangeError('a value reaches beyond its end');
    if (oldEnd - (starts[index] as number) !== position - valueAt) return false;
    newStarts[i] = valueAt;
    newEnds[i] = starts[index] as number;
  }
  checkEnd(position, end);
  for (let i = 0; i < size; i++) {
    let to = newEnds[i] as number;
    const from = newStarts[i] as number;
    const valueEnd = skipValue(payload, from);
    for (let at = from; at < valueEnd; at++) packed[to++] = payload[at] as number;
  }
  return true;
}

/** Into a shape record; false, with nothing written, when the merged keys make no shape. */
function mergeRecord(
  shapes: ShapeTable,
  packed: Uint8Array,
  pStart: number,
  payload: Uint8Array,
  start: number,
  end: number,
  out: ByteWriter,
): boolean {
  const shape = shapes.idAt(packed, pStart + 1);
  const count = shapes.countOf(shape);
  const { starts, newStarts, newEnds } = shapes;
  let position = pStart + (shape < 128 ? 2 : 3);
  for (let i = 0; i < count; i++) {
    starts[i] = position;
    newEnds[i] = 0;
    position = skipPacked(shapes, packed, position);
  }
  starts[count] = position;

  const from = shapes.nodeOf(shape);
  let node = from;
  let keys = count;
  position = bodyAt(payload, start);
  for (let left = sizeAt(payload, start); left > 0; left--) {
    const valueAt = skipValue(payload, position);
    let index = shapes.indexOf(node, payload, position, valueAt);
    if (index === NONE) {
      node = shapes.child(node, payload, position, valueAt);
      if (node === NONE) return false;
      index = keys++;
    }
    newStarts[index] = valueAt;
    position = skipValue(payload, valueAt);
    newEnds[index] = position;
  }
  checkEnd(position, end);
  const merged = node === from ? shape : shapes.shapeOf(node);
  if (merged === NONE) return false;

  putRecord(out, merged);
  let kept = 0;
  for (let i = 0; i < keys; i++) {
    const newEnd = newEnds[i] as number;
    if (newEnd === 0) continue;
    if (i < count) {
      out.raw(packed, starts[kept], starts[i]);
      kept = i + 1;
    } else if (kept < count) {
      out.raw(packed, starts[kept], starts[count]);
      kept = count;
    }
    packMember(shapes, payload, newStarts[i] as number, newEnd, out);
  }
  if (kept < count) out.raw(packed, starts[kept], starts[count]);
  return true;
}

/** One entry of the merged map: where its key and its value are. */
interface Entry {
  readonly keys: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  values: Uint8Array;
  valueStart: number;
  valueEnd: number;
}

/** The rare way, for contexts that are, or become, a plain map. Allocates. */
function mergeMap(
  shapes: ShapeTable,
  packed: Uint8Array,
  pStart: number,
  payload: Uint8Array,
  start: number,
  end: number,
  out: ByteWriter,
): void {
  const entries = new Map<string, Entry>();
  if (packed[pStart] === RECORD) collectRecord(shapes, packed, pStart, entries);
  else collectMap(packed, pStart, (at) => skipPacked(shapes, packed, at), entries);
  checkEnd(
    collectMap(payload, start, (at) => skipValue(payload, at), entries),
    end,
  );
  putMapSize(out, entries.size);
  for (const entry of entries.values()) {
    out.raw(entry.keys, entry.keyStart, entry.keyEnd);
    if (entry.values === payload)
      packMember(shapes, payload, entry.valueStart, entry.valueEnd, out);
    else out.raw(packed, entry.valueStart, entry.valueEnd);
  }
}

function collectMap(
  bytes: Uint8Array,
  start: number,
  skip: (at: number) => number,
  entries: Map<string, Entry>,
): number {
  let position = bodyAt(bytes, start);
  for (let left = sizeAt(bytes, start); left > 0; left--) {
    const keyStart = position;
    if (!isText(bytes[keyStart] as number)) throw new RangeError(`key at ${keyStart} is no text`);
    const keyEnd = skip(keyStart);
    position = skip(keyEnd);
    collect(entries, {
      keys: bytes,
      keyStart,
      keyEnd,
      values: bytes,
      valueStart: keyEnd,
      valueEnd: position,
    });
  }
  return position;
}

function collectRecord(
  shapes: ShapeTable,
  packed: Uint8Array,
  start: number,
  entries: Map<string, Entry>,
): void {
  const shape = shapes.idAt(packed, start + 1);
  const keys = shapes.keyBytes;
  let position = start + (shape < 128 ? 2 : 3);
  for (let i = 0; i < shapes.countOf(shape); i++) {
    const valueStart = position;
    position = skipPacked(shapes, packed, position);
    const keyStart = shapes.keyStart(shape, i);
    collect(entries, {
      keys,
      keyStart,
      keyEnd: shapes.keyEnd(shape, i),
      values: packed,
      valueStart,
      valueEnd: position,
    });
  }
}

function collect(entries: Map<string, Entry>, entry: Entry): void {
  const name = Buffer.from(entry.keys.subarray(entry.keyStart, entry.keyEnd)).toString('latin1');
  const known = entries.get(name);
  if (known === undefined) {
    entries.set(name, entry);
    return;
  }
  known.values = entry.values;
  known.valueStart = entry.valueStart;
  known.valueEnd = entry.valueEnd;
}
