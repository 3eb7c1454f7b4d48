/** Cases of the FileIo contract about names and directories, and about files whose name changes while they are open. */
import assert from 'node:assert/strict';
import {
  bytesOf,
  fails,
  pattern,
  type PortCase,
  type PortTrial,
  written,
} from './file-io-trial.ts';

/** There is a file where a directory should be. */
const NOT_A_DIRECTORY = ['ENOTDIR', 'ENOENT'] as const;

async function identityAt(trial: PortTrial, name: string): Promise<string> {
  const stat = await trial.fileIo.stat(trial.path(name));
  assert.ok(stat !== undefined, `'${name}' is not there`);
  return stat.identity;
}

export const NAME_CASES: readonly PortCase[] = [
  {
    name: 'list gives the names in a directory, sorted, and nothing of what lies below them',
    async check(trial) {
      const { fileIo, directory } = trial;
      assert.deepEqual(await fileIo.list(directory), []);
      for (const name of ['b', 'a', 'a.1', 'B', '10', '9', 'with space', 'ümlaut', '\u{1F512}'])
        await trial.put(name, pattern(1));
      await fileIo.makeDirectory(trial.path('folder'));
      await trial.put('folder/inside', pattern(1));
      const names = [
        '10',
        '9',
        'B',
        'a',
        'a.1',
        'b',
        'folder',
        'with space',
        'ümlaut',
        '\u{1F512}',
      ];
      assert.deepEqual(await fileIo.list(directory), names);
      assert.deepEqual(await fileIo.list(trial.path('folder')), ['inside']);
    },
  },
  {
    name: 'list fails where there is no directory',
    async check(trial) {
      await trial.put('file', pattern(1));
      await fails('absent', () => trial.fileIo.list(trial.path('absent')), 'ENOENT');
      await fails('a file', () => trial.fileIo.list(trial.path('file')), ...NOT_A_DIRECTORY);
    },
  },
  {
    name: 'stat tells files from directories, gives the size, and undefined where nothing is',
    async check(trial) {
      const { fileIo } = trial;
      const file = await trial.put('file', pattern(11));
      await fileIo.makeDirectory(trial.path('folder'));
      assert.deepEqual(await fileIo.stat(trial.path('file')), await file.stat());
      const { kind, sizeBytes } = await file.stat();
      assert.deepEqual([kind, sizeBytes], ['file', 11]);
      assert.equal((await fileIo.stat(trial.path('folder')))?.kind, 'directory');
      await file.truncate(4);
      assert.equal((await fileIo.stat(trial.path('file')))?.sizeBytes, 4);
      for (const name of ['absent', 'absent/below', 'file/below'])
        assert.equal(await fileIo.stat(trial.path(name)), undefined, name);
    },
  },
  {
    name: 'identity is that of the file: kept by renaming, and other for every other file',
    async check(trial) {
      const { fileIo } = trial;
      const file = await trial.put('one', pattern(1));
      await trial.put('two', pattern(1));
      const [one, two] = [await identityAt(trial, 'one'), await identityAt(trial, 'two')];
      assert.notEqual(one, two);
      await fileIo.rename(trial.path('one'), trial.path('three'));
      assert.equal(await identityAt(trial, 'three'), one);
      assert.equal((await file.stat()).identity, one);
      await written(file, pattern(50), 0);
      assert.equal(await identityAt(trial, 'three'), one);
      await fileIo.rename(trial.path('three'), trial.path('two'));
      assert.equal(await identityAt(trial, 'two'), one);
      assert.notEqual(await identityAt(trial, '.'), one);
    },
  },
  {
    name: 'makeDirectory says whether it made one, and makes no parents',
    async check(trial) {
      const { fileIo } = trial;
      const make = (...names: string[]): Promise<boolean> =>
        fileIo.makeDirectory(trial.path(...names));
      assert.equal(await make('folder'), true);
      assert.equal(await make('folder'), false);
      assert.equal(await make('folder', 'inner'), true);
      await trial.put('folder/inner/file', pattern(2));
      assert.equal(await make('folder', 'inner'), false);
      assert.deepEqual(await trial.bytesAt('folder/inner/file'), [...pattern(2)]);
      await fails('without parent', () => make('absent', 'inner'), 'ENOENT');
      await trial.put('file', pattern(1));
      await fails('where a file is', () => make('file'), 'EEXIST');
      await fails('below a file', () => make('file', 'inner'), ...NOT_A_DIRECTORY);
    },
  },
  {
    name: 'rename moves a name, within a directory and to another',
    async check(trial) {
      const { fileIo, directory } = trial;
      await trial.put('file', pattern(5));
      await fileIo.rename(trial.path('file'), trial.path('moved'));
      assert.deepEqual(await fileIo.list(directory), ['moved']);
      await fileIo.makeDirectory(trial.path('folder'));
      await fileIo.rename(trial.path('moved'), trial.path('folder', 'again'));
      assert.deepEqual(await fileIo.list(directory), ['folder']);
      assert.deepEqual(await trial.bytesAt('folder/again'), [...pattern(5)]);
      await fileIo.rename(trial.path('folder/again'), trial.path('folder/again'));
      assert.deepEqual(await trial.bytesAt('folder/again'), [...pattern(5)]);
    },
  },
  {
    name: 'rename replaces the file that has the name; whoever has that one open goes on reading it',
    async check(trial) {
      const { fileIo, directory } = trial;
      const old = await trial.put('target', pattern(4));
      const file = await trial.put('source', pattern(7, 100));
      await fileIo.rename(trial.path('source'), trial.path('target'));
      assert.deepEqual(await fileIo.list(directory), ['target']);
      assert.deepEqual(await trial.bytesAt('target'), [...pattern(7, 100)]);
      assert.deepEqual(await bytesOf(old), [...pattern(4)]);
      await written(old, Uint8Array.of(1, 1, 1), 0);
      await written(file, Uint8Array.of(2), 0);
      assert.deepEqual(await trial.bytesAt('target'), [2, ...pattern(7, 100).slice(1)]);
    },
  },
  {
    name: 'rename fails without a source or a place to go, and changes nothing then',
    async check(trial) {
      const { fileIo, directory } = trial;
      await trial.put('file', pattern(2));
      await fileIo.makeDirectory(trial.path('folder'));
      const rename = (from: string, to: string) => (): Promise<void> =>
        fileIo.rename(trial.path(from), trial.path(to));
      await fails('no source', rename('absent', 'file'), 'ENOENT');
      await fails('no directory to go to', rename('file', 'absent/file'), 'ENOENT');
      await fails('below a file', rename('file', 'file/below'), ...NOT_A_DIRECTORY);
      await fails('over a directory', rename('file', 'folder'));
      assert.deepEqual(await fileIo.list(directory), ['file', 'folder']);
      assert.deepEqual(await trial.bytesAt('file'), [...pattern(2)]);
      assert.deepEqual(await fileIo.list(trial.path('folder')), []);
    },
  },
  {
    name: 'a renamed file is read and written through the handles that were open',
    async check(trial) {
      const file = await trial.put('before', pattern(3));
      await trial.fileIo.rename(trial.path('before'), trial.path('after'));
      await written(file, Uint8Array.of(70), 3);
      assert.deepEqual(await bytesOf(file), [...pattern(3), 70]);
      assert.deepEqual(await trial.bytesAt('after'), [...pattern(3), 70]);
      await (await trial.put('before', pattern(1, 33))).close();
      assert.deepEqual(await bytesOf(file), [...pattern(3), 70]);
    },
  },
  {
    name: 'a removed file is read and written through the handles that were open, and its name is free',
    async check(trial) {
      const { fileIo, directory } = trial;
      const file = await trial.put('file', pattern(3));
      await fileIo.remove(trial.path('file'));
      assert.deepEqual(await fileIo.list(directory), []);
      assert.equal(await fileIo.stat(trial.path('file')), undefined);
      await fails('open', () => trial.open('file', 'read'), 'ENOENT');
      const next = await trial.put('file', pattern(2, 200));
      await written(file, Uint8Array.of(70), 3);
      await file.sync();
      assert.deepEqual(await bytesOf(file), [...pattern(3), 70]);
      assert.deepEqual(await bytesOf(next), [...pattern(2, 200)]);
      assert.notEqual((await file.stat()).identity, (await next.stat()).identity);
    },
  },
  {
    name: 'remove takes away files only, and fails with ENOENT where nothing is',
    async check(trial) {
      const { fileIo, directory } = trial;
      await fileIo.makeDirectory(trial.path('folder'));
      await trial.put('file', pattern(1));
      await fails('absent', () => fileIo.remove(trial.path('absent')), 'ENOENT');
      await fails('a directory', () => fileIo.remove(trial.path('folder')));
      await fileIo.remove(trial.path('file'));
      await fails('again', () => fileIo.remove(trial.path('file')), 'ENOENT');
      assert.deepEqual(await fileIo.list(directory), ['folder']);
    },
  },
  {
    name: 'syncDirectory succeeds, with names to sync and without',
    async check(trial) {
      const { fileIo, directory } = trial;
      await fileIo.syncDirectory(directory);
      await trial.put('file', pattern(1));
      await fileIo.rename(trial.path('file'), trial.path('moved'));
      await fileIo.syncDirectory(directory);
      await fileIo.remove(trial.path('moved'));
      await fileIo.makeDirectory(trial.path('folder'));
      await Promise.all([
        fileIo.syncDirectory(directory),
        fileIo.syncDirectory(trial.path('folder')),
      ]);
      // Windows has no such call, and none to fail.
      if (process.platform !== 'win32')
        await fails('absent', () => fileIo.syncDirectory(trial.path('absent')), 'ENOENT');
    },
  },
  {
    name: 'resolve gives one path for all that lead to a directory, and fails with ENOENT where none is',
    async check(trial) {
      const { fileIo, directory } = trial;
      await fileIo.makeDirectory(trial.path('folder'));
      const resolved = await fileIo.resolve(trial.path('folder'));
      assert.equal(await fileIo.resolve(resolved), resolved);
      assert.equal(await fileIo.resolve(`${directory}/folder/../folder/`), resolved);
      assert.equal((await fileIo.stat(resolved))?.identity, await identityAt(trial, 'folder'));
      await fails('absent', () => fileIo.resolve(trial.path('absent')), 'ENOENT');
    },
  },
];
