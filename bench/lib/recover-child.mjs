/**
 * Child process of the bench of recovery: writes events until the log has a size, or opens it.
 * Arguments: fill, directory, instances, bytes, bytes more per event; or open, directory, instances, events.
 */
import fs from 'node:fs';
import path from 'node:path';
import { lifeSoFar } from './environment.mjs';
import { PawlStore, importPawl } from './pawl.mjs';
import { EVENTS, EventStream, orderIds } from './workload.mjs';

const SEED = 23;
const AT_ONCE = 1000;
const MiB = 1024 ** 2;

const [action, directory, instancesText, ...rest] = process.argv.slice(2);
const instances = Number(instancesText);

async function fill(bytes, extraBytes) {
  const ids = orderIds(instances);
  const store = await PawlStore.open(directory, { durable: false });
  await store.load(ids);
  store.holdRefs(ids);
  const stream = new EventStream(ids, SEED);
  const extra = extraBytes === 0 ? {} : { note: 'n'.repeat(extraBytes) };
  let events = 0;
  while (store.store.stats().log.bytesUsed < bytes) {
    for (let turn = 0; turn < 32; turn++) {
      for (const { index, event, payload } of stream.take(AT_ONCE))
        store.refs[index].post(EVENTS[event], { ...payload, ...extra });
      events += AT_ONCE;
      await store.endOfTurn();
    }
    await store.flush();
  }
  await store.close();
  return { events };
}

async function open(events) {
  const { openStore } = await importPawl();
  const before = inUse();
  const start = process.memoryUsage().rss;
  const location = path.join(directory, 'pawl');
  const store = await openStore(location, { durability: 'os', snapshotInterval: 0 });
  const { durationMs, recordsReplayed } = store.recovery;
  // One record for the definition.
  if (recordsReplayed !== events + instances + 1)
    throw new Error(`replayed ${recordsReplayed} records`);
  const most = process.resourceUsage().maxRSS * 1024;
  const live = inUse() - before;
  await store.close();
  return { durationMs, beyondMiB: (most - start - live) / MiB };
}

/** Bytes that something still refers to. */
function inUse() {
  globalThis.gc?.();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

fs.mkdirSync(directory, { recursive: true });
const result =
  action === 'fill' ? await fill(Number(rest[0]), Number(rest[1])) : await open(Number(rest[0]));
process.stdout.write(JSON.stringify({ ...result, life: lifeSoFar() }));
