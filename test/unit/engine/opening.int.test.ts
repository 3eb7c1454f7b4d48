/** Opening a store: what is refused by name, what a reader is told about the end of a torn log, what verifying says when two things are wrong. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore, verifyStore } from 'pawl';
import { openLog, verifyLog } from 'pawl/wal';
import { nodeFileIo } from '../../../src/base/node-file-io.ts';
import { impossibleRecord } from '../../../src/engine/fold-log.ts';
import { type CallKind, hookedIo, osError } from '../../crash/hooked-io.ts';
import { SimDisk } from 'pawl/testing';
import { DOOR, refusalOf } from './cases/contract.ts';

let root: string;
let directory: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pawl-opening-'));
  directory = join(root, 'store');
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A definition and some doors, closed. Gives the last offset. */
async function closedStore(doors: number): Promise<number> {
  const store = await openStore(directory, { segmentBytes: 4096 });
  await store.machines.put(DOOR);
  const context = { text: 'x'.repeat(200) };
  for (let i = 0; i < doors; i++)
    await store.instances.create({ machine: 'door', id: `d${i}`, context });
  const { offset } = store;
  await store.close();
  return offset;
}

describe('an option', () => {
  test.each([
    ['readOnly', 'yes'],
    ['readOnly', null],
    ['follow', 1],
  ])('%s: %j is refused by name, and nothing is made', async (name, value) => {
    const error = await refusalOf(() => openStore(directory, { [name]: value }));
    expect(error).toMatchObject({ code: 'BAD_REQUEST', details: { path: `options.${name}` } });
    expect(await readdir(root)).toEqual([]);
  });

  test('that is not there yet is UNSUPPORTED: following a live store', async () => {
    await closedStore(1);
    for (const options of [{ follow: true }, { follow: true, readOnly: true }] as const) {
      const error = await refusalOf(() => openStore(directory, options));
      expect(error).toMatchObject({ code: 'UNSUPPORTED', details: { path: 'options.follow' } });
    }
    const store = await openStore(directory, { follow: false, readOnly: false });
    await store.close();
  });
});

describe('a reader of a store whose last write was torn', () => {
  test('F-0g F-21 shows what is whole, and is told where the rest begins', async () => {
    const disk = SimDisk.of();
    const store = await openStore('/db', { fileIo: disk.fileIo });
    await store.machines.put(DOOR);
    for (const id of ['a', 'b']) await store.instances.create({ machine: 'door', id });
    // What is there before anything vouches for the last frame, of which a bit is wrong.
    const files = disk.files();
    const bytes = files.get('/db/00000001.wal') as Uint8Array;
    const last = bytes.findLastIndex((byte) => byte !== 0);
    bytes[last] = (bytes[last] as number) ^ 1;
    await store.close();
    const fileIo = SimDisk.of(files).fileIo;
    const reader = await openStore('/db', { readOnly: true, fileIo });
    expect(reader.offset).toBe(2);
    expect(reader.instances.get('a')?.state).toBe('open');
    expect(reader.instances.get('b')).toBeUndefined();
    expect(reader.recovery).toMatchObject({ recordsReplayed: 2, firstBadOffset: 3 });
    expect(reader.recovery.bytesTruncated).toBeGreaterThan(0);
    expect(await reader.verify()).toMatchObject({ ok: true, lastOffset: 2, problems: [] });
    await reader.close();
  });
});

describe('verifying', () => {
  test('a store in memory has nothing to find, and says how far it goes', async () => {
    const store = await openStore(':memory:');
    await store.machines.put(DOOR);
    expect(await store.verify()).toEqual({ ok: true, lastOffset: 1, problems: [] });
    await store.close();
  });

  test('F-0b F-40 a record that cannot be, on a disk that then stops answering: both are told', async () => {
    const offset = await closedStore(3);
    // An event of an instance that never was, with records behind it in later segments.
    for (let i = 0; i < 8; i++) {
      const log = await openLog(directory, { segmentBytes: 4096 });
      const record = new Uint8Array(1500);
      record.set([5, 0, 77, 0]);
      await log.append(record);
      await log.close();
    }
    const names = (await readdir(directory)).filter((name) => name.endsWith('.wal')).sort();
    const [before, last] = names.slice(-2) as [string, string];
    let isBroken = false;
    let read = '';
    // Heads are read backwards, frames forwards: what is told of the last segment's comes after all others.
    const check = (kind: CallKind, path: string): Error | undefined => {
      if (kind !== 'read') return undefined;
      const isAfter = path.endsWith(last) && read.endsWith(before);
      read = path.endsWith(last) ? read : path;
      return isBroken && isAfter ? osError('EIO') : undefined;
    };
    const fileIo = hookedIo(nodeFileIo, { before: check });
    const whole = await verifyStore(directory, { fileIo });
    expect(whole).toMatchObject({ ok: false, lastOffset: offset, problems: [{ code: 'CORRUPT' }] });
    expect(whole.problems[0]?.details).toMatchObject({ offset: offset + 1 });
    isBroken = true;
    const { ok, problems } = await verifyStore(directory, { fileIo });
    expect(ok).toBe(false);
    expect(problems).toMatchObject([
      { code: 'WAL_IO_ERROR', details: { errno: 'EIO' } },
      { code: 'CORRUPT', details: { offset: offset + 1 } },
    ]);
  });

  test('F-0b the place of such a record is as exact as the log can still tell', async () => {
    const offset = await closedStore(3);
    const log = await verifyLog(directory);
    const cause = new RangeError('it is too much');
    const known = await impossibleRecord(nodeFileIo, log, offset, cause);
    expect(known).toMatchObject({ code: 'CORRUPT', cause });
    expect(known.details).toMatchObject({ file: '00000001.wal', offset });
    const unknown = await impossibleRecord(
      nodeFileIo,
      { ...log, storeId: undefined },
      offset,
      cause,
    );
    expect(unknown.details).toEqual({ file: 'log', byteOffset: 0, offset });
    const elsewhere = await impossibleRecord(nodeFileIo, log, offset + 50, cause);
    expect(elsewhere.details).toEqual({ file: 'log', byteOffset: 0, offset: offset + 50 });
    expect(elsewhere.message).toContain('it is too much');
  });
});
