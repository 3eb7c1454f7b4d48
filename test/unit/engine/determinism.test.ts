/** The same seed, clock and calls give the same bytes on the disk (D-12): nothing in them comes from the machine, the time or chance. */
import { describe, expect, test, vi } from 'vitest';
import { openStore, type Durability, type Store } from 'pawl';
import { seededRandom } from '../../../src/base/random.ts';
import type { Thread } from '../../../src/base/thread.ts';
import { SimDisk } from 'pawl/testing';
import { manualClock } from './cases/contract.ts';
import { seededChoices } from '../../sim/choices.ts';
import { History, RETENTION } from './histories.ts';
import { imageOf, stateOf } from './store-state.ts';

// Turns as they are; no timer ever fires and no time passes: both are the machine's, not the store's.
vi.mock('../../../src/base/thread.ts', async (original) => {
  const { nodeThread } = await original<{ nodeThread: Thread }>();
  return { nodeThread: { ...nodeThread, monotonicMs: () => 0, delay: () => () => undefined } };
});

interface Run {
  readonly files: ReadonlyMap<string, string>;
  readonly image: unknown;
}

async function run(seed: number, durability: Durability): Promise<Run> {
  const disk = SimDisk.of();
  const clock = manualClock();
  const random = seededRandom(seed);
  const history = new History(seededChoices(seed), clock);
  let image: unknown;
  for (const commands of [300, 0, 250]) {
    const store: Store = await openStore('/db', {
      ...RETENTION,
      fileIo: disk.fileIo,
      clock,
      random,
      durability,
      segmentBytes: 8192,
    });
    await history.run(store, commands);
    image = imageOf(stateOf(store));
    await store.close();
  }
  const files = new Map(
    [...disk.files()].map(([path, bytes]) => [path, Buffer.from(bytes).toString('base64')]),
  );
  return { files, image };
}

describe('determinism', () => {
  test.each<Durability>(['always', 'os', { everyRecords: 7 }])(
    'D-12 the same seed gives the same files, byte for byte, another one others: level %j',
    async (durability) => {
      const [one, same, other] = [
        await run(1, durability),
        await run(1, durability),
        await run(2, durability),
      ];
      expect([...one.files.keys()]).toEqual([...same.files.keys()]);
      expect(one.files.size).toBeGreaterThan(3);
      for (const [path, bytes] of one.files)
        expect([path, bytes === same.files.get(path)]).toEqual([path, true]);
      expect(same.image).toEqual(one.image);
      expect(other.files).not.toEqual(one.files);
    },
  );
});
