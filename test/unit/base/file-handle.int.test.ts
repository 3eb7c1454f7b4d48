/** An open file whose system calls fail, end early, or are asked for more than one of them takes. */
import * as nodeFs from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Done,
  type FileCalls,
  MAX_CALL_BYTES,
  MAX_STALLS,
  statOf,
} from '../../../src/base/file-calls.ts';
import type { FileHandle } from '../../../src/base/file-io.ts';
import { createNodeFileIo } from '../../../src/base/node-file-io.ts';

let directory = '';
let path = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pawl-handle-'));
  path = join(directory, 'file');
  await writeFile(path, Buffer.from('twelve bytes'));
});
afterEach(() => rm(directory, { recursive: true }));

function osError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** The real calls, but for some. */
function open(some: Partial<FileCalls>): Promise<FileHandle> {
  return createNodeFileIo({ ...(nodeFs as FileCalls), ...some }).open(path, 'update');
}

const answered = (call: (done: Done) => void): Promise<Error | null> =>
  new Promise((resolve) => call(resolve));

describe('a system call that fails', () => {
  const broken = osError('EIO');
  const fails = (...args: unknown[]): void => (args.at(-1) as (error: Error) => void)(broken);

  const calls: readonly (readonly [keyof FileCalls, (file: FileHandle) => Promise<unknown>])[] = [
    ['fsync', (file) => file.sync()],
    ['ftruncate', (file) => file.truncate(3)],
    ['fstat', (file) => file.stat()],
  ];
  test.each(calls)(
    'F-39 F-40 %s: its error comes out, and the file still closes',
    async (name, call) => {
      const file = await open({ [name]: (...args: unknown[]) => setImmediate(fails, ...args) });
      await expect(call(file)).rejects.toBe(broken);
      await file.close();
      await expect(call(file)).rejects.toMatchObject({ code: 'EBADF' });
    },
  );

  test('F-32 F-39 a failed sync is asked for once, and its error is the answer', async () => {
    let asked = 0;
    const failing = (_fd: number, done: Done): void => {
      asked++;
      setImmediate(done, osError('EINTR'));
    };
    const file = await open({ fsync: failing, fdatasync: failing });
    expect(await answered((done) => file.datasync(done))).toMatchObject({ code: 'EINTR' });
    expect(asked).toBe(1);
    await file.close();
  });

  test('F-39 a close that fails says so, to everybody who asks, and is not repeated', async () => {
    let asked = 0;
    const close: FileCalls['close'] = (fd, done) => {
      asked++;
      nodeFs.close(fd, () => done(broken));
    };
    const file = await open({ close });
    const both = [file.close(), file.close()];
    for (const closing of both) await expect(closing).rejects.toBe(broken);
    expect(asked).toBe(1);
    expect(() => file.datasyncSync()).toThrow(expect.objectContaining({ code: 'EBADF' }) as Error);
  });

  test('F-33 a blocking write that fails throws at once, one that is broken off is tried again', async () => {
    let count = 0;
    const codes = ['EINTR', 'EAGAIN', 'EIO'];
    const file = await open({
      writeSync: () => {
        throw osError(codes[count++] as string);
      },
    });
    expect(() => file.writeSync(new Uint8Array(4), 0, 4, 0)).toThrow('EIO');
    expect(count).toBe(3);
    await file.close();
  });

  test('F-35 a blocking write that never gets on ends after a while', async () => {
    let count = 0;
    const file = await open({ writeSync: () => (count++, 0) });
    expect(() => file.writeSync(new Uint8Array(4), 0, 4, 0)).toThrow('without progress');
    expect(count).toBe(MAX_STALLS);
    await file.close();
  });
});

describe('a request', () => {
  test('F-34 to read behind the end gives what there is', async () => {
    const file = await open({});
    const into = new Uint8Array(20);
    expect(file.readSync(into, 0, 20, 7)).toBe(5);
    expect(await file.read(into, 10, 10, 7)).toBe(5);
    expect(Buffer.from(into).toString('latin1')).toBe('bytes\0\0\0\0\0bytes\0\0\0\0\0');
    expect([file.readSync(into, 0, 20, 12), await file.read(into, 0, 20, 99)]).toEqual([0, 0]);
    await file.close();
  });

  // Node refuses more than 2^31-1 bytes in one call.
  test('F-34 for more bytes than one call takes is several calls, without a gap', async () => {
    const asked: (readonly [number, number, number])[] = [];
    const take = (start: number, length: number, position: number): number => {
      asked.push([start, length, position]);
      return length;
    };
    const file = await open({
      write: (_fd, _from, start, length, position, done) =>
        setImmediate(done, null, take(start, length, position)),
      writeSync: (_fd, _from, start, length, position) => take(start, length, position),
      readSync: (_fd, _into, start, length, position) => take(start, length, position),
      read: (_fd, _into, start, length, position, done) =>
        setImmediate(done, null, take(start, length, position)),
    });
    const bytes = new Uint8Array(0);
    const length = 2 * MAX_CALL_BYTES + 5;
    const expected = [
      [3, MAX_CALL_BYTES, 64],
      [3 + MAX_CALL_BYTES, MAX_CALL_BYTES, 64 + MAX_CALL_BYTES],
      [3 + 2 * MAX_CALL_BYTES, 5, 64 + 2 * MAX_CALL_BYTES],
    ];
    const requests: readonly (() => unknown)[] = [
      () => answered((done) => file.write(bytes, 3, length, 64, done)),
      () => file.writeSync(bytes, 3, length, 64),
      () => file.read(bytes, 3, length, 64),
      () => file.readSync(bytes, 3, length, 64),
    ];
    for (const request of requests) {
      await request();
      expect(asked.splice(0)).toEqual(expected);
    }
    await file.close();
  });
});

test('a stat tells files, directories and everything else apart', () => {
  const raw = { size: 7n, dev: 1n, ino: 2n };
  const kindOf = (isFile: boolean, isDirectory: boolean): unknown =>
    statOf({ ...raw, isFile: () => isFile, isDirectory: () => isDirectory });
  expect(kindOf(true, false)).toEqual({ kind: 'file', sizeBytes: 7, identity: '1:2' });
  expect(kindOf(false, true)).toMatchObject({ kind: 'directory' });
  // A pipe or a device where a store should be.
  expect(kindOf(false, false)).toMatchObject({ kind: 'other' });
});
