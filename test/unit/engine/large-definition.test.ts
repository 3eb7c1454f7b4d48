/**
 * Found by review. A definition is measured as it is written; the log holds its normal form, which
 * may be larger. Recovery measured that again, and a store that had taken a definition near the limit
 * was CORRUPT when it was opened next.
 */
import { expect, it } from 'vitest';
import { openStore, type MachineDefinition } from 'pawl';
import { SimDisk } from 'pawl/testing';

it('F-0b a definition as large as is taken is there after reopening, frozen at every level', async () => {
  const rules = 60_000;
  const definition: MachineDefinition = {
    name: 'large',
    version: 1,
    states: ['a', 'b'],
    initial: 'a',
    transitions: Array.from({ length: rules }, (_, i) => ({ from: 'a', event: `E${i}`, to: 'b' })),
    meta: { ones: Array.from({ length: 800_000 }, () => 1) },
  };
  const disk = SimDisk.of();
  const store = await openStore('/db', { fileIo: disk.fileIo });
  await store.machines.put(definition);
  await store.instances.create({ machine: 'large', id: 'one' });
  await store.close();
  const again = await openStore('/db', { fileIo: disk.fileIo });
  expect(again.instances.get('one')?.state).toBe('a');
  const found = again.machines.get('large', 1);
  expect(found?.transitions.length).toBe(rules);
  expect(Object.isFrozen(found?.transitions[0]?.from)).toBe(true);
  expect(Object.isFrozen(found?.meta?.['ones'])).toBe(true);
  await again.close();
});
