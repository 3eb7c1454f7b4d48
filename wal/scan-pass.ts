/**
 * One walk over the frames of a log. Every segment is read to the end its successor names; the
 * last one to the first frame that does not verify. Whether that is a torn tail or damage is
 * decided by what attests (numbered steps in docs/format.md).
 */
import type { FileIo } from '../src/base/file-io.ts';
import { AttestedEnd } from './attested-end.ts';
import { FRAME_KIND, SEGMENT_HEADER } from './format.ts';
import type { LogDirectory } from './log-directory.ts';
import { corrupt } from './log-error.ts';
import type { ManifestReading } from './manifest.ts';
import { LOG_START, type LogEnd, NOTHING_ATTESTED, isBehind, placeBefore } from './position.ts';
import type { ScanOptions, ScanReport, ScannedSegment } from './scan-report.ts';
import {
  type LinkedSegment,
  type SegmentChain,
  misplaced,
  openReader,
  undecodable,
} from './segment-chain.ts';
import { segmentName } from './segment-name.ts';
import type { SegmentReader } from './segment-reader.ts';

export class ScanPass {
  private readonly fileIo: FileIo;
  private readonly manifest: ManifestReading;
  private readonly files: LogDirectory;
  private readonly chain: SegmentChain;
  private readonly options: ScanOptions;
  private readonly segments: ScannedSegment[] = [];
  private readonly ends: AttestedEnd;
  private end: LogEnd;
  private framesRead = 0;
  private recordsRead = 0;
  private bytesTruncated: number;
  private deliverUpTo = Number.POSITIVE_INFINITY;
  /** Last record the caller has already; 0: none, or it was not asked. */
  private readonly has: number;
  private readonly mustMeet: boolean;

  constructor(
    fileIo: FileIo,
    manifest: ManifestReading,
    files: LogDirectory,
    chain: SegmentChain,
    options: ScanOptions,
    has: number | undefined,
  ) {
    this.fileIo = fileIo;
    this.manifest = manifest;
    this.files = files;
    this.chain = chain;
    this.options = options;
    this.has = has ?? 0;
    this.mustMeet = has !== undefined;
    this.bytesTruncated = chain.bytesDropped;
    const first = chain.segments[0];
    this.end = first === undefined ? LOG_START : placeBefore(first.link);
    this.ends = new AttestedEnd(this.end);
  }

  async run(): Promise<ScanReport> {
    const { segments } = this.chain;
    const firstOffset = this.end.offset + 1;
    for (const [i, file] of segments.entries()) {
      const next = segments[i + 1];
      if (next === undefined) await this.readLast(file);
      else if (this.has > 0 && next.link.firstOffset <= this.has + 1) this.passOver(file, next);
      else await this.readWhole(file, next);
    }
    this.checkManifest();
    if (this.mustMeet) checkMeets(this.has, firstOffset, this.end, segments[0]?.number);
    if (this.options.strict === true && this.bytesTruncated > 0) {
      throw corrupt(
        segmentName(this.end.segment),
        this.end.bytes,
        'the last frame is torn, and strict was asked for',
        this.end.offset + 1,
      );
    }
    return {
      manifest: this.manifest,
      files: this.files,
      chain: this.chain,
      segments: this.segments,
      firstOffset,
      end: this.end,
      attested: this.ends.attested,
      attestedEnd: this.ends.end,
      framesRead: this.framesRead,
      recordsRead: this.recordsRead,
      bytesTruncated: this.bytesTruncated,
      firstBadOffset: this.bytesTruncated > 0 ? this.end.offset + 1 : undefined,
    };
  }

  /** What the caller has of it was synced, and so was the link behind it: that one says how this segment ends. */
  private passOver(file: LinkedSegment, { link: next }: LinkedSegment): void {
    const { number, path, sizeBytes, link } = file;
    const { continuedBytes: bytes, chain, firstOffset } = next;
    const offset = firstOffset - 1;
    this.ends.passed(number, bytes, chain, offset);
    this.ends.attest({ segment: number, bytes, offset });
    this.end = this.ends.last;
    this.options.places?.note(file, SEGMENT_HEADER.size, link.chain, link.firstOffset, bytes);
    this.segments.push({
      number,
      path,
      sizeBytes,
      usedBytes: bytes,
      firstOffset: link.firstOffset,
      lastOffset: offset,
    });
  }

  /** A segment with a successor: every byte up to the end that one names was synced. */
  private async readWhole(file: LinkedSegment, next: LinkedSegment): Promise<void> {
    const { reader, close } = await openReader(this.fileIo, file, this.manifest.state.storeId);
    try {
      reader.seek(SEGMENT_HEADER.size, file.link.chain, file.link.firstOffset);
      const limit = next.link.continuedBytes;
      const result = await this.walk(reader, limit);
      if (result === 'misplaced') throw misplaced(reader);
      const name = segmentName(file.number);
      if (result === 'bad')
        throw corrupt(
          name,
          reader.position,
          'a frame does not verify, and the next segment continues behind it',
          reader.nextOffset,
        );
      const continues =
        reader.position === limit &&
        reader.chain === next.link.chain &&
        reader.nextOffset === next.link.firstOffset;
      if (!continues)
        throw corrupt(
          segmentName(next.number),
          SEGMENT_HEADER.size,
          `it does not continue ${name}`,
          reader.nextOffset,
        );
      this.ends.attest({ segment: file.number, bytes: limit, offset: reader.nextOffset - 1 });
      this.note(file, reader);
    } finally {
      await close();
    }
  }

  private async readLast(file: LinkedSegment): Promise<void> {
    const { reader, close } = await openReader(this.fileIo, file, this.manifest.state.storeId);
    try {
      const start = (): void =>
        reader.seek(SEGMENT_HEADER.size, file.link.chain, file.link.firstOffset);
      start();
      if (this.options.deliver === 'attested') {
        this.deliverUpTo = 0;
        await this.readToEnd(reader);
        this.deliverUpTo = this.ends.end.offset;
        start();
        await this.walk(reader, reader.sizeBytes);
      } else await this.readToEnd(reader);
      this.note(file, reader);
    } finally {
      await close();
    }
  }

  /** To the first frame that does not verify, and no further. */
  private async readToEnd(reader: SegmentReader): Promise<void> {
    for (;;) {
      if ((await this.walk(reader, reader.sizeBytes)) === 'misplaced') throw misplaced(reader);
      const found = await reader.search();
      const here = { segment: reader.number, bytes: reader.position };
      const attests = found.attested ?? NOTHING_ATTESTED;
      if (!isBehind(attests, here) && !isBehind(this.manifest.state.attested, here)) {
        // Even the header of a torn frame tells the truth about what was synced before it.
        this.ends.attest(attests);
        this.bytesTruncated += found.lastByte - reader.position;
        return;
      }
      // The writer of a live log may have written here after we looked: only what the disk says now is damage.
      reader.forget();
      await reader.fill();
      if (reader.step() !== 'frame') {
        throw corrupt(
          segmentName(reader.number),
          reader.position,
          'a frame that was synced does not verify',
          reader.nextOffset,
        );
      }
    }
  }

  private async walk(reader: SegmentReader, limit: number): Promise<'end' | 'bad' | 'misplaced'> {
    while (reader.position < limit) {
      const step = reader.step();
      if (step === 'frame') {
        this.take(reader);
        reader.pass();
      } else if (step === 'more') await reader.fill();
      else return step;
    }
    return 'end';
  }

  private take(reader: SegmentReader): void {
    const header = reader.header;
    const { position, chain, nextOffset, frameEnd } = reader;
    this.options.places?.note(reader, position, chain, nextOffset, frameEnd);
    if (header.attestedBytes > 0)
      this.ends.attestAt(header.attestedSegment, header.attestedBytes, header.attestedOffset);
    if (header.kind === FRAME_KIND.mark) return;
    const lastOffset = header.firstOffset + header.recordCount - 1;
    this.ends.passed(reader.number, reader.frameEnd, header.crc, lastOffset);
    if (header.kind !== FRAME_KIND.data) return;
    if (lastOffset <= this.has) {
      // Whoever has it made sure that it was synced.
      this.ends.attestAt(reader.number, reader.frameEnd, lastOffset);
      return;
    }
    if (lastOffset > this.deliverUpTo) return;
    this.framesRead++;
    this.recordsRead += lastOffset - Math.max(this.has, header.firstOffset - 1);
    this.deliver(reader);
  }

  private deliver(reader: SegmentReader): void {
    const { header } = reader;
    try {
      this.options.onFrame?.(
        reader.bytes,
        reader.payloadStart,
        reader.payloadEnd,
        header.firstOffset,
        header.recordCount,
      );
    } catch (error) {
      throw undecodable(error, reader);
    }
  }

  private note(file: LinkedSegment, reader: SegmentReader): void {
    this.end = this.ends.last;
    this.segments.push({
      number: file.number,
      path: file.path,
      sizeBytes: file.sizeBytes,
      usedBytes: reader.position,
      firstOffset: file.link.firstOffset,
      lastOffset: reader.nextOffset - 1,
    });
  }

  /** What the manifest attests must have been found. */
  private checkManifest(): void {
    const { attested } = this.manifest.state;
    if (attested.offset > this.end.offset) {
      const what = `records up to ${attested.offset} were synced, found is ${this.end.offset}`;
      throw corrupt(
        segmentName(Math.max(1, attested.segment)),
        attested.bytes,
        what,
        this.end.offset + 1,
      );
    }
    if (attested.segment > 0) this.ends.attest(attested);
  }
}

/** What the layer above has and what the log has must meet. @throws {StoreError} CORRUPT */
export function checkMeets(
  has: number,
  firstOffset: number,
  end: LogEnd,
  firstSegment: number | undefined,
): void {
  if (has < firstOffset - 1) {
    const what = `the log begins with record ${firstOffset}, and what it continues ends with record ${has}`;
    throw corrupt(segmentName(firstSegment ?? 1), SEGMENT_HEADER.size, what, has + 1);
  }
  if (end.offset >= has) return;
  const what = `the log ends with record ${end.offset}, and record ${has} was synced`;
  throw corrupt(segmentName(Math.max(1, end.segment)), end.bytes, what, end.offset + 1);
}
