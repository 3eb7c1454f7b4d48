/**
 * Reads a log that scan.ts refuses, and goes on behind every damaged place: which records can
 * still be proved, which are lost, and every place that is wrong. Changes nothing and decides
 * nothing; verification reports it, repair builds on it.
 *
 * What counts: a frame whose seals hold is of this store and segment. Records are kept as long as
 * their offsets follow each other without a gap; behind the first gap nothing can be kept, because
 * a history with a hole is none.
 */
import type { StoreError } from '../src/base/errors.ts';
import type { FileIo } from '../src/base/file-io.ts';
import { MANIFEST_SLOT } from './format.ts';
import { type LogDirectory, listLogDirectory } from './log-directory.ts';
import { corrupt, ioError } from './log-error.ts';
import { type ManifestReading, readManifestSlots } from './manifest.ts';
import { type LogEnd, NOTHING_ATTESTED } from './position.ts';
import type { ScannedSegment } from './scan-report.ts';
import { MANIFEST_NAME, segmentName } from './segment-name.ts';
import type { SegmentReader } from './segment-reader.ts';
import { type RawHead, type SurveyedHeads, readHeads, surveyHeads } from './survey-heads.ts';
import { findMembers } from './survey-members.ts';
import { SurveyWalk } from './survey-walk.ts';

export interface Survey {
  readonly storeId: Uint8Array;
  /** undefined: missing, or neither slot is valid. */
  readonly manifest: ManifestReading | undefined;
  readonly files: LogDirectory;
  readonly heads: SurveyedHeads;
  /** Every damaged place found, in the order of the log. */
  readonly problems: readonly StoreError[];
  /** The segments that hold the log. */
  readonly segments: readonly ScannedSegment[];
  /** Those before them: the log begins behind what they hold. */
  readonly passedOver: readonly number[];
  /** The oldest segment of the log where its beginning stays as it is; undefined: a repair must write it anew. */
  readonly oldest: number | undefined;
  /** What is here does not go with what the layer above has; none of it can be kept. */
  readonly unmet: StoreError | undefined;
  /** Up to here the log is whole by the reading rules and known to be synced. */
  readonly anchor: LogEnd;
  readonly firstOffset: number;
  /** Last record that can be kept. */
  readonly lastOffset: number;
  /** Last record there is any trace of. */
  readonly knownOffset: number;
  readonly framesRead: number;
  /** Bytes that hold nothing readable, or records behind a gap. */
  readonly bytesLost: number;
}

export interface SurveyOptions {
  /** Is given every frame with records that can be kept, in order; it lies in the reader at `frameStart`. */
  readonly onKept?: ((reader: SegmentReader) => void | Promise<void>) | undefined;
  /** The frames given so far are not kept after all: the log begins behind them. */
  readonly onStartOver?: (() => void) | undefined;
  /**
   * Last record the layer above has in files of its own: a log is whole that begins at or before
   * the next one. undefined: a log may begin anywhere if nothing says where it should.
   */
  readonly coveredThrough?: number | undefined;
}

/** @throws {StoreError} FORMAT_UNSUPPORTED, WAL_IO_ERROR */
export async function surveyLog(
  fileIo: FileIo,
  directory: string,
  options: SurveyOptions = {},
): Promise<Survey> {
  const files = await listLogDirectory(fileIo, directory);
  const problems: StoreError[] = [];
  const raw = await readHeads(fileIo, directory, files.segments);
  const manifest = await manifestIn(fileIo, directory, raw, problems);
  const { oldestSegment: oldest = 1, highestSegment: highest = 0 } = manifest?.state ?? {};
  const attested = manifest?.state.attested ?? NOTHING_ATTESTED;
  const heads = await surveyHeads({
    fileIo,
    directory,
    heads: raw.filter(({ named }) => named >= oldest),
    storeId: manifest?.state.storeId,
    highest,
  });
  const { storeId } = heads;
  const isOldestUnknown = manifest === undefined;
  const members = await findMembers({ fileIo, heads, oldest, highest, attested, isOldestUnknown });
  const walked = await new SurveyWalk({
    ...options,
    fileIo,
    storeId,
    members: members.list,
    oldest,
    attested,
    isOpen: isOldestUnknown || oldest > 1,
    coveredThrough: options.coveredThrough,
  }).run();
  problems.push(
    ...members.missing,
    ...walked.problems,
    ...faultsBeside(heads, members.list.at(-1)?.file.number ?? 0),
  );
  if (attested.offset > walked.lastOffset && problems.length === 0) {
    const what = `records up to ${attested.offset} were synced, found is ${walked.lastOffset}`;
    const name = segmentName(Math.max(1, attested.segment));
    problems.push(corrupt(name, attested.bytes, what, walked.lastOffset + 1));
  }
  return { storeId, manifest, files, heads, ...walked, problems };
}

/** The slot in force; where that one is of another store than all segments, the other slot, or none. */
async function manifestIn(
  fileIo: FileIo,
  directory: string,
  heads: readonly RawHead[],
  problems: StoreError[],
): Promise<ManifestReading | undefined> {
  try {
    const slots = await readManifestSlots(fileIo, directory);
    const [inForce] = slots ?? [];
    if (slots === undefined || inForce === undefined) {
      problems.push(corrupt(MANIFEST_NAME, 0, 'it is missing'));
      return undefined;
    }
    const ids = heads.flatMap(({ header }) => (header === undefined ? [] : [header.storeId]));
    const isOurs = ({ state }: ManifestReading): boolean =>
      ids.length === 0 || ids.some((id) => Buffer.compare(id, state.storeId) === 0);
    if (!isOurs(inForce)) {
      const at = inForce.slot * MANIFEST_SLOT.size + MANIFEST_SLOT.storeId;
      problems.push(corrupt(MANIFEST_NAME, at, 'it is that of another store'));
    }
    return slots.find(isOurs);
  } catch (error) {
    const failure = ioError(error, 'reading the manifest', directory);
    if (failure.code !== 'CORRUPT') throw failure;
    problems.push(failure);
    return undefined;
  }
}

/** Of files above the log, and of files that are none of its segments. */
function faultsBeside(heads: SurveyedHeads, top: number): StoreError[] {
  const above = [...heads.files.values()].filter((file) => file.number > top);
  return [...above, ...heads.strangers].flatMap(({ fault }) =>
    fault === undefined ? [] : [fault],
  );
}
