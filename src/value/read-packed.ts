/**
 * A packed value to a fresh JavaScript value: the decode behind every read of a context. Bytes come
 * from memory or from a checksummed snapshot, so they are trusted; a broken one still ends in a
 * RangeError. Objects are copies of the shape's template (one hidden class per shape, and right for
 * an own `__proto__`); short strings come without a native call (bench/micro/codec.mjs).
 */
import { asciiText } from '../base/ascii-text.ts';
import {
  ARRAY16,
  ARRAY32,
  FALSE,
  FIXARRAY,
  FIXSTR,
  FLOAT64,
  INT16,
  INT32,
  INT64,
  INT8,
  MAP16,
  MAP32,
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
import { setOwn } from './read-value.ts';
import { ShapeTable } from './shape-table.ts';
import { MAX_BYTES } from './short-text.ts';
import { skipPacked } from './skip.ts';
import { bodyAt, isMap, sizeAt } from './structure.ts';

/** Which half of a float the machine keeps second. */
const HIGH = new Uint8Array(Uint32Array.of(1).buffer)[0] as number;

/** The packed value in `start` to `end`; every call makes new objects. */
export function readPacked(
  shapes: ShapeTable,
  bytes: Uint8Array,
  start: number,
  end: number,
): unknown {
  reader.open(shapes, bytes, start);
  const value = reader.value();
  if (reader.position !== end)
    throw new RangeError(`packed value at ${start} ends at ${reader.position}, not ${end}`);
  return value;
}

/**
 * What lies at a path of own members, without making the rest: undefined where there is nothing.
 * Only objects have members here; an array has none.
 */
export function readPackedPath(
  shapes: ShapeTable,
  bytes: Uint8Array,
  start: number,
  path: readonly string[],
): unknown {
  reader.open(shapes, bytes, start);
  for (const name of path) if (!reader.enter(name)) return undefined;
  return reader.value();
}

class PackedReader {
  position = 0;
  private shapes: ShapeTable;
  private bytes: Uint8Array;

  constructor(shapes: ShapeTable, bytes: Uint8Array) {
    this.shapes = shapes;
    this.bytes = bytes;
  }

  open(shapes: ShapeTable, bytes: Uint8Array, start: number): void {
    this.shapes = shapes;
    this.bytes = bytes;
    this.position = start;
  }

  value(): unknown {
    const lead = this.bytes[this.position++] as number;
    if (lead < 0x80) return lead;
    if (lead >= 0xe0) return lead - 0x100;
    if (lead < FIXARRAY) return this.map(lead & 15);
    if (lead < FIXSTR) return this.array(lead & 15);
    if (lead < NIL) return this.text(lead & 31);
    if (lead === RECORD) return this.record();
    return this.wide(lead);
  }

  /** Moves from an object to one of its members; false when there is none. */
  enter(name: string): boolean {
    const { shapes, bytes, position } = this;
    const lead = bytes[position] as number;
    if (lead === RECORD) {
      const shape = shapes.idAt(bytes, position + 1);
      if (shape >= shapes.shapeCount) throw new RangeError(`there is no shape ${shape}`);
      const index = shapes.namesOf(shape).indexOf(name);
      this.position += shape < 128 ? 2 : 3;
      for (let i = 0; i < index; i++) this.skip();
      return index >= 0;
    }
    if (!isMap(lead)) return false;
    this.position = bodyAt(bytes, position);
    for (let left = sizeAt(bytes, position); left > 0; left--) {
      if (this.value() === name) return true;
      this.skip();
    }
    return false;
  }

  private skip(): void {
    this.position = skipPacked(this.shapes, this.bytes, this.position);
  }

  private wide(lead: number): unknown {
    switch (lead) {
      case NIL:
        return null;
      case FALSE:
        return false;
      case TRUE:
        return true;
      case FLOAT64:
        return this.float();
      case UINT8:
        return this.uint(1);
      case UINT16:
        return this.uint(2);
      case UINT32:
        return this.uint(4);
      case UINT64:
        return this.view(8).getBigUint64(0);
      case INT8:
        return (this.uint(1) << 24) >> 24;
      case INT16:
        return (this.uint(2) << 16) >> 16;
      case INT32:
        return this.uint(4) | 0;
      case INT64:
        return this.view(8).getBigInt64(0);
      case STR8:
        return this.text(this.uint(1));
      case STR16:
        return this.text(this.uint(2));
      case STR32:
        return this.text(this.uint(4));
      case ARRAY16:
        return this.array(this.uint(2));
      case ARRAY32:
        return this.array(this.uint(4));
      case MAP16:
        return this.map(this.uint(2));
      case MAP32:
        return this.map(this.uint(4));
      default:
        throw new RangeError(`byte ${lead} at ${this.position - 1} starts no packed value`);
    }
  }

  /** Through a float of the table: a DataView per number costs more than the rest of it. */
  private float(): number {
    const { words, floats } = this.shapes;
    words[HIGH] = this.uint32();
    words[1 - HIGH] = this.uint32();
    return floats[0] as number;
  }

  private uint32(): number {
    const { bytes, position } = this;
    this.position = position + 4;
    return (
      ((bytes[position] as number) << 24) |
      ((bytes[position + 1] as number) << 16) |
      ((bytes[position + 2] as number) << 8) |
      (bytes[position + 3] as number)
    );
  }

  private view(size: number): DataView {
    const at = this.position;
    this.position += size;
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, size);
  }

  private uint(size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + (this.bytes[this.position++] as number);
    return value;
  }

  private text(size: number): string {
    const at = this.position;
    this.position += size;
    const { bytes } = this;
    if (size === 0) return '';
    if (size <= MAX_BYTES) {
      const short = asciiText(bytes, at, size) ?? this.shapes.texts.get(bytes, at, size);
      if (short !== undefined) return short;
    }
    return Buffer.from(bytes.buffer, bytes.byteOffset + at, size).toString('utf8');
  }

  private array(count: number): unknown[] {
    // A literal has just the room it needs; the first push makes room for 17.
    if (count === 1) return [this.value()];
    if (count === 2) return [this.value(), this.value()];
    if (count === 3) return [this.value(), this.value(), this.value()];
    const array: unknown[] = [];
    for (let i = 0; i < count; i++) array.push(this.value());
    return array;
  }

  private record(): Record<string, unknown> {
    const shape = this.shapes.idAt(this.bytes, this.position);
    this.position += shape < 128 ? 1 : 2;
    if (shape >= this.shapes.shapeCount) throw new RangeError(`there is no shape ${shape}`);
    const names = this.shapes.namesOf(shape);
    const object: Record<string, unknown> = { ...this.shapes.templateOf(shape) };
    for (let i = 0; i < names.length; i++) object[names[i] as string] = this.value();
    return object;
  }

  private map(count: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (let i = 0; i < count; i++) {
      const key = this.value();
      // An object would be asked for its text, and may have an answer of its own.
      if (typeof key !== 'string') throw new RangeError(`key before ${this.position} is no text`);
      if (key === '__proto__') setOwn(object, key, this.value());
      else object[key] = this.value();
    }
    return object;
  }
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** One for all: reading calls nobody who could read meanwhile, and making one costs a tenth of a context. */
const reader: PackedReader = new PackedReader(new ShapeTable(), NO_BYTES);
