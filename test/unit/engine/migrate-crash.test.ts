/**
 * A migration that dies anywhere: every instance is wholly of the one version or wholly of the
 * other, and the same call, made again, moves the rest, each instance once.
 */
import { expect, test } from 'vitest';
import type { Instance, MachineDefinition, MigrationPlan, ReadStore } from 'pawl';
import { checkCrashes } from 'pawl/testing';
import { DOOR } from './cases/contract.ts';

const COUNT = 9;
/** So large that a commit holds three instances. */
const LARGE: string = 'x'.repeat(100_000);
const DOOR_2: MachineDefinition = {
  ...DOOR,
  version: 2,
  states: ['ajar', 'shut'],
  initial: 'ajar',
  transitions: [{ from: 'ajar', event: 'PUSH', to: 'shut' }],
};
const PLAN: MigrationPlan = {
  machine: 'door',
  fromVersion: 1,
  toVersion: 2,
  map: ({ state, context }) => ({
    state: state === 'open' ? 'ajar' : state,
    context: { ...context, runs: ((context['runs'] as number | undefined) ?? 0) + 1 },
  }),
};

function checkWhole({ id, version, state, context }: Instance): void {
  const n = Number(id.slice(2));
  const wasPushed = n % 3 === 0;
  const expected =
    version === 1
      ? { state: wasPushed ? 'shut' : 'open', context: { n, large: LARGE } }
      : { state: wasPushed ? 'shut' : 'ajar', context: { n, large: LARGE, runs: 1 } };
  expect({ state, context }).toEqual(expected);
}

function checkAll(store: ReadStore): void {
  for (const instance of store.instances.iterate()) checkWhole(instance);
}

test('a migration that is cut off leaves whole instances, and goes on when it is called again', async () => {
  let mixed = 0;
  const report = await checkCrashes<'made' | 'migrated'>({
    async workload({ open, tell, life }) {
      const store = await open();
      await store.machines.put(DOOR);
      await store.machines.put(DOOR_2);
      // Only the first life makes instances: those of a life cut short are as many as there are.
      const count = life === 0 ? COUNT : 0;
      for (let n = 0; n < count; n++) {
        const context = { n, large: LARGE };
        await store.instances.create({ machine: 'door', version: 1, id: `d-${n}`, context });
        if (n % 3 === 0) await store.instances.apply(`d-${n}`, 'PUSH');
      }
      if (life === 0) tell('made');
      await store.instances.migrate(PLAN);
      tell('migrated');
    },
    async oracle({ open, told }) {
      const store = await open();
      const all = [...store.instances.iterate()];
      if (told.includes('made')) {
        expect(all.length).toBe(COUNT);
        checkAll(store);
        const moved = store.instances.count({ version: 2 });
        if (moved > 0 && moved < COUNT) mixed++;
      }
      if (!told.includes('migrated')) return;
      expect(store.instances.count({ version: 1 })).toBe(0);
    },
    lives: 2,
    runs: 400,
    seed: 4,
  });
  expect(report.runs).toBe(400);
  // It was cut off between its commits too.
  expect(mixed).toBeGreaterThan(10);
});
