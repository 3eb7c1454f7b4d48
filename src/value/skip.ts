/**
 * Where an encoded value ends, without making it. A count of values still owed replaces recursion,
 * so depth costs nothing. Relies on the bytes being whole; if they are not, it ends in a RangeError.
 */
import {
  ARRAY16,
  FALSE,
  FIXARRAY,
  FIXMAP,
  FIXSTR,
  FLOAT64,
  INT16,
  INT32,
  INT64,
  INT8,
  MAP16,
  NIL,
  RECORD,
  STR16,
  STR32,
  STR8,
  TRUE,
  UINT16,
  UINT32,
  UINT64,
  UINT8,
} from './format.ts';
import type { ShapeTable } from './shape-table.ts';

/** End of the plain MessagePack value at `start`. */
export function skipValue(bytes: Uint8Array, start: number): number {
  const lead = bytes[start] as number;
  // Most values, and nearly all keys: worth a way that needs no loop (bench/micro/codec.mjs).
  if (lead < FIXMAP) return start + 1;
  if (lead >= FIXSTR && lead < NIL && start + 32 < bytes.length) return start + 1 + (lead & 31);
  return skip(bytes, start, undefined);
}

/** End of the packed value at `start`. */
export function skipPacked(shapes: ShapeTable, bytes: Uint8Array, start: number): number {
  const lead = bytes[start] as number;
  if (lead < FIXMAP) return start + 1;
  if (lead >= FIXSTR && lead < NIL && start + 32 < bytes.length) return start + 1 + (lead & 31);
  return skip(bytes, start, shapes);
}

function skip(bytes: Uint8Array, start: number, shapes: ShapeTable | undefined): number {
  let position = start;
  for (let owed = 1; owed > 0; owed--) {
    const lead = bytes[position++] as number;
    if (lead < FIXMAP || lead >= 0xe0) continue;
    if (lead < FIXARRAY) owed += 2 * (lead & 15);
    else if (lead < FIXSTR) owed += lead & 15;
    else if (lead < NIL) position += lead & 31;
    else if (lead === RECORD && shapes !== undefined) {
      const shape = shapes.idAt(bytes, position);
      position += shape < 128 ? 1 : 2;
      // NaN where there is no such shape: it ends the loop, and is refused below.
      owed += shapes.countOf(shape);
    } else if (lead >= ARRAY16) {
      const width = (lead & 1) === 0 ? 2 : 4;
      owed += (lead < MAP16 ? 1 : 2) * unsignedAt(bytes, position, width);
      position += width;
    } else {
      position = scalarEnd(bytes, position, lead);
    }
  }
  // Also where a truncated size made it NaN.
  if (!(position <= bytes.length)) throw new RangeError(`value at ${start} has no end`);
  return position;
}

/** End of a number, text or constant whose lead byte lies before `position`. */
function scalarEnd(bytes: Uint8Array, position: number, lead: number): number {
  switch (lead) {
    case NIL:
    case FALSE:
    case TRUE:
      return position;
    case UINT8:
    case INT8:
      return position + 1;
    case UINT16:
    case INT16:
      return position + 2;
    case UINT32:
    case INT32:
      return position + 4;
    case FLOAT64:
    case UINT64:
    case INT64:
      return position + 8;
    case STR8:
      return position + 1 + unsignedAt(bytes, position, 1);
    case STR16:
      return position + 2 + unsignedAt(bytes, position, 2);
    case STR32:
      return position + 4 + unsignedAt(bytes, position, 4);
    default:
      throw new RangeError(`byte ${lead} before ${position} starts no value`);
  }
}

/** A big-endian unsigned integer; NaN where the bytes end. */
function unsignedAt(bytes: Uint8Array, position: number, width: number): number {
  let size = 0;
  for (let i = 0; i < width; i++) size = size * 256 + (bytes[position + i] as number);
  return size;
}
