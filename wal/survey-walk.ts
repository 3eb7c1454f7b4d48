/**
 * Walks the segments of a damaged log frame by frame and finds its footing again behind every
 * place that does not verify. Keeps count of what can be proved.
 *
 * Invariants: a record is kept only if every record before it was; `anchor` lies before the first
 * damaged place.
 */
import type { StoreError } from '../src/base/errors.ts';
import type { FileHandle, FileIo } from '../src/base/file-io.ts';
import { AttestedEnd } from './attested-end.ts';
import { FRAME_ALIGNMENT, FRAME_KIND, SEGMENT_HEADER } from './format.ts';
import { type Link, segmentSeed } from './frame.ts';
import { corrupt, ioError } from './log-error.ts';
import { type Attested, LOG_START, type LogEnd, NOTHING_ATTESTED, isBehind } from './position.ts';
import { findFrame } from './resync.ts';
import type { ScannedSegment } from './scan-report.ts';
import { closeFile } from './segment-chain.ts';
import { SegmentReader } from './segment-reader.ts';
import type { Member } from './survey-members.ts';

export interface WalkSource {
  readonly fileIo: FileIo;
  readonly storeId: Uint8Array;
  readonly members: readonly Member[];
  readonly oldest: number;
  /** By the manifest. */
  readonly attested: Attested;
  /** Every frame with records that can be kept, in order; it lies in the reader at `frameStart`. */
  readonly onKept?: ((reader: SegmentReader) => void | Promise<void>) | undefined;
}

/** What the walk found; the fields are explained in survey.ts. */
export interface Walked {
  readonly problems: readonly StoreError[];
  readonly segments: readonly ScannedSegment[];
  readonly anchor: LogEnd;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly knownOffset: number;
  readonly framesRead: number;
  readonly bytesLost: number;
}

/** One segment file while it is walked. */
interface Place {
  readonly member: Member;
  readonly handle: FileHandle;
  readonly reader: SegmentReader;
  /** Nothing at or behind this byte counts. */
  readonly limit: number;
}

export class SurveyWalk {
  private readonly source: WalkSource;
  private readonly problems: StoreError[] = [];
  private readonly segments: ScannedSegment[] = [];
  private readonly start: LogEnd;
  private readonly ends: AttestedEnd;
  /** The furthest place anything found attests. */
  private attested: Attested;
  private knownOffset: number;
  private lastOffset: number;
  /** First record not seen yet, kept or not. */
  private next: number;
  /** Everything so far followed the reading rules. */
  private isAnchored: boolean;
  /** No record is missing so far. */
  private isUnbroken = true;
  private framesRead = 0;
  private bytesLost = 0;
  /** Where the segment before ended. */
  private before: { readonly position: number; readonly chain: number };

  constructor(source: WalkSource) {
    this.source = source;
    const link = source.members[0]?.file.link;
    const isBeginning = link === undefined || link.continuedSegment === 0;
    const isKeptFrom = !isBeginning && link.continuedSegment < source.oldest;
    this.start = isKeptFrom ? placeBefore(link) : LOG_START;
    this.isAnchored = isBeginning || isKeptFrom;
    this.ends = new AttestedEnd(this.start);
    this.attested = source.attested;
    this.lastOffset = this.start.offset;
    this.next = this.start.offset + 1;
    this.knownOffset = Math.max(this.start.offset, source.attested.offset);
    this.before = { position: this.start.bytes, chain: this.start.chain };
  }

  /** @throws {StoreError} FORMAT_UNSUPPORTED, WAL_IO_ERROR */
  async run(): Promise<Walked> {
    for (const member of this.source.members) {
      const { path, number, sizeBytes } = member.file;
      const handle = await openFile(this.source.fileIo, path);
      try {
        const reader = new SegmentReader(handle, number, sizeBytes, this.source.storeId);
        const limit = Math.min(member.limit ?? sizeBytes, sizeBytes);
        await this.walk({ member, handle, reader, limit });
      } finally {
        await closeFile(handle);
      }
    }
    const { problems, segments, lastOffset, knownOffset, framesRead, bytesLost } = this;
    const firstOffset = this.start.offset + 1;
    const anchor = this.anchor();
    return {
      problems,
      segments,
      anchor,
      firstOffset,
      lastOffset,
      knownOffset,
      framesRead,
      bytesLost,
    };
  }

  private anchor(): LogEnd {
    if (this.attested.segment > this.ends.last.segment) return this.ends.last;
    this.ends.attest(this.attested);
    return this.ends.end;
  }

  private async walk(place: Place): Promise<void> {
    const { reader, limit } = place;
    let goesOn = await this.enter(place);
    while (goesOn && reader.position < limit) {
      const step = reader.step();
      if (step === 'more') await reader.fill();
      else if (step === 'frame') {
        await this.take(reader);
        reader.pass();
      } else goesOn = await this.passOver(place, step);
    }
    this.leave(place);
  }

  private async enter(place: Place): Promise<boolean> {
    const { reader } = place;
    const { file } = place.member;
    if (file.fault !== undefined) this.damaged(file.fault);
    if (file.link === undefined) {
      this.damaged(
        corrupt(file.name, SEGMENT_HEADER.size, 'its first frame does not verify', this.next),
      );
      reader.position = SEGMENT_HEADER.size;
      return this.goOnFrom(place, SEGMENT_HEADER.size);
    }
    reader.seek(SEGMENT_HEADER.size, file.link.chain, file.link.firstOffset);
    if (this.isAnchored && !this.continues(file.link)) {
      const what = 'it does not continue the segment before it';
      this.damaged(corrupt(file.name, SEGMENT_HEADER.size, what, this.next));
    }
    return true;
  }

  private continues(link: Link): boolean {
    const { position, chain } = this.before;
    return (
      position === link.continuedBytes && chain === link.chain && this.next === link.firstOffset
    );
  }

  private damaged(problem: StoreError): void {
    this.problems.push(problem);
    this.isAnchored = false;
  }

  private async take(reader: SegmentReader): Promise<void> {
    const { header } = reader;
    const attests = {
      segment: header.attestedSegment,
      bytes: header.attestedBytes,
      offset: header.attestedOffset,
    };
    if (isBehind(attests, this.attested)) this.attested = attests;
    if (header.kind === FRAME_KIND.mark) return;
    const lastOffset = header.firstOffset + header.recordCount - 1;
    if (this.isAnchored) this.ends.passed(reader.number, reader.frameEnd, header.crc, lastOffset);
    if (header.kind !== FRAME_KIND.data) return;
    this.knownOffset = Math.max(this.knownOffset, lastOffset);
    // Written again by a process that could not tell whether it was synced, or copied.
    if (lastOffset < this.next) return;
    if (header.firstOffset !== this.next) this.isUnbroken = false;
    this.next = lastOffset + 1;
    if (!this.isUnbroken) {
      this.bytesLost += header.frameBytes;
      return;
    }
    this.framesRead++;
    this.lastOffset = lastOffset;
    await this.source.onKept?.(reader);
  }

  /** Something does not verify here: the end of what was ever synced, or damage. False: nothing follows in this segment. */
  private async passOver(place: Place, step: 'bad' | 'misplaced'): Promise<boolean> {
    const { member, reader, handle, limit } = place;
    const at = reader.position;
    if (step === 'bad' && member.limit === undefined && !(await this.isAttested(place)))
      return false;
    const what =
      step === 'bad' ? 'a frame does not verify' : 'a frame that belongs elsewhere stands here';
    this.damaged(corrupt(member.file.name, at, what, reader.nextOffset));
    const seed = segmentSeed(this.source.storeId, reader.number);
    const here = await findFrame(handle, seed, at, limit);
    if (here?.position !== at || step === 'misplaced')
      return this.goOnFrom(place, at + FRAME_ALIGNMENT);
    // The header is whole and tells what is lost.
    this.knownOffset = Math.max(this.knownOffset, here.firstOffset + here.recordCount - 1);
    return this.goOnFrom(place, at + here.frameBytes);
  }

  /** Was anything at or behind the reader's place synced? By the rules of scan.ts. */
  private async isAttested(place: Place): Promise<boolean> {
    const { reader, member } = place;
    const here = { segment: reader.number, bytes: reader.position };
    const found = await reader.search();
    if (isBehind(found.attested ?? NOTHING_ATTESTED, here)) return true;
    const { attested, members } = this.source;
    // In a segment with a successor, what the manifest says of that one says nothing about this.
    const isLast = member === members.at(-1);
    return (isLast || attested.segment === reader.number) && isBehind(attested, here);
  }

  private async goOnFrom(place: Place, from: number): Promise<boolean> {
    const { reader, handle, limit } = place;
    const at = reader.position;
    const seed = segmentSeed(this.source.storeId, reader.number);
    const found = await findFrame(handle, seed, from, limit);
    if (found === undefined) {
      const { lastByte } = await reader.search();
      this.bytesLost += Math.max(0, Math.min(lastByte, limit) - at);
      return false;
    }
    this.bytesLost += found.position - at;
    reader.seek(found.position, found.chain, found.firstOffset);
    return true;
  }

  private leave(place: Place): void {
    const { member, reader, limit } = place;
    const { number, path, sizeBytes, link } = member.file;
    const offset = this.next - 1;
    if (this.isAnchored && member.limit !== undefined)
      this.ends.attest({ segment: number, bytes: limit, offset });
    this.before = { position: reader.position, chain: reader.chain };
    const firstOffset = link?.firstOffset ?? this.next;
    const usedBytes = reader.position;
    this.segments.push({ number, path, sizeBytes, usedBytes, firstOffset, lastOffset: offset });
  }
}

function placeBefore(link: Link): LogEnd {
  const { continuedSegment: segment, continuedBytes: bytes, chain, firstOffset } = link;
  return { segment, bytes, chain, offset: firstOffset - 1 };
}

async function openFile(fileIo: FileIo, path: string): Promise<FileHandle> {
  try {
    return await fileIo.open(path, 'read');
  } catch (error) {
    throw ioError(error, 'open', path);
  }
}
