/**
 * What a power cut may take and what not, one row of calls after the other: each test makes calls
 * on a simulated disk and names every state a cut behind them may leave, no more and no less.
 */
import { describe, expect, test } from 'vitest';
import type { FileIo } from '../../../src/base/file-io.ts';
import { type SimDisk, undecided } from '../../../src/testing/sim-disk.ts';
import { SimScheduler } from '../../../src/testing/sim-scheduler.ts';
import { cutsOf, datasync, diskOf, lineOf, write } from './sim-fixture.ts';

/** The states left behind these calls, on a disk that held these files. */
async function left(
  files: Record<string, string>,
  run: (io: FileIo, disk: SimDisk) => Promise<void>,
): Promise<string[]> {
  const disk = diskOf(files);
  await run(disk.fileIo, disk);
  return cutsOf(disk);
}

const A = '/db/a';
const B = '/db/b';

describe('TST-2, F-2 content survives', () => {
  test('perhaps, when it was only written', async () => {
    const run = async (io: FileIo): Promise<void> => write(await io.open(A, 'update'), 'new');
    expect(await left({ a: 'old' }, run)).toEqual(['a=new', 'a=old']);
  });

  test.each([
    [
      'datasync',
      async (io: FileIo) => {
        const file = await io.open(A, 'update');
        await write(file, 'new');
        await datasync(file);
      },
    ],
    [
      'datasyncSync',
      async (io: FileIo) => {
        const file = await io.open(A, 'update');
        await write(file, 'new');
        file.datasyncSync();
      },
    ],
    [
      'sync',
      async (io: FileIo) => {
        const file = await io.open(A, 'update');
        file.writeSync(Buffer.from('new'), 0, 3, 0);
        await file.sync();
      },
    ],
    [
      'a sync through another handle',
      async (io: FileIo) => {
        await write(await io.open(A, 'update'), 'new');
        await (await io.open(A, 'read')).sync();
      },
    ],
    ['a synced write', async (io: FileIo) => write(await io.open(A, 'update-synced'), 'new')],
    [
      'a blocking synced write',
      async (io: FileIo) =>
        (await io.open(A, 'update-synced')).writeSync(Buffer.from('new'), 0, 3, 0),
    ],
  ])('for certain after %s', async (_, run) => {
    expect(await left({ a: 'old' }, run)).toEqual(['a=new']);
  });

  test('perhaps, while a synced write or a sync is under way', async () => {
    const scheduler = new SimScheduler(1);
    const disk = diskOf({ a: 'old', b: 'old' }, { scheduler });
    const [a, b] = [
      await disk.fileIo.open(A, 'update-synced'),
      await disk.fileIo.open(B, 'update'),
    ];
    const answers = [write(a, 'new'), write(b, 'new').then(() => datasync(b))];
    expect(cutsOf(disk)).toHaveLength(4);
    await Promise.all(answers);
    expect(cutsOf(disk)).toEqual(['a=new b=new']);
  });

  test('perhaps, when the sync was asked for before the write was made', async () => {
    const states = await left({ a: '....' }, async (io) => {
      const file = await io.open(A, 'update');
      await write(file, '1', 0);
      const synced = datasync(file);
      file.writeSync(Buffer.from('2'), 0, 1, 1);
      await synced;
    });
    expect(states).toEqual(['a=1...', 'a=12..']);
  });

  test('perhaps, when a synced write of other bytes came after it', async () => {
    const states = await left({ a: '....' }, async (io) => {
      await write(await io.open(A, 'update'), '1', 0);
      await write(await io.open(A, 'update-synced'), '2', 3);
    });
    expect(states).toEqual(['a=...2', 'a=1..2']);
  });

  test('perhaps, when another file was synced', async () => {
    const states = await left({ a: 'old', b: '' }, async (io) => {
      await write(await io.open(A, 'update'), 'new');
      await (await io.open(B, 'update')).sync();
      await io.syncDirectory('/db');
    });
    expect(states).toEqual(['a=new b=', 'a=old b=']);
  });

  test('F-3 in any subset, whatever the order of the writes', async () => {
    const states = await left({ a: '...' }, async (io) => {
      const file = await io.open(A, 'update');
      for (const at of [0, 1, 2]) await write(file, String(at), at);
    });
    expect(states).toHaveLength(8);
    expect(states).toContain('a=..2');
  });

  test('F-3 of two writes on one place the later one, when it is durable, whatever became of the first', async () => {
    const states = await left({ a: '......' }, async (io) => {
      await write(await io.open(A, 'update'), '1111', 0);
      await write(await io.open(A, 'update-synced'), '22', 2);
      await write(await io.open(A, 'update'), '333', 3);
    });
    expect(states).toEqual(['a=..22..', 'a=..2333', 'a=1122..', 'a=112333'].toSorted());
  });

  test('a cut length perhaps, and for certain after a sync, also where bytes were written again', async () => {
    const cut = async (io: FileIo): Promise<void> => (await io.open(A, 'update')).truncate(1);
    expect(await left({ a: 'old' }, cut)).toEqual(['a=o', 'a=old']);
    const synced = async (io: FileIo): Promise<void> => {
      await cut(io);
      await datasync(await io.open(A, 'update'));
      await write(await io.open(A, 'update'), 'x', 2);
    };
    expect(await left({ a: 'old' }, synced)).toEqual(['a=o', 'a=o_x']);
    const durableBehind = async (io: FileIo): Promise<void> => {
      await cut(io);
      await write(await io.open(A, 'update-synced'), 'x', 2);
    };
    expect(await left({ a: 'old' }, durableBehind)).toEqual(['a=o_x', 'a=olx']);
  });
});

describe('TST-2, F-6 names survive', () => {
  const created = async (io: FileIo): Promise<void> => {
    const file = await io.open(A, 'create');
    await write(file, 'x');
    await file.sync();
  };

  test('of a new file perhaps, however its content was synced, until its directory was', async () => {
    expect(await left({}, created)).toEqual(['', 'a=x']);
    const synced = async (io: FileIo): Promise<void> => {
      await created(io);
      await io.syncDirectory('/db');
    };
    expect(await left({}, synced)).toEqual(['a=x']);
  });

  test('without the content, when only the directory was synced', async () => {
    const states = await left({}, async (io) => {
      await write(await io.open(A, 'create'), 'x');
      await io.syncDirectory('/db');
    });
    expect(states).toEqual(['a=', 'a=x']);
  });

  test('not for the asking: a sync of the directory asked for before it covers no later name', async () => {
    const scheduler = new SimScheduler(1);
    const disk = diskOf({}, { scheduler });
    const synced = disk.fileIo.syncDirectory('/db');
    // Its effect comes when the call is answered; so this one is in the journal first.
    disk.add({ kind: 'create', path: A, file: disk.image.nextFile });
    await synced;
    expect(cutsOf(disk)).toEqual(['', 'a=']);
  });

  test('renamed, under one of both, until the directory was synced', async () => {
    const rename = (io: FileIo): Promise<void> => io.rename(A, B);
    expect(await left({ a: 'x' }, rename)).toEqual(['a=x', 'b=x']);
    const synced = async (io: FileIo): Promise<void> => {
      await io.rename(A, B);
      await io.syncDirectory('/db');
    };
    expect(await left({ a: 'x' }, synced)).toEqual(['b=x']);
  });

  test('F-7 a rename may be there before the content of what was renamed', async () => {
    const replace = async (io: FileIo, isSynced: boolean): Promise<void> => {
      const file = await io.open('/db/new', 'create');
      await write(file, 'x');
      if (isSynced) await file.sync();
      await io.rename('/db/new', A);
    };
    expect(await left({ a: 'old' }, (io) => replace(io, false))).toEqual([
      'a=',
      'a=old',
      'a=old new=',
      'a=old new=x',
      'a=x',
    ]);
    expect(await left({ a: 'old' }, (io) => replace(io, true))).toEqual([
      'a=old',
      'a=old new=x',
      'a=x',
    ]);
    const withDirectory =
      (isSynced: boolean) =>
      async (io: FileIo): Promise<void> => {
        await replace(io, isSynced);
        await io.syncDirectory('/db');
      };
    expect(await left({ a: 'old' }, withDirectory(false))).toEqual(['a=', 'a=x']);
    expect(await left({ a: 'old' }, withDirectory(true))).toEqual(['a=x']);
  });

  test('from one directory to another, when both were synced', async () => {
    for (const [synced, states] of [
      [[], ['d/ a=x', 'd/ d/a=x']],
      [['/db'], ['d/ a=x', 'd/ d/a=x']],
      [['/db/d'], ['d/ a=x', 'd/ d/a=x']],
      [['/db', '/db/d'], ['d/ d/a=x']],
      [['/db/d', '/db'], ['d/ d/a=x']],
    ] as const) {
      const disk = diskOf({ a: 'x' });
      disk.start.directories.add('/db/d');
      disk.image.directories.add('/db/d');
      await disk.fileIo.rename(A, '/db/d/a');
      for (const path of synced) await disk.fileIo.syncDirectory(path);
      const expected = states.map((state) => state.split(' ').toSorted().join(' '));
      expect([synced, cutsOf(disk)]).toEqual([synced, expected.toSorted()]);
    }
  });

  test('removed, perhaps, until the directory was synced', async () => {
    expect(await left({ a: 'x' }, (io) => io.remove(A))).toEqual(['', 'a=x']);
    const synced = async (io: FileIo): Promise<void> => {
      await io.remove(A);
      await io.syncDirectory('/db');
    };
    expect(await left({ a: 'x' }, synced)).toEqual(['']);
  });

  test('that a lost rename had replaced are not taken by the removal of what replaced them', async () => {
    const states = await left({ a: 'old', b: 'new' }, async (io) => {
      await io.rename(B, A);
      await io.remove(A);
    });
    expect(states).toEqual(['', 'a=new', 'a=old b=new']);
  });

  test('used again after a removal, for the one file or the other', async () => {
    const states = await left({ a: 'x' }, async (io) => {
      await io.remove(A);
      const file = await io.open(A, 'create');
      await write(file, 'y');
      await file.sync();
    });
    expect(states).toEqual(['', 'a=x', 'a=y']);
  });

  test('of a directory perhaps, and with it goes all that was synced in it', async () => {
    const inside = async (io: FileIo): Promise<void> => {
      await io.makeDirectory('/db/d');
      const file = await io.open('/db/d/f', 'create');
      await write(file, 'x');
      await file.sync();
      await io.syncDirectory('/db/d');
    };
    expect(await left({}, inside)).toEqual(['', 'd/ d/f=x']);
    const synced = async (io: FileIo): Promise<void> => {
      await inside(io);
      await io.syncDirectory('/db');
    };
    expect(await left({}, synced)).toEqual(['d/ d/f=x']);
  });

  test('of a directory in a directory not without that one', async () => {
    const states = await left({}, async (io) => {
      await io.makeDirectory('/db/d');
      await io.makeDirectory('/db/d/e');
      const file = await io.open('/db/d/e/f', 'create');
      await write(file, 'x');
      await file.sync();
      await io.syncDirectory('/db/d/e');
      await io.syncDirectory('/db/d');
    });
    expect(states).toEqual(['', 'd/ d/e/ d/e/f=x']);
  });

  test('at every point of a run, and each effect in doubt until the call that syncs it came back', async () => {
    const disk = diskOf();
    await created(disk.fileIo);
    await disk.fileIo.syncDirectory('/db');
    expect(disk.journal.map((entry) => entry.kind)).toEqual(['create', 'write', 'sync', 'syncdir']);
    expect([0, 1, 2, 3, 4].map((point) => undecided(disk, point))).toEqual([
      [],
      [0],
      [0, 1],
      [0],
      [],
    ]);
    expect(cutsOf(disk, 1)).toEqual(['', 'a=']);
    expect(lineOf(disk.crash(2, () => true).image)).toBe('a=x');
  });
});

describe('TST-2, F-4, F-5 a write survives in part', () => {
  const SECTORS = 'A'.repeat(512) + 'B'.repeat(512) + 'C'.repeat(512);

  test('in any subset of its sectors', async () => {
    const disk = diskOf({ a: '.'.repeat(1536) });
    await write(await disk.fileIo.open(A, 'update'), SECTORS);
    const states = Array.from({ length: 8 }, (_, sectors) =>
      lineOf(disk.crash(1, () => ({ sectorBytes: 512, sectors })).image)
        .slice(2)
        .match(/.{512}/g)
        ?.map((sector) => (/^(.)\1*$/.exec(sector) ?? ['', 'mixed'])[1])
        .join(''),
    );
    expect(states).toEqual(['...', 'A..', '.B.', 'AB.', '..C', 'A.C', '.BC', 'ABC']);
  });

  test.each([
    [512, 500, [12, 512, 512, 500]],
    [4096, 500, [1536]],
    [4096, 4000, [96, 1440]],
    [4096, 8192, [1536]],
  ])('at sectors of %i bytes, also when it begins at %i', async (sectorBytes, at, lengths) => {
    const disk = diskOf({ a: '.'.repeat(12_000) });
    await write(await disk.fileIo.open(A, 'update'), 'x'.repeat(1536), at);
    for (const [i, length] of lengths.entries()) {
      const from = at + lengths.slice(0, i).reduce((sum, one) => sum + one, 0);
      const image = disk.crash(1, () => ({ sectorBytes, sectors: 2 ** i })).image;
      const text = lineOf(image).slice(2);
      expect(text).toBe('.'.repeat(from) + 'x'.repeat(length) + '.'.repeat(12_000 - from - length));
    }
  });

  test('repeats its pattern beyond 32 sectors', async () => {
    const disk = diskOf({ a: '' });
    await write(await disk.fileIo.open(A, 'update'), 'x'.repeat(40 * 512));
    const text = lineOf(disk.crash(1, () => ({ sectorBytes: 512, sectors: 1 })).image).slice(2);
    expect(text).toBe(`${'x'.repeat(512)}${'_'.repeat(31 * 512)}${'x'.repeat(512)}`);
  });

  test('its length without its bytes, and some sectors with the length of all', async () => {
    const disk = diskOf({ a: 'old' });
    await write(await disk.fileIo.open(A, 'update'), 'x'.repeat(600), 1);
    const state = (keep: Parameters<SimDisk['crash']>[1]): string =>
      lineOf(disk.crash(1, keep).image).slice(2);
    expect(state(() => 'length')).toBe(`old${'_'.repeat(598)}`);
    expect(state(() => ({ sectorBytes: 512, sectors: 1 }))).toBe(`o${'x'.repeat(511)}`);
    expect(state(() => ({ sectorBytes: 512, sectors: 1, isLengthKept: true }))).toBe(
      `o${'x'.repeat(511)}${'_'.repeat(89)}`,
    );
    expect(state(() => 'torn')).toBe(`o${'x'.repeat(511)}`);
    expect(state(() => ({ sectorBytes: 512, sectors: 2 }))).toBe(
      `old${'_'.repeat(509)}${'x'.repeat(89)}`,
    );
  });

  test('but not inside the file: a length that was there stays', async () => {
    const disk = diskOf({ a: 'long enough' });
    await write(await disk.fileIo.open(A, 'update'), 'xx', 1);
    expect(lineOf(disk.crash(1, () => 'length').image)).toBe('a=long enough');
  });
});

describe('F-32 a failed sync', () => {
  const failing = (disk: SimDisk, tookEffect: boolean): void => {
    disk.fault = (call) => {
      if (call !== 'sync') return undefined;
      disk.fault = undefined;
      return { error: Object.assign(new Error('EIO'), { code: 'EIO' }), tookEffect };
    };
  };

  test.each(['async', 'blocking'])(
    'gives up what was written: no later one saves it (%s)',
    async (how) => {
      const disk = diskOf({ a: '....' });
      const file = await disk.fileIo.open(A, 'update');
      await write(file, '11');
      failing(disk, false);
      if (how === 'async') await expect(datasync(file)).rejects.toThrow('EIO');
      else expect(() => file.datasyncSync()).toThrow('EIO');
      await write(file, '2', 3);
      await file.sync();
      expect(lineOf(disk.image)).toBe('a=11.2');
      expect(cutsOf(disk)).toEqual(['a=...2', 'a=11.2']);
      await write(file, '11');
      await file.sync();
      expect(cutsOf(disk)).toEqual(['a=11.2']);
    },
  );

  test('gives nothing up that came after it was asked for, was durable, or lies in another file', async () => {
    const disk = diskOf({ a: '....', b: '.' });
    const [a, b] = [await disk.fileIo.open(A, 'update'), await disk.fileIo.open(B, 'update')];
    await write(await disk.fileIo.open(A, 'update-synced'), '1', 0);
    await write(b, 'b');
    failing(disk, false);
    const failed = datasync(a);
    a.writeSync(Buffer.from('2'), 0, 1, 2);
    await expect(failed).rejects.toThrow('EIO');
    await a.sync();
    await b.sync();
    expect(cutsOf(disk)).toEqual(['a=1.2. b=b']);
  });

  test('whose error is a lie has made everything durable', async () => {
    const disk = diskOf({ a: 'old' });
    const file = await disk.fileIo.open(A, 'update');
    await write(file, 'new');
    failing(disk, true);
    await expect(datasync(file)).rejects.toThrow('EIO');
    expect(cutsOf(disk)).toEqual(['a=new']);
  });

  test('of a synced write leaves its bytes to be seen, and never to be relied on', async () => {
    const disk = diskOf({ a: 'old' });
    const file = await disk.fileIo.open(A, 'update-synced');
    disk.fault = (call) =>
      call === 'write' ? { error: new Error('EIO'), tookEffect: true } : undefined;
    await expect(write(file, 'new')).rejects.toThrow('EIO');
    disk.fault = undefined;
    await file.sync();
    expect(lineOf(disk.image)).toBe('a=new');
    expect(cutsOf(disk)).toEqual(['a=new', 'a=old']);
  });
});
