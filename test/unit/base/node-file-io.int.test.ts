/** The real disk behind FileIo: what it does with short, interrupted and failing system calls. */
import * as nodeFs from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FileCalls } from '../../../src/base/file-calls.ts';
import type { FileHandle } from '../../../src/base/file-io.ts';
import { createNodeFileIo, nodeFileIo } from '../../../src/base/node-file-io.ts';

let directory = '';
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'pawl-io-'))));
afterEach(() => rm(directory, { recursive: true }));

const pattern = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7) & 255);

function write(file: FileHandle, bytes: Uint8Array, position: number, start = 0): Promise<void> {
  return new Promise((resolve, reject) => {
    file.write(bytes, start, bytes.length - start, position, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** The real calls, but every read and write goes through `fault` first: an error, or how many bytes at most. */
function faultyCalls(fault: (call: number) => Error | number): FileCalls & { count: number } {
  const calls = {
    ...(nodeFs as FileCalls),
    count: 0,
    write(...[fd, from, start, length, position, done]: Parameters<FileCalls['write']>) {
      const answer = fault(calls.count++);
      if (typeof answer === 'number')
        nodeFs.write(fd, from, start, Math.min(length, answer), position, done);
      else setImmediate(() => done(answer, 0));
    },
    writeSync(...[fd, from, start, length, position]: Parameters<FileCalls['writeSync']>) {
      const answer = fault(calls.count++);
      if (typeof answer !== 'number') throw answer;
      return nodeFs.writeSync(fd, from, start, Math.min(length, answer), position);
    },
    read(...[fd, into, start, length, position, done]: Parameters<FileCalls['read']>) {
      const answer = fault(calls.count++);
      if (typeof answer === 'number')
        nodeFs.read(fd, into, start, Math.min(length, answer), position, done);
      else setImmediate(() => done(answer, 0));
    },
    readSync(...[fd, into, start, length, position]: Parameters<FileCalls['readSync']>) {
      const answer = fault(calls.count++);
      if (typeof answer !== 'number') throw answer;
      return nodeFs.readSync(fd, into, start, Math.min(length, answer), position);
    },
  };
  return calls;
}

async function withFile(
  calls: FileCalls | undefined,
  run: (file: FileHandle) => Promise<void>,
): Promise<Uint8Array> {
  const path = join(directory, 'data');
  const file = await createNodeFileIo(calls).open(path, 'create');
  try {
    await run(file);
  } finally {
    await file.close();
  }
  return new Uint8Array(await readFile(path));
}

describe('short and interrupted calls', () => {
  const bytes = pattern(1000);
  const threeAtATime = (call: number): Error | number => (call % 5 === 4 ? failure('EINTR') : 300);

  test('F-34 a short write is continued until every byte is in the file', async () => {
    const calls = faultyCalls(() => 300);
    const content = await withFile(calls, (file) => write(file, bytes, 0));
    expect(content).toEqual(bytes);
    expect(calls.count).toBe(4);
  });

  test('F-34 a blocking short write is continued', async () => {
    const content = await withFile(
      faultyCalls(() => 300),
      async (file) => file.writeSync(bytes, 0, 1000, 0),
    );
    expect(content).toEqual(bytes);
  });

  test('F-34 an error half way is the error of the whole write', async () => {
    const calls = faultyCalls((call) => (call === 1 ? failure('ENOSPC') : 300));
    const content = await withFile(calls, (file) =>
      expect(write(file, bytes, 0)).rejects.toThrow('ENOSPC'),
    );
    expect(content).toEqual(bytes.subarray(0, 300));
  });

  test.each(['EINTR', 'EAGAIN'])(
    'F-35 %s is retried for reads and writes, blocking or not',
    async (code) => {
      const calls = faultyCalls((call) => (call % 2 === 0 ? failure(code) : 300));
      const content = await withFile(calls, async (file) => {
        await write(file, bytes, 0);
        file.writeSync(bytes, 0, 1000, 1000);
        const back = new Uint8Array(2000);
        expect(await file.read(back, 0, 1000, 0)).toBe(1000);
        expect(file.readSync(back, 1000, 1000, 1000)).toBe(1000);
        expect(back).toEqual(Uint8Array.from([...bytes, ...bytes]));
      });
      expect(content.length).toBe(2000);
    },
  );

  test('F-35 retries are bounded, and the error that never went away comes out', async () => {
    const calls = faultyCalls(() => failure('EAGAIN'));
    await withFile(calls, async (file) => {
      const into = new Uint8Array(10);
      await expect(write(file, bytes, 0)).rejects.toThrow('EAGAIN');
      expect(() => file.writeSync(bytes, 0, 1000, 0)).toThrow('EAGAIN');
      await expect(file.read(into, 0, 10, 0)).rejects.toThrow('EAGAIN');
      expect(() => file.readSync(into, 0, 10, 0)).toThrow('EAGAIN');
    });
    expect(calls.count).toBe(4 * 16);
  });

  test('F-35 a disk that takes no byte and reports no error fails the write', async () => {
    await withFile(
      faultyCalls(() => 0),
      async (file) => {
        await expect(write(file, bytes, 0)).rejects.toMatchObject({ code: 'EIO' });
        expect(() => file.writeSync(bytes, 0, 1000, 0)).toThrow('EIO');
      },
    );
  });

  test('any mix of short and broken-off calls moves the same bytes', async () => {
    const content = await withFile(faultyCalls(threeAtATime), async (file) => {
      await write(file, bytes, 0);
      const back = new Uint8Array(1200);
      expect(await file.read(back, 100, 1100, 0)).toBe(1000);
      expect(back.subarray(100, 1100)).toEqual(bytes);
    });
    expect(content).toEqual(bytes);
  });
});

describe('an open file', () => {
  test('takes many writes at once, each answered once', async () => {
    const bytes = pattern(6400);
    const content = await withFile(undefined, async (file) => {
      const parts = Array.from({ length: 64 }, (_, i) =>
        write(file, bytes.subarray(i * 100, i * 100 + 100), i * 100),
      );
      await Promise.all(parts);
    });
    expect(content).toEqual(bytes);
  });

  test('may be written again from inside the answer', async () => {
    const bytes = pattern(50);
    const content = await withFile(undefined, async (file) => {
      await new Promise<void>((resolve, reject) => {
        let position = 0;
        const next = (error: Error | null): void => {
          if (error) return reject(error);
          if (position === 500) return resolve();
          position += 50;
          file.write(bytes, 0, 50, position - 50, next);
        };
        next(null);
      });
    });
    expect(content.length).toBe(500);
    expect(content.subarray(450)).toEqual(bytes);
  });

  test('reads and writes at the given start and position only', async () => {
    const content = await withFile(undefined, async (file) => {
      await write(file, pattern(10), 4, 8);
      const into = new Uint8Array(4);
      expect(file.readSync(into, 1, 2, 4)).toBe(2);
      expect([...into]).toEqual([0, 56, 63, 0]);
      expect(await file.read(into, 0, 4, 100)).toBe(0);
    });
    expect([...content]).toEqual([0, 0, 0, 0, 56, 63]);
  });

  test('is cut, grown, synced and described', async () => {
    await withFile(undefined, async (file) => {
      file.writeSync(pattern(100), 0, 100, 0);
      await file.truncate(40);
      expect(await file.stat()).toEqual(await nodeFileIo.stat(file.path));
      expect(await file.stat()).toMatchObject({ kind: 'file', sizeBytes: 40 });
      await file.sync();
      file.datasyncSync();
      await new Promise<void>((resolve, reject) =>
        file.datasync((error) => (error ? reject(error) : resolve())),
      );
    });
  });

  test('answers an out-of-range argument through the callback, and still closes', async () => {
    await withFile(undefined, async (file) => {
      await new Promise<void>((resolve) => {
        file.write(pattern(4), 0, 99, 0, (error) => {
          expect(error).toBeInstanceOf(RangeError);
          resolve();
        });
      });
    });
  });

  test('closes only after the write on its way, and refuses everything later with EBADF', async () => {
    const path = join(directory, 'data');
    const file = await nodeFileIo.open(path, 'create');
    const order: string[] = [];
    const big = pattern(1 << 20);
    const written = write(file, big, 0).then(() => order.push('written'));
    const closed = file.close().then(() => order.push('closed'));
    await Promise.all([written, closed]);
    expect(order).toEqual(['written', 'closed']);
    expect((await readFile(path)).equals(big)).toBe(true);

    const refusal = { code: 'EBADF' };
    await expect(write(file, big, 0)).rejects.toMatchObject(refusal);
    await expect(
      new Promise((resolve, reject) =>
        file.datasync((error) => (error ? reject(error) : resolve(0))),
      ),
    ).rejects.toMatchObject(refusal);
    await expect(file.read(big, 0, 1, 0)).rejects.toMatchObject(refusal);
    await expect(file.sync()).rejects.toMatchObject(refusal);
    expect(() => file.writeSync(big, 0, 1, 0)).toThrow('EBADF');
    expect(() => file.readSync(big, 0, 1, 0)).toThrow('EBADF');
    await file.close();
  });
});

describe('opening', () => {
  test('keeps to the mode: create is exclusive, read reads, the rest need a file', async () => {
    const path = join(directory, 'data');
    for (const mode of ['read', 'update'] as const) {
      await expect(nodeFileIo.open(path, mode)).rejects.toMatchObject({ code: 'ENOENT' });
    }
    await (await nodeFileIo.open(path, 'create')).close();
    await expect(nodeFileIo.open(path, 'create')).rejects.toMatchObject({ code: 'EEXIST' });
    const readOnly = await nodeFileIo.open(path, 'read');
    await expect(write(readOnly, pattern(1), 0)).rejects.toMatchObject({ code: 'EBADF' });
    await readOnly.close();
    const update = await nodeFileIo.open(path, 'update');
    await write(update, pattern(8), 0);
    await update.close();
    expect((await readFile(path)).length).toBe(8);
  });

  test.runIf(nodeFileIo.hasSyncedWrites)('update-synced sets O_DSYNC', async () => {
    const path = join(directory, 'data');
    await writeFile(path, '');
    const file = await nodeFileIo.open(path, 'update-synced');
    await write(file, pattern(8), 0);
    const fd = (file as unknown as { fd: number }).fd;
    const info = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8');
    const flags = parseInt(/flags:\s+(\d+)/.exec(info)![1]!, 8);
    expect(flags & nodeFs.constants.O_DSYNC).toBe(nodeFs.constants.O_DSYNC);
    await file.close();
  });

  test.skipIf(nodeFileIo.hasSyncedWrites)(
    'update-synced is refused where it would promise too much',
    async () => {
      const path = join(directory, 'data');
      await writeFile(path, '');
      await expect(nodeFileIo.open(path, 'update-synced')).rejects.toMatchObject({
        code: 'ENOTSUP',
      });
    },
  );
});

describe('names', () => {
  test('are listed sorted, described, moved and removed', async () => {
    for (const name of ['b', 'a', 'C']) await writeFile(join(directory, name), name);
    expect(await nodeFileIo.list(directory)).toEqual(['C', 'a', 'b']);
    await nodeFileIo.rename(join(directory, 'a'), join(directory, 'b'));
    await nodeFileIo.remove(join(directory, 'C'));
    expect(await nodeFileIo.list(directory)).toEqual(['b']);
    await nodeFileIo.syncDirectory(directory);
    expect(await nodeFileIo.stat(join(directory, 'a'))).toBeUndefined();
    expect(await nodeFileIo.stat(join(directory, 'b', 'below'))).toBeUndefined();
    await expect(nodeFileIo.remove(join(directory, 'a'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(nodeFileIo.syncDirectory(join(directory, 'a'))).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  test('a directory is made once; a file in its place is an error', async () => {
    const path = join(directory, 'store');
    expect(await nodeFileIo.makeDirectory(path)).toBe(true);
    expect(await nodeFileIo.makeDirectory(path)).toBe(false);
    expect(await nodeFileIo.stat(path)).toMatchObject({ kind: 'directory' });
    await writeFile(join(directory, 'plain'), '');
    await expect(nodeFileIo.makeDirectory(join(directory, 'plain'))).rejects.toMatchObject({
      code: 'EEXIST',
    });
    await expect(nodeFileIo.makeDirectory(join(path, 'x', 'y'))).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  test('identity is that of the file, whatever path leads to it', async () => {
    await writeFile(join(directory, 'a'), '');
    await writeFile(join(directory, 'b'), '');
    await symlink(join(directory, 'a'), join(directory, 'link'));
    const identity = async (name: string): Promise<string | undefined> =>
      (await nodeFileIo.stat(join(directory, name)))?.identity;
    expect(await identity('link')).toBe(await identity('a'));
    expect(await identity('b')).not.toBe(await identity('a'));
    expect(await nodeFileIo.resolve(join(directory, 'link'))).toBe(
      await nodeFileIo.resolve(join(directory, 'a')),
    );
  });
});
