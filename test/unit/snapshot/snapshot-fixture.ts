/** A snapshot on a simulated disk, and what a test does with it. */
import { expect } from 'vitest';
import { isStoreError, type ErrorCode } from 'pawl';
import { SimDisk } from 'pawl/testing';
import { type SnapshotFile, openSnapshot } from '../../../src/snapshot/snapshot-file.ts';
import { snapshotName } from '../../../src/snapshot/snapshot-name.ts';
import { writeSnapshot } from '../../../src/snapshot/write-snapshot.ts';
import type { State } from '../../../src/state/state.ts';
import { freshState } from './record-history.ts';

export const STORE_ID: Uint8Array = new Uint8Array(16).fill(7);

/** Writes it to /db; gives its path. */
export async function written(disk: SimDisk, state: State): Promise<string> {
  const { offset } = await writeSnapshot(state, {
    fileIo: disk.fileIo,
    directory: '/db',
    storeId: STORE_ID,
  });
  expect(offset).toBe(state.offset);
  return `/db/${snapshotName(offset)}`;
}

export async function loaded(
  disk: SimDisk,
  path: string,
  contexts: 'lazy' | 'now',
): Promise<{ readonly file: SnapshotFile; readonly state: State }> {
  const file = await openSnapshot(disk.fileIo, path, STORE_ID);
  const state = freshState(99);
  await file.load(state, contexts);
  return { file, state };
}

/** Opens and verifies a file with these bytes. */
export async function verifyBytes(path: string, bytes: Uint8Array): Promise<void> {
  const disk = SimDisk.of(new Map([[path, bytes]]));
  const file = await openSnapshot(disk.fileIo, path, STORE_ID);
  try {
    await file.verify();
  } finally {
    await file.close();
  }
}

/** The code a call ends with, 'fine' if it does not fail. Anything but a StoreError is passed on. */
export async function codeOf(call: () => Promise<unknown>): Promise<ErrorCode | 'fine'> {
  try {
    await call();
  } catch (error) {
    if (isStoreError(error)) return error.code;
    throw error;
  }
  return 'fine';
}
