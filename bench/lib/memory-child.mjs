/**
 * Child process of the memory bench: loads one store, or opens one that was loaded, or counts objects
 * while loading, and reports by how much the process grew per instance.
 * Arguments: load|reopen|count, name, directory, instances, indexes|plain (what the store keeps).
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import v8 from 'node:v8';
import { lifeSoFar } from './environment.mjs';
import { PawlStore, importPawl } from './pawl.mjs';
import { PEERS } from './peers.mjs';
import { orderId } from './workload.mjs';

const [action, name, directory, instancesText, kept] = process.argv.slice(2);
const instances = Number(instancesText);
const OPTIONS = { durable: false, indexes: kept === 'indexes' };
const CHUNK = 20_000;
const ADAPTERS = { pawl: PawlStore, sqlite: PEERS[0], leveldb: PEERS[1], lmdb: PEERS[2] };

/** Loaded before the first look: code, compiler and young generation are no state. */
const WARM_UP = 20_000;

async function main() {
  const Adapter = ADAPTERS[name];
  fs.mkdirSync(directory, { recursive: true });
  if (name === 'pawl') await importPawl();
  if (action === 'reopen') return reopen(Adapter);
  return load(Adapter, action === 'load' ? look : countHeapObjects);
}

async function load(Adapter, measure) {
  const store = await Adapter.open(directory, OPTIONS);
  const first = Math.min(WARM_UP, instances >> 1);
  await loadRange(store, 0, first);
  const before = await measure();
  await loadRange(store, first, instances);
  const after = await measure();
  await store.close();
  return { ...growth(before, after, instances - first), diskBytes: diskBytes() / instances };
}

async function loadRange(store, start, end) {
  for (let from = start; from < end; from += CHUNK)
    await store.load(idsOf(from, Math.min(end, from + CHUNK)), from);
}

async function reopen(Adapter) {
  const before = await look();
  const store = await Adapter.open(directory, OPTIONS);
  // A lazy store is asked for everything once, as a working application would in time.
  let seen = 0;
  for (let index = 0; index < instances; index++)
    seen += store.get(orderId(index)).context.items.length;
  if (seen === 0) throw new Error('nothing was read');
  const after = await look();
  await store.close();
  return growth(before, after, instances);
}

/** Ids of one chunk only: a million of them would be counted as the store's. */
function idsOf(from, end) {
  const ids = [];
  for (let index = from; index < end; index++) ids.push(orderId(index));
  return ids;
}

async function look() {
  for (let time = 0; time < 3; time++) {
    globalThis.gc?.();
    await sleep(50);
  }
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { residentBytes: rss, heapBytes: heapUsed, bufferBytes: arrayBuffers };
}

/** The count stands in the first lines of a snapshot; the rest is read and dropped. */
async function countHeapObjects() {
  globalThis.gc?.();
  const snapshot = v8.getHeapSnapshot();
  let head = '';
  snapshot.on('data', (chunk) => {
    if (head.length < 65_536) head += chunk;
  });
  await once(snapshot, 'end');
  const count = /"node_count":(\d+)/.exec(head)?.[1];
  if (count === undefined) throw new Error('the heap snapshot has no node count');
  return { heapObjects: Number(count) };
}

function growth(before, after, count) {
  return Object.fromEntries(
    Object.keys(before).map((field) => [field, (after[field] - before[field]) / count]),
  );
}

function diskBytes() {
  const listing = execFileSync('du', ['-s', '--block-size=1', directory], { encoding: 'utf8' });
  return Number(listing.split('\t')[0]);
}

const measured = await main();
process.stdout.write(JSON.stringify({ ...measured, life: lifeSoFar() }));
