/** F-27: a snapshot that is not exactly what was written is never taken for one. */
import { describe, expect, it } from 'vitest';
import { SimDisk } from 'pawl/testing';
import { crc32c } from '../../../src/base/crc32c.ts';
import type { ChunkReads } from '../../../src/snapshot/chunk-reads.ts';
import { CHUNK, SNAPSHOT_HEADER } from '../../../src/snapshot/format.ts';
import { openSnapshot } from '../../../src/snapshot/snapshot-file.ts';
import { seededChoices } from '../../sim/choices.ts';
import { RecordHistory, freshState } from './record-history.ts';
import { STORE_ID, codeOf, verifyBytes, written } from './snapshot-fixture.ts';

async function small(): Promise<{ path: string; bytes: Uint8Array }> {
  const disk = SimDisk.of();
  const path = await written(disk, new RecordHistory(seededChoices(2)).run(60).state);
  return { path, bytes: Uint8Array.from(disk.files().get(path)!) };
}

describe('F-27 damage to a snapshot', () => {
  it('every byte that changes is found', async () => {
    const { path, bytes } = await small();
    expect(await codeOf(() => verifyBytes(path, bytes))).toBe('fine');
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= 1 << (at % 8);
      expect([at, await codeOf(() => verifyBytes(path, damaged))]).toEqual([at, 'CORRUPT']);
    }
  });

  it('cut short at any length, or with anything behind, a snapshot is refused', async () => {
    const { path, bytes } = await small();
    for (let length = 0; length < bytes.length; length++) {
      const code = await codeOf(() => verifyBytes(path, bytes.slice(0, length)));
      expect([length, code]).toEqual([length, 'CORRUPT']);
    }
    const longer = new Uint8Array(bytes.length + 4);
    longer.set(bytes);
    expect(await codeOf(() => verifyBytes(path, longer))).toBe('CORRUPT');
  });

  it('loading finds what it reads: everything at once, or contexts when they are touched', async () => {
    const { path, bytes } = await small();
    const intact = SimDisk.of(new Map([[path, bytes]]));
    const whole = freshState();
    await (await openSnapshot(intact.fileIo, path, STORE_ID)).load(whole, 'now');
    let late = 0;
    for (let at: number = SNAPSHOT_HEADER.size; at < bytes.length; at++) {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= 0x10;
      const disk = SimDisk.of(new Map([[path, damaged]]));
      const now = async (): Promise<void> => {
        const file = await openSnapshot(disk.fileIo, path, STORE_ID);
        await file.load(freshState(), 'now');
        // Indexes are built without it.
        if (file.indexFailure !== undefined) throw file.indexFailure;
      };
      expect([at, await codeOf(now)]).toEqual([at, 'CORRUPT']);
      const lazy = async (): Promise<void> => {
        const file = await openSnapshot(disk.fileIo, path, STORE_ID);
        await file.load(freshState(), 'lazy');
        late++;
        while (file.unpackMore());
        await file.loadContexts();
        if (file.indexFailure !== undefined) throw file.indexFailure;
      };
      expect([at, await codeOf(lazy)]).toEqual([at, 'CORRUPT']);
    }
    expect(late).toBeGreaterThan(100);
    expect(late).toBeLessThan(bytes.length / 2);
  });

  it('a damaged context is refused each time it is touched, and nothing else is', async () => {
    const disk = SimDisk.of();
    const { state: original } = new RecordHistory(seededChoices(8), { isGrowing: true }).run(9000);
    const path = await written(disk, original);
    const bytes = Uint8Array.from(disk.files().get(path)!);
    const intact = await openSnapshot(disk.fileIo, path, STORE_ID);
    const { reads } = intact as unknown as { reads: ChunkReads };
    const contexts = [...reads.entries.keys()].filter(
      (chunk) => reads.entries[chunk]!.kind === CHUNK.contexts,
    );
    expect(contexts.length).toBeGreaterThan(1);
    bytes[reads.positionOf(contexts[1]!)]! ^= 1;
    await intact.close();
    const broken = SimDisk.of(new Map([[path, bytes]]));
    const file = await openSnapshot(broken.fileIo, path, STORE_ID);
    const state = freshState();
    await file.load(state, 'lazy');
    let [fine, bad] = [0, 0];
    for (let handle = 0; handle < state.instances.rows.rows; handle++) {
      if (!state.instances.isLive(handle)) continue;
      expect(state.instances.idText(handle)).toBe(original.instances.idText(handle));
      const touch = (): unknown => state.instances.contexts.lastEventId(handle);
      const first = await codeOf(async () => touch());
      expect(await codeOf(async () => touch())).toBe(first);
      if (first === 'fine') fine++;
      else bad++;
    }
    expect([fine > 0, bad > 0]).toEqual([true, true]);
    await file.close();
  });

  it('one of another store, one under another name, and none at all are told apart', async () => {
    const { path, bytes } = await small();
    const disk = SimDisk.of(new Map([[path, bytes]]));
    const foreign = new Uint8Array(16).fill(8);
    expect(await codeOf(() => openSnapshot(disk.fileIo, path, foreign))).toBe('CORRUPT');
    expect(await codeOf(() => openSnapshot(disk.fileIo, path, undefined))).toBe('fine');
    expect(await codeOf(() => openSnapshot(disk.fileIo, '/db/none', STORE_ID))).toBe('NOT_FOUND');
    const renamed = '/db/snapshot-0000000000000001';
    expect(await codeOf(() => verifyBytes(renamed, bytes))).toBe('CORRUPT');
    expect(await codeOf(() => verifyBytes('/db/elsewhere', bytes))).toBe('fine');
  });

  it('one of a newer format is FORMAT_UNSUPPORTED', async () => {
    const { path, bytes } = await small();
    const view = new DataView(bytes.buffer);
    view.setUint32(SNAPSHOT_HEADER.version, 2, true);
    view.setUint32(0, crc32c(bytes, SNAPSHOT_HEADER.magic, SNAPSHOT_HEADER.size), true);
    expect(await codeOf(() => verifyBytes(path, bytes))).toBe('FORMAT_UNSUPPORTED');
  });
});
