/** Sends a command of the fault tests to a store. */
import type { Store } from 'pawl';
import { type Change, type Command, DOOR } from './commands.ts';

/** Was anything written? Otherwise it was there already, or is the first result of a key. */
export async function send(store: Store, command: Command): Promise<boolean> {
  const { key, durable } = command;
  const options = {
    ...(key === undefined ? {} : { idempotencyKey: key }),
    ...(durable === undefined ? {} : { durable }),
  };
  const { changes } = command;
  if (command.as === 'put') {
    return (await store.machines.put(DOOR, options)).created;
  }
  if (command.as === 'single') return sendOne(store, changes[0] as Change, options);
  if (command.as === 'batch') {
    const list = changes.map((change) =>
      change.op === 'create' ? { ...change, machine: 'door' } : change,
    );
    const results = await store.batch(list, options);
    return results.some((one) => one.applied);
  }
  const { applied } = await store.transaction((tx) => {
    for (const change of changes) {
      const { id } = change;
      if (change.op === 'create')
        tx.instances.create({ machine: 'door', id, context: change.context });
      else if (change.op === 'apply') tx.instances.apply(id, change.event, change.payload);
      else tx.instances.delete(id);
    }
    return changes.length;
  }, options);
  return applied;
}

async function sendOne(store: Store, change: Change, options: object): Promise<boolean> {
  const { instances } = store;
  if (change.op === 'create') {
    const { id, context } = change;
    return (await instances.create({ machine: 'door', id, context, ...options })).applied;
  }
  if (change.op === 'apply')
    return (await instances.apply(change.id, change.event, change.payload, options)).applied;
  return (await instances.delete(change.id, options)).applied;
}
