/** Damage as functions: each does what it says, to nothing else, and refuses to do nothing. */
import { describe, expect, test } from 'vitest';
import { isStoreError } from '../../../src/base/errors.ts';
import { seededRandom } from '../../../src/base/random.ts';
import {
  both,
  cut,
  type Damage,
  duplicate,
  flip,
  garbage,
  grow,
  misdirect,
  remove,
  rot,
  swap,
  zero,
} from '../../../src/testing/damage.ts';
import { SimDisk } from '../../../src/testing/sim-disk.ts';

type Lists = Record<string, number[]>;
const FILES = (): Map<string, Uint8Array> =>
  new Map([
    ['/a', Uint8Array.of(1, 2, 3, 4, 5, 6)],
    ['/b', Uint8Array.of(10, 20, 30)],
    ['/empty', new Uint8Array(0)],
  ]);

function lists(files: ReadonlyMap<string, Uint8Array>): Lists {
  return Object.fromEntries([...files].map(([path, bytes]) => [path, [...bytes]]));
}

const AS_IT_WAS: Lists = lists(FILES());

/** Applies it, and checks that it left alone what it was given. */
function damaged(damage: Damage): Lists {
  const files = FILES();
  const after = damage(files);
  expect(lists(files)).toEqual(AS_IT_WAS);
  for (const [path, bytes] of after) expect(bytes.buffer).not.toBe(files.get(path)?.buffer);
  return lists(after);
}

/** What differs, by path; null where a file is gone. */
function changes(damage: Damage): Record<string, number[] | null> {
  const after = damaged(damage);
  const paths = new Set([...Object.keys(AS_IT_WAS), ...Object.keys(after)]);
  const differing = [...paths].filter(
    (path) => JSON.stringify(after[path]) !== JSON.stringify(AS_IT_WAS[path]),
  );
  return Object.fromEntries(differing.map((path) => [path, after[path] ?? null]));
}

describe('TST-2 damage at rest', () => {
  test.each<[string, Damage, Record<string, number[] | null>]>([
    ['one bit flipped', flip('/a', 2), { '/a': [1, 2, 2, 4, 5, 6] }],
    ['the bits of a mask flipped', flip('/a', 0, 0x81), { '/a': [0x80, 2, 3, 4, 5, 6] }],
    ['zeros', zero('/a', { from: 1, length: 2 }), { '/a': [1, 0, 0, 4, 5, 6] }],
    ['zeros up to the end', zero('/b', { from: 0, length: 3 }), { '/b': [0, 0, 0] }],
    ['a cut', cut('/a', 2), { '/a': [1, 2] }],
    ['a cut to nothing', cut('/a', 0), { '/a': [] }],
    ['growth by zeros', grow('/b', 2), { '/b': [10, 20, 30, 0, 0] }],
    ['growth by something', grow('/empty', 1, 9), { '/empty': [9] }],
    ['a swap', swap('/a', '/b'), { '/a': [10, 20, 30], '/b': [1, 2, 3, 4, 5, 6] }],
    ['a copy', duplicate('/b', '/c'), { '/c': [10, 20, 30] }],
    ['a copy over another', duplicate('/b', '/a'), { '/a': [10, 20, 30] }],
    ['a file gone', remove('/b'), { '/b': null }],
    [
      'a range at another place',
      misdirect({ path: '/b', from: 1, length: 2 }, { path: '/a', from: 4 }),
      { '/a': [1, 2, 3, 4, 20, 30] },
    ],
    [
      'a range over itself, shifted',
      misdirect({ path: '/a', from: 0, length: 4 }, { path: '/a', from: 2 }),
      { '/a': [1, 2, 1, 2, 3, 4] },
    ],
    [
      'one after the other',
      both(cut('/a', 1), duplicate('/a', '/c'), remove('/a')),
      { '/a': null, '/c': [1] },
    ],
    ['none', both(), {}],
  ])('%s', (_, damage, expected) => {
    expect(changes(damage)).toEqual(expected);
  });

  test('garbage changes each byte of its range and no other, the same for the same seed', () => {
    for (let seed = 0; seed < 200; seed++) {
      const after = damaged(garbage('/a', { from: 1, length: 3 }, seed));
      const { '/a': bytes = [], ...rest } = after;
      expect({ ...rest, '/a': [1, 2, 3, 4, 5, 6] }).toEqual(AS_IT_WAS);
      const changed = bytes.map((byte, i) => byte !== AS_IT_WAS['/a']?.[i]);
      expect(changed).toEqual([false, true, true, true, false, false]);
      expect(damaged(garbage('/a', { from: 1, length: 3 }, seed))).toEqual(after);
    }
  });

  test.each([1, 5, 71, 72])('rot turns over exactly %i of 72 bits', (count) => {
    const bits = (files: Lists): string =>
      Object.keys(AS_IT_WAS)
        .flatMap((path) => files[path] ?? [])
        .map((byte) => byte.toString(2).padStart(8, '0'))
        .join('');
    const before = bits(AS_IT_WAS);
    for (let seed = 0; seed < 50; seed++) {
      const after = bits(damaged(rot(seededRandom(seed), count)));
      expect(Array.from(after).filter((bit, i) => bit !== before[i]).length).toBe(count);
    }
  });

  test('rot reaches every byte, is the same for the same seed, and another each time', () => {
    const reached = new Set<string>();
    for (let seed = 0; seed < 500; seed++)
      for (const [path, bytes] of Object.entries(changes(rot(seededRandom(seed), 1))))
        reached.add(`${path}:${bytes?.findIndex((byte, i) => byte !== AS_IT_WAS[path]?.[i])}`);
    expect(reached.size).toBe(9);
    expect(damaged(rot(seededRandom(4), 3))).toEqual(damaged(rot(seededRandom(4), 3)));
    const again = rot(seededRandom(4), 3);
    expect(damaged(again)).not.toEqual(damaged(again));
  });

  test.each<[string, () => unknown, string]>([
    ['flip in no file', () => damaged(flip('/x', 0)), 'path'],
    ['flip behind the end', () => damaged(flip('/b', 3)), 'at'],
    ['flip before the beginning', () => damaged(flip('/b', -1)), 'at'],
    ['flip between bytes', () => damaged(flip('/b', 0.5)), 'at'],
    ['flip of no bit', () => flip('/b', 0, 0), 'mask'],
    ['flip of more than a byte', () => flip('/b', 0, 256), 'mask'],
    ['zeros behind the end', () => damaged(zero('/b', { from: 1, length: 3 })), 'range'],
    ['zeros nowhere', () => damaged(zero('/b', { from: 1, length: 0 })), 'range'],
    ['garbage in no file', () => damaged(garbage('/x', { from: 0, length: 1 })), 'path'],
    ['garbage behind the end', () => damaged(garbage('/b', { from: 3, length: 1 })), 'range'],
    ['a cut that lengthens', () => damaged(cut('/b', 4)), 'length'],
    ['a cut that leaves all', () => damaged(cut('/b', 3)), 'length'],
    ['a cut below zero', () => damaged(cut('/b', -1)), 'length'],
    ['a cut of no file', () => damaged(cut('/x', 0)), 'path'],
    ['growth by nothing', () => grow('/b', 0), 'byBytes'],
    ['growth of no file', () => damaged(grow('/x', 1)), 'path'],
    ['a swap with nothing', () => damaged(swap('/a', '/x')), 'path'],
    ['a swap with itself', () => swap('/a', '/a'), 'two'],
    ['a copy of nothing', () => damaged(duplicate('/x', '/y')), 'path'],
    ['a copy onto itself', () => duplicate('/a', '/a'), 'as'],
    ['nothing removed', () => damaged(remove('/x')), 'path'],
    [
      'a misdirected range that is not there',
      () => damaged(misdirect({ path: '/b', from: 2, length: 2 }, { path: '/a', from: 0 })),
      'source',
    ],
    [
      'a misdirected range without a place',
      () => damaged(misdirect({ path: '/b', from: 0, length: 3 }, { path: '/a', from: 4 })),
      'target',
    ],
    ['rot of nothing', () => rot(seededRandom(1), 0), 'count'],
    ['rot of more than there is', () => damaged(rot(seededRandom(1), 73)), 'count'],
    [
      'a second damage that has nothing left',
      () => damaged(both(remove('/a'), flip('/a', 0))),
      'path',
    ],
  ])('%s is BAD_REQUEST', (_, run, path) => {
    let error: unknown;
    try {
      run();
    } catch (thrown) {
      error = thrown;
    }
    expect(isStoreError(error, 'BAD_REQUEST') && error.details.path).toBe(path);
  });

  test('a simulated disk takes it for durable: no power cut brings back what was there', () => {
    const disk = SimDisk.of(FILES(), ['/']).damaged(both(flip('/a', 0), remove('/b')));
    expect(lists(disk.files())).toEqual({ '/a': [0, 2, 3, 4, 5, 6], '/empty': [] });
    expect(lists(disk.crash(0, () => false).files())).toEqual(lists(disk.files()));
  });
});
