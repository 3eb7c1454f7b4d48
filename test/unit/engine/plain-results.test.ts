/** What a create answers is plain data: it may be wrapped, compared, copied and stored like any other. */
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { openStore } from 'pawl';
import { DOOR } from './cases/contract.ts';

test('INS-1 what a create answers is plain data, with the context its record left', async () => {
  const store = await openStore(':memory:');
  await store.machines.put(DOOR);
  const context = { n: 1, list: ['a'] };
  const creating = store.instances.create({ machine: 'door', id: 'a', context });
  const event = DOOR.transitions[0]?.event ?? '';
  void store.instances.apply('a', event, { n: 2 });
  const created = await creating;
  await store.flush();
  expect(Object.getPrototypeOf(created)).toBe(Object.prototype);
  expect(isDeepStrictEqual(created, { ...created })).toBe(true);
  for (const one of [created, new Proxy(created, {}), structuredClone(created)])
    expect(one.context).toEqual(context);
  const stored = await store.instances.create({ machine: 'door', id: 'b', context: { created } });
  expect(stored.context).toEqual({ created });
  await store.close();
});
