/** The store of the worked example in docs/format.md: the same bytes every time. */
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/index.ts';
import { systemClock } from '../../src/base/clock.ts';
import { seededRandom } from '../../src/base/random.ts';

/** Content by file name, as a clean close leaves it. */
export async function makeExample(): Promise<Map<string, Uint8Array>> {
  const directory = await mkdtemp(join(tmpdir(), 'pawl-example-'));
  try {
    const store = await openStore(directory, {
      clock: { ...systemClock, now: () => 1_800_000_000_000 },
      random: seededRandom(1),
      segmentBytes: 4096,
    });
    // In one turn, so that all of it goes into one frame.
    const all = [
      store.machines.put({
        name: 'lamp',
        version: 1,
        states: ['off', 'on'],
        initial: 'off',
        transitions: [{ from: 'off', event: 'PRESS', to: 'on' }],
      }),
      store.transaction((tx) => {
        tx.instances.create({ machine: 'lamp', id: 'hall', context: { watts: 40 } });
        tx.instances.create({ machine: 'lamp', id: 'attic' });
      }),
      store.instances.apply(
        'hall',
        'PRESS',
        { watts: 60, by: 'ada' },
        { idempotencyKey: 'k1', eventId: 'e1' },
      ),
    ];
    await Promise.all<unknown>(all);
    await store.close();
    const files = new Map<string, Uint8Array>();
    for (const name of (await readdir(directory)).sort()) {
      files.set(name, new Uint8Array(await readFile(join(directory, name))));
    }
    return files;
  } finally {
    await rm(directory, { recursive: true });
  }
}
