/** Ids of all kinds: GEN-6, F-73, F-77. */
import { describe, expect, test } from 'vitest';
import { DOOR, expectRefused, type Open, seen, withDoor, withOneDoor } from './contract.ts';

const LONGEST = 'x'.repeat(1024);
const ODD_IDS: readonly string[] = [
  '.',
  '..',
  '/',
  '../../etc/passwd',
  'a/b',
  'a_b',
  'a',
  'a:b',
  'b',
  '\0',
  'a\0',
  'a\0b',
  ' ',
  '\n',
  'CON',
  'con',
  'Con',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '0',
  '-0',
  '1e3',
  'NaN',
  'null',
  'undefined',
  'é',
  'e\u0301',
  'ß',
  'ẞ',
  '\u200b',
  '\ufeff',
  '\ufffd',
  '\uffff',
  '😀',
  '👩‍👩‍👧',
  '\u{10ffff}',
  'а',
  'Ａ',
  '\u202e',
  LONGEST,
  `${LONGEST.slice(1)}y`,
  'é'.repeat(512),
  '😀'.repeat(256),
  `${'😀'.repeat(255)}abcd`,
];
const BAD_IDS: readonly unknown[] = [
  '',
  `${LONGEST}x`,
  'é'.repeat(513),
  '😀'.repeat(257),
  '\ud800',
  'a\udc00b',
  '\udc00\ud800',
  'x'.repeat(2 ** 20),
  5,
  null,
  {},
  [],
  ['a'],
  true,
  1n,
  new String('a'),
  { toString: (): string => 'a' },
];

export function idCases(open: Open): void {
  describe('ids', () => {
    test('GEN-6 every id is kept apart from every other, and comes back as it went in', async () => {
      const store = await withDoor(open);
      await Promise.all(
        ODD_IDS.map((id, i) => store.instances.create({ machine: 'door', id, context: { i } })),
      );
      for (const [i, id] of ODD_IDS.entries()) {
        expect(seen(store, id)).toMatchObject({ id, context: { i } });
        await store.instances.apply(id, 'PUSH', { pushed: i }, { idempotencyKey: id, eventId: id });
      }
      for (const [i, id] of ODD_IDS.entries()) {
        expect(seen(store, id)).toMatchObject({ id, lastEventId: id, context: { i, pushed: i } });
      }
      const listed = store.instances.find({ limit: 1000 }).items.map((one) => one.id);
      expect(listed).toEqual(
        ODD_IDS.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      );
      for (const id of ODD_IDS) await store.instances.delete(id);
      expect(store.instances.count()).toBe(0);
    });

    test('GEN-6 an id that is none is refused on every way in', async () => {
      const store = await withOneDoor(open);
      for (const id of BAD_IDS as string[]) {
        const calls: readonly (() => unknown)[] = [
          () => store.instances.create({ machine: 'door', id }),
          () => store.instances.apply(id, 'PUSH'),
          () => store.instances.delete(id),
          () => store.transaction((tx) => void tx.instances.create({ machine: 'door', id })),
          () => store.transaction((tx) => void tx.instances.apply(id, 'PUSH')),
          () => store.transaction((tx) => tx.instances.delete(id)),
          () => store.batch([{ op: 'create', machine: 'door', id }]),
          () => store.batch([{ op: 'apply', id, event: 'PUSH' }]),
        ];
        for (const call of calls) {
          const error = await expectRefused(store, 'BAD_REQUEST', call);
          expect(error.details).toMatchObject({ path: 'id' });
        }
      }
    });

    test('GEN-6 reading text that is no id finds nothing', async () => {
      const store = await withOneDoor(open, '\ufffd');
      for (const id of BAD_IDS.filter((one) => typeof one === 'string')) {
        expect(store.instances.get(id)).toBeUndefined();
        expect(store.instances.can(id, 'PUSH')).toBe(false);
        expect(store.instances.permitted(id)).toEqual([]);
        expect(store.instances.explain(id, 'PUSH')).toEqual({
          outcome: 'not-found',
          deleted: false,
        });
      }
    });

    test('GEN-6 a lone surrogate does not meet the character that stands for it', async () => {
      const store = await withOneDoor(open, '\ufffd');
      for (const id of ['\ud800', '\udfff']) {
        await expectRefused(store, 'BAD_REQUEST', () => store.instances.apply(id, 'PUSH'));
        await expectRefused(store, 'BAD_REQUEST', () => store.instances.delete(id));
        await store.transaction((tx) => expect(tx.instances.get(id)).toBeUndefined());
      }
    });

    test('GEN-6 F-73 names of machines, states and events are as free as ids', async () => {
      const store = await open();
      for (const [i, odd] of ODD_IDS.entries()) {
        const next = `${i}`.padStart(3, '-');
        const transitions = [{ from: odd, event: odd, to: next }];
        await store.machines.put({
          name: odd,
          version: 1,
          states: [odd, next],
          initial: odd,
          transitions,
        });
        const { id } = await store.instances.create({ machine: odd });
        expect(store.instances.permitted(id)).toEqual([odd]);
        expect(await store.instances.apply(id, odd)).toMatchObject({
          machine: odd,
          event: odd,
          from: odd,
          to: next,
        });
        expect(store.instances.count({ machine: odd, state: next })).toBe(1);
      }
      expect(store.machines.list()).toHaveLength(ODD_IDS.length);
      for (const event of ['__proto__', 'constructor', 'toString']) {
        await store.machines.put(DOOR);
        const { id } = await store.instances.create({ machine: 'door' });
        await expectRefused(store, 'INVALID_TRANSITION', () => store.instances.apply(id, event));
      }
    });
  });
}
