/**
 * The snapshot job in a real worker thread, as compiled: it writes the very bytes the job writes on
 * this thread, fails alone, can be stopped anywhere, and keeps no process alive. Needs a built
 * `dist` (`npm test` builds first).
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from 'pawl';
import { nodeFileIo } from '../../../src/base/node-file-io.ts';
import { nodeThread, type WorkerListener, type WorkerThread } from '../../../src/base/thread.ts';
import type { SnapshotTask } from '../../../src/engine/snapshots/make-snapshot.ts';
import { inlineRunner } from '../../../src/engine/snapshots/runner.ts';
import { WorkerRunner } from '../../../src/engine/snapshots/worker-runner.ts';
import { isUnfinishedSnapshot, snapshotName } from '../../../src/snapshot/snapshot-name.ts';
import { framesOf } from '../../../wal/read-frames.ts';
import type { LogWriter } from '../../../wal/writer.ts';
import { DOOR, refusalOf } from './cases/contract.ts';

const ENTRY = new URL('../../../dist/src/engine/snapshots/snapshot-worker.js', import.meta.url);
const INDEX = new URL('../../../dist/src/index.js', import.meta.url).href;
const inline = inlineRunner(nodeFileIo, nodeThread);
const never = new AbortController().signal;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pawl-worker-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A closed store of so many doors, and the task to take a snapshot of all of it. */
async function taskOf(doors: number): Promise<SnapshotTask> {
  const store = await openStore(directory, { snapshotInterval: 0, durability: 'os' });
  await store.machines.put(DOOR);
  const context = { text: 'x'.repeat(60) };
  const all = Array.from({ length: doors }, (_, i) =>
    store.instances.create({ machine: 'door', id: `d${i}`, context }),
  );
  await Promise.all(all);
  const through = await store.flush();
  const { log } = store as unknown as { log: LogWriter<undefined> };
  const { storeId } = log.recovery;
  const frames = framesOf(log.files, 0);
  await store.close();
  return {
    directory,
    storeId,
    base: undefined,
    frames,
    through,
    hashKey: new Uint8Array(8).fill(7),
  };
}

async function untilWriting(): Promise<void> {
  while (!(await readdir(directory)).some(isUnfinishedSnapshot))
    await new Promise((resolve) => setTimeout(resolve, 1));
}

describe('a snapshot worker', () => {
  test('D-12 writes the same bytes as the job on this thread, and can be asked again', async () => {
    const task = await taskOf(3000);
    const path = join(directory, snapshotName(task.through));
    const made = await inline.run(task, never);
    const bytes = await readFile(path);
    const runner = new WorkerRunner(nodeThread, inline, ENTRY);
    for (let i = 0; i < 2; i++) {
      await rm(path);
      expect(await runner.run(task, never)).toEqual(made);
      expect((await readFile(path)).equals(bytes)).toBe(true);
    }
    await runner.close();
  });

  test('F-42 that fails says why, in the words of the error, and serves the next job', async () => {
    const task = await taskOf(100);
    const runner = new WorkerRunner(nodeThread, inline, ENTRY);
    const base = { offset: 7, sizeBytes: 9, checksum: 1 };
    expect(await refusalOf(() => runner.run({ ...task, base }, never))).toMatchObject({
      code: 'CORRUPT',
      details: { offset: 7 },
    });
    const frames = { ...task.frames, files: [] };
    expect(await refusalOf(() => runner.run({ ...task, frames }, never))).toMatchObject({
      code: 'CORRUPT',
      details: { offset: 1 },
    });
    expect(await runner.run(task, never)).toMatchObject({ offset: task.through });
    await runner.close();
  });

  test('F-42 that cannot be started at all is done without', async () => {
    const task = await taskOf(100);
    const runner = new WorkerRunner(nodeThread, inline, new URL('./no-such-file.js', ENTRY));
    for (let i = 0; i < 2; i++)
      expect(await runner.run(task, never)).toMatchObject({ offset: task.through });
    await runner.close();
  });

  test('F-42 that dies fails its job; the next one starts another', async () => {
    const task = await taskOf(20_000);
    const workers: WorkerThread[] = [];
    const startWorker = (entry: URL, listener: WorkerListener): WorkerThread => {
      const worker = nodeThread.startWorker?.(entry, listener) as WorkerThread;
      workers.push(worker);
      return worker;
    };
    const runner = new WorkerRunner({ ...nodeThread, startWorker }, inline, ENTRY);
    const running = refusalOf(() => runner.run(task, never));
    await untilWriting();
    await workers[0]?.stop();
    expect(await running).toMatchObject({
      code: 'INTERNAL_ERROR',
      details: { outcome: 'not-done' },
    });
    expect(await runner.run(task, never)).toMatchObject({ offset: task.through });
    expect(workers.length).toBe(2);
    await runner.close();
  });

  test('that is stopped ends where it is, and nothing of it counts', async () => {
    const task = await taskOf(20_000);
    const runner = new WorkerRunner(nodeThread, inline, ENTRY);
    const stopping = new AbortController();
    const running = refusalOf(() => runner.run(task, stopping.signal));
    await untilWriting();
    stopping.abort();
    expect(await running).toMatchObject({ code: 'INTERNAL_ERROR' });
    expect(await readdir(directory)).not.toContain(snapshotName(task.through));
    expect(await runner.run(task, never)).toMatchObject({ offset: task.through });
    await runner.close();
  });

  test('keeps no process alive, and a store of compiled code takes its snapshots there', async () => {
    const script = `
      import { openStore } from ${JSON.stringify(INDEX)};
      const store = await openStore(${JSON.stringify(directory)}, { snapshotInterval: 0 });
      await store.machines.put(${JSON.stringify(DOOR)});
      for (let i = 0; i < 50; i++) await store.instances.create({ machine: 'door', id: 'd' + i });
      const { offset } = await store.snapshot();
      console.log(JSON.stringify({ offset, ...store.stats().snapshots }));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', script],
      { timeout: 20_000 },
    );
    expect(JSON.parse(stdout)).toMatchObject({ offset: 51, taken: 1, failed: 0 });
    const store = await openStore(directory, { snapshotInterval: 0 });
    expect(store.recovery).toMatchObject({ snapshotOffset: 51, recordsReplayed: 0 });
    await store.close();
  });
});
