/**
 * Calls that fail while something is given back. Four bugs that failing every call found: a file
 * that could not be closed behind a reader, and a lock that could not be given back, ended openStore
 * and close() with the bare error of the system; the latter even instead of what had made them fail.
 * Files that could not be closed were told without a place. And a look at the directory that failed
 * was told as "deleted or replaced", without an errno.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore, type Store, type StoreError } from 'pawl';
import { SimDisk } from 'pawl/testing';
import { create, PUT } from './faults/commands.ts';
import { type Fault, FaultyIo, type IoCall } from './faults/faulty-io.ts';
import { send } from './faults/send.ts';
import { DIRECTORY, openOn } from './faults/starts.ts';
import { pause, releaseTime, settle, stopTime } from './faults/still-time.ts';

beforeAll(stopTime);
afterAll(releaseTime);

type Use = (io: FaultyIo) => Promise<unknown>;

/** What `use` of a store with one record ends with, when the call that `isIt` finds fails with EIO. */
async function refusal(
  isIt: (call: IoCall) => boolean,
  mode: Fault['mode'],
  use: Use,
): Promise<StoreError> {
  const disk = SimDisk.of();
  await closed(new FaultyIo(disk.fileIo));
  disk.nextProcess();
  const clean = new FaultyIo(disk.fileIo);
  await use(clean);
  disk.nextProcess();
  const at = clean.calls.findIndex(isIt);
  const result = await settle(
    use(new FaultyIo(disk.fileIo, { at, errno: 'EIO', effect: 'before', mode })),
  );
  if (result.status === 'fulfilled') throw new Error(`call ${at} failed, and nobody was told`);
  return result.reason as StoreError;
}

async function opened(io: FaultyIo): Promise<Store> {
  const result = await settle(openOn(io.io, {}));
  if (result.status === 'rejected') throw result.reason;
  await settle(send(result.value, PUT));
  return result.value;
}

const closed: Use = async (io) => {
  const store = await opened(io);
  io.period = 'closing';
  const result = await settle(store.close());
  if (result.status === 'rejected') throw result.reason;
};
const shown: Use = async (io) => {
  const store = await openStore(DIRECTORY, { fileIo: io.io, readOnly: true });
  await store.close();
};

test('F-39 F-40 a file that cannot be closed behind a reader: WAL_IO_ERROR', async () => {
  const isIt = ({ kind, path }: IoCall): boolean => kind === 'close' && path.endsWith('.wal');
  for (const use of [shown, closed]) {
    const error = await refusal(isIt, 'persistent', use);
    expect(error).toMatchObject({ code: 'WAL_IO_ERROR', details: { errno: 'EIO' } });
  }
});

test('F-39 a lock that cannot be given back does not hide why the store could not be opened', async () => {
  const isIt = ({ kind, path }: IoCall): boolean => kind === 'reopen' && path.endsWith('manifest');
  const error = await refusal(isIt, 'persistent', closed);
  expect(error).toMatchObject({ code: 'WAL_IO_ERROR', details: { outcome: 'not-done' } });
  expect(error.message).toContain('opening the log');
});

test('F-39 a lock that cannot be given back while closing: WAL_IO_ERROR, behind what failed before it', async () => {
  const isLock = await refusal(({ kind }) => kind === 'unlock', 'once', closed);
  expect(isLock).toMatchObject({ code: 'WAL_IO_ERROR', details: { errno: 'EIO' } });
  const isEnd = ({ kind, period }: IoCall): boolean => kind === 'write' && period === 'closing';
  const error = await refusal(isEnd, 'persistent', closed);
  expect(error).toMatchObject({ code: 'WAL_IO_ERROR', details: { errno: 'EIO' } });
  expect(error.message).toContain('closing the log');
});

test('F-39 a file that cannot be closed at the end is told with its place', async () => {
  const isIt = ({ kind, period }: IoCall): boolean => kind === 'close' && period === 'closing';
  const error = await refusal(isIt, 'once', closed);
  expect(error.details).toMatchObject({ errno: 'EIO', path: DIRECTORY });
});

test('F-53 a directory that cannot be looked at is not said to be gone: the errno is told', async () => {
  const writing: Use = async (io) => {
    const store = await opened(io);
    const sent = await settle(send(store, create(`door ${store.offset}`)));
    await pause(100);
    const later = await settle(send(store, create(`later ${store.offset}`)));
    await settle(store.close());
    for (const result of [sent, later]) if (result.status === 'rejected') throw result.reason;
  };
  const error = await refusal(({ kind }) => kind === 'held', 'once', writing);
  expect(error).toMatchObject({ code: 'WAL_IO_ERROR', details: { errno: 'EIO' } });
  expect(error.message).not.toContain('deleted');
});
