/**
 * Reading beside a live writer: which records may be shown. At durability 'always' only those
 * that something in the log vouches for; below it nothing does for long, and what is written is
 * shown as what it is. The log does not say which level its writer has, but a mark follows every
 * synced frame within 20 ms: what is still unattested after a longer wait was not to be synced.
 */
import { scheduler } from 'node:timers/promises';
import { nodeFileIo } from '../base/node-file-io.ts';
import { logHolder } from '../../wal/log-holder.ts';
import { verifyLog } from '../../wal/verify.ts';

const MARK_WAIT_MS = 100;

export interface Reading {
  /** Process that has the store open for writing. */
  readonly writer: { readonly pid: number } | undefined;
  readonly deliver: 'all' | 'attested';
}

/** @throws {StoreError} NOT_FOUND, BAD_REQUEST, WAL_IO_ERROR */
export async function chooseReading(directory: string): Promise<Reading> {
  const writer = await holderIn(directory);
  if (writer === undefined) return { writer, deliver: 'all' };
  const first = await verifyLog(directory);
  if (first.attestedOffset === first.lastOffset) return { writer, deliver: 'attested' };
  await scheduler.wait(MARK_WAIT_MS);
  const second = await verifyLog(directory);
  const isCatchingUp = second.attestedOffset >= first.lastOffset;
  return { writer, deliver: isCatchingUp ? 'attested' : 'all' };
}

async function holderIn(directory: string): Promise<{ readonly pid: number } | undefined> {
  const stat = await nodeFileIo.stat(directory);
  return stat?.kind === 'directory' ? logHolder(nodeFileIo, directory) : undefined;
}
