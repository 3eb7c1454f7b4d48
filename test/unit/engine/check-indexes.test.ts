/** IDX-3: the check that proves indexes equal to the rows finds each kind of fault. */
import { describe, expect, it } from 'vitest';
import { checkIndexes } from '../../../src/indexes/check-indexes.ts';
import { ROW } from '../../../src/instance/row.ts';
import { Trial } from './query-trial.ts';
import { stateOf } from './store-state.ts';

async function trial(): Promise<Trial> {
  const made = new Trial(3);
  await made.open();
  await made.store.machines.put({
    name: 'other',
    version: 1,
    states: ['on', 'off'],
    initial: 'on',
    transitions: [{ from: 'on', event: 'FLIP', to: 'off' }],
    indexes: ['n', 'tags'],
  });
  for (let i = 0; i < 20; i++)
    await made.store.instances.create({
      machine: 'other',
      id: `o${i}`,
      context: { n: i, tags: ['a', `t${i}`] },
    });
  return made;
}

function faultsOf(made: Trial): string[] {
  const steps = checkIndexes(stateOf(made.store));
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value.map((fault) => fault.reason);
}

describe('IDX-3: the check of indexes', () => {
  it('finds nothing wrong with indexes that are right', async () => {
    expect(faultsOf(await trial())).toEqual([]);
  });

  it('finds a row that left the list of its state', async () => {
    const made = await trial();
    const { instances } = stateOf(made.store);
    const handle = instances.ids.get('o7');
    instances.segment(handle).u32[handle * ROW.u32 + ROW.previous] = handle;
    expect(faultsOf(made).join()).toMatch(/list of its state/);
  });

  it('finds a state that changed beside the lists', async () => {
    const made = await trial();
    const { instances } = stateOf(made.store);
    const handle = instances.ids.get('o7');
    instances.segment(handle).u16[handle * ROW.u16 + ROW.state] = 1;
    expect(faultsOf(made).join()).toMatch(/list of its state/);
  });

  it('finds a value that is not the one of the context, and one of a row that is gone', async () => {
    const made = await trial();
    const { instances, indexes, machines } = stateOf(made.store);
    const group = machines.group('other');
    const index = group && indexes.pathsOf(group, 0)?.find('n');
    const [from, to] = ['o3', 'o4'].map((id) => instances.ids.get(id)) as [number, number];
    instances.contexts.locate(from);
    index?.set(to, instances.contexts.bytes, instances.contexts.start);
    expect(faultsOf(made)).toEqual(['index n does not hold what its context says']);
    instances.contexts.locate(to);
    index?.set(to, instances.contexts.bytes, instances.contexts.start);
    expect(faultsOf(made)).toEqual([]);
    await made.store.instances.delete('o3');
    instances.contexts.locate(from);
    index?.set(from, instances.contexts.bytes, instances.contexts.start);
    expect(faultsOf(made)).toEqual(['it is gone and still in an index']);
  });

  it('finds elements of a list that are missing', async () => {
    const made = await trial();
    const { instances, indexes, machines } = stateOf(made.store);
    const group = machines.group('other');
    const index = group && indexes.pathsOf(group, 0)?.find('tags');
    const [from, to] = ['o3', 'o4'].map((id) => instances.ids.get(id)) as [number, number];
    instances.contexts.locate(from);
    index?.set(to, instances.contexts.bytes, instances.contexts.start);
    expect(faultsOf(made)).toEqual(['index tags does not hold what its context says']);
  });
});

describe('IDX-3: store.verify()', () => {
  it('says which instance the indexes do not agree with', async () => {
    const made = await trial();
    expect((await made.store.verify()).ok).toBe(true);
    const { instances } = stateOf(made.store);
    const handle = instances.ids.get('o7');
    instances.segment(handle).u16[handle * ROW.u16 + ROW.state] = 1;
    const { ok, problems } = await made.store.verify();
    expect(ok).toBe(false);
    expect(problems[0]).toMatchObject({ code: 'INTERNAL_ERROR' });
    expect(problems.map((one) => one.message).join()).toContain('"o7"');
  });
});
