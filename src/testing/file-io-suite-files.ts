/** Cases of the FileIo contract about open files: how they are opened, read, written, cut, synced and closed. */
import assert from 'node:assert/strict';
import type { OpenMode } from '../base/file-io.ts';
import {
  bytesOf,
  datasynced,
  fails,
  failsNow,
  pattern,
  type PortCase,
  type PortTrial,
  written,
} from './file-io-trial.ts';

const EXISTING: readonly OpenMode[] = ['read', 'update'];
/** What a system calls a write to a file that was opened for reading. */
const NOT_FOR_WRITING = ['EBADF', 'EPERM', 'EACCES', 'EINVAL'] as const;
const LARGE_BYTES = 300_000;

export const FILE_CASES: readonly PortCase[] = [
  {
    name: 'create makes an empty file that can be written and read',
    async check(trial) {
      const file = await trial.open('new', 'create');
      assert.equal(file.path, trial.path('new'));
      assert.equal((await file.stat()).sizeBytes, 0);
      await written(file, pattern(5), 0);
      assert.deepEqual(await bytesOf(file), [...pattern(5)]);
    },
  },
  {
    name: 'create refuses a name that is taken with EEXIST, and leaves what has it',
    async check(trial) {
      await trial.put('taken', pattern(3));
      await trial.fileIo.makeDirectory(trial.path('folder'));
      for (const name of ['taken', 'folder'])
        await fails(`create '${name}'`, () => trial.open(name, 'create'), 'EEXIST');
      assert.deepEqual(await trial.bytesAt('taken'), [...pattern(3)]);
    },
  },
  {
    name: 'every mode fails with ENOENT where nothing is, and makes nothing',
    async check(trial) {
      for (const mode of EXISTING) await fails(mode, () => trial.open('absent', mode), 'ENOENT');
      await fails('create', () => trial.open('no-folder/file', 'create'), 'ENOENT');
      assert.deepEqual(await trial.fileIo.list(trial.directory), []);
    },
  },
  {
    name: 'a directory cannot be opened for writing',
    async check(trial) {
      await trial.fileIo.makeDirectory(trial.path('folder'));
      await fails('update', () => trial.open('folder', 'update'), 'EISDIR', 'EPERM', 'EACCES');
    },
  },
  {
    name: "a file opened with 'read' refuses writes with EBADF, and keeps its bytes and length",
    async check(trial) {
      await trial.put('file', pattern(4));
      const file = await trial.open('file', 'read');
      await fails('write', () => written(file, pattern(1, 9), 0), 'EBADF', 'EPERM');
      await failsNow('writeSync', () => file.writeSync(pattern(1, 9), 0, 1, 0), 'EBADF', 'EPERM');
      await fails('truncate', () => file.truncate(1), ...NOT_FOR_WRITING);
      assert.deepEqual(await bytesOf(file), [...pattern(4)]);
    },
  },
  {
    name: "'update' writes over what is there and keeps the rest",
    async check(trial) {
      await (await trial.put('file', pattern(6))).close();
      const file = await trial.open('file', 'update');
      await written(file, Uint8Array.of(90, 91, 92, 93), 2, 1, 2);
      file.writeSync(Uint8Array.of(99), 0, 1, 5);
      const [a, b, , , e] = pattern(6);
      assert.deepEqual(await bytesOf(file), [a, b, 91, 92, e, 99]);
    },
  },
  {
    name: "'update-synced' writes as 'update' does where there are synced writes, and is refused with ENOTSUP elsewhere",
    async check(trial) {
      await trial.put('file', pattern(2));
      const open = (): ReturnType<PortTrial['open']> => trial.open('file', 'update-synced');
      if (!trial.fileIo.hasSyncedWrites) return fails('update-synced', open, 'ENOTSUP');
      const file = await open();
      await written(file, Uint8Array.of(8, 9), 1);
      file.writeSync(Uint8Array.of(7), 0, 1, 0);
      assert.deepEqual(await bytesOf(file), [7, 8, 9]);
      return fails('absent', () => trial.open('absent', 'update-synced'), 'ENOENT');
    },
  },
  {
    name: 'reading stops at the end of the file, says how much it got, and touches nothing else',
    async check(trial) {
      const file = await trial.put('file', pattern(10));
      const reads: readonly [number, number, number][] = [
        [0, 10, 10],
        [7, 10, 3],
        [10, 10, 0],
        [50, 10, 0],
        [3, 0, 0],
        [2, 4, 4],
      ];
      for (const [position, length, expected] of reads) {
        const what = `${length} bytes at ${position}`;
        const into = new Uint8Array(14).fill(255);
        assert.equal(await file.read(into, 2, length, position), expected, what);
        const bytes = [...pattern(10)].slice(position, position + expected);
        const all = [255, 255, ...bytes, ...new Array<number>(12 - expected).fill(255)];
        assert.deepEqual([...into], all, what);
        const blocking = new Uint8Array(14).fill(255);
        assert.equal(file.readSync(blocking, 2, length, position), expected, `${what}, blocking`);
        assert.deepEqual([...blocking], all, `${what}, blocking`);
      }
    },
  },
  {
    name: 'a write behind the end grows the file, with zeros between',
    async check(trial) {
      const file = await trial.put('file', pattern(3));
      await written(file, Uint8Array.of(50), 6);
      assert.deepEqual(await bytesOf(file), [...pattern(3), 0, 0, 0, 50]);
      file.writeSync(Uint8Array.of(60), 0, 1, LARGE_BYTES - 1);
      const bytes = await bytesOf(file);
      assert.equal(bytes.length, LARGE_BYTES);
      assert.ok(bytes.slice(7, -1).every((byte) => byte === 0));
      assert.equal(bytes.at(-1), 60);
    },
  },
  {
    name: 'a write of no bytes succeeds and does not grow the file',
    async check(trial) {
      const file = await trial.put('file', pattern(3));
      await written(file, pattern(3), 100, 0, 0);
      file.writeSync(pattern(3), 0, 0, 100);
      assert.equal((await file.stat()).sizeBytes, 3);
    },
  },
  {
    name: 'truncate cuts; what was cut off does not come back when the file grows again',
    async check(trial) {
      const file = await trial.put('file', pattern(8));
      await file.truncate(3);
      assert.deepEqual(await bytesOf(file), [...pattern(3)]);
      await file.truncate(6);
      assert.deepEqual(await bytesOf(file), [...pattern(3), 0, 0, 0]);
      await file.truncate(1);
      await written(file, Uint8Array.of(77), 4);
      assert.deepEqual(await bytesOf(file), [1, 0, 0, 0, 77]);
      await file.truncate(0);
      assert.deepEqual(await bytesOf(file), []);
    },
  },
  {
    name: 'several handles of one file see each other, and closing one leaves the others',
    async check(trial) {
      const one = await trial.put('file', pattern(4));
      const two = await trial.open('file', 'update');
      const reader = await trial.open('file', 'read');
      await written(two, Uint8Array.of(80), 1);
      one.writeSync(Uint8Array.of(81), 0, 1, 4);
      const [a, , c, d] = pattern(4);
      assert.deepEqual(await bytesOf(reader), [a, 80, c, d, 81]);
      await one.close();
      await two.truncate(2);
      assert.deepEqual(await bytesOf(reader), [a, 80]);
    },
  },
  {
    name: 'bytes arrive whole and in their place, however many and however many at once',
    async check(trial) {
      const large = pattern(LARGE_BYTES);
      const file = await trial.put('file', large);
      assert.deepEqual(await bytesOf(file), [...large]);
      const parts = Array.from({ length: 32 }, (_, i) => i);
      await Promise.all(parts.map((i) => written(file, pattern(100, i), i * 100)));
      const expected = parts.flatMap((i) => [...pattern(100, i)]);
      assert.deepEqual((await bytesOf(file)).slice(0, 3200), expected);
    },
  },
  {
    name: 'write calls back once, and after it returned; from there the next write may start',
    async check(trial) {
      const file = await trial.open('file', 'create');
      const answers: (Error | null)[] = [];
      let hasReturned = false;
      await new Promise<void>((resolve) => {
        const next = (error: Error | null): void => {
          answers.push(error);
          assert.ok(hasReturned, 'the callback came while write() was running');
          if (answers.length === 5) return resolve();
          hasReturned = false;
          file.write(pattern(10), 0, 10, answers.length * 10, next);
          hasReturned = true;
        };
        file.write(pattern(10), 0, 10, 0, next);
        hasReturned = true;
      });
      await file.sync();
      assert.deepEqual(answers, [null, null, null, null, null]);
      assert.equal((await file.stat()).sizeBytes, 50);
    },
  },
  {
    name: 'a write that cannot be made answers with its error, once, and the handle goes on',
    async check(trial) {
      const file = await trial.open('file', 'create');
      const answers: (Error | null)[] = [];
      await new Promise<void>((resolve) => {
        file.write(pattern(4), 0, 99, 0, (error) => {
          answers.push(error);
          resolve();
        });
        assert.deepEqual(answers, [], 'answered before write() returned');
      });
      assert.ok(answers[0] instanceof Error);
      await written(file, pattern(4), 0);
      assert.deepEqual(await bytesOf(file), [...pattern(4)]);
      await file.close();
      assert.equal(answers.length, 1);
    },
  },
  {
    name: 'datasync, datasyncSync and sync succeed, with something to sync and without',
    async check(trial) {
      const file = await trial.open('file', 'create');
      for (let round = 0; round < 2; round++) {
        await datasynced(file);
        file.datasyncSync();
        await file.sync();
        await written(file, pattern(9), round * 9);
      }
      const answers: unknown[] = [];
      file.datasync((error) => answers.push(error));
      assert.deepEqual(answers, [], 'answered before datasync() returned');
      await Promise.all([datasynced(file), file.sync()]);
      assert.equal((await bytesOf(file)).length, 18);
      await file.close();
      assert.deepEqual(answers, [null]);
    },
  },
  {
    name: 'close waits for the write on its way; later calls fail with EBADF, and closing again is nothing',
    async check(trial) {
      const file = await trial.open('file', 'create');
      const order: string[] = [];
      const large = pattern(LARGE_BYTES);
      const write = written(file, large, 0).then(() => order.push('written'));
      await Promise.all([file.close().then(() => order.push('closed')), write]);
      assert.deepEqual(order, ['written', 'closed']);
      const into = new Uint8Array(1);
      await fails('write', () => written(file, large, 0), 'EBADF');
      await fails('datasync', () => datasynced(file), 'EBADF');
      await fails('sync', () => file.sync(), 'EBADF');
      await fails('read', () => file.read(into, 0, 1, 0), 'EBADF');
      await fails('truncate', () => file.truncate(0), 'EBADF');
      await fails('stat', () => file.stat(), 'EBADF');
      await failsNow('writeSync', () => file.writeSync(large, 0, 1, 0), 'EBADF');
      await failsNow('readSync', () => file.readSync(into, 0, 1, 0), 'EBADF');
      await failsNow('datasyncSync', () => file.datasyncSync(), 'EBADF');
      await file.close();
      assert.deepEqual(await trial.bytesAt('file'), [...large]);
    },
  },
];
