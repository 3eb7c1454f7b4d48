/**
 * The bytes of one simulated file. Copies share them until one is written to, so that thousands of
 * crash states of one disk cost little more than what differs between them.
 */
import { crc32 } from 'node:zlib';
import { crc32c } from '../base/crc32c.ts';

/** Smallest buffer of a file that grows. */
const MIN_BYTES = 512;

export class Content {
  length = 0;
  private bytes: Uint8Array;
  private isShared: boolean;
  private cachedDigest: number | undefined;

  constructor(bytes: Uint8Array = new Uint8Array(0), isShared: boolean = false) {
    this.bytes = bytes;
    this.length = bytes.length;
    this.isShared = isShared;
  }

  /** Another file with the same bytes. */
  copy(): Content {
    this.isShared = true;
    const copy = new Content(this.bytes, true);
    copy.length = this.length;
    copy.cachedDigest = this.cachedDigest;
    return copy;
  }

  /** What it holds now; not to be changed, and other after the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  read(into: Uint8Array, start: number, length: number, position: number): number {
    const count = Math.max(0, Math.min(length, this.length - position));
    into.set(this.bytes.subarray(position, position + count), start);
    return count;
  }

  write(bytes: Uint8Array, at: number): void {
    this.own(at + bytes.length);
    this.bytes.set(bytes, at);
  }

  /** Cuts it, or grows it by zeros. */
  resize(length: number): void {
    this.own(length);
    if (length < this.length) this.bytes.fill(0, length, this.length);
    this.length = length;
  }

  /** Equal for equal bytes, and for others with a chance of one in 2^53. */
  digest(): number {
    if (this.cachedDigest === undefined) {
      const bytes = this.view();
      this.cachedDigest = (crc32(bytes) & 0x1f_ffff) * 2 ** 32 + crc32c(bytes, 0, bytes.length);
    }
    return this.cachedDigest;
  }

  /** Makes the bytes this file's alone, and at least so many; what is new is zero. */
  private own(length: number): void {
    this.cachedDigest = undefined;
    if (this.isShared || length > this.bytes.length) {
      const isGrowing = length > this.bytes.length && this.length > 0;
      const room = isGrowing ? Math.max(length, this.bytes.length * 2, MIN_BYTES) : length;
      const own = new Uint8Array(Math.max(room, this.length));
      own.set(this.view());
      this.bytes = own;
      this.isShared = false;
    }
    this.length = Math.max(this.length, length);
  }
}
