/**
 * Where an encoded value ends, without making it. A count of values still owed replaces recursion,
 * so depth costs nothing. Relies on the bytes being whole; if they are not, it ends in a RangeError.
 */
import {
  ARRAY16, ARRAY32, FIXARRAY, FIXSTR, FLOAT64, INT16, INT32, INT64, INT8, MAP16, MAP32, NIL, RECORD, STR16,
  STR32, STR8, UINT16, UINT32, UINT64, UINT8,
} from './format.ts';
import type { ShapeTable } from './shape-table.ts';

/** End of the plain MessagePack value at `start`. */
export function skipValue(bytes: Uint8Array, start: number): number {
  return skip(bytes, start, undefined);
}

/** End of the packed value at `start`. */
export function skipPacked(shapes: ShapeTable, bytes: Uint8Array, start: number): number {
  return skip(bytes, start, shapes);
}

function skip(bytes: Uint8Array, start: number, shapes: ShapeTable | undefined): number {
  let position = start;
  for (let owed = 1; owed > 0; owed--) {
    const lead = bytes[position++] as number;
    if (lead < FIXMAP_END) {
      if (lead >= 0x80) owed += 2 * (lead & 15);
    } else if (lead < FIXSTR) owed += lead & 15;
    else if (lead < NIL) position += lead & 31;
    else if (lead === RECORD && shapes !== undefined) {
      const shape = shapes.idAt(bytes, position);
      position += shape < 128 ? 1 : 2;
      owed += shapes.countOf(shape);
    } else if (lead < 0xe0) {
      const width = widthOf(lead);
      if (width < 16) {
        position += width;
        continue;
      }
      const length = lengthAt(bytes, position, width & 15);
      position += width & 15;
      if (width < 32) position += length;
      else owed += width < 64 ? length : 2 * length;
    } else if (!(lead >= 0xe0)) throw new RangeError(`value at ${start} has no end`);
  }
  // Also where a truncated size made it NaN.
  if (!(position <= bytes.length)) throw new RangeError(`value at ${start} has no end`);
  return position;
}

const FIXMAP_END = FIXARRAY;

/** Bytes behind the lead byte; +16 when they are a text's size, +32 an array's count, +64 a map's. */
function widthOf(lead: number): number {
  switch (lead) {
    case UINT8: case INT8: return 1;
    case UINT16: case INT16: return 2;
    case UINT32: case INT32: return 4;
    case FLOAT64: case UINT64: case INT64: return 8;
    case STR8: return 16 + 1;
    case STR16: return 16 + 2;
    case STR32: return 16 + 4;
    case ARRAY16: return 32 + 2;
    case ARRAY32: return 32 + 4;
    case MAP16: return 64 + 2;
    case MAP32: return 64 + 4;
    case NIL: case 0xc2: case 0xc3: return 0;
    default: throw new RangeError(`byte ${lead} starts no value`);
  }
}

/** A big-endian unsigned integer of 1, 2 or 4 bytes. */
function lengthAt(bytes: Uint8Array, position: number, width: number): number {
  let length = 0;
  for (let i = 0; i < width; i++) length = length * 256 + (bytes[position + i] as number);
  return length;
}
