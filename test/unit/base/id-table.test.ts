import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashBytes, hashKeyFrom } from '../../../src/base/hash.ts';
import { homeOf, tagOf } from '../../../src/base/id-bucket.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { IdOwner, KEY } from './id-owner.ts';

const isId = (id: string): boolean => id.length > 0 && Buffer.byteLength(id) <= 1024;
const ids = fc
  .oneof(
    { weight: 4, arbitrary: fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 3 }) },
    { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
    {
      weight: 2,
      arbitrary: fc.string({ unit: fc.constantFrom('ä', '☃', '𝄞', 'x'), maxLength: 70 }),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('x', 'é', '€'), fc.integer({ min: 30, max: 1024 }))
        .map(([unit, times]) => unit.repeat(times)),
    },
  )
  .filter(isId);
const steps = fc.array(fc.record({ id: ids, remove: fc.boolean() }), { maxLength: 150 });
const hashKeys = fc.uint8Array({ minLength: 8, maxLength: 8 });

function expectSame(owner: IdOwner, model: Map<string, number>): void {
  expect(owner.table.size).toBe(model.size);
  for (const [id, handle] of model) {
    assert.equal(owner.table.get(id), handle, id);
    assert.equal(owner.textOf(handle), id);
  }
}

test('the table answers as a Map does, for any ids under any key', () => {
  fc.assert(
    fc.property(hashKeys, steps, fc.constantFrom(0, 1, 40, 5000), (key, commands, expected) => {
      const owner = new IdOwner(key);
      owner.table.expect(expected);
      const model = new Map<string, number>();
      for (const { id, remove } of commands) {
        const handle = model.get(id);
        expect(owner.table.get(id)).toBe(handle ?? -1);
        if (handle === undefined) model.set(id, owner.add(id));
        else if (remove) {
          owner.remove(handle);
          model.delete(id);
        }
      }
      expectSame(owner, model);
      for (const handle of model.values()) owner.remove(handle);
      expect(owner.table.size).toBe(0);
      expect(owner.heap.usedBytes).toBe(0);
    }),
  );
});

test('a table that was told how many ids come takes them without a rebuild', () => {
  for (const count of [1, 900, 1500, 20_000]) {
    const owner = new IdOwner(KEY);
    owner.table.expect(count);
    const before = owner.table.memoryBytes;
    for (let i = 0; i < count; i++) owner.add(`id-${i}`);
    for (let i = 0; i < count; i++) expect(owner.table.get(`id-${i}`)).toBeGreaterThanOrEqual(0);
    expect(owner.table.memoryBytes).toBe(before);
  }
});

/** Grows to `peak`, shrinks to a tenth, three times over, with removals and puts mixed throughout. */
function breathe(
  owner: IdOwner,
  seed: number,
  peak: number,
  check: () => void,
): Map<string, number> {
  const random = seededRandom(seed);
  const model = new Map<string, number>();
  const living: string[] = [];
  for (const goal of [peak, peak / 10, peak, 0, peak, peak / 10]) {
    while (living.length !== Math.floor(goal)) {
      const grows = random.next() < (living.length < goal ? 0.8 : 0.2);
      if (grows || living.length === 0) {
        const id = `${Math.floor(random.next() * 1e9)}/ß`;
        if (model.has(id)) continue;
        model.set(id, owner.add(id));
        living.push(id);
      } else {
        const at = Math.floor(random.next() * living.length);
        const id = living[at] as string;
        living[at] = living[living.length - 1] as string;
        living.pop();
        owner.remove(model.get(id) as number);
        model.delete(id);
        assert.equal(owner.table.get(id), -1);
      }
    }
    expectSame(owner, model);
    check();
  }
  return model;
}

test('it stays right through splits and merges of its buckets', () => {
  for (const seed of [1, 2, 3]) {
    const owner = new IdOwner(seededRandom(seed).bytes(8));
    breathe(owner, seed, 12_000, () => undefined);
    for (let i = 0; i < 1000; i++) expect(owner.table.get(`absent-${i}`)).toBe(-1);
  }
});

test('probes and memory depend on what is there now, not on what was removed', () => {
  const owner = new IdOwner();
  breathe(owner, 7, 12_000, () => {
    const { size } = owner.table;
    const { total, longest } = owner.table.probes();
    expect(total).toBeLessThanOrEqual(3.5 * size);
    expect(longest).toBeLessThan(250);
    expect(owner.table.memoryBytes).toBeLessThan(4096 + size * 32);
  });
});

test('a steady coming and going leaves no trace', () => {
  const owner = new IdOwner();
  for (let i = 0; i < 3000; i++) owner.add(`id-${i}`);
  const before = owner.table.memoryBytes;
  const probes = owner.table.probes().total;
  for (let i = 0; i < 60_000; i++) {
    owner.remove(owner.table.get(`id-${i}`));
    owner.add(`id-${i + 3000}`);
  }
  expect(owner.table.memoryBytes).toBeLessThanOrEqual(before * 1.5);
  expect(owner.table.probes().total).toBeLessThanOrEqual(probes * 1.8);
});

test('an entry takes 6 to 11 bytes in a large table, beside its id', () => {
  const owner = new IdOwner();
  const perEntry: number[] = [];
  for (let i = 0; i < 50_000; i++) {
    owner.add(`order-${String(i).padStart(9, '0')}`);
    if (i > 5000 && i % 500 === 0) perEntry.push(owner.table.memoryBytes / owner.table.size);
  }
  expect(Math.min(...perEntry)).toBeGreaterThan(6);
  expect(Math.max(...perEntry)).toBeLessThan(11);
  expect(owner.heap.usedBytes).toBe(50_000 * 16);
});

test('bytes are found and entered where they lie', () => {
  const owner = new IdOwner();
  const frame = Buffer.from('xxorder-1yyorder-2');
  const handle = owner.addBytes(frame, 2, 9);
  expect(owner.table.getBytes(frame, 2, 9)).toBe(handle);
  expect(owner.table.getBytes(frame, 11, 18)).toBe(-1);
  expect(owner.table.getBytes(frame, 2, 8)).toBe(-1);
  expect(owner.table.getBytes(frame, 2, 2)).toBe(-1);
  frame.fill(0);
  expect(owner.table.get('order-1')).toBe(handle);
});

test('ids of any length lie side by side without touching', () => {
  const owner = new IdOwner();
  const model = new Map<string, number>();
  for (let length = 1; length <= 1024; length += length < 300 ? 1 : 31) {
    for (const last of 'xyz') {
      const id = 'i'.repeat(length - 1) + last;
      model.set(id, owner.add(id));
    }
  }
  expectSame(owner, model);
  expect(owner.table.size).toBe(model.size);
});

test('an id is not taken for a longer one that begins with it, though hash and slot agree', () => {
  const key = hashKeyFrom(KEY);
  const places = (id: string): string => {
    const hash = hashBytes(key, Buffer.from(id), 0, id.length);
    return `${tagOf(hash)} ${homeOf(hash, 16)}`;
  };
  let longer = 'order-1';
  for (let n = 0; longer === 'order-1' || places(longer) !== places('order-1'); n++) {
    longer = `order-1${n}`;
  }
  const owner = new IdOwner(KEY);
  const handle = owner.add(longer);
  expect(owner.table.get('order-1')).toBe(-1);
  expect(owner.table.get(longer)).toBe(handle);
});

test('a bucket that runs low joins its other half only, not a bucket that has split further', () => {
  const key = hashKeyFrom(KEY);
  const owner = new IdOwner(KEY);
  const kept: number[] = [];
  const third: number[] = [];
  const lowHalf: number[] = [];
  for (let i = 0; i < 5000; i++) {
    const id = Buffer.from(`id-${i}`);
    const quarter = hashBytes(key, id, 0, id.length) >>> 30;
    const group = quarter === 3 ? kept : quarter === 2 ? third : lowHalf;
    group.push(owner.addBytes(id));
  }
  for (const handle of [...third, ...lowHalf]) owner.remove(handle);
  expect(owner.table.size).toBe(kept.length);
  for (const handle of kept) expect(owner.table.get(owner.textOf(handle))).toBe(handle);
});

test('GEN-1 what is no id has no handle: empty, over 1,024 bytes, with a lone surrogate', () => {
  const owner = new IdOwner();
  owner.add('\ufffd');
  owner.add('a'.repeat(1024));
  for (const text of [
    '',
    'a'.repeat(1025),
    '€'.repeat(342),
    '\ud800',
    'x'.repeat(100) + '\udfff',
    'b'.repeat(1e6),
  ]) {
    expect(owner.table.get(text)).toBe(-1);
  }
  expect(owner.table.get('\ufffd')).toBe(0);
  expect(() => owner.add('')).toThrow('1 to 1,024');
  expect(() => owner.add('a'.repeat(1025))).toThrow('1 to 1,024');
});

test('an id put twice and a handle removed twice are bugs that show', () => {
  const owner = new IdOwner();
  const handle = owner.add('once');
  expect(() => owner.add('once')).toThrow('put once');
  const ref = owner.idRefOf(handle);
  owner.remove(handle);
  expect(() => owner.table.remove(handle, ref)).toThrow('is in the id table');
  expect(owner.table.size).toBe(0);
});

test('ids sort by their UTF-8 bytes, which is the order of code points', () => {
  fc.assert(
    fc.property(ids, ids, (a, b) => {
      const owner = new IdOwner();
      const refA = owner.idRefOf(owner.add(a));
      const refB = a === b ? refA : owner.idRefOf(owner.add(b));
      const expected = Buffer.compare(Buffer.from(a), Buffer.from(b));
      expect(Math.sign(owner.table.compare(refA, refB))).toBe(expected);
      expect(Math.sign(owner.table.compare(refB, refA)) + expected).toBe(0);
    }),
  );
  const owner = new IdOwner();
  const refs = ['\uffee', '𝄞'].map((id) => owner.idRefOf(owner.add(id)));
  expect(owner.table.compare(refs[0] as number, refs[1] as number)).toBeLessThan(0);
});
