/**
 * Finds frames behind a place that does not verify: a search for sealed headers in steps of the
 * alignment, as `SegmentReader.search` does, but one place at a time. For verification and repair
 * alone; nothing found here is ever served.
 */
import type { FileHandle } from '../src/base/file-io.ts';
import { KiB } from '../src/base/units.ts';
import { FRAME, FRAME_ALIGNMENT, FRAME_MAGIC } from './format.ts';
import { FrameHeader } from './frame.ts';
import { ioError } from './log-error.ts';

const CHUNK_BYTES: number = 256 * KiB;

/** A sealed header, and what a reader needs to go on with its frame. */
export interface FoundFrame {
  readonly position: number;
  readonly chain: number;
  readonly firstOffset: number;
  readonly recordCount: number;
  readonly frameBytes: number;
}

/** The first sealed, plausible header at or behind `from` whose frame ends by `limit`. */
export async function findFrame(
  handle: FileHandle,
  seed: number,
  from: number,
  limit: number,
): Promise<FoundFrame | undefined> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const view = new DataView(buffer.buffer);
  const words = new Uint16Array(buffer.buffer);
  const header = new FrameHeader();
  const start = from + ((FRAME_ALIGNMENT - (from % FRAME_ALIGNMENT)) % FRAME_ALIGNMENT);
  // Chunks overlap by a header, so that none is missed between two of them.
  for (let chunk = start; chunk + FRAME.size <= limit; chunk += CHUNK_BYTES - FRAME.size) {
    const length = await readSome(handle, buffer, chunk, limit);
    for (let at = 0; at + FRAME.size <= length; at += FRAME_ALIGNMENT) {
      if (words[(at + FRAME.magic) >> 1] !== FRAME_MAGIC) continue;
      if (!header.read(buffer, view, at, seed) || !header.isPlausible) continue;
      const { firstOffset, recordCount, frameBytes } = header;
      if (chunk + at + frameBytes > limit) continue;
      return { position: chunk + at, chain: header.chain, firstOffset, recordCount, frameBytes };
    }
  }
  return undefined;
}

async function readSome(
  handle: FileHandle,
  into: Buffer,
  position: number,
  limit: number,
): Promise<number> {
  try {
    return await handle.read(into, 0, Math.min(into.length, limit - position), position);
  } catch (error) {
    throw ioError(error, 'read', handle.path);
  }
}
