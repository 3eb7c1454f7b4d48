/**
 * F-27 F-71 The bytes of snapshot files under fuzz: as they are, where a checksum finds every change,
 * and behind their checksums, where what makes no sense is CORRUPT when it is loaded, or an error when it
 * is read; and in both cases nothing worse.
 */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { crc32c } from '../../src/base/crc32c.ts';
import { headerCrcOf } from '../../src/snapshot/file-layout.ts';
import { CHUNK_ENTRY, SNAPSHOT_FOOTER, SNAPSHOT_HEADER } from '../../src/snapshot/format.ts';
import { openSnapshot } from '../../src/snapshot/snapshot-file.ts';
import { checkIndexes } from '../../src/indexes/check-indexes.ts';
import { digestOf } from '../../src/state/digest.ts';
import type { State } from '../../src/state/state.ts';
import { SimDisk } from 'pawl/testing';
import { seededChoices } from '../sim/choices.ts';
import { freshState, RecordHistory } from '../unit/snapshot/record-history.ts';
import { STORE_ID, written } from '../unit/snapshot/snapshot-fixture.ts';
import { FUZZ_TIMEOUT_MS, allowed, checkFuzzed } from './fuzz.ts';
import { type Mutation, mutateBytes } from './mutate.ts';

/** No name of a snapshot, which would say its offset. */
const PATH = '/db/fuzzed';

/** Snapshots of small random histories. */
async function storedSnapshots(): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for (const [seed, records] of [1, 12, 60, 150].entries()) {
    const disk = SimDisk.of(new Map([['/db/x', new Uint8Array()]]));
    const path = await written(disk, new RecordHistory(seededChoices(seed)).run(records).state);
    found.push(disk.files().get(path) as Uint8Array);
  }
  return found;
}

const seeds = await storedSnapshots();

/** Indexes of what may make no sense: built, or refused. */
function builtOf(state: State): void {
  try {
    state.indexes.wake(state.offset);
    while (state.indexes.buildMore());
  } catch (error) {
    allowed(error, ['CORRUPT', 'INTERNAL_ERROR'], true);
  }
}

/** Loaded lazily, with indexes built before anything else: they never tell anything but the contexts do. */
async function readLazily(bytes: Uint8Array): Promise<string> {
  const { fileIo } = SimDisk.of(new Map([[PATH, bytes]]));
  try {
    const file = await openSnapshot(fileIo, PATH, STORE_ID);
    try {
      const state = freshState(5);
      await file.load(state, 'lazy');
      const steps = checkIndexes(state);
      let step = steps.next();
      while (step.done !== true) step = steps.next();
      assert.deepEqual(step.value, []);
      return shownOf(state);
    } finally {
      await file.close();
    }
  } catch (error) {
    return allowed(error, ['CORRUPT', 'FORMAT_UNSUPPORTED']);
  }
}

/** All of it read. What rows and contexts hold is looked at only then: invariants may be broken. */
function shownOf(state: State): string {
  try {
    return digestOf(state);
  } catch (error) {
    return allowed(error, ['CORRUPT', 'INTERNAL_ERROR'], true);
  }
}

/** Opened, loaded, and all of it read. */
async function read(bytes: Uint8Array): Promise<string> {
  const { fileIo } = SimDisk.of(new Map([[PATH, bytes]]));
  let text: string;
  try {
    const file = await openSnapshot(fileIo, PATH, STORE_ID);
    try {
      await file.verify();
      const state = freshState(5);
      await file.load(state, 'now');
      text = shownOf(state);
      builtOf(state);
    } finally {
      await file.close();
    }
  } catch (error) {
    return allowed(error, ['CORRUPT', 'FORMAT_UNSUPPORTED']);
  }
  return text;
}

const digests = new Set(await Promise.all(seeds.map(read)));
for (const digest of digests) assert.match(digest, /^[0-9a-f]{64}$/);

test(
  'F-27 a snapshot file is what was written, or CORRUPT',
  { timeout: FUZZ_TIMEOUT_MS },
  async () => {
    await checkFuzzed({
      name: 'snapshot',
      runs: 1500,
      seeds,
      maxBytes: 64 * 1024,
      run: async (input) => {
        const found = await read(input);
        assert(digests.has(found) || /^(CORRUPT|FORMAT_UNSUPPORTED)/.test(found), found);
        const lazily = await readLazily(input);
        assert(digests.has(lazily) || /^(CORRUPT|FORMAT_UNSUPPORTED)/.test(lazily), lazily);
        return digests.has(found) ? 'same' : found;
      },
    });
  },
);

/** Header, chunks, directory and footer with checksums that fit; the input when it has no such parts. */
function resealed(input: Uint8Array): Uint8Array {
  const bytes = input.slice();
  const view = new DataView(bytes.buffer);
  const footer = bytes.length - SNAPSHOT_FOOTER.size;
  if (footer < SNAPSHOT_HEADER.size) return bytes;
  const seed = headerCrcOf(bytes);
  view.setUint32(SNAPSHOT_HEADER.headerCrc, seed, true);
  const chunks = view.getUint32(footer + SNAPSHOT_FOOTER.chunks, true);
  const directory = footer - chunks * CHUNK_ENTRY.size;
  if (directory < SNAPSHOT_HEADER.size) return bytes;
  for (let i = 0, at: number = SNAPSHOT_HEADER.size; i < chunks; i++) {
    const entry = directory + i * CHUNK_ENTRY.size;
    const end = at + view.getUint32(entry + CHUNK_ENTRY.length, true);
    if (end > directory) break;
    view.setUint32(entry + CHUNK_ENTRY.crc, crc32c(bytes, at, end, seed), true);
    at = end;
  }
  view.setUint32(footer + SNAPSHOT_FOOTER.headerCrc, seed, true);
  const directoryCrc = crc32c(bytes, directory, footer, seed);
  view.setUint32(footer + SNAPSHOT_FOOTER.directoryCrc, directoryCrc, true);
  const crc = crc32c(bytes, footer + SNAPSHOT_FOOTER.magic, bytes.length, seed);
  view.setUint32(footer + SNAPSHOT_FOOTER.footerCrc, crc, true);
  return bytes;
}

/** Some bytes other, none more or less; mostly in chunks. */
const inPlace: Mutation = (choose, input, other) => {
  if (choose(8) === 7) return mutateBytes(choose, input, other);
  const bytes = input.slice();
  for (let n = 1 + choose(3); n > 0; n--) {
    const at = choose(bytes.length);
    bytes[at] = choose(3) === 0 ? choose(256) : (bytes[at] as number) ^ (1 << choose(8));
  }
  return bytes;
};

test(
  'F-71 a snapshot file that makes no sense behind its checksums is CORRUPT, or some state',
  { timeout: FUZZ_TIMEOUT_MS },
  async () => {
    await checkFuzzed({
      name: 'resealed snapshot',
      runs: 1500,
      seeds,
      maxBytes: 64 * 1024,
      mutate: inPlace,
      run: async (input) => {
        const found = await read(resealed(input));
        return /^[0-9a-f]{64}$/.test(found) ? 'a state' : found;
      },
    });
  },
);
