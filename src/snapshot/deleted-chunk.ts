/**
 * The list of deleted instances to and from bytes: which, when, and by which record; oldest first.
 */
import type { ByteWriter } from '../base/bytes.ts';
import { DELETED } from './format.ts';

export interface DeletedEntry {
  readonly handle: number;
  readonly time: number;
  readonly offset: number;
}

export function writeDeleted(out: ByteWriter, { handle, time, offset }: DeletedEntry): void {
  out.u32(handle);
  out.u32(0);
  out.f64(time);
  out.f64(offset);
}

/** Collects the list of deleted ones, chunk by chunk. */
export class DeletedReader {
  length = 0;
  readonly handles: Uint32Array;
  readonly times: Float64Array;
  readonly offsets: Float64Array;

  constructor(length: number) {
    this.handles = new Uint32Array(length);
    this.times = new Float64Array(length);
    this.offsets = new Float64Array(length);
  }

  /** False when there are more than announced, or a handle is none. */
  read(bytes: Buffer, count: number, rows: number): boolean {
    if (bytes.length !== count * DELETED.size) return false;
    if (this.length + count > this.handles.length) return false;
    for (let at = 0; at < bytes.length; at += DELETED.size) {
      const handle = bytes.readUInt32LE(at + DELETED.handle);
      if (handle >= rows) return false;
      this.handles[this.length] = handle;
      this.times[this.length] = bytes.readDoubleLE(at + DELETED.time);
      this.offsets[this.length] = bytes.readDoubleLE(at + DELETED.offset);
      this.length++;
    }
    return true;
  }
}
