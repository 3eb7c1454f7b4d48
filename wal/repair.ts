/**
 * Makes a damaged log openable again, on request only. Order, so that dying at any point leaves
 * either the damaged log or the repaired one, and the repair can be run again:
 *
 *   1. everything that will go is copied aside and synced;
 *   2. records behind the damage that can be proved are written into new segments that continue
 *      the sound beginning; the last rename makes them count;
 *   3. the manifest asks for no more than there is;
 *   4. files that are no part of the log any more are removed.
 *
 * Nothing is written in place. A record that the reading rules reach is never touched.
 */
import { join } from 'node:path';
import type { StoreError } from '../src/base/errors.ts';
import { invariant } from '../src/base/assert.ts';
import { type Clock, systemClock } from '../src/base/clock.ts';
import type { FileIo } from '../src/base/file-io.ts';
import { nodeFileIo } from '../src/base/node-file-io.ts';
import { SEGMENT_BYTES } from './format.ts';
import { ioError } from './log-error.ts';
import { createManifest, openManifestFile } from './manifest.ts';
import { takeLock } from './take-lock.ts';
import type { Attested } from './position.ts';
import { saveAside } from './save-aside.ts';
import { SalvageWriter } from './salvage-writer.ts';
import { scanLog } from './scan.ts';
import { MANIFEST_NAME, segmentName } from './segment-name.ts';
import { type Survey, surveyLog } from './survey.ts';
import { type LogReport, checkDirectory, verifyLog } from './verify.ts';

export interface RepairLogOptions {
  readonly fileIo?: FileIo | undefined;
  readonly clock?: Clock | undefined;
  /** Says what would be done, changes nothing and needs no lock. Default false. */
  readonly dryRun?: boolean | undefined;
  /**
   * Last record the layer above has in files of its own: what is needed is only what lies behind,
   * and a gap before it costs nothing. The repaired log begins at or before the next record and
   * does not end before this one. 0: there is no such file, and the log must begin with record 1,
   * or else nothing is done. Default: a log may begin anywhere.
   */
  readonly coveredThrough?: number | undefined;
  /** Bytes of the layer above for the manifest, when something is repaired. Default: as they are. */
  readonly manifestExtra?: Uint8Array | undefined;
  /** Size of the new segments; larger ones are split. Default 1 GiB. */
  readonly segmentBytes?: number | undefined;
}

export interface RepairReport {
  /** What was wrong; empty when there was nothing to repair. */
  readonly problems: readonly StoreError[];
  /** Bytes of the log that could not be kept. */
  readonly bytesRemoved: number;
  /** Last record kept. */
  readonly lastOffset: number;
  /** Records that are gone, both included; undefined when none is known to be. */
  readonly lost: { readonly first: number; readonly last: number } | undefined;
  /** Files copied aside: those that go, those of which a part goes, and the manifest. */
  readonly saved: readonly string[];
  /** The directory they are in; '' when nothing was done. */
  readonly savedTo: string;
}

/**
 * @throws {StoreError} STORE_LOCKED - a writer lives
 * @throws {StoreError} CORRUPT - records are missing that no repair can do without; nothing was changed
 * @throws {StoreError} NOT_FOUND, BAD_REQUEST, FORMAT_UNSUPPORTED; WAL_IO_ERROR - nothing is lost, and it can be run again
 */
export async function repairLog(
  directory: string,
  options: RepairLogOptions = {},
): Promise<RepairReport> {
  const fileIo = options.fileIo ?? nodeFileIo;
  await checkDirectory(fileIo, directory);
  if (options.dryRun === true) return plan(fileIo, directory, options);
  const lock = await takeLock(fileIo, directory);
  try {
    // Nobody writes now: what is found is what is repaired.
    const { coveredThrough } = options;
    const report = await verifyLog(directory, { fileIo, coveredThrough });
    return await repair(fileIo, directory, report, options);
  } catch (error) {
    throw ioError(error, 'repairing the log', directory);
  } finally {
    await lock.release();
  }
}

async function plan(
  fileIo: FileIo,
  directory: string,
  { coveredThrough }: RepairLogOptions,
): Promise<RepairReport> {
  const report = await verifyLog(directory, { fileIo, coveredThrough });
  if (report.ok) return nothingToDo(report);
  refuseUnreadable(report);
  const survey = await surveyLog(fileIo, directory, { coveredThrough });
  refuseHopeless(survey, coveredThrough);
  return reportOf(survey, filesAside(survey, await hasManifest(fileIo, directory)), '');
}

async function hasManifest(fileIo: FileIo, directory: string): Promise<boolean> {
  return (await fileIo.stat(join(directory, MANIFEST_NAME))) !== undefined;
}

async function repair(
  fileIo: FileIo,
  directory: string,
  report: LogReport,
  options: RepairLogOptions,
): Promise<RepairReport> {
  if (report.ok) return nothingToDo(report);
  refuseUnreadable(report);
  const { coveredThrough } = options;
  const survey = await surveyLog(fileIo, directory, { coveredThrough });
  refuseHopeless(survey, coveredThrough);
  const names = filesAside(survey, await hasManifest(fileIo, directory));
  const text = reportText(reportOf(survey, names, ''));
  const savedTo = await saveAside(fileIo, directory, names, text);
  const attested = await salvage(fileIo, directory, survey, options);
  await settleManifest(fileIo, directory, survey, attested, options.manifestExtra);
  await removeReplaced(fileIo, directory, survey, names);
  const after = await scanLog(fileIo, directory);
  invariant(after?.end.offset === survey.lastOffset, 'a repaired log holds what could be kept');
  return reportOf(survey, names, savedTo);
}

/** A disk that does not answer must not cost records, and a newer format is not ours to judge. */
function refuseUnreadable(report: LogReport): void {
  const failure = report.problems.find((problem) => problem.code !== 'CORRUPT');
  if (failure !== undefined) throw failure;
}

/** Records before the log's first one are missing and nobody has them: an empty log would be no repair of that. */
function refuseHopeless({ unmet }: Survey, coveredThrough: number | undefined): void {
  if (unmet !== undefined && coveredThrough === 0) throw unmet;
}

/** Number of the first new segment: above every name in the directory. */
function firstNew(survey: Survey): number {
  const { manifest, files, heads, anchor } = survey;
  const highest = Math.max(
    manifest?.state.highestSegment ?? 0,
    anchor.segment,
    ...files.segments,
    ...heads.files.keys(),
  );
  return highest + 1;
}

async function salvage(
  fileIo: FileIo,
  directory: string,
  survey: Survey,
  options: RepairLogOptions,
): Promise<Attested> {
  const { anchor, storeId, lastOffset } = survey;
  const writer = new SalvageWriter({
    fileIo,
    directory,
    storeId,
    firstNumber: firstNew(survey),
    anchor,
    lastOffset,
    segmentBytes: options.segmentBytes ?? SEGMENT_BYTES.max,
    createdAt: (options.clock ?? systemClock).now(),
  });
  try {
    if (anchor.offset < lastOffset) {
      await surveyLog(fileIo, directory, {
        coveredThrough: options.coveredThrough,
        // Those of a beginning that is not kept come as well, and lie before the anchor.
        onKept: async (reader) => {
          if (reader.header.firstOffset > anchor.offset) await writer.add(reader);
        },
      });
    }
    return await writer.put();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/** From here on the manifest vouches for the repaired log, in both slots. */
async function settleManifest(
  fileIo: FileIo,
  directory: string,
  survey: Survey,
  attested: Attested,
  extra: Uint8Array | undefined,
): Promise<void> {
  const { storeId, oldest: oldestSegment = firstNew(survey) } = survey;
  const change = { attested, oldestSegment, highestSegment: attested.segment };
  if (survey.manifest === undefined) {
    const first = { sequence: 1, storeId, extra: extra ?? new Uint8Array(0), ...change };
    await createManifest(fileIo, directory, first);
    return;
  }
  const manifest = await openManifestFile(fileIo, directory, survey.manifest);
  try {
    await manifest.updateBoth(extra === undefined ? change : { ...change, extra });
  } finally {
    await manifest.close();
  }
}

async function removeReplaced(
  fileIo: FileIo,
  directory: string,
  survey: Survey,
  saved: readonly string[],
): Promise<void> {
  const { anchor, oldest } = survey;
  const kept = new Set([MANIFEST_NAME]);
  // Its end is continued, unless the log begins behind it.
  if (oldest !== undefined && anchor.segment >= oldest) kept.add(segmentName(anchor.segment));
  const gone = saved.filter((name) => !kept.has(name));
  for (const name of gone) await fileIo.remove(join(directory, name));
  if (gone.length > 0) await fileIo.syncDirectory(directory);
}

/** The files of the log from the anchor's on, those before its beginning, and those that are not what their names say. */
function filesAside(survey: Survey, isManifestThere: boolean): string[] {
  const { heads, anchor, segments, passedOver } = survey;
  const names = new Set(heads.strangers.map(({ name }) => name));
  const members = new Set(segments.map(({ number }) => number));
  const before = new Set(passedOver);
  for (const { number, name, fault } of heads.files.values()) {
    const isBehind = members.has(number) && number >= anchor.segment;
    if (isBehind || before.has(number) || fault !== undefined) names.add(name);
  }
  return [...(isManifestThere ? [MANIFEST_NAME] : []), ...[...names].sort()];
}

function reportOf(survey: Survey, saved: readonly string[], savedTo: string): RepairReport {
  const { problems, lastOffset, knownOffset, bytesLost: bytesRemoved } = survey;
  const lost = knownOffset > lastOffset ? { first: lastOffset + 1, last: knownOffset } : undefined;
  return { problems, bytesRemoved, lastOffset, lost, saved, savedTo };
}

function nothingToDo(report: LogReport): RepairReport {
  const { lastOffset } = report;
  return { problems: [], bytesRemoved: 0, lastOffset, lost: undefined, saved: [], savedTo: '' };
}

function reportText(report: RepairReport): string {
  const problems = report.problems.map(({ code, message, details }) => ({
    code,
    message,
    details,
  }));
  const { lastOffset, lost, bytesRemoved, saved } = report;
  return `${JSON.stringify({ lastOffset, lost, bytesRemoved, saved, problems }, undefined, 2)}\n`;
}
