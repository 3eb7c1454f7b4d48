/** Two processes and one store: the second is refused and harms nobody, a dead owner is succeeded at once, a reader needs nobody's leave. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { isStoreError, openStore } from 'pawl';
import { nodeFileIo } from '../../src/base/node-file-io.ts';
import { currentOwner } from '../../src/base/lock-owner.ts';
import { digestOf } from '../../src/state/digest.ts';
import { Fold } from '../../src/state/fold.ts';
import { State } from '../../src/state/state.ts';
import { RecordCursor } from '../../wal/payload.ts';
import { scanLog } from '../../wal/scan.ts';
import { stateOf } from '../unit/engine/store-state.ts';
import { compileWorker, Worker } from './worker-process.ts';
import { findProgress, NOTHING, perform, prepare } from './workload.ts';

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
  const second = startRival();
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
    const refused = startRival();
    await refused.gone;
    expect(refused.failure).toEqual({ code: 'STORE_LOCKED', details: { pid: process.pid } });
    await store.close();
    known = writer.acked;
  }
});

/** A process that asks for one command, and ends. */
function startRival(at: string = directory): Worker {
  return new Worker(compiled.program, {
    directory: at,
    segmentBytes: 4096,
    durability: 'always',
    from: NOTHING,
    commands: 1,
  });
}

test('F-51 a second handle in the same process is refused at once, and the first goes on', async () => {
  const first = await openStore(directory);
  await prepare(first);
  await symlink(directory, join(root, 'link'));
  for (const path of [directory, join(root, 'link')]) {
    const error = await openStore(path).catch((cause: unknown) => cause);
    expect(isStoreError(error, 'STORE_LOCKED')).toBe(true);
    expect(error).toMatchObject({ details: { pid: process.pid } });
  }
  await perform(first, 0, 0);
  await first.close();
  const next = await openStore(directory, { strict: true });
  expect(findProgress(next, [1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0])[0]).toBe(1);
  await next.close();
});

test('F-51 of two that open at once one gets it, in one process and in many', async () => {
  const asked = await Promise.allSettled(Array.from({ length: 6 }, () => openStore(directory)));
  const opened = asked.filter((one) => one.status === 'fulfilled');
  expect(opened.length).toBe(1);
  for (const one of asked)
    if (one.status === 'rejected') expect(isStoreError(one.reason, 'STORE_LOCKED')).toBe(true);
  // Killed as it is: whoever comes first succeeds it.
  await opened[0]!.value.close();
  const writer = await startWriter();
  await writer.kill();
  const commands = 1_000_000;
  const plan = { directory, segmentBytes: 4096, durability: 'always', commands } as const;
  const rivals = [1, 2].map(() => new Worker(compiled.program, { ...plan, from: writer.acked }));
  try {
    await Promise.any(rivals.map((rival) => rival.until((one) => one.isPrepared)));
    const loser = await Promise.race(rivals.map(async (rival) => (await rival.gone, rival)));
    const winner = rivals.find((rival) => rival !== loser)!;
    expect(loser.failure).toEqual({ code: 'STORE_LOCKED', details: { pid: winner.pid } });
    const before = winner.ackedTotal;
    await winner.until((one) => one.ackedTotal > before + 20);
  } finally {
    for (const rival of rivals) await rival.kill();
  }
  const store = await openStore(directory);
  expect((await store.verify()).problems).toEqual([]);
  await store.close();
});

test('F-52 a stopped owner is never robbed, by any rival, and goes on where it was', async () => {
  const first = await startWriter();
  first.signal('SIGSTOP');
  // However long: age proves nothing, so a lock that looks old is as good.
  const old = new Date(0);
  await utimes(join(directory, 'lock'), old, old);
  const rivals = [startRival(), startRival(`${directory}/`)];
  for (const rival of rivals) {
    expect(await rival.gone).toBe(null);
    expect(rival.failure).toEqual({ code: 'STORE_LOCKED', details: { pid: first.pid } });
  }
  first.signal('SIGCONT');
  const before = first.ackedTotal;
  await first.until((one) => one.ackedTotal > before + 50);
  await first.kill();
  const store = await openStore(directory);
  findProgress(store, first.acked, first.sent);
  await store.close();
});

test('F-52 an owner killed while stopped is succeeded', async () => {
  const first = await startWriter();
  first.signal('SIGSTOP');
  await first.kill();
  const store = await openStore(directory);
  expect(findProgress(store, first.acked, first.sent).length).toBe(first.acked.length);
  await store.close();
});

test('F-52 a pid that belongs to another process by now keeps nobody out; one that may be the owner does', async () => {
  const first = await startWriter();
  const path = join(directory, 'lock');
  const owner = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await first.kill();
  // No kernel lock to go by; this process lives, and began later than the owner did.
  const record = { ...owner, method: 'record', pid: process.pid };
  const { startTime } = await currentOwner('own', 'record');
  await writeFile(path, JSON.stringify({ ...record, startTime }));
  const error = await openStore(directory).catch((cause: unknown) => cause);
  expect(isStoreError(error, 'STORE_LOCKED')).toBe(true);
  await writeFile(path, JSON.stringify(record));
  const store = await openStore(directory);
  findProgress(store, first.acked, first.sent);
  await store.close();
});

test('F-51 through a bind mount it is the same directory', async (context) => {
  const mounted = join(root, 'mounted');
  const first = await startWriter();
  await mkdir(mounted);
  try {
    execFileSync('mount', ['--bind', directory, mounted], { stdio: 'ignore' });
  } catch {
    context.skip('mounting is not allowed here');
  }
  try {
    const error = await openStore(mounted).catch((cause: unknown) => cause);
    expect(isStoreError(error, 'STORE_LOCKED')).toBe(true);
    expect(error).toMatchObject({ details: { pid: first.pid } });
    const rival = startRival(mounted);
    await rival.gone;
    expect(rival.failure).toEqual({ code: 'STORE_LOCKED', details: { pid: first.pid } });
    await first.kill();
    const store = await openStore(mounted);
    findProgress(store, first.acked, first.sent);
    expect(isStoreError(await openStore(directory).catch((cause: unknown) => cause))).toBe(true);
    await store.close();
  } finally {
    execFileSync('umount', [mounted]);
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
