/**
 * Records as one input of a fuzz target: for each two bytes (its length, and in the highest bit
 * whether its commit ends) and then the record. Damage is done to one record or to their order, so
 * that the others still follow from each other. The seeds are records of every kind with every field.
 */
import { openStore } from '../../src/index.ts';
import { seededRandom } from '../../src/base/random.ts';
import { RecordCursor } from '../../wal/payload.ts';
import { scanLog } from '../../wal/scan.ts';
import { manualClock } from '../unit/engine/cases/contract.ts';
import { SimDisk } from 'pawl/testing';
import { DIRECTORY, type WrittenRecord } from './log-image.ts';
import { type Mutation, joined, mutateBytes, one } from './mutate.ts';

const MAX_RECORD_BYTES = 0x7fff;

export function recordsOf(input: Uint8Array): WrittenRecord[] {
  const records: WrittenRecord[] = [];
  for (let at = 0; at + 2 <= input.length;) {
    const head = (input[at] as number) | ((input[at + 1] as number) << 8);
    const bytes = input.slice(at + 2, at + 2 + (head & MAX_RECORD_BYTES));
    records.push({ bytes, endsCommit: head > MAX_RECORD_BYTES });
    at += 2 + bytes.length;
  }
  const last = records.pop();
  // The last one ends its commit: a frame holds whole ones.
  return last === undefined ? records : [...records, { ...last, endsCommit: true }];
}

function inputOf(records: readonly WrittenRecord[]): Uint8Array {
  return joined(
    ...records.flatMap(({ bytes, endsCommit }) => {
      const length = Math.min(bytes.length, MAX_RECORD_BYTES);
      const head = length + (endsCommit ? MAX_RECORD_BYTES + 1 : 0);
      return [Uint8Array.of(head & 255, head >>> 8), bytes.subarray(0, length)];
    }),
  );
}

export const mutateRecords: Mutation = (choose, input, other) => {
  const records = recordsOf(input);
  const others = recordsOf(other);
  if (records.length === 0) return other;
  for (let steps = 1 + choose(3); steps > 0; steps--) {
    const at = choose(Math.max(1, records.length));
    const kind = choose(12);
    if (kind === 0) records.splice(at, 1);
    else if (kind === 1 && others.length > 0) records.splice(at, 0, one(choose, others));
    else if (kind === 2 && records.length > 0) records.splice(at, 0, one(choose, records));
    else if (kind === 3) records.splice(at + 1);
    else {
      const record = records[at];
      if (record === undefined) continue;
      const source = one(choose, others.length > 0 ? others : records);
      const bytes = mutateBytes(choose, record.bytes, source.bytes).slice(0, 4096);
      const endsCommit = choose(20) === 0 ? !record.endsCommit : record.endsCommit;
      records[at] = { bytes, endsCommit };
    }
  }
  return inputOf(records);
};

async function written(files: SimDisk): Promise<WrittenRecord[]> {
  const records: WrittenRecord[] = [];
  const cursor = new RecordCursor();
  await scanLog(files.fileIo, DIRECTORY, {
    onFrame(bytes, start, end, firstOffset) {
      cursor.reset(bytes, start, end, firstOffset);
      while (cursor.advance()) {
        const { isLastOfCommit: endsCommit } = cursor;
        records.push({
          bytes: new Uint8Array(bytes.subarray(cursor.start, cursor.end)),
          endsCommit,
        });
      }
    },
  });
  return records;
}

const DOOR = {
  name: 'door',
  version: 1,
  states: ['open', 'shut', '__proto__'],
  initial: 'open',
  transitions: [
    {
      from: ['open', 'shut'],
      event: 'SHUT',
      to: 'shut',
      guard: 'ctx.n < 9 || ctx.text == "x" || !ctx.n',
    },
    { from: 'shut', event: 'END', to: '__proto__' },
  ],
  timeouts: [{ state: 'open', after: '30s', event: 'SHUT' }],
  indexes: ['n', 'deep.a'],
  meta: JSON.parse('{"owner":"ada","__proto__":{"a":[1,2.5,null]}}'),
};

/** A context that is a shape, one that is too wide for it, and one with all sorts of values. */
const CONTEXTS = [
  { n: 1, text: 'x', deep: { a: [1, 2, 3] } },
  Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`k${i}`, i])),
  {
    big: 2n ** 63n,
    low: -1n,
    float: 0.1,
    no: null,
    yes: true,
    list: [[], {}, 'ü'.repeat(40)],
    n: -70000,
  },
];

/** Records of every kind, by a store that is asked for all it can do. */
export async function recordSeeds(): Promise<Uint8Array[]> {
  const disk = SimDisk.of();
  const clock = manualClock(1_800_000_000_000);
  const options = {
    fileIo: disk.fileIo,
    clock,
    random: seededRandom(5),
    deletedRetentionMs: 50,
    idempotency: { retentionMs: 50 },
  };
  const store = await openStore(DIRECTORY, options);
  const notes = {
    eventId: 'e-1',
    actor: 'ada',
    reason: 'because',
    correlationId: 'c-1',
    at: 1_700_000_000_000,
  };
  await store.machines.put(DOOR);
  await store.machines.put({ ...DOOR, indexes: ['n'] });
  await store.machines.put({ ...DOOR, version: 2, indexes: ['n'] });
  await store.machines.remove('door', 2);
  for (const [i, context] of CONTEXTS.entries()) {
    await store.instances.create({
      machine: 'door',
      id: `d-${i}`,
      context,
      idempotencyKey: `c${i}`,
    });
    await store.instances.apply(
      `d-${i}`,
      'SHUT',
      { n: i, by: 'bob' },
      { ...notes, idempotencyKey: 'k' },
    );
    await store.instances.apply(`d-${i}`, 'SHUT', { more: { a: i } });
  }
  await store.transaction(
    (tx) => {
      tx.instances.create({ machine: 'door', id: 'in-tx' });
      tx.instances.apply('in-tx', 'SHUT');
      return { done: true };
    },
    { idempotencyKey: 'tx-1' },
  );
  await store.batch([{ op: 'delete', id: 'd-0' }], { idempotencyKey: 'b-1' });
  await store.instances.delete('d-1', { idempotencyKey: 'del', reason: 'gone' });
  await store.machines.put({ ...DOOR, version: 2, indexes: ['n'] });
  await store.instances.migrate({
    machine: 'door',
    fromVersion: 1,
    toVersion: 2,
    map: ({ context }) => ({ state: '__proto__', context: { ...context, moved: true } }),
  });
  clock.time += 1000;
  await store.instances.create({ machine: 'door', id: 'after' });
  await store.instances.apply('after', 'SHUT');
  await store.close();
  const all = await written(disk);
  const few = all.slice(0, 6);
  return [
    inputOf(all),
    inputOf(few.map(({ bytes }) => ({ bytes, endsCommit: true }))),
    inputOf(all.slice(0, -3)),
  ];
}
