/** SNP-2, F-10: a snapshot is there whole or not at all, whatever fails and wherever the power goes. */
import { describe, expect, it } from 'vitest';
import { FaultPlan, SimDisk, type Call } from 'pawl/testing';
import { snapshotOffset } from '../../../src/snapshot/snapshot-name.ts';
import { writeSnapshot } from '../../../src/snapshot/write-snapshot.ts';
import type { State } from '../../../src/state/state.ts';
import { seededChoices } from '../../sim/choices.ts';
import { RecordHistory } from './record-history.ts';
import { STORE_ID, codeOf, verifyBytes, written } from './snapshot-fixture.ts';

function someState(records = 400): State {
  return new RecordHistory(seededChoices(4)).run(records).state;
}

function snapshotsOn(disk: SimDisk): string[] {
  return [...disk.files().keys()].filter((path) => path.startsWith('/db/snapshot-'));
}

describe('F-10 a snapshot that fails', () => {
  it('every single call failing: coded error, nothing stays, and it works the next time', async () => {
    const state = someState();
    let failures = 0;
    const met = new Set<Call>();
    for (let nth = 1; ; nth++) {
      const disk = SimDisk.of();
      const plan = new FaultPlan([{ nth, error: 'EIO' }]);
      disk.fault = (call, path) => {
        const outcome = plan.decide(call, path);
        if (outcome !== undefined) met.add(call);
        return outcome;
      };
      const code = await codeOf(() => written(disk, state));
      if (plan.met[0] === 0) break;
      failures++;
      disk.fault = undefined;
      // Removing may be what failed, and closing after everything was read: neither is the snapshot's.
      if (code !== 'fine') {
        expect([nth, code]).toEqual([nth, 'WAL_IO_ERROR']);
        expect(snapshotsOn(disk)).toEqual([]);
      }
      const path = await written(disk, state);
      await verifyBytes(path, disk.files().get(path)!);
    }
    expect(failures).toBeGreaterThan(10);
    for (const call of ['create', 'write', 'sync', 'rename', 'syncdir', 'read', 'open'] as const)
      expect([call, met.has(call)]).toEqual([call, true]);
  });

  it('a full disk in the middle: WAL_IO_ERROR, nothing stays', async () => {
    const state = someState();
    const whole = SimDisk.of();
    const path = await written(whole, state);
    const sizeBytes = whole.files().get(path)!.length;
    for (let share = 0; share < 10; share++) {
      const disk = SimDisk.of();
      disk.capacityBytes = Math.floor((sizeBytes * share) / 10);
      expect(await codeOf(() => written(disk, state))).toBe('WAL_IO_ERROR');
      expect(snapshotsOn(disk)).toEqual([]);
    }
  });

  it('what reads back too short is CORRUPT, and does not stay', async () => {
    for (let nth = 1; nth <= 4; nth++) {
      const disk = SimDisk.of();
      const plan = new FaultPlan([{ call: 'read', nth, times: Infinity, bytes: 0 }]);
      disk.fault = (call, path) => plan.decide(call, path);
      expect([nth, await codeOf(() => written(disk, someState()))]).toEqual([nth, 'CORRUPT']);
      expect(snapshotsOn(disk)).toEqual([]);
    }
  });

  it('an aborted one ends with the reason given, and nothing stays', async () => {
    const disk = SimDisk.of();
    const abort = new AbortController();
    const reason = new Error('the store closes');
    let pauses = 0;
    const pause = async (): Promise<void> => {
      if (++pauses === 3) abort.abort(reason);
    };
    const call = writeSnapshot(someState(), {
      fileIo: disk.fileIo,
      directory: '/db',
      storeId: STORE_ID,
      pause,
      signal: abort.signal,
    });
    await expect(call).rejects.toBe(reason);
    expect(pauses).toBe(3);
    expect(snapshotsOn(disk)).toEqual([]);
  });

  it('progress is told in rows and ends with all of them', async () => {
    const disk = SimDisk.of();
    const { state } = new RecordHistory(seededChoices(4), { isGrowing: true }).run(6000);
    const told: [number, number][] = [];
    await writeSnapshot(state, {
      fileIo: disk.fileIo,
      directory: '/db',
      storeId: STORE_ID,
      onProgress: (done, total) => void told.push([done, total]),
    });
    const { rows } = state.instances.rows;
    expect(told.at(-1)).toEqual([rows, rows]);
    expect(told.map(([done]) => done)).toEqual(told.map(([done]) => done).sort((a, b) => a - b));
    expect(told.length).toBeGreaterThan(2);
  });
});

describe('SNP-2 power cuts', () => {
  it('at every step and with any effect in doubt kept or lost: whole under its name, or not there', async () => {
    const disk = SimDisk.of();
    const path = await written(disk, someState(150));
    const steps = disk.journal.length;
    disk.tell('written');
    let [found, missing] = [0, 0];
    for (let length = 0; length <= disk.journal.length; length++) {
      for (let seed = 1; seed <= 6; seed++) {
        const choose = seededChoices(seed * 1000 + length);
        const left = disk.crash(length, () => [true, false, 'torn' as const][choose(3)]!);
        for (const name of snapshotsOn(left)) {
          if (snapshotOffset(name.slice('/db/'.length)) === undefined) continue;
          found++;
          await verifyBytes(name, left.files().get(name)!);
        }
        if (!left.files().has(path)) missing++;
        // Once the call returned, nothing takes it back.
        if (length >= steps) expect(left.files().has(path)).toBe(true);
      }
    }
    expect([found > 0, missing > 0]).toEqual([true, true]);
  });
});
