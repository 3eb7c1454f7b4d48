/**
 * What the scalar kernel computes over: plain bytes that grow by copying, views of them, and the addresses
 * in header and working space. Names of addresses and fields are those of assembly/fields.ts.
 */
import type { KernelMemory } from './kernel.ts';

export class PlainMemory implements KernelMemory {
  buffer: ArrayBuffer;

  constructor(bytes: number) {
    this.buffer = new ArrayBuffer(bytes);
  }

  growTo(bytes: number): void {
    if (bytes <= this.buffer.byteLength) return;
    // Half as much again, so that growing costs each byte a constant number of copies.
    const grown = new ArrayBuffer(Math.max(bytes, Math.ceil(this.buffer.byteLength * 1.5)));
    new Uint8Array(grown).set(new Uint8Array(this.buffer));
    this.buffer = grown;
  }
}

const HEADER = 16;

/** Views of a memory, and where things are in it: indexes into the view of their elements. */
export class ScalarView {
  readonly u8: Uint8Array;
  readonly i8: Int8Array;
  readonly i16: Int16Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  private readonly header: Uint32Array;
  private readonly scratch: Uint32Array;

  constructor(buffer: ArrayBufferLike, scratch: number) {
    const whole = buffer.byteLength >> 2;
    this.u8 = new Uint8Array(buffer);
    this.i8 = new Int8Array(buffer);
    this.i16 = new Int16Array(buffer, 0, whole * 2);
    this.u32 = new Uint32Array(buffer, 0, whole);
    this.f32 = new Float32Array(buffer, 0, whole);
    this.header = this.u32.subarray(HEADER, HEADER + 32);
    this.scratch = this.u32.subarray(scratch >> 2, (scratch >> 2) + 32);
  }

  /** A number of the header. */
  of(field: number): number {
    return this.header[field] ?? 0;
  }

  /** A number of the working space. */
  at(field: number): number {
    return this.scratch[field] ?? 0;
  }

  set(field: number, value: number): void {
    this.scratch[field] = value;
  }

  word(i: number): number {
    return this.u32[i] ?? 0;
  }

  /** Byte address of a node's block. */
  block(slot: number): number {
    const shift = this.of(4);
    return this.of(2) + (slot >>> shift) * this.of(3) + (slot & (2 ** shift - 1)) * this.of(5);
  }

  code(slot: number): number {
    return this.block(slot) + this.of(6);
  }

  row(slot: number): number {
    const shift = this.of(4);
    const extent = this.of(2) + (slot >>> shift) * this.of(3);
    return extent + this.of(8) + (slot & (2 ** shift - 1)) * this.of(9);
  }

  /** Index into u32 of a node's links. */
  links(slot: number, level: number): number {
    if (level === 0) return this.block(slot) / 4;
    const shift = this.of(4);
    const place = (slot & (2 ** shift - 1)) >>> (level * this.of(12));
    const extent = this.of(2) + (slot >>> shift) * this.of(3);
    return (extent + this.of(13 + level) + place * this.of(13)) / 4;
  }

  capacity(level: number): number {
    return level === 0 ? 2 * this.of(11) : this.of(11);
  }

  passes(slot: number): boolean {
    return ((this.word((this.at(17) >> 2) + (slot >>> 5)) >>> (slot & 31)) & 1) === 1;
  }

  nextEpoch(): number {
    let next = this.at(2) + 1;
    if (next > 255) {
      this.u8.fill(0, this.at(0), this.at(0) + this.at(1));
      next = 1;
    }
    this.set(2, next);
    return next;
  }
}
