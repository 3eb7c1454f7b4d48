/**
 * The contract of the FileIo port, kept by the real disk and by the simulated one in each of its
 * forms: so what is proven on the simulation is proven of what programs meet.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FileIo } from '../../../src/base/file-io.ts';
import { nodeFileIo } from '../../../src/base/node-file-io.ts';
import { fileIoContract, type FileIoUnderTest } from '../../../src/testing/file-io-suite.ts';
import { SimDisk, type SimDiskOptions } from '../../../src/testing/sim-disk.ts';
import { SimScheduler } from '../../../src/testing/sim-scheduler.ts';

async function realDisk(): Promise<FileIoUnderTest> {
  const directory = await mkdtemp(join(tmpdir(), 'pawl-contract-'));
  return {
    fileIo: nodeFileIo,
    directory,
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
}

function simulated(options: () => SimDiskOptions): () => Promise<FileIoUnderTest> {
  return async () => ({
    fileIo: SimDisk.of(new Map(), ['/', '/work'], options()).fileIo,
    directory: '/work',
    dispose: async () => undefined,
  });
}

const DISKS: Readonly<Record<string, () => Promise<FileIoUnderTest>>> = {
  'the real disk': realDisk,
  'the simulated disk': simulated(() => ({})),
  'the simulated disk without synced writes': simulated(() => ({ hasSyncedWrites: false })),
  'the simulated disk under a scheduler': simulated(() => ({ scheduler: new SimScheduler(1) })),
  'the simulated disk under a scheduler with another seed': simulated(() => ({
    scheduler: new SimScheduler(2),
  })),
  'the simulated disk whose calls are all slow': async () => {
    const disk = SimDisk.of(new Map(), ['/', '/work'], { scheduler: new SimScheduler(3) });
    disk.fault = () => ({ delayMs: 5 });
    return { fileIo: disk.fileIo, directory: '/work', dispose: async () => undefined };
  },
  'the simulated disk whose reads and writes move seven bytes at a time': async () => {
    const disk = SimDisk.of(new Map(), ['/', '/work']);
    disk.fault = (call) => (call === 'read' || call === 'write' ? { bytes: 7 } : undefined);
    return { fileIo: disk.fileIo, directory: '/work', dispose: async () => undefined };
  },
};

describe.each(Object.entries(DISKS))('FileIo of %s', (_, make) => {
  test.each(fileIoContract(make).map((one) => [one.name, one] as const))(
    '%s',
    async (name, one) => {
      await expect(one.run(), name).resolves.toBeUndefined();
    },
  );
});

describe('the contract itself', () => {
  test('names each case once, with a sentence', () => {
    const names = fileIoContract(realDisk).map((one) => one.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !name.includes(' '))).toEqual([]);
  });

  test('gives every case a port of its own, and disposes of it also when the case fails', async () => {
    const made: string[] = [];
    let disposed = 0;
    const broken = fileIoContract(async () => {
      made.push('port');
      const { fileIo } = SimDisk.of(new Map(), ['/']);
      const dispose = async (): Promise<void> => void disposed++;
      return { fileIo, directory: '/absent', dispose };
    });
    const outcomes = await Promise.allSettled(broken.map((one) => one.run()));
    expect([made.length, disposed]).toEqual([broken.length, broken.length]);
    expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(20);
  });

  /** Each breaks one promise of the port. */
  const BROKEN: Readonly<Record<string, (good: FileIo) => Partial<FileIo>>> = {
    'list does not sort': (good) => ({
      list: async (path) => (await good.list(path)).reverse(),
    }),
    'a lock is given to everybody': () => ({
      lockDirectory: async () => ({ isHeld: async () => true, release: async () => undefined }),
    }),
    'create opens what is there': (good) => ({
      open: (path, mode) =>
        good.open(path, mode).catch(() => good.open(path, mode === 'create' ? 'update' : mode)),
    }),
    'makeDirectory always says true': (good) => ({
      makeDirectory: async (path) => (await good.makeDirectory(path)) || true,
    }),
    'remove of nothing succeeds': (good) => ({
      remove: (path) => good.remove(path).catch(() => undefined),
    }),
    'identity is the path': (good) => ({
      stat: async (path) => {
        const stat = await good.stat(path);
        return stat && { ...stat, identity: path };
      },
    }),
    'rename copies': (good) => ({
      rename: async (from, to) => {
        const source = await good.open(from, 'read');
        await good.remove(to).catch(() => undefined);
        const target = await good.open(to, 'create');
        const { sizeBytes } = await source.stat();
        const bytes = new Uint8Array(sizeBytes);
        await source.read(bytes, 0, sizeBytes, 0);
        target.writeSync(bytes, 0, sizeBytes, 0);
        await good.remove(from);
      },
    }),
  };

  test.each(Object.entries(BROKEN))('is not kept by a port where %s', async (_, breakIt) => {
    const cases = fileIoContract(async () => {
      const { fileIo } = SimDisk.of(new Map(), ['/', '/work']);
      const methods: FileIo = {
        kind: fileIo.kind,
        hasSyncedWrites: fileIo.hasSyncedWrites,
        open: (path, mode) => fileIo.open(path, mode),
        stat: (path) => fileIo.stat(path),
        list: (path) => fileIo.list(path),
        makeDirectory: (path) => fileIo.makeDirectory(path),
        rename: (from, to) => fileIo.rename(from, to),
        remove: (path) => fileIo.remove(path),
        syncDirectory: (path) => fileIo.syncDirectory(path),
        resolve: (path) => fileIo.resolve(path),
        lockDirectory: (path) => fileIo.lockDirectory(path),
      };
      const broken = { ...methods, ...breakIt(fileIo) };
      return { fileIo: broken, directory: '/work', dispose: async () => undefined };
    });
    const outcomes = await Promise.allSettled(cases.map((one) => one.run()));
    expect(outcomes.filter(({ status }) => status === 'rejected')).not.toEqual([]);
  });
});
