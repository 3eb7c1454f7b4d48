/**
 * Records under checkFuzzed, with the checksums around them right: the reader of one record, definitions
 * as bytes, the fold of records that make no sense, and whole stores made of such.
 */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { ByteWriter } from '../../src/base/bytes.ts';
import { type StoreError, isStoreError } from '../../src/base/errors.ts';
import { seededRandom } from '../../src/base/random.ts';
import { LogDecoder } from '../../src/cli/dump/decode.ts';
import { openStore, toJson, verifyStore, type Instance, type ReadStore } from '../../src/index.ts';
import { validateDefinition } from '../../src/machine/index.ts';
import { Annotations } from '../../src/record/annotations.ts';
import {
  decodeDefinition,
  decodeIndexes,
  encodeDefinition,
} from '../../src/record/definition-codec.ts';
import * as encoders from '../../src/record/encode.ts';
import { FIELD, RECORD_KIND } from '../../src/record/kind.ts';
import { RecordReader } from '../../src/record/record-reader.ts';
import { digestOf } from '../../src/state/digest.ts';
import { Fold } from '../../src/state/fold.ts';
import { State } from '../../src/state/state.ts';
import { RecordCursor } from '../../wal/payload.ts';
import { manualClock } from '../unit/engine/cases/contract.ts';
import { stateOf } from '../unit/engine/store-state.ts';
import { SimDisk } from 'pawl/testing';
import { FUZZ_TIMEOUT_MS, allowed, checkFuzzed, isPlainRangeError, wordsOf } from './fuzz.ts';
import { DIRECTORY, logOf, payloadOf, type WrittenRecord } from './log-image.ts';
import { mutateRecords, recordSeeds, recordsOf } from './record-lists.ts';

const lists = await recordSeeds();
const singles = recordsOf(lists[0] as Uint8Array).map(({ bytes }) => bytes);

interface Facts {
  readonly [name: string]: unknown;
}

function factsOf(reader: RecordReader): Facts {
  const { kind, fields, time, at, bytes, bodyStart, bodyEnd } = reader;
  const noted = Object.entries({
    eventId: FIELD.eventId,
    key: FIELD.key,
    actor: FIELD.actor,
    reason: FIELD.reason,
    correlationId: FIELD.correlationId,
  } as const)
    .filter(([, field]) => reader.has(field))
    .map(([name]) => [name, reader.text(reader[name as 'eventId'])]);
  const {
    handle,
    definition,
    transition,
    state,
    version,
    deletedThrough,
    keysThrough,
    fingerprintLow,
    fingerprintHigh,
  } = reader;
  return {
    kind,
    fields,
    time: reader.has(FIELD.time) ? time : 0,
    at: reader.has(FIELD.at) ? at : 0,
    ...Object.fromEntries(noted),
    numbers: [handle, definition, transition, state, version, deletedThrough, keysThrough],
    fingerprint: reader.has(FIELD.key) ? [fingerprintLow, fingerprintHigh] : [],
    name: reader.text(reader.name),
    body: Buffer.from(bytes.subarray(bodyStart, bodyEnd)).toString('hex'),
  };
}

/** What was read, written again by the functions that write records. */
function rewritten(reader: RecordReader): Uint8Array {
  const writer = new ByteWriter(64);
  const body = new ByteWriter(64);
  body.raw(reader.bytes, reader.bodyStart, reader.bodyEnd);
  const notes = new Annotations();
  if (reader.has(FIELD.at)) notes.at = reader.at;
  if (reader.has(FIELD.eventId)) notes.eventId = reader.text(reader.eventId);
  if (reader.has(FIELD.key)) notes.key = reader.text(reader.key);
  notes.fingerprint.set([reader.fingerprintLow, reader.fingerprintHigh]);
  if (reader.has(FIELD.actor)) notes.actor = reader.text(reader.actor);
  if (reader.has(FIELD.reason)) notes.reason = reader.text(reader.reason);
  if (reader.has(FIELD.correlationId)) notes.correlationId = reader.text(reader.correlationId);
  const time = reader.has(FIELD.time) ? reader.time : undefined;
  const { handle, definition, transition, state, version } = reader;
  const name = reader.text(reader.name);
  const bytes = body.bytes.subarray(0, body.position);
  const {
    encodeDefine,
    encodeIndexes,
    encodeHide,
    encodeCreate,
    encodeApply,
    encodeDelete,
    encodeOutcome,
    encodeMigrate,
  } = encoders;
  if (reader.kind === RECORD_KIND.define)
    encodeDefine(writer, time, definition, name, version, bytes, notes);
  else if (reader.kind === RECORD_KIND.indexes) encodeIndexes(writer, time, name, bytes, notes);
  else if (reader.kind === RECORD_KIND.hide) encodeHide(writer, time, definition, notes);
  else if (reader.kind === RECORD_KIND.create)
    encodeCreate(writer, time, handle, definition, name, notes, body);
  else if (reader.kind === RECORD_KIND.apply)
    encodeApply(writer, time, handle, transition, notes, body);
  else if (reader.kind === RECORD_KIND.delete) encodeDelete(writer, time, handle, notes);
  else if (reader.kind === RECORD_KIND.outcome) encodeOutcome(writer, time, notes, body);
  else if (reader.kind === RECORD_KIND.migrate)
    encodeMigrate(writer, time, handle, definition, state, notes, body);
  return writer.bytes.slice(0, writer.position);
}

test(
  'TST-4 F-71 a record that reads is the same when it is written and read again',
  async () => {
    const hasBody = new Set<number>([
      RECORD_KIND.define,
      RECORD_KIND.indexes,
      RECORD_KIND.create,
      RECORD_KIND.apply,
      RECORD_KIND.outcome,
      RECORD_KIND.migrate,
    ]);
    const run = (input: Uint8Array): string => {
      const around = new Uint8Array(input.length + 40).fill(0x83);
      around.set(input, 20);
      const reader = new RecordReader();
      try {
        reader.read(around, 20, 20 + input.length);
      } catch (error) {
        return allowed(error, ['FORMAT_UNSUPPORTED'], true);
      }
      assert(reader.bodyStart >= 22 && reader.bodyStart <= reader.bodyEnd);
      assert.equal(reader.bodyEnd, 20 + input.length);
      const facts = factsOf(reader);
      for (const number of [reader.at, reader.time]) assert(Number.isFinite(number));
      for (const number of facts['numbers'] as number[]) assert(Number.isSafeInteger(number));
      // The other kinds have nothing behind their fields that anybody would read.
      if (!hasBody.has(reader.kind)) return `kind ${reader.kind}`;
      const again = new RecordReader();
      const bytes = rewritten(reader);
      again.read(bytes, 0, bytes.length);
      assert.deepEqual(factsOf(again), facts);
      return `kind ${reader.kind} with ${reader.fields}`;
    };
    await checkFuzzed({ name: 'record', runs: 3000, seeds: singles, run, maxBytes: 4096 });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  'TST-4 F-71 F-72 bytes of a definition give a valid one, the same again, or a RangeError',
  async () => {
    const run = (input: Uint8Array): string => {
      let words = '';
      try {
        const paths = decodeIndexes(input);
        assert.deepEqual(decodeIndexes(encodeDefinition(paths)), paths);
        words = 'indexes';
      } catch (error) {
        allowed(error, [], true);
      }
      try {
        const definition = decodeDefinition(input);
        assert(Object.isFrozen(definition) && Object.isFrozen(definition.transitions));
        assert.deepEqual(validateDefinition(definition), definition);
        assert.deepEqual(decodeDefinition(encodeDefinition(definition)), definition);
        return 'definition';
      } catch (error) {
        return words + allowed(error, [], true);
      }
    };
    const definitions = singles.filter(
      (bytes) => bytes[0] === RECORD_KIND.define || bytes[0] === RECORD_KIND.indexes,
    );
    const reader = new RecordReader();
    const seeds = definitions.map((bytes) => {
      reader.read(bytes, 0, bytes.length);
      return bytes.slice(reader.bodyStart);
    });
    const nests = ['dd00989680', 'dc7fff', 'df00989680', '91', '81a161'].map(
      (hex) => new Uint8Array(Buffer.from(hex.repeat(60), 'hex')),
    );
    await checkFuzzed({ name: 'definition bytes', runs: 2500, seeds: [...seeds, ...nests], run });
  },
  FUZZ_TIMEOUT_MS,
);

/** Counters against a recount; every row and every key can be read. */
function checkState(state: State): void {
  const { machines, instances, keys } = state;
  for (const definition of machines.all()) {
    const population = definition.population.map(() => 0);
    let rows = 0;
    for (let handle = 0; handle < instances.rows.rows; handle++) {
      if (!instances.isLive(handle) || instances.definition(handle) !== definition.index) continue;
      rows++;
      const isDeleted = (instances.flags(handle) & 2) !== 0;
      if (!isDeleted) population[instances.state(handle)]!++;
    }
    assert.deepEqual([...definition.population], [...population]);
    assert.equal(definition.rows, rows);
  }
  assert.equal(instances.ids.size, instances.total);
  assert.equal([...keys.entries()].length, keys.size);
  digestOf(state);
}

/** As many as fold, and why the next one does not. */
function folded(records: readonly WrittenRecord[]): { state: State; error: unknown } {
  const state = new State(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  const fold = new Fold(state);
  const cursor = new RecordCursor();
  const payload = payloadOf(records);
  cursor.reset(payload, 0, payload.length, 1);
  try {
    while (cursor.advance()) fold.apply(payload, cursor.start, cursor.end, cursor.offset);
    return { state, error: undefined };
  } catch (error) {
    return { state, error };
  }
}

test(
  'TST-4 F-71 F-73 records that make no sense are refused by the fold; those it takes leave a state that adds up',
  async () => {
    const run = (input: Uint8Array): string => {
      const { state, error } = folded(recordsOf(input));
      if (error === undefined) {
        checkState(state);
        return `${state.offset} records`;
      }
      assert(
        isPlainRangeError(error) || isStoreError(error, 'FORMAT_UNSUPPORTED', 'INTERNAL_ERROR'),
        wordsOf(error),
      );
      return wordsOf(error);
    };
    await checkFuzzed({ name: 'fold', runs: 1200, seeds: lists, run, mutate: mutateRecords });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  'TST-4 F-71 the dump names what it can of any records, and ends with a RangeError at one that is none',
  async () => {
    const run = (input: Uint8Array): string => {
      const records = recordsOf(input);
      const payload = payloadOf(records);
      const decoder = new LogDecoder();
      let outcome = 'all';
      try {
        decoder.frame(payload, 0, payload.length, 1, 1);
        assert.equal(decoder.offset, records.length);
      } catch (error) {
        outcome = allowed(error, ['FORMAT_UNSUPPORTED'], true);
      }
      const taken = decoder.taken();
      assert(outcome !== 'all' || taken.length === records.length);
      for (const [i, record] of taken.entries()) {
        assert.equal(record.offset, i + 1);
        assert(record.commit >= record.offset && record.commit <= records.length);
        assert(toJson(record).length <= 100 * (payload.length + 100));
      }
      const later = new LogDecoder();
      try {
        later.frame(payload, 0, payload.length, 1, records.length);
      } catch (error) {
        allowed(error, ['FORMAT_UNSUPPORTED'], true);
      }
      assert(later.taken().length <= 1);
      return outcome;
    };
    await checkFuzzed({ name: 'dump', runs: 1200, seeds: lists, run, mutate: mutateRecords });
  },
  FUZZ_TIMEOUT_MS,
);

/** Everything a reader may ask of a store. */
function readAll(store: ReadStore): Instance[] {
  const all = [...store.instances.iterate()];
  assert.equal(store.instances.count(), all.length);
  assert.deepEqual(store.instances.find({ limit: 100_000 }).items, all);
  for (const one of all) {
    assert.deepEqual(store.instances.get(one.id), one);
    store.instances.permitted(one.id);
    toJson(one);
  }
  for (const machine of store.machines.list()) toJson(machine);
  store.stats();
  return all;
}

async function opened(input: Uint8Array): Promise<string> {
  const records = recordsOf(input);
  const middle =
    records.findIndex(({ endsCommit }, i) => endsCommit && i >= records.length / 2) + 1;
  const frames = [records.slice(0, middle), records.slice(middle)].filter(
    (frame) => frame.length > 0,
  );
  const disk = SimDisk.of(
    logOf(
      frames.map(payloadOf),
      frames.map((frame) => frame.length),
    ),
  );
  const { fileIo } = disk;
  const { ok, problems, lastOffset, digest } = await verifyStore(DIRECTORY, { fileIo });
  const clock = manualClock(1_800_000_100_000);
  let store;
  try {
    const frozen = await openStore(DIRECTORY, { fileIo, readOnly: true });
    assert.equal(frozen.offset, records.length, 'what opens holds all records');
    checkState(stateOf(frozen));
    readAll(frozen);
    assert.equal(digestOf(stateOf(frozen)), digest);
    await frozen.close();
    assert.equal(disk.journal.length, 0);
    store = await openStore(DIRECTORY, {
      fileIo,
      clock,
      random: seededRandom(3),
      segmentBytes: 4096,
    });
  } catch (error) {
    allowed(error, ['CORRUPT', 'FORMAT_UNSUPPORTED']);
    assert(!ok && problems.length > 0, 'verification refuses what opening refuses');
    assert.equal(problems[0]?.code, (error as StoreError).code);
    if ((error as StoreError).code === 'CORRUPT') {
      const { offset, byteOffset, file } = (error as StoreError).details as {
        offset: number;
        byteOffset: number;
        file: string;
      };
      assert(
        offset >= 1 && offset <= lastOffset + 1 && byteOffset >= 64 && file === '00000001.wal',
      );
    }
    assert.equal(disk.journal.length, 0);
    return wordsOf(error);
  }
  assert(ok, problems[0]?.message);
  const before = readAll(store);
  await store.machines.put({
    name: 'added',
    version: 7,
    states: ['s'],
    initial: 's',
    transitions: [],
  });
  await store.instances.create({ machine: 'added', version: 7, id: 'added-1' });
  await store.close();
  const again = await openStore(DIRECTORY, { fileIo, readOnly: true });
  const ids = readAll(again).map(({ id }) => id);
  for (const { id } of before) assert(ids.includes(id));
  assert(ids.includes('added-1'));
  return `opens with ${records.length}`;
}

test(
  'TST-4 F-71 F-73 a store of records that make no sense is CORRUPT with a place or unsupported, for all who open it; one that opens is whole and goes on',
  async () => {
    await checkFuzzed({
      name: 'store',
      runs: 150,
      seeds: lists,
      run: opened,
      mutate: mutateRecords,
      spareBytes: 64 * 1_048_576,
    });
  },
  FUZZ_TIMEOUT_MS,
);
