/**
 * Short byte ranges set aside as they were. Small ones share a chunk, so that one nobody looks at
 * costs a few copied bytes and no object; a chunk lives as long as anybody holds a range of it.
 */
import { copyBytes } from './bytes.ts';

export class ByteCopies {
  private readonly chunkBytes: number;
  private chunk: Buffer;
  private next = 0;
  /** Where the copy made last lies. */
  bytes: Uint8Array;
  start = 0;
  end = 0;

  constructor(chunkBytes: number) {
    this.chunkBytes = chunkBytes;
    this.chunk = Buffer.allocUnsafeSlow(chunkBytes);
    this.bytes = this.chunk;
  }

  copy(source: Uint8Array, from: number, to: number): void {
    const length = to - from;
    if (length > this.chunkBytes / 4) {
      this.bytes = Buffer.from(source.subarray(from, to));
      this.start = 0;
      this.end = length;
      return;
    }
    if (this.next + length > this.chunkBytes) {
      this.chunk = Buffer.allocUnsafeSlow(this.chunkBytes);
      this.next = 0;
    }
    this.bytes = this.chunk;
    this.start = this.next;
    copyBytes(source, from, to, this.chunk, this.next);
    this.next += length;
    this.end = this.next;
  }

  /** Nobody holds a range any more: the chunk is used again from its start. */
  reuse(): void {
    this.next = 0;
  }
}
