/** What a run of the store is about, drawn once: options, retention, the kind of disk. */
import type { StoreOptions } from '../../src/engine/api/store.ts';
import { type Choices, pick } from './choices.ts';
import type { ModelOptions } from './reference-model.ts';

export interface Settings {
  readonly store: StoreOptions;
  readonly model: ModelOptions;
  readonly hasSyncedWrites: boolean;
  readonly ids: number;
}

export function drawSettings(choose: Choices): Settings {
  const durability = pick(choose, [
    'always',
    'os',
    { everyRecords: 3 },
    'always',
    { everyMs: 20 },
    'always',
    { everyRecords: 1 + choose(9) },
    { everyMs: 1 + choose(200) },
  ] as const);
  const isShort = choose(2) === 1;
  const model: ModelOptions = {
    keyRetentionMs: isShort ? 300 : Number.POSITIVE_INFINITY,
    deletedRetentionMs: isShort ? 200 : Number.POSITIVE_INFINITY,
    mismatch: choose(3) === 2 ? 'first' : 'conflict',
    maxVersions: choose(2) === 1 ? 2 : Number.POSITIVE_INFINITY,
  };
  const { keyRetentionMs: retentionMs, mismatch, deletedRetentionMs, maxVersions } = model;
  return {
    model,
    hasSyncedWrites: choose(3) < 2,
    ids: pick(choose, [3, 6, 3, 40]),
    store: {
      durability,
      segmentBytes: 4096,
      idempotency: { retentionMs, mismatch, maxKeys: Number.POSITIVE_INFINITY },
      deletedRetentionMs,
      maxMachineVersions: maxVersions,
      blockingSync: choose(2) === 0,
      ...drawSnapshots(choose),
    },
  };
}

function drawSnapshots(choose: Choices): StoreOptions {
  return {
    // By itself after so many records, or never; 'auto' needs more than a run has, or many files.
    snapshotInterval: pick(choose, [0, 4, 'auto', 11, 0, 30, 1]),
    keepSnapshots: 1 + choose(3),
    compaction: choose(4) < 3,
    archive: choose(4) === 3,
    verifyOnOpen: pick(choose, ['lazy', 'full', 'lazy']),
    ...(choose(5) === 4 && { maxWalSegments: 1 + choose(3) }),
    ...(choose(8) === 7 && { maxWalBytes: 1500 }),
  };
}
