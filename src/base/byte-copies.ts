/**
 * Short byte ranges set aside as they were. Small ones share a chunk, so that one nobody looks at
 * costs a few copied bytes and no object; a chunk lives as long as anybody holds a range of it.
 */
import { type ByteWriter, copyBytes, copyWords } from './bytes.ts';

export class ByteCopies {
  private readonly chunkBytes: number;
  private chunk: Buffer;
  private view: DataView;
  private next = 0;
  /** Where the copy made last lies. */
  bytes: Uint8Array;
  start = 0;
  end = 0;

  constructor(chunkBytes: number) {
    this.chunkBytes = chunkBytes;
    this.chunk = Buffer.allocUnsafeSlow(chunkBytes);
    this.view = viewOf(this.chunk);
    this.bytes = this.chunk;
  }

  copy(source: Uint8Array, from: number, to: number): void {
    if (this.takeRoom(to - from)) copyBytes(source, from, to, this.chunk, this.start);
    else this.bytes = Buffer.from(source.subarray(from, to));
  }

  /** What a writer holds. */
  copyOf(writer: ByteWriter): void {
    const length = writer.position;
    if (this.takeRoom(length)) copyWords(writer.view, 0, length, this.view, this.start);
    else this.bytes = Buffer.from(writer.bytes.subarray(0, length));
  }

  /** Sets bytes, start and end; false when the range is to have a buffer of its own. */
  private takeRoom(length: number): boolean {
    if (length > this.chunkBytes / 4) {
      this.start = 0;
      this.end = length;
      return false;
    }
    if (this.next + length > this.chunkBytes) {
      this.chunk = Buffer.allocUnsafeSlow(this.chunkBytes);
      this.view = viewOf(this.chunk);
      this.next = 0;
    }
    this.bytes = this.chunk;
    this.start = this.next;
    this.next += length;
    this.end = this.next;
    return true;
  }

  /** Nobody holds a range any more: the chunk is used again from its start. */
  reuse(): void {
    this.next = 0;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
