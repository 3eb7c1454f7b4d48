/** Two processes and one store: the second is refused and harms nobody, a dead owner is succeeded at once, a reader needs nobody's leave. */
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { isStoreError, openStore } from 'pawl';
import { nodeFileIo } from '../../src/base/node-file-io.ts';
import { digestOf } from '../../src/state/digest.ts';
import { Fold } from '../../src/state/fold.ts';
import { State } from '../../src/state/state.ts';
import { RecordCursor } from '../../wal/payload.ts';
import { scanLog } from '../../wal/scan.ts';
import { stateOf } from '../unit/engine/store-state.ts';
import { compileWorker, Worker } from './worker-process.ts';
import { CALLERS, findProgress } from './workload.ts';

const NOTHING: readonly number[] = Array.from({ length: CALLERS }, () => 0);

let compiled: ReturnType<typeof compileWorker>;
let root: string;
let directory: string;
let worker: Worker | undefined;
beforeAll(() => {
  compiled = compileWorker();
});
afterAll(() => rmSync(compiled.output, { recursive: true, force: true }));
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pawl-two-'));
  directory = join(root, 'store');
});
afterEach(async () => {
  await worker?.kill();
  worker = undefined;
  await rm(root, { recursive: true, force: true });
});

/** A process that writes without end. */
async function startWriter(from: readonly number[] = NOTHING): Promise<Worker> {
  worker = new Worker(compiled.program, {
    directory,
    segmentBytes: 16_384,
    durability: 'always',
    from,
    commands: 1_000_000,
  });
  const { ackedTotal } = worker;
  await worker.until((one) => one.isPrepared && one.ackedTotal > ackedTotal + 20);
  return worker;
}

/** The state after `offset` records, by reading the log from its beginning. */
async function digestAt(offset: number): Promise<string> {
  const state = new State(new Uint8Array(8));
  const fold = new Fold(state);
  const cursor = new RecordCursor();
  await scanLog(nodeFileIo, directory, {
    onFrame(bytes, start, end, firstOffset) {
      cursor.reset(bytes, start, end, firstOffset);
      while (state.offset < offset && cursor.advance())
        fold.apply(bytes, cursor.start, cursor.end, cursor.offset);
    },
  });
  return digestOf(state);
}

test('F-51 GEN-8 a second writer is refused with the process that has it, by any path; the first goes on', async () => {
  const first = await startWriter();
  await symlink(directory, join(root, 'link'));
  for (const path of [directory, `${directory}/`, join(root, 'link'), join(root, '.', 'store')]) {
    const error = await openStore(path).catch((cause: unknown) => cause);
    expect(isStoreError(error, 'STORE_LOCKED')).toBe(true);
    expect(error).toMatchObject({ details: { pid: first.pid }, retryable: false });
  }
  const second = new Worker(compiled.program, {
    directory,
    segmentBytes: 4096,
    durability: 'always',
    from: NOTHING,
    commands: 1,
  });
  expect(await second.gone).toBe(null);
  expect(second.failure).toEqual({ code: 'STORE_LOCKED', details: { pid: first.pid } });
  const before = first.ackedTotal;
  await first.until((one) => one.ackedTotal > before + 50);
  first.close();
  await first.until((one) => one.isClosed);
  const store = await openStore(directory, { strict: true });
  findProgress(store, first.acked, first.sent);
  await store.close();
});

test('F-52 after kill -9 the store opens at once, again and again, with what was acknowledged', async () => {
  let known: readonly number[] = NOTHING;
  for (let n = 0; n < 3; n++) {
    const writer = await startWriter(known);
    await writer.kill();
    const store = await openStore(directory);
    findProgress(store, writer.acked, writer.sent);
    // Ours now, and so nobody else's.
    const refused = new Worker(compiled.program, {
      directory,
      segmentBytes: 4096,
      durability: 'always',
      from: NOTHING,
      commands: 1,
    });
    await refused.gone;
    expect(refused.failure).toEqual({ code: 'STORE_LOCKED', details: { pid: process.pid } });
    await store.close();
    known = writer.acked;
  }
});

test('F-54 D-4 a reader beside a living writer sees a prefix that stays, and holds nobody up', async () => {
  const writer = await startWriter();
  const seen: { offset: number; digest: string }[] = [];
  for (let n = 0; n < 12; n++) {
    const acked = writer.ackedTotal;
    const reader = await openStore(directory, { readOnly: true });
    seen.push({ offset: reader.offset, digest: digestOf(stateOf(reader)) });
    await writer.until((one) => one.ackedTotal > acked + 5);
    await reader.close();
  }
  const offsets = seen.map((one) => one.offset);
  expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
  expect(offsets.at(-1)).toBeGreaterThan(offsets[0]!);
  await writer.kill();
  // Everything a reader was shown is there after the death of the writer, and at that place.
  for (const { offset, digest } of seen) expect(await digestAt(offset)).toBe(digest);
  const reader = await openStore(directory, { readOnly: true });
  findProgress(reader, writer.acked, writer.sent);
  await reader.close();
});
