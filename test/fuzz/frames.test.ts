/**
 * The bytes of the log under fuzz: headers, frames, the manifest, the payload's records, and whole
 * directories, damaged before and behind their checksums.
 */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { isStoreError, type StoreError } from '../../src/base/errors.ts';
import { seededRandom } from '../../src/base/random.ts';
import { systemClock } from '../../src/base/clock.ts';
import { openStore } from '../../src/index.ts';
import { crc32c } from '../../src/base/crc32c.ts';
import { FRAME, FRAME_ALIGNMENT, MANIFEST_SLOT, SEGMENT_HEADER } from '../../wal/format.ts';
import { FrameHeader, segmentSeed } from '../../wal/frame.ts';
import { openLog } from '../../wal/index.ts';
import { decodeManifestSlot, encodeManifestSlot } from '../../wal/manifest.ts';
import { RecordCursor } from '../../wal/payload.ts';
import { repairLog } from '../../wal/repair.ts';
import { findFrame } from '../../wal/resync.ts';
import { scan } from '../../wal/scan-records.ts';
import { scanLog } from '../../wal/scan.ts';
import { decodeSegmentHeader, encodeSegmentHeader } from '../../wal/segment-header.ts';
import { verifyLog } from '../../wal/verify.ts';
import type { Files } from '../unit/wal/damages.ts';
import { SimDisk } from 'pawl/testing';
import { FUZZ_TIMEOUT_MS, allowed, checkFuzzed, wordsOf } from './fuzz.ts';
import {
  DIRECTORY,
  SEGMENT_SIZE,
  filesOf,
  imageOf,
  logOf,
  payloadOf,
  reseal,
} from './log-image.ts';
import { type Mutation, joined, mutateBytes } from './mutate.ts';

const clock = { ...systemClock, now: () => 1_800_000_000_000 };
const LAMP = {
  name: 'lamp',
  version: 1,
  states: ['off', 'on'],
  initial: 'off',
  transitions: [
    { from: 'off', event: 'PRESS', to: 'on' },
    { from: 'on', event: 'PRESS', to: 'off' },
  ],
};

/** Files of stores: one segment and several, closed and killed, opened once and again. */
async function storedFiles(): Promise<Files[]> {
  const found: Files[] = [];
  const disk = SimDisk.of();
  for (const commands of [3, 40, 2]) {
    const options = {
      fileIo: disk.fileIo,
      clock,
      random: seededRandom(commands),
      segmentBytes: SEGMENT_SIZE,
    };
    const store = await openStore(DIRECTORY, options);
    await store.machines.put(LAMP);
    for (let i = 0; i < commands; i++) {
      const id = `${commands}-${i}`;
      await store.instances.create({ machine: 'lamp', id, context: { text: 'x'.repeat(60), i } });
      await store.instances.apply(id, 'PRESS', { by: 'ada' });
    }
    found.push(disk.files());
    await store.close();
    found.push(disk.files());
  }
  return found.filter((files) =>
    [...files].every(([path, bytes]) => !path.endsWith('.wal') || bytes.length === SEGMENT_SIZE),
  );
}

const stored = await storedFiles();
const images = stored.map(imageOf);

/** A frame alone, at a place that is not the beginning. */
function framesIn(files: Files): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (const [path, bytes] of files) {
    if (!path.endsWith('.wal')) continue;
    const header = new FrameHeader();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const { storeId, number } = decodeSegmentHeader(bytes) as {
      storeId: Uint8Array;
      number: number;
    };
    const seed = segmentSeed(storeId, number);
    for (
      let at: number = SEGMENT_HEADER.size;
      at + FRAME.size <= bytes.length;
      at += header.frameBytes
    ) {
      if (!header.read(bytes, view, at, seed)) break;
      frames.push(bytes.slice(at, at + header.frameBytes));
    }
  }
  return frames;
}

const frames = framesIn(
  logOf([payloadOf([{ bytes: Uint8Array.of(7, 0, 0, 0), endsCommit: true }])], [1]),
)
  .concat(stored.flatMap(framesIn))
  .slice(0, 40);
const SEED = 4711;

/** Checksums made right for {@link SEED}; the payload's by what the length says, if that is there. */
const resealedFrame: Mutation = (choose, input, other) => {
  const bytes = mutateBytes(choose, input, other);
  if (bytes.length < FRAME.size || choose(10) === 0) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(FRAME.payloadLength, true);
  const end = FRAME.size + Math.ceil(length / FRAME_ALIGNMENT) * FRAME_ALIGNMENT;
  const sealed = end <= bytes.length ? crc32c(bytes, FRAME.size, end, SEED) : SEED;
  view.setUint32(FRAME.payloadCrc, sealed, true);
  view.setUint32(FRAME.headerCrc, crc32c(bytes, FRAME.magic, FRAME.size, SEED), true);
  return bytes;
};

test(
  'TST-4 F-71 a frame that reads is sealed to the same bytes again, and is as long as it says',
  async () => {
    const run = (input: Uint8Array): string => {
      if (input.length < FRAME.size) return 'too short';
      const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
      const header = new FrameHeader();
      if (!header.read(input, view, 0, SEED)) return 'no header';
      const { frameBytes, payloadLength } = header;
      assert(frameBytes >= FRAME.size + payloadLength, `${frameBytes} bytes for ${payloadLength}`);
      assert.equal(frameBytes % FRAME_ALIGNMENT, 0);
      assert(frameBytes < FRAME.size + payloadLength + FRAME_ALIGNMENT);
      if (!header.isKnown) return 'unknown';
      if (!header.isPlausible) return 'implausible';
      if (frameBytes > input.length) return 'beyond the end';
      if (!header.payloadMatches(input, 0, SEED)) return 'other payload';
      assert(Number.isSafeInteger(header.firstOffset + header.recordCount));
      assert(Number.isSafeInteger(header.attestedOffset));
      const again = input.slice(0, frameBytes);
      again.fill(0, 0, FRAME.size);
      header.seal(again, new DataView(again.buffer), 0, SEED);
      assert.deepEqual(again, input.slice(0, frameBytes));
      return `kind ${header.kind}`;
    };
    await checkFuzzed({
      name: 'frame',
      runs: 6000,
      seeds: frames,
      run,
      mutate: resealedFrame,
      maxBytes: 4096,
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  'TST-4 F-71 a segment header and a manifest slot that read are written to the same again',
  async () => {
    const run = (input: Uint8Array): string => {
      const header = decodeSegmentHeader(input);
      const slot = decodeManifestSlot(input);
      if (typeof header === 'object') {
        // For people, and never read again: it may be any number.
        const createdAt = Math.min(header.createdAt, Number.MAX_SAFE_INTEGER);
        const sizeBytes = header.sizeBytes % 2 ** 32;
        const again = { ...header, createdAt, sizeBytes };
        assert.deepEqual(decodeSegmentHeader(encodeSegmentHeader(again)), again);
        return 'header';
      }
      if (typeof slot === 'object') {
        assert(Number.isSafeInteger(slot.sequence) && Number.isSafeInteger(slot.attested.offset));
        assert.deepEqual(decodeManifestSlot(encodeManifestSlot(slot)), slot);
        return 'slot';
      }
      return `${typeof header} ${typeof slot}`;
    };
    const mutate: Mutation = (choose, input, other) => {
      // What both have at their beginning; the rest of a slot is its own.
      const head = mutateBytes(choose, input.subarray(0, SEGMENT_HEADER.size), other);
      const bytes = joined(head, input.subarray(SEGMENT_HEADER.size));
      if (choose(8) === 0) return bytes;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (const { size } of [SEGMENT_HEADER, MANIFEST_SLOT]) {
        if (bytes.length < size) continue;
        view.setUint32(0, crc32c(bytes, 4, size), true);
        if (choose(2) === 0) break;
      }
      return bytes;
    };
    const seeds = stored
      .slice(0, 3)
      .flatMap((files) =>
        [...files].map(([path, bytes]) =>
          path.endsWith('.wal')
            ? bytes.slice(0, SEGMENT_HEADER.size)
            : bytes.slice(0, MANIFEST_SLOT.size),
        ),
      );
    await checkFuzzed({ name: 'headers', runs: 5000, seeds, run, mutate });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  'TST-4 F-71 the records of a payload fill it from end to end, or it is a RangeError',
  async () => {
    const run = (input: Uint8Array): string => {
      // In the middle of other bytes, as in the chunk a frame is read into.
      const around = new Uint8Array(input.length + 64).fill(0x85);
      around.set(input, 32);
      const cursor = new RecordCursor();
      cursor.reset(around, 32, 32 + input.length, 10);
      let behind = 32;
      let records = 0;
      try {
        while (cursor.advance()) {
          assert(cursor.start > behind && cursor.start - behind <= 4, 'a prefix has 1 to 4 bytes');
          assert(cursor.end >= cursor.start && cursor.end <= 32 + input.length);
          behind = cursor.end;
          assert.equal(cursor.offset, 10 + records++);
        }
      } catch (error) {
        return allowed(error, [], true);
      }
      assert.equal(behind, 32 + input.length);
      return `${Math.min(records, 9)} records`;
    };
    const seeds = [1, 3, 200].map((length) =>
      payloadOf(
        Array.from({ length: 4 }, (_, i) => ({
          bytes: new Uint8Array(length * (i + 1)).fill(i + 1),
          endsCommit: i % 2 === 1,
        })),
      ),
    );
    await checkFuzzed({ name: 'payload', runs: 6000, seeds, run, maxBytes: 2048 });
  },
  FUZZ_TIMEOUT_MS,
);

const resealedImage: Mutation = (choose, input, other) => {
  const bytes = mutateBytes(choose, input, other);
  return choose(6) === 0 ? bytes : reseal(choose, bytes);
};

/** Damage has a place, within reach of the file it names. */
function checkPlace(error: StoreError): void {
  if (error.code !== 'CORRUPT') return;
  const { file, byteOffset, offset } = error.details as {
    file: unknown;
    byteOffset: unknown;
    offset?: unknown;
  };
  assert(typeof file === 'string' && file !== '', error.message);
  assert(typeof byteOffset === 'number' && byteOffset >= 0 && byteOffset <= 2 ** 32, error.message);
  assert(offset === undefined || Number.isSafeInteger(offset), error.message);
}

interface Verdict {
  readonly error: StoreError | undefined;
  readonly lastOffset: number;
  readonly records: number;
  readonly found: string;
}

async function verdictOf(disk: SimDisk, deliver: 'all' | 'attested'): Promise<Verdict> {
  let next: number | undefined;
  let records = 0;
  let found = '';
  const onFrame = (
    bytes: Uint8Array,
    start: number,
    end: number,
    firstOffset: number,
    count: number,
  ): void => {
    assert(start >= 0 && start < end && end <= bytes.length, 'the payload lies in its bytes');
    assert(next === undefined || firstOffset === next, `${firstOffset} follows ${next}`);
    next = firstOffset + count;
    records += count;
    found += `${firstOffset}:${crc32c(bytes, start, end)},`;
  };
  try {
    const report = await scanLog(disk.fileIo, DIRECTORY, { onFrame, deliver });
    if (report === undefined) return { error: undefined, lastOffset: -1, records, found };
    const { firstOffset, end, attestedEnd, recordsRead } = report;
    assert.equal(recordsRead, records);
    assert(Number.isSafeInteger(end.offset) && attestedEnd.offset <= end.offset);
    const shown = deliver === 'all' ? end.offset : attestedEnd.offset;
    assert.equal(shown - firstOffset + 1, records);
    return { error: undefined, lastOffset: end.offset, records, found };
  } catch (error) {
    allowed(error, ['CORRUPT', 'FORMAT_UNSUPPORTED']);
    checkPlace(error as StoreError);
    return { error: error as StoreError, lastOffset: -1, records, found };
  }
}

async function readWhole(input: Uint8Array): Promise<string> {
  const disk = SimDisk.of(filesOf(input));
  const all = await verdictOf(disk, 'all');
  const attested = await verdictOf(disk, 'attested');
  if (all.error === undefined) {
    assert.equal(attested.error, undefined);
    assert(all.found.startsWith(attested.found), 'what is attested is a part of all');
  } else assert.equal(attested.error?.code, all.error.code);
  let report;
  try {
    report = await verifyLog(DIRECTORY, { fileIo: disk.fileIo });
  } catch (error) {
    assert(all.lastOffset === -1, 'verification finds the log that a scan finds');
    return allowed(error, ['NOT_FOUND']);
  }
  assert.equal(report.ok, all.error === undefined, all.error?.message);
  assert.equal(report.problems.length === 0, report.ok);
  for (const problem of report.problems) checkPlace(problem);
  assert(report.lastOffset <= report.knownOffset);
  let next: number | undefined;
  let count = 0;
  const onRecord = ({ offset, bytes }: { offset: number; bytes: Uint8Array }): void => {
    assert(next === undefined || offset === next, `record ${offset} follows ${next}`);
    assert(bytes.length <= input.length);
    next = offset + 1;
    count++;
  };
  let outcome =
    all.error === undefined ? `${Math.min(all.records, 20)} records` : wordsOf(all.error);
  try {
    const { records, lastOffset } = await scan(DIRECTORY, { fileIo: disk.fileIo, onRecord });
    assert.equal(all.error, undefined);
    assert.deepEqual([count, lastOffset], [records, all.lastOffset]);
  } catch (error) {
    outcome = allowed(error, ['CORRUPT', 'FORMAT_UNSUPPORTED', 'NOT_FOUND']);
    checkPlace(error as StoreError);
  }
  assert.equal(disk.journal.length, 0, 'reading changes nothing');
  return outcome;
}

test(
  'TST-4 F-71 F-105 a damaged log is read, or refused with its place; never changed by that',
  async () => {
    await checkFuzzed({
      name: 'log',
      runs: 400,
      seeds: images,
      run: readWhole,
      mutate: resealedImage,
      maxBytes: 65_536,
    });
  },
  FUZZ_TIMEOUT_MS,
);

/** What repair leaves opens, holds what verification said it would, and takes new records. */
async function repairAndWrite(input: Uint8Array): Promise<string> {
  const disk = SimDisk.of(filesOf(input));
  const options = {
    fileIo: disk.fileIo,
    clock,
    random: seededRandom(1),
    segmentBytes: SEGMENT_SIZE,
  };
  let expected: number;
  try {
    const report = await verifyLog(DIRECTORY, { fileIo: disk.fileIo });
    if (report.problems.some((problem) => problem.code !== 'CORRUPT')) {
      await assert.rejects(openLog(DIRECTORY, options), (error) =>
        isStoreError(error, 'CORRUPT', 'FORMAT_UNSUPPORTED'),
      );
      return wordsOf(report.problems[0]);
    }
    expected = report.lastOffset;
    if (!report.ok) {
      const { lastOffset } = await repairLog(DIRECTORY, {
        fileIo: disk.fileIo,
        clock,
        segmentBytes: SEGMENT_SIZE,
      });
      assert.equal(lastOffset, expected);
    }
  } catch (error) {
    return allowed(error, ['NOT_FOUND', 'FORMAT_UNSUPPORTED']);
  }
  const log = await openLog(DIRECTORY, options);
  const offset = await log.append(Uint8Array.of(1, 2, 3));
  await log.close();
  assert.equal(offset, expected + 1);
  let last: Uint8Array | undefined;
  const { lastOffset } = await scan(DIRECTORY, {
    fileIo: disk.fileIo,
    onRecord: ({ bytes }) => void (last = bytes),
  });
  assert.equal(lastOffset, offset);
  assert.deepEqual(last, Uint8Array.of(1, 2, 3));
  return `repaired to ${Math.min(expected, 20)}`;
}

test(
  'TST-4 F-71 what verification would keep is what repair keeps, and writing goes on from there',
  async () => {
    await checkFuzzed({
      name: 'repair',
      runs: 80,
      seeds: images,
      run: repairAndWrite,
      mutate: resealedImage,
      maxBytes: 65_536,
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  'TST-4 F-71 the search behind damage finds frames that lie in the file, and ends',
  async () => {
    const seed = segmentSeed(new Uint8Array(16), 1);
    const run = async (input: Uint8Array): Promise<string> => {
      const disk = SimDisk.of(new Map([['/db/x', input]]));
      const handle = await disk.fileIo.open('/db/x', 'read');
      const from = input.length > 0 ? (input[0] as number) % 100 : 0;
      const found = await findFrame(handle, seed, from, input.length);
      if (found === undefined) return 'none';
      const { position, frameBytes } = found;
      assert(position >= from && position % FRAME_ALIGNMENT === 0);
      assert(frameBytes >= FRAME.size && position + frameBytes <= input.length);
      return `at ${Math.min(position, 200)}`;
    };
    const mutate: Mutation = (choose, input, other) => {
      const bytes = mutateBytes(choose, input, other);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 0; at + FRAME.size <= bytes.length; at += FRAME_ALIGNMENT) {
        if (view.getUint16(at + FRAME.magic, true) === 0x5046 && choose(4) > 0)
          view.setUint32(at, crc32c(bytes, at + FRAME.magic, at + FRAME.size, seed), true);
      }
      return bytes;
    };
    await checkFuzzed({ name: 'resync', runs: 3000, seeds: frames, run, mutate, maxBytes: 4096 });
  },
  FUZZ_TIMEOUT_MS,
);
