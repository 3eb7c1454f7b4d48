/**
 * F-10 F-11 F-12 F-13: crashes anywhere in taking snapshots, naming them, removing old ones and
 * dropping log, and again while opening afterwards. Whatever was acknowledged is there, the log and
 * the snapshots that are left say the same, and files do not pile up.
 */
import { describe, expect, test } from 'vitest';
import { verifyStore, type StoreOptions } from 'pawl';
import { checkCrashes, type Found, type World } from 'pawl/testing';
import { DOOR } from './cases/contract.ts';

const SETTINGS: readonly (readonly [
  string,
  Omit<StoreOptions, 'fileIo' | 'clock' | 'thread' | 'random'>,
])[] = [
  ['each few records', { snapshotInterval: 4 }],
  ['one kept', { snapshotInterval: 5, keepSnapshots: 1 }],
  ['archived', { snapshotInterval: 6, archive: true, keepSnapshots: 1 }],
  ['not synced', { snapshotInterval: 4, durability: 'os' }],
];

/** `n` doors and pushes; goes on where it was after a crash. */
async function workload({ open, tell, told }: World<string>): Promise<void> {
  const store = await open();
  await store.machines.put(DOOR);
  const end = told.length + 14;
  for (let i = told.length; i < end; i++) {
    const id = `d${i}`;
    if (store.instances.get(id) === undefined)
      await store.instances.create({
        machine: 'door',
        id,
        context: { text: 'x'.repeat(150) },
        ...(i % 3 === 0 && { idempotencyKey: `k${i}` }),
      });
    if (i % 4 === 3) await store.instances.delete(`d${i - 2}`);
    else await store.instances.apply(id, 'PUSH', { i });
    await store.flush();
    tell(id);
    if (i % 7 === 6) await store.compact(i % 2 === 0 ? {} : { force: true });
  }
  await store.close();
}

async function oracle(found: Found<string>): Promise<void> {
  const { open, told, ports, directory } = found;
  if (told.length === 0) {
    // Nothing was promised, perhaps not even a store; opening works all the same.
    await (await open()).close();
    return;
  }
  const { fileIo } = ports;
  const before = await verifyStore(directory, { fileIo });
  expect(before.problems).toEqual([]);
  const store = await open();
  for (const [i, id] of told.entries()) {
    const door = store.instances.get(id, { deleted: true });
    expect(door?.id).toBe(id);
    // The deletion that was under way may have been done.
    const isDeleted = (i + 2) % 4 === 3 && i + 2 < told.length;
    const mayBeDeleted = (i + 2) % 4 === 3 && i + 2 === told.length;
    if (!mayBeDeleted) expect([id, door?.deleted]).toEqual([id, isDeleted]);
    const isPushed = i % 4 !== 3;
    if (isPushed) expect(door?.context).toMatchObject({ i });
    expect(door?.context['text']).toBe('x'.repeat(150));
  }
  const { digest } = await store.verify();
  const { offset } = store;
  await store.close();
  const again = await open();
  expect(again.offset).toBe(offset);
  const after = await again.verify();
  expect(after).toMatchObject({ ok: true, digest });
  await again.close();
  const names = await fileIo.list(directory);
  expect(names.filter((name) => name.startsWith('snapshot-')).length).toBeLessThanOrEqual(2);
}

describe('crashes around snapshots', () => {
  test.each(SETTINGS)(
    'F-10 F-11 F-12 F-13 SNP-3 nothing acknowledged is lost: %s',
    async (_, options) => {
      const report = await checkCrashes<string>({
        workload,
        oracle,
        options,
        runs: Number(process.env['PAWL_RUNS'] ?? 500),
        seed: 7,
        lives: 3,
      });
      expect(report.nested).toBeGreaterThan(0);
    },
    120_000,
  );
});
