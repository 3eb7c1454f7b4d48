/** The crash states of a run: which are tried, that each can be had again by its name, and what a killed process leaves. */
import { describe, expect, test } from 'vitest';
import { isStoreError } from '../../../src/base/errors.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { choicesAt, crashAt, type CrashState } from '../../../src/testing/crash-states.ts';
import type { SimDisk } from '../../../src/testing/sim-disk.ts';
import { cutsOf, datasync, diskOf, lineOf, write } from './sim-fixture.ts';

const A = '/db/a';

/** A short life of a small database: files made, written over, renamed, removed, some of it synced. */
async function lived(): Promise<SimDisk> {
  const disk = diskOf({ a: 'old' });
  const io = disk.fileIo;
  const synced = await io.open(A, 'update-synced');
  await write(synced, 'x'.repeat(3000), 1);
  const file = await io.open('/db/new', 'create');
  await write(file, 'y'.repeat(9000));
  await write(file, 'z'.repeat(200), 8900);
  await io.makeDirectory('/db/d');
  await datasync(file);
  disk.tell('something');
  await io.rename('/db/new', '/db/b');
  await file.truncate(700);
  await io.syncDirectory('/db');
  await io.remove(A);
  await write(file, 'w'.repeat(1024), 600);
  return disk;
}

/** All choices at all points of a run. */
function* statesOf(disk: SimDisk, seed: number): Generator<CrashState> {
  const walk = disk.walk();
  const random = seededRandom(seed);
  for (let point = 0; point <= disk.journal.length; point++) {
    walk.advance(point);
    for (const choice of choicesAt(walk, disk.journal, random))
      yield crashAt(walk, disk.journal, choice);
  }
}

function choicesEndingAt(disk: SimDisk, seed: number = 1): string[] {
  const walk = disk.walk();
  walk.advance(disk.journal.length);
  return choicesAt(walk, disk.journal, seededRandom(seed));
}

/** So many writes in doubt, one byte each. */
async function inDoubt(count: number): Promise<SimDisk> {
  const disk = diskOf({ a: '.'.repeat(count) });
  const file = await disk.fileIo.open(A, 'update');
  for (let i = 0; i < count; i++) await write(file, String(i % 10), i);
  return disk;
}

describe('TST-2 crash states', () => {
  test('have names by which they are made again, byte by byte', async () => {
    const disk = await lived();
    let count = 0;
    for (const state of statesOf(disk, 5)) {
      const walk = disk.walk();
      walk.advance(state.point);
      const again = crashAt(walk, disk.journal, state.choice);
      expect(again).toMatchObject({ point: state.point, kind: state.kind, choice: state.choice });
      expect(lineOf(again.disk.image)).toBe(lineOf(state.disk.image));
      expect(again.disk.image.digest()).toBe(state.disk.image.digest());
      expect(again.disk.journal).toEqual(state.disk.journal);
      count++;
    }
    expect(count).toBeGreaterThan(100);
  });

  test('are the same for the same seed, and others for another', async () => {
    const names = (disk: SimDisk, seed: number): string[] =>
      [...statesOf(disk, seed)].map(({ point, choice }) => `${point}@${choice}`);
    const disk = await lived();
    expect(names(disk, 7)).toEqual(names(await lived(), 7));
    expect(names(disk, 7)).not.toEqual(names(disk, 8));
  });

  test('leave the run they are made of as it was', async () => {
    const disk = await lived();
    const before = [lineOf(disk.image), lineOf(disk.start), cutsOf(disk, disk.journal.length)];
    for (const state of statesOf(disk, 5)) {
      const file = await state.disk.fileIo.open('/db/a', 'update').catch(() => undefined);
      file?.writeSync(Buffer.from('changed'), 0, 7, 0);
      await file?.truncate(2);
      for (const name of await state.disk.fileIo.list('/db'))
        await state.disk.fileIo.remove(`/db/${name}`).catch(() => undefined);
    }
    expect([lineOf(disk.image), lineOf(disk.start), cutsOf(disk, disk.journal.length)]).toEqual(
      before,
    );
  });

  test.each([0, 1, 2, 3, 4])('F-3 of %i effects in doubt every subset is tried', async (count) => {
    const disk = await inDoubt(count);
    const cuts = choicesEndingAt(disk).filter((choice) => /^cut:[wn.]*$/.test(choice));
    expect(new Set(cuts).size).toBe(2 ** count);
    const walk = disk.walk();
    walk.advance(disk.journal.length);
    const lines = cuts.map((choice) => lineOf(crashAt(walk, disk.journal, choice).disk.image));
    expect([...new Set(lines)].toSorted()).toEqual(cutsOf(disk));
  });

  test.each([
    ['cut:w.n.n', 'a=0..'],
    ['cut:n.n.w', 'a=..2'],
    ['cut:n.w.w', 'a=.12'],
    ['cut:t512x1.l.t512x2', 'a=0..'],
    ['kill', 'a=012'],
  ])('are what their names say: %s', async (choice, line) => {
    const disk = await inDoubt(3);
    const walk = disk.walk();
    walk.advance(3);
    expect(lineOf(crashAt(walk, disk.journal, choice).disk.image)).toBe(line);
  });

  test('F-2, F-3 of more, none, all, all but one, one alone, those before each, and some at random', async () => {
    const choices = choicesEndingAt(await inDoubt(9));
    const cut = (keeps: (i: number) => boolean): string =>
      `cut:${Array.from({ length: 9 }, (_, i) => (keeps(i) ? 'w' : 'n')).join('.')}`;
    const expected = [cut(() => false), cut(() => true)];
    for (let one = 0; one < 9; one++)
      expected.push(
        cut((i) => i !== one),
        cut((i) => i === one),
        cut((i) => i <= one),
      );
    expect(expected.filter((choice) => !choices.includes(choice))).toEqual([]);
    const whole = choices.filter((choice) => /^cut:[wn.]*$/.test(choice));
    expect(whole.length).toBeGreaterThan(new Set(expected).size);
  });

  test('F-4, F-5 tear the last writes in doubt at 512 and 4096 bytes, and keep their length alone', async () => {
    const disk = await lived();
    const torn = new Set<string>();
    for (let seed = 0; seed < 100; seed++)
      for (const choice of choicesEndingAt(disk, seed))
        for (const fate of choice.replace(/^(?:cut:|kill~?)/, '').split('.')) torn.add(fate);
    const kinds = new Set([...torn].map((fate) => fate.replace(/x[0-9a-f]+/, 'x')));
    expect(kinds).toEqual(new Set(['', 'w', 'n', 'l', 't512x', 't4096x', 't512xl', 't4096xl']));
    // One sector lost, or kept alone, or the first ones.
    for (const mask of ['fffffffe', '1', '3', 'fffffffd']) expect(torn).toContain(`t512x${mask}`);
  });

  test.each([
    'keep',
    'killed',
    'kill~',
    'kill~w',
    'kill~t512',
    'kill~t0x1',
    'cut',
    'cut:',
    'cut:w',
    'cut:w.w.w',
    'cut:w.x',
    'cut:w.constructor',
    'cut:w.t512x',
    'cut:w.t512xg',
    'cut:w.t0x1',
    'cut:w.t-1x1',
    'w.w',
    '',
  ])("'%s' names no crash behind two writes", async (choice) => {
    const disk = await inDoubt(2);
    const walk = disk.walk();
    walk.advance(2);
    const make = (): string => {
      try {
        return lineOf(crashAt(walk, disk.journal, choice).disk.image);
      } catch (error) {
        return isStoreError(error, 'BAD_REQUEST') ? String(error.details.path) : String(error);
      }
    };
    expect(make()).toBe('choice');
  });

  test("a write is 'under way' only where the last entry is one", async () => {
    const disk = diskOf({ a: 'x' });
    await disk.fileIo.remove(A);
    const walk = disk.walk();
    walk.advance(1);
    expect(
      choicesAt(walk, disk.journal, seededRandom(1)).filter((one) => one.startsWith('kill')),
    ).toEqual(['kill']);
    expect(() => crashAt(walk, disk.journal, 'kill~t512x1')).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST' }),
    );
  });
});

describe('F-1 a killed process', () => {
  const killed = (disk: SimDisk, choice: string = 'kill'): SimDisk => {
    const walk = disk.walk();
    walk.advance(disk.journal.length);
    return crashAt(walk, disk.journal, choice).disk;
  };

  test('leaves everything it wrote, and in doubt for a later power cut what it did not sync', async () => {
    const disk = await lived();
    const next = killed(disk);
    expect(lineOf(next.image)).toBe(lineOf(disk.image));
    expect(cutsOf(next)).toEqual(cutsOf(disk));
    expect(cutsOf(disk).length).toBeGreaterThan(1);
    expect(lineOf(disk.kill(disk.journal.length).image)).toBe(lineOf(disk.image));
  });

  test('F-13 and the next, and the one after it: nested as often as one likes', async () => {
    let disk = diskOf({ a: '....' });
    for (const [at, text] of ['1', '2', '3', '4'].entries()) {
      await write(await disk.fileIo.open(A, at === 2 ? 'update-synced' : 'update'), text, at);
      disk = killed(disk);
    }
    expect(lineOf(disk.image)).toBe('a=1234');
    expect(cutsOf(disk)).toHaveLength(8);
    expect(cutsOf(disk).every((line) => line[4] === '3')).toBe(true);
    await (await disk.fileIo.open(A, 'read')).sync();
    expect(cutsOf(disk)).toEqual(['a=1234']);
    expect(cutsOf(killed(disk))).toEqual(['a=1234']);
  });

  test('leaves what is durable so, also where it lies over something in doubt', async () => {
    const disk = diskOf({ a: '....' });
    await write(await disk.fileIo.open(A, 'update'), '1111');
    await write(await disk.fileIo.open(A, 'update-synced'), '22', 1);
    expect(cutsOf(killed(killed(disk)))).toEqual(['a=.22.', 'a=1221']);
  });

  test('F-32, F-15 leaves what a failed sync gave up to be seen, and no sync of the next saves it', async () => {
    const disk = diskOf({ a: '..' });
    const file = await disk.fileIo.open(A, 'update');
    await write(file, '1');
    disk.fault = (call) => (call === 'sync' ? new Error('EIO') : undefined);
    await expect(file.sync()).rejects.toThrow('EIO');
    const next = killed(killed(disk));
    const again = await next.fileIo.open(A, 'update');
    await again.sync();
    expect(lineOf(next.image)).toBe('a=1.');
    expect(cutsOf(next)).toEqual(['a=..', 'a=1.']);
    await write(again, '1');
    await again.sync();
    expect(cutsOf(next)).toEqual(['a=1.']);
  });

  test('leaves half of what a rename between directories needs to be durable', async () => {
    const disk = diskOf({ a: 'x' });
    await disk.fileIo.makeDirectory('/db/d');
    await disk.fileIo.syncDirectory('/db');
    await disk.fileIo.rename(A, '/db/d/a');
    await disk.fileIo.syncDirectory('/db/d');
    const next = killed(disk);
    expect(cutsOf(next)).toHaveLength(2);
    await next.fileIo.syncDirectory('/db');
    expect(cutsOf(next)).toEqual(['d/ d/a=x']);
  });

  test.each([
    [3000, 'kill~t512x0', 512],
    [3000, 'kill~t512x2', 1536],
    [3000, 'kill~t512x4', 2560],
    [3000, 'kill~t512x5', 512],
    [512, 'kill~t512x3', 256],
    [9000, 'kill~t4096xl', undefined],
    [9000, 'kill~t4096x1', 8192],
    [1, 'kill~t4096x1', 0],
  ])(
    'in the middle of a write of %i bytes, as %s, leaves its beginning',
    async (length, choice, kept) => {
      const disk = diskOf({ a: '' });
      await write(await disk.fileIo.open(A, 'update'), 'x'.repeat(length));
      if (kept === undefined) {
        expect(() => killed(disk, choice)).toThrow('names no survival');
        return;
      }
      const next = killed(disk, choice);
      expect(lineOf(next.image)).toBe(`a=${'x'.repeat(kept)}`);
      expect(cutsOf(next)).toEqual(kept === 0 ? ['a='] : ['a=', `a=${'x'.repeat(kept)}`]);
    },
  );

  test('in the middle of its only synced write leaves that in doubt', async () => {
    const disk = diskOf({ a: 'old' });
    await write(await disk.fileIo.open(A, 'update-synced'), 'x'.repeat(1024));
    const walk = disk.walk();
    walk.advance(1);
    const { disk: next } = crashAt(walk, disk.journal, 'kill~t512x0');
    expect(cutsOf(next)).toEqual(['a=old', `a=${'x'.repeat(512)}`]);
  });
});

describe('the digest of a disk', () => {
  const of = (files: Record<string, string>): number => diskOf(files).image.digest();

  test('is equal for the same names and bytes, whatever came before', async () => {
    const disk = diskOf({ b: '2', a: '1' });
    expect(disk.image.digest()).toBe(of({ a: '1', b: '2' }));
    const file = await disk.fileIo.open('/db/c', 'create');
    await write(file, '345');
    await file.truncate(2);
    await disk.fileIo.rename('/db/c', '/db/d');
    expect(disk.image.digest()).toBe(of({ a: '1', b: '2', d: '34' }));
    expect(disk.kill(disk.journal.length).image.digest()).toBe(disk.image.digest());
  });

  test('is another for any other', async () => {
    const withDirectory = diskOf({ a: '1', b: '2' });
    await withDirectory.fileIo.makeDirectory('/db/d');
    const digests = [
      of({ a: '1', b: '2' }),
      of({ a: '2', b: '1' }),
      of({ a: '1', c: '2' }),
      of({ a: '1' }),
      of({ a: '1', b: '' }),
      of({ a: '1', b: '2_' }),
      of({ a: '1', b: '3' }),
      of({ a: '12', b: '' }),
      of({}),
      withDirectory.image.digest(),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });

  test('differs for each of thousands of bit flips', () => {
    const digests = new Set<number>();
    const bytes = new Uint8Array(600);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3] = 1 << (bit & 7);
      digests.add(of({ a: String.fromCharCode(...bytes) }));
      bytes[bit >> 3] = 0;
    }
    expect(digests.size).toBe(4800);
  });
});
