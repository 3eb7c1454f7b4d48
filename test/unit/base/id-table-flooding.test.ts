/**
 * Hash flooding: an adversary sends ids that all collide under a hash he can compute. Against a
 * keyed hash he cannot; and should the key be known after all, the table stays right.
 */
import { expect, test } from 'vitest';
import { hashBytes, hashKeyFrom } from '../../../src/base/hash.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { IdOwner, KEY } from './id-owner.ts';

const FNV_PRIME = 0x01000193;
const FNV_START: number = 0x811c9dc5 | 0;

function fnv1a(text: string): number {
  let hash = FNV_START;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return hash;
}

/** The n-th block: four characters, six bits of n in each, n scattered first. */
const character = (n: number, place: number): number =>
  48 + ((Math.imul(n, 0x9e3779b1) >>> (6 * place)) & 63);
const block = (n: number): string =>
  String.fromCharCode(...[0, 1, 2, 3].map((place) => character(n, place)));

/** Two blocks that lead from one state of FNV-1a to the same next state, by the birthday paradox. */
function colliding(state: number): { blocks: readonly [string, string]; next: number } {
  const seen = new Map<number, number>();
  for (let n = 0; n < 2 ** 24; n++) {
    let next = state;
    for (let place = 0; place < 4; place++) next = Math.imul(next ^ character(n, place), FNV_PRIME);
    const other = seen.get(next);
    if (other !== undefined) return { blocks: [block(other), block(n)], next };
    seen.set(next, n);
  }
  throw new Error('no collision');
}

/** 2^depth ids with one FNV-1a hash: a collision per place makes a choice per place (Joux, 2004). */
function floodOf(depth: number): string[] {
  let state = FNV_START;
  let flood = [''];
  for (let i = 0; i < depth; i++) {
    const { blocks, next } = colliding(state);
    flood = flood.flatMap((prefix) => blocks.map((suffix) => prefix + suffix));
    state = next;
  }
  return flood;
}

function probesOf(ids: readonly string[], hashKey: Uint8Array): { total: number; longest: number } {
  const owner = new IdOwner(hashKey);
  for (const id of ids) owner.add(id);
  return owner.table.probes();
}

test('F-74 ids that collide in full under an unkeyed hash probe like random ones', () => {
  const flood = floodOf(12);
  expect(new Set(flood).size).toBe(4096);
  expect(new Set(flood.map((id) => fnv1a(id))).size).toBe(1);

  const random = seededRandom(5);
  for (let round = 0; round < 4; round++) {
    const key = random.bytes(8);
    const plain = Array.from(flood, () => Buffer.from(random.bytes(24)).toString('hex'));
    const [attacked, usual] = [probesOf(flood, key), probesOf(plain, key)];
    expect(attacked.total).toBeLessThan(usual.total * 1.5);
    expect(attacked.total).toBeLessThan(flood.length * 4);
  }
});

test('F-74 two keys scatter the same ids differently', () => {
  const [one, other] = [hashKeyFrom(KEY), hashKeyFrom(Uint8Array.from(KEY, (byte) => byte ^ 1))];
  let same = 0;
  for (let i = 0; i < 4096; i++) {
    const id = Buffer.from(`order-${i}`);
    if ((hashBytes(one, id, 0, id.length) ^ hashBytes(other, id, 0, id.length)) >>> 20 === 0)
      same++;
  }
  expect(same).toBeLessThan(16);
});

/** Ids whose hash begins with `bits` zero bits: what only someone who knows the key can choose. */
function chosen(count: number, bits: number): Buffer[] {
  const key = hashKeyFrom(KEY);
  const found: Buffer[] = [];
  const id = Buffer.alloc(8, 'a');
  for (let n = 0; found.length < count; n++) {
    id.writeUInt32LE(n);
    if (hashBytes(key, id, 0, id.length) >>> (32 - bits) === 0) found.push(Buffer.from(id));
  }
  return found;
}

test('F-74 ids chosen with the key known neither confuse the table nor blow up its directory', () => {
  const owner = new IdOwner();
  const flood = chosen(4000, 9);
  const handles = flood.map((id) => owner.addBytes(id));
  expect(flood.every((id, i) => owner.table.getBytes(id, 0, id.length) === handles[i])).toBe(true);
  expect(owner.table.memoryBytes).toBeLessThan(4000 * 14);
  for (let i = 0; i < 20_000; i++) owner.add(`plain-${i}`);
  for (const handle of handles) owner.remove(handle);
  expect(flood.every((id) => owner.table.getBytes(id, 0, id.length) === -1)).toBe(true);
  for (let i = 0; i < 20_000; i++) {
    if (owner.table.get(`plain-${i}`) < 0) throw new Error(`plain-${i} was lost`);
  }
});
