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
 * @throws {StoreError} NOT_FOUND, BAD_REQUEST, FORMAT_UNSUPPORTED; WAL_IO_ERROR - nothing is lost, and it can be run again
 */
export async function repairLog(
  directory: string,
  options: RepairLogOptions = {},
): Promise<RepairReport> {
  const fileIo = options.fileIo ?? nodeFileIo;
  await checkDirectory(fileIo, directory);
  if (options.dryRun === true) return plan(fileIo, directory);
  const lock = await takeLock(fileIo, directory);
  try {
    // Nobody writes now: what is found is what is repaired.
    return await repair(fileIo, directory, await verifyLog(directory, { fileIo }), options);
  } catch (error) {
    throw ioError(error, 'repairing the log', directory);
  } finally {
    await lock.release();
  }
}

async function plan(fileIo: FileIo, directory: string): Promise<RepairReport> {
  const report = await verifyLog(directory, { fileIo });
  if (report.ok) return nothingToDo(report);
  refuseUnreadable(report);
  const survey = await surveyLog(fileIo, directory);
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
  const survey = await surveyLog(fileIo, directory);
  const names = filesAside(survey, await hasManifest(fileIo, directory));
  const text = reportText(reportOf(survey, names, ''));
  const savedTo = await saveAside(fileIo, directory, names, text);
  const attested = await salvage(fileIo, directory, survey, options);
  await settleManifest(fileIo, directory, survey, attested);
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

async function salvage(
  fileIo: FileIo,
  directory: string,
  survey: Survey,
  options: RepairLogOptions,
): Promise<Attested> {
  const { anchor, storeId, lastOffset } = survey;
  const highest = Math.max(
    0,
    survey.manifest?.state.highestSegment ?? 0,
    ...survey.files.segments,
    ...survey.heads.files.keys(),
  );
  const writer = new SalvageWriter({
    fileIo,
    directory,
    storeId,
    firstNumber: highest + 1,
    anchor,
    lastOffset,
    segmentBytes: options.segmentBytes ?? SEGMENT_BYTES.max,
    createdAt: (options.clock ?? systemClock).now(),
  });
  try {
    await surveyLog(fileIo, directory, async (reader) => {
      if (reader.header.firstOffset > anchor.offset) await writer.add(reader);
    });
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
): Promise<void> {
  const change = { attested, highestSegment: attested.segment };
  if (survey.manifest === undefined) {
    const { storeId, segments, firstOffset } = survey;
    const oldestSegment = firstOffset === 1 ? 1 : (segments[0]?.number ?? attested.segment);
    const extra = new Uint8Array(0);
    await createManifest(fileIo, directory, {
      sequence: 1,
      storeId,
      oldestSegment,
      extra,
      ...change,
    });
    return;
  }
  const manifest = await openManifestFile(fileIo, directory, survey.manifest);
  try {
    await manifest.updateBoth(change);
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
  const kept = new Set([MANIFEST_NAME, segmentName(survey.anchor.segment)]);
  const gone = saved.filter((name) => !kept.has(name));
  for (const name of gone) await fileIo.remove(join(directory, name));
  if (gone.length > 0) await fileIo.syncDirectory(directory);
}

/** The files of the log from the anchor's on, and those that are not what their names say. */
function filesAside(survey: Survey, isManifestThere: boolean): string[] {
  const { heads, anchor, segments } = survey;
  const names = new Set(heads.strangers.map(({ name }) => name));
  const members = new Set(segments.map(({ number }) => number));
  for (const { number, name, fault } of heads.files.values()) {
    const isBehind = members.has(number) && number >= anchor.segment;
    if (isBehind || fault !== undefined) names.add(name);
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
