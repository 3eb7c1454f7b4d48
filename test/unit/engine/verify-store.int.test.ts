/** Verifying and repairing whole stores: what passes every checksum must also make sense. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../../src/engine/open-store.ts';
import { repairStore } from '../../../src/engine/repair-store.ts';
import { verifyStore } from '../../../src/engine/verify-store.ts';
import { openLog } from '../../../wal/index.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pawl-verify-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Puts a record nobody decided behind what the log holds. */
async function forge(...bytes: number[]): Promise<void> {
  const log = await openLog(directory);
  await log.append(Uint8Array.from(bytes));
  await log.close();
}

async function oneInstance(): Promise<number> {
  const store = await openStore(directory);
  const definition = { name: 'm', version: 1, states: ['a'], initial: 'a', transitions: [] };
  await store.machines.put(definition);
  await store.instances.create({ machine: 'm', id: 'one' });
  const { offset } = store;
  await store.close();
  return offset;
}

describe('verifyStore', () => {
  it('WAL-5 is ok for what openStore opens', async () => {
    const offset = await oneInstance();
    expect(await verifyStore(directory)).toEqual({
      ok: true,
      lastOffset: offset,
      problems: [],
      digest: expect.stringMatching(/^[0-9a-f]{64}$/u),
    });
  });

  it('F-0b reports a record that passes its checksums and is impossible, with its place', async () => {
    const offset = await oneInstance();
    // Kind 5 (apply), no fields: handle 77, transition 0.
    await forge(5, 0, 77, 0);
    await forge(5, 0, 78, 0);
    const { ok, lastOffset, problems } = await verifyStore(directory);
    expect([ok, lastOffset]).toEqual([false, offset]);
    expect(problems).toMatchObject([
      { code: 'CORRUPT', details: { file: '00000002.wal', byteOffset: 128, offset: offset + 1 } },
    ]);
    // The first cause, not what follows from it.
    expect(problems[0]?.message).toContain('a record names an instance that was created');
    await expect(openStore(directory)).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  it('F-56 a record kind of a newer version is FORMAT_UNSUPPORTED, and not repaired', async () => {
    await oneInstance();
    await forge(99, 0);
    const { ok, problems } = await verifyStore(directory);
    expect(ok).toBe(false);
    expect(problems).toMatchObject([{ code: 'FORMAT_UNSUPPORTED' }]);
    // The log itself is whole.
    expect(await repairStore(directory)).toMatchObject({ bytesRemoved: 0, savedTo: '' });
  });

  it('is NOT_FOUND where there is no store, as repairStore is', async () => {
    await expect(verifyStore(directory)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(repairStore(directory)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('repairStore is STORE_LOCKED while the store is open', async () => {
    await oneInstance();
    const store = await openStore(directory);
    await expect(repairStore(directory)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    expect((await verifyStore(directory)).ok).toBe(true);
    await store.close();
  });
});
