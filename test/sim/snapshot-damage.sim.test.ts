/**
 * F-27 F-28 F-102: damage to a small closed store that has two snapshots and a log without its
 * beginning. Bytes of every file and lengths of the snapshots, through openStore: it opens
 * to the same state, or is refused as CORRUPT with the file named and nothing changed. Then whole
 * files: gone, exchanged, of another store, of an earlier day. Never an empty or another store.
 */
import { basename } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { isStoreError, type StoreError } from '../../src/base/errors.ts';
import { seededRandom } from '../../src/base/random.ts';
import type { StoreOptions } from '../../src/engine/api/store.ts';
import { openStore } from '../../src/index.ts';
import { snapshotOffset } from '../../src/snapshot/snapshot-name.ts';
import { digestOf } from '../../src/state/digest.ts';
import { SimDisk } from '../../src/testing/sim-disk.ts';
import { SimScheduler } from '../../src/testing/sim-scheduler.ts';
import { CHUNK_ENTRY, SNAPSHOT_FOOTER, SNAPSHOT_HEADER } from '../../src/snapshot/format.ts';
import { isOfIndexes } from '../../src/snapshot/snapshot-seed.ts';
import { stateOf } from '../unit/engine/store-state.ts';

type Files = Map<string, Uint8Array>;

const OPTIONS: StoreOptions = { snapshotInterval: 0, segmentBytes: 4096, keepSnapshots: 2 };
const DOOR = {
  name: 'door',
  version: 1,
  states: ['open', 'shut'],
  initial: 'open',
  transitions: [{ from: ['open', 'shut'], event: 'PUSH', to: 'shut' }],
  indexes: ['n'],
};
const PATIENCE_MS = 300_000;
/** PAWL_DAMAGE=all: every byte and every length. */
const IS_EXHAUSTIVE = process.env['PAWL_DAMAGE'] === 'all';
const STEP = IS_EXHAUSTIVE ? 1 : 13;

/** How far it is to the next byte that is damaged: all of the log and the manifest is tried by their own tests. */
function stepIn(path: string, isUsed: boolean): number {
  if (IS_EXHAUSTIVE) return 1;
  if (!isUsed) return 64;
  return snapshotOffset(basename(path)) === undefined ? 7 : 2;
}

interface Made {
  readonly files: Files;
  /** As they were between the two snapshots. */
  readonly earlier: Files;
  readonly digest: string;
  /** Of all states it ever had. */
  readonly digests: ReadonlySet<string>;
  /** Paths, the older one first. */
  readonly snapshots: readonly [string, string];
}

/** Snapshots, segments behind the first of them, and everything a state has. */
async function makeStore(seed: number): Promise<Made> {
  const disk = SimDisk.of();
  const scheduler = new SimScheduler(seed);
  const { clock, thread } = scheduler;
  const ports = { fileIo: disk.fileIo, clock, thread, random: seededRandom(seed) };
  const store = await openStore('/db', { ...OPTIONS, ...ports });
  await store.machines.put(DOOR);
  const digests = new Set<string>();
  const doors = async (from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n++) {
      const context = { n, text: 'x'.repeat(150) };
      const idempotencyKey = `k${n}`;
      await store.instances.create({ machine: 'door', id: `d${n}`, context, idempotencyKey });
      if (n % 3 === 0) await store.instances.apply(`d${n}`, 'PUSH', { pushed: n });
      if (n % 5 === 0) await store.instances.delete(`d${n}`);
      digests.add(digestOf(stateOf(store)));
    }
  };
  await doors(0, 25);
  await store.snapshot();
  await doors(25, 32);
  const earlier = disk.files();
  await store.snapshot();
  await doors(32, 36);
  const digest = digestOf(stateOf(store));
  await store.close();
  scheduler.stop();
  const files = disk.files();
  const snapshots = [...files.keys()].filter(
    (path) => snapshotOffset(basename(path)) !== undefined,
  );
  expect(snapshots).toHaveLength(2);
  // Its log does not begin at the beginning.
  expect(files.has('/db/00000001.wal')).toBe(false);
  return { files, earlier, digest, digests, snapshots: snapshots.sort() as [string, string] };
}

let made: Made;
let other: Made;
beforeAll(async () => {
  made = await makeStore(1);
  other = await makeStore(2);
});

interface Opened {
  readonly base: number;
  readonly digest: string;
}

/** Opens what lies there; the error when it is refused. */
async function open(files: Files, options: StoreOptions = {}): Promise<Opened | StoreError> {
  const disk = SimDisk.of(files);
  const scheduler = new SimScheduler(3);
  const { clock, thread } = scheduler;
  const ports = { fileIo: disk.fileIo, clock, thread };
  try {
    const settings = { ...OPTIONS, verifyOnOpen: 'full', ...options, ...ports } as const;
    const store = await openStore('/db', settings);
    return { base: store.recovery.snapshotOffset, digest: digestOf(stateOf(store)) };
  } catch (error) {
    if (!isStoreError(error)) throw error;
    const isSame = [...files].every(([path, bytes]) => same(disk.files().get(path), bytes));
    if (!isSame) throw new Error('refused, and changed', { cause: error });
    return error;
  } finally {
    scheduler.stop();
  }
}

function same(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}

function withFile(files: Files, path: string, bytes: Uint8Array | undefined): Files {
  const changed = new Map(files);
  if (bytes === undefined) changed.delete(path);
  else changed.set(path, bytes);
  return changed;
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] as number) ^ (1 << (at % 8));
  return copy;
}

/** Is this byte of a snapshot in a chunk of what it tells of indexes? */
function isOfIndexesAt(bytes: Uint8Array, at: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const footer = bytes.length - SNAPSHOT_FOOTER.size;
  const chunks = view.getUint32(footer + SNAPSHOT_FOOTER.chunks, true);
  let entry = footer - chunks * CHUNK_ENTRY.size;
  for (let start: number = SNAPSHOT_HEADER.size; entry < footer; entry += CHUNK_ENTRY.size) {
    const end = start + view.getUint32(entry + CHUNK_ENTRY.length, true);
    if (at >= start && at < end) return isOfIndexes(view.getUint32(entry + CHUNK_ENTRY.kind, true));
    start = end;
  }
  return false;
}

/** What damage to one byte of a file led to, by what may be said of that file. */
function checkVerdict(path: string, found: Opened | StoreError): 'same' | 'refused' {
  if (!(found instanceof Error)) {
    expect([path, found.digest]).toEqual([path, made.digest]);
    return 'same';
  }
  // The log behind the older snapshot has no other copy; everything else has.
  expect([path, path.endsWith('.wal'), found.code]).toEqual([path, true, 'CORRUPT']);
  expect((found.details as { file: string }).file).toBe(basename(path));
  return 'refused';
}

describe('damage to a store with snapshots', () => {
  it('F-27 F-28 F-102 every byte, one bit of it', { timeout: PATIENCE_MS }, async () => {
    const counts = { same: 0, refused: 0 };
    for (const [path, bytes] of made.files) {
      // Behind the end of a segment lie zeros that nobody reads.
      const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
      for (let at = 0; at < bytes.length; at += stepIn(path, at < used)) {
        const found = await open(withFile(made.files, path, flipped(bytes, at)));
        counts[checkVerdict(path, found)]++;
        if (path !== made.snapshots[1]) continue;
        // Without what it tells of indexes a snapshot is one all the same.
        const base = isOfIndexesAt(bytes, at) ? path : made.snapshots[0];
        expect([at, (found as Opened).base]).toEqual([at, offsetOf(base)]);
      }
    }
    expect(counts.refused).toBeGreaterThan(300);
    expect(counts.same).toBeGreaterThan(1000);
    if (IS_EXHAUSTIVE) console.log(`${counts.same} the same, ${counts.refused} refused`);
  });

  it('F-27 every length of a snapshot', { timeout: PATIENCE_MS }, async () => {
    for (const path of made.snapshots) {
      const bytes = made.files.get(path) as Uint8Array;
      for (let length = bytes.length % STEP; length < bytes.length; length += STEP)
        checkVerdict(path, await open(withFile(made.files, path, bytes.subarray(0, length))));
    }
  });

  it('F-27 read lazily, an instance is what it was or CORRUPT', async () => {
    const [, newest] = made.snapshots;
    const bytes = made.files.get(newest) as Uint8Array;
    let corrupt = 0;
    for (let at = 0; at < bytes.length; at += 11) {
      const files = withFile(made.files, newest, flipped(bytes, at));
      const scheduler = new SimScheduler(3);
      const { clock, thread } = scheduler;
      const { fileIo } = SimDisk.of(files);
      const store = await openStore('/db', { ...OPTIONS, fileIo, clock, thread });
      for (let n = 0; n < 36; n++) {
        try {
          const door = store.instances.get(`d${n}`, { deleted: true });
          expect(door).toMatchObject({ deleted: n % 5 === 0, context: { n } });
        } catch (error) {
          if (!isStoreError(error, 'CORRUPT')) throw error;
          corrupt++;
        }
      }
      scheduler.stop();
    }
    expect(corrupt).toBeGreaterThan(0);
  });
});

describe('whole files', () => {
  it('F-27 a snapshot that is gone, empty, the other one, or of another store', async () => {
    const [older, newer] = made.snapshots;
    const [olderOfOther, newerOfOther] = other.snapshots;
    for (const [path, stand, alien] of [
      [newer, older, newerOfOther],
      [older, newer, olderOfOther],
    ] as const) {
      const instead = [
        undefined,
        new Uint8Array(),
        made.files.get(stand),
        other.files.get(alien),
        new Uint8Array((made.files.get(path) as Uint8Array).length),
      ];
      for (const [i, bytes] of instead.entries()) {
        const found = await open(withFile(made.files, path, bytes));
        const expected = { base: offsetOf(stand), digest: made.digest };
        // The older one is looked at only when the newer one is of no use.
        expect([i, found]).toEqual([i, expected]);
      }
    }
  });

  it('F-27 none of use, and the log has no beginning: CORRUPT, never an empty store', async () => {
    const [older, newer] = made.snapshots;
    const bytes = made.files.get(newer) as Uint8Array;
    for (const bad of [undefined, flipped(bytes, 9), bytes.subarray(0, 40)]) {
      const found = await open(withFile(withFile(made.files, older, undefined), newer, bad));
      expect(found).toMatchObject({ code: 'CORRUPT' });
    }
  });

  it('F-28 without its manifest, or with that of another store, it is CORRUPT', async () => {
    const path = '/db/manifest';
    const bytes = made.files.get(path) as Uint8Array;
    for (const bad of [
      undefined,
      new Uint8Array(),
      new Uint8Array(bytes.length),
      bytes.subarray(0, 30),
      other.files.get(path),
    ])
      expect(await open(withFile(made.files, path, bad))).toMatchObject({ code: 'CORRUPT' });
  });

  it('F-28 a manifest of an earlier day: what it names is there and all is read, or CORRUPT', async () => {
    const path = '/db/manifest';
    const found = await open(withFile(made.files, path, made.earlier.get(path)));
    if (found instanceof Error) expect(found.code).toBe('CORRUPT');
    else expect(found.digest).toBe(made.digest);
  });

  it('F-27 all files of an earlier day but one', async () => {
    for (const path of made.files.keys()) {
      const found = await open(withFile(made.earlier, path, made.files.get(path)));
      if (found instanceof Error) expect([path, found.code]).toEqual([path, 'CORRUPT']);
      else expect([path, made.digests.has(found.digest)]).toEqual([path, true]);
    }
  });
});

function offsetOf(path: string): number {
  return snapshotOffset(basename(path)) as number;
}
