/**
 * What a fault leaves behind, with a disk that is well again: the next process, and the next one
 * after a power cut, find all that was acknowledged and nothing that was refused; what they found
 * survives the next cut; they can go on, and tidy up.
 */
import { scanLog } from '../../../../wal/scan.ts';
import type { SimDisk } from 'pawl/testing';
import { create, PUT } from './commands.ts';
import { viewOf } from './door-model.ts';
import { type Expected, findState } from './ledger.ts';
import type { Scenario } from './scenario.ts';
import { send } from './send.ts';
import { DIRECTORY, openOn } from './starts.ts';
import { settle } from './still-time.ts';

/** Opens what is there, checks it and goes on. `isThorough`: a cut right behind the opening as well. */
export async function checkAftermath(
  disk: SimDisk,
  scenario: Scenario,
  expected: Expected,
  isThorough: boolean,
): Promise<void> {
  const opened = await settle(openOn(disk.fileIo, scenario.options));
  if (opened.status === 'rejected') throw opened.reason;
  const store = opened.value;
  const ids = (expected.models.at(-1) as (typeof expected.models)[0]).doors.keys();
  const view = viewOf(store, ids);
  const found = findState(expected, view);
  if (isThorough)
    await checkServed(disk, scenario, { ...expected, models: [found], min: 0, max: 0 });
  if (!found.isDefined) await settle(send(store, PUT));
  const went = await settle(send(store, create('after', { durable: true })));
  if (went.status === 'rejected') throw went.reason;
  const { offset } = store;
  const closed = await settle(store.close());
  if (closed.status === 'rejected') throw closed.reason;
  await checkTidy(disk, offset);
}

/** F-15: nothing was shown that a power cut takes back. */
async function checkServed(disk: SimDisk, scenario: Scenario, shown: Expected): Promise<void> {
  const cut = disk.crash(disk.journal.length, () => false);
  const opened = await settle(openOn(cut.fileIo, scenario.options));
  if (opened.status === 'rejected') throw opened.reason;
  const ids = shown.models[0]!.doors.keys();
  findState(shown, viewOf(opened.value, ids));
}

/** F-39: what could not be removed is gone, and everything that is there is part of the log. */
async function checkTidy(disk: SimDisk, offset: number): Promise<void> {
  const report = await scanLog(disk.fileIo, DIRECTORY, { strict: true });
  const left = [...(report?.chain.voids ?? []), ...(report?.files.unfinished ?? [])];
  if (left.length > 0) throw new Error(`left behind: ${left.join(' ')}`);
  if (report?.end.offset !== offset)
    throw new Error(`${offset} records were shown, ${report?.end.offset} are in the log`);
}
