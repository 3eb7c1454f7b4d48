/**
 * F-13: a process that dies again and again at the same call of its life, while it opens a store,
 * takes snapshots and drops log: what lies on the disk does not grow, nothing is lost, and the next
 * one that lives cleans up (F-10, F-11).
 */
import { describe, expect, it } from 'vitest';
import type { StoreOptions } from '../../src/engine/api/store.ts';
import { openStore } from '../../src/index.ts';
import { SimDisk } from '../../src/testing/sim-disk.ts';
import { Simulation } from '../../src/testing/simulation.ts';
import { memoryOf } from './view.ts';
import { checkCompacted, checkSnapshotFiles, namesIn } from './snapshot-files.ts';

const OPTIONS: StoreOptions = { segmentBytes: 4096, snapshotInterval: 7, keepSnapshots: 2 };
const DEATHS = 8;
const DOOR = {
  name: 'door',
  version: 1,
  states: ['open'],
  initial: 'open',
  transitions: [{ from: 'open', event: 'PUSH', to: 'open' }],
};

/** A machine with this disk. */
function machineOn(disk: SimDisk | undefined, seed: number): Simulation {
  return new Simulation({ seed, disk });
}

async function settled(machine: Simulation): Promise<void> {
  await new Promise<void>((resolve) => void machine.scheduler.after(1000, resolve));
}

/** Doors that the log cannot hold in one segment, a snapshot among them, and a life that just ends. */
async function firstLife(): Promise<{ disk: SimDisk; memory: string }> {
  const machine = machineOn(undefined, 1);
  const { disk, ports } = machine;
  const store = await openStore('/db', { ...OPTIONS, ...ports });
  await store.machines.put(DOOR);
  for (let n = 0; n < 40; n++)
    await store.instances.create({
      machine: 'door',
      id: `d${n}`,
      context: { text: 'x'.repeat(200) },
    });
  await settled(machine);
  const memory = memoryOf(store);
  machine.stop();
  return { disk, memory };
}

/** Opens, compacts, and dies when so many entries were added to the journal, or comes to the end. */
async function lifeUntil(
  begun: SimDisk,
  entries: number,
): Promise<{ readonly disk: SimDisk; readonly isDone: boolean }> {
  const machine = machineOn(begun, 2);
  const { disk, ports } = machine;
  disk.dieAt = disk.journal.length + entries;
  let isDone = false;
  const life = async (): Promise<void> => {
    const store = await openStore('/db', { ...OPTIONS, ...ports });
    await store.compact({ force: true });
    isDone = true;
  };
  // Nothing returns to who died.
  life().catch(() => undefined);
  await settled(machine);
  machine.stop();
  return { disk: left(disk), isDone };
}

/** As the next process finds it. */
function left(disk: SimDisk): SimDisk {
  const walk = disk.walk();
  walk.advance(disk.journal.length);
  return SimDisk.resumed(walk.killed(), {});
}

describe('dying at the same call again and again', () => {
  it('F-13 F-10 F-11 leaves no more files than the first time', async () => {
    const { disk: begun, memory } = await firstLife();
    let deaths = 0;
    for (let entries = 1, isOver = false; !isOver; entries++) {
      let disk = left(begun);
      const counts: number[] = [];
      for (let death = 0; death < DEATHS; death++) {
        const life = await lifeUntil(disk, entries);
        ({ disk } = life);
        if (death === 0) isOver = life.isDone;
        counts.push(namesIn(disk).length);
        deaths++;
      }
      const growth = Math.max(...counts) - (counts[0] as number);
      // A segment for what has to be written again, and the next one.
      expect([entries, growth <= 2 ? 'some' : growth]).toEqual([entries, 'some']);
      const machine = machineOn(disk, 3);
      const store = await openStore('/db', { ...OPTIONS, ...machine.ports });
      expect([entries, memoryOf(store)]).toEqual([entries, memory]);
      await settled(machine);
      checkSnapshotFiles(store, machine.disk);
      await store.compact();
      await checkCompacted(store, machine.disk);
      expect(namesIn(machine.disk).length).toBeLessThanOrEqual(10);
      machine.stop();
    }
    expect(deaths).toBeGreaterThan(DEATHS * 20);
  }, 300_000);
});
