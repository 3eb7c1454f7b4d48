/** Cases of the FileIo contract about the lock of a directory. That it ends with its process is for tests with processes. */
import assert from 'node:assert/strict';
import type { DirectoryLock } from '../base/file-io.ts';
import { fails, pattern, type PortCase, type PortTrial } from './file-io-trial.ts';

async function locked(trial: PortTrial, ...names: readonly string[]): Promise<DirectoryLock> {
  const answer = await trial.fileIo.lockDirectory(trial.path(...names));
  assert.ok('release' in answer, 'the lock was not given');
  return answer;
}

/** Says the lock is taken, and by whom as far as it knows. */
async function checkTaken(trial: PortTrial): Promise<void> {
  const answer = await trial.fileIo.lockDirectory(trial.directory);
  assert.ok('heldBy' in answer, 'the lock was given twice');
  assert.ok(['number', 'undefined'].includes(typeof answer.heldBy));
}

export const LOCK_CASES: readonly PortCase[] = [
  {
    name: 'the lock of a directory is given to one, and to the next when that one releases it',
    async check(trial) {
      const lock = await locked(trial);
      await checkTaken(trial);
      assert.equal(await lock.isHeld(), true);
      await lock.release();
      const next = await locked(trial);
      await checkTaken(trial);
      await next.release();
    },
  },
  {
    name: 'of many who ask for the lock at once, one gets it',
    async check(trial) {
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => trial.fileIo.lockDirectory(trial.directory)),
      );
      const given = answers.flatMap((answer) => ('release' in answer ? [answer] : []));
      assert.equal(given.length, 1);
      await Promise.all(given.map((lock) => lock.release()));
    },
  },
  {
    name: 'a released lock is not held, and releasing it again takes nothing from its successor',
    async check(trial) {
      const lock = await locked(trial);
      await Promise.all([lock.release(), lock.release()]);
      assert.equal(await lock.isHeld(), false);
      const next = await locked(trial);
      assert.equal(await lock.isHeld(), false);
      await lock.release();
      assert.equal(await next.isHeld(), true);
      await checkTaken(trial);
      await next.release();
    },
  },
  {
    name: 'each directory has a lock of its own, and files in it are not its matter',
    async check(trial) {
      for (const name of ['one', 'two']) await trial.fileIo.makeDirectory(trial.path(name));
      const locks = [await locked(trial, 'one'), await locked(trial, 'two'), await locked(trial)];
      await trial.put('one/file', pattern(1));
      await trial.fileIo.remove(trial.path('one/file'));
      for (const lock of locks) assert.equal(await lock.isHeld(), true);
      for (const lock of locks) await lock.release();
    },
  },
  {
    name: 'a directory that is not there cannot be locked',
    async check(trial) {
      const lock = (): Promise<unknown> => trial.fileIo.lockDirectory(trial.path('absent'));
      await fails('lock', lock, 'ENOENT');
    },
  },
];
