/**
 * What verify and repair make of a damaged store: verify changes nothing and names a problem; repair
 * keeps every record before the first one that is damaged, lays aside what it takes away, may be
 * repeated, and may die at any point.
 */
import { join } from 'node:path';
import type { Random } from '../../src/base/random.ts';
import { isStoreError } from '../../src/base/errors.ts';
import { choicesAt, crashAt } from '../../src/testing/crash-states.ts';
import { SimDisk } from '../../src/testing/sim-disk.ts';
import { isEffect } from '../../src/testing/sim-journal.ts';
import { repairLog, type RepairReport } from '../../wal/repair.ts';
import { verifyLog } from '../../wal/verify.ts';
import { DIRECTORY, FrozenIo, filesOf } from './frozen-io.ts';
import { isData, type Sample } from './damage-sample.ts';
import { read } from './damage-verdict.ts';
import { STILL_CLOCK } from './quick-thread.ts';

/** Crashes tried of each repair. */
const CRASHES = 6;

/** The last record before the first damaged frame with records, wherever else damage is. */
function keepable(sample: Sample, files: ReadonlyMap<string, Uint8Array>): number {
  let last = 0;
  for (const frame of sample.frames) {
    if (!isData(frame)) continue;
    const before = (sample.files.get(frame.path) as Uint8Array).subarray(frame.at, frame.end);
    const now = files.get(frame.path)?.subarray(frame.at, frame.end);
    if (now === undefined || Buffer.compare(before, now) !== 0) break;
    last = frame.lastOffset;
  }
  return last;
}

function repair(disk: SimDisk, dryRun: boolean = false): Promise<RepairReport> {
  return repairLog(DIRECTORY, {
    fileIo: disk.fileIo,
    clock: STILL_CLOCK,
    dryRun,
    segmentBytes: 8192,
  });
}

/** Of a store that reading calls CORRUPT. Gives how many crashes were tried. Throws for what must never be. */
export async function checkRepair(
  sample: Sample,
  files: ReadonlyMap<string, Uint8Array>,
  random: Random,
): Promise<number> {
  const disk = SimDisk.of(files);
  const verified = await verifyLog(DIRECTORY, { fileIo: disk.fileIo });
  if (verified.ok || verified.problems.length === 0) throw new Error('verify calls it sound');
  const planned = await repair(disk, true);
  if (disk.journal.some(isEffect)) throw new Error('verify or a dry run changed something');
  const done = await repair(disk);
  if (done.lastOffset !== planned.lastOffset) throw new Error('the dry run said something else');
  const least = keepable(sample, files);
  if (done.lastOffset < least)
    throw new Error(`repair keeps ${done.lastOffset} records, ${least} were whole`);
  await checkRepaired(sample, disk, done.lastOffset);
  const now = disk.files();
  for (const name of done.saved) {
    const before = files.get(join(DIRECTORY, name)) ?? new Uint8Array(0);
    const copy = now.get(join(done.savedTo, name));
    if (copy === undefined || Buffer.compare(before, copy) !== 0)
      throw new Error(`no true copy of ${name} was laid aside`);
  }
  for (const path of files.keys())
    if (!now.has(path) && !path.endsWith('.new') && !done.saved.includes(path.slice(4)))
      throw new Error(`repair removed ${path} and kept no copy`);
  const effects = disk.journal.filter(isEffect).length;
  const again = await repair(disk);
  if (again.problems.length > 0 || disk.journal.filter(isEffect).length !== effects)
    throw new Error('a second repair finds something to do');
  for (let i = 0; i < CRASHES; i++) await crash(sample, disk, done.lastOffset, random);
  return CRASHES;
}

async function checkRepaired(sample: Sample, disk: SimDisk, records: number): Promise<void> {
  const after = filesOf(disk.image) ?? new Map<string, Uint8Array>();
  const verdict = await read(new FrozenIo(after), sample.sums, true);
  if (verdict.kind !== 'found' || verdict.records !== records)
    throw new Error(`repaired to ${records} records, and then ${JSON.stringify(verdict)}`);
}

async function crash(
  sample: Sample,
  disk: SimDisk,
  records: number,
  random: Random,
): Promise<void> {
  const walk = disk.walk();
  const at = Math.floor(random.next() * (disk.journal.length + 1));
  walk.advance(at);
  const choices = choicesAt(walk, disk.journal, random);
  const choice = choices[Math.floor(random.next() * choices.length)] as string;
  const left = crashAt(walk, disk.journal, choice).disk;
  try {
    const again = await repair(left);
    if (again.lastOffset !== records)
      throw new Error(`the next one keeps ${again.lastOffset} records instead of ${records}`);
    await checkRepaired(sample, left, records);
  } catch (error) {
    const what = isStoreError(error) ? `${error.code} ${error.message}` : String(error);
    throw new Error(`repair crashed (${choice} at ${at}): ${what}`, { cause: error });
  }
}
