/**
 * CrashWalk, which folds what is durable as it goes, against a second reading of the same rules
 * that starts from the whole journal at each point and folds nothing.
 */
import fc from 'fast-check';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import type { DiskImage } from '../../../src/testing/sim-image.ts';
import {
  type Effect,
  type Entry,
  isEffect,
  type Survival,
} from '../../../src/testing/sim-journal.ts';
import { SimDisk } from '../../../src/testing/sim-disk.ts';

const NAMES = ['/a', '/b', '/d/a', '/d/b', '/d/e/a'];
const DIRECTORIES = ['/', '/d', '/d/e'];

/** Numbers that choose what is done; which depends on what is there by then. */
type Choice = readonly [kind: number, which: number, other: number, at: number, length: number];
const choices: fc.Arbitrary<Choice[]> = fc.array(
  fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(12), fc.nat(6)),
  { maxLength: 30 },
);

function started(): SimDisk {
  return SimDisk.of(new Map([['/a', Uint8Array.of(1, 2, 3)]]), ['/']);
}

/** Makes one entry of a choice, when there is something to do it with. */
function enter(disk: SimDisk, [kind, which, other, at, length]: Choice): void {
  const { names, directories, contents, nextFile } = disk.image;
  const { journal } = disk;
  const path = NAMES[which % NAMES.length] as string;
  const to = NAMES[other % NAMES.length] as string;
  const file = names.get(path);
  const anyFile = [...contents.keys()][which % contents.size] as number;
  // Most calls are asked for at the end, some were a while ago.
  const before = other < 60 ? journal.length : Math.floor((journal.length * other) / 100);
  const hasPlace = (name: string): boolean => directories.has(dirname(name));
  if (kind < 30) {
    const bytes = Uint8Array.from({ length: length + 1 }, () => journal.length + 10);
    disk.add({ kind: 'write', file: anyFile, at, bytes });
  } else if (kind < 36) disk.add({ kind: 'truncate', file: anyFile, length: at });
  else if (kind < 46) {
    const made = DIRECTORIES[1 + (which % 2)] as string;
    if (!directories.has(made) && hasPlace(made)) disk.add({ kind: 'mkdir', path: made });
    else if (file === undefined && hasPlace(path)) {
      disk.add({ kind: 'create', path, file: nextFile });
      disk.image.content(nextFile);
    }
  } else if (kind < 58) {
    if (file !== undefined && hasPlace(to)) disk.add({ kind: 'rename', path, to, file });
  } else if (kind < 64) {
    if (file !== undefined) disk.add({ kind: 'remove', path, file });
  } else if (kind < 74) journal.push({ kind: 'sync', file: anyFile, before });
  else if (kind < 77) journal.push({ kind: 'sync', file: anyFile, before, failed: true });
  else if (kind < 90)
    journal.push({ kind: 'syncdir', path: DIRECTORIES[which % 3] as string, before });
  else if (kind < 96) {
    const writes = journal.flatMap((entry, i) => (entry.kind === 'write' ? [i] : []));
    const write = writes[which % Math.max(1, writes.length)];
    if (write !== undefined) journal.push({ kind: 'durable', write });
  } else disk.tell(which);
}

function isContent(effect: Effect): effect is Extract<Effect, { kind: 'write' | 'truncate' }> {
  return effect.kind === 'write' || effect.kind === 'truncate';
}

function isDurable(entries: readonly Entry[], index: number): boolean {
  const effect = entries[index] as Effect;
  let isGivenUp = false;
  const missing = new Set<string>();
  if (!isContent(effect)) missing.add(dirname(effect.path));
  if (effect.kind === 'rename') missing.add(dirname(effect.to));
  for (const entry of entries.slice(index + 1)) {
    if (entry.kind === 'durable' && entry.write === index) return true;
    if (
      entry.kind === 'sync' &&
      entry.before > index &&
      isContent(effect) &&
      entry.file === effect.file
    ) {
      if (entry.failed === true) isGivenUp ||= effect.kind === 'write';
      else if (!isGivenUp) return true;
    }
    if (entry.kind === 'syncdir' && entry.before > index && missing.delete(entry.path))
      if (missing.size === 0) return true;
  }
  return false;
}

type Lists = Record<string, number[]>;

/** Replays everything with what is kept of each effect. */
function replayed(
  start: Lists,
  entries: readonly Entry[],
  fate: (index: number) => Survival,
): Lists {
  const names = new Map(Object.keys(start).map((path, file) => [path, file]));
  const contents = Object.values(start).map((bytes) => [...bytes]);
  const directories = new Set(['/']);
  for (const [index, entry] of entries.entries()) {
    if (!isEffect(entry)) continue;
    const kept = fate(index);
    if (kept === 'none') continue;
    if (entry.kind === 'mkdir') directories.add(entry.path);
    else if (entry.kind === 'create') names.set(entry.path, entry.file);
    else if (entry.kind === 'truncate') {
      const bytes = contents[entry.file] ?? [];
      contents[entry.file] = Array.from({ length: entry.length }, (_, i) => bytes[i] ?? 0);
    } else if (entry.kind === 'write') {
      const bytes = [...(contents[entry.file] ?? [])];
      const isWhole = kept === 'whole';
      for (const [i, byte] of isWhole ? entry.bytes.entries() : []) {
        while (bytes.length < entry.at) bytes.push(0);
        bytes[entry.at + i] = byte;
      }
      while (bytes.length < entry.at + entry.bytes.length) bytes.push(0);
      contents[entry.file] = bytes;
    } else {
      // A name that by then is another file's is not theirs to take.
      if (names.get(entry.path) === entry.file) names.delete(entry.path);
      if (entry.kind === 'rename') names.set(entry.to, entry.file);
    }
  }
  const isThere = (path: string): boolean =>
    path === '/' || (directories.has(path) && isThere(dirname(path)));
  return Object.fromEntries(
    [...names]
      .filter(([path]) => isThere(dirname(path)))
      .map(([path, file]) => [path, contents[file] ?? []]),
  );
}

function listsOf(image: DiskImage): Lists {
  return Object.fromEntries([...image.files()].map(([path, bytes]) => [path, [...bytes]]));
}

/** A fate for each effect in doubt; the same for the same seed. */
function fates(seed: number): (index: number) => Survival {
  const all = ['none', 'whole', 'length', 'none', 'whole'] as const;
  return (index) => all[(Math.imul(seed + index * 7919 + 1, 0x9e3779b1) >>> 29) & 7] ?? 'whole';
}

const none = (): Survival => 'none';
const whole = (): Survival => 'whole';

test('TST-2, F-2, F-3 a walk step by step knows what the whole journal says at each point', () => {
  fc.assert(
    fc.property(choices, fc.nat(1000), (made, seed) => {
      const disk = started();
      for (const choice of made) enter(disk, choice);
      const start = listsOf(disk.start);
      const walk = disk.walk();
      for (let point = 0; point <= disk.journal.length; point++) {
        walk.advance(point);
        const entries = disk.journal.slice(0, point);
        const undecided = entries.flatMap((entry, i) =>
          isEffect(entry) && !isDurable(entries, i) ? [i] : [],
        );
        expect(walk.undecided).toEqual(undecided);
        for (const keep of [none, whole, fates(seed), fates(seed + 1)]) {
          const fate = (index: number): Survival =>
            undecided.includes(index) ? keep(index) : 'whole';
          expect(listsOf(walk.cut(keep))).toEqual(replayed(start, entries, fate));
        }
        expect(listsOf(walk.cut(() => 'whole'))).toEqual(
          listsOf(disk.crash(point, () => true).image),
        );
      }
      expect(listsOf(disk.image)).toEqual(replayed(start, disk.journal, () => 'whole'));
    }),
    { numRuns: 600 },
  );
});

test('F-1, F-15 a killed process leaves the files as they were seen, and in doubt what was: the same cuts are possible', () => {
  fc.assert(
    fc.property(choices, fc.nat(1000), fc.nat(100), (made, seed, part) => {
      const disk = started();
      for (const choice of made) enter(disk, choice);
      const point = Math.floor((disk.journal.length * part) / 100);
      const walk = disk.walk();
      walk.advance(point);
      const next = disk.kill(point);
      const seen = SimDisk.resumed(
        { image: disk.start, journal: disk.journal.slice(0, point) },
        {},
      );
      expect(listsOf(next.image)).toEqual(listsOf(seen.image));
      const later = next.walk();
      later.advance(next.journal.length);
      expect(later.undecided.length).toBe(walk.undecided.length);
      // The n-th effect in doubt here is the n-th there.
      const keep = fates(seed);
      const chosen = walk.undecided.map((index) => keep(index));
      const kept = new Map(later.undecided.map((index, i) => [index, chosen[i] as Survival]));
      expect(listsOf(later.cut((index) => kept.get(index) as Survival))).toEqual(
        listsOf(walk.cut(keep)),
      );
      // What the next process syncs is as durable as what it wrote itself, but for what was given up.
      for (const file of next.image.contents.keys())
        next.journal.push({ kind: 'sync', file, before: next.journal.length });
      for (const path of DIRECTORIES)
        next.journal.push({ kind: 'syncdir', path, before: next.journal.length });
      later.advance(next.journal.length);
      const entries = disk.journal.slice(0, point);
      const givenUp = walk.undecided.filter((index) => hasFailed(entries, index));
      expect(later.undecided.length).toBe(givenUp.length);
    }),
    { numRuns: 400 },
  );
});

/** Did a sync of its file fail that should have met it? */
function hasFailed(entries: readonly Entry[], index: number): boolean {
  const effect = entries[index] as Effect;
  return entries.some(
    (entry, i) =>
      effect.kind === 'write' &&
      i > index &&
      entry.kind === 'sync' &&
      entry.failed === true &&
      entry.before > index &&
      entry.file === effect.file,
  );
}

test('a walk goes forward only, and not beyond the journal', () => {
  const disk = started();
  disk.tell('a');
  disk.tell('b');
  const walk = disk.walk();
  walk.advance(1);
  walk.advance(1);
  for (const length of [0, 3, Number.NaN])
    expect(() => walk.advance(length)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  expect(walk.length).toBe(1);
});
