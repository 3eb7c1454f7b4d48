/**
 * F-12 F-27: compact() never drops what a damaged snapshot was to stand in for. It once trusted the
 * newest snapshot it found: with a damaged one that was known, or not yet, the older snapshot and the
 * log went, and nothing could be opened any more.
 */
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from 'pawl';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileHandle, FileIo } from '../../../src/base/file-io.ts';
import { nodeFileIo } from '../../../src/base/node-file-io.ts';

const OPTIONS = { snapshotInterval: 0, segmentBytes: 4096, durability: 'os' } as const;
const MACHINE = { name: 'o', version: 1, states: ['s'], initial: 's', transitions: [] };
const PAD = 'p'.repeat(100);
const LAST = 400;

let directory: string;
let isFull = false;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pawl-compact-'));
  isFull = false;
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** The real disk, on which no snapshot has room once it is full. */
const fillingUp: FileIo = {
  ...nodeFileIo,
  open: async (path, mode) => {
    const handle = await nodeFileIo.open(path, mode);
    if (!path.includes('snapshot-')) return handle;
    const write: FileHandle['write'] = (from, start, length, position, done) => {
      if (isFull) done(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
      else handle.write(from, start, length, position, done);
    };
    return new Proxy(handle, {
      get: (target, name) => {
        if (name === 'write') return write;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  },
};

async function add(store: Store, from: number, to: number): Promise<void> {
  const creates: Promise<unknown>[] = [];
  for (let i = from; i < to; i++)
    creates.push(store.instances.create({ machine: 'o', id: `i${i}`, context: { i, pad: PAD } }));
  await Promise.all(creates);
}

/** Two snapshots, or one and the whole log; the newest has a flipped bit in a context. */
async function damaged(snapshots: 1 | 2): Promise<void> {
  const store = await openStore(directory, { ...OPTIONS, compaction: false });
  await store.machines.put(MACHINE);
  await add(store, 0, 150);
  if (snapshots === 2) await store.snapshot();
  await add(store, 150, 300);
  await store.snapshot();
  await store.close();
  const names = (await readdir(directory)).filter((name) => name.startsWith('snapshot-')).sort();
  const path = join(directory, names.at(-1) as string);
  const bytes = await readFile(path);
  const at = bytes.lastIndexOf('pppppppppppp');
  bytes[at] = (bytes[at] as number) ^ 1;
  await writeFile(path, bytes);
}

async function expectWhole(count: number): Promise<void> {
  const store = await openStore(directory, { ...OPTIONS, verifyOnOpen: 'full' });
  expect(store.instances.count({ machine: 'o' })).toBe(count);
  expect(store.instances.get(`i${count - 1}`)?.context['pad']).toBe(PAD);
  await store.close();
}

describe('F-12 F-27: compact() with a damaged newest snapshot', () => {
  it.each([
    [false, 1],
    [true, 1],
    [false, 2],
    [true, 2],
  ] as const)(
    'that nobody met yet, makes another one first (force %s, %i snapshots)',
    async (force, snapshots) => {
      await damaged(snapshots);
      const store = await openStore(directory, { ...OPTIONS, compaction: false });
      const told: string[] = [];
      store.on('corruption', ({ file }) => told.push(file));
      await store.compact({ force });
      await store.close();
      expect(told.length).toBeGreaterThan(0);
      await expectWhole(300);
    },
  );

  it.each([false, true])(
    'that is known, on a full disk, drops nothing it stood for (force %s)',
    async (force) => {
      await damaged(2);
      let store = await openStore(directory, { ...OPTIONS, fileIo: fillingUp });
      await add(store, 300, LAST);
      await store.close();
      isFull = true;
      store = await openStore(directory, { ...OPTIONS, fileIo: fillingUp });
      const met = new Promise((resolve) => store.on('corruption', resolve));
      await met;
      // What can go without it may; that there was no room is said when nothing could.
      await store.compact({ force }).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'WAL_IO_ERROR' });
      });
      await store.close();
      isFull = false;
      await expectWhole(LAST);
    },
  );
});

describe('F-27: a snapshot the manifest names', () => {
  it('and that is gone counts as damaged: told, and the one before stands in', async () => {
    await damaged(2);
    const names = (await readdir(directory)).filter((name) => name.startsWith('snapshot-')).sort();
    await rm(join(directory, names.at(-1) as string));
    const store = await openStore(directory, OPTIONS);
    const told = await new Promise<{ file: string }>((resolve) => store.on('corruption', resolve));
    expect(told.file).toBe(names.at(-1));
    expect(store.recovery.snapshotOffset).toBeGreaterThan(0);
    await store.close();
    await expectWhole(300);
  });

  it('and that is damaged inside stops writes, and says so once', async () => {
    await damaged(1);
    const store = await openStore(directory, { ...OPTIONS, compaction: false });
    let alarms = 0;
    store.on('degraded', () => alarms++);
    await new Promise((resolve) => store.on('corruption', resolve));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(alarms).toBe(1);
    await expect(store.instances.create({ machine: 'o', id: 'new' })).rejects.toMatchObject({
      code: 'CORRUPT',
    });
    await store.close();
    await expectWhole(300);
  });
});

describe('SNP-4: what compact() reports', () => {
  it.each([1, 2])('is what went because of the call (keepSnapshots %i)', async (keepSnapshots) => {
    const store = await openStore(directory, { ...OPTIONS, keepSnapshots });
    await store.machines.put(MACHINE);
    await add(store, 0, 200);
    if (keepSnapshots === 2) await store.snapshot();
    await add(store, 200, 400);
    const { segments, bytesFreed } = await store.compact();
    expect(segments).toBeGreaterThan(3);
    expect(bytesFreed).toBeGreaterThan(3 * 4096);
    await store.close();
    await expectWhole(400);
  });
});

describe('closing', () => {
  it('soon after opening from a snapshot raises no alarm', async () => {
    let store = await openStore(directory, OPTIONS);
    await store.machines.put({ ...MACHINE, indexes: ['i', 'pad'] });
    await add(store, 0, 9000);
    await store.snapshot();
    await store.close();
    store = await openStore(directory, OPTIONS);
    const alarms: unknown[] = [];
    store.on('degraded', (event) => alarms.push(event));
    await store.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(alarms).toEqual([]);
  });
});
