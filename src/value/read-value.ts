/**
 * MessagePack to a JavaScript value, for bytes nobody vouches for: total, strict, and bounded by
 * the input. All counts together are checked against the bytes left before anything is made,
 * containers grow only with what was really read, and depth ends at the limit of writing.
 * Everything wrong is a RangeError; who knows the file or the request turns it into CORRUPT or
 * BAD_REQUEST.
 */
import {
  ENVELOPE_LEVELS,
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
  MAX_DEPTH,
  NIL,
  STR16,
  STR32,
  STR8,
  TRUE,
  UINT16,
  UINT32,
  UINT64,
  UINT8,
} from './format.ts';
import { MAX_BYTES, type ShortTextCache } from './short-text.ts';

export { skipValue } from './skip.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The value that fills `start` to `end` exactly.
 *
 * @param texts strings made before, for whoever reads many values alike: halves the time
 * @throws {RangeError} when the bytes are anything else
 */
export function readValue(
  bytes: Uint8Array,
  start: number,
  end: number,
  texts?: ShortTextCache,
): unknown {
  return readAt(bytes, start, end, 0, texts);
}

/** Like {@link readValue}, for what writeEnveloped wrote: the levels of our own frame do not count. */
export function readEnveloped(bytes: Uint8Array, start: number, end: number): unknown {
  return readAt(bytes, start, end, -ENVELOPE_LEVELS, undefined);
}

function readAt(
  bytes: Uint8Array,
  start: number,
  end: number,
  depth: number,
  texts: ShortTextCache | undefined,
): unknown {
  if (!(start >= 0 && start <= end && end <= bytes.length)) throw new RangeError('no such bytes');
  const reader = new ValueReader(bytes, start, end, texts);
  const value = reader.value(depth);
  if (reader.position !== end)
    throw new RangeError(`${end - reader.position} bytes behind the value`);
  return value;
}

class ValueReader {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;
  /** Values promised by all counts so far and not begun: each takes a byte at least. */
  private owed = 1;
  private readonly texts: ShortTextCache | undefined;
  private wideView: DataView | undefined = undefined;

  constructor(bytes: Uint8Array, start: number, end: number, texts: ShortTextCache | undefined) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.texts = texts;
  }

  /** Made when first needed: most payloads hold small numbers and short text only. */
  private get view(): DataView {
    return (this.wideView ??= new DataView(
      this.bytes.buffer,
      this.bytes.byteOffset,
      this.bytes.byteLength,
    ));
  }

  value(depth: number): unknown {
    const lead = this.bytes[this.take(1)] as number;
    this.owed--;
    if (lead < 0x80) return lead;
    if (lead >= 0xe0) return lead - 0x100;
    if (lead < FIXARRAY) return this.map(lead & 15, depth);
    if (lead < FIXSTR) return this.array(lead & 15, depth);
    if (lead < NIL) return this.text(lead & 31);
    return this.wide(lead, depth);
  }

  private wide(lead: number, depth: number): unknown {
    switch (lead) {
      case NIL:
        return null;
      case FALSE:
        return false;
      case TRUE:
        return true;
      case FLOAT64:
        return this.finite(this.view.getFloat64(this.take(8)));
      case UINT8:
        return this.view.getUint8(this.take(1));
      case UINT16:
        return this.view.getUint16(this.take(2));
      case UINT32:
        return this.view.getUint32(this.take(4));
      case UINT64:
        return this.view.getBigUint64(this.take(8));
      case INT8:
        return this.view.getInt8(this.take(1));
      case INT16:
        return this.view.getInt16(this.take(2));
      case INT32:
        return this.view.getInt32(this.take(4));
      case INT64:
        return this.view.getBigInt64(this.take(8));
      case STR8:
        return this.text(this.view.getUint8(this.take(1)));
      case STR16:
        return this.text(this.view.getUint16(this.take(2)));
      case STR32:
        return this.text(this.view.getUint32(this.take(4)));
      case ARRAY16:
        return this.array(this.view.getUint16(this.take(2)), depth);
      case ARRAY32:
        return this.array(this.view.getUint32(this.take(4)), depth);
      case MAP16:
        return this.map(this.view.getUint16(this.take(2)), depth);
      case MAP32:
        return this.map(this.view.getUint32(this.take(4)), depth);
      default:
        throw new RangeError(`byte ${lead} at ${this.position - 1} starts no value`);
    }
  }

  private take(count: number): number {
    const at = this.position;
    if (count > this.end - at)
      throw new RangeError(`${count} bytes at ${at} reach beyond ${this.end}`);
    this.position = at + count;
    return at;
  }

  private finite(value: number): number {
    if (!Number.isFinite(value))
      throw new RangeError(`number before ${this.position} is not finite`);
    return value;
  }

  private text(size: number): string {
    const at = this.take(size);
    const { bytes } = this;
    if (size === 0) return '';
    if (size <= MAX_BYTES) {
      const text =
        this.texts === undefined ? asciiText(bytes, at, size) : this.texts.get(bytes, at, size);
      if (text !== undefined) return text;
    }
    try {
      return utf8.decode(bytes.subarray(at, at + size));
    } catch (cause) {
      throw new RangeError(`text at ${at} is no UTF-8`, { cause });
    }
  }

  private enter(members: number, depth: number): void {
    if (depth === MAX_DEPTH)
      throw new RangeError(`nested deeper than ${MAX_DEPTH} levels at ${this.position}`);
    this.owed += members;
    if (this.owed > this.end - this.position)
      throw new RangeError(`${members} values at ${this.position} do not fit`);
  }

  private array(count: number, depth: number): unknown[] {
    this.enter(count, depth);
    const array: unknown[] = [];
    for (let i = 0; i < count; i++) array.push(this.value(depth + 1));
    return array;
  }

  private map(count: number, depth: number): Record<string, unknown> {
    this.enter(2 * count, depth);
    const map: Record<string, unknown> = {};
    for (let i = 0; i < count; i++) {
      const key = this.key();
      const value = this.value(depth + 1);
      if (key === '__proto__') setOwn(map, key, value);
      else map[key] = value;
    }
    if (Object.keys(map).length !== count)
      throw new RangeError(`a key before ${this.position} comes twice`);
    return map;
  }

  private key(): string {
    const at = this.position;
    const key = this.value(MAX_DEPTH);
    if (typeof key !== 'string') throw new RangeError(`key at ${at} is no text`);
    return key;
  }
}

/** Undefined when a byte is not ASCII. */
function asciiText(bytes: Uint8Array, start: number, size: number): string | undefined {
  let text = '';
  for (let i = start; i < start + size; i++) {
    const byte = bytes[i] as number;
    if (byte > 127) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Defines where assignment would call a setter: `__proto__` is an ordinary key here (F-73). */
export function setOwn(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
