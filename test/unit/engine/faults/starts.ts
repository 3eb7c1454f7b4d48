/**
 * What the first opening of a fault scenario finds: nothing, what a killed process left, or a log
 * that is large enough for a reserve.
 */
import { openStore, type Store, type StoreOptions } from 'pawl';
import type { FileIo } from '../../../../src/base/file-io.ts';
import { seededRandom } from '../../../../src/base/random.ts';
import { RESERVE_NAME, unfinishedName } from '../../../../wal/segment-name.ts';
import { SimDisk } from 'pawl/testing';
import { tear } from '../../wal/sim-fixture.ts';
import { manualClock } from '../cases/contract.ts';
import { type Command, create, KEYED, KEYED_BATCH, large, PUT } from './commands.ts';
import { DoorModel } from './door-model.ts';
import { send } from './send.ts';
import { settle } from './still-time.ts';

/** Files, and what they hold. */
export interface Start {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly model: DoorModel;
}

export const DIRECTORY = '/db/store';

/** The same bytes and the same calls every time. */
export function openOn(fileIo: FileIo, options: StoreOptions): Promise<Store> {
  const fixed = { clock: manualClock(), random: seededRandom(7), segmentBytes: 4096 };
  return openStore(DIRECTORY, { ...fixed, fileIo, ...options });
}

async function leftBy(
  disk: SimDisk,
  options: StoreOptions,
  commands: readonly Command[],
): Promise<DoorModel> {
  const opened = await settle(openOn(disk.fileIo, options));
  if (opened.status === 'rejected') throw opened.reason;
  const model = new DoorModel();
  for (const command of commands) {
    await settle(send(opened.value, command));
    model.perform(command);
    if (command.durable === true) await settle(opened.value.flush());
  }
  return model;
}

/** Of a killed process: frames nothing vouches for, the last one torn; files prepared and unfinished. */
export async function torn(): Promise<Start> {
  const disk = SimDisk.of();
  const before = [
    PUT,
    KEYED[0] as Command,
    create('b'),
    large('a', 1, 1500),
    { ...large('b', 2, 1500), durable: true },
    KEYED[1] as Command,
    KEYED_BATCH,
  ];
  const model = await leftBy(disk, { durability: 'os' }, [...before, large('b', 4, 300)]);
  const last = disk.journal.findLastIndex((entry) => entry.kind === 'write' && entry.at > 0);
  const found = disk.crash(disk.journal.length, (index, effect) =>
    index === last ? tear(effect) : true,
  );
  const files = found.files();
  files.set(`${DIRECTORY}/${unfinishedName(9)}`, new Uint8Array(100));
  const known = new DoorModel();
  for (const command of before) known.perform(command);
  if (known.offset >= model.offset) throw new Error('nothing is torn');
  return { files, model: known };
}

/** Of a process that ended well, before it had a reserve. */
export async function sizeable(): Promise<Start> {
  const disk = SimDisk.of();
  const commands = [PUT, create('a'), create('b'), ...[1, 2, 3].map((n) => large('b', n, 180_000))];
  const model = await leftBy(disk, { durability: 'os' }, commands);
  const files = disk.files();
  files.delete(`${DIRECTORY}/${RESERVE_NAME}`);
  return { files, model };
}

export async function nothing(): Promise<Start> {
  return { files: new Map<string, Uint8Array>(), model: new DoorModel() };
}
