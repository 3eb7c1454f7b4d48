/**
 * A process that works on a store until it is killed: from outside, or by itself before, in the
 * middle of or after its n-th call that changes the disk. It says on stdout what it is about to do
 * and what was acknowledged, with blocking writes, so that nothing it learned is lost with it.
 * Argument: a WorkerPlan as JSON.
 */
import { writeSync } from 'node:fs';
import { openStore, isStoreError } from '../../src/index.ts';
import { nodeFileIo } from '../../src/base/node-file-io.ts';
import { CHANGING, hookedIo } from './hooked-io.ts';
import type { WorkerPlan } from './worker-process.ts';
import { prepare, work } from './workload.ts';

const plan = JSON.parse(process.argv[2] ?? '{}') as WorkerPlan;
const say = (...words: readonly (string | number | boolean)[]): void =>
  void writeSync(1, `${words.join(' ')}\n`);

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

let calls = 0;
let dieSoon = false;
const fileIo = hookedIo(nodeFileIo, {
  before(kind, _path, writeHalf) {
    // The call after the one that was to be the last: that one was done.
    if (dieSoon) die();
    if (plan.kill === undefined || !CHANGING.has(kind) || ++calls < plan.kill.call)
      return undefined;
    if (plan.kill.how === 'after') dieSoon = true;
    else {
      if (plan.kill.how === 'half') writeHalf?.();
      die();
    }
    return undefined;
  },
});

try {
  const store = await openStore(plan.directory, {
    fileIo,
    segmentBytes: plan.segmentBytes,
    durability: plan.durability,
  });
  say('opened', store.offset);
  await prepare(store);
  say('prepared');
  process.stdin.once('data', () => void store.close().then(() => say('closed')));
  process.stdin.unref();
  await Promise.all(
    plan.from.map((first, caller) =>
      work(store, caller, first, first + plan.commands, {
        sent: (by, serial) => say('sent', by, serial),
        done: (by, serial, offset, applied) => say('done', by, serial, offset, applied),
      }),
    ),
  );
  await store.close();
  say('closed');
} catch (error) {
  if (!isStoreError(error)) throw error;
  say('failed', error.code, JSON.stringify(error.details));
}
