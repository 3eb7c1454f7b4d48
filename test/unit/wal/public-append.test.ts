/** What append() takes, gives back and refuses. */
import { describe, expect, it } from 'vitest';
import { isStoreError, type Log, type LogOptions } from '../../../wal/index.ts';
import { MiB } from '../../../src/base/units.ts';
import {
  codeOf,
  failureOf,
  fill,
  ones,
  openSim,
  readAll,
  type SimDisk,
  turns,
  WatchedIo,
} from './public-fixture.ts';
import { osError } from './sim-fixture.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

async function opened(
  options: LogOptions = {},
): Promise<{ log: Log; watched: WatchedIo; disk: SimDisk }> {
  const watched = new WatchedIo();
  return { log: await openSim(watched.io, options), watched, disk: watched.disk };
}

/** The call is refused with this code, and the log takes the next record as if nothing had been asked. */
async function refused(
  call: (log: Log) => Promise<unknown>,
  code: string,
): Promise<Record<string, unknown>> {
  const { log } = await opened();
  await log.append(bytes(1));
  const error = await failureOf(call(log));
  expect(isStoreError(error) ? error.code : error).toBe(code);
  expect(log.stats()).toMatchObject({ recordsWritten: 1, pendingCommits: 0, lastOffset: 1 });
  expect(await log.append(bytes(2))).toBe(2);
  expect((await log.read()).records.map((record) => [...record.bytes])).toEqual([[1], [2]]);
  await log.close();
  return { ...(error as { details: object }).details };
}

describe('append', () => {
  it('gives offsets 1, 2, 3 ... without a gap, to lone and to concurrent callers', async () => {
    const { log } = await opened();
    expect(await log.append(bytes(7))).toBe(1);
    const both = [log.append(bytes(8)), log.appendMany([bytes(1), bytes(2)]), log.append(bytes(9))];
    expect(await Promise.all(both)).toEqual([2, 4, 5]);
    expect(log).toMatchObject({ firstOffset: 1, lastOffset: 5, durableOffset: 5 });
    await log.close();
  });

  it('copies the record before it returns', async () => {
    const { log } = await opened();
    const record = bytes(1, 2, 3);
    const offset = log.append(record);
    record.fill(9);
    await offset;
    const first = await log.read();
    expect([...(first.records[0]?.bytes ?? [])]).toEqual([1, 2, 3]);
    first.records[0]?.bytes.fill(5);
    expect([...((await log.read()).records[0]?.bytes ?? [])]).toEqual([1, 2, 3]);
    await log.close();
  });

  it('takes an empty record, a Buffer, and a view into the middle of something', async () => {
    const { log } = await opened();
    await log.append(new Uint8Array(0));
    await log.appendMany([Buffer.from('ab'), new Uint8Array([0, 1, 2, 3]).subarray(1, 3)]);
    const { records } = await log.read();
    expect(records.map((record) => [...record.bytes])).toEqual([[], [97, 98], [1, 2]]);
    expect(records.map((record) => record.endsCommit)).toEqual([true, false, true]);
    expect(
      records.every((record) => Object.getPrototypeOf(record.bytes) === Uint8Array.prototype),
    ).toBe(true);
    await log.close();
  });

  it.each([
    ['a string', 'text'],
    ['an ArrayBuffer', new ArrayBuffer(3)],
    ['an array', [1, 2]],
    ['null', null],
    ['a DataView', new DataView(new ArrayBuffer(3))],
    ['a Uint16Array', new Uint16Array(2)],
    ['a proxy', new Proxy(new Uint8Array(2), {})],
    ['an object that looks like one', Object.create(Uint8Array.prototype)],
  ])('refuses %s', async (_, value) => {
    const record = value as Uint8Array;
    expect(await refused((log) => log.append(record), 'BAD_REQUEST')).toMatchObject({
      path: 'record',
    });
    const list = [bytes(1), record];
    expect(await refused((log) => log.appendMany(list), 'BAD_REQUEST')).toMatchObject({
      path: 'records[1]',
    });
  });

  it.each([
    ['an empty list', []],
    ['no list', undefined],
    ['a record', bytes(1, 2)],
    ['an iterator', [bytes(1)].values()],
    ['a list with a hole', new Array<Uint8Array>(2)],
    [
      'a list that throws',
      new Proxy([bytes(1)], {
        get: () => {
          throw new Error('no');
        },
      }),
    ],
  ])('appendMany refuses %s', async (_, value) => {
    const details = await refused((log) => log.appendMany(value as Uint8Array[]), 'BAD_REQUEST');
    expect(details['path']).toMatch(/^records/);
  });

  it('reads a list once, whatever it says about its length', async () => {
    const { log } = await opened();
    const liar = new Proxy([bytes(1), bytes(2), bytes(3)], {
      get: (target, key) => (key === 'length' ? 1.5 : (Reflect.get(target, key) as unknown)),
    });
    expect(await log.appendMany(liar)).toBe(1);
    expect((await log.read()).records).toHaveLength(1);
    await log.close();
  });

  it('takes the true length of a subclass that lies about it', async () => {
    class Liar extends Uint8Array {
      override get length(): number {
        return 2;
      }
      override get byteLength(): number {
        return 3;
      }
      override subarray(): Uint8Array<ArrayBuffer> {
        throw new Error('not asked for');
      }
    }
    const { log } = await opened();
    await log.append(new Liar(40).fill(4));
    expect((await log.read()).records[0]?.bytes).toEqual(new Uint8Array(40).fill(4));
    await log.close();
  });

  it('WAL-4 refuses a record over 16 MiB, a commit over 64 MiB or 100,000 records', async () => {
    const large = new Uint8Array(16 * MiB + 1);
    expect(await refused((log) => log.append(large), 'RECORD_TOO_LARGE')).toMatchObject({
      limit: 16 * MiB,
    });
    await refused((log) => log.appendMany([large]), 'RECORD_TOO_LARGE');
    const most = large.subarray(1);
    // Exactly 64 MiB of bytes: too much with the length of each record before it.
    await refused((log) => log.appendMany([most, most, most, most]), 'RECORD_TOO_LARGE');
    await refused((log) => log.appendMany([most, most, most, most, bytes(1)]), 'RECORD_TOO_LARGE');
    const many = new Array<Uint8Array>(100_001).fill(bytes());
    await refused((log) => log.appendMany(many), 'RECORD_TOO_LARGE');
  });

  it('WAL-4 takes 100,000 records as one commit', async () => {
    const { log } = await opened({ segmentBytes: 1 * MiB });
    expect(await log.appendMany(new Array<Uint8Array>(100_000).fill(bytes(1)))).toBe(100_000);
    const page = await log.read({ from: 99_999 });
    expect(page.records.map((record) => [record.offset, record.endsCommit])).toEqual([
      [99_999, false],
      [100_000, true],
    ]);
    await log.close();
  });

  it.each([
    ['an option that is none', { durabel: true }],
    ['a durable that is no boolean', { durable: 1 }],
    ['a signal that is none', { signal: {} }],
    ['options that are none', 5],
  ])('refuses %s', async (_, options) => {
    const details = await refused((log) => log.append(bytes(1), options as object), 'BAD_REQUEST');
    expect(details['path']).toMatch(/^options/);
    await refused((log) => log.appendMany([bytes(1)], options as object), 'BAD_REQUEST');
  });
});

describe('the wait of append', () => {
  it('WAL-2 at always ends when the record is synced, and until then nobody reads it', async () => {
    const { log, watched } = await opened();
    watched.hold();
    let isDone = false;
    const offset = log.append(bytes(1)).finally(() => {
      isDone = true;
    });
    await turns();
    expect(isDone).toBe(false);
    expect(log.lastOffset).toBe(0);
    expect(await log.read()).toEqual({ records: [], next: 1 });
    watched.letGo();
    expect(await offset).toBe(1);
    expect(log.durableOffset).toBe(1);
    expect((await log.read()).records).toHaveLength(1);
    await log.close();
  });

  it('WAL-2 below always ends without a sync, with one when it asked for it', async () => {
    const { log, disk } = await opened({ durability: 'os' });
    const syncs = (): number => disk.journal.filter((entry) => entry.kind === 'sync').length;
    await turns();
    const before = syncs();
    await log.append(bytes(1));
    expect([log.durableOffset, syncs() - before]).toEqual([0, 0]);
    const both = [log.append(bytes(2), { durable: true }), log.append(bytes(3))];
    expect(await both[0]).toBe(2);
    expect(log.durableOffset).toBeGreaterThanOrEqual(2);
    expect(syncs()).toBeGreaterThan(before);
    await both[1];
    expect(await log.append(bytes(4))).toBe(4);
    expect(await log.flush()).toBe(4);
    await log.close();
  });

  it('WAL-6 a sync that fails is told to those who waited for it, with outcome unknown', async () => {
    const { log, disk } = await opened({ durability: 'os' });
    await log.append(bytes(1));
    disk.fault = (call) => (call === 'sync' ? osError('EIO') : undefined);
    const error = await failureOf(log.append(bytes(2), { durable: true }));
    expect(error).toMatchObject({
      code: 'WAL_IO_ERROR',
      details: { outcome: 'unknown', errno: 'EIO' },
    });
    expect(await codeOf(log.append(bytes(3)))).toBe('WAL_IO_ERROR');
    expect(await codeOf(log.flush())).toBe('WAL_IO_ERROR');
    await log.close();
  });

  it('WAL-6 F-33 after a failed write everything waiting fails, appends are refused, reads go on', async () => {
    const { log, disk, watched } = await opened();
    await fill(log, ones(5));
    watched.hold();
    disk.fault = (call) => (call === 'write' ? osError('EIO') : undefined);
    const waiting = [log.append(bytes(1)), log.appendMany([bytes(2)])];
    await turns();
    waiting.push(log.append(bytes(3)));
    watched.letGo();
    const outcomes = await Promise.all(waiting.map((promise) => failureOf(promise)));
    expect(
      outcomes.map((error) => (error as { details: { outcome: string } }).details.outcome),
    ).toEqual(['unknown', 'unknown', 'not-done']);
    expect(await failureOf(log.append(bytes(4)))).toMatchObject({
      code: 'WAL_IO_ERROR',
      details: { outcome: 'not-done' },
    });
    expect(await codeOf(log.truncateBefore(3))).toBe('WAL_IO_ERROR');
    expect(await readAll(log)).toHaveLength(5);
    await log.close();
  });

  it('ends with TIMEOUT: not-done when aborted before, unknown when aborted while it waits', async () => {
    expect(
      await refused((log) => log.append(bytes(1), { signal: AbortSignal.abort() }), 'TIMEOUT'),
    ).toEqual({ outcome: 'not-done' });
    const { log, watched } = await opened();
    const abort = new AbortController();
    watched.hold();
    const waiting = failureOf(log.append(bytes(1), { signal: abort.signal }));
    await turns();
    abort.abort(new Error('enough'));
    expect(await waiting).toMatchObject({
      code: 'TIMEOUT',
      details: { outcome: 'unknown' },
      cause: new Error('enough'),
    });
    watched.letGo();
    await log.flush();
    expect(log.lastOffset).toBe(1);
    expect(
      await log
        .append(bytes(2), { signal: abort.signal })
        .catch((error: unknown) => isStoreError(error, 'TIMEOUT')),
    ).toBe(true);
    await log.close();
  });

  it('is refused with RATE_LIMITED when too many wait, and goes on afterwards', async () => {
    const { log, watched } = await opened({ maxPending: 3 });
    watched.hold();
    const waiting = [log.append(bytes(1)), log.append(bytes(2)), log.append(bytes(3))];
    expect(await codeOf(log.append(bytes(4)))).toBe('RATE_LIMITED');
    expect(await codeOf(log.append('x' as never))).toBe('BAD_REQUEST');
    watched.letGo();
    expect(await Promise.all(waiting)).toEqual([1, 2, 3]);
    expect(await log.append(bytes(4))).toBe(4);
    await log.close();
  });
});

describe('close', () => {
  it('lets accepted appends finish and refuses everything else', async () => {
    const { log } = await opened();
    const waiting = [log.append(bytes(1)), log.append(bytes(2))];
    const closing = log.close();
    expect(log.closed).toBe(true);
    const calls = [
      log.append(bytes(3)),
      log.appendMany([bytes(3)]),
      log.read(),
      log.flush(),
      log.truncateBefore(1),
    ];
    expect(await Promise.all(calls.map((call) => codeOf(call)))).toEqual(
      new Array(5).fill('STORE_CLOSED'),
    );
    expect(() => log.follow()).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }));
    expect(await codeOf(log.append(3 as never))).toBe('STORE_CLOSED');
    expect(await Promise.all(waiting)).toEqual([1, 2]);
    await closing;
    await log.close();
    await log[Symbol.asyncDispose]();
  });

  it('called by a getter of the options refuses that very append', async () => {
    const { log } = await opened();
    const options = {
      get durable(): boolean {
        void log.close();
        return false;
      },
    };
    expect(await codeOf(log.append(bytes(1), options))).toBe('STORE_CLOSED');
    await log.close();
  });

  it.each(['always', 'os', { everyMs: 1000 }, { everyRecords: 4 }] as const)(
    'F-17 WAL-5 at level %j leaves nothing in doubt, and nothing to a power cut',
    async (durability) => {
      const { log, disk } = await opened({ durability });
      await fill(log, [1, 3, 1]);
      await log.close();
      const cut = disk.crash(disk.journal.length, () => false);
      const again = await openSim(cut.fileIo, { strict: true });
      expect(again.recovery).toMatchObject({
        recordsRead: 5,
        recordsUnattested: 0,
        bytesTruncated: 0,
      });
      expect(again.storeId).toMatch(/^[0-9a-f]{32}$/);
      expect(again.storeId).toBe(log.storeId);
      await again.close();
    },
  );
});
