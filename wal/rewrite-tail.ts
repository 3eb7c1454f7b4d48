/**
 * Frames at the end of the log that verify but that nothing attests may exist in the page cache
 * only. Before anything is served they are written again, with their offsets, as the first frames
 * of a new segment, synced, and attested by a mark. The old ones are never touched; until the last
 * frame of the new segment is there it is void, so this may die and be repeated at any point.
 */
import type { FileIo } from '../src/base/file-io.ts';
import { MiB } from '../src/base/units.ts';
import type { Appender } from './appender.ts';
import { datasync, writeAll } from './file-write.ts';
import { FRAME, FRAME_KIND, LINK_FRAME_BYTES, SEGMENT_HEADER } from './format.ts';
import { FrameHeader } from './frame.ts';
import { corrupt, ioError } from './log-error.ts';
import type { LogEnd } from './position.ts';
import type { Segment } from './prepare-segment.ts';
import type { ScanReport } from './scan-report.ts';
import { type LinkedSegment, openReader } from './segment-chain.ts';
import { segmentName } from './segment-name.ts';
import type { SegmentReader } from './segment-reader.ts';

const BUFFER_BYTES: number = 1 * MiB;

export function isInDoubt(report: ScanReport): boolean {
  return report.end.offset > report.attestedEnd.offset;
}

/** Upper bound of the bytes the frames in doubt take; there must be some. */
export function bytesInDoubt(report: ScanReport): number {
  const from =
    report.attestedEnd.segment === report.end.segment
      ? report.attestedEnd.bytes
      : SEGMENT_HEADER.size;
  return report.end.bytes - from;
}

/** Leaves `appender` behind the mark in `segment`, everything synced. */
export async function rewriteTail(
  fileIo: FileIo,
  report: ScanReport,
  segment: Segment,
  appender: Appender,
): Promise<void> {
  const last = report.chain.segments.at(-1) as LinkedSegment;
  const { reader, close } = await openReader(fileIo, last, report.manifest.state.storeId);
  try {
    const writer = new TailWriter(segment, appender, report);
    await copyFrames(reader, last, report, writer);
    await writer.finish();
  } catch (error) {
    throw ioError(error, 'writing the end of the log again', segment.path);
  } finally {
    await close();
  }
}

async function copyFrames(
  reader: SegmentReader,
  last: LinkedSegment,
  report: ScanReport,
  writer: TailWriter,
): Promise<void> {
  const { attestedEnd, end } = report;
  if (attestedEnd.segment === last.number)
    reader.seek(attestedEnd.bytes, attestedEnd.chain, attestedEnd.offset + 1);
  else reader.seek(SEGMENT_HEADER.size, last.link.chain, last.link.firstOffset);
  while (reader.nextOffset <= end.offset) {
    const step = reader.step();
    if (step === 'more') await reader.fill();
    else if (step === 'frame') {
      if (reader.header.kind === FRAME_KIND.data) await writer.add(reader);
      reader.pass();
    } else
      throw corrupt(
        segmentName(last.number),
        reader.position,
        'a frame that verified a moment ago does not any more',
        reader.nextOffset,
      );
  }
}

class TailWriter {
  private buffer: Buffer;
  private view: DataView;
  private filled = 0;
  private position: number = SEGMENT_HEADER.size;
  private chain: number;
  private end: LogEnd;
  private readonly header = new FrameHeader();
  private readonly segment: Segment;
  private readonly appender: Appender;
  private readonly report: ScanReport;

  constructor(segment: Segment, appender: Appender, report: ScanReport) {
    this.segment = segment;
    this.appender = appender;
    this.report = report;
    this.buffer = Buffer.allocUnsafeSlow(Math.min(BUFFER_BYTES, segment.sizeBytes));
    this.view = new DataView(this.buffer.buffer);
    appender.enter(segment);
    appender.rewrittenThrough = report.end.offset;
    appender.sealLink(this.buffer, this.view, 0, report.attestedEnd.offset + 1);
    appender.rewrittenThrough = 0;
    this.filled = LINK_FRAME_BYTES;
    this.chain = this.view.getUint32(0, true);
    this.end = report.attestedEnd;
  }

  /** The frame the reader is at, sealed again for this segment. */
  async add(reader: SegmentReader): Promise<void> {
    const from = reader.header;
    if (this.filled + from.frameBytes > this.buffer.length) await this.flush();
    if (from.frameBytes > this.buffer.length) this.grow(from.frameBytes);
    const at = this.filled;
    this.buffer.set(
      reader.bytes.subarray(reader.frameStart, reader.frameStart + from.frameBytes),
      at,
    );
    const { header } = this;
    const { attestedEnd } = this.report;
    header.kind = FRAME_KIND.data;
    header.payloadLength = from.payloadLength;
    header.recordCount = from.recordCount;
    header.firstOffset = from.firstOffset;
    header.chain = this.chain;
    header.attestedSegment = attestedEnd.segment;
    header.attestedBytes = attestedEnd.bytes;
    header.attestedOffset = attestedEnd.offset;
    this.chain = header.seal(this.buffer, this.view, at, this.segment.seed);
    this.filled += from.frameBytes;
    this.end = {
      segment: this.segment.number,
      bytes: this.position + this.filled,
      chain: this.chain,
      offset: from.firstOffset + from.recordCount - 1,
    };
  }

  private async flush(): Promise<void> {
    await writeAll(this.segment.plain, this.buffer, 0, this.filled, this.position);
    this.position += this.filled;
    this.filled = 0;
  }

  private grow(bytes: number): void {
    this.buffer = Buffer.allocUnsafeSlow(bytes);
    this.view = new DataView(this.buffer.buffer);
  }

  async finish(): Promise<void> {
    await this.flush();
    await datasync(this.segment.plain);
    const synced = { segment: this.segment.number, bytes: this.position, offset: this.end.offset };
    this.appender.resume(this.segment, this.position, this.end, synced);
    this.appender.sealMark();
    const { bytes, start, length, at } = this.appender.placed;
    await writeAll(this.segment.plain, bytes, start, length, at);
    await datasync(this.segment.plain);
    this.appender.noteSynced(this.appender.capture());
  }
}

/** Bytes a segment needs for frames written again and the mark behind them. */
export function rewriteRoom(bytes: number): number {
  return SEGMENT_HEADER.size + LINK_FRAME_BYTES + bytes + 2 * FRAME.size;
}
