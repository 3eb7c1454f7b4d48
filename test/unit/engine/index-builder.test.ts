/** IDX-1: an index that is declared later is built behind the writers, in slices, and is right at every moment. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore, type Store } from 'pawl';
import { describe, expect, it } from 'vitest';
import { checkIndexes } from '../../../src/indexes/check-indexes.ts';
import { stateOf } from './store-state.ts';

const COUNT = 6000;

function machine(indexes: readonly string[]) {
  return {
    name: 'thing',
    version: 1,
    states: ['new', 'busy'],
    initial: 'new',
    transitions: [{ from: ['new', 'busy'], event: 'GO', to: 'busy' }],
    indexes,
  };
}

async function filled(): Promise<Store> {
  const store = await openStore(':memory:');
  await store.machines.put(machine([]));
  const creates = Array.from({ length: COUNT }, (_, i) =>
    store.instances.create({ machine: 'thing', id: `t${i}`, context: { n: i % 10, at: { x: i } } }),
  );
  await Promise.all(creates);
  return store;
}

function faultsOf(store: Store): unknown {
  const steps = checkIndexes(stateOf(store));
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

function isComplete(store: Store): boolean {
  return (store.stats()['indexes'] as { complete: boolean }).complete;
}

describe('IDX-1: an index declared later', () => {
  it('is built without a query, while others write', async () => {
    const store = await filled();
    await store.machines.put(machine(['n', 'at.x']));
    const writes: Promise<unknown>[] = [];
    let wasIncomplete = false;
    for (let i = 0; !isComplete(store) || i < 50; i++) {
      wasIncomplete ||= !isComplete(store);
      const id = `t${(i * 7919) % COUNT}`;
      writes.push(store.instances.apply(id, 'GO', { n: 100 + i, at: { x: -i } }));
      if (i % 10 === 3) writes.push(store.instances.delete(`t${(i * 31 + 1) % COUNT}`));
      if (i % 10 === 5)
        writes.push(store.instances.create({ machine: 'thing', id: `new${i}`, context: { n: 1 } }));
      if (i % 3 === 0) await sleep(0);
    }
    expect(wasIncomplete).toBe(true);
    await Promise.allSettled(writes);
    expect(faultsOf(store)).toEqual([]);
    await store.close();
  });

  it('answers a query at once, wherever the build stands', async () => {
    const store = await filled();
    await store.machines.put(machine(['n']));
    expect(store.instances.count({ machine: 'thing', where: { n: 3 } })).toBe(COUNT / 10);
    expect(isComplete(store)).toBe(true);
    await store.close();
  });

  it('can be taken away and declared again', async () => {
    const store = await filled();
    for (const indexes of [['n'], [], ['at.x', 'n'], ['at.x']]) {
      await store.machines.put(machine(indexes));
      await store.instances.apply('t5', 'GO', { n: indexes.length, at: { x: 7 } });
      expect(faultsOf(store)).toEqual([]);
    }
    const find = (): unknown =>
      store.instances.find({ machine: 'thing', where: { n: 1 }, allowScan: false });
    expect(find).toThrow(/no index/);
    await store.close();
  });

  it('stops with the store', async () => {
    const store = await filled();
    await store.machines.put(machine(['n', 'at.x']));
    const { indexes } = stateOf(store);
    await store.close();
    const isDone = indexes.isComplete;
    await sleep(20);
    // Had it been done before, this would prove nothing; it takes several slices.
    expect(indexes.isComplete).toBe(isDone);
  });
});
