/** Records to names, for every kind a log may hold; written by the engine, read by the dump alone. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type DumpedRecord, LogDecoder } from '../../../src/cli/dump/decode.ts';
import { openStore } from '../../../src/engine/open-store.ts';
import { scanLog } from '../../../wal/scan.ts';
import { SimDisk } from 'pawl/testing';
import { steppingClock } from './fake-shell.ts';

const body = {
  name: 'door',
  version: 1,
  states: ['open', 'shut'],
  initial: 'open',
  transitions: [{ from: 'open', event: 'SHUT', to: 'shut' }],
};

async function decoded(disk: SimDisk, from = 1): Promise<DumpedRecord[]> {
  const decoder = new LogDecoder();
  await scanLog(disk.fileIo, '/db', {
    onFrame: (bytes, start, end, firstOffset) =>
      decoder.frame(bytes, start, end, firstOffset, from),
  });
  return decoder.taken();
}

describe('dumped records', () => {
  let disk: SimDisk;

  beforeAll(async () => {
    disk = SimDisk.of();
    const clock = steppingClock();
    const options = { fileIo: disk.fileIo, clock, deletedRetentionMs: 1000 };
    const store = await openStore('/db', options);
    await store.machines.put(body);
    await store.machines.put({ ...body, indexes: ['colour'] });
    await store.machines.put({ ...body, version: 2, indexes: ['colour'] });
    await store.machines.remove('door', 2);
    await store.machines.put({ ...body, version: 2, indexes: ['colour'] });
    await store.instances.create({ machine: 'door', version: 1, id: 'a' });
    await store.instances.delete('a', { reason: 'gone', correlationId: 'c-1' });
    // Long enough after it that the retention is over.
    for (let i = 0; i < 5; i++) clock.now();
    await store.instances.create({ machine: 'door', version: 2, id: 'b' });
    await store.instances.apply('b', 'SHUT');
    await store.machines.put({ ...body, version: 3, indexes: ['colour'] });
    await store.instances.migrate({
      machine: 'door',
      fromVersion: 2,
      toVersion: 3,
      map: () => ({ state: 'open', context: { moved: true } }),
    });
    await store.instances.apply('b', 'SHUT');
    await store.instances.delete('b');
    await store.close();
  });

  it('name definitions, changed indexes, hidden and offered again versions', async () => {
    const records = await decoded(disk);
    const definitions = records.filter((one) => one.machine === 'door' && one.id === undefined);
    expect(definitions).toMatchObject([
      { kind: 'define', version: 1, definition: { states: ['open', 'shut'] } },
      { kind: 'indexes', indexes: ['colour'] },
      { kind: 'define', version: 2 },
      { kind: 'hide', version: 2 },
      { kind: 'define', version: 2 },
      { kind: 'define', version: 3 },
    ]);
    // The same version offered again brings no second definition.
    expect(definitions[4]).not.toHaveProperty('definition');
  });

  it('a purge says how far it went, and its handle names the next instance', async () => {
    const records = await decoded(disk);
    const deleted = records.find((one) => one.kind === 'delete');
    expect(deleted).toMatchObject({ id: 'a', from: 'open', reason: 'gone', correlationId: 'c-1' });
    const purge = records.find((one) => one.kind === 'purge');
    expect(purge).toMatchObject({ deletedThrough: deleted?.offset });
    expect(records.at(-5)).toMatchObject({ id: 'b', version: 2, from: 'open', to: 'shut' });
    expect(records.at(-1)).toMatchObject({ kind: 'delete', id: 'b', from: 'shut' });
  });

  it('a migration names both versions and both states, and what follows goes by the new one', async () => {
    const records = await decoded(disk);
    const migrated = records.find((one) => one.kind === 'migrate');
    expect(migrated).toMatchObject({ id: 'b', machine: 'door', fromVersion: 2, version: 3 });
    expect(migrated).toMatchObject({ from: 'shut', to: 'open', context: { moved: true } });
    expect(records.at(-2)).toMatchObject({ id: 'b', version: 3, from: 'open', to: 'shut' });
    expect(await decoded(disk, records.length)).toEqual([records.at(-1)]);
  });

  it('of a commit all carry its end, and offsets have no gap', async () => {
    const records = await decoded(disk);
    expect(records.map((one) => one.offset)).toEqual(records.map((_, i) => i + 1));
    for (const record of records) expect(record.commit).toBeGreaterThanOrEqual(record.offset);
  });

  it('those before the first one wanted only lend their names', async () => {
    const all = await decoded(disk);
    expect(await decoded(disk, all.length)).toEqual([all.at(-1)]);
  });

  it('what does not fit its bytes ends the decoding there', () => {
    const decoder = new LogDecoder();
    // Two commits of a record each: a purge of nothing, then one of a kind nobody knows.
    const frame = Uint8Array.of(9, 7, 0, 0, 0, 5, 99, 0);
    expect(() => decoder.frame(frame, 0, frame.length, 1, 1)).toThrow(
      expect.objectContaining({ code: 'FORMAT_UNSUPPORTED' }),
    );
    expect(decoder.taken()).toMatchObject([{ offset: 1, kind: 'purge' }]);
    expect(decoder.offset).toBe(2);
  });
});
