/**
 * Damage after a clean close that went unnoticed. A process wrote, its last frame got its mark, and it
 * died; the next one opened the store, wrote nothing, and closed it. The manifest was left as it was,
 * so that nothing but the mark vouched for the last frame: when both were damaged at once, the store
 * opened without them and said nothing. Found by the store campaign.
 */
import { expect, it } from 'vitest';
import { openStore } from '../../src/index.ts';
import { SimDisk } from '../../src/testing/sim-disk.ts';
import { DiskImage } from '../../src/testing/sim-image.ts';
import { Simulation } from '../../src/testing/simulation.ts';

const MARK_WRITTEN_MS = 100;
const SEGMENT = '/db/00000001.wal';

it('a store that was opened, not written to and closed vouches for everything', async () => {
  const simulation = new Simulation({ seed: 1 });
  const { disk, scheduler } = simulation;
  const open = () => openStore('/db', { ...simulation.ports, fileIo: disk.fileIo });
  const store = await open();
  await store.machines.put({
    name: 'm',
    version: 1,
    states: ['on'],
    initial: 'on',
    transitions: [],
  });
  const end = disk
    .files()
    .get(SEGMENT)
    ?.findLastIndex((byte) => byte !== 0) as number;
  await store.instances.create({ machine: 'm', id: 'last' });
  await new Promise<void>((resolve) => void scheduler.after(MARK_WRITTEN_MS, resolve));
  disk.nextProcess();
  const next = await open();
  await next.close();

  const files = disk.files();
  files.get(SEGMENT)?.fill(0, end + 1);
  const damaged = new SimDisk(DiskImage.of(files, disk.image.directories));
  const opening = openStore('/db', { ...simulation.ports, fileIo: damaged.fileIo });
  await expect(opening).rejects.toMatchObject({ code: 'CORRUPT' });
  simulation.stop();
});
