/**
 * A new store from what another one was: its state at a moment as the first snapshot, and an empty
 * log that goes on behind it. The source is only read, by the rules for readers beside a writer.
 * The target is no store until its manifest stands, which is last.
 */
import { dirname, join, relative, resolve, sep } from 'node:path';
import { type Clock, systemClock } from '../base/clock.ts';
import { badRequest, isStoreError } from '../base/errors.ts';
import type { FileIo } from '../base/file-io.ts';
import { nodeFileIo } from '../base/node-file-io.ts';
import { type Random, systemRandom } from '../base/random.ts';
import { nodeThread, type Thread } from '../base/thread.ts';
import { decodeCatalogue, encodeCatalogue } from '../snapshot/catalogue.ts';
import { isUnfinishedSnapshot, snapshotName, snapshotOffset } from '../snapshot/snapshot-name.ts';
import { writeSnapshot } from '../snapshot/write-snapshot.ts';
import { createLogAt } from '../../wal/create-log-at.ts';
import { STORE_ID_BYTES } from '../../wal/format.ts';
import { ioError } from '../../wal/log-error.ts';
import { listLogDirectory } from '../../wal/log-directory.ts';
import { readManifest } from '../../wal/manifest.ts';
import { type LiveScan, scanLive } from '../../wal/scan-live.ts';
import type { Offset } from './api/instance.ts';
import type { Moment } from './api/time-travel.ts';
import { checkLocation } from './place.ts';
import { boundsOf } from './time-travel/moment.ts';
import { foreignPast } from './time-travel/past-source.ts';
import { type PastState, stateAt } from './time-travel/state-at.ts';
import { checkObject } from './write-options.ts';

/** Some times the delay of a mark. */
const SETTLE_MS = 250;
const SETTLE_ATTEMPTS = 100;

export interface RestoreOptions {
  readonly fileIo?: FileIo | undefined;
  /** Gives the new store its id. */
  readonly random?: Random | undefined;
  readonly clock?: Clock | undefined;
  readonly thread?: Thread | undefined;
}

type Ports = Required<{ [K in keyof RestoreOptions]: NonNullable<RestoreOptions[K]> }>;

const PORTS: Ports = {
  fileIo: nodeFileIo,
  random: systemRandom,
  clock: systemClock,
  thread: nodeThread,
};

/**
 * Writes a new store at `target`: everything `source` held at a moment, under the same offsets, so
 * that the next record gets the one behind it. What came later in `source` is not in it, nor is
 * the history before. It may go back as far as `asOf` does, beside whoever writes the source.
 *
 * @param source directory of a store, open or not; it is only read.
 * @param target a directory that is absent or empty. It becomes a store when everything else is on
 *   the disk: after a crash there is none, and the same call may be made again.
 * @param moment default: everything that can be read.
 * @returns `offset`: of the last record the new store holds.
 * @throws {StoreError} BAD_REQUEST - malformed, an offset in the future, or a target that is not empty
 * @throws {StoreError} NOT_FOUND - there is no store at `source`; OFFSET_TOO_OLD - that was not kept
 * @throws {StoreError} STORE_LOCKED - somebody else makes a store at `target`
 * @throws {StoreError} CORRUPT - the source is damaged; FORMAT_UNSUPPORTED, WAL_IO_ERROR
 * @example
 * await restoreStore('./data', './data-before', { offset: 1200 });
 */
export async function restoreStore(
  source: string,
  target: string,
  moment?: Moment,
  options: RestoreOptions = {},
): Promise<{ readonly offset: Offset }> {
  checkLocation(source, 'source');
  checkLocation(target, 'target');
  if (target === ':memory:')
    throw badRequest('a store is restored into a directory, not into memory', 'target');
  const ports = checkOptions(options);
  const place = resolve(target);
  await checkApart(ports.fileIo, resolve(source), place);
  await checkTarget(ports.fileIo, place);
  const past = await pastOf(ports, source, moment);
  try {
    return await makeStore(ports, place, past);
  } finally {
    await past.snapshot?.close().catch(() => undefined);
  }
}

/** @throws {StoreError} BAD_REQUEST */
function checkOptions(options: RestoreOptions): Ports {
  for (const name in checkObject(options, 'options')) {
    if (!Object.hasOwn(PORTS, name))
      throw badRequest(`there is no option ${JSON.stringify(name)}`, `options.${name}`);
  }
  const { fileIo, random, clock, thread } = options;
  return {
    fileIo: fileIo ?? PORTS.fileIo,
    random: random ?? PORTS.random,
    clock: clock ?? PORTS.clock,
    thread: thread ?? PORTS.thread,
  };
}

/** Inside the source, what is restored would be in the way of its files. @throws {StoreError} BAD_REQUEST, WAL_IO_ERROR */
async function checkApart(fileIo: FileIo, source: string, target: string): Promise<void> {
  try {
    if ((await fileIo.stat(source)) === undefined) return;
    const from = await fileIo.resolve(source);
    // What is not there yet is made below the first directory that is.
    let there = target;
    while ((await fileIo.stat(there)) === undefined && dirname(there) !== there)
      there = dirname(there);
    const to = join(await fileIo.resolve(there), relative(there, target));
    if (to !== from && !to.startsWith(from.endsWith(sep) ? from : from + sep)) return;
  } catch (error) {
    throw ioError(error, 'looking at the directory', target);
  }
  const message = `'${target}' lies in the store it is to be restored from`;
  throw badRequest(message, 'target', 'a directory of its own');
}

/** Nothing there, or nothing but what an attempt that died left. @throws {StoreError} BAD_REQUEST, WAL_IO_ERROR */
async function checkTarget(fileIo: FileIo, target: string): Promise<void> {
  try {
    const stat = await fileIo.stat(target);
    if (stat === undefined) return;
    if (stat.kind !== 'directory')
      throw badRequest(`'${target}' is not a directory`, 'target', 'an empty directory');
    const { strayFiles } = await listLogDirectory(fileIo, target);
    const isStore = (await readManifest(fileIo, target)) !== undefined;
    if (!isStore && strayFiles.every(isSnapshot)) return;
  } catch (error) {
    throw ioError(error, 'looking at the directory', target);
  }
  const message = `'${target}' is not empty; a store is restored into a directory of its own`;
  throw badRequest(message, 'target', 'an empty directory');
}

/** The next attempt replaces it, or the next opening removes it: no manifest names it. */
function isSnapshot(name: string): boolean {
  return snapshotOffset(name) !== undefined || isUnfinishedSnapshot(name);
}

async function pastOf(
  ports: Ports,
  source: string,
  moment: Moment | undefined,
): Promise<PastState> {
  const { thread, random } = ports;
  for (let attempt = 1; ; attempt++) {
    const { files, lastOffset } = await scanSettled(ports, resolve(source));
    const wanted = moment === undefined ? { offset: lastOffset } : moment;
    const bounds = boundsOf(wanted, 'moment', lastOffset);
    try {
      return await stateAt({ source: foreignPast(files), bounds, thread, random });
    } catch (error) {
      // A writer dropped what was the end when we looked: where no moment is named, its end now will do.
      const isOvertaken = moment === undefined && isStoreError(error, 'OFFSET_TOO_OLD');
      if (!isOvertaken || attempt === SETTLE_ATTEMPTS) throw error;
    }
  }
}

/**
 * What a living writer has synced is vouched for a moment later, by the next frame or a mark: what
 * lies in the log now is waited for, but not long, for it may never be.
 */
async function scanSettled({ fileIo, thread }: Ports, directory: string): Promise<LiveScan> {
  const deadline = thread.monotonicMs() + SETTLE_MS;
  let end: number | undefined;
  for (let attempt = 1; ; attempt++) {
    const scan = await scanLive(fileIo, directory, {
      // What the newest snapshot holds need not be read to know where the log ends.
      before: async ({ extra }) => decodeCatalogue(extra).at(-1)?.offset ?? 0,
    });
    end ??= scan.report.end.offset;
    const isOver = attempt === SETTLE_ATTEMPTS || thread.monotonicMs() > deadline;
    if (scan.lastOffset >= end || isOver) return scan;
    await new Promise<void>((next) => thread.nextTurn(next));
  }
}

async function makeStore(
  { fileIo, random, clock, thread }: Ports,
  target: string,
  { state }: PastState,
): Promise<{ readonly offset: Offset }> {
  const storeId = random.bytes(STORE_ID_BYTES);
  const { offset } = state;
  let written: string | undefined;
  const fill = async (directory: string): Promise<Uint8Array> => {
    // A log that begins with record 1 needs no snapshot before it.
    if (offset === 0) return encodeCatalogue([]);
    const pause = (): Promise<void> => new Promise((next) => thread.nextTurn(next));
    const made = await writeSnapshot(state, { fileIo, directory, storeId, pause });
    written = join(directory, snapshotName(offset));
    return encodeCatalogue([made]);
  };
  try {
    await createLogAt(target, { fileIo, storeId, lastOffset: offset, fill, clock });
  } catch (error) {
    await undo(fileIo, written);
    throw error;
  }
  return { offset };
}

/** What failed is the news; what cannot be removed now is replaced by the next attempt. */
async function undo(fileIo: FileIo, written: string | undefined): Promise<void> {
  if (written === undefined) return;
  try {
    if ((await readManifest(fileIo, dirname(written))) === undefined) await fileIo.remove(written);
  } catch {
    // Left to the next attempt.
  }
}
