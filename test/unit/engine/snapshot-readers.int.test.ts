/** Readers beside a writer that takes snapshots all the time and drops log behind them: what they find is never half of anything. */
import { describe, expect, test } from 'vitest';
import { openStore, verifyStore, type Store, type StoreOptions } from 'pawl';
import { temporaryStore } from 'pawl/testing';
import { DOOR } from './cases/contract.ts';

const BUSY: StoreOptions = { snapshotInterval: 2, keepSnapshots: 1, segmentBytes: 4096 };
/** Snapshots taken meanwhile, at least. */
const SNAPSHOTS = 30;

function taken(store: Store): number {
  return (store.stats()['snapshots'] as { readonly taken: number }).taken;
}

describe('beside a busy writer', () => {
  test('SNP-2 F-11 opening to read and verifying always find a whole store', async () => {
    await using temporary = await temporaryStore(BUSY);
    const { store, directory } = temporary;
    await store.machines.put(DOOR);
    const life = { isOver: false };
    let made = 0;
    const writing = (async () => {
      for (; !life.isOver; made++) {
        const context = { n: made, text: 'x'.repeat(300) };
        await store.instances.create({ machine: 'door', id: `d${made}`, context });
      }
    })();
    while (taken(store) < SNAPSHOTS) {
      const least = store.offset;
      const reader = await openStore(directory, { readOnly: true });
      const shown = reader.offset - 1;
      // Attested is what a reader of a living writer is shown: at most a frame or two behind.
      expect(reader.offset).toBeGreaterThanOrEqual(Math.min(least, reader.recovery.snapshotOffset));
      expect(reader.instances.count()).toBe(shown);
      for (let i = Math.max(0, shown - 60); i < shown; i++)
        expect(reader.instances.get(`d${i}`)?.context['n']).toBe(i);
      await reader.close();
      const { ok, problems } = await verifyStore(directory);
      expect([ok, problems]).toEqual([true, []]);
    }
    expect(await store.verify()).toMatchObject({ ok: true });
    life.isOver = true;
    await writing;
    expect(store.stats()).toMatchObject({ snapshots: { failed: 0, count: 1 } });
    await store.close();
    expect(await verifyStore(directory)).toMatchObject({ ok: true, lastOffset: made + 1 });
  });
});
