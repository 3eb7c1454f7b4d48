/** A store to ask questions of. */
import type { Store } from 'pawl';
import { DOOR, LAMP, type Open, withDoor } from './contract.ts';

/** Doors of two versions in three states, and lamps. */
export async function furnished(open: Open): Promise<Store> {
  const store = await withDoor(open);
  await store.machines.put({
    ...DOOR,
    version: 2,
    states: ['new', ...DOOR.states],
    initial: 'new',
    transitions: [...DOOR.transitions, { from: 'new', event: 'PUSH', to: 'shut' }],
  });
  await store.machines.put(LAMP);
  for (let i = 0; i < 60; i++) {
    const id = `${i}`.padStart(2, '0');
    if (i % 3 === 2) await store.instances.create({ machine: 'lamp', id });
    else await store.instances.create({ machine: 'door', version: 1 + (i % 3), id });
    if (i % 2 === 0) await store.instances.apply(id, i % 3 === 2 ? 'PRESS' : 'PUSH');
    if (i % 10 === 0) await store.instances.delete(id);
  }
  return store;
}
