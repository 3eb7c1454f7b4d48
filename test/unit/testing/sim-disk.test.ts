/** A simulated disk and its processes: what the dead hear, what the next one finds, and that two disks have nothing in common. */
import { describe, expect, test } from 'vitest';
import type { FileHandle, FileIo } from '../../../src/base/file-io.ts';
import { DiskImage } from '../../../src/testing/sim-image.ts';
import { SimDisk } from '../../../src/testing/sim-disk.ts';
import { SimScheduler } from '../../../src/testing/sim-scheduler.ts';
import { Simulation } from '../../../src/testing/simulation.ts';
import { bytesOf, cutsOf, datasync, diskOf, lineOf, write } from './sim-fixture.ts';

const A = '/db/a';

/** Real turns in which an answer would have come. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Everything a process may ask, with what came of it; calls without an answer are missing. */
function askEverything(fileIo: FileIo, file: FileHandle): string[] {
  const heard: string[] = [];
  const calls: Record<string, Promise<unknown>> = {
    open: fileIo.open(A, 'read'),
    create: fileIo.open('/db/new', 'create'),
    stat: fileIo.stat(A),
    list: fileIo.list('/db'),
    mkdir: fileIo.makeDirectory('/db/d'),
    rename: fileIo.rename('/db/b', '/db/c'),
    remove: fileIo.remove('/db/b'),
    syncdir: fileIo.syncDirectory('/db'),
    resolve: fileIo.resolve('/db'),
    lock: fileIo.lockDirectory('/db'),
    read: file.read(new Uint8Array(1), 0, 1, 0),
    write: write(file, 'dead'),
    datasync: datasync(file),
    sync: file.sync(),
    truncate: file.truncate(0),
    fstat: file.stat(),
    close: file.close(),
  };
  for (const [name, call] of Object.entries(calls))
    call.then(
      () => heard.push(name),
      () => heard.push(name),
    );
  return heard;
}

describe.each([
  ['without scheduler', (): SimDisk => diskOf({ a: 'old', b: 'b' })],
  [
    'under a scheduler',
    (): SimDisk => diskOf({ a: 'old', b: 'b' }, { scheduler: new SimScheduler(1) }),
  ],
])('F-1 a dead process, %s', (_, make) => {
  test('gets no answers, and changes nothing', async () => {
    const disk = make();
    const file = await disk.fileIo.open(A, 'update');
    disk.dieAt = 0;
    expect(() => file.writeSync(bytesOf('dead'), 0, 4, 0)).toThrow('EDEAD');
    expect(() => file.readSync(new Uint8Array(1), 0, 1, 0)).toThrow('EDEAD');
    expect(() => file.datasyncSync()).toThrow('EDEAD');
    const heard = askEverything(disk.fileIo, file);
    await turns();
    expect([heard, disk.journal, lineOf(disk.image)]).toEqual([[], [], 'a=old b=b']);
  });

  test('also of an earlier life of the machine, while the next one lives', async () => {
    const disk = make();
    const dead = disk.fileIo;
    const file = await dead.open(A, 'update');
    const lock = await dead.lockDirectory('/db');
    disk.nextProcess();
    const heard = askEverything(dead, file);
    if ('release' in lock) void lock.release().then(() => heard.push('release'));
    await turns();
    expect([heard, disk.journal, lineOf(disk.image)]).toEqual([[], [], 'a=old b=b']);
    expect(await disk.fileIo.list('/db')).toEqual(['a', 'b']);
  });

  test('gets no answer to calls under way, whose effects may be there', async () => {
    const disk = make();
    const file = await disk.fileIo.open(A, 'update');
    const heard: string[] = [];
    void write(file, 'new').then(() => heard.push('written'));
    void datasync(file).then(() => heard.push('synced'));
    disk.nextProcess();
    await turns();
    expect([heard, lineOf(disk.image)]).toEqual([[], 'a=new b=b']);
    expect(cutsOf(disk)).toEqual(['a=new b=b', 'a=old b=b']);
  });

  test('dies with the entry it was to die with, and never hears that it was made', async () => {
    for (const call of ['write', 'rename', 'sync', 'blocking'] as const) {
      const disk = make();
      const file = await disk.fileIo.open(A, 'update');
      await write(file, 'new');
      disk.dieAt = 2;
      let hasHeard = false;
      const hear = (): void => void (hasHeard = true);
      if (call === 'write') void write(file, '2').then(hear);
      else if (call === 'rename') void disk.fileIo.rename(A, '/db/c').then(hear);
      else if (call === 'sync') void datasync(file).then(hear);
      else expect(() => file.writeSync(bytesOf('2'), 0, 1, 0)).toThrow('EDEAD');
      await turns();
      expect([call, disk.journal.length, hasHeard]).toEqual([call, 2, false]);
    }
  });

  test('does not hear of the synced write that became durable as it died', async () => {
    const disk = make();
    const file = await disk.fileIo.open(A, 'update-synced');
    disk.dieAt = 2;
    let hasHeard = false;
    void write(file, 'new').then(() => void (hasHeard = true));
    await turns();
    expect([disk.journal.map((entry) => entry.kind), hasHeard]).toEqual([
      ['write', 'durable'],
      false,
    ]);
    disk.nextProcess();
    disk.dieAt = 4;
    const again = await disk.fileIo.open(A, 'update-synced');
    expect(() => again.writeSync(bytesOf('2'), 0, 1, 0)).toThrow('EDEAD');
    expect(cutsOf(disk)).toEqual(['a=2ew b=b']);
  });

  test('loses its locks', async () => {
    const disk = make();
    await disk.fileIo.lockDirectory('/db');
    expect(disk.isLocked).toBe(true);
    expect(await disk.fileIo.lockDirectory('/db')).toEqual({ heldBy: expect.any(Number) });
    disk.nextProcess();
    expect(disk.isLocked).toBe(false);
    expect(await disk.fileIo.lockDirectory('/db')).toHaveProperty('release');
  });
});

describe('F-51, F-53 the lock of a simulated disk', () => {
  test('can be said to be somebody else’s, and nobody’s again', async () => {
    const disk = diskOf();
    disk.isLocked = true;
    expect(await disk.fileIo.lockDirectory('/db')).toEqual({ heldBy: 4242 });
    disk.isLocked = false;
    expect(await disk.fileIo.lockDirectory('/db')).toHaveProperty('release');
  });

  test('can be lost under those who hold it', async () => {
    const disk = diskOf();
    const lock = await disk.fileIo.lockDirectory('/db');
    if (!('isHeld' in lock)) throw new Error('not given');
    expect(await lock.isHeld()).toBe(true);
    disk.isHeld = false;
    expect(await lock.isHeld()).toBe(false);
  });
});

describe('two simulated disks', () => {
  test('share no bytes, whichever of them was made of the other', async () => {
    const files = new Map([['/db/a', bytesOf('one')]]);
    const disk = SimDisk.of(files, ['/', '/db']);
    files.get('/db/a')?.fill(120);
    expect(lineOf(disk.image)).toBe('a=one');
    const others = [
      disk.kill(0),
      disk.crash(0, () => true),
      disk.damaged((all) => all),
      SimDisk.resumed({ image: disk.start, journal: [] }, {}),
      new SimDisk(disk.start),
      new Simulation({ seed: 1, disk }).disk,
    ];
    const changed = [disk, ...others];
    for (const [i, one] of changed.entries()) {
      const file = await one.fileIo.open(A, 'update');
      file.writeSync(bytesOf(String(i)), 0, 1, 0);
      await one.fileIo.open(`/db/new${i}`, 'create');
    }
    expect(changed.map((one) => lineOf(one.image))).toEqual(
      changed.map((_, i) => `a=${i}ne new${i}=`),
    );
    for (const one of changed) expect(lineOf(one.start)).toBe('a=one');
  });

  test('what files() gives may be written to, and what a write was given may be used again', async () => {
    const disk = diskOf({ a: 'one' });
    disk.files().get(A)?.fill(0);
    const bytes = bytesOf('two');
    (await disk.fileIo.open(A, 'update')).writeSync(bytes, 0, 3, 0);
    bytes.fill(0);
    expect(lineOf(disk.image)).toBe('a=two');
    expect(cutsOf(disk)).toEqual(['a=one', 'a=two']);
  });

  test('two machines of one seed run the same, of another seed otherwise', async () => {
    const run = async (seed: number): Promise<string> => {
      const { disk, ports } = new Simulation({ seed, disk: DiskImage.of(new Map(), ['/db']) });
      const order: string[] = [];
      const one = async (name: string): Promise<void> => {
        const file = await ports.fileIo.open(`/db/${name}`, 'create');
        await write(file, name);
        await datasync(file);
        order.push(`${name}@${ports.thread.monotonicMs()}`);
      };
      await Promise.all(['a', 'b', 'c', 'd'].map(one));
      expect(disk.journal).toHaveLength(12);
      return order.join(' ');
    };
    const runs = new Set<string>();
    const orders = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const order = await run(seed);
      expect(await run(seed)).toBe(order);
      runs.add(order);
      orders.add(order.replaceAll(/@[\d.]+/g, ''));
    }
    expect(runs.size).toBe(40);
    // Which call comes back first is the seed's choice, not only when.
    expect(orders.size).toBeGreaterThan(10);
  });
});

describe('a disk made of files', () => {
  test('has the directories that lead to them', async () => {
    const disk = SimDisk.of(new Map([['/x/y/f', bytesOf('1')]]), ['/p/q']);
    expect([...disk.image.directories].toSorted()).toEqual(['/', '/p', '/p/q', '/x', '/x/y']);
    expect(lineOf(disk.crash(0, () => false).image)).toContain('/x/y/f=1');
  });

  test('told() gives what the outside was told by then', () => {
    const disk = diskOf();
    disk.tell('one');
    disk.add({ kind: 'mkdir', path: '/db/d' });
    disk.tell('two');
    expect([disk.told(0), disk.told(1), disk.told(2), disk.told()]).toEqual([
      [],
      ['one'],
      ['one'],
      ['one', 'two'],
    ]);
  });
});
