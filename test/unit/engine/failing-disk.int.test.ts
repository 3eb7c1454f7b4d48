/**
 * A store whose disk fails: what callers are told, what readers go on to see, and what is found
 * after opening again. The calls of a real disk, with failures put before them.
 */
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore, type Store, type StoreError, type StoreOptions, verifyStore } from 'pawl';
import { nodeFileIo } from '../../../src/base/node-file-io.ts';
import { digestOf } from '../../../src/state/digest.ts';
import { type CallKind, hookedIo, osError } from '../../crash/hooked-io.ts';
import { contentOf, DOOR, refusalOf, settled } from './cases/contract.ts';
import { imageOf, stateOf } from './store-state.ts';

let root: string;
let directory: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pawl-failing-'));
  directory = join(root, 'store');
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** The real disk until told otherwise. */
class Disk {
  fault: (kind: CallKind, path: string) => Error | undefined = () => undefined;
  /** Holds back writes of segments in use. */
  gate: (() => Promise<void>) | undefined;
  /** Writes and syncs of the file of the last failure, since then. */
  repeated = 0;
  private failed: string | undefined;
  readonly io;
  /** Files that have the name they are to keep; a handle knows only the one it was opened by. */
  private readonly named = new Set<string>();

  constructor(hasSyncedWrites?: boolean) {
    const hooks = {
      before: (kind: CallKind, path: string): Error | undefined => {
        if (kind === 'rename') this.named.add(`${path}.new`);
        if (kind === 'create') this.named.delete(path);
        if (path === this.failed && (kind === 'write' || kind === 'sync')) this.repeated++;
        const error = this.fault(kind, path);
        if (error !== undefined) this.failed = path;
        return error;
      },
      hold: (kind: CallKind, path: string): Promise<void> | undefined =>
        kind === 'write' && this.named.has(path) ? this.gate?.() : undefined,
    };
    this.io = hookedIo(nodeFileIo, hooks, hasSyncedWrites);
  }

  /** There is no room for new segments; those that have their room can be written. */
  fill(): void {
    this.fault = (kind, path) =>
      kind === 'write' && path.endsWith('.new') && !this.named.has(path)
        ? osError('ENOSPC')
        : undefined;
  }

  open(options: StoreOptions = {}): Promise<Store> {
    return openStore(directory, { fileIo: this.io, ...options });
  }

  isInUse(path: string): boolean {
    return this.named.has(path);
  }

  /** Fails the next call of a kind on a segment in use, once. */
  failOnce(kind: CallKind, code: string): void {
    this.fault = (one, path) => {
      if (one !== kind || !this.isInUse(path)) return undefined;
      this.fault = () => undefined;
      return osError(code);
    };
  }
}

/** The file calls of the commit path. */
function diskWriterOf(store: Store): object {
  type Log = { readonly parts: { readonly pump: { readonly disk: object } } };
  return (store as unknown as { readonly log: Log }).log.parts.pump.disk;
}

async function withDoors(disk: Disk, options?: StoreOptions): Promise<Store> {
  const store = await disk.open(options);
  await store.machines.put(DOOR);
  await store.instances.create({ machine: 'door', id: 'd' });
  return store;
}

describe('a failed write or sync', () => {
  const ways = [
    ['write', true],
    ['write', false],
    ['sync', false],
  ] as const;

  test.each(ways)(
    'F-32 F-33 F-43 F-44 EIO on %s (synced writes: %s): unknown in flight, not-done behind it, reads go on',
    async (kind, hasSyncedWrites) => {
      const disk = new Disk(hasSyncedWrites);
      const store = await withDoors(disk);
      const shown = (): unknown => [contentOf(store, ['d', 'e']), digestOf(stateOf(store))];
      const before = shown();
      const degraded: string[] = [];
      store.on('degraded', ({ error }) => degraded.push(error.code));
      disk.failOnce(kind, 'EIO');
      const first = refusalOf(() => store.instances.apply('d', 'PUSH', { n: 1 }));
      const group = refusalOf(() => store.batch([{ op: 'delete', id: 'd' }]));
      // Joins a frame that has not left: decided over what is under way, and rests on it.
      await new Promise((resolve) => setImmediate(resolve));
      const resting = refusalOf(() => store.instances.create({ machine: 'door', id: 'd' }));
      const behind = refusalOf(() => store.instances.create({ machine: 'door', id: 'e' }));
      const flushing = refusalOf(() => store.flush());
      const reaching = refusalOf(() => store.reached(1000));
      const told = await settled(Promise.all([first, group, resting, behind, flushing, reaching]));
      expect(told.map((error) => error.code)).toEqual(told.map(() => 'WAL_IO_ERROR'));
      const [one, two] = told;
      const unknown = { outcome: 'unknown', errno: 'EIO' };
      expect([one.details, two.details]).toMatchObject([unknown, unknown]);
      expect([one.retryable, two.retryable]).toEqual([false, false]);

      // Readers see what was acknowledged, and nothing of what failed.
      expect(shown()).toEqual(before);
      expect(degraded).toEqual(['WAL_IO_ERROR']);
      const later = await refusalOf(() => store.instances.apply('d', 'PUSH'));
      expect(later).toMatchObject({ code: 'WAL_IO_ERROR', retryable: true });
      expect(later.details).toMatchObject({ outcome: 'not-done', errno: 'EIO' });
      for (const call of [
        (): unknown => store.machines.put({ ...DOOR, version: 2 }),
        (): unknown => store.transaction((tx) => tx.instances.delete('d')),
        (): unknown => store.instances.delete('d'),
        (): unknown => store.flush(),
      ])
        expect((await refusalOf(call)).code).toBe('WAL_IO_ERROR');

      // Nothing is tried again; closing writes nothing, gives the lock back, and succeeds.
      await settled(store.close());
      expect(disk.repeated).toBe(0);
      const again = await openStore(directory);
      const { state, deleted } = again.instances.get('d', { deleted: true })!;
      expect([
        [2, 'open', false],
        [3, 'shut', false],
        [4, 'shut', true],
      ]).toContainEqual([again.offset, state, deleted]);
      expect(again.instances.get('e')).toBeUndefined();
      await again.instances.create({ machine: 'door', id: 'e' });
      expect((await again.verify()).problems).toEqual([]);
      await again.close();
    },
  );

  test('F-33 F-44 what waits behind a failed write is not-done, and is not there after opening', async () => {
    const disk = new Disk();
    const store = await withDoors(disk);
    let behind: Promise<StoreError> | undefined;
    let rests: Promise<StoreError> | undefined;
    disk.fault = (kind, path) => {
      if (kind !== 'write' || !disk.isInUse(path)) return undefined;
      disk.fault = () => undefined;
      // The write is under way: these are decided over it, and wait for the next frame.
      behind = refusalOf(() => store.instances.create({ machine: 'door', id: 'e' }));
      rests = refusalOf(() => store.instances.create({ machine: 'door', id: 'f' }));
      return osError('EIO');
    };
    const tried = await refusalOf(() => store.instances.create({ machine: 'door', id: 'f' }));
    expect(tried.details).toMatchObject({ outcome: 'unknown' });
    const waiting = await settled(behind!);
    expect(waiting).toMatchObject({ code: 'WAL_IO_ERROR', retryable: true });
    expect(waiting.details).toMatchObject({ outcome: 'not-done' });
    // Refused over a commit nobody will ever know about: told that, not that the id is taken.
    expect((await settled(rests!)).details).toMatchObject({ outcome: 'unknown' });
    await store.close();
    const again = await openStore(directory);
    expect(again.instances.get('e')).toBeUndefined();
    await again.close();
  });

  test('F-32 below always a failed sync stops writes, and those who wait for it are told', async () => {
    const disk = new Disk();
    const store = await withDoors(disk, { durability: 'os' });
    await store.flush();
    disk.failOnce('sync', 'EIO');
    const shown = await store.instances.apply('d', 'PUSH');
    expect(store.instances.get('d')).toMatchObject({ state: 'shut', offset: shown.offset });
    const durable = refusalOf(() => store.instances.apply('d', 'PULL', {}, { durable: true }));
    expect(await settled(durable)).toMatchObject({
      code: 'WAL_IO_ERROR',
      details: { outcome: 'unknown', errno: 'EIO' },
    });
    expect((await refusalOf(() => store.instances.apply('d', 'PUSH'))).code).toBe('WAL_IO_ERROR');
    expect(store.instances.get('d')).toBeDefined();
    await settled(store.close());
    const again = await openStore(directory);
    expect(again.offset).toBeGreaterThanOrEqual(2);
    await again.close();
  });

  test.each([['write'], ['sync'], ['remove'], ['syncdir'], ['close']] as const)(
    'F-39 a failing %s while closing is reported, the lock is given back, nothing is lost',
    async (kind) => {
      const disk = new Disk();
      const store = await withDoors(disk);
      const before = contentOf(store);
      disk.fault = (one) => (one === kind ? osError('EIO') : undefined);
      const [closed] = await Promise.allSettled([settled(store.close())]);
      if (closed.status === 'rejected')
        expect(closed.reason).toMatchObject({ code: 'WAL_IO_ERROR', details: { errno: 'EIO' } });
      disk.fault = () => undefined;
      const again = await openStore(directory);
      expect(contentOf(again)).toEqual(before);
      await again.close();
    },
  );
});

describe('a full disk', () => {
  test('F-36 commands are refused untouched, reads go on, and it heals by itself', async () => {
    const disk = new Disk();
    const store = await withDoors(disk, { segmentBytes: 4096 });
    disk.fill();
    const payload = { text: 'x'.repeat(300) };
    let refused: StoreError | undefined;
    let taken = 0;
    while (refused === undefined) {
      const [result] = await Promise.allSettled([store.instances.apply('d', 'PUSH', payload)]);
      if (result.status === 'fulfilled') taken++;
      else refused = result.reason as StoreError;
      // Refused because of the segment that could not be made, not because there is none yet.
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect(taken).toBeLessThan(100);
    }
    expect(refused).toMatchObject({ code: 'WAL_IO_ERROR', retryable: true });
    expect(refused.details).toMatchObject({ outcome: 'not-done', errno: 'ENOSPC' });
    expect(store.offset).toBe(taken + 2);
    const before = [contentOf(store), imageOf(stateOf(store))];
    for (const call of [
      (): unknown => store.instances.create({ machine: 'door', id: 'e', context: payload }),
      (): unknown => store.transaction((tx) => void tx.instances.apply('d', 'PUSH', payload)),
      (): unknown => store.batch([{ op: 'apply', id: 'd', event: 'PUSH', payload }]),
      (): unknown => store.machines.put({ ...DOOR, version: 2, meta: payload }),
    ])
      expect((await refusalOf(call)).details).toMatchObject({
        outcome: 'not-done',
        errno: 'ENOSPC',
      });
    expect([contentOf(store), imageOf(stateOf(store))]).toEqual(before);

    disk.fault = () => undefined;
    let healed: unknown;
    while (healed === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      [healed] = (await Promise.allSettled([store.instances.apply('d', 'PUSH', payload)])).flatMap(
        (one) => (one.status === 'fulfilled' ? [one.value] : []),
      );
    }
    // The offsets of the refused were given to others: no gap.
    expect(healed).toMatchObject({ offset: taken + 3 });
    // And for good: far more than the segments at hand take is not refused, it waits for others.
    await Promise.all(
      Array.from({ length: 40 }, () => store.instances.apply('d', 'PUSH', payload)),
    );
    await store.close();
    expect(await verifyStore(directory)).toMatchObject({ ok: true, lastOffset: taken + 43 });
  });

  test('F-36 a store on a full disk opens, shows everything and closes', async () => {
    const disk = new Disk();
    await (await withDoors(disk)).close();
    disk.fill();
    const store = await disk.open();
    expect(store.instances.get('d')?.state).toBe('open');
    const error = await refusalOf(() => store.instances.apply('d', 'PUSH'));
    expect(error.details).toMatchObject({ outcome: 'not-done', errno: 'ENOSPC' });
    await settled(store.close());
    const again = await openStore(directory);
    expect(again.offset).toBe(2);
    await again.close();
  });

  test('F-36 what waits for room when the store closes is told that it was not done', async () => {
    const disk = new Disk();
    const store = await withDoors(disk, { segmentBytes: 4096 });
    disk.fill();
    const payload = { text: 'x'.repeat(500) };
    const writes = Array.from({ length: 60 }, (_, i) =>
      store.instances.create({ machine: 'door', id: `${i}`, context: payload }),
    );
    const all = Promise.allSettled(writes);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await settled(store.close());
    const results = await settled(all);
    const done = results.filter((one) => one.status === 'fulfilled').length;
    for (const one of results)
      if (one.status === 'rejected')
        expect((one.reason as StoreError).details).toMatchObject({ outcome: 'not-done' });
    expect(done).toBeLessThan(60);
    const again = await openStore(directory);
    expect([again.offset, again.instances.count()]).toEqual([done + 2, done + 1]);
    await again.close();
  });

  // It once span: what was given up was given up again, and the write never got its turn.
  test('F-36 closing while a mark is on its way, and there is no room, ends', async () => {
    const disk = new Disk();
    const store = await disk.open();
    let rounds = 0;
    // A loop that never ends its turn cannot be timed out: it is let go after a while.
    store.on('degraded', () => {
      if (++rounds > 1000) Object.assign(diskWriterOf(store), { isWriting: false });
    });
    disk.fill();
    await store.machines.put(DOOR);
    let release = (): void => undefined;
    const isHeld = new Promise<void>((held) => {
      disk.gate = (): Promise<void> => {
        disk.gate = undefined;
        held();
        return new Promise((resolve) => (release = resolve));
      };
    });
    await isHeld;
    const closed = store.close();
    release();
    await settled(closed);
    expect(rounds).toBeLessThan(10);
    const again = await openStore(directory);
    expect(again.offset).toBe(1);
    await again.close();
  });
});

describe('a place where no store can be', () => {
  test.each([
    ['EACCES', ['create', 'mkdir', 'lock']],
    ['EROFS', ['create', 'mkdir', 'lock']],
    ['EPERM', ['create']],
    ['EFBIG', ['write']],
    ['EMFILE', ['open', 'create']],
    ['EIO', ['syncdir']],
    ['EIO', ['rename']],
    ['EIO', ['stat']],
  ] as const)('F-37 F-39 %s on %j: a coded error, and no partial store', async (code, kinds) => {
    const disk = new Disk();
    disk.fault = (kind, path) =>
      (kinds as readonly CallKind[]).includes(kind) && path.startsWith(root)
        ? osError(code)
        : undefined;
    const error = await refusalOf(() => disk.open());
    expect(error).toMatchObject({ code: 'WAL_IO_ERROR' });
    expect(error.details).toMatchObject({ outcome: 'not-done', errno: code });
    disk.fault = () => undefined;
    const left = await readdir(directory).catch(() => []);
    expect(left).toEqual([]);
    expect((await refusalOf(() => openStore(directory, { readOnly: true }))).code).toBe(
      'NOT_FOUND',
    );
    const store = await openStore(directory);
    expect(store.offset).toBe(0);
    await store.close();
  });

  test('F-37 a file, below a file, a name with NUL: BAD_REQUEST, and nothing is made', async () => {
    await writeFile(join(root, 'file'), 'mine');
    for (const path of [join(root, 'file'), join(root, 'file', 'below'), `${root}/a\0b`, '']) {
      expect((await refusalOf(() => openStore(path))).code).toBe('BAD_REQUEST');
    }
    expect((await refusalOf(() => openStore(join(root, 'file'), { readOnly: true }))).code).toBe(
      'BAD_REQUEST',
    );
    expect(await readdir(root)).toEqual(['file']);
  });

  test('F-37 reading below a file: there is no store', async () => {
    await writeFile(join(root, 'file'), 'mine');
    const reading = refusalOf(() => openStore(join(root, 'file', 'below'), { readOnly: true }));
    expect((await reading).code).toBe('NOT_FOUND');
  });

  test('F-37 F-40 an existing store on a disk that became read-only: coded, untouched, readable', async () => {
    const disk = new Disk();
    const first = await withDoors(disk);
    const before = contentOf(first);
    await first.close();
    const writing: readonly CallKind[] = ['create', 'write', 'rename', 'remove', 'mkdir', 'lock'];
    disk.fault = (kind) => (writing.includes(kind) ? osError('EROFS') : undefined);
    const error = await refusalOf(() => disk.open());
    expect(error.details).toMatchObject({ outcome: 'not-done', errno: 'EROFS' });
    const reader = await openStore(directory, { readOnly: true, fileIo: disk.io });
    expect(contentOf(reader as never)).toEqual(before);
    await reader.close();
  });

  test('F-40 a read that fails is no end of the log', async () => {
    const disk = new Disk();
    await (await withDoors(disk)).close();
    disk.fault = (kind, path) =>
      kind === 'read' && !path.endsWith('lock') ? osError('EIO') : undefined;
    expect((await refusalOf(() => disk.open())).code).toBe('WAL_IO_ERROR');
    const reading = await refusalOf(() =>
      openStore(directory, { readOnly: true, fileIo: disk.io }),
    );
    expect(reading.code).toBe('WAL_IO_ERROR');
    const store = await openStore(directory);
    expect(store.offset).toBe(2);
    await store.close();
  });
});

describe('a directory that goes away', () => {
  const ways: readonly (readonly [string, () => Promise<void>])[] = [
    ['deleted', (): Promise<void> => rm(directory, { recursive: true, maxRetries: 9 })],
    ['renamed', (): Promise<void> => rename(directory, `${directory}-old`)],
    [
      'replaced by an empty one',
      async (): Promise<void> => {
        await rename(directory, `${directory}-old`);
        await mkdir(directory);
      },
    ],
    [
      'replaced by another store',
      async (): Promise<void> => {
        await rename(directory, `${directory}-old`);
        await (await openStore(directory)).close();
      },
    ],
  ];

  test.each(ways)(
    'F-53 %s: writing stops, reading goes on, closing succeeds',
    async (_, vanish) => {
      const store = await withDoors(new Disk());
      await vanish();
      const names = await readdir(directory).catch(() => []);
      let refused: StoreError | undefined;
      while (refused === undefined) {
        const [one] = await Promise.allSettled([store.instances.apply('d', 'PUSH', { n: 1 })]);
        if (one.status === 'rejected') refused = one.reason as StoreError;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      expect(refused.code).toBe('WAL_IO_ERROR');
      expect(store.instances.get('d')).toBeDefined();
      await settled(store.close());
      // Nothing was put into what stands there now.
      expect(await readdir(directory).catch(() => [])).toEqual(names);
      const other = await openStore(directory);
      expect(other.offset).toBe(0);
      await other.close();
    },
  );
});
