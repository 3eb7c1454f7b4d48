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
import { corrupt } from './log-error.ts';
import {
  type Attested,
  LOG_START,
  type LogEnd,
  NOTHING_ATTESTED,
  isBehind,
  placeBefore,
} from './position.ts';
import { findFrame } from './resync.ts';
import type { ScannedSegment } from './scan-report.ts';
import { openReader } from './segment-chain.ts';
import type { SegmentReader } from './segment-reader.ts';
import { segmentName } from './segment-name.ts';
import type { Member } from './survey-members.ts';
import { KeptRun } from './survey-run.ts';

export interface WalkSource {
  readonly fileIo: FileIo;
  readonly storeId: Uint8Array;
  readonly members: readonly Member[];
  readonly oldest: number;
  /** By the manifest. */
  readonly attested: Attested;
  /** Every frame with records that can be kept, in order; it lies in the reader at `frameStart`. */
  readonly onKept?: ((reader: SegmentReader) => void | Promise<void>) | undefined;
  /** Frames given so far are not kept after all. */
  readonly onStartOver?: (() => void) | undefined;
  /** Nothing but the files says where the log begins. */
  readonly isOpen: boolean;
  /** Records up to this one are not needed. */
  readonly coveredThrough: number | undefined;
}

/** What the walk found; the fields are explained in survey.ts. */
export interface Walked {
  readonly problems: readonly StoreError[];
  readonly segments: readonly ScannedSegment[];
  readonly passedOver: readonly number[];
  readonly oldest: number | undefined;
  readonly unmet: StoreError | undefined;
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
  private segments: ScannedSegment[] = [];
  private readonly passedOver: number[] = [];
  private readonly kept: KeptRun;
  private ends: AttestedEnd;
  /** The furthest place anything found attests. */
  private attested: Attested;
  private knownOffset: number;
  /** Everything so far followed the reading rules. */
  private isAnchored: boolean;
  private bytesLost = 0;
  /** Where the segment before ended. */
  private before: { readonly position: number; readonly chain: number };

  constructor(source: WalkSource) {
    this.source = source;
    const { oldest, coveredThrough: covered } = source;
    const { link, number = 0 } = source.members[0]?.file ?? {};
    const isBeginning = link === undefined || link.continuedSegment === 0;
    const isKeptFrom = !isBeginning && link.continuedSegment < oldest;
    const start = isKeptFrom ? placeBefore(link) : LOG_START;
    // The very first segment begins with the first record, whatever became of it.
    const isFirst = number === 1 || link?.continuedSegment === 0;
    const isOpen = source.isOpen && !isFirst && !isKeptFrom;
    // Without a link its number tells.
    const isLater = link === undefined ? Math.max(number, oldest) > 1 : link.firstOffset > 1;
    this.kept = new KeptRun({ start, oldest, isOpen, isLater, covered });
    this.isAnchored = isBeginning || isKeptFrom;
    this.ends = new AttestedEnd(start);
    this.attested = source.attested;
    this.knownOffset = Math.max(start.offset, source.attested.offset);
    this.before = { position: start.bytes, chain: start.chain };
  }

  /** @throws {StoreError} FORMAT_UNSUPPORTED, WAL_IO_ERROR */
  async run(): Promise<Walked> {
    const { fileIo, storeId, members } = this.source;
    for (const member of members) {
      const { file, limit = file.sizeBytes } = member;
      const { reader, handle, close } = await openReader(fileIo, file, storeId);
      try {
        await this.walk({ member, handle, reader, limit: Math.min(limit, file.sizeBytes) });
      } finally {
        await close();
      }
    }
    const unmet = this.kept.meetsCovered ? undefined : this.keepNothing();
    const { problems, segments, passedOver, knownOffset, bytesLost } = this;
    const { start, lastOffset, framesRead, oldest } = this.kept;
    const firstOffset = start.offset + 1;
    const anchor = this.anchor();
    return {
      problems,
      segments,
      passedOver,
      oldest,
      unmet,
      anchor,
      firstOffset,
      lastOffset,
      knownOffset,
      framesRead,
      bytesLost,
    };
  }

  /** The log begins behind this place; what was found before it is no part of it. */
  private startOver(start: LogEnd, oldest: number | undefined): void {
    this.passedOver.push(...this.segments.map(({ number }) => number));
    this.segments = [];
    this.kept.begin(start, oldest);
    this.ends = new AttestedEnd(start);
    this.isAnchored = oldest !== undefined;
    this.before = { position: start.bytes, chain: start.chain };
    this.knownOffset = Math.max(this.knownOffset, start.offset);
    this.source.onStartOver?.();
  }

  /** Records are missing between what the layer above has and what is here, or this ends before. */
  private keepNothing(): StoreError {
    const { coveredThrough: covered = 0, members } = this.source;
    const { start, lastOffset } = this.kept;
    const what = `the log holds the records ${start.offset + 1} to ${lastOffset}, needed are those behind ${covered}`;
    const name = members[0]?.file.name ?? segmentName(1);
    const unmet = corrupt(name, SEGMENT_HEADER.size, what, covered + 1);
    this.problems.push(unmet);
    this.bytesLost += this.segments.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
    const segment = Math.max(1, members.at(-1)?.file.number ?? 1);
    this.startOver({ segment, bytes: 0, chain: 0, offset: covered }, undefined);
    return unmet;
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
        corrupt(file.name, SEGMENT_HEADER.size, 'its first frame does not verify', this.kept.next),
      );
      reader.position = SEGMENT_HEADER.size;
      return this.goOnFrom(place, SEGMENT_HEADER.size);
    }
    reader.seek(SEGMENT_HEADER.size, file.link.chain, file.link.firstOffset);
    if (this.kept.mayBeginAt(file.link.firstOffset))
      this.startOver(placeBefore(file.link), file.number);
    if (this.isAnchored && !this.continues(file.link)) {
      const what = 'it does not continue the segment before it';
      this.damaged(corrupt(file.name, SEGMENT_HEADER.size, what, this.kept.next));
    }
    return true;
  }

  private continues(link: Link): boolean {
    const { position, chain } = this.before;
    return (
      position === link.continuedBytes &&
      chain === link.chain &&
      this.kept.next === link.firstOffset
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
    const { firstOffset, frameBytes } = header;
    if (this.kept.mayBeginAt(firstOffset)) {
      const { number: segment, position: bytes } = reader;
      this.startOver({ segment, bytes, chain: 0, offset: firstOffset - 1 }, undefined);
    }
    const what = this.kept.add(firstOffset, lastOffset);
    if (what === 'lost') this.bytesLost += frameBytes;
    if (what === 'kept') await this.source.onKept?.(reader);
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
    const offset = this.kept.next - 1;
    if (this.isAnchored && member.limit !== undefined)
      this.ends.attest({ segment: number, bytes: limit, offset });
    this.before = { position: reader.position, chain: reader.chain };
    const firstOffset = Math.max(link?.firstOffset ?? 1, this.kept.start.offset + 1);
    const usedBytes = reader.position;
    this.segments.push({ number, path, sizeBytes, usedBytes, firstOffset, lastOffset: offset });
  }
}
