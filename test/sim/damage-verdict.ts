/**
 * What reading a damaged store gave, and whether that may be. On a closed store damage is found or
 * harmless. On one a crash left, the end that nothing vouches for may be cut, and is reported.
 */
import { crc32c } from '../../src/base/crc32c.ts';
import { isStoreError } from '../../src/base/errors.ts';
import { scanLog } from '../../wal/scan.ts';
import { DIRECTORY, type FrozenIo } from './frozen-io.ts';
import { isData, type Sample } from './damage-sample.ts';

export type Verdict =
  | { readonly kind: 'corrupt' }
  | { readonly kind: 'found'; readonly records: number; readonly bytesTruncated: number };

/** Reads it. Throws for what must never be: another history, no store, an error that is no verdict. */
export async function read(
  io: FrozenIo,
  sums: ReadonlyMap<number, number>,
  strict: boolean = false,
): Promise<Verdict> {
  let sum = 0;
  let records = 0;
  try {
    const report = await scanLog(io, DIRECTORY, {
      strict,
      onFrame(bytes, start, end, firstOffset, count) {
        if (firstOffset !== records + 1) records = Number.NaN;
        records += count;
        sum = crc32c(bytes, start, end, sum);
      },
    });
    if (report === undefined) throw new Error('taken for no store at all');
    if (report.end.offset !== records || sums.get(records) !== sum)
      throw new Error(`a wrong answer: ${records} records that were never written so`);
    return { kind: 'found', records, bytesTruncated: report.bytesTruncated };
  } catch (error) {
    return corruptOr(error);
  }
}

/** Damage must say where it is. */
export function corruptOr(error: unknown): Verdict {
  if (!isStoreError(error, 'CORRUPT')) throw error;
  const { file, byteOffset } = error.details;
  if (typeof file !== 'string' || typeof byteOffset !== 'number')
    throw new Error(`CORRUPT without its place: ${error.message}`, { cause: error });
  return { kind: 'corrupt' };
}

/** What a damage met, from the bytes alone. */
export interface Extent {
  /** A byte that counts is another one, or gone. */
  readonly isMet: boolean;
  /** Something besides the manifest and the frames at the end: zeros, marks, files of no use. */
  readonly isElsewhere: boolean;
  /** Records before the first damaged byte, in whole frames. */
  readonly sound: number;
  /** A frame behind the damage is whole in its header, and says that the damaged place was synced. */
  readonly isAttested: boolean;
}

function differsIn(a: Uint8Array, b: Uint8Array | undefined, from: number, to: number): boolean {
  if (b === undefined || b.length < to) return true;
  return Buffer.compare(a.subarray(from, to), b.subarray(from, to)) !== 0;
}

export function extentOf(sample: Sample, files: ReadonlyMap<string, Uint8Array>): Extent {
  const { segments, frames, used } = sample;
  let sound = sample.lastOffset;
  let place: { index: number; at: number } | undefined;
  let isMet = false;
  let isElsewhere = false;
  for (const [index, path] of segments.entries()) {
    const before = sample.files.get(path) as Uint8Array;
    const now = files.get(path);
    if (now === before) continue;
    if (now?.length !== before.length) isMet = true;
    else if (differsIn(before, now, used.get(path) as number, before.length)) isElsewhere = true;
    const inside = frames.filter((frame) => frame.path === path);
    const bad = inside.find((frame) => differsIn(before, now, frame.at, frame.end));
    const isHeadBad = differsIn(before, now, 0, 64) || now?.length !== before.length;
    if (!isHeadBad && bad === undefined) continue;
    if (differsIn(before, now, 0, used.get(path) as number)) isMet = true;
    const at = isHeadBad ? 0 : (bad?.at ?? 0);
    place ??= { index, at };
    const kept = frames.filter(
      (frame) =>
        isData(frame) &&
        (segments.indexOf(frame.path) < index || (frame.path === path && frame.end <= at)),
    );
    sound = Math.min(sound, kept.at(-1)?.lastOffset ?? 0);
  }
  return { isMet, isElsewhere, sound, isAttested: isVouchedFor(sample, files, place) };
}

function isVouchedFor(
  sample: Sample,
  files: ReadonlyMap<string, Uint8Array>,
  place: { index: number; at: number } | undefined,
): boolean {
  if (place === undefined) return false;
  return sample.frames.some((frame) => {
    const before = sample.files.get(frame.path) as Uint8Array;
    const index = sample.segments.indexOf(frame.attestedPath);
    const isBehind =
      index > place.index || (index === place.index && frame.attestedBytes > place.at);
    return isBehind && !differsIn(before, files.get(frame.path), frame.at, frame.at + 48);
  });
}

export interface Asked {
  /** One place only was damaged: what vouches for it was not. */
  readonly isSingle: boolean;
  /** Files were added, or have other names: more may be found than bytes tell. */
  readonly mayRefuse: boolean;
}

/** Why the verdict may not be, or undefined. `strictly`: with the option `strict`. */
export function judge(
  sample: Sample,
  extent: Extent,
  { isSingle, mayRefuse }: Asked,
  plain: Verdict,
  strictly: Verdict,
): string | undefined {
  if (plain.kind === 'corrupt') {
    if (strictly.kind !== 'corrupt') return 'CORRUPT, but not when strict';
    const isNothing = !extent.isMet && !extent.isElsewhere && !mayRefuse;
    return isNothing && sample.isClosed ? 'CORRUPT, though nothing that counts was met' : undefined;
  }
  const { records, bytesTruncated } = plain;
  if (sample.isClosed) {
    if (extent.isMet) return `not found: ${records} of ${sample.lastOffset} records, as if whole`;
    if (records !== sample.lastOffset) return `${records} of ${sample.lastOffset} records`;
    return undefined;
  }
  if (records < extent.sound)
    return `${records} records, but ${extent.sound} lie whole before the damage`;
  if (records === sample.lastOffset) return undefined;
  if (bytesTruncated === 0) return `${sample.lastOffset - records} records cut in silence`;
  if (strictly.kind !== 'corrupt') return `strict cuts ${sample.lastOffset - records} records`;
  if (isSingle && extent.isAttested)
    return `${sample.lastOffset - records} records cut, though a later frame vouches for them`;
  return undefined;
}
