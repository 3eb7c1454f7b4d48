/**
 * IDX-3: an index built from what a snapshot tells of its path is the one its contexts give, whatever
 * was changed since, and whatever of the snapshot is damaged.
 */
import { describe, expect, it } from 'vitest';
import { SimDisk } from 'pawl/testing';
import { ByteWriter } from '../../../src/base/bytes.ts';
import { normalise } from '../../../src/machine/validate-definition.ts';
import { Annotations } from '../../../src/record/annotations.ts';
import { encodeDefinition } from '../../../src/record/definition-codec.ts';
import * as encode from '../../../src/record/encode.ts';
import { writeValue } from '../../../src/value/write-value.ts';
import { checkIndexes } from '../../../src/indexes/check-indexes.ts';
import type { PathIndex } from '../../../src/indexes/path-index.ts';
import type { MachineGroup } from '../../../src/instance/machine-store.ts';
import type { SnapshotFile } from '../../../src/snapshot/snapshot-file.ts';
import type { ChunkReads } from '../../../src/snapshot/chunk-reads.ts';
import { encodeEnd, headerCrcOf } from '../../../src/snapshot/file-layout.ts';
import { CHUNK, SNAPSHOT_HEADER } from '../../../src/snapshot/format.ts';
import type { State } from '../../../src/state/state.ts';
import { seededChoices } from '../../sim/choices.ts';
import { RecordHistory, foldInto, freshState } from './record-history.ts';
import { loaded, written } from './snapshot-fixture.ts';

/** Of each path: the keys, how many entries each counts, and whose they are. */
function contentsOf(state: State): string[] {
  const lines: string[] = [];
  const groups = new Set(state.machines.all().map((one) => one.machine));
  for (const group of groups)
    for (const index of state.indexes.pathsOf(group, state.offset)?.all ?? [])
      lines.push(...linesOf(group.name, index));
  return lines.sort();
}

function linesOf(machine: string, index: PathIndex): string[] {
  const { values } = index;
  const { keys } = values as unknown as {
    keys: { locate(ref: number): void; bytes: Uint8Array; start: number; end: number };
  };
  const lines = [`${machine} ${index.path}: ${index.size}, ${index.tellsOrder}`];
  for (let value = 0; value < values.end; value++) {
    if (values.isFree(value)) continue;
    keys.locate(values.idRefOf(value));
    const key = Buffer.from(keys.bytes.subarray(keys.start, keys.end)).toString('hex');
    const handles: number[] = [];
    index.collect(value, (handle) => handles.push(handle));
    handles.sort((a, b) => a - b);
    lines.push(`${machine} ${index.path} ${key}: ${values.countOf(value)} ${handles.join()}`);
  }
  return lines;
}

function faultsOf(state: State): unknown[] {
  const steps = checkIndexes(state);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** Chunks of the file of a kind, as ranges of bytes. */
function chunksOf(file: SnapshotFile, kind: number): (readonly [start: number, end: number])[] {
  const { reads } = file as unknown as { reads: ChunkReads };
  return [...reads.entries.keys()]
    .filter((chunk) => reads.entries[chunk]!.kind === kind)
    .map((chunk) => {
      const start = reads.positionOf(chunk);
      return [start, start + reads.entries[chunk]!.length] as const;
    });
}

function partlyBuilt(state: State, steps: number): void {
  state.indexes.wake(state.offset);
  for (let i = 0; i < steps; i++) state.indexes.buildMore();
}

describe('IDX-3 indexes built from a snapshot', () => {
  it('are those the contexts give, whatever the records behind it change', async () => {
    let told = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const disk = SimDisk.of();
      const history = new RecordHistory(seededChoices(seed)).run(100 + 40 * seed);
      const path = await written(disk, history.state);
      const from = history.records.length;
      history.run(seed % 3 === 0 ? 0 : 300);
      const expected = contentsOf(history.state);
      // Woken when all is there; before the tail; and in the middle of building.
      for (const steps of [-1, 0, 3]) {
        const { file, state } = await loaded(disk, path, 'lazy');
        if (state.indexes.seed !== undefined) told++;
        if (steps >= 0) partlyBuilt(state, steps);
        foldInto(state, history.records.slice(from));
        expect(contentsOf(state)).toEqual(expected);
        expect(faultsOf(state)).toEqual([]);
        expect(state.indexes.seed).toBeUndefined();
        expect(file.indexFailure).toBeUndefined();
        await file.close();
      }
    }
    expect(told).toBeGreaterThan(60);
  });

  it('of many chunks of rows, changed while they are built', async () => {
    const disk = SimDisk.of();
    const history = new RecordHistory(seededChoices(31), { isGrowing: true }).run(30_000);
    const path = await written(disk, history.state);
    const from = history.records.length;
    history.run(2000);
    const { file, state } = await loaded(disk, path, 'lazy');
    state.indexes.wake(state.offset);
    for (let at = from; at < history.records.length; at += 100) {
      foldInto(state, history.records.slice(at, at + 100));
      state.indexes.buildMore();
    }
    expect(contentsOf(state)).toEqual(contentsOf(history.state));
    await file.close();
  });

  it('know a value again whose instances all left it meanwhile', async () => {
    const records = [define()];
    // Most values have a row in the first chunk and one in the second.
    for (let handle = 0; handle < 5000; handle++) records.push(create(handle, handle % 2500));
    const original = freshState();
    foldInto(original, records);
    const disk = SimDisk.of();
    const { file, state } = await loaded(disk, await written(disk, original), 'lazy');
    state.indexes.wake(state.offset);
    while (!state.indexes.lists.isComplete) state.indexes.buildMore();
    state.indexes.buildMore();
    const tail = Array.from({ length: 500 }, (_, i) => apply(1700 + i, 100_000 + i));
    foldInto(state, tail);
    foldInto(original, tail);
    expect(contentsOf(state)).toEqual(contentsOf(original));
    await file.close();
  });

  it('are built without a context, but for rows that hold a list', async () => {
    const { file, state } = await grown();
    const before = state.instances.heap.reservedBytes;
    state.indexes.wake(state.offset);
    while (state.indexes.buildMore());
    const waiting = chunksOf(file, CHUNK.contexts).length;
    expect(waiting).toBeGreaterThan(1);
    // What the rows brought in was there; nothing else was.
    expect(state.instances.heap.reservedBytes).toBe(before);
    expect(faultsOf(state)).toEqual([]);
    await file.close();
  });

  it('from one that tells nothing, as older ones do, are built from the contexts', async () => {
    const { disk, path, expected } = await grown();
    const { file: whole } = await loaded(disk, path, 'lazy');
    const { reads } = whole as unknown as { reads: ChunkReads };
    const bytes = disk.files().get(path)!;
    const entries = reads.entries.filter(
      ({ kind }) => kind !== CHUNK.indexColumns && kind !== CHUNK.indexValues,
    );
    expect(entries.length).toBeLessThan(reads.entries.length);
    const parts = [bytes.subarray(0, SNAPSHOT_HEADER.size)];
    for (const entry of entries) {
      const start = reads.positionOf(reads.entries.indexOf(entry));
      parts.push(bytes.subarray(start, start + entry.length));
    }
    await whole.close();
    const header = parts[0] as Uint8Array;
    const older = Buffer.concat([...parts, encodeEnd(headerCrcOf(header), entries).bytes]);
    const { file, state } = await loaded(SimDisk.of(new Map([[path, older]])), path, 'lazy');
    expect(state.indexes.seed).toBeUndefined();
    expect(contentsOf(state)).toEqual(expected);
    await file.close();
  });

  it('of a path with too many values are told in part', async () => {
    const disk = SimDisk.of();
    const { state: original } = new RecordHistory(seededChoices(4), { isGrowing: true }).run(9000);
    for (const group of groupsOf(original)) original.machines.applyIndexes(group.name, ['tag']);
    const path = await written(disk, original);
    const { file, state } = await loaded(disk, path, 'lazy');
    const [values] = chunksOf(file, CHUNK.indexValues);
    expect(values![1] - values![0]).toBeLessThan(2 * state.instances.total + 100);
    expect(contentsOf(state)).toEqual(contentsOf(original));
    await file.close();
  });

  it('the same columns come from a state that was loaded, and goes on', async () => {
    const disk = SimDisk.of();
    const history = new RecordHistory(seededChoices(12)).run(600);
    const path = await written(disk, history.state);
    const from = history.records.length;
    history.run(200);
    const { file, state } = await loaded(disk, path, 'lazy');
    foldInto(state, history.records.slice(from));
    const again = await written(disk, state);
    const direct = SimDisk.of();
    await written(direct, history.state);
    const of = async (source: SimDisk, kind: number): Promise<string[]> => {
      const other = await loaded(source, again, 'lazy');
      const bytes = source.files().get(again)!;
      await other.file.close();
      return chunksOf(other.file, kind).map(([start, end]) =>
        Buffer.from(bytes.subarray(start, end)).toString('hex'),
      );
    };
    for (const kind of [CHUNK.indexColumns, CHUNK.indexValues])
      expect(await of(disk, kind)).toEqual(await of(direct, kind));
    await file.close();
  });
});

describe('F-27 damage to what a snapshot tells of indexes', () => {
  it('is found, and the indexes are the same', async () => {
    const disk = SimDisk.of();
    const { state: original } = new RecordHistory(seededChoices(2)).run(400);
    const path = await written(disk, original);
    const bytes = Uint8Array.from(disk.files().get(path)!);
    const intact = await loaded(disk, path, 'lazy');
    const expected = contentsOf(intact.state);
    await intact.file.close();
    const ranges = [CHUNK.indexColumns, CHUNK.indexValues].flatMap((kind) =>
      chunksOf(intact.file, kind),
    );
    let flips = 0;
    for (const [start, end] of ranges)
      for (let at = start; at < end; at++) {
        const damaged = Uint8Array.from(bytes);
        damaged[at]! ^= 1 << (at % 8);
        const { file, state } = await loaded(SimDisk.of(new Map([[path, damaged]])), path, 'lazy');
        // Met by whoever unpacks ahead, or by whoever builds; half of it was built by then.
        if (at % 3 === 0) while (file.unpackMore());
        if (at % 3 === 1) partlyBuilt(state, at % 7);
        expect(contentsOf(state)).toEqual(expected);
        while (file.unpackMore());
        expect(file.indexFailure?.code ?? 'fine').toBe(
          // All was built before the damaged chunk was looked at.
          expected.length === 0 ? 'fine' : 'CORRUPT',
        );
        await file.close();
        flips++;
      }
    expect(flips).toBeGreaterThan(100);
  });

  it('keeps nobody from loading everything at once', async () => {
    const { path, disk, expected } = await grown();
    const bytes = Uint8Array.from(disk.files().get(path)!);
    const { file: intact } = await loaded(disk, path, 'lazy');
    const start = chunksOf(intact, CHUNK.indexValues)[0]![0];
    await intact.close();
    bytes[start]! ^= 1;
    const { file, state } = await loaded(SimDisk.of(new Map([[path, bytes]])), path, 'now');
    expect(file.indexFailure?.code).toBe('CORRUPT');
    await file.close();
    expect(contentsOf(state)).toEqual(expected);
  });

  it('in the middle of many chunks the rest is read from the contexts', async () => {
    const { path, disk, expected } = await grown();
    const bytes = Uint8Array.from(disk.files().get(path)!);
    const { file: intact } = await loaded(disk, path, 'lazy');
    const columns = chunksOf(intact, CHUNK.indexColumns);
    await intact.close();
    expect(columns.length).toBeGreaterThan(2);
    bytes[columns[1]![0] + 20]! ^= 4;
    const { file, state } = await loaded(SimDisk.of(new Map([[path, bytes]])), path, 'lazy');
    expect(contentsOf(state)).toEqual(expected);
    expect(file.indexFailure?.code).toBe('CORRUPT');
    await file.close();
  });
});

// ---- records of one machine, whose instances are all alike

const NOTES = new Annotations();

function recordOf(body: object, write: (out: ByteWriter, body: ByteWriter) => void): Uint8Array {
  const [out, packed] = [new ByteWriter(64), new ByteWriter(64)];
  writeValue(packed, body, 'body');
  write(out, packed);
  return Uint8Array.from(out.bytes.subarray(0, out.position));
}

function define(): Uint8Array {
  const body = normalise({
    name: 'thing',
    version: 1,
    states: ['on'],
    initial: 'on',
    transitions: [{ from: 'on', event: 'SET', to: 'on' }],
    indexes: ['n'],
  });
  return recordOf({}, (out) =>
    encode.encodeDefine(out, 1000, 0, 'thing', 1, encodeDefinition(body), NOTES),
  );
}

function create(handle: number, n: number): Uint8Array {
  return recordOf({ n }, (out, body) =>
    encode.encodeCreate(out, 1000, handle, 0, `id-${handle}`, NOTES, body),
  );
}

function apply(handle: number, n: number): Uint8Array {
  return recordOf({ n }, (out, body) => encode.encodeApply(out, 1000, handle, 0, NOTES, body));
}

function groupsOf(state: State): Set<MachineGroup> {
  return new Set(state.machines.all().map((one) => one.machine));
}

/** Three chunks of rows, all machines with an index over scalars. */
async function grown(): Promise<{
  readonly disk: SimDisk;
  readonly path: string;
  readonly file: SnapshotFile;
  readonly state: State;
  readonly expected: string[];
}> {
  const disk = SimDisk.of();
  const { state: original } = new RecordHistory(seededChoices(8), { isGrowing: true }).run(15_000);
  for (const group of groupsOf(original))
    original.machines.applyIndexes(group.name, ['deep.a', 'n']);
  const path = await written(disk, original);
  return { disk, path, expected: contentsOf(original), ...(await loaded(disk, path, 'lazy')) };
}
