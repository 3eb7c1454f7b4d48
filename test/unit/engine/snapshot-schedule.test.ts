/** When a snapshot is taken by itself, what a failing one does, and how closing ends one. */
import { describe, expect, test } from 'vitest';
import { openStore, type Store, type StoreOptions } from 'pawl';
import { SimDisk } from 'pawl/testing';
import type { FileIo } from '../../../src/base/file-io.ts';
import type { SnapshotSettings } from '../../../src/engine/options.ts';
import {
  isScheduled,
  isSnapshotDue,
  isSnapshotOverdue,
  retryDelayMs,
} from '../../../src/engine/snapshots/schedule.ts';
import { isUnfinishedSnapshot, snapshotOffset } from '../../../src/snapshot/snapshot-name.ts';
import { type CallKind, hookedIo, osError } from '../../crash/hooked-io.ts';
import { DOOR, refusalOf } from './cases/contract.ts';
import { imageOf, stateOf } from './store-state.ts';

const AUTO: SnapshotSettings = {
  interval: 'auto',
  maxWalSegments: Infinity,
  maxWalBytes: Infinity,
  isCompacting: true,
  isArchiving: false,
  keep: 2,
};

describe('a snapshot is due', () => {
  const much = {
    records: 10_000,
    bytes: 1000,
    segments: () => 2,
    snapshotBytes: 1000,
    elapsedMs: 60_000,
  };

  test('D-6 by itself after 10,000 records, as many bytes as the last one, and a minute', () => {
    expect(isSnapshotDue(AUTO, much)).toBe(true);
    expect(isSnapshotDue(AUTO, { ...much, elapsedMs: Infinity })).toBe(true);
    expect(isSnapshotDue(AUTO, { ...much, records: 9999 })).toBe(false);
    expect(isSnapshotDue(AUTO, { ...much, bytes: 999 })).toBe(false);
    expect(isSnapshotDue(AUTO, { ...much, elapsedMs: 59_999 })).toBe(false);
  });

  test('D-4 by itself when more than 64 files are not covered, whatever else', () => {
    const files = { records: 1, bytes: 1, segments: () => 65, snapshotBytes: 9, elapsedMs: 0 };
    expect(isSnapshotDue(AUTO, files)).toBe(true);
    expect(isSnapshotDue(AUTO, { ...files, segments: () => 64 })).toBe(false);
    expect(isSnapshotDue({ ...AUTO, interval: 0 }, files)).toBe(false);
  });

  test('an interval is obeyed literally, 0 is never', () => {
    const log = { records: 5, bytes: 1, segments: () => 1, snapshotBytes: 1e9, elapsedMs: 0 };
    expect(isSnapshotDue({ ...AUTO, interval: 5 }, log)).toBe(true);
    expect(isSnapshotDue({ ...AUTO, interval: 6 }, log)).toBe(false);
    expect(isSnapshotDue({ ...AUTO, interval: 0 }, { ...log, records: 1e9 })).toBe(false);
    expect(isSnapshotDue({ ...AUTO, interval: 1 }, { ...log, records: 0 })).toBe(false);
  });

  test('bounds on the log that is not covered hold beside every interval, and without the minute', () => {
    const log = { records: 1, bytes: 100, segments: () => 3, snapshotBytes: 1e9, elapsedMs: 0 };
    for (const interval of ['auto', 0, 1000] as const) {
      expect(isSnapshotDue({ ...AUTO, interval, maxWalBytes: 99 }, log)).toBe(true);
      expect(isSnapshotDue({ ...AUTO, interval, maxWalBytes: 100 }, log)).toBe(false);
      expect(isSnapshotDue({ ...AUTO, interval, maxWalSegments: 2 }, log)).toBe(true);
      expect(isSnapshotDue({ ...AUTO, interval, maxWalSegments: 3 }, log)).toBe(false);
    }
    expect(isScheduled({ ...AUTO, interval: 0 })).toBe(false);
    expect(isScheduled({ ...AUTO, interval: 0, maxWalBytes: 1 })).toBe(true);
  });

  test('SNP-4 it is overdue with four times what makes it due, whenever the last one was', () => {
    expect(isSnapshotOverdue(AUTO, { ...much, records: 40_000, bytes: 4000, elapsedMs: 0 })).toBe(
      true,
    );
    expect(isSnapshotOverdue(AUTO, { ...much, records: 39_999, bytes: 4000 })).toBe(false);
    expect(isSnapshotOverdue(AUTO, { ...much, records: 40_000, bytes: 3999 })).toBe(false);
    expect(isSnapshotOverdue(AUTO, { ...much, segments: () => 257 })).toBe(true);
    expect(isSnapshotOverdue({ ...AUTO, interval: 10 }, { ...much, records: 39 })).toBe(false);
    expect(isSnapshotOverdue({ ...AUTO, interval: 10 }, { ...much, records: 40 })).toBe(true);
    expect(isSnapshotOverdue({ ...AUTO, interval: 0 }, { ...much, records: 1e9 })).toBe(false);
  });

  test('failures are waited for, longer each time', () => {
    expect([0, 1, 2, 3, 20].map(retryDelayMs)).toEqual([0, 1000, 2000, 4000, 60_000]);
  });
});

function open(fileIo: FileIo, options: StoreOptions): Promise<Store> {
  return openStore('/db', { segmentBytes: 4096, ...options, fileIo });
}

async function doors(store: Store, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++)
    await store.instances.create({
      machine: 'door',
      id: `d${i}`,
      context: { text: 'x'.repeat(200) },
    });
}

/** Until it is so, within a second. */
async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !isSo(); i++) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(isSo()).toBe(true);
}

function figures(store: Store): {
  count: number;
  newestOffset: number;
  taken: number;
  failed: number;
  running: boolean;
} {
  return store.stats()['snapshots'] as ReturnType<typeof figures>;
}

describe('a running store', () => {
  test.each<[string, StoreOptions]>([
    ['records', { snapshotInterval: 10 }],
    ['files', { snapshotInterval: 0, maxWalSegments: 2 }],
    ['bytes', { snapshotInterval: 0, maxWalBytes: 3000 }],
  ])('SNP-4 takes snapshots by itself, by %s, and tells of them', async (_, options) => {
    const disk = SimDisk.of();
    const store = await open(disk.fileIo, options);
    const told: { offset: number; bytes: number }[] = [];
    const dropped: number[] = [];
    store.on('snapshot', (what) => told.push(what));
    store.on('compaction', ({ segments }) => dropped.push(segments));
    await store.machines.put(DOOR);
    for (let i = 0; i < 12; i++) {
      await doors(store, i * 10, i * 10 + 10);
      await until(() => !figures(store).running);
    }
    await until(() => figures(store).taken >= 3);
    expect(told.length).toBe(figures(store).taken);
    expect(told.at(-1)?.offset).toBe(figures(store).newestOffset);
    expect(dropped.length).toBeGreaterThan(0);
    // Never more than was asked for lies uncovered at rest.
    expect(store.offset - figures(store).newestOffset).toBeLessThan(60);
    await store.close();
  });

  test('after it was opened too, when the log has grown over many short lives', async () => {
    const disk = SimDisk.of();
    const first = await open(disk.fileIo, { snapshotInterval: 0 });
    await first.machines.put(DOOR);
    await doors(first, 0, 40);
    await first.close();
    const store = await open(disk.fileIo, { snapshotInterval: 20 });
    await until(() => figures(store).taken === 1);
    expect(figures(store).newestOffset).toBe(41);
    await store.close();
  });

  test('SNP-4 lives too short for one leave a bounded log: closing waits for one that is overdue', async () => {
    const disk = SimDisk.of();
    const uncovered: number[] = [];
    for (let life = 0; life < 30; life++) {
      const store = await open(disk.fileIo, { snapshotInterval: 20 });
      if (life === 0) await store.machines.put(DOOR);
      await doors(store, life * 9, life * 9 + 9);
      await store.close();
      const reader = await openStore('/db', { fileIo: disk.fileIo, readOnly: true });
      uncovered.push(reader.recovery.recordsReplayed);
      expect(reader.instances.count()).toBe(life * 9 + 9);
      await reader.close();
    }
    // The bound, and one life more.
    expect(Math.max(...uncovered)).toBeLessThan(4 * 20 + 9);
    expect(snapshotFiles(disk).length).toBe(2);
  });

  test('SNP-4 closing waits for an overdue one also in the very turn that made it due', async () => {
    const disk = SimDisk.of();
    const store = await open(disk.fileIo, { snapshotInterval: 20 });
    await store.machines.put(DOOR);
    await store.transaction((tx) => {
      for (let i = 0; i < 90; i++) tx.instances.create({ machine: 'door', id: `d${i}` });
    });
    await store.close();
    const reader = await openStore('/db', { fileIo: disk.fileIo, readOnly: true });
    expect(reader.recovery).toMatchObject({ snapshotOffset: 91, recordsReplayed: 0 });
    await reader.close();
  });

  test('without any it never does', async () => {
    const disk = SimDisk.of();
    const store = await open(disk.fileIo, { snapshotInterval: 0 });
    await store.machines.put(DOOR);
    await doors(store, 0, 100);
    expect(figures(store)).toMatchObject({ taken: 0, count: 0 });
    await store.close();
  });

  test('closing ends one that is under way, and leaves nothing that counts', async () => {
    const disk = SimDisk.of();
    let isHeld = true;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const fileIo = hookedIo(disk.fileIo, {
      hold: (_, path) => (isHeld && isUnfinishedSnapshot(nameOf(path)) ? held : undefined),
    });
    const store = await open(fileIo, { snapshotInterval: 0 });
    await store.machines.put(DOOR);
    await doors(store, 0, 5);
    const taking = refusalOf(() => store.snapshot());
    await until(() => figures(store).running);
    const closing = store.close();
    expect(await refusalOf(() => store.machines.put({ ...DOOR, version: 2 }))).toMatchObject({
      code: 'STORE_CLOSED',
    });
    isHeld = false;
    release();
    await closing;
    expect(await taking).toMatchObject({ code: 'STORE_CLOSED' });
    const again = await open(disk.fileIo, { snapshotInterval: 0 });
    expect(again.recovery).toMatchObject({ snapshotOffset: 0, recordsReplayed: 6 });
    expect(snapshotFiles(disk)).toEqual([]);
    await again.close();
  });
});

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function snapshotFiles(disk: SimDisk): string[] {
  return [...disk.files().keys()]
    .map(nameOf)
    .filter((name) => snapshotOffset(name) !== undefined || isUnfinishedSnapshot(name));
}

describe('a disk that does not take one', () => {
  test.each<[string, CallKind, string, number]>([
    ['read-only', 'create', 'EROFS', 0],
    ['not ours', 'create', 'EACCES', 0],
    ['full from the beginning', 'write', 'ENOSPC', 0],
    ['full in the middle', 'write', 'ENOSPC', 1],
    ['failing to sync', 'sync', 'EIO', 0],
    ['failing to rename', 'rename', 'EIO', 0],
    ['failing to read back', 'read', 'EIO', 0],
  ])(
    'F-36 F-37 %s: a coded error, nothing changed, and the store goes on',
    async (_, kind, errno, skipped) => {
      const disk = SimDisk.of();
      let left = Infinity;
      const fileIo = hookedIo(disk.fileIo, {
        before: (call, path) =>
          call === kind && nameOf(path).startsWith('snapshot-') && left-- <= 0
            ? osError(errno)
            : undefined,
      });
      const store = await open(fileIo, { snapshotInterval: 0 });
      await store.machines.put(DOOR);
      await doors(store, 0, 20);
      const first = await store.snapshot();
      await doors(store, 20, 40);
      left = skipped;
      const error = await refusalOf(() => store.snapshot());
      expect(error).toMatchObject({
        code: 'WAL_IO_ERROR',
        details: { outcome: 'not-done', errno },
      });
      expect(figures(store)).toMatchObject({ count: 1, newestOffset: first.offset, failed: 1 });
      await doors(store, 40, 45);
      left = Infinity;
      expect(await store.snapshot()).toMatchObject({ offset: 46 });
      expect(snapshotFiles(disk).length).toBe(2);
      const before = imageOf(stateOf(store));
      await store.close();
      const again = await open(disk.fileIo, {});
      expect(imageOf(stateOf(again))).toEqual(before);
      await again.close();
    },
  );

  test('F-36 a full disk still lets compact() drop what is covered already', async () => {
    const disk = SimDisk.of();
    let isFull = false;
    const fileIo = hookedIo(disk.fileIo, {
      before: (call, path) =>
        isFull && call === 'write' && nameOf(path).startsWith('snapshot-')
          ? osError('ENOSPC')
          : undefined,
    });
    const store = await open(fileIo, { snapshotInterval: 0 });
    await store.machines.put(DOOR);
    await doors(store, 0, 40);
    await store.snapshot();
    await doors(store, 40, 45);
    isFull = true;
    expect((await store.compact()).segments).toBeGreaterThan(1);
    expect(await refusalOf(() => store.compact())).toMatchObject({ code: 'WAL_IO_ERROR' });
    const before = imageOf(stateOf(store));
    await store.close();
    const again = await open(disk.fileIo, {});
    expect(imageOf(stateOf(again))).toEqual(before);
    await again.close();
  });

  test('one that fails by itself is tried again, not at once, and writers do not notice', async () => {
    const disk = SimDisk.of();
    let attempts = 0;
    const warnings: string[] = [];
    const fileIo = hookedIo(disk.fileIo, {
      before: (call, path) => {
        if (call !== 'create' || !nameOf(path).startsWith('snapshot-')) return undefined;
        attempts++;
        return osError('ENOSPC');
      },
    });
    const logger = {
      log: (level: string, message: string) => void warnings.push(`${level} ${message}`),
    };
    const store = await open(fileIo, { snapshotInterval: 1, logger });
    const degraded: unknown[] = [];
    store.on('degraded', (what) => degraded.push(what));
    await store.machines.put(DOOR);
    await doors(store, 0, 100);
    expect(attempts).toBe(1);
    expect(degraded).toEqual([]);
    expect(warnings).toContain('warn taking a snapshot failed; it will be tried again');
    await store.close();
  });
});
