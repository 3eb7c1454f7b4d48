/**
 * Records that cannot be: one that fails to apply stops writes and is never half an answer (F-0f,
 * F-42, F-43); one in the log that follows from nothing, or comes from a newer version, opens nothing.
 */
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore, verifyStore, type Store } from 'pawl';
import { openLog } from 'pawl/wal';
import type { Fold } from '../../../src/state/fold.ts';
import { DOOR, refusalOf, settled } from './cases/contract.ts';
import { pipelineOf } from './store-state.ts';

let root: string;
let directory: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pawl-impossible-'));
  directory = join(root, 'store');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function withDoor(): Promise<Store> {
  const store = await openStore(directory);
  await store.machines.put(DOOR);
  await store.instances.create({ machine: 'door', id: 'd' });
  return store;
}

/** The fold throws at record `offset`, as it would if memory were broken. */
function breakAt(store: Store, offset: number): void {
  const { fold } = pipelineOf(store) as unknown as { readonly fold: Fold };
  const apply = fold.apply.bind(fold);
  fold.apply = (bytes, start, end, at) => {
    if (at === offset) throw new TypeError('memory is broken');
    apply(bytes, start, end, at);
  };
}

describe('a record that cannot be applied', () => {
  test('F-0f F-42 F-43 stops writes; what was applied is answered, what the log has is unknown, and found again', async () => {
    const store = await withDoor();
    const degraded: string[] = [];
    store.on('degraded', ({ error }) => degraded.push(error.code));
    breakAt(store, 5);
    const [third, fourth] = [1, 2].map((n) => store.instances.apply('d', 'PUSH', { n }));
    const fifth = refusalOf(() => store.instances.create({ machine: 'door', id: 'e' }));
    const sixth = refusalOf(() => store.transaction((tx) => tx.instances.delete('d')));
    const rests = refusalOf(() => store.instances.create({ machine: 'door', id: 'e' }));
    const flushed = refusalOf(() => store.flush());
    expect([(await third)?.offset, (await fourth)?.offset]).toEqual([3, 4]);
    for (const error of await settled(Promise.all([fifth, sixth, rests, flushed]))) {
      expect(error).toMatchObject({ code: 'INTERNAL_ERROR', retryable: false });
      expect(error.details).toMatchObject({ outcome: 'unknown' });
    }
    expect(degraded).toEqual(['INTERNAL_ERROR']);
    expect(store.instances.get('d')).toMatchObject({ state: 'shut', context: { n: 2 }, offset: 4 });
    expect(store.instances.get('e')).toBeUndefined();
    for (const call of [
      (): unknown => store.instances.apply('d', 'PUSH'),
      (): unknown => store.machines.put({ ...DOOR, version: 2 }),
      (): unknown => store.batch([{ op: 'delete', id: 'd' }]),
      (): unknown => store.flush(),
    ])
      expect((await refusalOf(call)).code).toBe('INTERNAL_ERROR');
    await settled(store.close());
    // The log rules: both were accepted.
    const again = await openStore(directory);
    expect(again.offset).toBe(6);
    expect(again.instances.get('e')).toBeDefined();
    expect(again.instances.get('d', { deleted: true })?.deleted).toBe(true);
    await again.close();
  });
});

async function filesOf(path: string): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(path)).filter((name) => !name.startsWith('lock'));
  const files = names.map(
    async (name) => [name, (await readFile(join(path, name))).toString('base64')] as const,
  );
  return new Map(await Promise.all(files));
}

describe('a log with a record that cannot be', () => {
  /** The store with one more record, and all checksums right. */
  async function append(record: Uint8Array): Promise<void> {
    await (await withDoor()).close();
    const log = await openLog(directory);
    await log.append(record);
    await log.close();
  }

  const impossible: readonly (readonly [string, readonly number[]])[] = [
    ['an event of an instance that never was', [5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 99]],
    ['a purge that is cut off', [7, 1]],
    ['nothing at all', []],
    ['a definition far ahead', [1, 0, 200]],
  ];

  test.each(impossible)(
    'F-0b WAL-5 %s: CORRUPT with its place, and nothing is changed',
    async (_, bytes) => {
      await append(Uint8Array.from(bytes));
      const before = await filesOf(directory);
      const error = await refusalOf(() => openStore(directory));
      expect(error).toMatchObject({ code: 'CORRUPT', retryable: false });
      expect(error.details).toMatchObject({ offset: 3, byteOffset: expect.any(Number) as number });
      expect(await filesOf(directory)).toEqual(before);
      const { ok, lastOffset, problems } = await verifyStore(directory);
      expect([ok, lastOffset, problems.map((one) => one.code)]).toEqual([false, 2, ['CORRUPT']]);
    },
  );

  // A second look at a log once skipped what had failed at the first: readers were shown the store without it.
  test.each(impossible)('F-0b WAL-5 %s: CORRUPT also for readers', async (_, bytes) => {
    await append(Uint8Array.from(bytes));
    const error = await refusalOf(() => openStore(directory, { readOnly: true }));
    expect(error).toMatchObject({ code: 'CORRUPT', details: { offset: 3 } });
  });

  test.each([
    ['an unknown kind', [77, 0, 0]],
    ['an unknown field', [6, 255, 255, 255]],
  ])('F-56 %s: FORMAT_UNSUPPORTED, and nothing is changed', async (_, bytes) => {
    await append(Uint8Array.from(bytes));
    const before = await filesOf(directory);
    for (const open of [
      (): unknown => openStore(directory),
      (): unknown => openStore(directory, { readOnly: true }),
    ])
      expect((await refusalOf(open)).code).toBe('FORMAT_UNSUPPORTED');
    expect(await filesOf(directory)).toEqual(before);
    expect((await verifyStore(directory)).problems).toMatchObject([{ code: 'FORMAT_UNSUPPORTED' }]);
  });

  test('F-54 a raw copy of a store opens as the store it is a copy of', async () => {
    const store = await withDoor();
    const copy = join(root, 'copy');
    // Not the lock, nor a segment that has no name yet.
    const filter = (path: string): boolean => !/\.new$|[\\/]lock/.test(path);
    await cp(directory, copy, { recursive: true, filter });
    await store.instances.apply('d', 'PUSH');
    const beside = await openStore(copy);
    expect([beside.offset, beside.instances.get('d')?.state]).toEqual([2, 'open']);
    await beside.close();
    await store.close();
  });
});
