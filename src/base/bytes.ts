/**
 * ByteWriter: a growing little-endian buffer that is reused, so that encoding allocates nothing
 * per record. Varints are LEB128, at most 8 bytes, safe integers only.
 */

/** Up to here a writer's first buffer comes from the pool that Node shares among small ones. */
const SMALL_BYTES = 256;

/** Up to here a loop beats the native call, which needs an object for the range. */
const SHORT_BYTES = 80;

/** Puts a range of bytes somewhere else; the two must not overlap. */
export function copyBytes(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): void {
  if (end - start > SHORT_BYTES) {
    target.set(new Uint8Array(source.buffer, source.byteOffset + start, end - start), at);
    return;
  }
  let to = at;
  for (let from = start; from < end; from++) target[to++] = source[from] as number;
}

/** Up to here steps of four bytes through views beat the native call. */
const SHORT_WORDS_BYTES = 192;

/** The same, four bytes at a time, where both sides have a view. */
export function copyWords(
  source: DataView,
  start: number,
  end: number,
  target: DataView,
  at: number,
): void {
  const length = end - start;
  if (length > SHORT_WORDS_BYTES) {
    new Uint8Array(target.buffer, target.byteOffset + at, length).set(
      new Uint8Array(source.buffer, source.byteOffset + start, length),
    );
    return;
  }
  const words = length & ~3;
  let i = 0;
  for (; i < words; i += 4) target.setInt32(at + i, source.getInt32(start + i));
  for (; i < length; i++) target.setUint8(at + i, source.getUint8(start + i));
}

export class ByteWriter {
  bytes: Buffer;
  view: DataView;
  /** Next byte to be written. Moving it back drops what was behind. */
  position = 0;

  constructor(capacity: number) {
    // A buffer of its own costs more than all that is written to a small one (bench find).
    const isSmall = capacity <= SMALL_BYTES;
    this.bytes = isSmall ? Buffer.allocUnsafe(capacity) : Buffer.allocUnsafeSlow(capacity);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }

  /** Makes room for `count` more bytes; call before the unchecked writes below. */
  reserve(count: number): void {
    if (this.position + count > this.bytes.length) this.grow(this.position + count);
  }

  private grow(needed: number): void {
    let capacity = this.bytes.length * 2;
    while (capacity < needed) capacity *= 2;
    const grown = Buffer.allocUnsafeSlow(capacity);
    grown.set(this.bytes.subarray(0, this.position));
    this.bytes = grown;
    this.view = new DataView(grown.buffer, grown.byteOffset, grown.byteLength);
  }

  /** Lets go of a buffer that grew beyond `maxCapacity`, with what is in it. */
  trim(maxCapacity: number): void {
    if (this.bytes.length <= maxCapacity) return;
    this.bytes = Buffer.allocUnsafeSlow(maxCapacity);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    this.position = 0;
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.position++] = value;
  }

  u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.position, value, true);
    this.position += 4;
  }

  f64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.position, value, true);
    this.position += 8;
  }

  varint(value: number): void {
    this.reserve(8);
    const bytes = this.bytes;
    let p = this.position;
    let rest = value;
    while (rest > 0x7fffffff) {
      bytes[p++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      bytes[p++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[p++] = rest;
    this.position = p;
  }

  raw(source: Uint8Array, start: number = 0, end: number = source.length): void {
    const length = end - start;
    this.reserve(length);
    copyBytes(source, start, end, this.bytes, this.position);
    this.position += length;
  }

  /** What another writer holds. */
  append(other: ByteWriter): void {
    const length = other.position;
    this.reserve(length);
    copyWords(other.view, 0, length, this.view, this.position);
    this.position += length;
  }

  /** UTF-8 with its length as a varint before it. Short ASCII takes no native call. */
  text(value: string): void {
    const length = value.length;
    this.reserve(length * 3 + 4);
    const bytes = this.bytes;
    const start = this.position;
    if (length < 64) {
      bytes[start] = length;
      let i = 0;
      for (; i < length; i++) {
        const code = value.charCodeAt(i);
        if (code > 127) break;
        bytes[start + 1 + i] = code;
      }
      if (i === length) {
        this.position = start + 1 + length;
        return;
      }
    }
    const size = Buffer.byteLength(value, 'utf8');
    this.varint(size);
    this.position += bytes.write(value, this.position, size, 'utf8');
  }
}
