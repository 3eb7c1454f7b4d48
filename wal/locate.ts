/** Where in its file a record lies, for messages about it. */
import type { FileIo } from '../src/base/file-io.ts';
import { SEGMENT_HEADER } from './format.ts';
import { segmentSeed } from './frame.ts';
import { findFrame } from './resync.ts';
import type { ScannedSegment } from './scan-report.ts';
import { segmentName } from './segment-name.ts';

/** File and first byte of the frame with record `offset`; undefined when no segment has it. */
export async function locateFrame(
  fileIo: FileIo,
  segments: readonly ScannedSegment[],
  storeId: Uint8Array,
  offset: number,
): Promise<{ readonly file: string; readonly byteOffset: number } | undefined> {
  const segment = segments.find((one) => one.firstOffset <= offset && offset <= one.lastOffset);
  if (segment === undefined) return undefined;
  const seed = segmentSeed(storeId, segment.number);
  const handle = await fileIo.open(segment.path, 'read');
  try {
    let from: number = SEGMENT_HEADER.size;
    for (;;) {
      const frame = await findFrame(handle, seed, from, segment.usedBytes);
      if (frame === undefined) return undefined;
      if (frame.firstOffset + frame.recordCount > offset)
        return { file: segmentName(segment.number), byteOffset: frame.position };
      from = frame.position + frame.frameBytes;
    }
  } finally {
    await handle.close();
  }
}
