/**
 * What must hold of a log after a crash, by reading it and by opening it to write: nothing
 * acknowledged is lost, what is there is a prefix in whole commits, the log can be gone on with,
 * opening twice gives the same, and no files pile up.
 */
import { type Random, seededRandom } from '../../src/base/random.ts';
import { isStoreError } from '../../src/base/errors.ts';
import { crashAt } from '../../src/testing/crash-states.ts';
import type { SimDisk } from '../../src/testing/sim-disk.ts';
import type { DiskImage } from '../../src/testing/sim-image.ts';
import { scanLog } from '../../wal/scan.ts';
import { DIRECTORY, FrozenIo, filesOf } from './frozen-io.ts';
import { pick } from './log-life.ts';
import { crashesAt } from './log-choices.ts';
import { extraNumber, type History, Replay } from './log-content.ts';
import { LogDriver, type Told } from './log-driver.ts';
import { quickThread, STILL_CLOCK } from './quick-thread.ts';

/** What a log held: records from `first` to `last`; 0 and 0 when there was none yet. */
export interface Found {
  readonly first: number;
  readonly last: number;
  /** How often the bytes of the layer above were written. */
  readonly extra: number;
}

const NONE: Found = { first: 0, last: 0, extra: 0 };

/** Reads what a crash left. Throws unless it is a part of the history. */
export async function readImage(
  image: DiskImage,
  history: History,
  strict: boolean = false,
): Promise<Found> {
  const files = filesOf(image);
  if (files === undefined) return NONE;
  const replay = new Replay(history);
  const { onFrame } = replay;
  const report = await scanLog(new FrozenIo(files), DIRECTORY, { onFrame, strict });
  if (report === undefined) return NONE;
  const { firstOffset, end } = report;
  if (replay.first > 0 && (replay.first !== firstOffset || replay.last !== end.offset))
    throw new Error(
      `delivered were ${replay.first} to ${replay.last}, reported ${firstOffset} to ${end.offset}`,
    );
  if (strict) checkTidy(report.chain.voids, report.files.unfinished);
  const extra = extraNumber(history.seed, report.manifest.state.extra);
  return { first: firstOffset, last: end.offset, extra };
}

function checkTidy(voids: readonly number[], unfinished: readonly string[]): void {
  const left = [...voids, ...unfinished];
  if (left.length > 0) throw new Error(`left behind after a clean close: ${left.join(', ')}`);
}

/** The life of the records a recovery adds. */
const AFTERLIFE = 99;
const LEVELS = ['always', 'os', { everyRecords: 2 }] as const;

/**
 * Opens what a crash left, goes on, and either closes and reads it again or crashes it again.
 * `expected`: what reading found.
 */
export async function openAndGoOn(
  disk: SimDisk,
  history: History,
  expected: Found,
  seed: number,
): Promise<void> {
  const random = seededRandom(seed);
  const from = disk.journal.length;
  const { driver, opened } = await open(disk, history, random);
  if (opened !== expected.last)
    throw new Error(`reading finds ${expected.last} records, opening ${opened}`);
  const commits = pick(random, [0, 2, 2, 2, 8]);
  for (let i = commits; i > 0; i--) await driver.commit(1 + Math.floor(random.next() * 3));
  if (random.next() < 0.4) return crashAgain(disk, from, driver.history, expected, random);
  await driver.close();
  // What was cut stays where it was until the next commit, and strict still objects to it.
  const { last } = await readImage(disk.image, driver.history, commits > 0);
  if (last !== driver.acceptedOffset)
    throw new Error(
      `${driver.acceptedOffset} records were acknowledged, then closed; found ${last}`,
    );
}

async function open(
  disk: SimDisk,
  history: History,
  random: Random,
): Promise<{ driver: LogDriver; opened: number }> {
  const driver = await LogDriver.open({
    fileIo: disk.fileIo,
    clock: STILL_CLOCK,
    thread: quickThread(),
    random,
    history,
    durability: LEVELS[Math.floor(random.next() * LEVELS.length)] ?? 'always',
    segmentBytes: 4096,
    life: AFTERLIFE,
    tell: (told) => disk.tell(told),
  });
  return { driver, opened: driver.acceptedOffset };
}

/** A crash at some moment of a recovery and what followed it. */
async function crashAgain(
  disk: SimDisk,
  from: number,
  history: History,
  expected: Found,
  random: Random,
): Promise<void> {
  const { journal } = disk;
  const at = from + Math.floor(random.next() * (journal.length - from + 1));
  const walk = disk.walk();
  walk.advance(at);
  const choices = crashesAt(walk, journal, random);
  const choice = choices[Math.floor(random.next() * choices.length)] as string;
  const { disk: crashed, kind } = crashAt(walk, journal, choice);
  let least = from === 0 ? expected.last : 0;
  let now = history.upTo(expected.last);
  for (const entry of journal.slice(from, at)) {
    if (entry.kind !== 'told') continue;
    const told = entry.what as Told;
    if (told.kind === 'opened') now = history;
    if (told.kind === 'truncating' || told.kind === 'extra') continue;
    if (told.kind !== 'accepted' || kind === 'kill') least = Math.max(least, told.offset);
  }
  const where = `then ${choice} at ${at} of its recovery`;
  const found = await readImage(crashed.image, now).catch((error: unknown) => {
    throw new Error(`${where}: ${describe(error)}`, { cause: error });
  });
  if (found.last < least) throw new Error(`${where}: ${least} were safe, found ${found.last}`);
}

export function describe(error: unknown): string {
  if (isStoreError(error)) return `${error.code} ${error.message} ${JSON.stringify(error.details)}`;
  return error instanceof Error ? error.message : String(error);
}
