/**
 * Which files of a damaged log hold its records, in order. Where links are sound they decide, as
 * in segment-chain.ts; where one is broken or its segment is gone, the next lower segment that was
 * ever synced stands in, and where it ends is then for its frames to tell.
 */
import type { StoreError } from '../src/base/errors.ts';
import type { FileIo } from '../src/base/file-io.ts';
import { SEGMENT_HEADER } from './format.ts';
import { corrupt } from './log-error.ts';
import { type Attested, NOTHING_ATTESTED, isBehind } from './position.ts';
import { openReader } from './segment-chain.ts';
import { segmentName } from './segment-name.ts';
import type { SegmentReader } from './segment-reader.ts';
import type { SurveyedFile, SurveyedHeads } from './survey-heads.ts';

export interface Member {
  readonly file: SurveyedFile;
  /** The end its successor names; undefined: where its frames end. */
  readonly limit: number | undefined;
}

export interface MemberSource {
  readonly fileIo: FileIo;
  readonly heads: SurveyedHeads;
  readonly oldest: number;
  readonly highest: number;
  readonly attested: Attested;
  /** Nothing says which segments were dropped on purpose: the lowest one found may be the oldest. */
  readonly isOldestUnknown: boolean;
}

export interface Members {
  /** In log order. */
  readonly list: readonly Member[];
  /** Segments that must be there and are not. */
  readonly missing: readonly StoreError[];
}

/** Reported at the most: a manifest can name four thousand million segments. */
const MAX_MISSING = 1000;

export async function findMembers(source: MemberSource): Promise<Members> {
  const missing: StoreError[] = [];
  const list: Member[] = [];
  const top = await nextLower(source, Number.POSITIVE_INFINITY);
  for (let n = Math.max(source.oldest, (top?.number ?? 0) + 1); n <= source.highest; n++) {
    if (source.heads.files.has(n)) continue;
    missing.push(corrupt(segmentName(n), 0, 'this segment was prepared and is missing'));
    if (missing.length === MAX_MISSING) break;
  }
  let limit: number | undefined;
  let file = top;
  while (file !== undefined) {
    list.unshift({ file, limit });
    const before = await predecessor(source, file, missing);
    file = before?.file;
    limit = before?.limit;
  }
  return { list, missing };
}

async function predecessor(
  source: MemberSource,
  file: SurveyedFile,
  missing: StoreError[],
): Promise<Partial<Member> | undefined> {
  const { link } = file;
  if (link === undefined || link.continuedSegment >= file.number) {
    return { file: await nextLower(source, file.number) } as Partial<Member>;
  }
  const number = link.continuedSegment;
  if (number === 0 || number < source.oldest) return undefined;
  const named = source.heads.files.get(number);
  if (named !== undefined) return { file: named, limit: link.continuedBytes };
  const lower = await nextLower(source, number);
  if (lower !== undefined || !source.isOldestUnknown) {
    missing.push(
      corrupt(segmentName(number), 0, `this segment is missing; ${file.name} continues it`),
    );
  }
  return { file: lower } as Partial<Member>;
}

/** The highest segment below `number` that is part of the log. */
async function nextLower(source: MemberSource, number: number): Promise<SurveyedFile | undefined> {
  const lower = [...source.heads.files.keys()].filter((n) => n < number && n >= source.oldest);
  for (const candidate of lower.sort((a, b) => b - a)) {
    const file = source.heads.files.get(candidate);
    if (file !== undefined && (await counts(source, file))) return file;
  }
  return undefined;
}

/** Was it ever part of the log? By the rules of segment-chain.ts: its link counts, or something attests its frames. */
async function counts(source: MemberSource, file: SurveyedFile): Promise<boolean> {
  const { reader, close } = await openReader(source.fileIo, file, source.heads.storeId);
  try {
    reader.position = SEGMENT_HEADER.size;
    const { link } = file;
    if (link !== undefined) {
      reader.seek(SEGMENT_HEADER.size, link.chain, link.firstOffset);
      const stopped = await walkThrough(reader, link.rewrittenThrough);
      if (stopped !== 'bad') return true;
    }
    const here = { segment: file.number, bytes: reader.position };
    const found = await reader.search();
    return isBehind(found.attested ?? NOTHING_ATTESTED, here) || isBehind(source.attested, here);
  } finally {
    await close();
  }
}

async function walkThrough(
  reader: SegmentReader,
  offset: number,
): Promise<'done' | 'bad' | 'misplaced'> {
  while (reader.nextOffset <= offset) {
    const step = reader.step();
    if (step === 'more') await reader.fill();
    else if (step === 'frame') reader.pass();
    else return step;
  }
  return 'done';
}
