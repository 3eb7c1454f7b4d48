/**
 * What the contract tests share: how a store is opened, definitions, a clock that stands still,
 * and ways to catch a refusal and to prove that it changed nothing. The cases of this folder take
 * `open`, so that one set of them runs in memory and on files.
 */
import { expect } from 'vitest';
import { isStoreError } from 'pawl';
import type { ErrorCode, Instance, MachineDefinition, Store, StoreError } from 'pawl';
import type { StoreOptions } from 'pawl';

export { manualClock, type ManualClock } from '../../../../src/testing/manual-clock.ts';

/** A new, empty store; whoever passes this in closes it and cleans up. */
export type Open = (options?: StoreOptions) => Promise<Store>;

/** Two states, an event that is always taken, one behind a guard, one that ends it. */
export const DOOR: MachineDefinition = {
  name: 'door',
  version: 1,
  states: ['open', 'shut', 'gone'],
  initial: 'open',
  transitions: [
    { from: ['open', 'shut'], event: 'PUSH', to: 'shut' },
    { from: ['open', 'shut'], event: 'PULL', to: 'open' },
    { from: 'shut', event: 'LOCK', to: 'gone', guard: 'ctx.key == "iron"' },
  ],
};

/** Another machine, to see that the two are kept apart. */
export const LAMP: MachineDefinition = {
  name: 'lamp',
  version: 1,
  states: ['off', 'on'],
  initial: 'off',
  transitions: [
    { from: 'off', event: 'PRESS', to: 'on' },
    { from: 'on', event: 'PRESS', to: 'off' },
  ],
};

/** A store that knows the door. */
export async function withDoor(open: Open, options?: StoreOptions): Promise<Store> {
  const store = await open(options);
  await store.machines.put(DOOR);
  return store;
}

/** A store with one open door called `id`. */
export async function withOneDoor(
  open: Open,
  id: string = 'd',
  options?: StoreOptions,
): Promise<Store> {
  const store = await withDoor(open, options);
  await store.instances.create({ machine: 'door', id });
  return store;
}

/** The StoreError a call ends with, thrown or rejected; anything else is passed on. */
export async function refusalOf(call: () => unknown): Promise<StoreError> {
  let value: unknown;
  try {
    value = await call();
  } catch (error) {
    if (isStoreError(error)) return error;
    throw error;
  }
  throw new Error(`not refused: ${String(value)}`);
}

/** Everything the API shows; `ids` are looked at even when deleted. */
export function contentOf(store: Store, ids: readonly string[] = []): unknown {
  return {
    offset: store.offset,
    machines: store.machines
      .list()
      .map(({ name, versions }) => versions.map((version) => store.machines.get(name, version))),
    instances: [...store.instances.iterate()],
    count: store.instances.count(),
    looked: ids.map((id) => store.instances.get(id, { deleted: true })),
  };
}

/** GEN-1: the call is refused with `code`, and nothing is different afterwards. */
export async function expectRefused(
  store: Store,
  code: ErrorCode,
  call: () => unknown,
  ids: readonly string[] = [],
): Promise<StoreError> {
  await store.flush();
  const before = contentOf(store, ids);
  const error = await refusalOf(call);
  expect(error.code).toBe(code);
  await store.flush();
  expect(contentOf(store, ids)).toEqual(before);
  return error;
}

/** For what must not hang: the result, or an error after far longer than anything here takes. */
export async function settled<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('never settled')), 3000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Notes the names of promises in the order in which they settle. */
export function settlingOrder(): {
  order: string[];
  note: (name: string, promise: Promise<unknown>) => Promise<void>;
} {
  const order: string[] = [];
  const note = (name: string, promise: Promise<unknown>): Promise<void> =>
    promise.then(
      () => void order.push(name),
      () => void order.push(name),
    );
  return { order, note };
}

/** The instance, which must be there. */
export function seen(store: Store, id: string): Instance {
  const instance = store.instances.get(id, { deleted: true });
  if (instance === undefined) throw new Error(`no instance ${id}`);
  return instance;
}

/** An object of `levels` objects inside each other. */
export function nested(levels: number): Record<string, unknown> {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = { in: value };
  return value as Record<string, unknown>;
}
