/** Replacing a file whole: what is there after success, and after a failure at every step. */
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeFileAtomically } from '../../../src/base/atomic-file.ts';
import type { FileHandle, FileIo } from '../../../src/base/file-io.ts';
import { nodeFileIo } from '../../../src/base/node-file-io.ts';

let directory = '';
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'pawl-atomic-'))));
afterEach(() => rm(directory, { recursive: true }));

const content = (): Promise<string> => readFile(join(directory, 'manifest'), 'utf8');

/** The real disk; notes the steps that matter, and fails at the named one. */
function watched(failAt?: string): { readonly fileIo: FileIo; readonly steps: string[] } {
  const steps: string[] = [];
  const step = (name: string): void => {
    steps.push(name);
    if (name === failAt) throw Object.assign(new Error(name), { code: 'EIO' });
  };
  const watchedHandle = (file: FileHandle): FileHandle =>
    new Proxy(file, {
      get(target, name) {
        if (name === 'write') {
          return (...args: Parameters<FileHandle['write']>) => {
            try {
              step('write');
            } catch (error) {
              return queueMicrotask(() => args[4](error as Error));
            }
            target.write(...args);
          };
        }
        if (name === 'sync') {
          return async () => {
            step('sync');
            await target.sync();
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  const fileIo: FileIo = {
    ...nodeFileIo,
    async open(path, mode) {
      step(`open ${mode}`);
      return watchedHandle(await nodeFileIo.open(path, mode));
    },
    async rename(from, to) {
      step('rename');
      await nodeFileIo.rename(from, to);
    },
    async syncDirectory(path) {
      step('sync directory');
      await nodeFileIo.syncDirectory(path);
    },
  };
  return { fileIo, steps };
}

test('creates and replaces, in the order that survives a power cut', async () => {
  const { fileIo, steps } = watched();
  await writeFileAtomically(fileIo, directory, 'manifest', Buffer.from('one'));
  expect(await content()).toBe('one');
  await writeFileAtomically(fileIo, directory, 'manifest', Buffer.from('2'));
  expect(await content()).toBe('2');
  expect(await readdir(directory)).toEqual(['manifest']);
  const order = ['open create', 'write', 'sync', 'rename', 'sync directory'];
  expect(steps).toEqual([...order, ...order]);
});

test('an empty file is content too', async () => {
  await writeFileAtomically(nodeFileIo, directory, 'manifest', new Uint8Array(0));
  expect(await content()).toBe('');
});

test('clears away what a killed writer left aside', async () => {
  await writeFile(join(directory, 'manifest.tmp'), 'half of something much longer');
  await writeFileAtomically(nodeFileIo, directory, 'manifest', Buffer.from('new'));
  expect(await content()).toBe('new');
  expect(await readdir(directory)).toEqual(['manifest']);
});

test.each(['open create', 'write', 'sync', 'rename'])(
  'a failure of %s is passed on, leaves the old content, and the next attempt succeeds',
  async (failAt) => {
    await writeFileAtomically(nodeFileIo, directory, 'manifest', Buffer.from('old'));
    const { fileIo } = watched(failAt);
    const attempt = writeFileAtomically(fileIo, directory, 'manifest', Buffer.from('new'));
    await expect(attempt).rejects.toMatchObject({ code: 'EIO' });
    expect(await content()).toBe('old');
    await writeFileAtomically(nodeFileIo, directory, 'manifest', Buffer.from('new'));
    expect(await content()).toBe('new');
  },
);

test('a failure to sync the directory is passed on: the new name may not last', async () => {
  const { fileIo } = watched('sync directory');
  const attempt = writeFileAtomically(fileIo, directory, 'manifest', Buffer.from('new'));
  await expect(attempt).rejects.toMatchObject({ code: 'EIO' });
});
