/** The directory lock against real processes, once with the kernel's locks and once without. */
import {
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { lockDirectory } from '../../../src/base/dir-lock.ts';
import type { DirectoryLock } from '../../../src/base/file-io.ts';
import { type KernelLock, loadKernelLock } from '../../../src/base/kernel-lock.ts';
import {
  type LockOwner,
  currentOwner,
  ownerText,
  parseOwner,
} from '../../../src/base/lock-owner.ts';
import { nodeFileIo } from '../../../src/base/node-file-io.ts';
import { type Holder, compileHolder, startHolder } from './lock-process.ts';

let compiled = { output: '', program: '' };
let directory = '';
let lockPath = '';
let holders: Holder[] = [];
beforeAll(() => void (compiled = compileHolder()));
afterAll(() => rm(compiled.output, { recursive: true, force: true }));
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pawl-lock-'));
  lockPath = join(directory, 'lock');
});
afterEach(async () => {
  for (const holder of holders) if (holder.child.exitCode === null) holder.child.kill('SIGKILL');
  holders = [];
  await rm(directory, { recursive: true, force: true });
  await rm(`${directory}-alias`, { force: true });
});

async function start(method: string, at = directory): Promise<Holder> {
  const holder = await startHolder(compiled.program, at, method);
  holders.push(holder);
  return holder;
}

function held(answer: DirectoryLock | { readonly heldBy: number | undefined }): DirectoryLock {
  if (!('release' in answer)) throw new Error(`refused, held by ${answer.heldBy}`);
  return answer;
}

async function ownerOnDisk(): Promise<LockOwner> {
  return parseOwner(await readFile(lockPath, 'utf8'))!;
}

test('the native package is installed where these tests run, so both ways are tried', () => {
  expect(loadKernelLock()).not.toBeNull();
});

describe.each(['kernel', 'record'])('the lock by %s', (method) => {
  const kernel: KernelLock | null = method === 'kernel' ? loadKernelLock() : null;

  test('F-51 a second process is refused and told the pid; the first is unharmed', async () => {
    const first = await start(method);
    expect(first.answer).toBe('held');
    expect(await lockDirectory(directory, kernel)).toEqual({ heldBy: first.child.pid });
    expect((await start(method)).answer).toBe(`refused by ${first.child.pid}`);
    expect((await ownerOnDisk()).pid).toBe(first.child.pid);
    expect((await ownerOnDisk()).method).toBe(method);
    await first.release();
    await held(await lockDirectory(directory, kernel)).release();
  });

  test('F-51 a second handle in the same process is refused, through a symbolic link too', async () => {
    const lock = held(await lockDirectory(directory, kernel));
    const alias = `${directory}-alias`;
    await symlink(directory, alias);
    expect(await lockDirectory(directory, kernel)).toEqual({ heldBy: process.pid });
    expect(await lockDirectory(alias, kernel)).toEqual({ heldBy: process.pid });
    expect((await start(method, alias)).answer).toBe(`refused by ${process.pid}`);
    expect(await lock.isHeld()).toBe(true);
    await rm(alias);
    await lock.release();
  });

  test('F-52 after kill -9 the next one gets it at once', async () => {
    for (let round = 0; round < 3; round++) {
      const first = await start(method);
      expect(first.answer).toBe('held');
      await first.kill();
    }
    const lock = held(await lockDirectory(directory, kernel));
    expect(await lock.isHeld()).toBe(true);
    await lock.release();
  });

  test('F-52 a stopped owner is never robbed, and still owns when it goes on', async () => {
    const first = await start(method);
    first.child.kill('SIGSTOP');
    expect(await lockDirectory(directory, kernel)).toEqual({ heldBy: first.child.pid });
    expect((await start(method)).answer).toBe(`refused by ${first.child.pid}`);
    first.child.kill('SIGCONT');
    expect((await ownerOnDisk()).pid).toBe(first.child.pid);
    await first.release();
    expect(await readdir(directory)).toEqual([]);
  });

  test('of many who find a dead owner, exactly one takes over', async () => {
    for (let round = 0; round < 20; round++) {
      await writeFile(
        lockPath,
        ownerText({ ...(await currentOwner('dead', 'record')), startTime: '1' }),
      );
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => lockDirectory(directory, kernel)),
      );
      const winners = answers.filter((answer) => 'release' in answer);
      expect(winners.length).toBe(1);
      expect(await winners[0]!.isHeld()).toBe(true);
      await winners[0]!.release();
      expect(await readdir(directory)).toEqual([]);
    }
  });

  test('of many processes that start at once after a kill, exactly one takes over', async () => {
    await (await start(method)).kill();
    const rivals = await Promise.all(Array.from({ length: 5 }, () => start(method)));
    expect(rivals.filter((rival) => rival.answer === 'held').length).toBe(1);
  });

  test('an owner killed in the middle of taking over is succeeded too, and nothing is left behind', async () => {
    const dead = { ...(await currentOwner('aa', 'record')), startTime: '1' };
    await writeFile(lockPath, ownerText(dead));
    await writeFile(join(directory, 'lock-after-aa'), ownerText({ ...dead, token: 'bb' }));
    await writeFile(join(directory, 'lock-cc'), ownerText({ ...dead, token: 'cc' }));
    const lock = held(await lockDirectory(directory, kernel));
    expect(await readdir(directory)).toEqual(['lock']);
    await lock.release();
  });

  // Killed between the creation of its claim and the end of the write into it, an attempt left a
  // file that proves nobody dead, and so stayed for ever: one more with each such death.
  test('F-13 a claim that was never finished goes with the next owner; a lock nobody can read stays', async () => {
    const whole = ownerText({ ...(await currentOwner('cc', 'record')), startTime: '1' });
    await writeFile(join(directory, 'lock-aa'), '');
    await writeFile(join(directory, 'lock-bb'), whole.slice(0, whole.length >> 1));
    const lock = held(await lockDirectory(directory, kernel));
    expect(await readdir(directory)).toEqual(['lock']);
    await lock.release();
  });

  test('an attempt that loses its unfinished claim to an owner makes another', async () => {
    const thief = { isOver: false, thefts: 0 };
    const stealing = (async () => {
      while (!thief.isOver && thief.thefts < 5)
        for (const name of await readdir(directory)) {
          const path = join(directory, name);
          if (name === 'lock' || (await readFile(path, 'utf8').catch(() => 'gone')) !== '')
            continue;
          await rm(path);
          thief.thefts++;
        }
    })();
    for (let round = 0; round < 200 && thief.thefts < 5; round++)
      await held(await lockDirectory(directory, kernel)).release();
    thief.isOver = true;
    await stealing;
    expect(thief.thefts).toBe(5);
    expect(await readdir(directory)).toEqual([]);
  });

  test('while a living rival is taking over, it counts as the owner', async () => {
    const dead = { ...(await currentOwner('aa', 'record')), startTime: '1' };
    await writeFile(lockPath, ownerText(dead));
    await writeFile(
      join(directory, 'lock-after-aa'),
      ownerText(await currentOwner('bb', 'record')),
    );
    expect(await lockDirectory(directory, kernel)).toEqual({ heldBy: process.pid });
    expect((await readdir(directory)).sort()).toEqual(['lock', 'lock-after-aa']);
  });

  test('F-53 a deleted or replaced directory is noticed', async () => {
    const lock = held(await lockDirectory(directory, kernel));
    await rename(directory, `${directory}-moved`);
    expect(await lock.isHeld()).toBe(false);
    await mkdir(directory);
    const other = held(await lockDirectory(directory, kernel));
    expect(await lock.isHeld()).toBe(false);
    await lock.release();
    expect(await other.isHeld()).toBe(true);
    await rm(lockPath);
    expect(await other.isHeld()).toBe(false);
    await other.release();
    await rm(`${directory}-moved`, { recursive: true });
  });

  test('release may be called twice, and leaves nothing', async () => {
    const lock = held(await lockDirectory(directory, kernel));
    await Promise.all([lock.release(), lock.release()]);
    expect(await lock.isHeld()).toBe(false);
    expect(await readdir(directory)).toEqual([]);
  });

  test('a lock file nobody can read is not taken over', async () => {
    for (const text of [
      '',
      'not json',
      '{"pid":1}',
      ownerText({ ...(await currentOwner('x/..', 'record')) }),
    ]) {
      await writeFile(lockPath, text);
      expect(await lockDirectory(directory, kernel)).toEqual({ heldBy: undefined });
      expect(await readFile(lockPath, 'utf8')).toBe(text);
      expect(await readdir(directory)).toEqual(['lock']);
    }
  });

  test('a missing directory is the error of the system', async () => {
    await expect(lockDirectory(join(directory, 'no'), kernel)).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

describe('F-52 an owner without a kernel lock is judged by its process', () => {
  const grantedOver = async (changes: Partial<LockOwner>): Promise<boolean> => {
    await writeFile(lockPath, ownerText({ ...(await currentOwner('aa', 'record')), ...changes }));
    const answer = await lockDirectory(directory, null);
    if ('release' in answer) await answer.release();
    return 'release' in answer;
  };

  test('dead: its pid is gone, or belongs to a later process, or the machine has booted since', async () => {
    const gone = await start('record');
    await gone.kill();
    expect(await grantedOver({ pid: gone.child.pid })).toBe(true);
    expect(await grantedOver({ startTime: '1' })).toBe(true);
    expect(await grantedOver({ bootId: 'another', pidNamespace: 'another' })).toBe(true);
  });

  test('not proven dead: the same process, another host, another container, nothing known', async () => {
    expect(await grantedOver({})).toBe(false);
    expect(
      await grantedOver({ host: 'elsewhere', pid: 2 ** 30, bootId: 'another', startTime: '1' }),
    ).toBe(false);
    expect(await grantedOver({ pidNamespace: 'another', pid: 2 ** 30, startTime: '1' })).toBe(
      false,
    );
    expect(
      await grantedOver({ startTime: undefined, bootId: undefined, pidNamespace: undefined }),
    ).toBe(false);
    expect(await grantedOver({ pid: 1, startTime: undefined })).toBe(false);
    expect(hostname()).not.toBe('elsewhere');
  });
});

describe('owners with and without the native package meet', () => {
  test('F-51 neither takes what the other holds', async () => {
    for (const [first, second] of [
      [loadKernelLock(), null],
      [null, loadKernelLock()],
    ] as const) {
      const lock = held(await lockDirectory(directory, first));
      expect(await lockDirectory(directory, second)).toEqual({ heldBy: process.pid });
      await lock.release();
      await held(await lockDirectory(directory, second)).release();
    }
  });

  test('F-52 each succeeds the other after kill -9', async () => {
    await (await start('kernel')).kill();
    const afterKernel = held(await lockDirectory(directory, null));
    expect((await ownerOnDisk()).method).toBe('record');
    await afterKernel.release();
    await (await start('record')).kill();
    const afterRecord = held(await lockDirectory(directory));
    expect((await ownerOnDisk()).method).toBe('kernel');
    await afterRecord.release();
  });

  test('F-52 a kernel lock that is gone proves the owner dead even if its pid lives on elsewhere', async () => {
    const owner = {
      ...(await currentOwner('aa', 'kernel')),
      pidNamespace: 'another',
      host: 'container',
    };
    await writeFile(lockPath, ownerText(owner));
    expect(await lockDirectory(directory, null)).toEqual({ heldBy: process.pid });
    await held(await lockDirectory(directory)).release();
  });

  test('a file system without locks leaves the record to decide', async () => {
    const broken: KernelLock = {
      tryTake: () => {
        throw Object.assign(new Error('no locks'), { code: 'ENOLCK' });
      },
      isFree: () => true,
    };
    const lock = held(await lockDirectory(directory, broken));
    expect((await ownerOnDisk()).method).toBe('record');
    expect(await lockDirectory(directory, broken)).toEqual({ heldBy: process.pid });
    await lock.release();
  });
});

test('nodeFileIo hands out this lock', async () => {
  const lock = held(await nodeFileIo.lockDirectory(directory));
  expect(await nodeFileIo.lockDirectory(directory)).toEqual({ heldBy: process.pid });
  await lock.release();
});
