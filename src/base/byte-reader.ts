/**
 * ByteReader: takes apart what a ByteWriter put together. Reading beyond the end is a RangeError,
 * so that bytes cut short are never taken for zeros.
 */

export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  /** Next byte to be read. */
  position: number;
  private readonly view: DataView;

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Steps over so many bytes; gives the position of the first. */
  take(count: number): number {
    const start = this.position;
    if (!(count >= 0 && start + count <= this.end))
      throw new RangeError(`${count} bytes at ${start} reach beyond ${this.end}`);
    this.position = start + count;
    return start;
  }

  u8(): number {
    return this.bytes[this.take(1)] as number;
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  f64(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      if (scale > 2 ** 46) throw new RangeError(`no varint ends at ${this.position}`);
    }
  }

  /** Bytes whose number stands before them as a varint. */
  sized(): Uint8Array {
    const size = this.varint();
    const start = this.take(size);
    return this.bytes.subarray(start, start + size);
  }

  text(): string {
    return Buffer.from(this.sized()).toString('utf8');
  }
}
