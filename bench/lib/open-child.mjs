/**
 * Child process of the bench of opening: loads one store and closes it (ours with a snapshot), or
 * opens one that was loaded and says how long it took to the first read, and ours to the last byte.
 * Arguments: load|open, name, directory, instances, indexes|plain, number of the instance read first.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lifeSoFar } from './environment.mjs';
import { LoopProbe } from './loop-probe.mjs';
import { PawlStore, importPawl } from './pawl.mjs';
import { PEERS } from './peers.mjs';
import { STATES, orderContext, orderId, orderIds } from './workload.mjs';

const [action, name, directory, instancesText, kept, firstText] = process.argv.slice(2);
const instances = Number(instancesText);
const OPTIONS = { durable: false, indexes: kept === 'indexes' };
const ADAPTERS = { pawl: PawlStore, sqlite: PEERS[0], leveldb: PEERS[1], lmdb: PEERS[2] };
const STORE = path.join(directory, 'pawl');

async function main() {
  fs.mkdirSync(directory, { recursive: true });
  if (action === 'load') return load();
  return name === 'pawl' ? openPawl() : openPeer();
}

async function load() {
  const store = await ADAPTERS[name].open(directory, OPTIONS);
  await store.load(orderIds(instances));
  const sizes = name === 'pawl' ? await takeSnapshot(store.store) : {};
  await store.close();
  const listing = execFileSync('du', ['-s', '--block-size=1', directory], { encoding: 'utf8' });
  return { ...sizes, directoryBytes: Number(listing.split('\t')[0]) };
}

/** Size of the snapshot and of the log behind it. */
async function takeSnapshot(store) {
  const start = performance.now();
  const { bytes } = await store.snapshot();
  const logBytes = store.stats().log.bytesUsed;
  return {
    snapshotMs: performance.now() - start,
    snapshotBytes: bytes,
    uncoveredBytes: store.stats().log.bytesUsed - logBytes,
  };
}

async function openPeer() {
  const Adapter = ADAPTERS[name];
  const start = performance.now();
  const store = await Adapter.open(directory, OPTIONS);
  check(store.get(orderId(Number(firstText))));
  const firstReadMs = performance.now() - start;
  await store.close();
  return { firstReadMs };
}

async function openPawl() {
  const { openStore } = await importPawl();
  const before = await resident();
  const start = performance.now();
  const store = await openStore(STORE, { durability: 'os', snapshotInterval: 0 });
  check(store.instances.get(orderId(Number(firstText))));
  const firstReadMs = performance.now() - start;
  const probe = new LoopProbe();
  while (store.stats().contexts === 'loading') await sleep(1);
  if (store.stats().contexts === 'damaged') throw new Error('the snapshot is damaged');
  const longestTurnMs = probe.stop();
  askIndexes(store);
  const allLoadedMs = performance.now() - start;
  const residentBytes = (await resident()) - before;
  const { snapshotOffset, recordsReplayed } = store.recovery;
  await store.close();
  return {
    firstReadMs,
    allLoadedMs,
    longestTurnMs,
    residentBytes: residentBytes / instances,
    snapshotOffset,
    recordsReplayed,
  };
}

/** What is not built behind by now, a query builds at once. */
function askIndexes(store) {
  const machine = 'order';
  for (const state of STATES)
    store.instances.find({ machine, state, orderBy: 'updatedAt', limit: 1 });
  if (!OPTIONS.indexes) return;
  const { customer } = orderContext(0);
  const { items } = store.instances.find({ machine, where: { customer } });
  if (items[0]?.id !== orderId(0)) throw new Error('the index does not answer');
}

function check(instance) {
  const expected = orderContext(Number(firstText)).items.length;
  if (instance?.context.items.length !== expected) throw new Error('the first read is wrong');
}

async function resident() {
  for (let time = 0; time < 3; time++) {
    globalThis.gc?.();
    await sleep(50);
  }
  return process.memoryUsage.rss();
}

const measured = await main();
process.stdout.write(JSON.stringify({ ...measured, life: lifeSoFar() }));
