/** Calls that fail on purpose: which calls a rule is about, and what the port makes of each outcome. */
import { describe, expect, test } from 'vitest';
import { isStoreError } from '../../../src/base/errors.ts';
import type { FileHandle } from '../../../src/base/file-io.ts';
import {
  type Call,
  checkFaults,
  FaultPlan,
  type FaultRule,
} from '../../../src/testing/sim-faults.ts';
import type { SimDisk } from '../../../src/testing/sim-disk.ts';
import { SimScheduler } from '../../../src/testing/sim-scheduler.ts';
import { bytesOf, cutsOf, datasync, diskOf, lineOf, write } from './sim-fixture.ts';

const A = '/db/a';

/** Which of so many equal calls a plan fails, counted from 1. */
function failing(plan: FaultPlan, calls: number, call: Call = 'write', path: string = A): number[] {
  return Array.from({ length: calls }, (_, i) => i + 1).filter(
    () => plan.decide(call, path) !== undefined,
  );
}

function planned(
  rules: readonly FaultRule[],
  files: Record<string, string> = { a: 'old' },
): SimDisk {
  const disk = diskOf(files);
  const plan = new FaultPlan(rules);
  disk.fault = (call, path) => plan.decide(call, path);
  return disk;
}

async function codeOf(run: Promise<unknown>): Promise<unknown> {
  return run.then(
    () => 'none',
    (error: unknown) => (error as { code?: unknown }).code,
  );
}

const opened = (disk: SimDisk): Promise<FileHandle> => disk.fileIo.open(A, 'update');

describe('TST-2 a rule', () => {
  test.each<[FaultRule, number[]]>([
    [{}, [1]],
    [{ nth: 1 }, [1]],
    [{ nth: 3 }, [3]],
    [{ nth: 3, times: 2 }, [3, 4]],
    [{ times: Number.POSITIVE_INFINITY }, [1, 2, 3, 4, 5, 6]],
    [{ nth: 5, times: Number.POSITIVE_INFINITY }, [5, 6]],
    [{ nth: 7 }, []],
    [{ chance: 1 }, [1, 2, 3, 4, 5, 6]],
    [{ chance: 0 }, []],
  ])('%j fails these of six calls: %j', (rule, calls) => {
    const plan = new FaultPlan([{ error: 'EIO', ...rule }]);
    expect(failing(plan, 6)).toEqual(calls);
    expect(plan.met).toEqual([calls.length]);
  });

  test('is about the kinds of calls it names, and about paths with its part in them', () => {
    const plan = new FaultPlan([
      { call: ['write', 'sync'], path: 'wal', error: 'EIO', times: Number.POSITIVE_INFINITY },
    ]);
    expect(plan.decide('write', '/db/wal-1')?.error).toMatchObject({ code: 'EIO' });
    expect(plan.decide('sync', '/db/wal-2')?.error?.message).toContain("sync '/db/wal-2'");
    expect(plan.decide('read', '/db/wal-1')).toBeUndefined();
    expect(plan.decide('write', '/db/other')).toBeUndefined();
    expect(plan.met).toEqual([2]);
  });

  test('counts only the calls it is about', () => {
    const plan = new FaultPlan([{ call: 'sync', path: 'a', nth: 2, error: 'EIO' }]);
    expect(failing(plan, 3, 'write', '/a')).toEqual([]);
    expect(failing(plan, 3, 'sync', '/b')).toEqual([]);
    expect(failing(plan, 3, 'sync', '/a')).toEqual([2]);
  });

  test('counts those that another rule decides as well: the second call is the second', () => {
    const plan = new FaultPlan([
      { nth: 2, error: 'EIO' },
      { nth: 3, error: 'ENOSPC' },
      { nth: 3, error: 'EROFS' },
    ]);
    const codes = Array.from({ length: 4 }, () => {
      const error = plan.decide('write', A)?.error as { code?: string } | undefined;
      return error?.code;
    });
    expect(codes).toEqual([undefined, 'EIO', 'ENOSPC', undefined]);
    expect(plan.met).toEqual([1, 1, 0]);
  });

  test('by chance fails about as often, the same calls for the same seed and others for another', () => {
    const of = (seed: number): number[] =>
      failing(new FaultPlan([{ chance: 0.3, error: 'EIO' }], seed), 1000);
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
    expect(Math.abs(of(1).length - 300)).toBeLessThan(60);
  });

  test.each<[string, FaultRule, string]>([
    ['that says nothing', {}, ''],
    ['that says nothing of what becomes of a call', { call: 'write', nth: 2 }, ''],
    ['counting from 0', { error: 'EIO', nth: 0 }, '.nth'],
    ['counting in fractions', { error: 'EIO', nth: 1.5 }, '.nth'],
    ['counting to no number', { error: 'EIO', nth: Number.NaN }, '.nth'],
    ['that never comes to its call', { error: 'EIO', nth: Number.POSITIVE_INFINITY }, '.nth'],
    ['for no call', { error: 'EIO', times: 0 }, '.times'],
    ['for half a call', { error: 'EIO', times: 0.5 }, '.times'],
    ['with a chance above 1', { error: 'EIO', chance: 1.1 }, '.chance'],
    ['with a chance below 0', { error: 'EIO', chance: -0.1 }, '.chance'],
    ['with no chance at all', { error: 'EIO', chance: Number.NaN }, '.chance'],
    ['moving less than nothing', { bytes: -1 }, '.bytes'],
    ['moving half a byte', { bytes: 0.5 }, '.bytes'],
    ['answered before it is asked', { delayMs: -1 }, '.delayMs'],
    ['never answered', { delayMs: Number.POSITIVE_INFINITY }, '.delayMs'],
    ['without a code', { error: '' }, '.error'],
    ['whose effect is no lie', { delayMs: 1, tookEffect: true }, '.tookEffect'],
    ['about no calls', { error: 'EIO', call: [] }, '.call'],
    ['about a call there is not', { error: 'EIO', call: 'fsync' as Call }, '.call'],
  ])('%s is BAD_REQUEST', (_, rule, path) => {
    const failure = (run: () => unknown): unknown => {
      try {
        return run();
      } catch (error) {
        return isStoreError(error, 'BAD_REQUEST') ? error.details.path : error;
      }
    };
    const good: FaultRule = { error: 'EIO' };
    expect(failure(() => new FaultPlan([good, rule]))).toBe(`rules[1]${path}`);
    expect(failure(() => checkFaults([good, rule]))).toBe(`faults[1]${path}`);
  });
});

describe('TST-2 an outcome', () => {
  test('F-34 short reads and writes are continued until all is moved', async () => {
    const disk = planned([{ call: ['read', 'write'], bytes: 2, chance: 1 }], { a: '' });
    const file = await opened(disk);
    await write(file, 'seven..');
    file.writeSync(bytesOf('blocking'), 0, 8, 7);
    expect(lineOf(disk.image)).toBe('a=seven..blocking');
    const into = new Uint8Array(15);
    expect(await file.read(into, 0, 15, 0)).toBe(15);
    expect(file.readSync(into, 0, 15, 0)).toBe(15);
    expect(disk.journal.map((entry) => entry.kind === 'write' && entry.bytes.length)).toEqual([
      2, 2, 2, 1, 2, 2, 2, 2,
    ]);
  });

  test.each(['EINTR', 'EAGAIN'])('F-35 %s is tried again, within bounds', async (error) => {
    const twice = planned([{ call: ['read', 'write'], error, times: 2 }]);
    const file = await opened(twice);
    await write(file, 'new');
    expect(lineOf(twice.image)).toBe('a=new');
    const forEver = planned([{ call: ['read', 'write'], error, chance: 1 }]);
    const other = await opened(forEver);
    expect(await codeOf(write(other, 'new'))).toBe(error);
    expect(await codeOf(other.read(new Uint8Array(1), 0, 1, 0))).toBe(error);
    expect(() => other.writeSync(bytesOf('new'), 0, 3, 0)).toThrow(error);
    expect(lineOf(forEver.image)).toBe('a=old');
  });

  test('F-33 an error moves nothing, or half a write when it says so', async () => {
    const none = planned([{ call: 'write', error: 'EIO' }]);
    expect(await codeOf(write(await opened(none), 'new'))).toBe('EIO');
    expect([lineOf(none.image), none.journal]).toEqual(['a=old', []]);
    const half = planned([{ call: 'write', error: 'EIO', bytes: 1 }]);
    expect(await codeOf(write(await opened(half), 'new'))).toBe('EIO');
    expect(lineOf(half.image)).toBe('a=nld');
    const blocking = planned([{ call: 'write', error: 'EIO', bytes: 2 }]);
    const file = await opened(blocking);
    expect(() => file.writeSync(bytesOf('new'), 0, 3, 0)).toThrow('EIO');
    expect(lineOf(blocking.image)).toBe('a=ned');
  });

  test('F-44 an error after the effect leaves the effect', async () => {
    const all: readonly Call[] = ['create', 'write', 'truncate', 'mkdir', 'rename', 'remove'];
    const disk = planned([{ call: all, error: 'EIO', tookEffect: true, chance: 1 }], {
      a: 'old',
      b: '',
    });
    const { fileIo } = disk;
    const file = await opened(disk);
    expect(await codeOf(write(file, 'NEW'))).toBe('EIO');
    expect(await codeOf(file.truncate(2))).toBe('EIO');
    expect(await codeOf(fileIo.open('/db/c', 'create'))).toBe('EIO');
    expect(await codeOf(fileIo.makeDirectory('/db/d'))).toBe('EIO');
    expect(await codeOf(fileIo.rename(A, '/db/moved'))).toBe('EIO');
    expect(await codeOf(fileIo.remove('/db/b'))).toBe('EIO');
    expect(await codeOf(fileIo.remove('/db/b'))).toBe('ENOENT');
    expect(lineOf(disk.image)).toBe('c= d/ moved=NE');
  });

  test('F-39 an error of any call reaches its caller and changes nothing', async () => {
    const disk = planned([{ error: 'EIO', chance: 1 }]);
    const plain = diskOf({ a: 'old' });
    const { fileIo } = disk;
    const calls: readonly Promise<unknown>[] = [
      fileIo.open(A, 'read'),
      fileIo.open('/db/b', 'create'),
      fileIo.stat(A),
      fileIo.list('/db'),
      fileIo.makeDirectory('/db/d'),
      fileIo.rename(A, '/db/b'),
      fileIo.remove(A),
      fileIo.syncDirectory('/db'),
      fileIo.resolve('/db'),
      fileIo.lockDirectory('/db'),
    ];
    for (const call of calls) expect(await codeOf(call)).toBe('EIO');
    expect([disk.journal, disk.isLocked, disk.calls]).toEqual([[], false, 10]);
    expect(lineOf(disk.image)).toBe(lineOf(plain.image));
    // Of an open file.
    const { fault } = disk;
    disk.fault = undefined;
    const file = await opened(disk);
    disk.fault = fault;
    expect(await codeOf(file.truncate(0))).toBe('EIO');
    expect(await codeOf(file.stat())).toBe('EIO');
    expect(await codeOf(datasync(file))).toBe('EIO');
    expect(await codeOf(file.close())).toBe('EIO');
    expect(lineOf(disk.image)).toBe('a=old');
  });

  test('a rule about a path finds the file under the name it has by then', async () => {
    const disk = planned([{ call: 'write', path: 'moved', error: 'EIO' }]);
    const file = await opened(disk);
    await write(file, '1');
    await disk.fileIo.rename(A, '/db/moved');
    expect(await codeOf(write(file, '2'))).toBe('EIO');
  });

  test('F-41 a delay comes on top of what a call takes, and holds up nobody else', async () => {
    const scheduler = new SimScheduler(1);
    const disk = diskOf({ a: 'old', b: '' }, { scheduler });
    disk.fault = (call) => (call === 'sync' ? { delayMs: 1000 } : undefined);
    const [a, b] = [await opened(disk), await disk.fileIo.open('/db/b', 'update')];
    const order: string[] = [];
    await Promise.all([
      datasync(a).then(() => order.push(`synced after ${Math.floor(scheduler.nowMs)} ms`)),
      write(b, 'x').then(() => order.push('written')),
    ]);
    expect(order).toEqual(['written', 'synced after 1000 ms']);
  });

  test('without a fault every call is counted all the same', async () => {
    const disk = diskOf({ a: 'old' });
    const file = await opened(disk);
    await write(file, 'x');
    file.datasyncSync();
    await disk.fileIo.list('/db');
    await file.close();
    expect(disk.calls).toBe(5);
  });
});

describe('TST-2, F-36 a full disk', () => {
  test('takes what fits, then fails with ENOSPC; what is there may be written over', async () => {
    const disk = diskOf({ a: 'four' });
    disk.capacityBytes = 10;
    const file = await opened(disk);
    expect(disk.roomBytes).toBe(6);
    expect(await codeOf(write(file, '12345678', 4))).toBe('ENOSPC');
    expect(lineOf(disk.image)).toBe('a=four123456');
    expect(disk.roomBytes).toBe(0);
    await write(file, 'over');
    expect(() => file.writeSync(bytesOf('x'), 0, 1, 10)).toThrow('ENOSPC');
    expect(lineOf(disk.image)).toBe('a=over123456');
    await write(file, '', 50);
  });

  test('has room again when something is removed or cut, and takes exactly what fits', async () => {
    const disk = diskOf({ a: '1234', b: '12345' });
    disk.capacityBytes = 9;
    const file = await opened(disk);
    expect(await codeOf(write(file, 'x', 4))).toBe('ENOSPC');
    await disk.fileIo.remove('/db/b');
    await write(file, 'xxxxx', 4);
    expect(await codeOf(write(file, 'y', 9))).toBe('ENOSPC');
    await file.truncate(2);
    expect(disk.roomBytes).toBe(7);
  });

  test('has no room yet while what was removed is open, as on Linux', async () => {
    const disk = diskOf({ a: '1234', b: '12345' });
    disk.capacityBytes = 9;
    const [one, two] = [
      await disk.fileIo.open('/db/b', 'read'),
      await disk.fileIo.open('/db/b', 'read'),
    ];
    await disk.fileIo.remove('/db/b');
    const file = await opened(disk);
    await one.close();
    expect(await codeOf(write(file, 'x', 4))).toBe('ENOSPC');
    await two.close();
    await write(file, 'x', 4);
    await file.close();
    await opened(disk);
    await disk.fileIo.rename('/db/a', '/db/c');
    expect(disk.roomBytes).toBe(4);
  });

  test('forgets what a dead process had open', async () => {
    const disk = diskOf({ a: '1234' });
    disk.capacityBytes = 4;
    await opened(disk);
    await disk.fileIo.remove(A);
    expect(disk.roomBytes).toBe(0);
    disk.nextProcess();
    expect(disk.roomBytes).toBe(4);
  });

  test('counts the zeros before a write behind the end', async () => {
    const disk = diskOf({ a: '' });
    disk.capacityBytes = 10;
    const file = await opened(disk);
    expect(await codeOf(write(file, 'xyz', 8))).toBe('ENOSPC');
    expect(lineOf(disk.image)).toBe('a=________xy');
    expect(cutsOf(disk)).toEqual(['a=', 'a=________xy']);
  });
});
