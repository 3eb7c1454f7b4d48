/**
 * A reader of stores that shares no code with the package: it knows the tables of docs/format.md
 * and plain MessagePack. What it lists is the worked example of the page.
 */
import { type Field, optionalFields, recordShapes, structure } from './format-page.ts';

const FRAME_KINDS = ['', 'data', 'link', 'mark'];
/** Of frames; also how many bytes a row of the listing shows. */
const ALIGNMENT = 8;
const VALUE_WIDTH = 44;

/** CRC-32C, a bit at a time. */
function slowCrc(...parts: readonly Uint8Array[]): number {
  let crc = 0xffffffff;
  for (const part of parts) {
    for (const byte of part) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    }
  }
  return ~crc >>> 0;
}

/** One line of a listing: so many bytes at a place, and what they mean. */
interface Line {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly value: string;
}

/** Kinds whose body is no value in the forms of the page. */
const NO_VALUE: ReadonlySet<string> = new Set(['vector', 'expireVectors']);

export class SecondReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly lines: (Line | string)[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** All of a segment file, to the first place where no frame is. */
  segment(): string[] {
    const header = this.fields('Segment header', 'Segment header', 0);
    const store = this.bytes.subarray(...range('Segment header', 'storeId', 0));
    const number = this.bytes.subarray(...range('Segment header', 'number', 0));
    this.check('Segment header', 0, 'headerCrc', [this.rest('Segment header', 0, 4)]);
    let at = endOf('Segment header');
    for (let chain = 0; this.view.getUint16(at + 4, true) !== 0;) {
      const kind = FRAME_KINDS[this.bytes[at + byteOf('Frame header', 'kind')]!]!;
      const frame = this.fields('Frame header', `Frame at ${at}: ${kind}`, at);
      const payload = at + endOf('Frame header');
      const end = payload + Math.ceil(frame.get('payloadLength')! / ALIGNMENT) * ALIGNMENT;
      this.check('Frame header', at, 'headerCrc', [
        store,
        number,
        this.rest('Frame header', at, 4),
      ]);
      const covered = [store, number, this.bytes.subarray(payload, end)];
      this.check('Frame header', at, 'payloadCrc', covered);
      if (frame.get('chain') !== chain) throw new Error(`frame at ${at} breaks the chain`);
      chain = frame.get('headerCrc')!;
      if (kind === 'link') this.fields('Link payload', 'Its payload', payload);
      if (kind === 'data') this.records(payload, payload + frame.get('payloadLength')!, frame);
      at = end;
    }
    if (header.get('sizeBytes') !== this.bytes.length) throw new Error('the size is not the size');
    return this.rendered();
  }

  /** Both slots of a manifest. */
  manifest(): string[] {
    const size = endOf('Manifest slot');
    for (let at = 0; at < this.bytes.length; at += size) {
      this.fields('Manifest slot', `Slot at ${at}`, at);
      this.check('Manifest slot', at, 'slotCrc', [this.rest('Manifest slot', at, 4)]);
    }
    return this.rendered();
  }

  private rest(heading: string, at: number, from: number): Uint8Array {
    return this.bytes.subarray(at + from, at + endOf(heading));
  }

  private check(heading: string, at: number, name: string, parts: readonly Uint8Array[]): void {
    const stored = this.view.getUint32(at + byteOf(heading, name), true);
    if (stored !== slowCrc(...parts)) throw new Error(`${name} at ${at} is not that of its bytes`);
  }

  private fields(heading: string, title: string, start: number): Map<string, number> {
    this.lines.push(title);
    const values = new Map<string, number>();
    for (const { name, at, size } of structure(heading)) {
      const bytes = this.bytes.subarray(start + at, start + at + size);
      const number = size <= 8 ? Number(littleEndian(bytes)) : Number.NaN;
      values.set(name, number);
      if (name === 'reserved' || name === 'extra') continue;
      this.lines.push({ at: start + at, bytes, name, value: shown(name, bytes, number) });
    }
    return values;
  }

  private records(from: number, end: number, frame: Map<string, number>): void {
    let offset = frame.get('firstOffset')!;
    let at = from;
    for (; at < end; offset++) {
      const prefix = this.varint(at);
      const length = prefix.value >>> 1;
      const last = (prefix.value & 1) === 1 ? ', the last of its commit' : '';
      this.lines.push(`Record ${offset}`);
      this.push(at, prefix.end, 'prefix', `${length} bytes${last}`);
      this.record(prefix.end, prefix.end + length);
      at = prefix.end + length;
    }
    if (at !== end) throw new Error('the records do not fill their frame');
    if (offset - frame.get('firstOffset')! !== frame.get('recordCount')) throw new Error('count');
  }

  /** Its fields as listed lines; gives them by name. */
  record(start: number, end: number): Map<string, unknown> {
    const values = new Map<string, unknown>();
    const shape = recordShapes().find(({ kind }) => kind === this.bytes[start]);
    if (shape === undefined) throw new Error(`kind ${this.bytes[start]} is not in the table`);
    const fields = this.bytes[start + 1]!;
    const optional = optionalFields().filter(({ bit }) => (fields & bit) !== 0);
    values.set('kind', shape.name);
    this.push(start, start + 1, 'kind', shape.name);
    const names = optional.map(({ name }) => name).join(', ');
    this.push(start + 1, start + 2, 'fields', names === '' ? 'none' : names);
    let at = start + 2;
    const read = (name: string, type: string): void => {
      const { value, next } = this.typed(type, at);
      this.push(at, next, name, typeof value === 'string' ? `'${value}'` : String(value));
      values.set(name, value);
      at = next;
    };
    const [time] = optional[0]?.name === 'time' ? optional.splice(0, 1) : [];
    if (time !== undefined) read(time.name, time.types[0]!);
    for (const [name, type] of shape.fields) read(name, type);
    for (const { name, types } of optional) {
      for (const [i, type] of types.entries()) read(i === 0 ? name : `${name}.${i}`, type);
    }
    if (at > end) throw new Error('the record ends inside its fields');
    values.set('body', this.bytes.slice(at, end));
    if (at < end) this.push(at, end, 'body', this.body(shape.name, at, end));
    return values;
  }

  private body(kind: string, at: number, end: number): string {
    if (!NO_VALUE.has(kind)) return JSON.stringify(new PlainReader(this.bytes, at, end).all());
    return Buffer.from(this.bytes.subarray(at, end)).toString('hex');
  }

  private push(at: number, end: number, name: string, value: string): void {
    this.lines.push({ at, bytes: this.bytes.subarray(at, end), name, value });
  }

  private typed(type: string, at: number): { value: string | number; next: number } {
    if (type === 'f64') return { value: this.view.getFloat64(at, true), next: at + 8 };
    if (type === 'u32') return { value: this.view.getUint32(at, true), next: at + 4 };
    const { value, end } = this.varint(at);
    if (type === 'varint') return { value, next: end };
    if (type !== 'text') throw new Error(`no such type: ${type}`);
    return {
      value: Buffer.from(this.bytes.subarray(end, end + value)).toString(),
      next: end + value,
    };
  }

  private varint(at: number): { value: number; end: number } {
    let value = 0;
    for (let i = 0; ; i++) {
      const byte = this.bytes[at + i]!;
      value += (byte & 127) * 2 ** (7 * i);
      if (byte < 128) return { value, end: at + i + 1 };
    }
  }

  private rendered(): string[] {
    return this.lines.flatMap((line) => (typeof line === 'string' ? ['', line] : renderLine(line)));
  }
}

/** Just enough MessagePack for the example, and strict: a form it does not know is an error. */
class PlainReader {
  private readonly bytes: Uint8Array;
  private readonly end: number;
  private at: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  all(): unknown {
    const value = this.value();
    if (this.at !== this.end) throw new Error('bytes behind the value');
    return value;
  }

  private value(): unknown {
    const lead = this.bytes[this.at++]!;
    if (lead < 0x80) return lead;
    if (lead < 0x90) return this.map(lead & 15);
    if (lead < 0xa0) return Array.from({ length: lead & 15 }, () => this.value());
    if (lead < 0xc0) return this.text(lead & 31);
    if (lead === 0xde) return this.map((this.bytes[this.at++]! << 8) | this.bytes[this.at++]!);
    throw new Error(`a value starts with ${lead.toString(16)}`);
  }

  private map(entries: number): unknown {
    return Object.fromEntries(Array.from({ length: entries }, () => [this.value(), this.value()]));
  }

  private text(length: number): string {
    this.at += length;
    return Buffer.from(this.bytes.subarray(this.at - length, this.at)).toString();
  }
}

function renderLine({ at, bytes, name, value }: Line): string[] {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
  const rows = Math.max(Math.ceil(hex.length / ALIGNMENT), Math.ceil(value.length / VALUE_WIDTH));
  return Array.from({ length: rows }, (_, row) => {
    const place = row * ALIGNMENT < hex.length ? String(at + row * ALIGNMENT) : '';
    const cells = [
      place.padStart(6),
      hex
        .slice(row * ALIGNMENT, (row + 1) * ALIGNMENT)
        .join(' ')
        .padEnd(24),
      (row === 0 ? name : '').padEnd(16),
      value.slice(row * VALUE_WIDTH, (row + 1) * VALUE_WIDTH),
    ];
    return cells.join('  ').trimEnd();
  });
}

function shown(name: string, bytes: Uint8Array, number: number): string {
  if (name === 'magic') return `'${Buffer.from(bytes).toString('latin1')}'`;
  if (name === 'storeId') return '';
  if (/crc$|^chain$/i.test(name)) return `0x${number.toString(16).padStart(8, '0')}`;
  return String(number);
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function fieldOf(heading: string, name: string): Field {
  const found = structure(heading).find((field) => field.name === name);
  if (found === undefined) throw new Error(`'${heading}' has no field ${name}`);
  return found;
}

function byteOf(heading: string, name: string): number {
  return fieldOf(heading, name).at;
}

function range(heading: string, name: string, start: number): [from: number, to: number] {
  const { at, size } = fieldOf(heading, name);
  return [start + at, start + at + size];
}

/** Bytes of the whole structure. */
function endOf(heading: string): number {
  const last = structure(heading).at(-1)!;
  return last.at + last.size;
}

/** All files of a closed store. */
export function listing(files: ReadonlyMap<string, Uint8Array>): string {
  const parts = [...files].map(([name, bytes]) => {
    const reader = new SecondReader(bytes);
    const lines = name === 'manifest' ? reader.manifest() : reader.segment();
    return [`${name}, ${bytes.length} bytes`, ...lines].join('\n');
  });
  return parts.join('\n\n');
}

/** The bytes a listing shows; what it does not show is zero. */
export function bytesOfListing(text: string, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (const match of text.matchAll(/^ *(\d+) {2}((?:[0-9a-f]{2} ?)+)/gm)) {
    const hex = match[2]!.trim().split(' ');
    bytes.set(
      hex.slice(0, ALIGNMENT).map((byte) => Number.parseInt(byte, 16)),
      Number(match[1]),
    );
  }
  return bytes;
}
