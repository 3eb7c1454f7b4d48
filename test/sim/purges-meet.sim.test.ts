/**
 * A store that could not be opened again. A key and a deleted instance were both past their time and
 * both in the way of one create, while the purge of an older key was still on its way to the disk. Of
 * the two purges the command needed only the second was logged, and the key was filed twice: the
 * record was in the log, and no fold could apply it. Found by reading beside the model of the
 * store campaign, which finds it too since its commands create again what was deleted.
 */
import { expect, it } from 'vitest';
import { openStore } from '../../src/index.ts';
import { Simulation } from '../../src/testing/simulation.ts';

it('a create that needs a key and an instance purged has both purged', async () => {
  const epochMs = 1_000_000;
  const simulation = new Simulation({ seed: 1, epochMs });
  const { disk, clock } = simulation;
  const at = (timeMs: number): void => clock.jump(epochMs + timeMs - clock.now());
  const open = () =>
    openStore('/db', {
      ...simulation.ports,
      fileIo: disk.fileIo,
      idempotency: { retentionMs: 100 },
      deletedRetentionMs: 100,
    });
  const store = await open();
  const { instances } = store;
  const transitions = [{ from: 'on', event: 'E', to: 'on' }];
  await store.machines.put({ name: 'm', version: 1, states: ['on'], initial: 'on', transitions });
  at(1000);
  await instances.create({ machine: 'm', id: 'x', idempotencyKey: 'older' });
  await instances.create({ machine: 'm', id: 'y' });
  at(1050);
  await instances.delete('y');
  await instances.create({ machine: 'm', id: 'z', idempotencyKey: 'k' });
  at(1120);
  const purging = instances.apply('x', 'E');
  at(1200);
  const again = await instances.create({ machine: 'm', id: 'y', idempotencyKey: 'k' });
  await purging;
  expect(again).toMatchObject({ id: 'y', applied: true });
  expect(store.stats()['idempotency']).toMatchObject({ keys: 1 });
  await store.close();
  disk.nextProcess();
  const reopened = await open();
  expect(reopened.offset).toBe(again.offset);
  expect(reopened.instances.get('y')?.offset).toBe(again.offset);
  await reopened.close();
  simulation.stop();
});
