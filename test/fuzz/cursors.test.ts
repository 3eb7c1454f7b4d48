/** Page cursors under fuzz: a cursor is one this store gave for this query, or BAD_REQUEST; whatever it says, a page follows from it. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { crc32c } from '../../src/base/crc32c.ts';
import { openStore } from '../../src/index.ts';
import { type CursorPosition, decodeCursor, encodeCursor } from '../../src/query/cursor.ts';
import { FUZZ_TIMEOUT_MS, allowed, checkFuzzed } from './fuzz.ts';
import { type Mutation, mutateBytes, one } from './mutate.ts';

const IDENTITY = 'of-this-query';
const IDS = ['a', 'id with spaces', 'ключ', '😀', '.', '1.x.y', '\n', 'x'.repeat(1024)];
const VALUES = [undefined, null, 0, -1.5, 2n ** 60n, 'text', true];
const CHECKSUM_BYTES = 4;
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

function cursorOf(identity: string, id: string, value: CursorPosition['value']): Uint8Array {
  return bytesOf(encodeCursor(identity, { firstOffset: 7, direction: 'asc', value, id }));
}

/** Half the time it is what a cursor stands for that is damaged, and sealed and encoded again. */
const inside: Mutation = (choose, input, other) => {
  if (choose(3) === 0) return mutateBytes(choose, input, other);
  const said = (cursor: Uint8Array): Uint8Array =>
    new Uint8Array(Buffer.from(Buffer.from(cursor).toString('latin1'), 'base64url')).subarray(
      CHECKSUM_BYTES,
    );
  const damaged = mutateBytes(choose, said(input), said(other));
  const sealed = Buffer.alloc(CHECKSUM_BYTES + damaged.length);
  sealed.writeUInt32LE(crc32c(damaged, 0, damaged.length));
  sealed.set(damaged, CHECKSUM_BYTES);
  return bytesOf(sealed.toString(one(choose, ['base64url', 'base64url', 'base64'] as const)));
};

test(
  'TST-4 F-71 F-75 any text is a cursor of this query, the same again, or BAD_REQUEST',
  async () => {
    const run = (input: Uint8Array): string => {
      const text = Buffer.from(input).toString('latin1');
      let position: CursorPosition;
      try {
        position = decodeCursor(text, IDENTITY);
      } catch (error) {
        const words = allowed(error, ['BAD_REQUEST']);
        assert.equal((error as { details?: { path?: unknown } }).details?.path, 'cursor');
        return words;
      }
      assert(Buffer.from(text, 'base64url').toString('utf8').includes(IDENTITY));
      assert.deepEqual(decodeCursor(encodeCursor(IDENTITY, position), IDENTITY), position);
      return 'cursor';
    };
    for (const notText of [undefined, null, 7, {}, [], ['a'], 1n, Symbol('x'), () => 'x'])
      assert.throws(() => decodeCursor(notText, IDENTITY), { code: 'BAD_REQUEST' });
    const seeds = IDS.map((id, i) => cursorOf(IDENTITY, id, VALUES[i % VALUES.length]));
    await checkFuzzed({ name: 'cursor', runs: 3000, seeds, run, mutate: inside, maxBytes: 4096 });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  'TST-4 F-71 a query with any cursor gives what lies behind the id it names, or BAD_REQUEST',
  async () => {
    const store = await openStore(':memory:');
    await store.machines.put({
      name: 'door',
      version: 1,
      states: ['s'],
      initial: 's',
      transitions: [],
    });
    for (const id of IDS) await store.instances.create({ machine: 'door', id });
    const order = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
    const ids = IDS.toSorted(order);
    const { cursor: first = '' } = store.instances.find({ limit: 1 });
    const said = Buffer.from(first, 'base64url').subarray(CHECKSUM_BYTES).toString();
    const identity = (JSON.parse(said) as unknown[])[1] as string;
    const run = (input: Uint8Array): string => {
      const cursor = Buffer.from(input).toString('latin1');
      let after: CursorPosition;
      try {
        after = decodeCursor(cursor, identity);
      } catch (error) {
        allowed(error, ['BAD_REQUEST']);
        assert.throws(() => store.instances.find({ cursor }), { code: 'BAD_REQUEST' });
        return 'refused';
      }
      const { items } = store.instances.find({ cursor });
      // In id order there is no other sort value; a cursor forged to have one lies before or behind all.
      if (after.value === undefined && after.direction === 'asc') {
        assert.deepEqual(
          items.map(({ id }) => id),
          ids.filter((id) => order(id, after.id) > 0),
        );
      }
      return `${items.length} behind`;
    };
    const seeds = IDS.map((id) => cursorOf(identity, id, undefined));
    await checkFuzzed({ name: 'page', runs: 800, seeds, run, mutate: inside, maxBytes: 4096 });
    await store.close();
  },
  FUZZ_TIMEOUT_MS,
);
