/** `snapshots`, `stats`, `compact`, and what `inspect`, `verify` and `repair` say of snapshots. */
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/base/crc32c.ts';
import { defineMachine } from '../../../src/machine/define-machine.ts';
import { SNAPSHOT_HEADER, SNAPSHOT_VERSION } from '../../../src/snapshot/format.ts';
import { openStore } from '../../../src/engine/open-store.ts';
import { snapshotName } from '../../../src/snapshot/snapshot-name.ts';
import { fromJson } from '../../../src/value/json.ts';
import { pawl, sampleStore, temporaryDirectory } from './fake-shell.ts';

let store: string;
let remove: () => Promise<void>;

beforeEach(async () => {
  const { path, remove: gone } = await temporaryDirectory();
  remove = gone;
  store = join(path, 'store');
  await sampleStore(store);
});
afterEach(() => remove());

const NAME = snapshotName(11);
const WIDE = defineMachine({
  name: 'wide',
  version: 1,
  initial: 'a',
  states: ['a'],
  transitions: [],
});

async function flip(name: string, at: number): Promise<void> {
  const path = join(store, name);
  const bytes = await readFile(path);
  bytes[at] = (bytes[at] as number) ^ 1;
  await writeFile(path, bytes);
}

describe('compact', () => {
  it('takes a snapshot, and says what it dropped', async () => {
    const { code, out, err } = await pawl(['compact', store, '--format', 'json']);
    expect([code, err]).toEqual([0, '']);
    expect(fromJson(out)).toMatchObject({ location: store, snapshot: { offset: 11 }, segments: 0 });
    expect(await readdir(store)).toContain(NAME);
    const again = await pawl(['compact', store, '--force']);
    expect(again.out).toMatch(/^compacted {2}\S+store: snapshot at record 11, .*\n {4}0 log files/);
    const verified = await pawl(['verify', store]);
    expect([verified.code, verified.out]).toEqual([
      0,
      expect.stringContaining('1 snapshot, at 11'),
    ]);
  });

  it('makes no store where there is none', async () => {
    const { code } = await pawl(['compact', join(store, 'nothing')]);
    expect(code).toBe(3);
    expect(await readdir(store)).not.toContain('nothing');
  });

  it('is 4 while a writer lives', async () => {
    const writer = await openStore(store, { snapshotInterval: 0 });
    expect((await pawl(['compact', store])).code).toBe(4);
    await writer.close();
  });
});

describe('snapshots', () => {
  it('says that there are none, or lists them', async () => {
    const none = await pawl(['snapshots', store]);
    expect([none.code, none.out]).toEqual([0, `${store}: no snapshot yet\n`]);
    await pawl(['compact', store]);
    const table = await pawl(['snapshots', store]);
    expect(table.out).toMatch(/^SNAPSHOT\s+RECORD\s+INSTANCES\s+SIZE\s+LAST COMMIT/);
    expect(table.out).toContain(NAME);
    const { code, out } = await pawl(['snapshots', store, '--format', 'json']);
    expect(code).toBe(0);
    expect(fromJson(out)).toMatchObject({
      ok: true,
      snapshots: [{ file: NAME, offset: 11, instances: 4, ok: true }],
      problems: [],
    });
  });

  it('names a damaged one with its place, and ends with 1', async () => {
    await pawl(['compact', store]);
    const { length } = await readFile(join(store, NAME));
    await flip(NAME, length >> 1);
    const { code, out } = await pawl(['snapshots', store]);
    expect(code).toBe(1);
    expect(out).toContain('DAMAGED');
    expect(out).toContain('FILE');
    expect((await pawl(['verify', store])).code).toBe(1);
    const plan = await pawl(['repair', store, '--dry-run', '--format', 'json']);
    expect(fromJson(plan.out)).toMatchObject({ damaged: true, saved: [NAME], lastOffset: 11 });
    expect((await pawl(['repair', store, '--yes'])).code).toBe(0);
    expect((await pawl(['verify', store])).code).toBe(0);
    expect(await readdir(join(store, 'damaged-1'))).toContain(NAME);
  });

  it('F-12 one of a newer format is no damage, also where no other reaches the log', async () => {
    await pawl(['compact', store]);
    const writer = await openStore(store, { segmentBytes: 4096, snapshotInterval: 0 });
    await writer.machines.put(WIDE);
    for (let i = 0; i < 60; i++)
      await writer.instances.create({
        machine: 'wide',
        id: `w${i}`,
        context: { t: 'x'.repeat(99) },
      });
    expect((await writer.compact({ force: true })).segments).toBeGreaterThan(0);
    const last = snapshotName(writer.offset);
    await writer.close();
    const path = join(store, last);
    const bytes = await readFile(path);
    bytes.writeUInt32LE(SNAPSHOT_VERSION + 1, SNAPSHOT_HEADER.version);
    const crc = crc32c(bytes, SNAPSHOT_HEADER.magic, SNAPSHOT_HEADER.size);
    bytes.writeUInt32LE(crc, SNAPSHOT_HEADER.headerCrc);
    await writeFile(path, bytes);
    const listed = await pawl(['snapshots', store]);
    expect([listed.code, listed.out]).toEqual([1, expect.stringContaining('UNSUPPORTED')]);
    expect(listed.out).not.toContain('DAMAGED');
    const verified = await pawl(['verify', store, '--format', 'json']);
    const { problems } = fromJson(verified.out) as { problems: { code: string }[] };
    expect(problems.map(({ code }) => code)).toEqual(['FORMAT_UNSUPPORTED']);
    await expect(openStore(store)).rejects.toMatchObject({ code: 'FORMAT_UNSUPPORTED' });
    expect(await readFile(path)).toEqual(bytes);
  });

  it('is 3 where there is no store', async () => {
    expect((await pawl(['snapshots', join(store, 'nothing')])).code).toBe(3);
  });
});

describe('stats and inspect', () => {
  it('say how much of the log the newest snapshot does not cover', async () => {
    await pawl(['compact', store]);
    const writer = await openStore(store, {
      snapshotInterval: 0,
      deletedRetentionMs: Infinity,
      idempotency: { retentionMs: Infinity },
    });
    const [one] = [...writer.instances.iterate()];
    await writer.instances.delete(one?.id as string);
    await writer.close();
    const { code, out } = await pawl(['stats', store, '--format', 'json']);
    expect(code).toBe(0);
    expect(fromJson(out)).toMatchObject({
      offset: 12,
      instances: { living: 2, deleted: 2 },
      snapshots: { count: 1, newestOffset: 11, recordsBehind: 1 },
      problems: 0,
    });
    const lines = (await pawl(['stats', store])).out;
    expect(lines).toMatch(/^offset\s+12\n/);
    expect(lines).toMatch(/\nsnapshots\.recordsBehind\s+1\n/);
    const view = fromJson((await pawl(['inspect', store, '--format', 'json'])).out);
    expect(view).toMatchObject({ snapshots: [{ offset: 11 }], recovery: { strayFiles: [] } });
    expect((await pawl(['inspect', store])).out).toContain(NAME);
  });
});
