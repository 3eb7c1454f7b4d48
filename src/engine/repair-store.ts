/**
 * Makes a damaged store openable again, on request only: the log first, which may begin or be
 * broken anywhere before the newest sound snapshot, then the list of snapshots. Dying anywhere
 * between leaves a store that can be repaired again.
 */
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import type { StoreError } from '../base/errors.ts';
import type { FileIo } from '../base/file-io.ts';
import { silentLogger } from '../base/logger.ts';
import { nodeFileIo } from '../base/node-file-io.ts';
import { systemRandom } from '../base/random.ts';
import { nodeThread } from '../base/thread.ts';
import { type CatalogueEntry, encodeCatalogue } from '../snapshot/catalogue.ts';
import { type RepairReport, repairLog } from '../../wal/repair.ts';
import { openLogWriter } from '../../wal/open-writer.ts';
import { ioError } from '../../wal/log-error.ts';
import { takeLock } from '../../wal/take-lock.ts';
import { saveAside } from '../../wal/save-aside.ts';
import type { Offset } from './api/instance.ts';
import { LateSink } from './late-sink.ts';
import { checkPlace } from './place.ts';
import { ARCHIVE_NAME } from './snapshots/file-names.ts';
import { SnapshotSurvey } from './snapshots/survey.ts';

/** What a repair did. */
export interface RepairStoreReport {
  /** Bytes of the log that could not be kept; they are in `savedTo`. */
  readonly bytesRemoved: number;
  /** Last record kept: every one up to it is there. */
  readonly lastOffset: Offset;
  /** Directory with copies of all files that were changed or removed; '' when nothing was wrong. */
  readonly savedTo: string;
}

/**
 * Cuts what cannot be read, after saving it under `savedTo`. Records that can still be proved are
 * kept, those behind the first one lost cannot be; what a sound snapshot holds is not lost. A damaged
 * snapshot is taken out. Never done by `openStore`. May be run again after a crash, and does nothing
 * to a store that is whole.
 *
 * @param directory of the store.
 * @throws {StoreError} STORE_LOCKED - a writer lives.
 * @throws {StoreError} NOT_FOUND - there is no store; BAD_REQUEST - that is not a directory.
 * @throws {StoreError} WAL_IO_ERROR - the disk gives errors: copy the store elsewhere first; FORMAT_UNSUPPORTED.
 * @example
 * const { lastOffset, savedTo } = await repairStore('./data');
 */
export async function repairStore(
  directory: string,
  options: { readonly fileIo?: FileIo | undefined } = {},
): Promise<RepairStoreReport> {
  const { fileIo } = checkPlace(directory, options);
  const { bytesRemoved, lastOffset, savedTo } = await repairAll(directory, { fileIo });
  return { bytesRemoved, lastOffset, savedTo };
}

/** The same with everything there is to tell. `dryRun` says what would be done, and changes nothing. */
export async function repairAll(
  directory: string,
  options: { readonly fileIo?: FileIo | undefined; readonly dryRun?: boolean | undefined } = {},
): Promise<RepairReport> {
  const { fileIo = nodeFileIo, dryRun } = options;
  const { sound, damaged, isListLost } = await surveyIn(fileIo, directory);
  const names = damaged.map(({ name }) => name);
  const problems = damaged.map(({ problem }) => problem);
  const savedTo = dryRun === true ? '' : await takeOut(fileIo, directory, names, problems);
  const log = await repairLog(directory, {
    fileIo,
    dryRun,
    coveredThrough: sound.at(-1)?.offset ?? 0,
    manifestExtra: encodeCatalogue(sound),
  });
  const isLogSound = log.problems.length === 0;
  if (dryRun !== true) {
    if (isLogSound && (damaged.length > 0 || isListLost))
      await rewriteList(fileIo, directory, sound);
    await removeAll(fileIo, directory, names);
  }
  return {
    ...log,
    problems: [...log.problems, ...problems],
    saved: [...log.saved, ...names],
    savedTo: log.savedTo === '' ? savedTo : log.savedTo,
  };
}

interface DamagedSnapshot {
  readonly name: string;
  readonly offset: number;
  readonly problem: StoreError;
}

interface Surveyed {
  readonly sound: readonly CatalogueEntry[];
  readonly damaged: readonly DamagedSnapshot[];
  /** The list itself makes no sense. */
  readonly isListLost: boolean;
}

async function surveyIn(fileIo: FileIo, directory: string): Promise<Surveyed> {
  const stat = await fileIo.stat(directory);
  // Whatever is wrong with the place, the log says so.
  if (stat?.kind !== 'directory') return { sound: [], damaged: [], isListLost: false };
  const survey = new SnapshotSurvey(fileIo, directory, 'bytes');
  await survey.read();
  const foreign = survey.problems.find(({ code }) => code !== 'CORRUPT');
  if (foreign !== undefined) throw foreign;
  const damaged: DamagedSnapshot[] = [];
  for (const { name, offset, problem } of survey.finished()) {
    if (problem === undefined) continue;
    // A disk that does not answer must not cost a snapshot, and a newer format is not ours to judge.
    if (problem.code !== 'CORRUPT') throw problem;
    damaged.push({ name, offset, problem });
  }
  const bad = new Set(damaged.map(({ offset }) => offset));
  return {
    sound: survey.entries.filter(({ offset }) => !bad.has(offset)),
    damaged,
    isListLost: survey.problems.length > 0,
  };
}

/** Copies of the damaged ones that are there; not beside a writer. */
async function takeOut(
  fileIo: FileIo,
  directory: string,
  names: readonly string[],
  problems: readonly StoreError[],
): Promise<string> {
  const there: string[] = [];
  for (const name of names)
    if ((await fileIo.stat(join(directory, name))) !== undefined) there.push(name);
  if (names.length === 0) return '';
  const report = { problems: problems.map(({ message }) => message) };
  const text = `${JSON.stringify(report, undefined, 2)}\n`;
  const lock = await takeLock(fileIo, directory);
  try {
    return there.length === 0 ? '' : await saveAside(fileIo, directory, there, text);
  } catch (error) {
    throw ioError(error, 'saving a damaged snapshot', directory);
  } finally {
    await lock.release();
  }
}

/** Through the log itself: it has the lock, and the manifest. */
async function rewriteList(
  fileIo: FileIo,
  directory: string,
  sound: readonly CatalogueEntry[],
): Promise<void> {
  const hasArchive = (await fileIo.stat(join(directory, ARCHIVE_NAME))) !== undefined;
  const log = await openLogWriter<undefined>(directory, {
    fileIo,
    // What a crash left on its way there still belongs there.
    ...(hasArchive && { archiveDirectory: ARCHIVE_NAME }),
    clock: systemClock,
    thread: nodeThread,
    random: systemRandom,
    logger: silentLogger,
    sink: new LateSink<undefined>(),
    beforeScan: async () => sound.at(-1)?.offset ?? 0,
  });
  try {
    await log.setManifestExtra(encodeCatalogue(sound), { both: true });
  } finally {
    await log.close();
  }
}

async function removeAll(
  fileIo: FileIo,
  directory: string,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    const path = join(directory, name);
    if ((await fileIo.stat(path)) !== undefined) await fileIo.remove(path);
  }
  if (names.length > 0) await fileIo.syncDirectory(directory);
}
